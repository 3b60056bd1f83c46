//! `run`: one seed, in the open.

use std::error::Error;

use super::arguments::Run;
use super::build;
use super::worker_process::Worker;
use crate::plan::Plan;
use crate::report::exit;

pub fn run(arguments: &Run) -> Result<u8, Box<dyn Error>> {
    let worker = Worker::new(build::worker(arguments.planted.is_some())?, arguments.planted);
    eprint!("{}", Plan::of(arguments.seed, arguments.planted));
    let status = worker.command(arguments.seed, arguments.trace).status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::CRASH))
}
