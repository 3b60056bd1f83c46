//! The controller: builds the simulated worker, runs one process a seed, sums up.
//!
//! It finds the compiler the way it was itself built, so that nobody has to know which flag makes a
//! simulated build, and it works from a fresh clone.

#![allow(clippy::disallowed_methods, reason = "it runs on the host and times real processes")]

mod arguments;
mod build;
mod minimums;
mod planted;
mod run;
mod sweep;
mod worker_process;

use std::process::ExitCode;

use clap::Parser;

use crate::report::exit;
use arguments::{Arguments, What};

/// Runs what the command line says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.what {
        What::Sweep(sweep) => sweep::run(&sweep),
        What::Run(run) => run::run(&run),
        What::Planted(planted) => planted::run(&planted),
        What::Plan(plan) => {
            println!("{}", crate::plan::Plan::of(plan.seed, plan.planted));
            Ok(exit::OK)
        }
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("holdfast-sim: {error}");
            ExitCode::from(exit::CRASH)
        }
    }
}
