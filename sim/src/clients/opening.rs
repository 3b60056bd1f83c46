//! CREATE, and its replay when the answer was lost.

use holdfast_proto::NtStatus;
use holdfast_proto::msg::create::{
    DurableHandleFlags, DurableHandleRequestV2, LeaseContext, LeaseFlags, LeaseV2,
};
use holdfast_proto::msg::{CreateContexts, CreateRequest, CreateResponse, Response};
use holdfast_proto::types::{
    AccessMask, CreateAction, CreateDisposition, CreateOptions, LeaseState, OpenId, OplockLevel,
    ShareAccess,
};
use std::time::Duration;
use tokio::time::Instant;

use super::client::{Client, is_not_now};
use super::guid;
use super::handle::Handle;
use crate::event::{ClientEvent, HandleId};

const ACCESS: AccessMask =
    AccessMask(AccessMask::FILE_GENERIC_READ.0 | AccessMask::FILE_GENERIC_WRITE.0);

const SHARE_ALL: ShareAccess =
    ShareAccess(ShareAccess::READ.0 | ShareAccess::WRITE.0 | ShareAccess::DELETE.0);

impl Client {
    /// Opens a shared file, or creates a file of its own. None if it is refused.
    pub(super) async fn open(&mut self, file: String, exclusive: bool) -> Option<HandleId> {
        self.at("opening");
        let id = self.around.handle_id();
        let workload = self.around.plan.workload;
        let leased = self.random.percent(workload.lease_percent);
        let lease = leased.then(|| guid(&mut self.random));
        let handle = Handle {
            id,
            file: file.clone(),
            exclusive,
            create_guid: guid(&mut self.random),
            lease,
            begun: self.around.tape.now(),
            file_id: None,
            attached: false,
            node: 0,
            promised: false,
            closing: false,
            confirmed: self.around.tape.now(),
            locks: Default::default(),
            lock_numbers: Default::default(),
        };
        let state = match self.random.percent(workload.write_lease_percent) {
            true => LeaseState::RWH,
            false => LeaseState::RH,
        };
        if let Some(key) = lease {
            self.leases.lock().expect(key);
        }
        self.handles.insert(id, handle);
        self.tell(ClientEvent::CreateInvoked { handle: id, file, exclusive });
        match self.create(id, state).await {
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
        let mut sent_before = false;
        loop {
            self.ensure_link().await;
            let Some(request) = self.create_request(id, lease) else { return false };
            let sent = self.around.tape.now();
            match self.ask(request, sent_before, self.patience()).await {
                Err(_) => sent_before = true,
                Ok((NtStatus::SUCCESS, Response::Create(response))) => {
                    self.created(id, &response, sent, sent_before);
                    return true;
                }
                Ok((status, _)) => {
                    let exclusive = self.handles.get(&id).is_some_and(|handle| handle.exclusive);
                    if exclusive && status == NtStatus::OBJECT_NAME_COLLISION {
                        self.not_created(id, status.to_string());
                        return false;
                    }
                    // A CREATE that may have taken effect is asked for until that is known.
                    let known = !sent_before && !exclusive;
                    if !is_not_now(status) || known || !self.goes_on(begun) {
                        return false;
                    }
                }
            }
            if !self.goes_on(begun) {
                return false;
            }
            self.pause_before_retry().await;
        }
    }

    /// An open that was made without its client knowing is kept no longer than any other: after
    /// that a replay is a CREATE like any other.
    fn not_created(&self, id: HandleId, answer: String) {
        let kept = Duration::from_millis(u64::from(self.around.plan.handle_timeout_millis));
        if let Some(handle) = self.handles.get(&id)
            && self.around.tape.now().saturating_sub(handle.begun) < kept * 98 / 100
        {
            let file = handle.file.clone();
            self.tell(ClientEvent::NotCreated { handle: id, file, answer });
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
        let disposition = match handle.exclusive {
            true => CreateDisposition::CREATE,
            false => CreateDisposition::OPEN_IF,
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
                    timeout: self.around.plan.handle_timeout_millis,
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
        sent: crate::event::At,
        replayed: bool,
    ) {
        let node = self.node();
        let Some(handle) = self.handles.get_mut(&id) else { return };
        handle.file_id = Some(response.file_id);
        handle.attached = true;
        handle.node = node;
        handle.confirmed = sent;
        let promise = response.contexts.durable_v2;
        handle.promised =
            promise.is_some_and(|promise| promise.flags.contains(DurableHandleFlags::PERSISTENT));
        let timeout = promise.map(|promise| Duration::from_millis(u64::from(promise.timeout)));
        let (file, exclusive) = (handle.file.clone(), handle.exclusive);
        let timeout = timeout.filter(|_| handle.promised);
        let open = OpenId(response.file_id.persistent);
        self.tell(ClientEvent::Opened { handle: id, open, file, timeout });
        if replayed {
            self.tell(ClientEvent::Replayed { handle: id });
        }
        if exclusive && response.create_action != CreateAction::Created {
            self.not_created(id, format!("the action {:?}", response.create_action));
        }
        (self.around.on_answer)();
    }
}
