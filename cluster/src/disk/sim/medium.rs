//! The medium: all files and names, the planned faults and the epoch that fences dead boots.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::inode::{Inode, Mood, SyncSnapshot};
use super::names::{InodeNumber, Names};
use super::random::SimRandom;
use super::{SimLatency, SimLosses, SimOperation};

/// The number of a boot. Calls of any but the last fail.
pub(super) type Epoch = u64;

pub(super) struct Medium {
    pub(super) random: SimRandom,
    latency: SimLatency,
    epoch: Epoch,
    names: Names,
    inodes: BTreeMap<InodeNumber, Inode>,
    next_inode: InodeNumber,
    writes: u64,
    pub(super) operations: u64,
    pub(super) crash_in: Option<u64>,
    pub(super) faults: Vec<(SimOperation, u32)>,
    pub(super) capacity: u64,
    /// Syncs wait.
    pub(super) stalled: bool,
    pub(super) losses: SimLosses,
}

/// What a sync of names covers.
pub(super) struct NamesSnapshot(u64);

impl Medium {
    pub(super) fn new(seed: u64, latency: SimLatency) -> Self {
        Self {
            random: SimRandom::new(seed),
            latency,
            epoch: 0,
            names: Names::default(),
            inodes: BTreeMap::new(),
            next_inode: 1,
            writes: 0,
            operations: 0,
            crash_in: None,
            faults: Vec::new(),
            capacity: u64::MAX,
            stalled: false,
            losses: SimLosses::default(),
        }
    }

    pub(super) fn next_epoch(&mut self) -> Epoch {
        self.epoch += 1;
        self.epoch
    }

    /// The shortest and longest sync of the coming boot.
    pub(super) fn draw_boot_latency(&mut self) -> (Duration, Duration) {
        if self.random.percent(self.latency.slow_percent) {
            self.latency.slow
        } else {
            self.latency.ordinary
        }
    }

    /// Admits a call of the boot `epoch`, or fails it with the fault that was set on it.
    pub(super) fn enter(&mut self, epoch: Epoch, operation: SimOperation) -> io::Result<()> {
        self.check_alive(epoch)?;
        let due = self.faults.iter_mut().position(|(on, skip)| {
            *on == operation && {
                let now = *skip == 0;
                *skip = skip.saturating_sub(1);
                now
            }
        });
        match due {
            Some(place) => {
                self.faults.remove(place);
                Err(io::Error::other(format!("injected EIO on {operation:?}")))
            }
            None => Ok(()),
        }
    }

    /// Fails the calls of dead boots.
    pub(super) fn check_alive(&self, epoch: Epoch) -> io::Result<()> {
        if epoch == self.epoch {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::NotConnected, "this boot of the disk has ended"))
        }
    }

    /// Counts a call that changes or syncs, and cuts the power if that was planned for it.
    pub(super) fn count(&mut self, epoch: Epoch) -> io::Result<()> {
        self.operations += 1;
        if let Some(left) = &mut self.crash_in {
            *left -= 1;
            if *left == 0 {
                self.crash();
            }
        }
        self.check_alive(epoch)
    }

    pub(super) fn crash(&mut self) -> SimLosses {
        self.next_epoch();
        self.crash_in = None;
        let mut taken = SimLosses { crashes: 1, ..SimLosses::default() };
        let mood = Mood::draw(&mut self.random);
        self.names.crash(mood, &mut self.random, &mut taken);
        self.drop_unreachable();
        let donors: Vec<Vec<u8>> = self.inodes.values().map(|i| i.cache().to_vec()).collect();
        for inode in self.inodes.values_mut() {
            let donor = self.random.below(donors.len() as u64) as usize;
            inode.crash(mood, &donors[donor], &mut self.random, &mut taken);
        }
        self.losses.crashes += taken.crashes;
        self.losses.sectors_lost += taken.sectors_lost;
        self.losses.sectors_torn += taken.sectors_torn;
        self.losses.lengths_lost += taken.lengths_lost;
        self.losses.names_lost += taken.names_lost;
        self.losses.names_returned += taken.names_returned;
        taken
    }

    fn drop_unreachable(&mut self) {
        let reachable = self.names.reachable();
        self.inodes.retain(|number, _| reachable.contains(number));
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.names.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn find(&self, name: &str) -> io::Result<InodeNumber> {
        self.names.get(name).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, name))
    }

    pub(super) fn create(&mut self, name: &str) -> io::Result<InodeNumber> {
        if self.names.get(name).is_some() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, name));
        }
        let number = self.next_inode;
        self.next_inode += 1;
        self.inodes.insert(number, Inode::default());
        self.names.link(name, number);
        Ok(number)
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.find(from)?;
        self.names.rename(from, to);
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        self.find(name)?;
        self.names.remove(name);
        Ok(())
    }

    pub(super) fn begin_sync_names(&self) -> NamesSnapshot {
        NamesSnapshot(self.names.begin_sync())
    }

    pub(super) fn end_sync_names(&mut self, snapshot: NamesSnapshot) {
        self.names.end_sync(snapshot.0);
    }

    pub(super) fn fail_sync_names(&mut self, snapshot: NamesSnapshot) {
        self.names.fail_sync(snapshot.0);
    }

    /// An open file. It may have lost its name; it is kept until the next power cut.
    pub(super) fn inode(&mut self, number: InodeNumber) -> io::Result<&mut Inode> {
        self.inodes
            .get_mut(&number)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "the file is gone"))
    }

    /// Writes as much as there is room for.
    pub(super) fn write(
        &mut self,
        number: InodeNumber,
        offset: u64,
        bytes: &[u8],
    ) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let room = self.room_at(number, offset)?;
        let fits = bytes.len().min(room);
        self.writes += 1;
        let write = self.writes;
        self.inode(number)?.write(offset, &bytes[..fits], write);
        if fits < bytes.len() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the simulated disk is full"));
        }
        Ok(())
    }

    /// How many bytes can be added. Files that lost their name count until nobody has them open,
    /// which the medium does not see, so they do not count at all.
    pub(super) fn free(&self) -> u64 {
        let used = |(_, number)| self.inodes.get(&number).map_or(0, |i| i.cache().len() as u64);
        self.capacity.saturating_sub(self.names.iter().map(used).sum())
    }

    /// How many bytes can be written at `offset`.
    fn room_at(&mut self, number: InodeNumber, offset: usize) -> io::Result<usize> {
        let free = self.free();
        let own = self.inode(number)?.cache().len() as u64;
        let limit = free.saturating_add(own);
        Ok(usize::try_from(limit.saturating_sub(offset as u64)).unwrap_or(usize::MAX))
    }

    pub(super) fn set_len(&mut self, number: InodeNumber, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let own = self.inode(number)?.cache().len();
        if length > own && self.room_at(number, own)? < length - own {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the simulated disk is full"));
        }
        self.writes += 1;
        let write = self.writes;
        self.inode(number)?.set_len(length, write);
        Ok(())
    }

    pub(super) fn begin_sync(&mut self, number: InodeNumber) -> io::Result<SyncSnapshot> {
        Ok(self.inode(number)?.begin_sync())
    }

    pub(super) fn files(&self) -> Vec<(String, u64)> {
        let length = |n| self.inodes.get(&n).map_or(0, |i| i.cache().len() as u64);
        self.names.iter().map(|(name, n)| (name.clone(), length(n))).collect()
    }

    pub(super) fn contents(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.inodes.get(&self.names.get(name)?)?.cache().to_vec())
    }

    pub(super) fn cut_off(&self, name: &str) -> Option<Vec<u8>> {
        Some(self.inodes.get(&self.names.get(name)?)?.cut_off().to_vec())
    }

    pub(super) fn decay(&mut self, name: &str, offset: u64, mask: u8) -> bool {
        let Some(number) = self.names.get(name) else { return false };
        self.inodes.get_mut(&number).is_some_and(|inode| inode.flip(offset, mask))
    }
}
