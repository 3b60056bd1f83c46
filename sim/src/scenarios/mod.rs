//! Scenarios: they compose a world, clients, faults and a healing, and decide nothing else.

mod contention;
mod found;

pub use contention::run;
