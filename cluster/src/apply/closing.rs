//! How an open ends, or stays behind for its client ([MS-SMB2] 3.3.4.17, 3.3.7.1).

use holdfast_proto::types::{LeaseState, OpenId};

use super::*;
use crate::command::Durability;
use crate::outcome::Duty;
use crate::state::{Binding, FileState, NameKey, Open};

/// Which opens outlive the end of what served them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Survivors {
    /// Persistent ones, and durable ones whose handle lease is held and not breaking.
    Reclaimable,
    /// Every persistent or durable one.
    Durable,
    /// None.
    Nobody,
}

impl Step<'_> {
    fn survives(&self, open: &Open, file: &FileState, survivors: Survivors) -> bool {
        match (survivors, open.durability) {
            (Survivors::Nobody, _) | (_, Durability::None) => false,
            (_, Durability::Persistent { .. }) | (Survivors::Durable, _) => true,
            (Survivors::Reclaimable, Durability::Durable { .. }) => {
                open.lease_id().and_then(|lease| file.lease(lease)).is_some_and(|lease| {
                    lease.breaking.is_none() && lease.state.contains(LeaseState::HANDLE)
                })
            }
        }
    }

    /// Detaches an open from its server, or closes it. True if it stays for its client.
    pub(super) fn detach_or_close(
        &mut self,
        id: OpenId,
        survivors: Survivors,
        duties: &mut Vec<Duty>,
    ) -> bool {
        let Some(file) = self.state.file_of(id) else { return false };
        let Some(open) = self.state.open(id) else { return false };
        let stays =
            self.state.file(file).is_some_and(|state| self.survives(open, state, survivors));
        if stays {
            let deadline = self.deadline(open.durability);
            self.change_open(id, |open| open.binding = Binding::Disconnected { deadline });
            self.touch(file);
        } else {
            duties.extend(self.close(id));
        }
        stays
    }

    /// Closes an open: its locks and, with its last open, its lease go; with the file's last open
    /// a pending deletion begins. The duty is the caller's to hand on.
    pub(super) fn close(&mut self, id: OpenId) -> Option<Duty> {
        let (file, open) = self.take_open(id)?;
        self.touch(file);
        let state = self.file_mut(file);
        state.remove_locks_of(id);
        state.delete_pending |= open.deletes_on_close();
        if let Some(lease) = open.lease_id() {
            self.change_lease(file, lease, |state| {
                state.drop_unheld_lease(lease);
            });
        }
        if self.file_mut(file).delete_pending && self.file_mut(file).opens.is_empty() {
            self.undoom(file);
            self.file_mut(file).doomed = Some((open.share, open.place.clone()));
            self.state.indexes.doomed.insert((NameKey::of(&open.place), file));
        }
        self.begin_delete(file)
    }
}
