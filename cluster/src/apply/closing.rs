//! How an open ends, or stays behind for its client ([MS-SMB2] 3.3.4.17, 3.3.7.1).

use holdfast_proto::types::{LeaseState, OpenId, ShareId};

use super::*;
use crate::command::{Durability, Place};
use crate::outcome::Duty;
use crate::state::{Binding, FileState, LeaseId, NameKey, Open};

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

    /// Detaches opens from their server, or closes them. Those that stay for their clients, and the
    /// duties that closing the others began, which are the caller's to hand on.
    ///
    /// Takes time in proportion to what it moves: the end of a node is one entry, whatever the
    /// node held.
    pub(super) fn detach_or_close(
        &mut self,
        opens: Vec<OpenId>,
        survivors: Survivors,
    ) -> (Vec<OpenId>, Vec<Duty>) {
        let (mut detached, mut closed) = (Vec::new(), Vec::new());
        for id in opens {
            let Some(file) = self.state.file_of(id) else { continue };
            let Some(open) = self.state.open(id) else { continue };
            let stays =
                self.state.file(file).is_some_and(|state| self.survives(open, state, survivors));
            if stays {
                let deadline = self.deadline(open.durability);
                self.bind_open(id, Binding::Disconnected { deadline });
                self.touch(file);
                detached.push(id);
            } else {
                closed.push(id);
            }
        }
        (detached, self.close_all(closed))
    }

    /// Closes an open. The duty is the caller's to hand on.
    pub(super) fn close(&mut self, id: OpenId) -> Option<Duty> {
        self.close_all([id]).pop()
    }

    /// Closes opens: their locks and, with its last open, a lease go; with a file's last open a
    /// pending deletion begins.
    pub(super) fn close_all(&mut self, opens: impl IntoIterator<Item = OpenId>) -> Vec<Duty> {
        let mut files: BTreeMap<FileKey, Closed> = BTreeMap::new();
        for id in opens {
            let Some((file, open)) = self.take_open(id) else { continue };
            self.file_mut(file).delete_pending |= open.deletes_on_close();
            let closed = files.entry(file).or_default();
            closed.opens.insert(id);
            closed.leases.extend(open.lease_id());
            closed.last = Some((open.share, open.place));
        }
        files.into_iter().filter_map(|(file, closed)| self.close_file(file, closed)).collect()
    }

    /// What follows from the opens of one file that were taken out.
    fn close_file(&mut self, file: FileKey, closed: Closed) -> Option<Duty> {
        self.touch(file);
        let state = self.file_mut(file);
        state.remove_locks_of(&closed.opens);
        let unheld = state.unheld(closed.leases);
        for lease in unheld {
            self.change_lease(file, lease, |state| state.drop_lease(lease));
        }
        let state = self.file_mut(file);
        if state.delete_pending && state.opens.is_empty() {
            self.undoom(file);
            let (share, place) = closed.last?;
            self.state.indexes.doomed.insert((NameKey::of(&place), file));
            self.file_mut(file).doomed = Some((share, place));
        }
        self.begin_delete(file)
    }
}

/// Opens of one file that were taken out of it.
#[derive(Default)]
struct Closed {
    opens: BTreeSet<OpenId>,
    leases: BTreeSet<LeaseId>,
    /// Where the last of them was open.
    last: Option<(ShareId, Place)>,
}
