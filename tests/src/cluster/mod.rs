//! `holdfast dev` as a child process, and what a test asks about its nodes and does to them.

mod dev;
mod process;
mod program;
mod status;

pub use dev::{DevCluster, DevSettings};
pub use process::Process;
pub use program::program;
pub use status::Status;
