//! Raft's own conformance suite, and what it does not try.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use openraft::alias::{SnapshotMetaOf, SnapshotOf};
use openraft::storage::{
    EntryResponder, RaftLogStorageExt, RaftSnapshotBuilder, RaftStateMachine, Snapshot,
};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::{EntryPayload, StorageError};
use parking_lot::Mutex;

use super::*;
use crate::disk::sim::{SimDisk, SimLatency};
use crate::raft::type_config::{CommandBytes, Membership, PeerNode, StoredMembership};

const IDENTITY: WalIdentity = WalIdentity { cluster: [1; 16], node: 0 };

async fn empty(config: WalConfig) -> (SimDisk, LogStore) {
    let disk = SimDisk::new(1, SimLatency::NONE);
    LogStore::create(disk.boot(), IDENTITY).await.unwrap();
    let store = LogStore::open(disk.boot(), IDENTITY, config).await.unwrap();
    (disk, store)
}

/// A state machine that remembers nothing but how far it is: the suite wants one.
#[derive(Clone, Default)]
struct Machine(Arc<Mutex<MachineState>>);

#[derive(Default)]
struct MachineState {
    applied: Option<LogId>,
    membership: StoredMembership,
    snapshot: Option<SnapshotMetaOf<TypeConfig>>,
}

impl RaftSnapshotBuilder<TypeConfig> for Machine {
    type SnapshotData = Bytes;

    async fn build_snapshot(&mut self) -> Result<SnapshotOf<TypeConfig, Bytes>, io::Error> {
        let mut state = self.0.lock();
        let meta = SnapshotMetaOf::<TypeConfig> {
            last_log_id: state.applied,
            last_membership: state.membership.clone(),
        };
        state.snapshot = Some(meta.clone());
        Ok(Snapshot { meta, snapshot: Bytes::new() })
    }
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotData = Bytes;
    type SnapshotBuilder = Machine;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let state = self.0.lock();
        Ok((state.applied, state.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some((entry, _)) = entries.try_next().await? {
            let mut state = self.0.lock();
            state.applied = Some(entry.log_id);
            if let EntryPayload::Membership(membership) = entry.payload {
                state.membership = StoredMembership::new(Some(entry.log_id), membership);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Machine {
        self.clone()
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMetaOf<TypeConfig>,
        _snapshot: Bytes,
    ) -> Result<(), io::Error> {
        *self.0.lock() = MachineState {
            applied: meta.last_log_id,
            membership: meta.last_membership.clone(),
            snapshot: Some(meta.clone()),
        };
        Ok(())
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> Result<Option<SnapshotOf<TypeConfig, Bytes>>, io::Error> {
        let meta = self.0.lock().snapshot.clone();
        Ok(meta.map(|meta| Snapshot { meta, snapshot: Bytes::new() }))
    }
}

/// Small segments and next to no cache, so that the suite meets every path.
struct Builder;

impl StoreBuilder<TypeConfig, LogStore, Machine, SimDisk> for Builder {
    async fn build(&self) -> Result<(SimDisk, LogStore, Machine), StorageError<TypeConfig>> {
        let config = WalConfig {
            segment_bytes: 300,
            cache_bytes: 10,
            group_bytes: 200,
            queue: 2,
            reserve_bytes: 100,
            low_bytes: 0,
        };
        let (disk, store) = empty(config).await;
        Ok((disk, store, Machine::default()))
    }
}

#[tokio::test]
async fn passes_rafts_own_suite() {
    Suite::test_all(Builder).await.unwrap();
}

fn command(term: u64, index: u64, bytes: &'static [u8]) -> Entry {
    let log_id = log_id(Position { term, index });
    Entry { log_id, payload: EntryPayload::Normal(CommandBytes(Bytes::from_static(bytes))) }
}

#[tokio::test]
async fn all_payloads_survive_a_power_cut() {
    let (disk, mut store) = empty(WalConfig::default()).await;
    let members = [(1, "a:1"), (2, "b:2"), (3, "c:3")]
        .map(|(id, addr)| (id, PeerNode { addr: addr.to_owned() }));
    let configs = vec![[1, 2].into(), [2, 3].into()];
    let membership = Membership::new(configs, std::collections::BTreeMap::from(members)).unwrap();
    let entries = vec![
        Entry {
            log_id: log_id(Position { term: 1, index: 0 }),
            payload: EntryPayload::Membership(membership),
        },
        Entry { log_id: log_id(Position { term: 1, index: 1 }), payload: EntryPayload::Blank },
        command(1, 2, b"to be done"),
        command(1, 3, b""),
    ];
    store.blocking_append(entries.clone()).await.unwrap();
    let vote = Vote::new_committed(2, 9);
    store.save_vote(&vote).await.unwrap();
    store.save_committed(Some(entries[2].log_id)).await.unwrap();
    store.blocking_append([command(1, 4, b"last")]).await.unwrap();
    disk.crash();
    let mut store = LogStore::open(disk.boot(), IDENTITY, WalConfig::default()).await.unwrap();
    assert_eq!(store.try_get_log_entries(0..4).await.unwrap(), entries);
    assert_eq!(store.read_vote().await.unwrap(), Some(vote));
    assert_eq!(store.read_committed().await.unwrap(), Some(entries[2].log_id));
    assert_eq!(store.get_log_state().await.unwrap().last_log_id.unwrap().index, 4);
}

#[tokio::test]
async fn a_long_log_is_streamed_in_pieces() {
    let (_disk, mut store) = empty(WalConfig::default()).await;
    let body: &'static [u8] = Box::leak(vec![7; 100_000].into_boxed_slice());
    let entries: Vec<Entry> = (0..50).map(|index| command(1, index, body)).collect();
    store.blocking_append(entries.clone()).await.unwrap();
    let piece = store.limited_get_log_entries(3, 50).await.unwrap();
    assert_eq!(piece, entries[3..13]);
    let all: Vec<Entry> = store.entries_stream(5..=48).await.try_collect().await.unwrap();
    assert_eq!(all, entries[5..=48]);
    let none: Vec<Entry> = store.entries_stream(50..).await.try_collect().await.unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn an_entry_of_a_newer_version_is_refused() {
    let position = Position { term: 1, index: 8 };
    let newer = LogEntry { position, body: Bytes::from_static(&[0x7a, 0]) };
    let error = stored_entry::from_stored(newer).unwrap_err();
    assert_eq!(error.index, 8);
}
