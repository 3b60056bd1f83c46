//! A begun step on the storage was carried out, or could not be.

use super::*;
use crate::command::{DutyId, OpenTerms, Place};
use crate::outcome::DutyKind;
use crate::state::GuidUse;

impl Step<'_> {
    pub(super) fn end_duty(&mut self, id: DutyId, done: bool) -> Verdict {
        let record = self
            .state
            .duty(id)
            .filter(|record| record.owner == self.submitter())
            .ok_or(Refusal::StaleOpen)?
            .clone();
        let file = record.file();
        self.drop_duty(id, done);
        match record.duty.kind {
            DutyKind::Delete { .. } => {
                self.file_mut(file).delete_pending = false;
                if done {
                    self.place_changed(file, None);
                }
            }
            DutyKind::Rename { to, replace, .. } if done => {
                self.move_opens(file, &to);
                self.place_changed(file, Some(file));
                if let Some(replaced) = replace {
                    self.place_changed(replaced, None);
                }
            }
            DutyKind::Rename { .. } => {}
        }
        Ok(Outcome::Done)
    }

    /// Opens that wait at the file have another path by now, or nothing to open; so has what waits
    /// to be moved beneath `moved`. Other waits are about opens, and are decided anew.
    fn place_changed(&mut self, file: FileKey, moved: Option<FileKey>) {
        let waiters = self.state.file(file).map(|state| state.waiters.clone());
        let stale = waiters.unwrap_or_default().into_iter().filter(|number| {
            match self.state.waits.get(number).map(|wait| &wait.command) {
                Some(Command::OpenFile { terms, .. } | Command::BeginCreate { terms, .. }) => {
                    !self.has_open_of(file, terms)
                }
                Some(Command::BeginRename { to, .. }) => {
                    moved.is_some_and(|dir| to.parent == dir || to.ancestors.contains(&dir))
                }
                _ => false,
            }
        });
        let stale: OrdSet<WaitNumber> = stale.collect();
        self.refuse_waiters(stale, Refusal::PlaceChanged);
        self.touch(file);
    }

    /// A CREATE that is sent again is given its open wherever the file is by now.
    fn has_open_of(&self, file: FileKey, terms: &OpenTerms) -> bool {
        terms.replay
            && terms.create_guid.is_some_and(|guid| {
                self.state.create_guid_uses(guid).any(|(_, by)| match by {
                    GuidUse::Open(open) => self.state.file_of(open) == Some(file),
                    GuidUse::Intent(_) => false,
                })
            })
    }

    fn move_opens(&mut self, file: FileKey, to: &Place) {
        let opens: Vec<_> = self
            .state
            .file(file)
            .map(|state| state.opens().map(|open| open.id).collect())
            .unwrap_or_default();
        for open in opens {
            self.change_open(open, |open| {
                let before = std::mem::replace(&mut open.place, to.clone());
                open.former_path = Some(before.path);
            });
        }
        // A deletion that waited for the rename follows the file.
        if let Some((share, place)) = self.state.file(file).and_then(|state| state.doomed.clone()) {
            self.state.indexes.doomed.remove(&(NameKey::of(&place), file));
            self.state.indexes.doomed.insert((NameKey::of(to), file));
            self.file_mut(file).doomed = Some((share, to.clone()));
        }
    }
}
