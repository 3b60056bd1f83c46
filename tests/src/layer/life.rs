//! What the layer knows of one life of a node: its operations, and whether it may have any more.

use std::fmt::Write as _;

use parking_lot::{Mutex, RwLock};
use rustix::io::Errno;
use tokio::time::Instant;

use super::wire;

/// What became of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It was carried out, whatever the storage said.
    Done,
    /// The life was cut off when it came.
    Refused,
}

/// One operation, as it is recorded.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// When it reached the storage: what was held on its way, when it was let go on.
    pub begun: Instant,
    pub ended: Instant,
    pub operation: &'static str,
    /// It alters the storage.
    pub changes: bool,
    pub fate: Fate,
}

/// When a life was cut off, and as what it was named then.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub at: Instant,
    pub incarnation: u64,
}

/// One process of a node.
pub struct Life {
    pub node: u64,
    /// Not known until it runs.
    pid: Mutex<Option<u32>>,
    /// Every operation has this for reading while it is carried out, so that none is under way when
    /// a cut has it.
    cut: RwLock<Option<Cut>>,
    recorded: Mutex<Vec<Recorded>>,
}

impl Life {
    pub fn new(node: u64) -> Life {
        let (pid, cut, recorded) = (Mutex::default(), RwLock::default(), Mutex::default());
        Life { node, pid, cut, recorded }
    }

    pub fn pid(&self) -> Option<u32> {
        *self.pid.lock()
    }

    pub fn set_pid(&self, pid: u32) {
        *self.pid.lock() = Some(pid);
    }

    pub fn cut(&self) -> Option<Cut> {
        *self.cut.read()
    }

    /// When this returns nothing of the life is under way, and nothing of it will be carried out any
    /// more. The first one counts.
    pub fn cut_off(&self, incarnation: u64) -> Cut {
        *self.cut.write().get_or_insert_with(|| Cut { at: Instant::now(), incarnation })
    }

    /// Carries an operation out, unless the life was cut off.
    pub fn admit<T>(
        &self,
        opcode: u32,
        act: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let cut = self.cut.read();
        let begun = Instant::now();
        let (result, fate) = match &*cut {
            None => (act(), Fate::Done),
            Some(_) => (Err(Errno::IO), Fate::Refused),
        };
        let (operation, changes) = (wire::name(opcode), wire::changes(opcode));
        let recorded = Recorded { begun, ended: Instant::now(), operation, changes, fate };
        self.recorded.lock().push(recorded);
        result
    }

    /// Looks at all that it did so far.
    pub fn read<T>(&self, look: impl FnOnce(&[Recorded]) -> T) -> T {
        look(&self.recorded.lock())
    }

    /// All that it did, a line for each, with its time since `begun`.
    pub fn record(&self, begun: Instant) -> String {
        let since = |at: Instant| at.saturating_duration_since(begun).as_secs_f64();
        let (node, pid) = (self.node, self.pid().unwrap_or(0));
        let mut text = format!("storage operations of node {node}, process {pid}");
        if let Some(Cut { at, incarnation }) = self.cut() {
            text += &format!(", incarnation {incarnation}, cut off at {:.6}", since(at));
        }
        text.push('\n');
        for one in self.recorded.lock().iter() {
            let (begun, ended) = (since(one.begun), since(one.ended));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{begun:10.6} {ended:10.6} {} {:?}", one.operation, one.fate);
        }
        text
    }

    /// Forgets what ended before, so that a cluster of many rounds does not remember them all.
    pub fn forget_before(&self, at: Instant) {
        self.recorded.lock().retain(|recorded| recorded.ended >= at);
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::op;
    use super::*;

    #[test]
    fn nothing_is_carried_out_after_the_cut() {
        let life = Life::new(2);
        let mut done = 0;
        let mut write = || {
            life.admit(op::WRITE, || {
                done += 1;
                Ok(())
            })
        };
        assert_eq!(write(), Ok(()));
        let cut = life.cut_off(7);
        assert_eq!(write(), Err(Errno::IO));
        assert_eq!(life.cut_off(8).incarnation, 7, "it was cut off once");
        assert_eq!(done, 1);
        life.read(|recorded| {
            let fates: Vec<Fate> = recorded.iter().map(|recorded| recorded.fate).collect();
            assert_eq!(fates, [Fate::Done, Fate::Refused]);
            assert!(recorded[0].changes && recorded[0].ended <= cut.at);
        });
        let text = life.record(cut.at);
        assert!(
            text.contains("incarnation 7, cut off at 0.000000") && text.contains("write Refused")
        );
        life.forget_before(cut.at);
        assert_eq!(life.read(<[Recorded]>::len), 1);
    }
}
