//! FileRenameInformation ([MS-FSCC] 2.4.37.2): both names are reserved in the log, the storage
//! carries the step out, the log holds its end.

use holdfast_cluster::command::{Command, Place};
use holdfast_cluster::outcome::{Outcome, Refusal};
use holdfast_proto::NtStatus;
use holdfast_proto::info::file::FileRenameInformation;
use holdfast_proto::types::{AccessMask, FileKey};

use super::need;
use crate::dispatch::{Failure, RequestContext};
use crate::duties;
use crate::handlers::create::name;
use crate::handlers::create::settle::{Settled, settle};
use crate::places;
use crate::session::LocalOpen;
use crate::vfs::{FileKind, VfsError};

/// How often a name that keeps changing is looked up.
const LOOKS_MAX: usize = 16;

pub(super) async fn set(
    ctx: &RequestContext,
    open: &LocalOpen,
    information: FileRenameInformation,
) -> Result<(), Failure> {
    need(open, AccessMask::DELETE)?;
    if information.root_directory != 0 {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    if open.file == ctx.tree.root.key {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    // Unlike CREATE, a rename may begin its name with a separator ([MS-FSCC] 2.4.37.2).
    let target = information.name.strip_prefix('\\').unwrap_or(&information.name);
    let components = name::components(target)?;
    if components.is_empty() {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    for _ in 0..LOOKS_MAX {
        let look = look_up(ctx, open, &components, information.replace_if_exists).await?;
        if attempt(ctx, open, look, information.replace_if_exists).await? {
            return Ok(());
        }
    }
    Err(NtStatus::FILE_NOT_AVAILABLE.into())
}

/// Where the new name is, and what goes if it is taken.
struct Look {
    to: Place,
    replace: Option<FileKey>,
}

async fn look_up(
    ctx: &RequestContext,
    open: &LocalOpen,
    components: &[String],
    replace_if_exists: bool,
) -> Result<Look, Failure> {
    let parts: Vec<&str> = components.iter().map(String::as_str).collect();
    let volume = &ctx.tree.volume;
    let resolved = volume.resolve(ctx.node.issuer(), &ctx.tree.root, &parts).await?;
    // The new spelling counts, even if it differs from the old one by case alone.
    let to = places::child(&resolved.parent, &resolved.name);
    let replace = match &resolved.leaf {
        Some(leaf) if leaf.stat.key == open.file => None,
        // [MS-FSA] 2.1.5.15.11: neither goes by being renamed over.
        Some(leaf)
            if replace_if_exists
                && (leaf.stat.kind == FileKind::Directory || leaf.stat.is_read_only_file()) =>
        {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        Some(leaf) => Some(leaf.stat.key),
        None => None,
    };
    Ok(Look { to, replace })
}

/// One attempt; false if the name was bound anew meanwhile.
async fn attempt(
    ctx: &RequestContext,
    open: &LocalOpen,
    look: Look,
    replace_if_exists: bool,
) -> Result<bool, Failure> {
    if look.replace.is_some() && !replace_if_exists {
        return Err(NtStatus::OBJECT_NAME_COLLISION.into());
    }
    let command = Command::BeginRename {
        open: open.open,
        to: look.to.clone(),
        replace: look.replace,
        replace_if_exists,
    };
    match settle(&ctx.node, &ctx.pending, command).await? {
        Settled::Refused(Refusal::PlaceChanged) => return Ok(false),
        Settled::Refused(refusal) => return Err(refusal.into()),
        Settled::Decided(Outcome::Begun { duty }) => match duties::run(&ctx.node, &duty).await {
            Ok(()) => {}
            Err(VfsError::AlreadyExists) => return Ok(false),
            Err(error) => return Err(error.into()),
        },
        // It has that name already.
        Settled::Decided(_) => {}
    }
    open.state.lock().place = look.to;
    Ok(true)
}
