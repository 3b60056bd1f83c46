//! The process around the node.

use std::io;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use tracing_subscriber::EnvFilter;

/// How much is logged, where nobody says.
const LOG_DEFAULT: &str = "info,openraft=error";
/// What says it.
const LOG_VARIABLE: &str = "HOLDFAST_LOG";

/// Asks the kernel to end this process with its parent, however that ends. Called on the main
/// thread, which lives as long as the process.
pub fn end_with_parent(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have ended before the kernel was asked.
    let now = getppid().map(Pid::as_raw_nonzero).map(|pid| pid.get());
    if now != i32::try_from(parent).ok() {
        return Err(io::Error::other("the process that started this one is gone"));
    }
    Ok(())
}

/// Log lines go to standard error. None of them holds a secret.
pub fn log_to_stderr() {
    let wanted = std::env::var(LOG_VARIABLE).unwrap_or_else(|_| LOG_DEFAULT.to_owned());
    let filter = EnvFilter::try_new(&wanted).unwrap_or_else(|error| {
        eprintln!("{LOG_VARIABLE}=\"{wanted}\": {error}; {LOG_DEFAULT} is taken instead");
        EnvFilter::new(LOG_DEFAULT)
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
}
