//! Begins a rename ([MS-FSA] 2.1.5.15.11): both names are reserved until the storage has followed.

use holdfast_proto::types::{AccessMask, LeaseState};

use super::*;
use crate::command::{OpenRef, Place};
use crate::outcome::{Duty, DutyKind};
use crate::state::{Beneath, FileState, LeaseId, Open};

impl Step<'_> {
    pub(super) fn begin_rename(
        &mut self,
        who: SubmitId,
        open: OpenRef,
        to: &Place,
        replace: Option<FileKey>,
        replace_if_exists: bool,
    ) -> Decided {
        let found = match self.own_open(open, life_of(who)) {
            Ok(found) => found.clone(),
            Err(refusal) => return refusal.into(),
        };
        let Some(file) = self.state.file_of(open.open) else {
            return Refusal::StaleOpen.into();
        };
        if found.place == *to {
            // It has that name already: an earlier sending got there.
            return Decided::Now(Outcome::Done);
        }
        if let Err(refusal) = self.check_rename(&found, file, to, replace, replace_if_exists) {
            return refusal.into();
        }
        if let Some(on) = self.names_in_use(&found.place, to, file) {
            return Decided::Wait(on);
        }
        let target = replace.filter(|target| *target != file);
        if let Some(decided) = self.clear_way(&found, file, target) {
            return decided;
        }
        // An absent open that gave way may have been a file's last: its deletion comes first.
        if let Some(on) = self.names_in_use(&found.place, to, file) {
            return Decided::Wait(on);
        }
        let directory = self.state.file(file).is_some_and(FileState::is_directory);
        let kind = DutyKind::Rename {
            file,
            from: found.place,
            to: to.clone(),
            replace: target,
            directory,
        };
        let share = found.share;
        let duty = self.begin_duty(life_of(who), file, |id| Duty { id, share, kind });
        Decided::Now(Outcome::Begun { duty })
    }

    /// What holds one of the names, or moves the file already.
    fn names_in_use(&self, from: &Place, to: &Place, file: FileKey) -> Option<WaitOn> {
        let moving = self.state.file(file).is_some_and(|state| state.duty().is_some());
        self.name_in_use(from)
            .or_else(|| self.name_in_use(to))
            .or_else(|| moving.then_some(WaitOn::File(file)))
    }

    fn check_rename(
        &self,
        open: &Open,
        file: FileKey,
        to: &Place,
        replace: Option<FileKey>,
        replace_if_exists: bool,
    ) -> Result<(), Refusal> {
        Self::check_place(to)?;
        if !open.access.contains(AccessMask::DELETE) || open.place.path.is_empty() {
            return Err(Refusal::AccessDenied);
        }
        if to.path.is_empty() || to.parent == file || to.ancestors.contains(&file) {
            return Err(Refusal::InvalidParameter);
        }
        if self.state.delete_pending(file) || self.state.delete_pending(to.parent) {
            return Err(Refusal::DeletePending);
        }
        if let Some(target) = replace.filter(|target| *target != file) {
            if !replace_if_exists {
                return Err(Refusal::ObjectNameCollision);
            }
            if self.state.delete_pending(target) {
                return Err(Refusal::DeletePending);
            }
        }
        Ok(())
    }

    /// Handles that clients keep cached go first: of the file itself, of the file that is
    /// replaced, and of everything beneath a directory, for all of that would move. `None` once
    /// nothing stands in the way any more.
    fn clear_way(
        &mut self,
        open: &Open,
        file: FileKey,
        target: Option<FileKey>,
    ) -> Option<Decided> {
        let own = open.lease_id();
        if self.break_handles(file, own) {
            return Some(Decided::Wait(WaitOn::File(file)));
        }
        let directory = self.state.file(file).is_some_and(FileState::is_directory);
        let mut in_the_way: Vec<FileKey> = target.into_iter().collect();
        if directory {
            for beneath in self.state.beneath(file).collect::<Vec<_>>() {
                match beneath {
                    Beneath::Open(below) => in_the_way.extend(self.state.file_of(below)),
                    Beneath::Intent(_) | Beneath::Duty(_) => {
                        return Some(Refusal::AccessDenied.into());
                    }
                }
            }
        }
        // What cannot be broken refuses at once, and then nothing is broken.
        if in_the_way.iter().any(|file| self.is_held_open(*file)) {
            return Some(Refusal::AccessDenied.into());
        }
        let mut waits = None;
        for other in in_the_way {
            if self.break_handles(other, None) {
                waits = waits.or(Some(Decided::Wait(WaitOn::File(other))));
            }
        }
        if waits.is_none() && directory && self.state.beneath(file).next().is_some() {
            return Some(Refusal::AccessDenied.into());
        }
        waits
    }

    /// True if an open of the file stays whatever is broken: one without a handle lease, or a
    /// persistent one whose client is away.
    fn is_held_open(&self, file: FileKey) -> bool {
        self.state.file(file).is_some_and(|state| {
            state.opens().any(|open| {
                let cached = open
                    .lease_id()
                    .and_then(|lease| state.lease(lease))
                    .is_some_and(|lease| lease.state.contains(LeaseState::HANDLE));
                !cached || open.is_disconnected() && open.is_persistent()
            })
        })
    }

    /// Breaks the handle leases of other keys than `own`. True if one has to be waited for.
    fn break_handles(&mut self, file: FileKey, own: Option<LeaseId>) -> bool {
        let reachable = |client| self.state.client_sessions(client).next().is_some();
        let met = self.state.file(file).map(|state| state.contend_name(own, &reachable));
        self.meet(file, met.unwrap_or_default()).waits
    }
}
