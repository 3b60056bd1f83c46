//! What has to be identical on all nodes, because a client disconnects from a server that is not
//! the one it first saw: names, sizes, capabilities, security mode. Frozen through a rolling
//! upgrade; all of it follows from the replicated state and this file.

use holdfast_cluster::state::State;
use holdfast_proto::msg::negotiate::{GlobalCapabilities, SecurityMode};
use holdfast_proto::types::Guid;

use crate::auth::ServerNames;

/// Every message of a session is signed or encrypted.
pub const SECURITY_MODE: SecurityMode =
    SecurityMode(SecurityMode::SIGNING_ENABLED.0 | SecurityMode::SIGNING_REQUIRED.0);

/// Told to a client that offered them; LARGE_MTU to everyone. Encryption is negotiated by its
/// context in 3.1.1.
pub const CAPABILITIES_IF_OFFERED: GlobalCapabilities =
    GlobalCapabilities(GlobalCapabilities::LEASING.0 | GlobalCapabilities::PERSISTENT_HANDLES.0);

/// The longest NetBIOS name.
const NETBIOS_MAX: usize = 15;

/// Who the cluster is to its clients.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    pub cluster_id: Guid,
    pub server_guid: Guid,
    pub names: ServerNames,
}

impl Identity {
    /// From the replicated state; none before the cluster is founded.
    pub fn of(state: &State) -> Option<Identity> {
        let cluster = state.cluster()?;
        Some(Identity {
            cluster_id: cluster.cluster_id,
            server_guid: cluster.server_guid,
            names: server_names(&cluster.name),
        })
    }
}

fn server_names(cluster: &str) -> ServerNames {
    let dns: String = cluster.chars().map(|c| c.to_ascii_lowercase()).collect();
    let label = cluster.split('.').next().unwrap_or_default();
    let netbios: String = label.chars().take(NETBIOS_MAX).map(|c| c.to_ascii_uppercase()).collect();
    ServerNames { netbios, dns }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_the_clusters() {
        let names = server_names("Files-of-the-whole-house.example.org");
        assert_eq!(names.netbios, "FILES-OF-THE-WH");
        assert_eq!(names.dns, "files-of-the-whole-house.example.org");
    }
}
