//! A recording layer under the share: a FUSE file system of the runner's own between each node and
//! the folder that holds the files. It writes down what each life of a node asks of the storage and
//! when, can hold operations on their way as a long way would, and cuts a life off at the word of a
//! fence command: from then on nothing of it is carried out, even though its process may run on.
//!
//! Each node has a mount of its own, and each life of it a new one, so that the kernel never makes
//! one node wait for what another one's mount holds.

mod inodes;
mod life;
mod mount;
mod passing;
mod storage;
mod switch;
#[cfg(test)]
mod tests;
mod wire;

pub use life::{Cut, Fate, Life, Recorded};
pub use mount::remove_leftovers;
pub use storage::Storage;
pub use switch::{CutOff, cut_off};
