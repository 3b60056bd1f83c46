//! Sessions ([MS-SMB2] 3.3.1.8), as far as other nodes need to know them, and through them the
//! global client table (3.3.1.5): a client's dialect is that of its sessions, and goes with them.

use holdfast_proto::types::ClientGuid;

use crate::command::NodeLife;

/// A session that logged on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRecord {
    /// Who serves it. A session never moves.
    pub life: NodeLife,
    pub user: String,
    pub client_guid: ClientGuid,
    pub dialect: u16,
}
