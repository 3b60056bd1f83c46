//! DH2C: every handle is given back after the connection was lost.

use holdfast_proto::NtStatus;
use holdfast_proto::msg::create::{
    DurableHandleFlags, DurableHandleReconnectV2, LeaseContext, LeaseFlags, LeaseV2,
};
use holdfast_proto::msg::{CreateContexts, CreateRequest, Response};
use holdfast_proto::types::{CreateDisposition, LeaseState, OplockLevel};
use tokio::time::Instant;

use super::super::history::{Event, HandleId, Operation};
use super::handle::Attempt;
use super::worker::Worker;
use crate::client::{NoAnswer, is_gone, is_not_now};

impl Worker {
    /// Asks for every handle that the link does not have yet. An error: the link is of no use.
    pub(super) async fn reclaim_all(&mut self) -> Result<(), NoAnswer> {
        let wanted: Vec<HandleId> = self
            .handles
            .values()
            .filter(|handle| !handle.attached && handle.file_id.is_some())
            .map(|handle| handle.id)
            .collect();
        for id in wanted {
            self.reclaim(id).await?;
        }
        Ok(())
    }

    async fn reclaim(&mut self, id: HandleId) -> Result<(), NoAnswer> {
        let begun = Instant::now();
        let invoked = self.now();
        loop {
            let Some(request) = self.reconnect_request(id) else { return Ok(()) };
            self.at(format!("reclaiming {}", request.name));
            let attempt = Attempt { invoked, sent: self.now() };
            match self.ask(request, false, self.patience()).await? {
                (NtStatus::SUCCESS, Response::Create(response)) => {
                    let Some(handle) = self.handles.get_mut(&id) else { return Ok(()) };
                    let after = response.file_id.persistent;
                    let before = handle.file_id.map_or(after, |file_id| file_id.persistent);
                    handle.file_id = Some(response.file_id);
                    handle.attached = true;
                    let event = match self.is_late {
                        true => Event::Overstayed { handle: id, file: handle.file.clone() },
                        false => Event::Reclaimed { handle: id, before, after },
                    };
                    self.tell(event);
                    self.answered(id, Operation::Reclaim, attempt);
                    return Ok(());
                }
                (status, _) if is_not_now(status) && self.goes_on(begun) => {
                    self.pause_before_retry().await;
                }
                (status, _) if is_not_now(status) => return Err(NoAnswer),
                (status, _) => {
                    if !is_gone(status) {
                        self.bad(format!("a handle is not given back: {status}"));
                    }
                    self.lost(id, status);
                    return Ok(());
                }
            }
        }
    }

    fn reconnect_request(&self, id: HandleId) -> Option<CreateRequest> {
        let handle = self.handles.get(&id)?;
        let leases = self.leases.lock();
        let lease = handle.lease.map(|lease_key| LeaseContext {
            lease_key,
            lease_state: leases.state(lease_key) | LeaseState::READ,
            flags: LeaseFlags::NONE,
            v2: Some(LeaseV2 { epoch: leases.epoch(lease_key), ..LeaseV2::default() }),
        });
        Some(CreateRequest {
            requested_oplock_level: match lease {
                Some(_) => OplockLevel::LEASE,
                None => OplockLevel::NONE,
            },
            create_disposition: CreateDisposition::OPEN,
            name: handle.file.clone(),
            contexts: CreateContexts {
                durable_reconnect_v2: Some(DurableHandleReconnectV2 {
                    file_id: handle.file_id?,
                    create_guid: handle.create_guid,
                    flags: DurableHandleFlags::PERSISTENT,
                }),
                lease,
                ..CreateContexts::default()
            },
            ..CreateRequest::default()
        })
    }
}
