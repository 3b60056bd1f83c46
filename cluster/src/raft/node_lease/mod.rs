//! Node leases: who may touch the storage, who is suspected, and who brings the proof that an
//! incarnation has ended.
//!
//! `renewal` is the holder's side, on every node. `grants` answers renewals and `duties` watches
//! over the others, both on the leader. `fencing`, on every node, prepares for the other
//! incarnations' end and brings its proof. Renewals are not in the log; suspicion and fence are.

pub mod duties;
pub mod fencing;
pub mod grants;
pub mod renewal;

use std::time::Duration;

/// A lease's length, counted on the boot clock from the moment at which the renewal was sent.
pub const LENGTH: Duration = Duration::from_millis(1500);
/// How often a node renews.
pub const RENEWAL: Duration = Duration::from_millis(250);
/// Renewals that must be missed before a node is suspected.
pub const MISSES: u32 = 3;
/// How long after the last renewal a node counts as cut off from the quorum.
pub const CUT_OFF: Duration = Duration::from_secs(3);
/// How long a fencer has before another one is named.
pub const FENCER_PATIENCE: Duration = Duration::from_secs(2);
