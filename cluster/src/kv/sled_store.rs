//! A key-value store on sled: what real nodes use.
//!
//! Two things that sled leaves out are done here. Its flush does not reach the medium
//! (`sync_file_range` writes neither the disk's cache nor the file's length), so its data file and
//! its directory are synced after it. And values that do not fit a page go to files that it never
//! syncs at all, so values are stored in pieces small enough that no page outgrows that limit.
//!
//! Keys in sled: `v` and the key → a record; `p`, the number of a large value (u64) and the number of
//! a piece (u32), both big-endian → a piece. A record: CRC-32C of key and value (u32), then `0` and
//! the value, or `1`, the large value's number (u64) and its length (u64), all little-endian. A large
//! value's pieces are written before its record; pieces without a record are removed at open.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::RwLock;

use super::{Kv, KvBatch, check_batch, checksum, damaged};
use crate::raft::runtime::blocking;

/// Bytes of sled's page cache; its default is a gigabyte.
const CACHE_BYTES: u64 = 64 << 20;
/// Bytes of a piece. sled keeps up to 32 items in a page and gives a page of 128 KiB its own file.
const PIECE: usize = 3 << 10;
/// How many pieces are written at once.
const PIECES_AT_ONCE: usize = 64;
const VALUE: u8 = b'v';
const LARGE: u8 = b'p';

/// See the module's documentation.
pub struct SledStore {
    inner: Arc<Inner>,
}

struct Inner {
    /// Written under the write lock, so that nobody reads a value while its pieces change.
    state: RwLock<State>,
    db: sled::Db,
    /// sled's data file and its directory, opened once more to be synced.
    data: File,
    directory: File,
}

struct State {
    /// The number of the next large value.
    next_large: u64,
    /// Why the store refuses everything, once it does.
    failure: Option<String>,
}

impl SledStore {
    /// Opens the store in `path`, which is made if it is missing.
    ///
    /// # Errors
    /// The environment's, and sled's if its files are damaged.
    pub async fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let inner = blocking(move || Inner::open(&path)).await??;
        Ok(Self { inner: Arc::new(inner) })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let inner = self.inner.clone();
        blocking(move || work(&inner)).await?
    }
}

#[async_trait]
impl Kv for SledStore {
    async fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>> {
        let key = key.to_vec();
        self.run(move |inner| inner.get(&key)).await
    }

    async fn keys(&self, from: &[u8], to: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        if from >= to {
            return Ok(Vec::new());
        }
        let (from, to) = (value_key(from), value_key(to));
        self.run(move |inner| {
            let found = inner.db.range(from..to).keys();
            found.map(|key| Ok(key?[1..].to_vec())).collect()
        })
        .await
    }

    async fn write(&self, batch: KvBatch) -> io::Result<()> {
        check_batch(&batch)?;
        self.run(move |inner| inner.write(batch)).await
    }

    async fn flush(&self) -> io::Result<()> {
        self.run(Inner::flush).await
    }
}

impl Inner {
    fn open(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let db = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .open()?;
        let data = File::open(path.join("db"))?;
        let directory = File::open(path)?;
        let next_large = remove_orphans(&db)?;
        let state = RwLock::new(State { next_large, failure: None });
        let inner = Self { state, db, data, directory };
        inner.flush()?;
        // The store's own name, if it is new.
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(inner)
    }

    fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>> {
        let state = self.state.read();
        state.check()?;
        let Some(record) = self.db.get(value_key(key))? else { return Ok(None) };
        let value = match Record::read(&record).ok_or_else(|| damaged(key, "its record"))? {
            Record::Small(value) => Bytes::copy_from_slice(value),
            Record::Large { number, length } => self.assemble(key, number, length)?,
        };
        if u32::from_le_bytes(record[..4].try_into().expect("four bytes")) != checksum(key, &value)
        {
            return Err(damaged(key, "its checksum differs"));
        }
        Ok(Some(value))
    }

    fn assemble(&self, key: &[u8], number: u64, length: u64) -> io::Result<Bytes> {
        let mut value = Vec::new();
        for piece in self.db.scan_prefix(large_prefix(number)).values() {
            value.extend_from_slice(&piece?);
        }
        if value.len() as u64 != length {
            return Err(damaged(key, "its length differs"));
        }
        Ok(value.into())
    }

    fn write(&self, batch: KvBatch) -> io::Result<()> {
        let mut state = self.state.write();
        state.check()?;
        let mut changes = sled::Batch::default();
        for (key, value) in batch {
            self.drop_pieces(&key, &mut changes)?;
            let Some(value) = value else {
                changes.remove(value_key(&key));
                continue;
            };
            let crc = checksum(&key, &value).to_le_bytes();
            let record = if value.len() <= PIECE {
                [&crc[..], &[0], &value].concat()
            } else {
                let number = state.next_large;
                state.next_large += 1;
                self.write_pieces(number, &value)?;
                let length = value.len() as u64;
                [&crc[..], &[1], &number.to_le_bytes(), &length.to_le_bytes()].concat()
            };
            changes.insert(value_key(&key), record);
        }
        Ok(self.db.apply_batch(changes)?)
    }

    fn write_pieces(&self, number: u64, value: &[u8]) -> io::Result<()> {
        let pieces: Vec<&[u8]> = value.chunks(PIECE).collect();
        for (group, some) in pieces.chunks(PIECES_AT_ONCE).enumerate() {
            let mut batch = sled::Batch::default();
            for (at, piece) in some.iter().enumerate() {
                let mut key = large_prefix(number);
                key.extend_from_slice(&((group * PIECES_AT_ONCE + at) as u32).to_be_bytes());
                batch.insert(key, *piece);
            }
            self.db.apply_batch(batch)?;
        }
        Ok(())
    }

    /// Removes the pieces of the value that `key` has now.
    fn drop_pieces(&self, key: &[u8], changes: &mut sled::Batch) -> io::Result<()> {
        let record = self.db.get(value_key(key))?;
        if let Some(Record::Large { number, .. }) = record.as_deref().and_then(Record::read) {
            for key in self.db.scan_prefix(large_prefix(number)).keys() {
                changes.remove(key?);
            }
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.state.read().check()?;
        let outcome = self.flush_once();
        if let Err(error) = &outcome {
            self.state.write().failure = Some(format!("an earlier flush failed: {error}"));
        }
        outcome
    }

    fn flush_once(&self) -> io::Result<()> {
        self.db.flush()?;
        self.data.sync_data()?;
        self.directory.sync_all()
    }
}

impl State {
    fn check(&self) -> io::Result<()> {
        match &self.failure {
            Some(failure) => Err(io::Error::other(failure.clone())),
            None => Ok(()),
        }
    }
}

enum Record<'a> {
    Small(&'a [u8]),
    Large { number: u64, length: u64 },
}

impl Record<'_> {
    fn read(bytes: &[u8]) -> Option<Record<'_>> {
        let number = |at: usize| -> Option<u64> {
            Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
        };
        match bytes.get(4)? {
            0 => Some(Record::Small(&bytes[5..])),
            1 if bytes.len() == 21 => {
                Some(Record::Large { number: number(5)?, length: number(13)? })
            }
            _ => None,
        }
    }
}

/// Removes pieces that no record names: of a write that a crash cut off. Returns the number of the
/// next large value.
fn remove_orphans(db: &sled::Db) -> io::Result<u64> {
    let mut named = BTreeSet::new();
    for record in db.scan_prefix([VALUE]).values() {
        if let Some(Record::Large { number, .. }) = Record::read(&record?) {
            named.insert(number);
        }
    }
    let mut next = named.last().map_or(0, |&last| last + 1);
    for key in db.scan_prefix([LARGE]).keys() {
        let key = key?;
        let number = key.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        next = next.max(number.map_or(0, |number| number + 1));
        if number.is_none_or(|number| !named.contains(&number)) {
            db.remove(key)?;
        }
    }
    Ok(next)
}

fn value_key(key: &[u8]) -> Vec<u8> {
    [&[VALUE], key].concat()
}

fn large_prefix(number: u64) -> Vec<u8> {
    [&[LARGE][..], &number.to_be_bytes()].concat()
}
