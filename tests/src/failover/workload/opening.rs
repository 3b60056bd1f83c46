//! CREATE, and its replay when the answer was lost.

use holdfast_proto::NtStatus;
use holdfast_proto::msg::create::{
    DurableHandleFlags, DurableHandleRequestV2, LeaseContext, LeaseFlags, LeaseV2,
};
use holdfast_proto::msg::{CreateContexts, CreateRequest, CreateResponse, Response};
use holdfast_proto::types::{
    AccessMask, CreateAction, CreateDisposition, CreateOptions, LeaseState, OplockLevel,
    ShareAccess,
};
use tokio::time::Instant;

use super::super::history::{Event, HandleId, Operation};
use super::handle::{Attempt, Handle, Purpose};
use super::worker::Worker;
use crate::client::is_not_now;

const ACCESS: AccessMask =
    AccessMask(AccessMask::FILE_GENERIC_READ.0 | AccessMask::FILE_GENERIC_WRITE.0);

const SHARE_ALL: ShareAccess =
    ShareAccess(ShareAccess::READ.0 | ShareAccess::WRITE.0 | ShareAccess::DELETE.0);

impl Worker {
    /// Opens a file persistently, creating it if need be; asks for `lease` unless it is empty. None
    /// if it is refused.
    pub(super) async fn open(
        &mut self,
        file: String,
        purpose: Purpose,
        lease: LeaseState,
    ) -> Option<HandleId> {
        self.at(format!("opening {file}"));
        let id = self.around.handle_id();
        let create_guid = self.random.guid();
        let key = (!lease.is_empty()).then(|| self.random.guid());
        if let Some(key) = key {
            self.leases.lock().expect(key);
        }
        let handle = Handle {
            id,
            purpose,
            file,
            create_guid,
            lease: key,
            file_id: None,
            attached: false,
            closing: false,
            locks: Default::default(),
            lock_numbers: Default::default(),
        };
        self.handles.insert(id, handle);
        match self.create(id, lease).await {
            true => Some(id),
            false => {
                self.forget(id);
                None
            }
        }
    }

    /// True if it was carried out.
    async fn create(&mut self, id: HandleId, lease: LeaseState) -> bool {
        let begun = Instant::now();
        let invoked = self.now();
        let mut sent_before = false;
        loop {
            self.ensure_link().await;
            let Some(request) = self.create_request(id, lease) else { return false };
            let (file, exclusive) =
                (request.name.clone(), request.create_disposition == CreateDisposition::CREATE);
            let attempt = Attempt { invoked, sent: self.now() };
            match self.ask(request, sent_before, self.patience()).await {
                Err(_) => sent_before = true,
                Ok((NtStatus::SUCCESS, Response::Create(response))) => {
                    self.created(id, &response, exclusive, sent_before);
                    self.answered(id, Operation::Create, attempt);
                    return true;
                }
                Ok((status, _)) => {
                    if exclusive && status == NtStatus::OBJECT_NAME_COLLISION {
                        self.tell(Event::NotCreated { file, answer: status.to_string() });
                        return false;
                    }
                    if !is_not_now(status) {
                        self.bad(format!("the CREATE of {file} is answered by {status}"));
                        return false;
                    }
                }
            }
            // What may have taken effect is asked for until that is known.
            if !self.goes_on(begun) {
                self.bad(format!("the CREATE of {file} is never answered"));
                return false;
            }
            self.pause_before_retry().await;
        }
    }

    fn create_request(&self, id: HandleId, lease: LeaseState) -> Option<CreateRequest> {
        let handle = self.handles.get(&id)?;
        let lease = handle.lease.map(|lease_key| LeaseContext {
            lease_key,
            lease_state: lease,
            flags: LeaseFlags::NONE,
            v2: Some(LeaseV2::default()),
        });
        let disposition = match handle.purpose {
            Purpose::Created => CreateDisposition::CREATE,
            _ => CreateDisposition::OPEN_IF,
        };
        Some(CreateRequest {
            requested_oplock_level: match lease {
                Some(_) => OplockLevel::LEASE,
                None => OplockLevel::NONE,
            },
            desired_access: ACCESS,
            share_access: SHARE_ALL,
            create_disposition: disposition,
            create_options: CreateOptions::NON_DIRECTORY_FILE,
            name: handle.file.clone(),
            contexts: CreateContexts {
                durable_request_v2: Some(DurableHandleRequestV2 {
                    timeout: self.timeout,
                    flags: DurableHandleFlags::PERSISTENT,
                    create_guid: handle.create_guid,
                }),
                lease,
                ..CreateContexts::default()
            },
            ..CreateRequest::default()
        })
    }

    fn created(
        &mut self,
        id: HandleId,
        response: &CreateResponse,
        exclusive: bool,
        replayed: bool,
    ) {
        let Some(handle) = self.handles.get_mut(&id) else { return };
        handle.file_id = Some(response.file_id);
        handle.attached = true;
        let persistent = response
            .contexts
            .durable_v2
            .is_some_and(|promise| promise.flags.contains(DurableHandleFlags::PERSISTENT));
        let (file, open) = (handle.file.clone(), response.file_id.persistent);
        if exclusive && response.create_action != CreateAction::Created {
            let answer = format!("the action {:?}", response.create_action);
            self.tell(Event::NotCreated { file: file.clone(), answer });
        }
        self.tell(Event::Opened { handle: id, file, open, persistent, replayed });
    }
}
