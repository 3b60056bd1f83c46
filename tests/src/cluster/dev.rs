//! `holdfast dev` as a child process.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::process::Process;

/// How long a cluster may take to be ready, on a machine that is busy with builds as well.
pub const START_LIMIT: Duration = Duration::from_secs(90);
/// How long it may take to end.
pub const STOP_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);

/// The process. Dropped, it is killed, and its nodes with it.
pub struct Dev {
    child: Child,
    ready: PathBuf,
    screen: PathBuf,
}

impl Dev {
    /// Starts it; `words` are the whole command line, without what tells it where to report.
    pub fn start(words: &[String], root: &Path) -> Result<Dev, String> {
        let (ready, screen) = (root.join("ready"), root.join("screen"));
        let output = File::options().create(true).append(true).open(&screen);
        let output = output.map_err(|error| format!("{}: {error}", screen.display()))?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        if ready.exists() {
            fs::remove_file(&ready).map_err(|error| format!("{}: {error}", ready.display()))?;
        }
        let (program, arguments) = words.split_first().ok_or("no program")?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // Ctrl-C is for the runner to hear; it ends the cluster in order.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        Ok(Dev { child, ready, screen })
    }

    /// Returns when every node serves.
    pub async fn until_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_LIMIT;
        while !self.ready.exists() {
            let ended = self.child.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || Instant::now() > deadline {
                let screen = fs::read_to_string(&self.screen).unwrap_or_default();
                return Err(format!("«holdfast dev» did not become ready:\n{screen}"));
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Ends it in order.
    pub async fn stop(mut self) -> Result<(), String> {
        let asked = self.process().and_then(|dev| {
            dev.send(Signal::INT).map_err(|error| format!("«holdfast dev»: {error}"))
        });
        asked?;
        let deadline = Instant::now() + STOP_LIMIT;
        while Instant::now() < deadline {
            if self.child.try_wait().map_err(|error| error.to_string())?.is_some() {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Err("«holdfast dev» does not end".to_owned())
    }

    /// The process itself, apart from its nodes.
    pub fn process(&self) -> Result<Process, String> {
        Process::open(self.child.id()).map_err(|error| format!("«holdfast dev»: {error}"))
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // Its nodes end with it, by their parent-death signal.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let ended = self.child.kill().and_then(|()| self.child.wait());
            if let Err(error) = ended {
                eprintln!("«holdfast dev» cannot be ended: {error}");
            }
        }
    }
}
