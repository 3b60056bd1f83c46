//! The replicated state machine as Raft drives it.
//!
//! Entries are decoded and applied in order; after each batch the new state is published and its
//! effects are told. What an outcome *is* comes from here on every node; Raft's own responses
//! carry nothing. An entry that cannot be decoded, or a machine whose cluster is not this
//! folder's, halts the node: going on would let replicas differ.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use holdfast_proto::types::Guid;
use openraft::alias::{SnapshotMetaOf, SnapshotOf};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, RaftSnapshotBuilder};

use super::log_health::LogHealth;
use super::replica::{Batch, Replica};
use super::snapshot_store::SnapshotStore;
use super::type_config::{Applied, Entry, LogId, StoredMembership, TypeConfig};
use crate::command::Command;
use crate::effect::EffectId;
use crate::encoding;
use crate::observe::{self, Observed};
use crate::state::State;

/// The machine, its position in the log, and where its snapshots are kept.
pub struct StateMachine {
    cluster_id: Guid,
    state: State,
    applied: Option<LogId>,
    membership: StoredMembership,
    replica: Arc<Replica>,
    snapshots: Arc<SnapshotStore>,
    log: Arc<LogHealth>,
}

impl StateMachine {
    /// Begins with the saved snapshot, if there is one; the log brings the rest.
    ///
    /// # Errors
    /// The snapshot cannot be read, or is of another cluster.
    pub async fn open(
        cluster_id: Guid,
        replica: Arc<Replica>,
        snapshots: Arc<SnapshotStore>,
        log: Arc<LogHealth>,
    ) -> io::Result<StateMachine> {
        let mut machine = StateMachine {
            cluster_id,
            state: State::default(),
            applied: None,
            membership: StoredMembership::default(),
            replica,
            snapshots,
            log,
        };
        if let Some(saved) = machine.snapshots.load().await? {
            machine.restore(&saved.meta, &saved.snapshot)?;
        }
        Ok(machine)
    }

    fn restore(&mut self, meta: &SnapshotMetaOf<TypeConfig>, data: &[u8]) -> io::Result<()> {
        let state = encoding::decode_snapshot(data).map_err(unusable)?;
        self.check_cluster(&state)?;
        self.state = state;
        self.applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        let index = self.applied.map_or(0, |id| id.index());
        self.replica.passed_over(Arc::new(self.state.clone()), index);
        Ok(())
    }

    /// The last entry that the machine rests on before anything is applied.
    pub fn covered(&self) -> Option<u64> {
        self.applied.map(|id| id.index())
    }

    fn check_cluster(&self, state: &State) -> io::Result<()> {
        match state.cluster() {
            Some(cluster) if cluster.cluster_id != self.cluster_id => Err(unusable(format!(
                "the log is of cluster {}, this folder is of {}",
                cluster.cluster_id, self.cluster_id
            ))),
            _ => Ok(()),
        }
    }

    fn apply_one(&mut self, entry: &Entry, batch: &mut Batch) -> io::Result<()> {
        let (index, term) = (entry.log_id.index(), entry.log_id.committed_leader_id().term);
        match &entry.payload {
            EntryPayload::Blank => {}
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership.clone());
            }
            EntryPayload::Normal(bytes) => {
                let entry = encoding::decode_entry(&bytes.0).map_err(|error| {
                    unusable(format!("log entry {index} cannot be decoded: {error}"))
                })?;
                let submit = entry.submit;
                batch.lives_changed |= changes_lives(&entry.command);
                let founds = matches!(entry.command, Command::FoundCluster { .. });
                let applied = self.state.apply(index, &entry);
                observe::tell(Observed::Applied {
                    index,
                    term,
                    content: &bytes.0,
                    entry: &entry,
                    applied: &applied,
                    state: &self.state,
                });
                if founds {
                    self.check_cluster(&self.state)?;
                }
                batch.outcomes.push((submit, applied.outcome));
                let effects = (0..).zip(applied.effects);
                batch
                    .effects
                    .extend(effects.map(|(ordinal, effect)| (EffectId { index, ordinal }, effect)));
            }
        }
        self.applied = Some(entry.log_id);
        Ok(())
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = Bytes;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + Send,
    {
        let mut batch = Batch::default();
        let mut responders = Vec::new();
        while let Some(next) = entries.next().await {
            let (entry, responder) = next?;
            if let Err(error) = self.apply_one(&entry, &mut batch) {
                tracing::error!(%error, "this node stops");
                return Err(error);
            }
            responders.extend(responder);
        }
        let index = self.applied.map_or(0, |id| id.index());
        self.replica.publish(Arc::new(self.state.clone()), index, batch);
        for responder in responders {
            responder.send(Applied);
        }
        Ok(())
    }

    async fn try_create_snapshot_builder(&mut self, force: bool) -> Option<SnapshotBuilder> {
        // A snapshot that finds no room fails the store for good; the log that it would replace can
        // stay until there is room.
        match force || self.log.has_room() {
            true => Some(self.get_snapshot_builder().await),
            false => None,
        }
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder {
            state: self.state.clone(),
            meta: SnapshotMetaOf::<TypeConfig> {
                last_log_id: self.applied,
                last_membership: self.membership.clone(),
            },
            snapshots: self.snapshots.clone(),
        }
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMetaOf<TypeConfig>,
        snapshot: Bytes,
    ) -> Result<(), io::Error> {
        // Nothing changes if the bytes cannot be used; and what is published is saved before.
        let state = encoding::decode_snapshot(&snapshot).map_err(unusable)?;
        self.check_cluster(&state)?;
        drop(state);
        self.snapshots.save(meta, &snapshot).await?;
        self.restore(meta, &snapshot)
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> Result<Option<SnapshotOf<TypeConfig, Bytes>>, io::Error> {
        self.snapshots.load().await
    }
}

/// A view of the machine at one moment, to be saved while the machine goes on.
pub struct SnapshotBuilder {
    state: State,
    meta: SnapshotMetaOf<TypeConfig>,
    snapshots: Arc<SnapshotStore>,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = Bytes;

    async fn build_snapshot(&mut self) -> Result<SnapshotOf<TypeConfig, Bytes>, io::Error> {
        let state = self.state.clone();
        let snapshot = super::runtime::blocking(move || encoding::encode_snapshot(&state)).await?;
        self.snapshots.save(&self.meta, &snapshot).await?;
        Ok(SnapshotOf::<TypeConfig, Bytes> { meta: self.meta.clone(), snapshot })
    }
}

fn changes_lives(command: &Command) -> bool {
    matches!(
        command,
        Command::JoinNode { .. }
            | Command::LeaveNode { .. }
            | Command::SuspectNode { .. }
            | Command::ClearSuspicion { .. }
            | Command::FenceNode { .. }
    )
}

fn unusable(why: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_string())
}
