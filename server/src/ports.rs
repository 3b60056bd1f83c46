//! What handlers may call: the storage, the cluster, clocks and randomness. Nothing else of the
//! outside reaches them.

pub use holdfast_cluster::handle::{Cluster, NodeLease, SubmitError};
pub use holdfast_cluster::peer::{PeerHandler, PeerReply, PeerRequest, PeerSilent};
pub use holdfast_cluster::ports::{Clock, Random};

pub use crate::vfs::{Vfs, VfsFile};
