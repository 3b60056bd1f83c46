//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use holdfast_cluster::planted::PlantedBug;

/// Runs Holdfast in a deterministic simulation.
#[derive(Parser)]
#[command(name = "holdfast-sim", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Subcommand)]
pub enum What {
    /// Run many seeds, one process each
    Sweep(Sweep),
    /// Run one seed
    Run(Run),
    /// Show that each planted bug is found
    Planted(Planted),
    /// Print the plan of a seed
    Plan(Run),
}

#[derive(Args)]
pub struct Sweep {
    /// How many seeds
    #[arg(long, default_value_t = 500)]
    pub seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    pub from: u64,
    /// How many at a time
    #[arg(long, default_value_t = 2)]
    pub jobs: usize,
    /// With this bug planted
    #[arg(long, value_parser = bug)]
    pub planted: Option<PlantedBug>,
    /// Keep results in this file, and skip seeds that it has already
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
}

#[derive(Args, Clone)]
pub struct Run {
    /// The seed
    #[arg(long)]
    pub seed: u64,
    /// With this bug planted
    #[arg(long, value_parser = bug)]
    pub planted: Option<PlantedBug>,
    /// Print every event
    #[arg(long)]
    pub trace: bool,
}

#[derive(Args)]
pub struct Planted {
    /// Begin with the recorded seeds, and look at few further ones
    #[arg(long)]
    pub recorded: bool,
    /// Only this bug
    #[arg(long, value_parser = bug)]
    pub bug: Option<PlantedBug>,
    /// Give up after so many seeds
    #[arg(long, default_value_t = 500)]
    pub limit: u64,
    /// How many at a time
    #[arg(long, default_value_t = 2)]
    pub jobs: usize,
}

fn bug(name: &str) -> Result<PlantedBug, String> {
    PlantedBug::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = PlantedBug::ALL.into_iter().map(PlantedBug::name).collect();
        format!("no such bug; there are {}", names.join(", "))
    })
}
