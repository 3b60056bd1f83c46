//! Runs one program of the site with bounds on its time and on what it says, and leaves nothing
//! of it behind.

use std::convert::Infallible;
use std::fmt;
use std::io::{self, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::time::{sleep, timeout};

use crate::config::FenceCommand;
use crate::fence::process::{Process, Signal};

/// What is kept of a program's output; the rest is read and thrown away.
pub(super) const OUTPUT_MAX: usize = 4096;
/// What a program finds in PATH. Nothing else of this process's environment reaches it.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How long is waited for what an ended program left in its pipe.
const REST_WAIT: Duration = Duration::from_millis(100);

/// How a program ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum CommandEnd {
    Exited(i32),
    /// By a signal that was not ours.
    Killed(i32),
    /// It was killed when its time was over.
    TimedOut(Duration),
    /// It did not run at all, or was lost sight of.
    NotRun(String),
}

impl fmt::Display for CommandEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandEnd::Exited(status) => write!(f, "exit status {status}"),
            CommandEnd::Killed(signal) => write!(f, "ended by signal {signal}"),
            CommandEnd::TimedOut(after) => {
                write!(f, "killed: it had not ended after {} s", after.as_secs())
            }
            CommandEnd::NotRun(why) => write!(f, "it did not run: {why}"),
        }
    }
}

/// What a program said, on standard output and standard error alike.
#[derive(Debug, Default)]
pub(super) struct Output {
    kept: Vec<u8>,
    dropped: u64,
}

impl Output {
    fn take(&mut self, said: &[u8]) {
        let kept = said.len().min(OUTPUT_MAX - self.kept.len());
        self.kept.extend_from_slice(&said[..kept]);
        self.dropped += (said.len() - kept) as u64;
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.kept);
        write!(f, "{}", text.trim_end().escape_debug())?;
        if self.dropped > 0 {
            write!(f, " … and {} bytes more", self.dropped)?;
        }
        Ok(())
    }
}

/// Runs the command. If the caller stops waiting, the program is killed.
pub(super) async fn run(
    command: &FenceCommand,
    environment: &[(&str, String)],
) -> (CommandEnd, Output) {
    let mut output = Output::default();
    let (mut group, mut said) = match start(command, environment) {
        Ok(started) => started,
        Err(error) => return (CommandEnd::NotRun(error.to_string()), output),
    };
    let end = tokio::select! {
        biased;
        gone = group.process.exited() => match gone {
            Ok(()) => group.reap(),
            Err(error) => CommandEnd::NotRun(error.to_string()),
        },
        () = sleep(command.timeout) => CommandEnd::TimedOut(command.timeout),
        never = listen(&mut said, &mut output) => match never {},
    };
    // Nothing of it runs on; then nobody holds the pipe either, and its rest can be read.
    drop(group);
    let rest = timeout(REST_WAIT, read_to_end(&mut said, &mut output)).await;
    if rest.is_err() {
        tracing::debug!(program = %command.program.display(), "its output is still held open");
    }
    (end, output)
}

fn start(command: &FenceCommand, environment: &[(&str, String)]) -> io::Result<(Group, Receiver)> {
    let (reader, writer) = pipe()?;
    let reader = Receiver::from_owned_fd(OwnedFd::from(reader))?;
    let child = Command::new(&command.program)
        .args(&command.arguments)
        .env_clear()
        .env("PATH", SEARCH_PATH)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .spawn()?;
    Ok((Group::of(child)?, reader))
}

/// A program and whatever it started, as far as that stayed in its process group. Dropped, it is
/// killed.
struct Group {
    process: Process,
    /// Not waited for before the group is killed: until then its id is nobody else's.
    child: Option<Child>,
}

impl Group {
    fn of(mut child: Child) -> io::Result<Group> {
        match Process::of_child(child.id()) {
            Ok(process) => Ok(Group { process, child: Some(child) }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    /// The program has ended: kills what it left behind, and tells how it ended.
    fn reap(&mut self) -> CommandEnd {
        let Some(mut child) = self.child.take() else {
            return CommandEnd::NotRun("it was waited for already".to_owned());
        };
        kill_group(&child);
        match child.wait() {
            Ok(status) => of_status(status),
            Err(error) => CommandEnd::NotRun(error.to_string()),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        if let Err(error) = self.process.kill() {
            tracing::warn!(pid = child.id(), %error, "a fence command cannot be killed");
        }
        kill_group(&child);
        // One that hangs in the kernel must not hold this thread up.
        let reap = move || drop(child.wait());
        if let Err(error) = std::thread::Builder::new().name("fence-reap".to_owned()).spawn(reap) {
            tracing::warn!(%error, "an ended fence command is not waited for");
        }
    }
}

fn kill_group(child: &Child) {
    // No such group: its last member is gone.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}

fn of_status(status: ExitStatus) -> CommandEnd {
    match (status.code(), status.signal()) {
        (Some(code), _) => CommandEnd::Exited(code),
        (None, Some(signal)) => CommandEnd::Killed(signal),
        (None, None) => CommandEnd::NotRun(status.to_string()),
    }
}

/// Reads for as long as anybody waits.
async fn listen(said: &mut Receiver, output: &mut Output) -> Infallible {
    read_to_end(said, output).await;
    std::future::pending().await
}

async fn read_to_end(said: &mut Receiver, output: &mut Output) {
    let mut chunk = vec![0; 16 << 10];
    loop {
        match said.read(&mut chunk).await {
            Ok(0) => return,
            Ok(length) => output.take(&chunk[..length]),
            Err(error) => {
                tracing::debug!(%error, "the output of a fence command cannot be read");
                return;
            }
        }
    }
}
