//! The whole of Holdfast in a deterministic simulation.
//!
//! A seed gives a [`plan`]; a worker runs the plan in one madsim world, in a process of its own:
//! the real server over simulated sockets, clocks and disks (`world`), clients written on `proto`
//! alone (`clients`), faults (`faults`), composed by a scenario (`scenarios`). What happens is
//! recorded as [`event`]s and judged at once by the [`checkers`]. The controller builds the worker,
//! runs one process a seed, and sums up.
//!
//! Never knows: how to repair anything. Clients know no type of the server; history checkers know
//! nothing but the recorded history.

pub mod checkers;
pub mod event;
pub mod plan;
pub mod recorder;
pub mod report;

#[cfg(madsim)]
pub mod clients;
#[cfg(madsim)]
pub mod faults;
#[cfg(madsim)]
pub mod scenarios;
#[cfg(madsim)]
pub mod tape;
#[cfg(madsim)]
pub mod worker;
#[cfg(madsim)]
pub mod world;

#[cfg(not(madsim))]
pub mod controller;
