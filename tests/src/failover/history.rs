//! What happened in a round, as its clients saw it: the only thing that checkers judge.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Since the round began.
pub type At = Duration;

/// A client, counted from 0; the one after the last is the rival that looks at the others' work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ClientId(pub u64);

/// A handle, unique in its round: one CREATE, however often it was sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HandleId(pub u64);

/// What a writer fills a block with, unique in its round. 0 is what was never written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Stamp(pub u64);

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

/// A block of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    pub file: String,
    pub index: u32,
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.file, self.index)
    }
}

/// What became of a WRITE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteEnd {
    Acknowledged,
    /// It took effect or did not, and will not any more.
    Settled,
    /// It was refused whenever it was sent.
    Refused,
}

/// What was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Create,
    Reclaim,
    Read,
    Write,
    Lock,
    Close,
}

/// What a client did or was told.
#[derive(Clone, Debug)]
pub enum Event {
    /// It begins to ask a node for a share.
    Connecting {
        node: u64,
    },
    /// It has a share on this node.
    Linked {
        node: u64,
    },
    /// It lost that.
    Unlinked,
    /// So many bytes came from the node after the path to it was lost in silence.
    HeardLate {
        bytes: usize,
    },
    /// A CREATE succeeded. `open` is FileId.Persistent.
    Opened {
        handle: HandleId,
        file: String,
        open: u64,
        persistent: bool,
        replayed: bool,
    },
    /// A FILE_CREATE of a name of its own was answered as if it were not the first.
    NotCreated {
        file: String,
        answer: String,
    },
    /// The handle came back: FileId.Persistent before and after.
    Reclaimed {
        handle: HandleId,
        before: u64,
        after: u64,
    },
    /// The server says that there is no such handle.
    Lost {
        handle: HandleId,
        file: String,
        answer: String,
    },
    /// A handle that nobody asked for in time is gone, as it must be.
    Expired {
        handle: HandleId,
    },
    /// It is still there.
    Overstayed {
        handle: HandleId,
        file: String,
    },
    WriteInvoked {
        handle: HandleId,
        block: Block,
        stamp: Stamp,
    },
    WriteEnded {
        handle: HandleId,
        block: Block,
        stamp: Stamp,
        end: WriteEnd,
    },
    /// `invoked`: when the request was sent that this answers; for what was cached, the ECHO.
    ReadReturned {
        block: Block,
        stamp: Stamp,
        invoked: At,
        cached: bool,
    },
    /// A block that is not all of one write, nor of none.
    TornBlock {
        block: Block,
        invoked: At,
        what: String,
    },
    /// An exclusive lock was granted; `invoked`: when it was first asked for.
    Locked {
        handle: HandleId,
        block: Block,
        invoked: At,
    },
    UnlockInvoked {
        handle: HandleId,
        block: Block,
    },
    CloseInvoked {
        handle: HandleId,
    },
    /// A request on a handle was answered, as only for one that is there. `invoked`: when the
    /// operation began, `sent`: when the request was sent that was answered.
    Answered {
        handle: HandleId,
        operation: Operation,
        invoked: At,
        sent: At,
    },
    /// Something that was acknowledged is not on the storage.
    Missing {
        what: String,
    },
    /// An answer that no server may give.
    BadAnswer {
        what: String,
    },
}

/// One line of the history.
#[derive(Clone, Debug)]
pub struct Record {
    pub at: At,
    pub client: ClientId,
    pub event: Event,
}

/// Written by all clients of a round.
pub struct History {
    begun: Instant,
    records: Mutex<Vec<Record>>,
}

impl Default for History {
    fn default() -> History {
        History { begun: Instant::now(), records: Mutex::default() }
    }
}

impl History {
    pub fn now(&self) -> At {
        self.begun.elapsed()
    }

    /// A moment as the history tells it.
    pub fn at(&self, moment: Instant) -> At {
        moment.saturating_duration_since(self.begun)
    }

    /// When the round began.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    pub fn tell(&self, client: ClientId, event: Event) {
        let mut records = self.records.lock();
        // Under the lock, so that lines stand in the order of their times.
        let at = self.now();
        records.push(Record { at, client, event });
    }

    /// Looks at what was written so far.
    pub fn read<T>(&self, look: impl FnOnce(&[Record]) -> T) -> T {
        look(&self.records.lock())
    }

    /// The node that each client used at that time.
    pub fn whereabouts(&self, at: At) -> BTreeMap<ClientId, u64> {
        let mut found = BTreeMap::new();
        self.read(|records| {
            for record in records.iter().take_while(|record| record.at <= at) {
                match record.event {
                    Event::Linked { node } => found.insert(record.client, node),
                    Event::Unlinked => found.remove(&record.client),
                    _ => continue,
                };
            }
        });
        found
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, client, event) = (self.at.as_secs_f64(), self.client.0, &self.event);
        write!(f, "{at:10.6} client {client}: {event:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whereabouts_follow_the_links() {
        let history = History::default();
        history.tell(ClientId(0), Event::Linked { node: 1 });
        history.tell(ClientId(1), Event::Linked { node: 2 });
        let before = history.now();
        history.tell(ClientId(0), Event::Unlinked);
        let after = history.now();
        assert_eq!(history.whereabouts(before), [(ClientId(0), 1), (ClientId(1), 2)].into());
        assert_eq!(history.whereabouts(after), [(ClientId(1), 2)].into());
    }
}
