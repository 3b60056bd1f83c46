//! The simulated worker: one seed, one world, one line of report.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::planted::PlantedBug;
use madsim::runtime::Runtime;

use crate::plan::Plan;
use crate::recorder::Recorder;
use crate::report::{Report, exit};
use crate::scenarios;
use crate::tape::Tape;

/// Switches the server's log on, to standard error.
const LOG_VARIABLE: &str = "HOLDFAST_LOG";

struct Arguments {
    seed: u64,
    planted: Option<PlantedBug>,
    /// The bug that the plan leans towards, without the bug.
    leaning: Option<PlantedBug>,
    trace: bool,
}

/// Runs what the command line says: a seed, `--planted BUG`, `--leaning BUG`, `--trace`.
pub fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("this is the simulated worker; run the plain holdfast-sim instead");
        return ExitCode::from(exit::CRASH);
    };
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env(LOG_VARIABLE) {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .without_time()
            .with_ansi(false)
            .with_writer(std::io::stderr)
            .init();
    }
    if let Some(bug) = arguments.planted
        && !plant(bug)
    {
        eprintln!("this worker was built without planted bugs");
        return ExitCode::from(exit::CRASH);
    }
    let plan = Plan::of(arguments.seed, arguments.planted.or(arguments.leaning));
    let (report, code) = run(plan, arguments.trace);
    println!("{}", report.to_line());
    ExitCode::from(code)
}

fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1);
    let seed = words.next()?.parse().ok()?;
    let mut arguments = Arguments { seed, planted: None, leaning: None, trace: false };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--planted" => arguments.planted = Some(PlantedBug::from_name(&words.next()?)?),
            "--leaning" => arguments.leaning = Some(PlantedBug::from_name(&words.next()?)?),
            "--trace" => arguments.trace = true,
            _ => return None,
        }
    }
    Some(arguments)
}

#[cfg(feature = "planted")]
fn plant(bug: PlantedBug) -> bool {
    holdfast_cluster::planted::plant(bug);
    true
}

#[cfg(not(feature = "planted"))]
fn plant(_bug: PlantedBug) -> bool {
    false
}

fn run(plan: Plan, trace: bool) -> (Report, u8) {
    let seed = plan.seed;
    let mut config = madsim::Config::default();
    config.net.send_latency = plan.network.0..plan.network.1;
    let mut runtime = Runtime::with_seed_and_config(seed, config);
    runtime.set_time_limit(plan.faulty + plan.calm + Duration::from_secs(60));
    let tape = Arc::new(Tape::new(Recorder::new(trace)));
    let shared = tape.clone();
    let ended = runtime.block_on(async move {
        scenarios::run(plan, shared.clone()).await;
        shared.now()
    });
    tape.with(|recorder| {
        recorder.finish(ended);
        let code = match recorder.violation() {
            None => exit::OK,
            Some(violation) if violation.liveness => exit::LIVENESS,
            Some(_) => exit::CORRECTNESS,
        };
        let report = Report {
            seed,
            hash: recorder.hash().0,
            millis: ended.as_millis() as u64,
            counters: recorder.counters.clone(),
            violation: recorder.violation().map(ToString::to_string).unwrap_or_default(),
        };
        (report, code)
    })
}
