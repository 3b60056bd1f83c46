//! What can be derived from the tables and is kept because it is asked for often.
//!
//! Invariant: equal to what [`Indexes::rebuild`] makes of the tables; `State::check` compares.
//! Never in a snapshot.

use holdfast_proto::types::{ClientGuid, CreateGuid, FileKey, OpenId, SessionId, ShareId};
use imbl::{OrdMap, OrdSet};

use super::State;
use super::deadline::DeadlineRow;
use super::file_state::{Binding, FileState, Lease, LeaseId, Open};
use super::intent::{DutyRecord, Intent, NameHolder};
use super::session::SessionRecord;
use super::wait::{NameKey, Reservation, Wait, WaitNumber, WaitOn};
use crate::command::{DutyId, IntentId, NodeLife, Place, SubmitId};
use crate::log_time::LogTime;
use holdfast_proto::types::FoldedName;

/// Who uses a CreateGuid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GuidUse {
    Intent(IntentId),
    Open(OpenId),
}

/// What hangs somewhere beneath a directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Beneath {
    Open(OpenId),
    Intent(IntentId),
    Duty(DutyId),
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Indexes {
    pub opens: OrdMap<OpenId, FileKey>,
    pub session_opens: OrdSet<(SessionId, OpenId)>,
    pub node_opens: OrdSet<(NodeLife, OpenId)>,
    pub create_guids: OrdSet<(CreateGuid, ClientGuid, GuidUse)>,
    pub beneath: OrdSet<(FileKey, Beneath)>,
    pub leases: OrdMap<LeaseId, FileKey>,
    /// Leases whose client may still have to be told of a break.
    pub notifications: OrdSet<LeaseId>,
    pub client_sessions: OrdSet<(ClientGuid, SessionId)>,
    pub node_sessions: OrdSet<(NodeLife, SessionId)>,
    pub names: OrdMap<NameKey, Reservation>,
    pub waits: OrdMap<SubmitId, WaitNumber>,
    pub deadlines: OrdSet<(LogTime, DeadlineRow)>,
    pub shares: OrdMap<ShareId, FoldedName>,
    /// Files whose name is to go as soon as nobody else holds it.
    pub doomed: OrdSet<(NameKey, FileKey)>,
}

/// The directories that `place` hangs beneath. The root of a volume is its own parent.
fn directories(place: &Place, file: Option<FileKey>) -> impl Iterator<Item = FileKey> {
    let mut above: Vec<FileKey> = place.ancestors.clone();
    above.push(place.parent);
    above.into_iter().filter(move |dir| Some(*dir) != file)
}

fn deadline_of(open: &Open) -> Option<(LogTime, DeadlineRow)> {
    match open.binding {
        Binding::Bound { .. } => None,
        Binding::Disconnected { deadline } => {
            Some((deadline, DeadlineRow::Open { open: open.id, generation: open.generation }))
        }
    }
}

impl Indexes {
    pub fn link_open(&mut self, file: FileKey, open: &Open) {
        self.opens.insert(open.id, file);
        self.link_binding(open);
        if let Some(guid) = open.create_guid {
            self.create_guids.insert((guid, open.client_guid, GuidUse::Open(open.id)));
        }
        for dir in directories(&open.place, Some(file)) {
            self.beneath.insert((dir, Beneath::Open(open.id)));
        }
    }

    pub fn unlink_open(&mut self, file: FileKey, open: &Open) {
        self.opens.remove(&open.id);
        self.unlink_binding(open);
        if let Some(guid) = open.create_guid {
            self.create_guids.remove(&(guid, open.client_guid, GuidUse::Open(open.id)));
        }
        for dir in directories(&open.place, Some(file)) {
            self.beneath.remove(&(dir, Beneath::Open(open.id)));
        }
    }

    /// What follows from whom the open is bound to.
    pub fn link_binding(&mut self, open: &Open) {
        if let Some((life, session)) = open.bound_to() {
            self.session_opens.insert((session, open.id));
            self.node_opens.insert((life, open.id));
        }
        if let Some(row) = deadline_of(open) {
            self.deadlines.insert(row);
        }
    }

    pub fn unlink_binding(&mut self, open: &Open) {
        if let Some((life, session)) = open.bound_to() {
            self.session_opens.remove(&(session, open.id));
            self.node_opens.remove(&(life, open.id));
        }
        if let Some(row) = deadline_of(open) {
            self.deadlines.remove(&row);
        }
    }

    pub fn link_lease(&mut self, file: FileKey, id: LeaseId, lease: &Lease) {
        self.leases.insert(id, file);
        if lease.notification().is_some() {
            self.notifications.insert(id);
        }
        if let Some(timer) = lease.breaking.and_then(|breaking| breaking.timer) {
            let row = DeadlineRow::Break { file, lease: id, epoch: lease.epoch };
            self.deadlines.insert((timer.deadline, row));
        }
    }

    pub fn unlink_lease(&mut self, file: FileKey, id: LeaseId, lease: &Lease) {
        self.leases.remove(&id);
        self.notifications.remove(&id);
        if let Some(timer) = lease.breaking.and_then(|breaking| breaking.timer) {
            let row = DeadlineRow::Break { file, lease: id, epoch: lease.epoch };
            self.deadlines.remove(&(timer.deadline, row));
        }
    }

    pub fn link_session(&mut self, id: SessionId, session: &SessionRecord) {
        self.client_sessions.insert((session.client_guid, id));
        self.node_sessions.insert((session.life, id));
    }

    pub fn unlink_session(&mut self, id: SessionId, session: &SessionRecord) {
        self.client_sessions.remove(&(session.client_guid, id));
        self.node_sessions.remove(&(session.life, id));
    }

    /// The caller has made sure that the names are free.
    pub fn link_intent(&mut self, id: IntentId, intent: &Intent) {
        self.reserve(&intent.place, NameHolder::Intent(id));
        if let Some(guid) = intent.terms.create_guid {
            self.create_guids.insert((guid, intent.terms.client_guid, GuidUse::Intent(id)));
        }
        for dir in directories(&intent.place, intent.target) {
            self.beneath.insert((dir, Beneath::Intent(id)));
        }
    }

    /// The name's reservation is left to the caller, who has its waiters to settle.
    pub fn unlink_intent(&mut self, id: IntentId, intent: &Intent) {
        if let Some(guid) = intent.terms.create_guid {
            self.create_guids.remove(&(guid, intent.terms.client_guid, GuidUse::Intent(id)));
        }
        for dir in directories(&intent.place, intent.target) {
            self.beneath.remove(&(dir, Beneath::Intent(id)));
        }
    }

    pub fn link_duty(&mut self, record: &DutyRecord) {
        for place in record.places() {
            self.reserve(place, NameHolder::Duty(record.duty.id));
            for dir in directories(place, Some(record.file())) {
                self.beneath.insert((dir, Beneath::Duty(record.duty.id)));
            }
        }
    }

    /// As [`Self::unlink_intent`].
    pub fn unlink_duty(&mut self, record: &DutyRecord) {
        for place in record.places() {
            for dir in directories(place, Some(record.file())) {
                self.beneath.remove(&(dir, Beneath::Duty(record.duty.id)));
            }
        }
    }

    fn reserve(&mut self, place: &Place, holder: NameHolder) {
        let free = Reservation { holder, waiters: OrdSet::new() };
        self.names.entry(NameKey::of(place)).or_insert(free);
    }

    pub fn link_wait(&mut self, number: WaitNumber, wait: &Wait) {
        self.waits.insert(wait.submit, number);
        if let Some(deadline) = wait.deadline {
            self.deadlines.insert((deadline, DeadlineRow::Wait(number)));
        }
        if let WaitOn::Name(key) = &wait.on
            && let Some(reservation) = self.names.get_mut(key)
        {
            reservation.waiters.insert(number);
        }
    }

    pub fn unlink_wait(&mut self, number: WaitNumber, wait: &Wait) {
        self.waits.remove(&wait.submit);
        if let Some(deadline) = wait.deadline {
            self.deadlines.remove(&(deadline, DeadlineRow::Wait(number)));
        }
        if let WaitOn::Name(key) = &wait.on
            && let Some(reservation) = self.names.get_mut(key)
        {
            reservation.waiters.remove(&number);
        }
    }

    /// The indexes of the tables as they stand.
    pub fn rebuild(state: &State) -> Indexes {
        let mut indexes = Indexes::default();
        for (name, share) in &state.shares {
            indexes.shares.insert(share.id, name.clone());
        }
        for (id, session) in &state.sessions {
            indexes.link_session(*id, session);
        }
        for (key, file) in &state.files {
            indexes.link_file(*key, file);
        }
        for (id, intent) in &state.intents {
            indexes.link_intent(*id, intent);
        }
        for record in state.duties.values() {
            indexes.link_duty(record);
        }
        for (number, wait) in &state.waits {
            indexes.link_wait(*number, wait);
        }
        indexes
    }

    fn link_file(&mut self, key: FileKey, file: &FileState) {
        for open in file.opens() {
            self.link_open(key, open);
        }
        for (id, lease) in file.leases() {
            self.link_lease(key, id, lease);
        }
        if let Some((_, place)) = &file.doomed {
            self.doomed.insert((NameKey::of(place), key));
        }
    }
}
