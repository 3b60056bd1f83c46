//! `sweep`: many seeds, one process each, some of them twice.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::arguments::Sweep;
use super::worker_process::{Outcome, Worker, seconds};
use super::{build, minimums};
use crate::report::{Counters, Report, exit};

/// One seed in so many is run twice and must give the same trace.
const TWICE_ONE_IN: u64 = 50;
/// How often the state of things is told.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// What a sweep came to.
#[derive(Default)]
struct Sum {
    done: u64,
    counters: Counters,
    simulated: Duration,
    failed: Vec<(u64, &'static str)>,
    run_twice: u64,
    differing: u64,
}

pub fn run(arguments: &Sweep) -> Result<u8, Box<dyn Error>> {
    let worker = Worker::new(build::worker(arguments.planted.is_some())?, arguments.planted);
    let mut known = match &arguments.resume {
        Some(path) => read_results(path)?,
        None => BTreeMap::new(),
    };
    let seeds = arguments.from..arguments.from + arguments.seeds;
    known.retain(|seed, _| seeds.contains(seed));
    let mut sum = Sum::default();
    for report in known.values() {
        sum.add_report(report);
    }
    let todo: Vec<u64> = seeds.filter(|seed| !known.contains_key(seed)).collect();
    let begun = Instant::now();
    let mut told = begun;
    let mut worst = exit::OK;
    each_seed(&worker, &todo, arguments.jobs, |outcome, again| {
        sum.add(&worker, outcome, again);
        worst = worst.max(outcome.code);
        if outcome.is_ok()
            && let Some(path) = &arguments.resume
        {
            append_result(path, &outcome.report);
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            sum.tell(arguments.seeds, begun.elapsed());
        }
    })?;
    sum.tell(arguments.seeds, begun.elapsed());
    Ok(sum.verdict(worst, arguments.seeds))
}

/// Runs every seed, `jobs` at a time; `heard` gets each outcome, and that of the second run where
/// there was one.
fn each_seed(
    worker: &Worker,
    seeds: &[u64],
    jobs: usize,
    mut heard: impl FnMut(&Outcome, Option<&Outcome>),
) -> Result<(), Box<dyn Error>> {
    let next = AtomicU64::new(0);
    let (outcomes_tx, outcomes_rx) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (next, outcomes_tx) = (&next, outcomes_tx.clone());
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed) as usize;
                    let Some(seed) = seeds.get(at) else { return };
                    let both = worker.run(*seed).and_then(|first| {
                        let twice = seed % TWICE_ONE_IN == 1 && first.is_ok();
                        let again = if twice { Some(worker.run(*seed)?) } else { None };
                        Ok((first, again))
                    });
                    if outcomes_tx.send(both).is_err() {
                        return;
                    }
                }
            });
        }
        drop(outcomes_tx);
        for both in outcomes_rx {
            let (first, again) = both?;
            heard(&first, again.as_ref());
        }
        Ok(())
    })
}

impl Sum {
    fn add_report(&mut self, report: &Report) {
        self.done += 1;
        self.counters.merge(&report.counters);
        self.simulated += Duration::from_millis(report.millis);
    }

    fn add(&mut self, worker: &Worker, outcome: &Outcome, again: Option<&Outcome>) {
        self.add_report(&outcome.report);
        if !outcome.is_ok() {
            self.failed.push((outcome.seed, outcome.kind()));
            println!("seed {} {}: {}", outcome.seed, outcome.kind(), outcome.report.violation);
            if outcome.report.violation.is_empty() {
                println!("{}", outcome.said);
            }
            println!("  {}", worker.replay_line(outcome.seed));
        }
        if let Some(again) = again {
            self.run_twice += 1;
            if again.report.hash != outcome.report.hash {
                self.differing += 1;
                println!(
                    "seed {} differs from itself: {:016x} and {:016x}",
                    outcome.seed, outcome.report.hash, again.report.hash
                );
                println!("  {}", worker.replay_line(outcome.seed));
            }
        }
    }

    fn tell(&self, seeds: u64, took: Duration) {
        let rate = self.done as f64 / took.as_secs_f64().max(0.001);
        println!(
            "{} of {seeds} seeds, {rate:.1} a second, {} simulated in {}, {} failed",
            self.done,
            seconds(self.simulated),
            seconds(took),
            self.failed.len()
        );
    }

    fn verdict(&self, worst: u8, seeds: u64) -> u8 {
        println!("{} seeds run twice, {} differed", self.run_twice, self.differing);
        for (name, count) in &self.counters.0 {
            println!("  {name:<28} {count}");
        }
        let missed = minimums::missed(&self.counters, seeds);
        for missed in &missed {
            println!("met too rarely: {missed}");
        }
        match worst {
            exit::OK if self.differing > 0 => exit::CORRECTNESS,
            exit::OK if !missed.is_empty() => exit::LIVENESS,
            worst => worst,
        }
    }
}

/// The seeds of an earlier sweep that went well.
fn read_results(path: &Path) -> Result<BTreeMap<u64, Report>, Box<dyn Error>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text
            .lines()
            .filter_map(Report::from_line)
            .map(|report| (report.seed, report))
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

fn append_result(path: &Path, report: &Report) {
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| writeln!(file, "{}", report.to_line()));
    if let Err(error) = written {
        eprintln!("{}: {error}", path.display());
    }
}

/// The first of the seeds from `from` on, at most `limit`, that the worker fails; and how.
pub fn first_failure(
    worker: &Worker,
    from: u64,
    limit: u64,
    jobs: usize,
) -> Result<Option<Outcome>, Box<dyn Error>> {
    let jobs = jobs.max(1) as u64;
    let mut seed = from;
    while seed < from + limit {
        let batch: Vec<u64> = (seed..(seed + jobs).min(from + limit)).collect();
        let mut failed: BTreeMap<u64, Outcome> = BTreeMap::new();
        each_seed(worker, &batch, jobs as usize, |outcome, _| {
            if !outcome.is_ok() {
                failed.insert(outcome.seed, outcome.clone());
            }
        })?;
        if let Some((_, outcome)) = failed.pop_first() {
            return Ok(Some(outcome));
        }
        seed += jobs;
    }
    Ok(None)
}
