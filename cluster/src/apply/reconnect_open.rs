//! A client asks for its open back ([MS-SMB2] 3.3.5.9.12), on whichever node it came to.

use holdfast_proto::types::{CreateAction, FoldedName, LeaseState, OpenId};

use super::*;
use crate::command::{Durability, LeaseRequest};
use crate::outcome::DutyKind;
use crate::state::{GuidUse, Open};

impl Step<'_> {
    pub(super) fn reconnect_open(&mut self, who: SubmitId, command: &Command) -> Decided {
        self.reconnect(who, command).unwrap_or_else(Decided::from)
    }

    fn reconnect(&mut self, who: SubmitId, command: &Command) -> Result<Decided, Refusal> {
        let Command::ReconnectOpen { session, client_guid, channel_sequence, .. } = command else {
            return Err(Refusal::InvalidParameter);
        };
        let known = self.state.session(*session).ok_or(Refusal::NoSession)?;
        if known.life != life_of(who) || known.client_guid != *client_guid {
            return Err(Refusal::NoSession);
        }
        let id = self.find_for_reconnect(command).ok_or(Refusal::ObjectNameNotFound)?;
        let open = self.state.open(id).ok_or(Refusal::ObjectNameNotFound)?;
        if let Some(on) = self.being_renamed(id) {
            return Ok(Decided::Wait(on));
        }
        self.check_reconnect(open, command)?;
        match open.bound_to() {
            // An earlier sending got it, and its client was not told.
            Some((_, bound)) if bound == *session => {}
            Some((owner, session)) if !self.state.is_taken_early(owner) => {
                let open = open.open_ref();
                return Ok(Decided::Now(Outcome::OwnedBy { open, owner, session }));
            }
            Some(_) | None => self.attach(id, *session, *client_guid, *channel_sequence),
        }
        let mut grant = self.grant(id, true);
        grant.action = CreateAction::Opened;
        Ok(Decided::Now(Outcome::Granted(Box::new(grant))))
    }

    /// The file of an open is moving: whoever is given the open before that has ended looks for
    /// the file where it is no more.
    pub(super) fn being_renamed(&self, open: OpenId) -> Option<WaitOn> {
        let file = self.state.file_of(open)?;
        let duty = self.state.duty(self.state.file(file)?.duty()?)?;
        matches!(duty.duty.kind, DutyKind::Rename { .. }).then_some(WaitOn::File(file))
    }

    /// By FileId.Persistent; a persistent open by its CreateGuid too.
    fn find_for_reconnect(&self, command: &Command) -> Option<OpenId> {
        let Command::ReconnectOpen { open, create_guid, persistent, share, .. } = command else {
            return None;
        };
        if self.state.open(*open).is_some() {
            return Some(*open);
        }
        let available =
            self.state.share(*share).is_some_and(|share| share.settings.continuously_available);
        if !persistent || !available {
            return None;
        }
        self.state.create_guid_uses(*create_guid).find_map(|(_, by)| match by {
            GuidUse::Open(id) if self.state.open(id).is_some_and(Open::is_persistent) => Some(id),
            GuidUse::Open(_) | GuidUse::Intent(_) => None,
        })
    }

    /// The refusals of 3.3.5.9.12 in their order. That the open is still served is the last one
    /// and not a refusal: its owner is asked.
    fn check_reconnect(&self, open: &Open, command: &Command) -> Result<(), Refusal> {
        let Command::ReconnectOpen {
            client_guid,
            owner,
            share,
            create_guid,
            persistent,
            lease,
            path,
            ..
        } = command
        else {
            return Err(Refusal::InvalidParameter);
        };
        // Another share would get round its permissions and its encryption.
        let foreign_lease = open.lease_key.is_some() && open.client_guid != *client_guid;
        if open.create_guid != Some(*create_guid) || open.share != *share || foreign_lease {
            return Err(Refusal::ObjectNameNotFound);
        }
        match (open.is_persistent(), persistent) {
            (true, false) => return Err(Refusal::ObjectNameNotFound),
            (false, true) => return Err(Refusal::InvalidParameter),
            (true, true) | (false, false) => {}
        }
        self.check_reconnect_lease(open, lease.as_ref(), path)?;
        if open.owner != *owner {
            return Err(Refusal::AccessDenied);
        }
        Ok(())
    }

    fn check_reconnect_lease(
        &self,
        open: &Open,
        request: Option<&LeaseRequest>,
        path: &str,
    ) -> Result<(), Refusal> {
        let held = open.lease_id().and_then(|id| self.state.lease(id)).map(|(_, lease)| lease);
        // The answer to a rename may have been lost: then its client knows the former name.
        let names = [Some(&open.place.path), open.former_path.as_ref()];
        let asked = FoldedName::new(path);
        if held.is_some_and(|lease| !lease.file_delete_on_close)
            && names.into_iter().flatten().all(|name| FoldedName::new(name) != asked)
        {
            return Err(Refusal::InvalidParameter);
        }
        if open.lease_key != request.map(|request| request.key)
            || held.map(|lease| lease.version) != request.map(|request| request.version)
        {
            return Err(Refusal::ObjectNameNotFound);
        }
        match open.durability {
            Durability::Persistent { .. } => Ok(()),
            Durability::Durable { .. }
                if held.is_some_and(|lease| lease.state.contains(LeaseState::HANDLE)) =>
            {
                Ok(())
            }
            Durability::Durable { .. } | Durability::None => Err(Refusal::ObjectNameNotFound),
        }
    }
}
