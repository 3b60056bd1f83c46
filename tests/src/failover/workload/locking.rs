//! LOCK, repeated with its LockSequence until its outcome is known.

use holdfast_proto::NtStatus;
use holdfast_proto::msg::LockRequest;
use holdfast_proto::msg::lock::{LockElement, LockFlags};
use tokio::time::Instant;

use super::super::history::{Event, HandleId, Operation};
use super::files::block_size;
use super::handle::Attempt;
use super::worker::Worker;
use crate::client::{is_gone, is_not_now};

/// What to do with a lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LockAct {
    /// Exclusively, or not at all.
    Lock,
    Unlock,
}

impl Worker {
    /// True if it is done.
    pub(super) async fn lock(&mut self, id: HandleId, index: u32, act: LockAct) -> bool {
        let Some(handle) = self.handles.get_mut(&id) else { return false };
        let (block, bucket) = (handle.block(index), 1 + index);
        let size = u64::from(block_size(&handle.file));
        let number = handle.next_lock_number(bucket);
        let flags = match act {
            LockAct::Unlock => LockFlags::UNLOCK,
            LockAct::Lock => LockFlags::EXCLUSIVE_LOCK | LockFlags::FAIL_IMMEDIATELY,
        };
        if act == LockAct::Unlock {
            handle.locks.remove(&index);
            self.tell(Event::UnlockInvoked { handle: id, block: block.clone() });
        }
        self.at(format!(
            "{} {block:?}",
            if act == LockAct::Lock { "locking" } else { "unlocking" }
        ));
        let begun = Instant::now();
        let invoked = self.now();
        while let Some(file_id) = self.file_id(id).await {
            let element = LockElement { offset: u64::from(index) * size, length: size, flags };
            let request = LockRequest {
                lock_sequence_number: number,
                lock_sequence_index: bucket,
                file_id,
                locks: vec![element],
            };
            let attempt = Attempt { invoked, sent: self.now() };
            match self.ask(request, false, self.patience()).await {
                Err(_) => {}
                Ok((NtStatus::SUCCESS, _)) => {
                    self.answered(id, Operation::Lock, attempt);
                    if act == LockAct::Lock
                        && let Some(handle) = self.handles.get_mut(&id)
                    {
                        handle.locks.insert(index);
                        self.tell(Event::Locked { handle: id, block, invoked });
                    }
                    return true;
                }
                Ok((status, _)) if is_gone(status) => {
                    self.lost(id, status);
                    return false;
                }
                Ok((status, _)) if is_not_now(status) => {}
                Ok((status, _)) => {
                    self.answered(id, Operation::Lock, attempt);
                    let refused = status == NtStatus::LOCK_NOT_GRANTED
                        || status == NtStatus::FILE_LOCK_CONFLICT;
                    if !(refused && act == LockAct::Lock) {
                        self.bad(format!("the LOCK of {block:?} is answered by {status}"));
                    }
                    return false;
                }
            }
            if !self.goes_on(begun) {
                self.bad(format!("the LOCK of {block:?} is never answered"));
                return false;
            }
            self.pause_before_retry().await;
        }
        false
    }
}
