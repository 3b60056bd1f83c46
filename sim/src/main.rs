//! `holdfast-sim`: built plainly it is the controller, which builds and starts the simulated
//! worker; built for the simulator it is that worker.

use std::process::ExitCode;

#[cfg(madsim)]
fn main() -> ExitCode {
    holdfast_sim::worker::main()
}

#[cfg(not(madsim))]
fn main() -> ExitCode {
    holdfast_sim::controller::main()
}
