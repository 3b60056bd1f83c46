//! One process, held by a descriptor that no other process can come to be known by.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use tokio::sync::watch;

/// The kernel's id of this boot.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// The installation's id, where there is one: tells hosts from each other, through reboots.
pub fn machine_id() -> Option<String> {
    let id = fs::read_to_string("/etc/machine-id").ok()?;
    let id = id.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// When a process started, in the kernel's ticks since boot: with the pid, it names one process
/// of this boot.
pub fn process_start(pid: u32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in parentheses and may hold anything; the 22nd is
    // the start, the 20th after the name.
    stat.rsplit_once(')')
        .and_then(|(_, rest)| rest.split_ascii_whitespace().nth(19))
        .and_then(|field| field.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no start time in stat"))
}

/// A process and nothing else: its pid may be given out again, the descriptor is not.
#[derive(Debug)]
pub(crate) struct Process {
    fd: Arc<OwnedFd>,
    /// Becomes true when the process is gone; closed when nobody can tell any more.
    gone: watch::Receiver<bool>,
}

impl Process {
    /// The process of that pid, if it is the one that started then. None: it is gone.
    pub(crate) fn open(pid: u32, start: u64) -> io::Result<Option<Process>> {
        let fd = match pidfd_open(as_pid(pid)?, PidfdFlags::empty()) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Looked at after the descriptor was opened: the pid cannot have changed hands before.
        match process_start(pid) {
            Ok(found) if found == start => Process::watch(fd).map(Some),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A child of this process that was not waited for yet: its pid is its own.
    pub(crate) fn of_child(pid: u32) -> io::Result<Process> {
        Process::watch(pidfd_open(as_pid(pid)?, PidfdFlags::empty())?)
    }

    /// The thread lasts as long as the process that it waits for.
    fn watch(fd: OwnedFd) -> io::Result<Process> {
        let fd = Arc::new(fd);
        let (gone_tx, gone) = watch::channel(false);
        let watched = Arc::clone(&fd);
        let wait = move || match wait_until_gone(&watched) {
            Ok(()) => drop(gone_tx.send_replace(true)),
            Err(error) => tracing::error!(%error, "a process can be watched no longer"),
        };
        std::thread::Builder::new().name("process-watch".to_owned()).spawn(wait)?;
        Ok(Process { fd, gone })
    }

    /// Resolves when the last thread of the process is gone.
    pub(crate) async fn exited(&self) -> io::Result<()> {
        let mut gone = self.gone.clone();
        match gone.wait_for(|gone| *gone).await {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other("the process can be watched no longer")),
        }
    }

    /// True if that was seen.
    pub(crate) fn is_gone(&self) -> bool {
        *self.gone.borrow()
    }

    /// SIGKILL. A process that is gone already needs none.
    pub(crate) fn kill(&self) -> io::Result<()> {
        self.send(Signal::KILL)
    }

    /// Sends a signal; to a process that is gone it is not an error.
    pub(crate) fn send(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(&self.fd, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A pidfd becomes readable when every thread of its process has ended.
fn wait_until_gone(fd: &OwnedFd) -> io::Result<()> {
    loop {
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], None) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn as_pid(pid: u32) -> io::Result<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{pid} is no process id"))
    })
}
