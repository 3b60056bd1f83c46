//! Keeps nodes running as a supervisor does, each in its own surroundings.

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rustix::process::Signal;

use super::dev::STOP_LIMIT;
use super::process::Process;
use crate::layer::Storage;

/// The pause before a node that has ended is started again.
const RESPAWN: Duration = Duration::from_millis(200);

/// A node that is to run.
pub struct Kept {
    pub node: u64,
    /// Its whole command line.
    pub words: Vec<String>,
    /// Where what it says goes.
    pub log: PathBuf,
    /// The storage that it sees through a layer; none: the plain folder.
    pub storage: Option<Arc<Storage>>,
}

/// All nodes. Dropped, they are killed.
pub struct Keeper(Vec<(Arc<Place>, Option<JoinHandle<()>>)>);

/// Where a node runs, time and again.
struct Place {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Nothing is started any more.
    over: bool,
    process: Option<Process>,
}

impl Keeper {
    /// Starts them.
    pub fn start(nodes: Vec<Kept>) -> Result<Keeper, String> {
        let mut keeper = Keeper(Vec::new());
        for node in nodes {
            let place = Arc::new(Place { state: Mutex::default(), changed: Condvar::new() });
            let kept = place.clone();
            // A thread that stays: nodes end with the thread that started them.
            let thread = thread::Builder::new().name(format!("node{}", node.node));
            let thread = thread.spawn(move || keep(&node, &kept));
            keeper.0.push((place, Some(thread.map_err(|error| error.to_string())?)));
        }
        Ok(keeper)
    }

    /// Ends them in order.
    pub fn stop(mut self) -> Result<(), String> {
        self.end(Signal::TERM)?;
        let mut late = false;
        for (place, _) in &self.0 {
            let mut state = place.state.lock();
            while state.process.is_some() && !late {
                late = place.changed.wait_for(&mut state, STOP_LIMIT).timed_out();
            }
        }
        match late {
            true => Err("a node does not end".to_owned()),
            false => Ok(()),
        }
    }

    fn end(&mut self, signal: Signal) -> Result<(), String> {
        let mut done = Ok(());
        for (place, _) in &self.0 {
            let mut state = place.state.lock();
            state.over = true;
            if let Some(process) = &state.process {
                let sent = process.send(signal);
                done = done.and(sent.map_err(|error| format!("process {}: {error}", process.pid)));
            }
            drop(state);
            place.changed.notify_all();
        }
        done
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Err(why) = self.end(Signal::KILL) {
            eprintln!("{why}");
        }
        for (_, thread) in &mut self.0 {
            if thread.take().is_some_and(|thread| thread.join().is_err()) {
                eprintln!("who kept a node has failed");
            }
        }
    }
}

fn keep(node: &Kept, place: &Place) {
    loop {
        match begin(node, place) {
            Ok(None) => return,
            Ok(Some(mut child)) => {
                if let Err(error) = child.wait() {
                    eprintln!("node {} is lost sight of: {error}", node.node);
                }
            }
            Err(why) => eprintln!("node {} is not started: {why}", node.node),
        }
        let mut state = place.state.lock();
        state.process = None;
        place.changed.notify_all();
        if !state.over {
            place.changed.wait_for(&mut state, RESPAWN);
        }
    }
}

/// Starts a life of the node; none if it is over.
fn begin(node: &Kept, place: &Place) -> Result<Option<Child>, String> {
    let mut state = place.state.lock();
    if state.over {
        return Ok(None);
    }
    let life = node.storage.as_ref().map(|storage| storage.begin(node.node)).transpose()?;
    let log = OpenOptions::new().append(true).create(true).open(&node.log);
    let log = log.map_err(|error| format!("{}: {error}", node.log.display()))?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    let (program, arguments) = node.words.split_first().ok_or("no program")?;
    let child = Command::new(program)
        .args(arguments)
        .arg("--parent")
        .arg(std::process::id().to_string())
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    if let Some(life) = life {
        life.set_pid(child.id());
    }
    // A child that nobody has waited for keeps its number.
    let process = Process::open(child.id()).map_err(|error| error.to_string())?;
    state.process = Some(process);
    Ok(Some(child))
}
