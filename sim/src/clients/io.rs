//! READ, WRITE, LOCK and CLOSE on a handle, repeated through whichever node can be reached until
//! their outcome is known.

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::msg::lock::{LockElement, LockFlags};
use holdfast_proto::msg::{CloseRequest, LockRequest, ReadRequest, Response, WriteRequest};
use holdfast_proto::types::{FileId, LeaseState};
use tokio::time::Instant;

use super::client::{Client, is_not_now};
use super::connection::Patience;
use super::reclaim::is_gone;
use crate::event::{At, ClientEvent, HandleId, OpNumber, Stamp, WriteEnd};

/// The size of a block, in bytes.
pub const BLOCK: u32 = 512;

/// A block full of a stamp.
fn block_of(stamp: Stamp) -> Bytes {
    stamp.0.to_le_bytes().repeat(BLOCK as usize / 8).into()
}

/// The stamp of a block; none if it holds more than one. What was never written holds zeros, and
/// may be beyond the end.
fn stamp_of(data: &[u8]) -> Option<Stamp> {
    let mut words = data.chunks(8).map(|word| {
        let mut bytes = [0; 8];
        bytes[..word.len()].copy_from_slice(word);
        u64::from_le_bytes(bytes)
    });
    let first = words.next().unwrap_or(0);
    words.all(|word| word == first).then_some(Stamp(first))
}

/// What to do with a lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LockAct {
    Lock { wait: bool },
    Unlock,
}

impl Client {
    /// The handle's id on the present link. None if the handle is gone.
    async fn file_id(&mut self, id: HandleId) -> Option<FileId> {
        self.ensure_link().await;
        self.handles.get(&id).filter(|handle| handle.attached)?.file_id
    }

    pub(super) async fn write(&mut self, id: HandleId, index: u32) {
        self.at("writing");
        let Some(handle) = self.handles.get(&id) else { return };
        let (block, lease) = (handle.block(index), handle.lease);
        let (op, stamp) = (self.around.op_number(), self.around.stamp());
        self.tell(ClientEvent::WriteInvoked { op, handle: id, block, stamp });
        if let Some(key) = lease {
            self.leases.lock().drop_block(key, index);
        }
        let begun = Instant::now();
        let mut sent_before = false;
        while let Some(file_id) = self.file_id(id).await {
            let request = WriteRequest {
                offset: u64::from(index) * u64::from(BLOCK),
                file_id,
                data: block_of(stamp),
                ..WriteRequest::default()
            };
            let sent = self.around.tape.now();
            let turns = lease.map(|key| self.leases.lock().turns(key));
            match self.ask(request, sent_before, self.patience()).await {
                Err(_) => sent_before = true,
                Ok((NtStatus::SUCCESS, _)) => {
                    self.end_write(op, WriteEnd::Acknowledged);
                    self.confirm(id, sent);
                    if let (Some(key), Some(turns)) = (lease, turns) {
                        self.leases.lock().keep(key, index, stamp, turns);
                    }
                    return;
                }
                Ok((NtStatus::FILE_LOCK_CONFLICT, _)) => {
                    let end = if sent_before { WriteEnd::Settled } else { WriteEnd::Refused };
                    self.end_write(op, end);
                    self.confirm(id, sent);
                    return;
                }
                Ok((status, _)) if is_gone(status) => {
                    self.lost(id, status);
                    break;
                }
                Ok((status, _)) => {
                    // Not now is not never: the attempt may still be under way.
                    sent_before = true;
                    if !is_not_now(status) {
                        let what = format!("a WRITE is answered by {status}");
                        self.tell(ClientEvent::BadAnswer { what });
                    }
                    // Another try needs a newer ChannelSequence, and that a new connection.
                    self.drop_link();
                }
            }
            if !self.goes_on(begun) {
                // Nobody will ever know.
                return;
            }
            self.pause_before_retry().await;
        }
        self.end_write(op, WriteEnd::Settled);
    }

    fn end_write(&self, op: OpNumber, end: WriteEnd) {
        self.tell(ClientEvent::WriteEnded { op, end });
    }

    /// Reads a block; under a READ lease from the cache, if it is there.
    pub(super) async fn read(&mut self, id: HandleId, index: u32) {
        self.at("reading");
        if self.read_cached(id, index).await {
            return;
        }
        let begun = Instant::now();
        while let Some(file_id) = self.file_id(id).await {
            let Some(lease) = self.handles.get(&id).map(|handle| handle.lease) else { return };
            let request = ReadRequest {
                length: BLOCK,
                offset: u64::from(index) * u64::from(BLOCK),
                file_id,
                ..ReadRequest::default()
            };
            let invoked = self.around.tape.now();
            let turns = lease.map(|key| self.leases.lock().turns(key));
            let data = match self.ask(request, false, self.patience()).await {
                Err(_) => None,
                Ok((NtStatus::SUCCESS, Response::Read(response))) => Some(response.data),
                Ok((NtStatus::END_OF_FILE, _)) => Some(Bytes::new()),
                Ok((NtStatus::FILE_LOCK_CONFLICT, _)) => return self.confirm(id, invoked),
                Ok((status, _)) if is_gone(status) => return self.lost(id, status),
                Ok((status, _)) => {
                    if !is_not_now(status) {
                        let what = format!("a READ is answered by {status}");
                        self.tell(ClientEvent::BadAnswer { what });
                    }
                    None
                }
            };
            if let Some(data) = data {
                let stamp = self.returned(id, index, &data, invoked);
                if let (Some(key), Some(turns), Some(stamp)) = (lease, turns, stamp) {
                    self.leases.lock().keep(key, index, stamp, turns);
                }
                return;
            }
            if !self.goes_on(begun) {
                return;
            }
            self.pause_before_retry().await;
        }
    }

    fn returned(&mut self, id: HandleId, index: u32, data: &[u8], invoked: At) -> Option<Stamp> {
        let block = self.handles.get(&id)?.block(index);
        let stamp = stamp_of(data);
        self.tell(match stamp {
            Some(stamp) => {
                ClientEvent::ReadReturned { handle: id, block, stamp, invoked, cached: false }
            }
            None => ClientEvent::TornBlock { block },
        });
        self.confirm(id, invoked);
        stamp
    }

    /// An ECHO makes sure that every break written before it is processed; what is still kept then
    /// must be as new as the ECHO.
    async fn read_cached(&mut self, id: HandleId, index: u32) -> bool {
        let Some(handle) = self.handles.get(&id) else { return false };
        let Some(key) = handle.lease.filter(|_| handle.attached) else { return false };
        if self.leases.lock().cached(key, index).is_none() {
            return false;
        }
        let invoked = self.around.tape.now();
        if !self.echo().await {
            return false;
        }
        let leases = self.leases.lock();
        let kept = leases.cached(key, index);
        let Some(stamp) = kept.filter(|_| leases.state(key).contains(LeaseState::READ)) else {
            return false;
        };
        drop(leases);
        let Some(handle) = self.handles.get(&id) else { return false };
        let block = handle.block(index);
        self.tell(ClientEvent::ReadReturned { handle: id, block, stamp, invoked, cached: true });
        true
    }

    pub(super) async fn lock(&mut self, id: HandleId, index: u32, act: LockAct) {
        self.at("locking");
        let Some(handle) = self.handles.get_mut(&id) else { return };
        let (block, bucket) = (handle.block(index), 1 + index);
        let number = handle.next_lock_number(bucket);
        if act == LockAct::Unlock {
            handle.locks.remove(&index);
            self.tell(ClientEvent::UnlockInvoked { handle: id, block: block.clone() });
        }
        let flags = match act {
            LockAct::Unlock => LockFlags::UNLOCK,
            LockAct::Lock { wait: true } => LockFlags::EXCLUSIVE_LOCK,
            LockAct::Lock { wait: false } => {
                LockFlags::EXCLUSIVE_LOCK | LockFlags::FAIL_IMMEDIATELY
            }
        };
        let begun = Instant::now();
        let invoked = self.around.tape.now();
        while let Some(file_id) = self.file_id(id).await {
            let element = LockElement {
                offset: u64::from(index) * u64::from(BLOCK),
                length: u64::from(BLOCK),
                flags,
            };
            let request = LockRequest {
                lock_sequence_number: number,
                lock_sequence_index: bucket,
                file_id,
                locks: vec![element],
            };
            let usual = self.patience();
            let patience = Patience { pending: usual.answer, cancel: true, ..usual };
            let sent = self.around.tape.now();
            match self.ask(request, false, patience).await {
                Err(_) => {}
                Ok((NtStatus::SUCCESS, _)) => {
                    self.confirm(id, sent);
                    if act != LockAct::Unlock
                        && let Some(handle) = self.handles.get_mut(&id)
                    {
                        handle.locks.insert(index);
                        self.tell(ClientEvent::Locked { handle: id, block, invoked });
                    }
                    return (self.around.on_answer)();
                }
                Ok((status, _)) if is_gone(status) => return self.lost(id, status),
                Ok((status, _)) if is_not_now(status) => {}
                // Refused, cancelled, or not locked any more: known either way.
                Ok(_) => return self.confirm(id, sent),
            }
            if !self.goes_on(begun) {
                return;
            }
            self.pause_before_retry().await;
        }
    }

    pub(super) async fn close(&mut self, id: HandleId) {
        self.at("closing");
        let Some(handle) = self.handles.get_mut(&id) else { return };
        handle.closing = true;
        self.tell(ClientEvent::CloseInvoked { handle: id });
        let begun = Instant::now();
        while let Some(file_id) = self.file_id(id).await {
            let request = CloseRequest { file_id, ..CloseRequest::default() };
            match self.ask(request, false, self.patience()).await {
                Ok((NtStatus::SUCCESS, _)) => {
                    (self.around.on_answer)();
                    break;
                }
                Ok((status, _)) if is_gone(status) => break,
                Ok(_) | Err(_) => {}
            }
            if !self.goes_on(begun) {
                break;
            }
            self.pause_before_retry().await;
        }
        self.forget(id);
    }
}
