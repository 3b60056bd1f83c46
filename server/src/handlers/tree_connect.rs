//! TREE_CONNECT ([MS-SMB2] 3.3.5.7). That it came signed or encrypted was checked before.

use std::sync::Arc;

use holdfast_cluster::command::ShareSettings;
use holdfast_proto::NtStatus;
use holdfast_proto::msg::tree_connect::{ShareCapabilities, ShareFlags, ShareType};
use holdfast_proto::msg::{TreeConnectRequest, TreeConnectResponse};
use holdfast_proto::types::{AccessMask, ShareId};
use tracing::{error, info};

use crate::dispatch::{Failure, Given, HandlerResult, Reply, SessionContext};
use crate::node::Node;
use crate::session::{Tree, TreeConnect};
use crate::status;
use crate::vfs::{DirRef, Vfs, VfsError, VolumePath};

/// The share of named pipes, which every server has.
pub const IPC_SHARE: &str = "IPC$";

/// The longest name of a share ([MS-FSCC] 2.1.6).
const SHARE_NAME_MAX: usize = 80;

/// What a share's name has none of, beside control characters ([MS-FSCC] 2.1.6).
const SHARE_NAME_FORBIDS: &str = "\"\\/[]:|<>+=;,*?";

/// The longest name of a server ([MS-SMB2] 2.2.9).
const SERVER_NAME_MAX: usize = 255;

/// Connects a session to a share.
pub async fn handle(context: SessionContext, request: TreeConnectRequest) -> HandlerResult {
    let name = share_name(&request.path)?;
    if name.eq_ignore_ascii_case(IPC_SHARE) {
        return connect_ipc(&context);
    }
    let (id, settings) = find_share(&context.node, name).await?;
    if settings.encrypt && !context.session.security.can_encrypt() {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let (volume, root) = open_root(&context.node, &settings).await?;
    let maximal_access = maximal_access(&settings);
    let tree = context.session.insert_tree(|tree_id| {
        TreeConnect::Disk(Arc::new(Tree {
            id: tree_id,
            share: id,
            settings: settings.clone(),
            maximal_access,
            volume,
            root,
        }))
    });
    let tree = tree.map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    info!(session = %context.session.id, user = %context.session.user, share = %settings.name,
        tree = tree.id(), "tree connected");
    let available = context.node.cluster.state().is_available(&settings);
    let response = respond(&settings, available, maximal_access);
    Ok(Reply::success(response).giving(Given::Tree(tree.id())))
}

/// The share's part of `\\server\share` (2.2.9). Every alias of the server's name will do.
fn share_name(path: &str) -> Result<&str, NtStatus> {
    let rest = path.strip_prefix(r"\\").ok_or(NtStatus::INVALID_PARAMETER)?;
    let (server, share) = rest.split_once('\\').ok_or(NtStatus::INVALID_PARAMETER)?;
    let fits = |name: &str, max| !name.is_empty() && name.encode_utf16().count() <= max;
    let illegal = |c: char| c < ' ' || SHARE_NAME_FORBIDS.contains(c);
    if !fits(server, SERVER_NAME_MAX) || !fits(share, SHARE_NAME_MAX) || share.contains(illegal) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(share)
}

/// That a share is missing is said only when the replica has caught up with the leader.
async fn find_share(node: &Node, name: &str) -> Result<(ShareId, ShareSettings), Failure> {
    let look = || node.cluster.state().share_by_name(name).map(|s| (s.id, s.settings.clone()));
    if let Some(found) = look() {
        return Ok(found);
    }
    node.cluster.read_index().await?;
    look().ok_or_else(|| NtStatus::BAD_NETWORK_NAME.into())
}

async fn open_root(
    node: &Node,
    settings: &ShareSettings,
) -> Result<(Arc<dyn Vfs>, DirRef), Failure> {
    let Some(volume) = node.volume(settings.volume) else {
        error!(share = %settings.name, volume = %settings.volume, "the share's volume is missing");
        return Err(NtStatus::BAD_NETWORK_NAME.into());
    };
    let path = VolumePath::parse(&settings.path)?;
    match volume.root(node.issuer(), &path).await {
        Ok(root) => Ok((volume.clone(), root)),
        Err(error @ (VfsError::Unavailable | VfsError::Fenced)) => Err(error.into()),
        Err(error) => {
            error!(share = %settings.name, %error, "the share's directory cannot be opened");
            match status::of_vfs(&error) {
                NtStatus::ACCESS_DENIED => Err(NtStatus::ACCESS_DENIED.into()),
                _ => Err(NtStatus::BAD_NETWORK_NAME.into()),
            }
        }
    }
}

fn maximal_access(settings: &ShareSettings) -> AccessMask {
    if settings.read_only {
        AccessMask::FILE_GENERIC_READ | AccessMask::FILE_GENERIC_EXECUTE
    } else {
        AccessMask::FILE_ALL
    }
}

fn respond(
    settings: &ShareSettings,
    available: bool,
    maximal_access: AccessMask,
) -> TreeConnectResponse {
    let mut response = TreeConnectResponse {
        share_type: ShareType::DISK,
        share_flags: ShareFlags::NONE,
        capabilities: ShareCapabilities::NONE,
        maximal_access,
    };
    if settings.encrypt {
        response.share_flags |= ShareFlags::ENCRYPT_DATA;
    }
    if available {
        response.capabilities |= ShareCapabilities::CONTINUOUS_AVAILABILITY;
    }
    response
}

fn connect_ipc(context: &SessionContext) -> HandlerResult {
    let tree = context.session.insert_tree(TreeConnect::Ipc);
    let tree = tree.map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    let response = TreeConnectResponse {
        share_type: ShareType::PIPE,
        share_flags: ShareFlags::NO_CACHING,
        capabilities: ShareCapabilities::NONE,
        maximal_access: AccessMask::FILE_ALL,
    };
    Ok(Reply::success(response).giving(Given::Tree(tree.id())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_shares() {
        assert_eq!(share_name(r"\\server\Data"), Ok("Data"));
        assert_eq!(share_name(r"\\10.0.0.1\IPC$"), Ok("IPC$"));
        let malformed = Err(NtStatus::INVALID_PARAMETER);
        for bad in ["", r"\\", r"\\server", r"\\server\", r"server\data", r"\\s\a\b", r"\\\a"] {
            assert_eq!(share_name(bad), malformed, "{bad}");
        }
        for bad in [r"\\s\a*", "\\\\s\\a\u{1f}", r"\\s\a/b"] {
            assert_eq!(share_name(bad), malformed, "{bad}");
        }
        let path = |server: usize, share: usize| {
            format!(r"\\{}\{}", "s".repeat(server), "x".repeat(share))
        };
        assert!(share_name(&path(255, 80)).is_ok());
        assert_eq!(share_name(&path(255, 81)), malformed);
        assert_eq!(share_name(&path(256, 80)), malformed);
    }
}
