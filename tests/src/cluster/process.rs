//! A process that is meant and no other: signals go through a pidfd, so that a number that was
//! given away again is never hit.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::time::{Instant, sleep};

/// How often the state of a process is looked at.
const POLL: Duration = Duration::from_micros(500);

/// A process of this host.
#[derive(Debug)]
pub struct Process {
    pub pid: u32,
    fd: OwnedFd,
}

impl Process {
    /// The process that has this number now.
    pub fn open(pid: u32) -> io::Result<Process> {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let number = number.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(Process { pid, fd: pidfd_open(number, PidfdFlags::empty())? })
    }

    /// Sends a signal; to a process that has ended, nothing.
    pub fn send(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(&self.fd, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// True once it can do nothing any more: it has ended, whether or not anyone has heard of it.
    pub fn has_ended(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        Ok(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
    }

    /// Waits for its end.
    pub async fn ended(&self, limit: Duration) -> Result<(), String> {
        self.until(limit, "does not end", Process::has_ended).await
    }

    /// Waits until every thread stands still after a SIGSTOP: before that, a node may yet give
    /// something up in good order. A thread that waits for the storage in the kernel counts: it
    /// stops before it gets back to the program.
    pub async fn stands_still(&self, limit: Duration) -> Result<(), String> {
        self.until(limit, "does not stand still", |process| {
            Ok(process.has_ended()? || every_thread_is_stopped(process.pid)?)
        })
        .await
    }

    async fn until(
        &self,
        limit: Duration,
        otherwise: &str,
        holds: impl Fn(&Process) -> io::Result<bool>,
    ) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        loop {
            if holds(self).map_err(|error| format!("process {}: {error}", self.pid))? {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("process {} {otherwise}", self.pid));
            }
            sleep(POLL).await;
        }
    }
}

/// True if this is a process of this program, which may have made something that is its own to take
/// down.
pub fn is_runner(pid: u32) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    // The second one is how a build of the unit tests is called.
    name.starts_with("holdfast-tests") || name.starts_with("holdfast_tests")
}

fn every_thread_is_stopped(pid: u32) -> io::Result<bool> {
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let stat = match fs::read_to_string(task?.path().join("stat")) {
            Ok(stat) => stat,
            // The thread has ended meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        // The state follows the name, which stands in parentheses and may hold anything.
        let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
        if !matches!(state, Some("T" | "D")) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[tokio::test]
    async fn stopping_and_ending_are_seen() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::open(child.id()).unwrap();
        assert!(!process.has_ended().unwrap());
        process.send(Signal::STOP).unwrap();
        process.stands_still(Duration::from_secs(5)).await.unwrap();
        process.send(Signal::KILL).unwrap();
        process.ended(Duration::from_secs(5)).await.unwrap();
        child.wait().unwrap();
        // Nobody else is hit, and nothing is wrong about it.
        process.send(Signal::KILL).unwrap();
    }
}
