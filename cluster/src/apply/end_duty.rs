//! A begun step on the storage was carried out, or could not be.

use super::*;
use crate::command::{DutyId, Place};
use crate::outcome::DutyKind;

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
                Some(Command::OpenFile { .. } | Command::BeginCreate { .. }) => true,
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

    fn move_opens(&mut self, file: FileKey, to: &Place) {
        let opens: Vec<_> = self
            .state
            .file(file)
            .map(|state| state.opens().map(|open| open.id).collect())
            .unwrap_or_default();
        for open in opens {
            self.change_open(open, |open| open.place = to.clone());
        }
        // A deletion that waited for the rename follows the file.
        if let Some((share, place)) = self.state.file(file).and_then(|state| state.doomed.clone()) {
            self.state.indexes.doomed.remove(&(NameKey::of(&place), file));
            self.state.indexes.doomed.insert((NameKey::of(to), file));
            self.file_mut(file).doomed = Some((share, to.clone()));
        }
    }
}
