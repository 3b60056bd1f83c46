//! What surrounds the storage: how long an operation takes, what time it is, and who watches.
//!
//! An operation is handed to the [`World`] together with the step that applies it. The world runs
//! the step when it sees fit, also when the issuer is gone by then: that is what makes storage
//! shared by several nodes dangerous, and what the simulator is for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::future::BoxFuture;
use holdfast_proto::types::{FileKey, FileTime};

use crate::vfs::{IntentMark, Issuer, VfsError};

/// What an operation does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Looks at names or metadata.
    Look,
    /// Opens a descriptor.
    Open {
        /// What is opened.
        key: FileKey,
    },
    /// Reads data.
    Read {
        /// The file.
        key: FileKey,
        /// Where.
        offset: u64,
        /// How much.
        len: u32,
    },
    /// Writes data.
    Write {
        /// The file.
        key: FileKey,
        /// Where.
        offset: u64,
        /// What.
        data: Bytes,
        /// True when it is stable once it is applied.
        stable: bool,
    },
    /// Sets EndOfFile, or AllocationSize, which may lower it.
    Resize {
        /// The file.
        key: FileKey,
        /// The new size.
        len: u64,
    },
    /// Empties a file and gives it new attributes.
    Overwrite {
        /// The file.
        key: FileKey,
    },
    /// Changes attributes, times, the security descriptor or extended attributes.
    SetMetadata {
        /// The file.
        key: FileKey,
    },
    /// Makes a file stable.
    Sync {
        /// The file.
        key: FileKey,
    },
    /// Makes the names in a directory stable.
    SyncDir {
        /// The directory.
        dir: FileKey,
    },
    /// Makes an object under its name.
    Create {
        /// The directory.
        dir: FileKey,
        /// The name.
        name: String,
    },
    /// Makes an object in the staging folder.
    Stage {
        /// The intent.
        mark: IntentMark,
    },
    /// Gives a staged object its name.
    PutInPlace {
        /// The intent.
        mark: IntentMark,
        /// The object.
        key: FileKey,
        /// The directory.
        dir: FileKey,
        /// The name.
        name: String,
    },
    /// Clears a mark.
    ClearMark {
        /// The object.
        key: FileKey,
        /// The intent.
        mark: IntentMark,
    },
    /// Removes what an intent has staged.
    Discard {
        /// The intent.
        mark: IntentMark,
    },
    /// Moves a name.
    Rename {
        /// The object.
        key: FileKey,
        /// The directory it goes to.
        dir: FileKey,
        /// The new name.
        name: String,
    },
    /// Removes a name.
    Remove {
        /// The object.
        key: FileKey,
        /// The directory.
        dir: FileKey,
        /// The name.
        name: String,
    },
}

impl Operation {
    /// True when the operation changes something that others can see.
    pub fn is_change(&self) -> bool {
        !matches!(self, Operation::Look | Operation::Open { .. } | Operation::Read { .. })
    }
}

/// An operation on its way to the storage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submitted {
    /// Counts operations in the order in which they were submitted.
    pub number: u64,
    /// Who sent it.
    pub by: Issuer,
    /// What it does.
    pub operation: Operation,
}

/// Why the storage did not apply an operation that had been submitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dropped {
    /// Its incarnation was fenced meanwhile.
    Fenced,
    /// The storage lost power meanwhile.
    PowerCut,
    /// The world let it fail.
    Fault,
}

/// The step that applies an operation. It is to be called once.
pub type Apply = Box<dyn FnOnce() + Send>;

/// What surrounds the storage.
pub trait World: Send + Sync {
    /// The storage's clock.
    fn now(&self) -> FileTime;

    /// Takes an operation. `apply` is called once, whatever becomes of the returned future, which
    /// is ready when the answer has reached the issuer. An `apply` that is never called is an
    /// operation that was lost: its issuer is told that the storage does not answer.
    fn submit(&self, operation: &Submitted, apply: Apply) -> BoxFuture<'static, ()>;

    /// Asked when an operation is about to be applied: an error lets it fail without effect.
    fn fault(&self, _operation: &Submitted) -> Option<VfsError> {
        None
    }
}

/// Sees every operation at the moment of its application, in the order of application.
pub trait Observer: Send + Sync {
    /// It was applied; `result` says whether the storage refused it by its own rules.
    fn applied(&self, operation: &Submitted, result: Result<(), &VfsError>, at: FileTime);

    /// It was not applied.
    fn dropped(&self, operation: &Submitted, why: Dropped, at: FileTime);
}

/// A world without latency: every operation is applied at once. Its clock counts the questions.
#[derive(Debug)]
pub struct Immediate {
    ticks: AtomicU64,
}

impl Default for Immediate {
    fn default() -> Immediate {
        // Some day in 2026.
        Immediate { ticks: AtomicU64::new(134_000_000_000_000_000) }
    }
}

impl World for Immediate {
    fn now(&self) -> FileTime {
        FileTime(self.ticks.fetch_add(1, Ordering::Relaxed))
    }

    fn submit(&self, _operation: &Submitted, apply: Apply) -> BoxFuture<'static, ()> {
        apply();
        Box::pin(std::future::ready(()))
    }
}

impl fmt::Debug for dyn World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

/// Observers in the order in which they were added.
#[derive(Default)]
pub(super) struct Observers(pub(super) Vec<Arc<dyn Observer>>);

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} observers", self.0.len())
    }
}
