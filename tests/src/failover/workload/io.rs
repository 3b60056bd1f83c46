//! READ, WRITE and CLOSE on a handle, repeated through whichever node can be reached until their
//! outcome is known.

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::msg::{CloseRequest, ReadRequest, Response, WriteRequest};
use holdfast_proto::types::{FileId, LeaseState};
use tokio::time::Instant;

use super::super::history::{Event, HandleId, Operation, Stamp, WriteEnd};
use super::files::{block_of, block_size, stamp_of};
use super::handle::{Attempt, Seen};
use super::worker::Worker;
use crate::client::{is_gone, is_not_now};

impl Worker {
    /// The handle's id on the present link. None if the handle is gone.
    pub(super) async fn file_id(&mut self, id: HandleId) -> Option<FileId> {
        self.ensure_link().await;
        self.handles.get(&id).filter(|handle| handle.attached)?.file_id
    }

    pub(super) async fn write(&mut self, id: HandleId, index: u32) {
        let Some(handle) = self.handles.get(&id) else { return };
        let (block, lease, size) = (handle.block(index), handle.lease, block_size(&handle.file));
        self.at(format!("writing {block:?}"));
        let stamp = self.stamp();
        let end = |end| Event::WriteEnded { handle: id, block: block.clone(), stamp, end };
        let invoked = self.now();
        self.tell(Event::WriteInvoked { handle: id, block: block.clone(), stamp });
        if let Some(key) = lease {
            self.leases.lock().drop_block(key, index);
        }
        let begun = Instant::now();
        let mut sent_before = false;
        while let Some(file_id) = self.file_id(id).await {
            let request = WriteRequest {
                offset: u64::from(index) * u64::from(size),
                file_id,
                data: block_of(stamp, size),
                ..WriteRequest::default()
            };
            let attempt = Attempt { invoked, sent: self.now() };
            let turns = lease.map(|key| self.leases.lock().turns(key));
            match self.ask(request, sent_before, self.patience()).await {
                Err(_) => sent_before = true,
                Ok((NtStatus::SUCCESS, Response::Write(response))) => {
                    if response.count != size {
                        self.bad(format!("{} of {size} bytes were written", response.count));
                    }
                    self.tell(end(WriteEnd::Acknowledged));
                    self.answered(id, Operation::Write, attempt);
                    if let (Some(key), Some(turns)) = (lease, turns) {
                        self.leases.lock().keep(key, index, stamp.0, turns);
                    }
                    return;
                }
                Ok((NtStatus::FILE_LOCK_CONFLICT, _)) => {
                    self.tell(end(if sent_before { WriteEnd::Settled } else { WriteEnd::Refused }));
                    return self.answered(id, Operation::Write, attempt);
                }
                Ok((status, _)) if is_gone(status) => {
                    self.lost(id, status);
                    break;
                }
                Ok((status, _)) => {
                    // Not now is not never: the attempt may still be under way.
                    sent_before = true;
                    if !is_not_now(status) {
                        self.bad(format!("a WRITE is answered by {status}"));
                    }
                    // Another try needs a newer ChannelSequence, and that a new connection.
                    self.drop_link();
                }
            }
            if !self.goes_on(begun) {
                // Nobody will ever know.
                return self.bad(format!("the WRITE of {block:?} is never answered"));
            }
            self.pause_before_retry().await;
        }
        self.tell(end(WriteEnd::Settled));
    }

    /// Reads a block; under a READ lease from the cache, if it is there.
    pub(super) async fn read(&mut self, id: HandleId, index: u32) -> Seen {
        if let Some(seen) = self.read_cached(id, index).await {
            return seen;
        }
        let Some(handle) = self.handles.get(&id) else { return Seen::Nothing };
        let (block, lease, size) = (handle.block(index), handle.lease, block_size(&handle.file));
        self.at(format!("reading {block:?}"));
        let begun = Instant::now();
        let invoked = self.now();
        while let Some(file_id) = self.file_id(id).await {
            let request = ReadRequest {
                length: size,
                offset: u64::from(index) * u64::from(size),
                file_id,
                ..ReadRequest::default()
            };
            let attempt = Attempt { invoked, sent: self.now() };
            let turns = lease.map(|key| self.leases.lock().turns(key));
            let data = match self.ask(request, false, self.patience()).await {
                Err(_) => None,
                Ok((NtStatus::SUCCESS, Response::Read(response))) => Some(response.data),
                Ok((NtStatus::END_OF_FILE, _)) => Some(Bytes::new()),
                Ok((NtStatus::FILE_LOCK_CONFLICT, _)) => {
                    self.answered(id, Operation::Read, attempt);
                    return Seen::Nothing;
                }
                Ok((status, _)) if is_gone(status) => {
                    self.lost(id, status);
                    return Seen::Nothing;
                }
                Ok((status, _)) => {
                    if !is_not_now(status) {
                        self.bad(format!("a READ is answered by {status}"));
                    }
                    None
                }
            };
            if let Some(data) = data {
                self.answered(id, Operation::Read, attempt);
                let invoked = attempt.sent;
                return match stamp_of(&data, size) {
                    Ok(stamp) => {
                        self.tell(Event::ReadReturned { block, stamp, invoked, cached: false });
                        if let (Some(key), Some(turns)) = (lease, turns) {
                            self.leases.lock().keep(key, index, stamp.0, turns);
                        }
                        Seen::Stamp(stamp)
                    }
                    Err(what) => {
                        self.tell(Event::TornBlock { block, invoked, what });
                        Seen::Nothing
                    }
                };
            }
            if !self.goes_on(begun) {
                self.bad(format!("the READ of {block:?} is never answered"));
                return Seen::Nothing;
            }
            self.pause_before_retry().await;
        }
        Seen::Nothing
    }

    /// An ECHO makes sure that every break written before it is processed; what is still kept then
    /// must be as new as the ECHO.
    async fn read_cached(&mut self, id: HandleId, index: u32) -> Option<Seen> {
        let handle = self.handles.get(&id)?;
        let key = handle.lease.filter(|_| handle.attached)?;
        let block = handle.block(index);
        self.leases.lock().cached(key, index)?;
        let invoked = self.now();
        if !self.echo().await {
            return None;
        }
        let leases = self.leases.lock();
        let kept = leases.cached(key, index)?;
        if !leases.state(key).contains(LeaseState::READ) {
            return None;
        }
        drop(leases);
        let stamp = Stamp(kept);
        self.tell(Event::ReadReturned { block, stamp, invoked, cached: true });
        Some(Seen::Stamp(stamp))
    }

    pub(super) async fn close(&mut self, id: HandleId) {
        let Some(handle) = self.handles.get_mut(&id) else { return };
        handle.closing = true;
        let file = handle.file.clone();
        self.at(format!("closing {file}"));
        let invoked = self.now();
        self.tell(Event::CloseInvoked { handle: id });
        let begun = Instant::now();
        while let Some(file_id) = self.file_id(id).await {
            let request = CloseRequest { file_id, ..CloseRequest::default() };
            let attempt = Attempt { invoked, sent: self.now() };
            match self.ask(request, false, self.patience()).await {
                Ok((NtStatus::SUCCESS, _)) => {
                    self.answered(id, Operation::Close, attempt);
                    break;
                }
                Ok((status, _)) if is_gone(status) => break,
                Ok((status, _)) if !is_not_now(status) => {
                    self.bad(format!("the CLOSE of {file} is answered by {status}"));
                    break;
                }
                Ok(_) | Err(_) => {}
            }
            if !self.goes_on(begun) {
                self.bad(format!("the CLOSE of {file} is never answered"));
                break;
            }
            self.pause_before_retry().await;
        }
        self.forget(id);
    }
}
