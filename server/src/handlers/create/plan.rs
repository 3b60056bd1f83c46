//! What a CREATE asks for, as far as the request alone tells ([MS-SMB2] 3.3.5.9, [MS-FSA]
//! 2.1.5.1). Pure: nothing is looked up.

use bytes::Bytes;
use holdfast_cluster::command::{Durability, LeaseRequest, OpenTerms};
use holdfast_proto::NtStatus;
use holdfast_proto::msg::CreateRequest;
use holdfast_proto::msg::create::{
    DurableHandleFlags, DurableHandleRequestV2, ImpersonationLevel, LeaseContext, LeaseFlags,
};
use holdfast_proto::types::{
    AccessMask, ClientGuid, CreateDisposition, CreateGuid, CreateOptions, FileAttributes, FileId,
    LeaseState, OplockLevel, SessionId, Sid,
};

use super::name;
use crate::session::Tree;

/// A durable open that no timeout was asked for, in milliseconds.
const DURABLE_DEFAULT_MILLIS: u64 = 60_000;
/// The longest timeout that a request is granted, in milliseconds.
const DURABLE_MAX_MILLIS: u64 = 300_000;

/// Who asks, as far as it counts.
pub struct Asker<'a> {
    pub session: SessionId,
    pub client_guid: ClientGuid,
    pub owner: &'a Sid,
    /// The client offered SMB2_GLOBAL_CAP_LEASING.
    pub leasing: bool,
    /// The client offered SMB2_GLOBAL_CAP_PERSISTENT_HANDLES.
    pub persistence: bool,
    pub channel_sequence: u16,
    pub replay: bool,
}

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Plan {
    Open(Box<OpenPlan>),
    Reconnect(Box<ReconnectPlan>),
}

/// An open that is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenPlan {
    /// The path below the share; empty for its root.
    pub components: Vec<String>,
    pub terms: OpenTerms,
    pub new_file: NewFile,
    pub answers: Answers,
}

/// What a file that is made gets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewFile {
    pub allocation: u64,
    /// A list of extended attributes, not looked into: it means nothing to a file that is there
    /// (3.3.5.9.1), however broken it is.
    pub extended_attributes: Option<Bytes>,
}

/// Contexts that only ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    pub max_access: bool,
    pub on_disk_id: bool,
}

/// An open that is asked for again (DH2C).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReconnectPlan {
    pub file_id: FileId,
    pub create_guid: CreateGuid,
    pub persistent: bool,
    pub lease: Option<LeaseRequest>,
    pub components: Vec<String>,
    pub answers: Answers,
}

/// Sorts a request out, or refuses it for what it says of itself.
pub fn plan(request: &CreateRequest, asker: &Asker<'_>, tree: &Tree) -> Result<Plan, NtStatus> {
    let contexts = &request.contexts;
    check_durable_contexts(request)?;
    let components = name::components(&request.name)?;
    let answers = Answers {
        max_access: contexts.max_access.is_some(),
        on_disk_id: contexts.query_on_disk_id.is_some(),
    };
    if let Some(reconnect) = &contexts.durable_reconnect_v2 {
        return Ok(Plan::Reconnect(Box::new(ReconnectPlan {
            file_id: reconnect.file_id,
            create_guid: reconnect.create_guid,
            persistent: is_persistent(reconnect.flags),
            lease: lease_request(request, asker),
            components,
            answers,
        })));
    }
    check_parameters(request)?;
    let access = granted_access(request.desired_access, tree.maximal_access)?;
    check_options(request, access)?;
    if contexts.timewarp.is_some() {
        // There are no earlier versions.
        return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    }
    let durable = contexts.durable_request_v2.as_ref();
    let terms = OpenTerms {
        session: asker.session,
        client_guid: asker.client_guid,
        owner: asker.owner.clone(),
        share: tree.share,
        desired_access_raw: request.desired_access,
        access,
        share_access: request.share_access,
        disposition: request.create_disposition,
        create_options_raw: request.create_options,
        create_options: effective_options(request.create_options, tree),
        file_attributes: settable_attributes(request.file_attributes),
        durability: durability(durable, asker, tree),
        create_guid: durable.map(|durable| durable.create_guid),
        replay: asker.replay,
        lease: lease_request(request, asker),
        oplock: oplock(request.requested_oplock_level),
        channel_sequence: asker.channel_sequence,
        continuously_available: tree.settings.continuously_available,
    };
    let new_file = NewFile {
        allocation: contexts.allocation_size.map_or(0, |size| size.allocation_size),
        extended_attributes: contexts.ext_attributes.as_ref().map(|list| list.data.clone()),
    };
    Ok(Plan::Open(Box::new(OpenPlan { components, terms, new_file, answers })))
}

/// 3.3.5.9.6, .7, .10, .12: which durable contexts exclude each other.
fn check_durable_contexts(request: &CreateRequest) -> Result<(), NtStatus> {
    let c = &request.contexts;
    let v1 = c.durable_request.is_some() || c.durable_reconnect.is_some();
    if c.durable_request_v2.is_some() && (v1 || c.durable_reconnect_v2.is_some()) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if c.durable_reconnect_v2.is_some() && v1 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if c.durable_reconnect.is_some() {
        // No open is durable in the way of version 1 here, so none can be found.
        return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    }
    Ok(())
}

fn check_parameters(request: &CreateRequest) -> Result<(), NtStatus> {
    if request.impersonation_level.0 > ImpersonationLevel::DELEGATE.0 {
        return Err(NtStatus::BAD_IMPERSONATION_LEVEL);
    }
    let options = request.create_options;
    let disposition = request.create_disposition;
    if disposition.0 > CreateDisposition::OVERWRITE_IF.0
        || request.share_access.bits() & !0x7 != 0
        || request.file_attributes.bits() & !0x7FB7 != 0
        || options.contains(CreateOptions::DIRECTORY_FILE | CreateOptions::NON_DIRECTORY_FILE)
    {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if options.contains(CreateOptions::DIRECTORY_FILE)
        && (disposition.overwrites() || request.file_attributes.contains(FileAttributes::TEMPORARY))
    {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if options.intersects(CreateOptions::OPEN_BY_FILE_ID | CreateOptions::OPEN_REMOTE_INSTANCE)
        || options.intersects(CreateOptions::RESERVE_OPFILTER)
    {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    Ok(())
}

/// GrantedAccess: what is asked for with generic bits mapped, or everything there is.
fn granted_access(desired: AccessMask, maximal: AccessMask) -> Result<AccessMask, NtStatus> {
    const UNKNOWN_BITS: u32 = 0x0CE0_FE00;
    if desired.is_empty() || desired.bits() & UNKNOWN_BITS != 0 {
        return Err(NtStatus::ACCESS_DENIED);
    }
    let mapped = desired.map_generic();
    let asked = mapped.without(AccessMask::MAXIMUM_ALLOWED);
    if !maximal.contains(asked) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    Ok(if mapped.contains(AccessMask::MAXIMUM_ALLOWED) { asked | maximal } else { asked })
}

fn check_options(request: &CreateRequest, access: AccessMask) -> Result<(), NtStatus> {
    let options = request.create_options;
    if options.contains(CreateOptions::DELETE_ON_CLOSE) && !access.contains(AccessMask::DELETE) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    if options.contains(CreateOptions::NO_EA_KNOWLEDGE) && request.contexts.ext_attributes.is_some()
    {
        // 2.2.13.
        return Err(NtStatus::ACCESS_DENIED);
    }
    if options.contains(CreateOptions::NO_INTERMEDIATE_BUFFERING)
        && access.contains(AccessMask::APPEND_DATA)
        && !access.contains(AccessMask::WRITE_DATA)
    {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(())
}

/// A continuously available share forces write-through (3.3.5.9).
fn effective_options(raw: CreateOptions, tree: &Tree) -> CreateOptions {
    if tree.settings.continuously_available { raw | CreateOptions::WRITE_THROUGH } else { raw }
}

/// Attributes that a client may give a new file ([MS-FSA] 2.1.5.1.1).
fn settable_attributes(asked: FileAttributes) -> FileAttributes {
    asked
        & (FileAttributes::READONLY
            | FileAttributes::HIDDEN
            | FileAttributes::SYSTEM
            | FileAttributes::ARCHIVE
            | FileAttributes::TEMPORARY
            | FileAttributes::NOT_CONTENT_INDEXED)
}

fn is_persistent(flags: DurableHandleFlags) -> bool {
    flags.contains(DurableHandleFlags::PERSISTENT)
}

/// 3.3.5.9.10: persistent where share, client and request want it; durable if the lease that is
/// granted has HANDLE, which the cluster decides.
fn durability(
    durable: Option<&DurableHandleRequestV2>,
    asker: &Asker<'_>,
    tree: &Tree,
) -> Durability {
    let Some(durable) = durable else { return Durability::None };
    let asked = u64::from(durable.timeout).min(DURABLE_MAX_MILLIS);
    let or = |default: u64| if asked == 0 { default } else { asked };
    if is_persistent(durable.flags) && asker.persistence && tree.settings.continuously_available {
        return Durability::Persistent { timeout_millis: or(tree.settings.ca_timeout_millis) };
    }
    Durability::Durable { timeout_millis: or(DURABLE_DEFAULT_MILLIS) }
}

/// The lease that counts: asked for by level and context, by a client that offered leasing.
fn lease_request(request: &CreateRequest, asker: &Asker<'_>) -> Option<LeaseRequest> {
    if !asker.leasing || request.requested_oplock_level != OplockLevel::LEASE {
        return None;
    }
    request.contexts.lease.as_ref().map(read_lease)
}

fn read_lease(lease: &LeaseContext) -> LeaseRequest {
    let v2 = lease.v2.as_ref();
    let with_parent = lease.flags.contains(LeaseFlags::PARENT_LEASE_KEY_SET);
    LeaseRequest {
        key: lease.lease_key,
        state: meaningful(lease.lease_state),
        parent_key: v2.filter(|_| with_parent).map(|v2| v2.parent_lease_key),
        epoch: v2.map_or(0, |v2| v2.epoch),
        version: if v2.is_some() { 2 } else { 1 },
    }
}

/// Lease states without READ, and bits that mean nothing, are granted as none.
fn meaningful(state: LeaseState) -> LeaseState {
    let known = state & LeaseState::RWH;
    if known.contains(LeaseState::READ) { known } else { LeaseState::NONE }
}

fn oplock(level: OplockLevel) -> u8 {
    if level == OplockLevel::LEASE { 0 } else { level.0 }
}
