//! `holdfast doctor`: whether clocks, disks, network and shared storage can keep what clients are
//! promised.
//!
//! A check is two things that know nothing of each other: a probe, which measures over a port (a
//! clock, a disk, the cluster, a volume), and a judge, which is pure: figures in, [`Finding`]s out.
//! Each check has a file of its own.
//!
//! What concerns one host is measured by the command itself; what concerns the cluster by the node
//! that the command asks, with the others' help ([`answering`]).

pub mod answering;
pub mod availability;
pub mod clock;
pub mod coherence;
pub mod filesystem;
mod finding;
#[cfg(not(madsim))]
pub mod host;
pub mod network;
#[cfg(not(madsim))]
pub mod reach;
pub mod space;
pub mod sync;

pub use coherence::Benches;
pub use finding::{Finding, Level, verdict};
