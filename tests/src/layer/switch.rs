//! The switch that a fence command turns: a Unix socket of the layer, and the command that asks it.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use clap::Args;
use parking_lot::Mutex;

use super::storage::Present;

/// What the layer says of a life that is cut off.
const DONE: &str = "done";

/// Listens for fence commands.
pub struct Switch {
    path: PathBuf,
    ended: Arc<AtomicBool>,
}

impl Switch {
    pub fn listen(path: &Path, present: Arc<Mutex<Present>>) -> Result<Switch, String> {
        let at = |error: std::io::Error| format!("{}: {error}", path.display());
        let listener = UnixListener::bind(path).map_err(at)?;
        let ended = Arc::<AtomicBool>::default();
        let switch = Switch { path: path.to_owned(), ended: ended.clone() };
        let serving = thread::Builder::new().name("layer-switch".to_owned());
        let serve = move || {
            for asking in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let answered = asking.and_then(|asking| answer(asking, &present));
                if let Err(error) = answered {
                    eprintln!("a fence command is not answered: {error}");
                }
            }
        };
        serving.spawn(serve).map_err(at)?;
        Ok(switch)
    }

    /// Nobody is listened to any more.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that listens; if there is none it has ended.
        let _ = UnixStream::connect(&self.path);
    }
}

fn answer(mut asking: UnixStream, present: &Mutex<Present>) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new(&asking).take(256).read_line(&mut line)?;
    let answer = match asked(&line) {
        Some((node, pid, incarnation)) => present.lock().cut_off(node, pid, incarnation),
        None => Err(format!("«{}» names no life of a node", line.trim_end())),
    };
    match answer {
        Ok(_) => asking.write_all(DONE.as_bytes()),
        Err(why) => asking.write_all(why.as_bytes()),
    }
}

fn asked(line: &str) -> Option<(u64, u32, u64)> {
    let mut words = line.split_whitespace();
    let node = words.next()?.parse().ok()?;
    let pid = words.next()?.parse().ok()?;
    Some((node, pid, words.next()?.parse().ok()?))
}

/// What `cut-off` is told on its command line; the rest is in its environment.
#[derive(Args)]
pub struct CutOff {
    /// Where the layer listens
    #[arg(value_name = "SOCKET")]
    switch: PathBuf,
}

/// The fence command: cuts off the life that the environment names, and succeeds once that is done.
pub fn cut_off(arguments: &CutOff) -> ExitCode {
    match try_to_cut_off(&arguments.switch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn try_to_cut_off(switch: &Path) -> Result<(), String> {
    let told = |name: &str| env::var(name).map_err(|_| format!("{name} is not set"));
    let node = told("HOLDFAST_NODE")?;
    let pid = told("HOLDFAST_PID")?;
    let incarnation = told("HOLDFAST_INCARNATION")?;
    let at = |error: std::io::Error| format!("{}: {error}", switch.display());
    let mut stream = UnixStream::connect(switch).map_err(at)?;
    stream.write_all(format!("{node} {pid} {incarnation}\n").as_bytes()).map_err(at)?;
    stream.shutdown(Shutdown::Write).map_err(at)?;
    let mut said = String::new();
    stream.read_to_string(&mut said).map_err(at)?;
    if said == DONE { Ok(()) } else { Err(said) }
}
