//! `planted`: each bug that can be planted is planted and looked for.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use holdfast_cluster::planted::PlantedBug;

use super::arguments::Planted;
use super::build;
use super::sweep::first_failure;
use super::worker_process::{Worker, seconds};
use crate::report::exit;

/// One seed for each bug that shows it, for quick checks.
const RECORDED: &str = "planted_seeds.txt";
/// Where a recorded seed shows its bug no more, because the code took another turn since, so many
/// from there on are tried.
const RECORDED_LIMIT: u64 = 60;

pub fn run(arguments: &Planted) -> Result<u8, Box<dyn Error>> {
    let program = build::worker(true)?;
    let bugs =
        PlantedBug::ALL.into_iter().filter(|bug| arguments.bug.is_none_or(|only| only == *bug));
    let recorded = if arguments.recorded { recorded()? } else { BTreeMap::new() };
    let mut missed = 0;
    println!("{:<30} {:>6} {:>10}  found by", "planted bug", "seeds", "time");
    for bug in bugs {
        let worker = Worker::new(program.clone(), Some(bug));
        let begun = Instant::now();
        let (from, limit) = match (arguments.recorded, recorded.get(bug.name())) {
            (true, Some(seed)) => (*seed, RECORDED_LIMIT),
            (true, None) => return Err(format!("no seed of {} is recorded", bug.name()).into()),
            (false, _) => (1, arguments.limit),
        };
        let took = |begun: Instant| seconds(begun.elapsed());
        match first_failure(&worker, from, limit, arguments.jobs)? {
            Some(outcome) if !worker.without_bug().run(outcome.seed)?.is_ok() => {
                missed += 1;
                println!(
                    "{:<30} {:>6} {:>10}  seed {} fails without the bug too: a bug of our own",
                    bug.name(),
                    outcome.seed - from + 1,
                    took(begun),
                    outcome.seed
                );
            }
            Some(outcome) => {
                let seeds = outcome.seed - from + 1;
                let what = match outcome.report.violation.as_str() {
                    "" => outcome.said.as_str(),
                    violation => violation,
                };
                println!(
                    "{:<30} {seeds:>6} {:>10}  {}, seed {}: {what}",
                    bug.name(),
                    took(begun),
                    outcome.kind(),
                    outcome.seed
                );
                if arguments.recorded && seeds > 1 {
                    println!(
                        "  record seed {} in {RECORDED}: the one there shows it no more",
                        outcome.seed
                    );
                }
            }
            None => {
                missed += 1;
                println!("{:<30} {:>6} {:>10}  NOT FOUND", bug.name(), limit, took(begun));
            }
        }
    }
    Ok(if missed == 0 { exit::OK } else { exit::CORRECTNESS })
}

fn recorded() -> Result<BTreeMap<String, u64>, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORDED);
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut seeds = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (bug, seed) = line
            .split_once(char::is_whitespace)
            .ok_or_else(|| format!("{}: \"{line}\" is not a bug and its seed", path.display()))?;
        seeds.insert(bug.to_owned(), seed.trim().parse()?);
    }
    Ok(seeds)
}
