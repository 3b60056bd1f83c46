//! Begins a rename ([MS-FSA] 2.1.5.15.11): both names are reserved until the storage has followed.

use holdfast_proto::types::AccessMask;

use super::*;
use crate::command::{OpenRef, Place};
use crate::outcome::{Duty, DutyKind};
use crate::state::{FileState, Open};

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
        if let Some(on) = self.name_in_use(&found.place).or_else(|| self.name_in_use(to)) {
            return Decided::Wait(on);
        }
        if self.state.file(file).is_some_and(|state| state.duty().is_some()) {
            return Decided::Wait(WaitOn::File(file));
        }
        let reachable = |client| self.state.client_sessions(client).next().is_some();
        let own = found.lease_id();
        let met = self.state.file(file).map(|state| state.contend_name(own, &reachable));
        if self.meet(file, met.unwrap_or_default()).waits {
            return Decided::Wait(WaitOn::File(file));
        }
        let directory = self.state.file(file).is_some_and(FileState::is_directory);
        let kind = DutyKind::Rename {
            file,
            from: found.place,
            to: to.clone(),
            replace: replace.filter(|target| *target != file),
            directory,
        };
        let share = found.share;
        let duty = self.begin_duty(life_of(who), file, |id| Duty { id, share, kind });
        Decided::Now(Outcome::Begun { duty })
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
            if self.state.file(target).is_some_and(|state| state.open_count() > 0) {
                return Err(Refusal::AccessDenied);
            }
        }
        // Everything beneath would move: opens that wait for their clients as well.
        let directory = self.state.file(file).is_some_and(FileState::is_directory);
        if directory && self.state.beneath(file).next().is_some() {
            return Err(Refusal::AccessDenied);
        }
        Ok(())
    }
}
