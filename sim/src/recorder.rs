//! Takes every event: hashes it, prints it if wanted, shows it to all checkers.

use std::fmt::Write as _;

use crate::checkers::{Checkers, Violation};
use crate::event::{At, Event};
use crate::report::Counters;

/// FNV-1a: the same on every machine, and what equal traces are told by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceHash(pub u64);

impl Default for TraceHash {
    fn default() -> TraceHash {
        TraceHash(0xcbf2_9ce4_8422_2325)
    }
}

impl TraceHash {
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

impl std::fmt::Write for TraceHash {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.add(text.as_bytes());
        Ok(())
    }
}

/// The hash of bytes.
pub fn hash_of(bytes: &[u8]) -> u64 {
    let mut hash = TraceHash::default();
    hash.add(bytes);
    hash.0
}

/// One run's record. The first violation is kept; what comes after it is not judged.
pub struct Recorder {
    hash: TraceHash,
    events: u64,
    print: bool,
    checkers: Checkers,
    pub counters: Counters,
    violation: Option<Violation>,
}

impl Recorder {
    pub fn new(print: bool) -> Recorder {
        Recorder {
            hash: TraceHash::default(),
            events: 0,
            print,
            checkers: Checkers::all(),
            counters: Counters::default(),
            violation: None,
        }
    }

    pub fn record(&mut self, at: At, event: &Event) {
        self.events += 1;
        // Formatting into a hash cannot fail.
        let _ = write!(self.hash, "{at:?} {event:?}");
        if self.print {
            println!("{:>13.6} {event:?}", at.as_secs_f64());
        }
        self.counters.count(event);
        if self.violation.is_none()
            && let Err(violation) = self.checkers.observe(at, event)
        {
            if self.print {
                println!("{:>13.6} VIOLATION {violation}", at.as_secs_f64());
            }
            self.violation = Some(violation);
        }
    }

    /// The end of the run: checkers say what only the whole can show.
    pub fn finish(&mut self, at: At) {
        if self.violation.is_none()
            && let Err(violation) = self.checkers.finish(at)
        {
            self.violation = Some(violation);
        }
    }

    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    pub fn hash(&self) -> TraceHash {
        self.hash
    }

    pub fn events(&self) -> u64 {
        self.events
    }
}
