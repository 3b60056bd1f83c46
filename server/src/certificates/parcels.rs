//! The parcels that a node keeps for new nodes: a folder with a file for each.
//!
//! A file is removed, and its removal made durable, before its content is handed out. Two who ask at
//! once are told apart by who removed it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::ports::Clock;
use holdfast_cluster::raft::{ParcelId, Parcels};

use super::{CertificatesError, at, make_private};
use crate::folder::write_whole;

/// How a file begins: until when it may be handed out, in seconds since 1970, big endian.
const HEAD: usize = 8;

/// A node's folder of parcels.
pub struct ParcelFolder {
    path: PathBuf,
    clock: Arc<dyn Clock>,
}

impl ParcelFolder {
    /// The folder at `path`, whether it is there or not.
    pub fn at(path: PathBuf, clock: Arc<dyn Clock>) -> ParcelFolder {
        ParcelFolder { path, clock }
    }

    /// Keeps a parcel for a time. Those whose time is over go.
    pub fn put(
        &self,
        id: &ParcelId,
        sealed: &[u8],
        good_for: Duration,
    ) -> Result<(), CertificatesError> {
        make_private(&self.path)?;
        self.forget_old().map_err(at(&self.path))?;
        let until = (self.clock.wall() + good_for).as_secs();
        let path = self.file(id);
        let content = [&until.to_be_bytes()[..], sealed].concat();
        write_whole(&path, &content, 0o600).map_err(at(&path))
    }

    fn file(&self, id: &ParcelId) -> PathBuf {
        self.path.join(id.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    fn is_over(&self, until: &[u8]) -> bool {
        let until = until.try_into().map_or(0, u64::from_be_bytes);
        self.clock.wall().as_secs() >= until
    }

    fn forget_old(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let content = fs::read(&path)?;
            if self.is_over(content.get(..HEAD).unwrap_or_default()) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

impl Parcels for ParcelFolder {
    fn take(&self, id: &ParcelId) -> io::Result<Option<Vec<u8>>> {
        let path = self.file(id);
        let Some(content) = there(fs::read(&path))? else { return Ok(None) };
        if there(fs::remove_file(&path))?.is_none() {
            return Ok(None);
        }
        sync(&self.path)?;
        match content.split_at_checked(HEAD) {
            Some((until, sealed)) if !self.is_over(until) => Ok(Some(sealed.to_vec())),
            _ => Ok(None),
        }
    }
}

fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::folder::tests_scratch::Scratch;

    struct SetClock(Mutex<Duration>);

    impl Clock for SetClock {
        fn boot(&self) -> Duration {
            self.wall()
        }

        fn wall(&self) -> Duration {
            *self.0.lock()
        }
    }

    #[test]
    fn a_parcel_is_handed_out_once_and_not_too_late() {
        let scratch = Scratch::new("parcels");
        let clock = Arc::new(SetClock(Mutex::new(Duration::from_secs(1_000_000))));
        let path = scratch.path().join("parcels");
        let parcels = ParcelFolder::at(path.clone(), clock.clone());
        let (first, second, third) = ([1; 16], [2; 16], [3; 16]);
        assert_eq!(parcels.take(&first).unwrap(), None);
        parcels.put(&first, b"one", Duration::from_secs(60)).unwrap();
        parcels.put(&second, b"two", Duration::from_secs(60)).unwrap();
        // It outlives the process that keeps it.
        let again = ParcelFolder::at(path.clone(), clock.clone());
        assert_eq!(again.take(&first).unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(again.take(&first).unwrap(), None);
        assert_eq!(parcels.take(&first).unwrap(), None);

        *clock.0.lock() += Duration::from_secs(60);
        assert_eq!(parcels.take(&second).unwrap(), None);
        parcels.put(&second, b"two", Duration::from_secs(60)).unwrap();
        *clock.0.lock() += Duration::from_secs(60);
        parcels.put(&third, b"three", Duration::from_secs(60)).unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "what is over goes");
    }
}
