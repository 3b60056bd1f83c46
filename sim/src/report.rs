//! What a worker tells its controller: one line of counters and a verdict, and the exit code.

use std::collections::BTreeMap;
use std::fmt;

use crate::event::{ClientEvent, Event, WriteEnd};

/// Exit codes, so that a crash is never taken for a violation.
pub mod exit {
    pub const OK: u8 = 0;
    /// Somebody panicked, or the plan could not be run.
    pub const CRASH: u8 = 101;
    /// After healing, not everything went on.
    pub const LIVENESS: u8 = 102;
    /// A promise was broken.
    pub const CORRECTNESS: u8 = 103;
}

/// What the line begins with.
pub const REPORT: &str = "report";

/// How often each interesting thing happened. Names are the report's keys.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counters(pub BTreeMap<String, u64>);

impl Counters {
    pub fn add(&mut self, name: &str, count: u64) {
        if count > 0 {
            *self.0.entry(name.to_owned()).or_default() += count;
        }
    }

    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Counters) {
        for (name, count) in &other.0 {
            self.add(name, *count);
        }
    }

    /// Counts what an event stands for.
    pub fn count(&mut self, event: &Event) {
        match event {
            Event::Client { event, .. } => self.count_client(event),
            Event::EntryApplied { .. } => self.add("entries_applied", 1),
            Event::LifeEnded { .. } => self.add("lives_ended", 1),
            Event::Replied { .. } => self.add("replies_guarded", 1),
            Event::Dropped { why, .. } => self.add(&format!("storage_dropped_{why}"), 1),
            Event::Applied { .. } => self.add("storage_applied", 1),
            Event::Submitted { lease_held: false, .. } => self.add("submitted_after_freeze", 1),
            Event::StoragePowerCut | Event::Submitted { .. } | Event::Fault { .. } => {}
        }
    }

    fn count_client(&mut self, event: &ClientEvent) {
        let name = match event {
            ClientEvent::Opened { .. } => "opens",
            ClientEvent::Reclaimed { elsewhere: true, .. } => "reclaims_elsewhere",
            ClientEvent::Reclaimed { .. } => "reclaims_same_node",
            ClientEvent::Replayed { .. } => "creates_replayed",
            ClientEvent::Lost { .. } => "handles_expired",
            ClientEvent::WriteEnded { end: WriteEnd::Acknowledged, .. } => "writes_acknowledged",
            ClientEvent::WriteEnded { end: WriteEnd::Refused, .. } => "writes_refused",
            ClientEvent::ReadReturned { cached: true, .. } => "reads_cached",
            ClientEvent::ReadReturned { .. } => "reads",
            ClientEvent::Locked { .. } => "locks",
            ClientEvent::BreakReceived { .. } => "breaks_received",
            ClientEvent::CloseInvoked { .. } => "closes",
            _ => return,
        };
        self.add(name, 1);
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, count)) in self.0.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{name}={count}")?;
        }
        Ok(())
    }
}

/// One run's result.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub seed: u64,
    pub hash: u64,
    /// Simulated milliseconds.
    pub millis: u64,
    pub counters: Counters,
    /// Nothing, or what went wrong.
    pub violation: String,
}

impl Report {
    /// As one line.
    pub fn to_line(&self) -> String {
        let violation = self.violation.replace(['\n', '\r'], " ");
        format!(
            "{REPORT} seed={} hash={:016x} millis={} {} violation={violation}",
            self.seed, self.hash, self.millis, self.counters
        )
    }

    /// Reads the line.
    pub fn from_line(line: &str) -> Option<Report> {
        let rest = line.strip_prefix(REPORT)?.trim_start();
        let (facts, violation) = rest.split_once("violation=")?;
        let mut report = Report { violation: violation.trim().to_owned(), ..Report::default() };
        for fact in facts.split_whitespace() {
            let (name, value) = fact.split_once('=')?;
            match name {
                "seed" => report.seed = value.parse().ok()?,
                "hash" => report.hash = u64::from_str_radix(value, 16).ok()?,
                "millis" => report.millis = value.parse().ok()?,
                _ => report.counters.add(name, value.parse().ok()?),
            }
        }
        Some(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_survives_its_line() {
        let mut report = Report {
            seed: 7,
            hash: 0xdead_beef,
            millis: 20_000,
            violation: "registers: a value of n1 is back".to_owned(),
            ..Report::default()
        };
        report.counters.add("reads", 3);
        report.counters.add("locks", 1);
        assert_eq!(Report::from_line(&report.to_line()), Some(report));
        assert_eq!(Report::from_line("something else"), None);
    }
}
