//! Failover of real processes: nodes of a `holdfast dev` cluster fail while clients contend, and
//! nothing that was promised may be lost.

mod arguments;
mod checkers;
mod faults;
mod history;
mod many_opens;
mod measure;
mod results;
mod round;
mod rounds;
mod stage;
mod summary;
mod workload;

pub use arguments::{AFTER_HELP, Arguments, LONG_ABOUT};
pub use rounds::main;
