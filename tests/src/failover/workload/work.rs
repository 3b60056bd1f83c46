//! What a client does until the round is over.

use std::time::Duration;

use holdfast_proto::types::LeaseState;
use tokio::time::sleep;

use super::super::history::HandleId;
use super::files::{BLOCKS, LOCKED_BLOCK, SHARED_FILES};
use super::handle::{Purpose, Seen};
use super::locking::LockAct;
use super::worker::Worker;

/// The longest pause between two operations, in microseconds.
const THINK: u64 = 4_000;
/// For how long a lock in a shared file may be kept, in milliseconds.
const HOLD: u64 = 60;
/// The most created files that are open at a time.
const CREATED_MAX: usize = 3;

/// Operations and how often each is chosen.
const WEIGHTS: [(Deed, u64); 8] = [
    (Deed::WriteOwn, 22),
    (Deed::ReadOwn, 10),
    (Deed::WriteShared, 14),
    (Deed::ReadShared, 20),
    (Deed::LockShared, 12),
    (Deed::Create, 10),
    (Deed::Intrude, 7),
    (Deed::ReopenShared, 5),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deed {
    WriteOwn,
    ReadOwn,
    WriteShared,
    ReadShared,
    LockShared,
    Create,
    Intrude,
    ReopenShared,
}

impl Worker {
    /// Connects, opens what it works with and locks what is its own.
    pub async fn begin(&mut self) -> Result<(), String> {
        let own = self.around.own_file(self.id.0);
        let refused = |what: &str| format!("{what} is refused before anything has failed");
        let own = self.open(own, Purpose::Own, LeaseState::RWH).await;
        let own = own.ok_or_else(|| refused("a file of the client's own"))?;
        if !self.lock(own, LOCKED_BLOCK, LockAct::Lock).await {
            return Err(refused("a lock in the client's own file"));
        }
        self.write(own, LOCKED_BLOCK).await;
        self.open_shared().await.ok_or_else(|| refused("a shared file"))?;
        self.open_shared().await.ok_or_else(|| refused("a shared file"))?;
        let neighbour = self.around.own_file((self.id.0 + 1) % self.around.clients);
        self.open(neighbour, Purpose::Intruder, LeaseState::NONE)
            .await
            .ok_or_else(|| refused("another client's file"))?;
        Ok(())
    }

    /// Works until all is calm.
    pub async fn work(&mut self) {
        while !self.around.is_calm() {
            let deed = self.choose();
            self.act(deed).await;
            self.at("thinking");
            sleep(Duration::from_micros(self.random.below(THINK))).await;
        }
    }

    fn choose(&mut self) -> Deed {
        let mut ticket = self.random.below(WEIGHTS.iter().map(|(_, weight)| weight).sum());
        for (deed, weight) in WEIGHTS {
            if ticket < weight {
                return deed;
            }
            ticket -= weight;
        }
        Deed::ReadShared
    }

    async fn act(&mut self, deed: Deed) {
        let block = self.random.below(u64::from(BLOCKS)) as u32;
        let purpose = match deed {
            Deed::WriteOwn | Deed::ReadOwn => Purpose::Own,
            Deed::Intrude => Purpose::Intruder,
            _ => Purpose::Shared,
        };
        let handle = self.some(purpose);
        match (deed, handle) {
            (Deed::Create, _) => self.create_one().await,
            (Deed::ReopenShared, Some(handle)) => {
                self.close(handle).await;
                self.open_shared().await;
            }
            // It was refused or lost earlier.
            (_, None) => {
                self.open_shared().await;
            }
            (Deed::WriteOwn | Deed::WriteShared, Some(handle)) => self.write(handle, block).await,
            (Deed::ReadOwn | Deed::ReadShared, Some(handle)) => {
                self.read(handle, block).await;
            }
            (Deed::LockShared, Some(handle)) => self.update_locked(handle, block).await,
            (Deed::Intrude, Some(handle)) => self.intrude(handle).await,
        }
    }

    pub(super) fn of(&self, purpose: Purpose) -> Vec<HandleId> {
        let fitting = self.handles.values().filter(|handle| handle.purpose == purpose);
        fitting.map(|handle| handle.id).collect()
    }

    fn some(&mut self, purpose: Purpose) -> Option<HandleId> {
        let fitting = self.of(purpose);
        self.random.pick(&fitting)
    }

    /// Opens a shared file that it does not have open.
    async fn open_shared(&mut self) -> Option<HandleId> {
        let files = (0..SHARED_FILES).map(|number| self.around.shared_file(number));
        let open = |file: &String| self.handles.values().any(|handle| handle.file == *file);
        let mut closed: Vec<String> = files.filter(|file| !open(file)).collect();
        self.random.shuffle(&mut closed);
        let lease = self.random.pick(&[LeaseState::RWH, LeaseState::RH, LeaseState::NONE])?;
        self.open(closed.pop()?, Purpose::Shared, lease).await
    }

    /// Under a lock nobody else changes a block: what was written is read.
    async fn update_locked(&mut self, handle: HandleId, block: u32) {
        if !self.lock(handle, block, LockAct::Lock).await {
            return;
        }
        let before = self.read(handle, block).await;
        if self.random.percent(50) {
            sleep(Duration::from_millis(self.random.below(HOLD))).await;
            let after = self.read(handle, block).await;
            if let (Seen::Stamp(before), Seen::Stamp(after)) = (before, after)
                && before != after
            {
                self.bad(format!("a locked block held {before:?}, then {after:?}"));
            }
        }
        self.write(handle, block).await;
        self.read(handle, block).await;
        self.lock(handle, block, LockAct::Unlock).await;
    }

    /// Tries what the owner's lock forbids. Checkers see to it if it works.
    pub(super) async fn intrude(&mut self, handle: HandleId) {
        if self.random.percent(50) {
            self.write(handle, LOCKED_BLOCK).await;
        } else if self.lock(handle, LOCKED_BLOCK, LockAct::Lock).await {
            self.lock(handle, LOCKED_BLOCK, LockAct::Unlock).await;
        }
    }

    /// A name that nobody else ever uses: what is replayed must be recognised.
    async fn create_one(&mut self) {
        if let [oldest, .., _] | [oldest] = self.of(Purpose::Created)[..]
            && self.of(Purpose::Created).len() >= CREATED_MAX
        {
            self.close(oldest).await;
        }
        self.names += 1;
        let file = self.around.created_file(self.id.0, self.names);
        let lease = self.random.pick(&[LeaseState::RWH, LeaseState::NONE]).unwrap_or_default();
        if let Some(handle) = self.open(file, Purpose::Created, lease).await {
            self.write(handle, 0).await;
            if self.random.percent(50) {
                self.close(handle).await;
            }
        }
    }
}
