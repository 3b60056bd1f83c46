//! `holdfast-tests`: runners that judge the built program.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use holdfast_tests::{failover, layer};

/// Judges the built `holdfast` from outside: real processes, real sockets, real faults.
///
/// The program under test is HOLDFAST_BIN, or target/release/holdfast of this clone, which is built
/// if it is missing.
#[derive(Parser)]
#[command(name = "holdfast-tests", version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Let nodes fail under contending clients, and see that nothing promised is lost
    #[command(long_about = failover::LONG_ABOUT, after_long_help = failover::AFTER_HELP)]
    Failover(failover::Arguments),
    /// The fence command of clusters that have a recording layer under the share
    #[command(hide = true)]
    CutOff(layer::CutOff),
}

fn main() -> ExitCode {
    match Arguments::parse().what {
        What::Failover(arguments) => failover::main(arguments),
        What::CutOff(arguments) => layer::cut_off(&arguments),
    }
}
