//! What nodes read of their replica. Cheap: a look-up, or a walk over just what is asked for.

use std::ops::Bound;

use holdfast_proto::types::{
    ClientGuid, CreateGuid, FileKey, FoldedName, NodeId, OpenId, SessionId, ShareId, VolumeId,
};

use super::*;
use crate::command::{OpenRef, ShareSettings, Timers};
use crate::outcome::Outcome;
use crate::planted::{self, PlantedBug};

impl State {
    /// Replicated time.
    pub fn time(&self) -> LogTime {
        self.time
    }

    /// The cluster's identity, once it is founded.
    pub fn cluster(&self) -> Option<&ClusterInfo> {
        self.cluster.as_ref()
    }

    /// The cluster's timers.
    pub fn timers(&self) -> Timers {
        self.cluster.as_ref().map(|cluster| cluster.timers).unwrap_or_default()
    }

    // Nodes.

    /// The latest life of each node.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &NodeRecord)> {
        self.nodes.iter().map(|(id, record)| (*id, record))
    }

    /// The latest life of a node.
    pub fn node(&self, node: NodeId) -> Option<&NodeRecord> {
        self.nodes.get(&node)
    }

    /// True if `life` joined and has not ended. A suspected life has not ended.
    pub fn is_current(&self, life: NodeLife) -> bool {
        self.nodes
            .get(&life.node)
            .is_some_and(|record| record.incarnation == life.incarnation && !record.has_ended())
    }

    /// True once `life` can touch no storage any more, as the log knows it.
    pub fn has_ended(&self, life: NodeLife) -> bool {
        self.nodes.get(&life.node).is_some_and(|record| {
            record.incarnation > life.incarnation
                || record.incarnation == life.incarnation && record.has_ended()
        })
    }

    /// A planted bug: what a suspected node serves is taken before the proof of its end.
    pub fn is_taken_early(&self, owner: NodeLife) -> bool {
        planted::is(PlantedBug::ReclaimBeforeFence)
            && self
                .node(owner.node)
                .is_some_and(|record| matches!(record.status, NodeStatus::Suspected { .. }))
    }

    // Shares and users.

    /// Every share, by folded name.
    pub fn shares(&self) -> impl Iterator<Item = &ShareRecord> {
        self.shares.values()
    }

    /// A share by name, without case.
    pub fn share_by_name(&self, name: &str) -> Option<&ShareRecord> {
        self.shares.get(&FoldedName::new(name))
    }

    /// A share by id.
    pub fn share(&self, id: ShareId) -> Option<&ShareRecord> {
        self.shares.get(self.indexes.shares.get(&id)?)
    }

    /// Volumes that failed an examination, by id.
    pub fn unfit_volumes(&self) -> &[UnfitVolume] {
        self.cluster.as_ref().map_or(&[], |cluster| &cluster.unfit_volumes)
    }

    /// Why nothing on the volume can be continuously available; none if it can.
    pub fn unfit_volume(&self, volume: VolumeId) -> Option<&str> {
        let unfit = self.unfit_volumes().iter().find(|unfit| unfit.volume == volume);
        unfit.map(|unfit| unfit.why.as_str())
    }

    /// True if opens on the share may be persistent: it is to be continuously available, and its
    /// volume can be.
    pub fn is_available(&self, share: &ShareSettings) -> bool {
        share.continuously_available && self.unfit_volume(share.volume).is_none()
    }

    /// Every user, by folded name.
    pub fn users(&self) -> impl Iterator<Item = &UserRecord> {
        self.users.values()
    }

    /// A user by name, without case.
    pub fn user_by_name(&self, name: &str) -> Option<&UserRecord> {
        self.users.get(&FoldedName::new(name))
    }

    // Sessions and clients.

    /// Every session.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, &SessionRecord)> {
        self.sessions.iter().map(|(id, session)| (*id, session))
    }

    /// A session.
    pub fn session(&self, id: SessionId) -> Option<&SessionRecord> {
        self.sessions.get(&id)
    }

    /// The sessions of a client and who serves each.
    pub fn client_sessions(
        &self,
        client: ClientGuid,
    ) -> impl Iterator<Item = (SessionId, NodeLife)> {
        self.indexes
            .client_sessions
            .range((client, SessionId(0))..=(client, SessionId(u64::MAX)))
            .filter_map(|(_, id)| Some((*id, self.sessions.get(id)?.life)))
    }

    /// The dialect that a client speaks on all of its connections; none without a session.
    pub fn client_dialect(&self, client: ClientGuid) -> Option<u16> {
        let (session, _) = self.client_sessions(client).next()?;
        Some(self.sessions.get(&session)?.dialect)
    }

    /// The sessions that a life serves.
    pub fn node_sessions(&self, life: NodeLife) -> impl Iterator<Item = SessionId> {
        self.indexes
            .node_sessions
            .range((life, SessionId(0))..=(life, SessionId(u64::MAX)))
            .map(|(_, session)| *session)
    }

    // Files and opens.

    /// Every file that anyone has open, waits for or is about to change.
    pub fn files(&self) -> impl Iterator<Item = (FileKey, &FileState)> {
        self.files.iter().map(|(key, file)| (*key, file.as_ref()))
    }

    /// A file's handle state; none if there is nothing to say about it.
    pub fn file(&self, key: FileKey) -> Option<&FileState> {
        self.files.get(&key).map(|file| file.as_ref())
    }

    /// Every open and its file, by id.
    pub fn opens(&self) -> impl Iterator<Item = (FileKey, &Open)> {
        self.indexes
            .opens
            .iter()
            .filter_map(|(id, file)| Some((*file, self.file(*file)?.open(*id)?)))
    }

    /// How many opens there are.
    pub fn open_count(&self) -> usize {
        self.indexes.opens.len()
    }

    /// The file of an open.
    pub fn file_of(&self, open: OpenId) -> Option<FileKey> {
        self.indexes.opens.get(&open).copied()
    }

    /// An open.
    pub fn open(&self, id: OpenId) -> Option<&Open> {
        self.file(self.file_of(id)?)?.open(id)
    }

    /// The open if it is still of that generation.
    pub fn open_at(&self, open: OpenRef) -> Option<&Open> {
        self.open(open.open).filter(|found| found.generation == open.generation)
    }

    /// The opens of a session, by id.
    pub fn session_opens(&self, session: SessionId) -> impl Iterator<Item = OpenId> {
        self.indexes
            .session_opens
            .range((session, OpenId(0))..=(session, OpenId(u64::MAX)))
            .map(|(_, open)| *open)
    }

    /// The opens that a life serves, by id.
    pub fn node_opens(&self, life: NodeLife) -> impl Iterator<Item = OpenId> {
        self.indexes
            .node_opens
            .range((life, OpenId(0))..=(life, OpenId(u64::MAX)))
            .map(|(_, open)| *open)
    }

    /// The nodes that serve an open of the file.
    pub fn nodes_with_opens(&self, file: FileKey) -> Vec<NodeLife> {
        self.file(file).map(FileState::nodes).unwrap_or_default()
    }

    /// Opens, intents and duties somewhere beneath a directory.
    pub fn beneath(&self, dir: FileKey) -> impl Iterator<Item = Beneath> {
        self.indexes
            .beneath
            .range((Bound::Included((dir, Beneath::Open(OpenId(0)))), Bound::Unbounded))
            .take_while(move |(above, _)| *above == dir)
            .map(|(_, what)| *what)
    }

    /// Opens somewhere beneath a directory, disconnected ones too.
    pub fn opens_beneath(&self, dir: FileKey) -> impl Iterator<Item = OpenId> {
        self.beneath(dir).filter_map(|what| match what {
            Beneath::Open(open) => Some(open),
            Beneath::Intent(_) | Beneath::Duty(_) => None,
        })
    }

    /// True if the file's name goes with its last open.
    pub fn delete_pending(&self, file: FileKey) -> bool {
        self.file(file).is_some_and(FileState::delete_pending)
    }

    /// True if a byte-range lock forbids `open` to read (or write) that range.
    pub fn lock_conflict(
        &self,
        file: FileKey,
        open: OpenId,
        offset: u64,
        length: u64,
        write: bool,
    ) -> bool {
        self.file(file).is_some_and(|file| file.lock_conflict(open, offset, length, write))
    }

    /// True if a client other than `open`'s may have cached what it is about to change.
    pub fn foreign_read_leases(&self, file: FileKey, open: OpenId) -> bool {
        self.file(file)
            .is_some_and(|file| file.open(open).is_some_and(|open| file.foreign_read_leases(open)))
    }

    /// True if a client other than `open`'s lost the right to cache reads, can be told so, and is
    /// not known to have been: what changes the content now has to wait for that.
    pub fn foreign_untold_leases(&self, file: FileKey, open: OpenId) -> bool {
        let Some(state) = self.file(file) else { return false };
        let own = state.open(open).and_then(Open::lease_id);
        state.leases().any(|(id, lease)| {
            Some(id) != own
                && lease.awaits_telling()
                && self.client_sessions(id.client_guid).next().is_some()
        })
    }

    /// A lease and the file that it is on.
    pub fn lease(&self, id: LeaseId) -> Option<(FileKey, &Lease)> {
        let file = *self.indexes.leases.get(&id)?;
        Some((file, self.file(file)?.lease(id)?))
    }

    /// The leases of a client that it may still have to be told of.
    pub fn client_notifications(&self, client: ClientGuid) -> impl Iterator<Item = LeaseId> {
        let first = LeaseId { client_guid: client, key: Default::default() };
        self.indexes
            .notifications
            .range((Bound::Included(first), Bound::Unbounded))
            .take_while(move |id| id.client_guid == client)
            .copied()
    }

    /// Who uses a CreateGuid, of whatever client.
    pub fn create_guid_uses(
        &self,
        guid: CreateGuid,
    ) -> impl Iterator<Item = (ClientGuid, GuidUse)> {
        let first = (guid, ClientGuid::ZERO, GuidUse::Intent(IntentId(0)));
        self.indexes
            .create_guids
            .range((Bound::Included(first), Bound::Unbounded))
            .take_while(move |(used, _, _)| *used == guid)
            .map(|(_, client, by)| (*client, *by))
    }

    // What is under way.

    /// Every open intent.
    pub fn intents(&self) -> impl Iterator<Item = (IntentId, &Intent)> {
        self.intents.iter().map(|(id, intent)| (*id, intent.as_ref()))
    }

    /// An open intent.
    pub fn intent(&self, id: IntentId) -> Option<&Intent> {
        self.intents.get(&id).map(|intent| intent.as_ref())
    }

    /// Every begun duty.
    pub fn duties(&self) -> impl Iterator<Item = &DutyRecord> {
        self.duties.values().map(|record| record.as_ref())
    }

    /// A begun duty.
    pub fn duty(&self, id: DutyId) -> Option<&DutyRecord> {
        self.duties.get(&id).map(|record| record.as_ref())
    }

    /// Who holds a name.
    pub fn reservation(&self, key: &NameKey) -> Option<&Reservation> {
        self.indexes.names.get(key)
    }

    /// Every waiting request, in the order in which they began to wait.
    pub fn waits(&self) -> impl Iterator<Item = (WaitNumber, &Wait)> {
        self.waits.iter().map(|(number, wait)| (*number, wait.as_ref()))
    }

    /// The request that a submit left waiting.
    pub fn wait(&self, submit: SubmitId) -> Option<&Wait> {
        self.waits.get(self.indexes.waits.get(&submit)?).map(|wait| wait.as_ref())
    }

    /// What a submit came to, as long as it is remembered. [`Outcome::Waiting`] until it is
    /// settled.
    pub fn outcome_of(&self, submit: SubmitId) -> Option<&Outcome> {
        let life = NodeLife { node: submit.node, incarnation: submit.incarnation };
        self.windows.get(&life)?.outcome(submit.sequence)
    }

    // Time.

    /// True while time matters: the leader ticks only then.
    pub fn has_deadlines(&self) -> bool {
        !self.indexes.deadlines.is_empty()
    }

    /// The next deadline.
    pub fn next_deadline(&self) -> Option<LogTime> {
        self.indexes.deadlines.get_min().map(|(at, _)| *at)
    }

    /// Every deadline, in order.
    pub fn deadlines(&self) -> impl Iterator<Item = (LogTime, DeadlineRow)> {
        self.indexes.deadlines.iter().copied()
    }
}
