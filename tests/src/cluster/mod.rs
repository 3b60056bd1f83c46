//! A cluster of real processes as a test runs it: `holdfast dev`, or nodes that the runner founds by
//! it and then keeps itself, where each of them needs a storage or a network of its own. And what a
//! test asks about nodes and does to them.

mod boot;
mod dev;
mod keeper;
mod process;
mod program;
mod running;
mod status;

pub use boot::{Boot, boot_clock};
pub use process::{Process, is_runner};
pub use program::program;
pub use running::{Cluster, Kind, Settings};
pub use status::Status;
