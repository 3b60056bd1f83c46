//! The program: see [`holdfast_server::cli`].

#[cfg(not(madsim))]
fn main() -> std::process::ExitCode {
    holdfast_server::cli::main()
}

/// Nodes in the simulation are put together by the simulator.
#[cfg(madsim)]
fn main() {}
