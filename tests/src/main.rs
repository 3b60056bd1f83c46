//! `holdfast-tests`: runners that judge the built program.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use holdfast_tests::failover;

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
}

fn main() -> ExitCode {
    let What::Failover(arguments) = Arguments::parse().what;
    failover::main(arguments)
}
