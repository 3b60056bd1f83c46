//! Nodes that may do no more: how others make sure of it, and how a node does so itself.

#[cfg(not(madsim))]
mod chosen;
#[cfg(not(madsim))]
mod command;
#[cfg(not(madsim))]
mod guard;
#[cfg(not(madsim))]
mod process;
#[cfg(not(madsim))]
mod record;
#[cfg(not(madsim))]
mod same_host;
pub mod watchdog;

#[cfg(not(madsim))]
pub use chosen::NodeFencer;
#[cfg(not(madsim))]
pub use command::CommandFencer;
#[cfg(not(madsim))]
pub use guard::start_watchdog;
#[cfg(not(madsim))]
pub(crate) use process::{Process, Signal};
#[cfg(not(madsim))]
pub use process::{boot_id, machine_id, process_start};
#[cfg(not(madsim))]
pub use record::{CommandProof, FenceFailure, FenceLog, FenceMeans, FenceRecord, ProcessEnd};
#[cfg(not(madsim))]
pub use same_host::SameHostFencer;
