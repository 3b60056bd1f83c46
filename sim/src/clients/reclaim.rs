//! DH2C: every handle is given back after the connection was lost.

use holdfast_proto::NtStatus;
use holdfast_proto::msg::create::{
    DurableHandleFlags, DurableHandleReconnectV2, LeaseContext, LeaseFlags, LeaseV2,
};
use holdfast_proto::msg::{CreateContexts, CreateRequest, Response};
use holdfast_proto::types::{CreateDisposition, LeaseState, OplockLevel};
use tokio::time::Instant;

use super::client::{Client, is_not_now};
use super::connection::NoAnswer;
use crate::event::{ClientEvent, HandleId};

/// Statuses that say that there is no such open.
pub fn is_gone(status: NtStatus) -> bool {
    matches!(
        status,
        NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::FILE_CLOSED | NtStatus::INVALID_HANDLE
    )
}

impl Client {
    /// Asks for every handle that the link does not have yet. An error: the link is of no use.
    pub(super) async fn reclaim_all(&mut self) -> Result<(), NoAnswer> {
        let wanted: Vec<HandleId> = self
            .handles
            .values()
            .filter(|handle| !handle.attached && handle.file_id.is_some())
            .map(|handle| handle.id)
            .collect();
        for id in wanted {
            self.at("reclaiming");
            self.reclaim(id).await?;
        }
        Ok(())
    }

    async fn reclaim(&mut self, id: HandleId) -> Result<(), NoAnswer> {
        let begun = Instant::now();
        loop {
            let Some(request) = self.reconnect_request(id) else { return Ok(()) };
            let sent = self.around.tape.now();
            match self.ask(request, false, self.patience()).await? {
                (NtStatus::SUCCESS, Response::Create(response)) => {
                    let node = self.node();
                    let Some(handle) = self.handles.get_mut(&id) else { return Ok(()) };
                    let elsewhere = handle.node != node;
                    handle.file_id = Some(response.file_id);
                    handle.attached = true;
                    handle.node = node;
                    self.tell(ClientEvent::Reclaimed { handle: id, elsewhere });
                    self.confirm(id, sent);
                    (self.around.on_answer)();
                    return Ok(());
                }
                (status, _) if is_not_now(status) && self.goes_on(begun) => {
                    self.pause_before_retry().await;
                }
                (status, _) if is_not_now(status) => return Err(NoAnswer),
                (status, _) => {
                    if !is_gone(status) {
                        let what = format!("a handle is not given back: {status}");
                        self.tell(ClientEvent::BadAnswer { what });
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
        let flags = match handle.promised {
            true => DurableHandleFlags::PERSISTENT,
            false => DurableHandleFlags::NONE,
        };
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
                    flags,
                }),
                lease,
                ..CreateContexts::default()
            },
            ..CreateRequest::default()
        })
    }
}
