//! From a path to an open: look the name up, then open what is there or make what is not.
//!
//! The name may change between the look and the cluster's word. Whoever finds that it did looks
//! again.

use holdfast_proto::NtStatus;
use holdfast_proto::types::{AccessMask, CreateDisposition, CreateOptions, FileAttributes};

use super::open_existing::{self, Found};
use super::plan::OpenPlan;
use super::produce;
use crate::dispatch::{Failure, HandlerResult, RequestContext};
use crate::places;
use crate::vfs::{Entry, FileKind, FileStat, OpenAccess, Resolved};

/// How often a name that keeps changing is looked up.
const LOOKS_MAX: usize = 16;

/// What nobody is granted on a READONLY file ([MS-FSA] 2.1.5.1.2.1): WRITE_DATA, APPEND_DATA (on
/// directories: ADD_SUBDIRECTORY) and DELETE_CHILD.
pub(super) const READONLY_FORBIDS: AccessMask = AccessMask(0x0000_0046);

/// What one look came to.
pub(super) enum Attempt {
    Answered(HandlerResult),
    /// The name was bound anew meanwhile.
    LookAgain,
}

/// Serves a CREATE that makes a new open.
pub async fn run(ctx: &RequestContext, plan: &OpenPlan) -> HandlerResult {
    for _ in 0..LOOKS_MAX {
        match attempt(ctx, plan).await? {
            Attempt::Answered(answer) => return answer,
            Attempt::LookAgain => {}
        }
    }
    Err(NtStatus::FILE_NOT_AVAILABLE.into())
}

async fn attempt(ctx: &RequestContext, plan: &OpenPlan) -> Result<Attempt, Failure> {
    if plan.components.is_empty() {
        return open_root(ctx, plan).await;
    }
    let components: Vec<&str> = plan.components.iter().map(String::as_str).collect();
    let volume = &ctx.tree.volume;
    let resolved = volume.resolve(ctx.node.issuer(), &ctx.tree.root, &components).await?;
    match &resolved.leaf {
        Some(leaf) => existing(ctx, plan, &resolved, leaf).await,
        None => missing(ctx, plan, &resolved).await,
    }
}

/// The share's own directory can be opened, and nothing else done to it.
async fn open_root(ctx: &RequestContext, plan: &OpenPlan) -> Result<Attempt, Failure> {
    let disposition = plan.terms.disposition;
    if disposition == CreateDisposition::CREATE {
        return Err(NtStatus::OBJECT_NAME_COLLISION.into());
    }
    if plan.terms.create_options.contains(CreateOptions::NON_DIRECTORY_FILE)
        || disposition.overwrites()
    {
        return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
    }
    if plan.terms.create_options.contains(CreateOptions::DELETE_ON_CLOSE) {
        return Err(NtStatus::CANNOT_DELETE.into());
    }
    let handle = ctx
        .tree
        .volume
        .open(ctx.node.issuer(), &ctx.tree.root.place(), OpenAccess::METADATA)
        .await?;
    let stat = handle.stat().await?;
    let found = Found { stat, place: places::of_root(&ctx.tree.root) };
    open_existing::run(ctx, plan, &found).await
}

async fn existing(
    ctx: &RequestContext,
    plan: &OpenPlan,
    resolved: &Resolved,
    leaf: &Entry,
) -> Result<Attempt, Failure> {
    let terms = &plan.terms;
    check_kind(leaf.stat.kind, terms.create_options)?;
    let found = Found { stat: leaf.stat, place: places::child(&resolved.parent, &leaf.name) };
    if terms.disposition == CreateDisposition::CREATE {
        // Only the cluster knows whether this very request made it.
        if terms.create_guid.is_some() && terms.replay {
            return produce::run(ctx, plan, resolved, Some(&found)).await;
        }
        return Err(NtStatus::OBJECT_NAME_COLLISION.into());
    }
    let allowed = check_attributes(&leaf.stat, plan);
    if allowed.is_err() && !was_made_before(ctx, plan).await? {
        allowed?;
    }
    if terms.disposition.overwrites() {
        if leaf.stat.kind == FileKind::Directory {
            return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
        }
        // [MS-FSA] 2.1.5.1.2: to overwrite is to write, whatever the open may do afterwards.
        if !ctx.tree.maximal_access.contains(AccessMask::WRITE_DATA) {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        return produce::run(ctx, plan, resolved, Some(&found)).await;
    }
    match granted_on(&leaf.stat, terms.access, terms.desired_access_raw) {
        access if access == terms.access => open_existing::run(ctx, plan, &found).await,
        access => {
            let mut plan = plan.clone();
            plan.terms.access = access;
            open_existing::run(ctx, &plan, &found).await
        }
    }
}

/// True if this is a CREATE sent again, whose first sending made an open, or is about to: what it
/// did to the file's attributes is nothing to hold against it. A "no" is a refusal, so the
/// replica catches up first.
async fn was_made_before(ctx: &RequestContext, plan: &OpenPlan) -> Result<bool, Failure> {
    let Some(guid) = plan.terms.create_guid.filter(|_| plan.terms.replay) else {
        return Ok(false);
    };
    ctx.node.cluster.read_index().await?;
    let state = ctx.node.cluster.state();
    Ok(state.create_guid_uses(guid).any(|(client, _)| client == plan.terms.client_guid))
}

/// [MS-FSA] 2.1.5.1.2.1: MAXIMUM_ALLOWED does not mean what READONLY forbids.
fn granted_on(stat: &FileStat, access: AccessMask, raw: AccessMask) -> AccessMask {
    match raw.contains(AccessMask::MAXIMUM_ALLOWED) && stat.is_read_only_file() {
        true => access.without(READONLY_FORBIDS.without(raw.map_generic())),
        false => access,
    }
}

async fn missing(
    ctx: &RequestContext,
    plan: &OpenPlan,
    resolved: &Resolved,
) -> Result<Attempt, Failure> {
    if !plan.terms.disposition.creates() {
        return Err(NtStatus::OBJECT_NAME_NOT_FOUND.into());
    }
    if ctx.tree.settings.read_only {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let attributes = plan.terms.file_attributes;
    if attributes.contains(FileAttributes::READONLY)
        && plan.terms.create_options.contains(CreateOptions::DELETE_ON_CLOSE)
    {
        return Err(NtStatus::CANNOT_DELETE.into());
    }
    produce::run(ctx, plan, resolved, None).await
}

/// [MS-FSA] 2.1.5.1.2: what is there must be what is asked for.
fn check_kind(kind: FileKind, options: CreateOptions) -> Result<(), Failure> {
    match kind {
        // Links are never followed, and where they lead is not told: STOPPED_ON_SYMLINK would have
        // to ([MS-SMB2] 2.2.2.2.1).
        FileKind::Symlink => Err(NtStatus::ACCESS_DENIED.into()),
        FileKind::File if options.contains(CreateOptions::DIRECTORY_FILE) => {
            Err(NtStatus::NOT_A_DIRECTORY.into())
        }
        FileKind::Directory if options.contains(CreateOptions::NON_DIRECTORY_FILE) => {
            Err(NtStatus::FILE_IS_A_DIRECTORY.into())
        }
        _ => Ok(()),
    }
}

/// [MS-FSA] 2.1.5.1.2.1: what READONLY, HIDDEN and SYSTEM forbid.
fn check_attributes(stat: &FileStat, plan: &OpenPlan) -> Result<(), Failure> {
    const CHANGES: AccessMask = AccessMask(0x0000_0006);
    let terms = &plan.terms;
    let explicit = terms.desired_access_raw.map_generic();
    if stat.is_read_only_file() {
        if explicit.intersects(CHANGES) || terms.disposition.overwrites() {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        if terms.create_options.contains(CreateOptions::DELETE_ON_CLOSE) {
            return Err(NtStatus::CANNOT_DELETE.into());
        }
    }
    if terms.disposition.overwrites() {
        for must_stay in [FileAttributes::HIDDEN, FileAttributes::SYSTEM] {
            if stat.attributes.contains(must_stay) && !terms.file_attributes.contains(must_stay) {
                return Err(NtStatus::ACCESS_DENIED.into());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status;
    use crate::vfs::VfsError;

    #[test]
    fn where_links_lead_is_not_told() {
        let denied = NtStatus::ACCESS_DENIED;
        assert_eq!(check_kind(FileKind::Symlink, CreateOptions::NONE), Err(denied.into()));
        assert_eq!(status::of_vfs(&VfsError::SymlinkInPath { component: 0 }), denied);
    }
}
