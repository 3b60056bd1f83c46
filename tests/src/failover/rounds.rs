//! All rounds of all faults, one after the other; what is done is kept whatever ends the run.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::arguments::Arguments;
use super::faults::Fault;
use super::many_opens;
use super::measure::percentile;
use super::results::Results;
use super::stage::{Outcome, Plan};
use super::summary;
use crate::client::Account;
use crate::cluster::{Cluster, Settings, is_runner, program};
use crate::{layer, network};

/// How many violations of a round are printed; the kept history tells them all.
const PRINTED_MAX: usize = 5;

/// The run was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;
/// Nothing could be judged.
const NOT_RUN: u8 = 2;

/// Runs what was asked for.
pub fn main(arguments: Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let code = match runtime {
        Ok(runtime) => runtime.block_on(judged(arguments)),
        Err(error) => Err(error.to_string()),
    };
    match code {
        Ok(code) => ExitCode::from(code),
        Err(why) => {
            eprintln!("holdfast-tests: {why}");
            ExitCode::from(NOT_RUN)
        }
    }
}

async fn judged(arguments: Arguments) -> Result<u8, String> {
    let mut results = Results::open(arguments.resume.as_deref())?;
    let seed = match (arguments.seed, results.seed()) {
        (Some(asked), Some(kept)) if asked != kept => {
            return Err(format!(
                "the results are those of seed {kept}, not {asked}: leave --seed out, or begin \
                 another file"
            ));
        }
        (asked, kept) => asked.or(kept).unwrap_or(1),
    };
    let faults = match arguments.faults.is_empty() {
        true => possible(Fault::usual()),
        false => {
            let mut faults = arguments.faults.clone();
            faults.sort_unstable();
            faults.dedup();
            let lacking = faults.iter().find_map(|fault| Some((fault, fault.lacks()?)));
            if let Some((fault, why)) = lacking {
                return Err(format!("{} cannot be run here: {why}", fault.name()));
            }
            faults
        }
    };
    remove_leftovers()?;
    let program = program()?;
    println!(
        "seed {seed}; {} rounds of {}; {} nodes, {} clients; {}",
        arguments.rounds,
        faults.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", "),
        arguments.nodes,
        arguments.clients,
        program.display()
    );
    let account = Account {
        user: "test".to_owned(),
        password: "a password".to_owned(),
        share: "demo".to_owned(),
    };
    let settings = Settings { program, nodes: arguments.nodes, account };
    let run = Run { arguments: &arguments, settings, seed };
    let ended = tokio::select! {
        biased;
        interrupted = interrupted() => {
            interrupted?;
            None
        }
        ended = run.all(&faults, &mut results) => Some(ended),
    };
    if let Some(Err(why)) = &ended {
        eprintln!("holdfast-tests: {why}");
    }
    // What other faults the file has is another run's business.
    let kept = |fault: &Fault| results.rounds.iter().any(|round| round.fault == *fault);
    let judged: Vec<Fault> = faults.iter().copied().filter(kept).collect();
    print!("\n{}", summary::table(&results.rounds, &judged, arguments.loaded));
    let good = summary::is_good(&results.rounds, &judged, arguments.loaded);
    match ended {
        None => {
            let how = match &arguments.resume {
                Some(file) => format!("--resume {} goes on from here", file.display()),
                None => "with --resume FILE the next run could go on from here".to_owned(),
            };
            println!("interrupted; {how}");
            Ok(INTERRUPTED)
        }
        Some(Err(_)) => Ok(NOT_RUN),
        Some(Ok(())) => Ok(u8::from(!good)),
    }
}

struct Run<'a> {
    arguments: &'a Arguments,
    settings: Settings,
    seed: u64,
}

impl Run<'_> {
    async fn all(&self, faults: &[Fault], results: &mut Results) -> Result<(), String> {
        for fault in faults {
            self.rounds_of(*fault, results).await?;
        }
        Ok(())
    }

    /// A cluster for the fault, and a new one after each round that broke something: what is wrong
    /// with it then is kept as it is.
    async fn rounds_of(&self, fault: Fault, results: &mut Results) -> Result<(), String> {
        if fault == Fault::ManyOpens
            && let Some(note) = many_opens::raise_descriptor_limit(self.arguments.opens)
        {
            println!("note: {note}");
        }
        let mut cluster: Option<Cluster> = None;
        for number in 1..=self.arguments.rounds {
            if results.has(fault, number) {
                continue;
            }
            let mut running = match cluster.take() {
                Some(cluster) => cluster,
                None => Cluster::start(self.settings.clone(), fault.kind()).await?,
            };
            if self.arguments.keep {
                running.keep_folder();
            }
            let plan = Plan {
                fault,
                number,
                seed: self.seed,
                clients: self.arguments.clients,
                opens: self.arguments.opens,
                account: self.settings.account.clone(),
            };
            let outcome = plan.run(&running).await;
            self.tell(&outcome);
            if self.arguments.keep {
                write_history(&running, &outcome)?;
            }
            if outcome.result.is_whole() && !fault.spends_its_cluster() {
                cluster = Some(running);
            } else if outcome.result.is_whole() {
                // What it holds, or what became of its clocks, would burden the next round.
                running.stop().await?;
            } else {
                keep(running, &outcome).await?;
            }
            results.add(outcome.result)?;
        }
        match cluster {
            Some(cluster) => cluster.stop().await,
            None => Ok(()),
        }
    }

    fn tell(&self, outcome: &Outcome) {
        let result = &outcome.result;
        let worst = |times: &[Duration]| {
            percentile(times, 100)
                .map_or_else(|| "-".to_owned(), |time| format!("{:.3} s", time.as_secs_f64()))
        };
        println!(
            "{} {}/{}: {}: {} clients back after {} at most{}, the others' longest wait {}; {} \
             handles reclaimed, {} writes, {} replays",
            result.fault.name(),
            result.number,
            self.arguments.rounds,
            if outcome.about.is_empty() { "failed" } else { &outcome.about },
            result.affected.len(),
            worst(&result.affected),
            if result.fault.is_silent() { " from their first attempt elsewhere" } else { "" },
            worst(&result.others),
            result.counts.reclaimed,
            result.counts.writes,
            result.counts.replays,
        );
        for violation in outcome.violations.iter().take(PRINTED_MAX) {
            println!("  BROKEN {violation}");
        }
        if let Some(more) = outcome.violations.len().checked_sub(PRINTED_MAX + 1) {
            println!("  and {} more", more + 1);
        }
    }
}

/// Without those that this machine cannot do, which is said.
fn possible(faults: impl Iterator<Item = Fault>) -> Vec<Fault> {
    let lacks_nothing = |fault: &Fault| match fault.lacks() {
        None => true,
        Some(why) => {
            println!("note: {} is left out: {why}", fault.name());
            false
        }
    };
    faults.filter(lacks_nothing).collect()
}

/// Takes down what earlier runs left behind that were killed.
fn remove_leftovers() -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    for point in layer::remove_leftovers(is_runner)? {
        println!("note: {} of an earlier run is unmounted", point.display());
    }
    for space in network::remove_leftovers()? {
        println!("note: the namespace {space} of an earlier run is removed");
    }
    Ok(())
}

/// Returns when somebody wants the run to end.
async fn interrupted() -> Result<(), String> {
    let at = |error: std::io::Error| format!("Ctrl-C cannot be heard: {error}");
    let mut terminate = signal(SignalKind::terminate()).map_err(at)?;
    tokio::select! {
        biased;
        pressed = tokio::signal::ctrl_c() => pressed.map_err(at),
        _ = terminate.recv() => Ok(()),
    }
}

/// Ends the cluster of a broken round and leaves its folder with the history in it.
async fn keep(mut cluster: Cluster, outcome: &Outcome) -> Result<(), String> {
    cluster.keep_folder();
    println!("  kept for a look: {}", write_history(&cluster, outcome)?.display());
    if let Err(why) = cluster.stop().await {
        println!("  and {why}");
    }
    Ok(())
}

/// What was wrong, and all that clients saw, into the cluster's folder.
fn write_history(cluster: &Cluster, outcome: &Outcome) -> Result<PathBuf, String> {
    let (fault, number) = (outcome.result.fault.name(), outcome.result.number);
    let file = cluster.folder().join(format!("{fault}-{number}.history"));
    let mut text = format!("{}\n{}\n", outcome.result, outcome.about);
    text.extend(outcome.violations.iter().map(|violation| format!("{violation}\n")));
    text.push_str(&outcome.history);
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}
