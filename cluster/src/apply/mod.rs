//! How each command changes the state: a file per command, and one per flow that several share.
//!
//! The order within each: refusals in precedence; from there on the command succeeds or waits;
//! then the changes. Whatever changes what a file or a name allows marks it, and at the end of the
//! entry the requests that wait there are decided anew ([`settling`]).

mod admission;
mod attaching;
mod breaking;
mod closing;
mod duties;
mod ending_node;
mod ending_session;
mod naming;
mod opening;
mod settling;
mod tables;
mod waiting;

mod ack_lease_break;
mod begin_create;
mod begin_rename;
mod break_for_io;
mod break_sent;
mod cancel_wait;
mod clear_suspicion;
mod close_open;
mod close_opens;
mod end_duty;
mod end_session;
mod fail_create;
mod fence_node;
mod found_cluster;
mod grant_create;
mod grant_effective;
mod join_node;
mod judge_volume;
mod leave_node;
mod lock;
mod log_on;
mod note_search;
mod open_file;
mod put_share;
mod put_user;
mod reconnect_open;
mod release_open;
mod remove_share;
mod remove_user;
mod set_delete_pending;
mod set_encryption;
mod suspect_node;
mod tick;
mod unlock;
mod withdraw_lease;
mod withdraw_lock;

use std::collections::{BTreeMap, BTreeSet};

use holdfast_proto::types::FileKey;
use imbl::OrdSet;

use crate::command::{Command, NodeLife, SubmitId};
use crate::effect::Effect;
use crate::outcome::{Outcome, Refusal};
use crate::state::{Applied, NameKey, State, WaitNumber, WaitOn};
use admission::Admission;

/// One entry being applied.
pub(crate) struct Step<'a> {
    state: &'a mut State,
    index: u64,
    submit: SubmitId,
    effects: Vec<Effect>,
    /// Files at which waiting requests are to be decided anew.
    touched_files: BTreeSet<FileKey>,
    /// Names that are free again, and who waited for them.
    freed_names: BTreeMap<NameKey, OrdSet<WaitNumber>>,
}

/// What a command that may wait came to.
#[expect(clippy::large_enum_variant, reason = "lives no longer than a call")]
enum Decided {
    Now(Outcome),
    Wait(WaitOn),
}

impl From<Refusal> for Decided {
    fn from(refusal: Refusal) -> Decided {
        Decided::Now(Outcome::Refused(refusal))
    }
}

/// A command that is refused or succeeds at once.
type Verdict = Result<Outcome, Refusal>;

impl<'a> Step<'a> {
    pub(crate) fn new(state: &'a mut State, index: u64, submit: SubmitId) -> Step<'a> {
        Step {
            state,
            index,
            submit,
            effects: Vec::new(),
            touched_files: BTreeSet::new(),
            freed_names: BTreeMap::new(),
        }
    }

    /// Carries the command out, unless it was carried out before.
    pub(crate) fn run(mut self, command: &Command) -> Applied {
        let outcome = match self.admit(command) {
            Admission::Repeat(outcome) => outcome.as_ref().clone(),
            Admission::Refuse(refusal) => Outcome::Refused(refusal),
            Admission::Carry => {
                let outcome = self.carry_out(command);
                self.remember(command, &outcome);
                self.settle();
                outcome
            }
        };
        Applied { outcome, effects: self.effects }
    }

    fn carry_out(&mut self, command: &Command) -> Outcome {
        match self.decide(self.submit, command) {
            Some(Decided::Now(outcome)) => outcome,
            Some(Decided::Wait(on)) => self.begin_wait(command, on),
            None => self.change(command).unwrap_or_else(Outcome::Refused),
        }
    }

    /// Commands that may have to wait; decided here the first time and each time that what they
    /// wait for has changed. `None` for all others.
    fn decide(&mut self, who: SubmitId, command: &Command) -> Option<Decided> {
        let decided = match command {
            Command::OpenFile { terms, file, place, directory } => {
                self.open_file(who, terms, *file, place, *directory)
            }
            Command::BeginCreate { terms, place, target, directory } => {
                self.begin_create(who, terms, place, *target, *directory)
            }
            Command::ReconnectOpen { .. } => self.reconnect_open(who, command),
            Command::BreakForIo { open } => self.break_for_io(who, *open),
            Command::Lock { open, ranges, fail_immediately, sequence } => {
                self.lock(who, *open, ranges, *fail_immediately, *sequence)
            }
            Command::SetDeletePending { open, pending } => {
                self.set_delete_pending(who, *open, *pending)
            }
            Command::BeginRename { open, to, replace, replace_if_exists } => {
                self.begin_rename(who, *open, to, *replace, *replace_if_exists)
            }
            _ => return None,
        };
        Some(decided)
    }

    /// Commands that are decided at once.
    fn change(&mut self, command: &Command) -> Verdict {
        match command {
            Command::Tick => self.tick(),
            Command::FoundCluster { cluster_id, server_guid, name, timers } => {
                self.found_cluster(*cluster_id, *server_guid, name, *timers)
            }
            Command::JoinNode { node, identity, proof } => self.join_node(*node, identity, proof),
            Command::LeaveNode { life } => self.leave_node(*life),
            Command::SuspectNode { life, fencer } => self.suspect_node(*life, *fencer),
            Command::ClearSuspicion { life } => self.clear_suspicion(*life),
            Command::FenceNode { life, proof } => self.fence_node(*life, proof),
            Command::PutShare { settings, replace } => self.put_share(settings, *replace),
            Command::RemoveShare { name } => self.remove_share(name),
            Command::PutUser { settings, replace } => self.put_user(settings, *replace),
            Command::RemoveUser { name } => self.remove_user(name),
            Command::SetEncryption { required } => self.set_encryption(*required),
            Command::JudgeVolume { volume, unfit } => self.judge_volume(*volume, unfit.as_deref()),
            Command::LogOn { life, session, user, client_guid, dialect } => {
                self.log_on(*life, *session, user, *client_guid, *dialect)
            }
            Command::EndSession { session, how } => self.end_session(*session, *how),
            Command::GrantCreate { intent, file, action, place } => {
                self.grant_create(*intent, *file, *action, place)
            }
            Command::FailCreate { intent } => self.fail_create(*intent),
            Command::ReleaseOpen { open } => self.release_open(*open),
            Command::CloseOpen { open, abandoned } => self.close_open(*open, *abandoned),
            Command::CloseOpens { session, opens } => self.close_opens(*session, opens),
            Command::GrantEffective { open } => self.grant_effective(*open),
            Command::BreakSent { life, client_guid, key, epoch } => {
                self.break_sent(*life, *client_guid, *key, *epoch)
            }
            Command::AckLeaseBreak { client_guid, key, state } => {
                self.ack_lease_break(*client_guid, *key, *state)
            }
            Command::WithdrawLease { client_guid, key, state } => {
                self.withdraw_lease(*client_guid, *key, *state)
            }
            Command::Unlock { open, ranges, sequence } => self.unlock(*open, ranges, *sequence),
            Command::WithdrawLock { open, ranges, sequence } => {
                self.withdraw_lock(*open, ranges, *sequence)
            }
            Command::CancelWait { wait } => self.cancel_wait(*wait),
            Command::EndDuty { duty, done } => self.end_duty(*duty, *done),
            Command::NoteSearch { open, pattern, last_name } => {
                self.note_search(*open, pattern, last_name)
            }
            Command::OpenFile { .. }
            | Command::BeginCreate { .. }
            | Command::ReconnectOpen { .. }
            | Command::BreakForIo { .. }
            | Command::Lock { .. }
            | Command::SetDeletePending { .. }
            | Command::BeginRename { .. } => unreachable!("decided before"),
        }
    }

    /// The life that submitted this entry.
    fn submitter(&self) -> NodeLife {
        life_of(self.submit)
    }

    fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}

/// The life that a submit belongs to.
fn life_of(submit: SubmitId) -> NodeLife {
    NodeLife { node: submit.node, incarnation: submit.incarnation }
}
