//! What OpenFile, BeginCreate and GrantCreate share: the checks of [MS-SMB2] 3.3.5.9 in their
//! order, and the making of the open.

use holdfast_proto::types::{CreateAction, LeaseState, OpenId};

use super::*;
use crate::command::{Durability, LeaseRequest, OpenTerms, Place};
use crate::log_time::LogTime;
use crate::outcome::{LeaseGrant, OpenGrant};
use crate::planted::{self, PlantedBug};
use crate::state::{
    Binding, Contender, Contention, GuidUse, LeaseId, Open, ShareMode, ShareRecord, limits,
};

/// An open that is about to be made.
pub(super) struct NewOpen<'t> {
    pub terms: &'t OpenTerms,
    pub file: FileKey,
    pub place: Place,
    pub directory: bool,
    pub action: CreateAction,
}

impl Step<'_> {
    /// Everything that is checked before the file itself is looked at. `Some` ends the command or
    /// makes it wait.
    pub(super) fn before_open(
        &mut self,
        who: SubmitId,
        terms: &OpenTerms,
        place: &Place,
        target: Option<FileKey>,
    ) -> Option<Decided> {
        if let Err(refusal) = self.check_terms(who, terms, place) {
            return Some(refusal.into());
        }
        if let Some(decided) = self.earlier_sending(terms) {
            return Some(decided);
        }
        if self.lease_is_elsewhere(terms, target) {
            return Some(Refusal::InvalidParameter.into());
        }
        if let Some(on) = self.name_in_use(place) {
            return Some(Decided::Wait(on));
        }
        let overwriting = target
            .and_then(|target| self.state.file(target)?.overwriting)
            .and_then(|intent| self.state.intent(intent))
            .map(|intent| NameKey::of(&intent.place));
        overwriting.map(|name| Decided::Wait(WaitOn::Name(name)))
    }

    fn check_terms(&self, who: SubmitId, terms: &OpenTerms, place: &Place) -> Result<(), Refusal> {
        let session = self.state.session(terms.session).ok_or(Refusal::NoSession)?;
        if session.life != life_of(who) {
            return Err(Refusal::NoSession);
        }
        if session.client_guid != terms.client_guid {
            return Err(Refusal::InvalidParameter);
        }
        self.state.share(terms.share).ok_or(Refusal::NotFound)?;
        Self::check_place(place)?;
        let opens = self.state.open_count();
        // Counted only where it can matter.
        let session_is_full = opens >= limits::SESSION_OPENS
            && self.state.session_opens(terms.session).count() >= limits::SESSION_OPENS;
        if opens >= limits::OPENS || session_is_full {
            return Err(Refusal::InsufficientResources);
        }
        Ok(())
    }

    /// The look-up by CreateGuid (3.3.5.9, 3.3.5.9.10): one logical CREATE makes one open at most,
    /// through whichever node it is sent again.
    fn earlier_sending(&mut self, terms: &OpenTerms) -> Option<Decided> {
        let guid = terms.create_guid?;
        if planted::is(PlantedBug::NoCreateGuidDedupe) {
            return None;
        }
        let uses: Vec<_> = self.state.create_guid_uses(guid).take(limits::GUID_USES).collect();
        if uses.len() == limits::GUID_USES {
            return Some(Refusal::InsufficientResources.into());
        }
        let persistent = matches!(terms.durability, Durability::Persistent { .. });
        for (client, by) in uses {
            let own = client == terms.client_guid;
            match by {
                GuidUse::Intent(_) if own && !terms.replay => {
                    return Some(Refusal::DuplicateObjectId.into());
                }
                GuidUse::Intent(intent) if own => {
                    return Some(Decided::Wait(WaitOn::Intent(intent)));
                }
                GuidUse::Open(_) if own && !terms.replay => {
                    return Some(Refusal::DuplicateObjectId.into());
                }
                GuidUse::Open(open) if own => return Some(self.replay(terms, open)),
                // A client that came back under another ClientGuid finds what is persistent.
                GuidUse::Open(open) if persistent && terms.replay => {
                    if self.state.open(open).is_some_and(Open::is_persistent) {
                        return Some(self.replay(terms, open));
                    }
                }
                GuidUse::Intent(_) | GuidUse::Open(_) => {}
            }
        }
        None
    }

    /// A CREATE that is sent again finds its open: it is answered from it, or given it back.
    fn replay(&mut self, terms: &OpenTerms, id: OpenId) -> Decided {
        let Some(open) = self.state.open(id) else { return Refusal::ObjectNameNotFound.into() };
        let foreign_lease = open.lease_key.is_some() && open.client_guid != terms.client_guid;
        if open.owner != terms.owner
            || foreign_lease
            || open.lease_key != terms.lease.map(|lease| lease.key)
        {
            return Refusal::AccessDenied.into();
        }
        if open.share != terms.share {
            return Refusal::ObjectNameNotFound.into();
        }
        let persistent = matches!(terms.durability, Durability::Persistent { .. });
        if open.is_persistent() && !persistent {
            return Refusal::InvalidParameter.into();
        }
        if let Some(on) = self.being_renamed(id) {
            return Decided::Wait(on);
        }
        match open.bound_to() {
            Some((_, session)) if session == terms.session => {
                let grant = self.grant(id, true);
                Decided::Now(Outcome::Granted(Box::new(grant)))
            }
            Some((owner, session)) if !self.state.is_taken_early(owner) => {
                Decided::Now(Outcome::OwnedBy { open: open.open_ref(), owner, session })
            }
            Some(_) | None => {
                if open.is_persistent() && differs(open, terms) {
                    return Refusal::ContextMismatch.into();
                }
                let (session, client) = (terms.session, terms.client_guid);
                self.attach(id, session, client, terms.channel_sequence);
                let grant = self.grant(id, true);
                Decided::Now(Outcome::Granted(Box::new(grant)))
            }
        }
    }

    /// A lease key names one file (3.3.5.9.8, 3.3.5.9.11), unless that file is to be deleted.
    fn lease_is_elsewhere(&self, terms: &OpenTerms, target: Option<FileKey>) -> bool {
        let Some(request) = &terms.lease else { return false };
        let id = LeaseId { client_guid: terms.client_guid, key: request.key };
        self.state
            .lease(id)
            .is_some_and(|(file, lease)| Some(file) != target && !lease.file_delete_on_close)
    }

    /// What the open meets on an existing file. Breaks are begun and absent opens purged unless
    /// it is refused. A purge may be the file's last close, so all is looked at again after one.
    /// `None`: nothing stands in its way.
    pub(super) fn contend(
        &mut self,
        terms: &OpenTerms,
        place: &Place,
        file: FileKey,
        overwrites: bool,
    ) -> Option<Decided> {
        let contender = Contender {
            lease: terms
                .lease
                .map(|lease| LeaseId { client_guid: terms.client_guid, key: lease.key }),
            mode: ShareMode::of_contender(terms.access, terms.share_access, overwrites),
            overwrites,
        };
        loop {
            let reachable = |client| self.state.client_sessions(client).next().is_some();
            let met = self
                .state
                .file(file)
                .map(|state| state.contend(&contender, &reachable))
                .unwrap_or_default();
            if let Some(refusal) = met.refusal {
                return Some(refusal.into());
            }
            let purges = !met.purges.is_empty();
            let waits = self.meet(file, met).waits;
            if !purges {
                return waits.then_some(Decided::Wait(WaitOn::File(file)));
            }
            if let Some(on) = self.name_in_use(place) {
                return Some(Decided::Wait(on));
            }
        }
    }

    /// Carries out what a contention asks for.
    pub(super) fn meet(&mut self, file: FileKey, met: Contention) -> Contended {
        for open in met.purges {
            if let Some(duty) = self.close(open) {
                self.hand_over(duty);
            }
        }
        for (lease, to) in met.breaks {
            self.begin_break(file, lease, to);
        }
        Contended { waits: met.waits }
    }

    /// Makes the open. Bound to its session if that is still there; otherwise it waits for its
    /// client, or is closed at once if it does not survive that.
    pub(super) fn make_open(&mut self, new: NewOpen<'_>) -> OpenId {
        let terms = new.terms;
        self.state.counters.open += 1;
        let id = OpenId(self.state.counters.open);
        let lease = self.take_lease(&new);
        let life = self.state.session(terms.session).map(|session| session.life);
        let durability = self.durability(&new, lease.as_ref());
        let binding = match life {
            Some(life) => Binding::Bound { life, session: terms.session },
            None => Binding::Disconnected { deadline: self.deadline(durability) },
        };
        let open = Open {
            id,
            generation: 1,
            binding,
            client_guid: terms.client_guid,
            owner: terms.owner.clone(),
            share: terms.share,
            place: new.place,
            desired_access_raw: terms.desired_access_raw,
            access: terms.access,
            share_access: terms.share_access,
            disposition: terms.disposition,
            create_options_raw: terms.create_options_raw,
            create_options: terms.create_options,
            file_attributes: terms.file_attributes,
            durability,
            create_guid: terms.create_guid,
            lease_key: lease.map(|lease| lease.key),
            oplock: 0,
            channel_sequence: terms.channel_sequence,
            action: new.action,
            lock_sequences: Default::default(),
            search: None,
            effective: false,
            former_path: None,
        };
        self.file_mut(new.file).directory = new.directory;
        self.add_open(new.file, open);
        id
    }

    /// Grants what the CREATE asks of its lease. No lease where the key is bound elsewhere.
    fn take_lease(&mut self, new: &NewOpen<'_>) -> Option<LeaseGrant> {
        let request: LeaseRequest = new.terms.lease.filter(|_| !new.directory)?;
        let id = LeaseId { client_guid: new.terms.client_guid, key: request.key };
        if self.state.lease(id).is_some_and(|(file, _)| file != new.file) {
            return None;
        }
        let deletes = new
            .terms
            .create_options
            .contains(holdfast_proto::types::CreateOptions::DELETE_ON_CLOSE);
        let client = new.terms.client_guid;
        self.change_lease(new.file, id, |file| file.grant_lease(client, &request, deletes));
        let (_, lease) = self.state.lease(id)?;
        Some(lease.grant(request.key))
    }

    /// What is granted of the durability that was asked for (3.3.5.9.10).
    fn durability(&self, new: &NewOpen<'_>, lease: Option<&LeaseGrant>) -> Durability {
        let timers = self.state.timers();
        let share: Option<&ShareRecord> = self.state.share(new.terms.share);
        let available = new.terms.continuously_available
            && share.is_some_and(|share| self.state.is_available(&share.settings));
        let limited = |asked: u64, default: u64| match asked {
            0 => default,
            _ => asked.min(timers.durable_max_millis),
        };
        match new.terms.durability {
            Durability::Persistent { timeout_millis } if available => {
                let default = share
                    .map(|share| share.settings.ca_timeout_millis)
                    .filter(|millis| *millis != 0)
                    .unwrap_or(timers.persistent_millis);
                Durability::Persistent { timeout_millis: limited(timeout_millis, default) }
            }
            Durability::Durable { timeout_millis } | Durability::Persistent { timeout_millis }
                if !new.directory
                    && lease.is_some_and(|lease| lease.state.contains(LeaseState::HANDLE)) =>
            {
                let timeout_millis = limited(timeout_millis, timers.durable_millis);
                Durability::Durable { timeout_millis }
            }
            _ => Durability::None,
        }
    }

    /// When an open that loses its client now is closed.
    pub(super) fn deadline(&self, durability: Durability) -> LogTime {
        match durability {
            Durability::None => self.state.time,
            Durability::Durable { timeout_millis } | Durability::Persistent { timeout_millis } => {
                self.state.time.plus_millis(timeout_millis)
            }
        }
    }

    /// The open as its client is answered, with the barrier that its grant needs: a lease with
    /// READ limits the plain I/O of other opens, and so do locks that may not be known through.
    pub(super) fn grant(&mut self, id: OpenId, attached: bool) -> OpenGrant {
        let file = self.state.file_of(id).expect("an open that is granted is in the index");
        let index = self.index;
        let state = self.file_mut(file);
        let barrier = state.grant_barrier(file, id, index);
        if barrier.nodes.is_empty()
            && let Some(open) = state.open_mut(id)
        {
            open.effective = true;
        }
        let directory = state.is_directory();
        let open = state.open(id).expect("an open that is granted is in its file");
        let lease = open.lease_id().and_then(|lease| Some(state.lease(lease)?.grant(lease.key)));
        OpenGrant {
            open: open.open_ref(),
            file,
            place: open.place.clone(),
            directory,
            share: open.share,
            action: open.action,
            access: open.access,
            share_access: open.share_access,
            create_options: open.create_options,
            durability: open.durability,
            create_guid: open.create_guid,
            lease,
            oplock: open.oplock,
            channel_sequence: open.channel_sequence,
            attached,
            barrier,
            search: open.search.clone(),
        }
    }
}

/// What came of a contention that was not refused.
pub(super) struct Contended {
    pub waits: bool,
}

/// A replay says what the CREATE said, as the client spelt it.
fn differs(open: &Open, terms: &OpenTerms) -> bool {
    open.create_options_raw != terms.create_options_raw
        || open.desired_access_raw != terms.desired_access_raw
        || open.share_access != terms.share_access
}
