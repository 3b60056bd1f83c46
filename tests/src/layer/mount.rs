//! A mount of the layer: what one life of a node sees as the storage.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use rustix::io::Errno;

use super::life::Life;
use super::passing::Passing;
use super::wire::{self, Answer, REQUEST_MAX, Request, op};

/// Threads that carry operations out: more than a node ever has syncs under way.
const WORKERS: usize = 8;
/// How mounts are called in the system's table, before the number of the process that serves them.
const SOURCE: &str = "holdfast-layer-";
/// The device is what `mount` finds as its standard input.
const OPTIONS: &str =
    "fd=0,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,nodev,nosuid";

/// A mount. Dropped, it goes from its place; what is still open through it is served until it is
/// closed.
pub struct Mount {
    point: PathBuf,
    served: Arc<Served>,
}

struct Served {
    device: File,
    passing: Passing,
    life: Arc<Life>,
    /// Operations that are held on their way; none: nothing is held.
    held: Mutex<Option<Vec<Request>>>,
}

impl Mount {
    /// Shows `folder` at `point` to a life.
    pub fn new(folder: &Path, point: &Path, life: Arc<Life>) -> Result<Mount, String> {
        let at = |errno: Errno| format!("{}: {errno}", folder.display());
        let passing = Passing::new(folder).map_err(at)?;
        let device = File::options().read(true).write(true).open("/dev/fuse");
        let device = device.map_err(|error| format!("/dev/fuse: {error}"))?;
        let given = device.try_clone().map_err(|error| format!("/dev/fuse: {error}"))?;
        let mut mount = Command::new("mount");
        mount.args(["--internal-only", "--types", "fuse", "--options", OPTIONS]);
        mount.arg(format!("{SOURCE}{}", std::process::id())).arg(point).stdin(given);
        run(mount)?;
        let served = Arc::new(Served { device, passing, life, held: Mutex::default() });
        let made = Mount { point: point.to_owned(), served };
        for _ in 0..WORKERS {
            let served = made.served.clone();
            let started = thread::Builder::new().name("layer".to_owned());
            started.spawn(move || served.work()).map_err(|error| error.to_string())?;
        }
        Ok(made)
    }

    pub fn life(&self) -> &Arc<Life> {
        &self.served.life
    }

    /// From now on what changes the storage is held on its way to it, as if the way were long.
    pub fn hold(&self) {
        self.served.held.lock().get_or_insert_default();
    }

    /// What was held goes on, in its order; how much that was.
    pub fn release(&self) -> Result<usize, String> {
        let held = self.served.held.lock().take().unwrap_or_default();
        let count = held.len();
        let served = self.served.clone();
        let going_on = thread::Builder::new().name("layer-held".to_owned());
        let going_on = going_on.spawn(move || {
            for request in held {
                served.carry_out(&request);
            }
        });
        going_on.map(|_| count).map_err(|error| error.to_string())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Who waits for what is held would never end.
        if let Err(error) = self.release() {
            eprintln!("what the layer holds is lost: {error}");
        }
        if let Err(why) = unmount(&self.point) {
            eprintln!("{why}");
        }
    }
}

impl Served {
    /// Serves the kernel until nobody uses the mount any more.
    fn work(&self) {
        let mut buffer = vec![0; REQUEST_MAX];
        loop {
            let length = match (&self.device).read(&mut buffer) {
                Ok(length) => length,
                Err(error) => match Errno::from_io_error(&error) {
                    // The request was taken back before it was read.
                    Some(Errno::NOENT | Errno::INTR | Errno::AGAIN) => continue,
                    Some(Errno::NODEV) => return,
                    _ => return eprintln!("the layer ends: {error}"),
                },
            };
            match Request::read(&buffer[..length]) {
                Some(request) => self.take(request),
                None => eprintln!("the layer was sent {length} bytes, which is no request"),
            }
        }
    }

    fn take(&self, request: Request) {
        if wire::changes(request.opcode)
            && let Some(held) = &mut *self.held.lock()
        {
            return held.push(request);
        }
        self.carry_out(&request);
    }

    fn carry_out(&self, request: &Request) {
        let result = match request.opcode {
            // Nothing of the storage is asked for.
            op::INIT
            | op::DESTROY
            | op::FORGET
            | op::BATCH_FORGET
            | op::INTERRUPT
            | op::RELEASE
            | op::RELEASEDIR => match self.passing.give_up(request) {
                Some(result) => result,
                None => return,
            },
            opcode => self.life.admit(opcode, || self.passing.perform(request)),
        };
        self.answer(request, &result);
    }

    fn answer(&self, request: &Request, result: &Result<Answer, Errno>) {
        let sent = (&self.device).write_all(&request.answer(result));
        match sent.as_ref().err().and_then(Errno::from_io_error) {
            // Who asked was killed meanwhile, or everyone has gone.
            None | Some(Errno::NOENT | Errno::NODEV) => {}
            Some(errno) => {
                let operation = wire::name(request.opcode);
                eprintln!("the layer's answer to {operation} is not taken: {errno}");
            }
        }
    }
}

/// Takes a mount from its place, even if something is open in it.
fn unmount(point: &Path) -> Result<(), String> {
    let mut umount = Command::new("umount");
    umount.arg("--lazy").arg(point).stdin(Stdio::null());
    run(umount)
}

fn run(mut command: Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// Unmounts what earlier processes left behind that were killed; tells where that was.
pub fn remove_leftovers(is_alive: impl Fn(u32) -> bool) -> Result<Vec<PathBuf>, String> {
    let mut removed = Vec::new();
    let mounts = std::fs::read_to_string("/proc/self/mounts");
    for line in mounts.map_err(|error| format!("/proc/self/mounts: {error}"))?.lines() {
        let mut words = line.split(' ');
        let (Some(source), Some(point)) = (words.next(), words.next()) else { continue };
        let pid = source.strip_prefix(SOURCE).and_then(|pid| pid.parse().ok());
        if pid.is_some_and(|pid| !is_alive(pid)) {
            unmount(Path::new(point))?;
            removed.push(PathBuf::from(point));
        }
    }
    Ok(removed)
}
