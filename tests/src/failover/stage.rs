//! What every kind of round has: its plan, its clients' tasks, and the outcome at the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::checkers::{Kind, Violation, judge};
use super::faults::Fault;
use super::history::{Event, Operation, WriteEnd};
use super::measure::Measured;
use super::results::{Counts, RoundResult};
use super::workload::{Around, Step, Worker};
use super::{many_opens, round};
use crate::client::Account;
use crate::cluster::Cluster;
use crate::random::Random;

/// What makes a round.
#[derive(Clone, Debug)]
pub struct Plan {
    pub fault: Fault,
    pub number: u64,
    pub seed: u64,
    pub clients: u64,
    /// How many handles all clients together hold, where it is about their number.
    pub opens: u64,
    pub account: Account,
}

/// What came of it.
pub struct Outcome {
    pub result: RoundResult,
    pub about: String,
    pub violations: Vec<Violation>,
    /// Every line of the history, for who wants to know how it came.
    pub history: String,
}

impl Plan {
    /// The choices of one client, or of whatever else is numbered.
    pub fn random(&self, of: u64) -> Random {
        Random::of(&[self.seed, self.fault as u64, self.number, of])
    }

    /// Runs the round. Whatever goes wrong in it is part of the outcome.
    pub async fn run(&self, cluster: &Cluster) -> Outcome {
        let addresses = cluster.nodes().map(|node| cluster.address(node)).collect();
        let clients = match self.fault {
            Fault::ManyOpens => many_opens::BYSTANDERS,
            _ => self.clients,
        };
        let around = Around::new(self.account.clone(), addresses, clients, self.number);
        let mut stage = Stage {
            plan: self,
            cluster,
            around: Arc::new(around),
            measured: Measured::default(),
            violations: Vec::new(),
            about: Vec::new(),
            steps: Vec::new(),
            breaks: 0,
            cuts: (0, 0),
        };
        let played = match self.fault {
            Fault::ManyOpens => many_opens::play(&mut stage).await,
            _ => round::play(&mut stage).await,
        };
        if let Err(why) = played {
            stage.violations.push(Violation::new(Kind::Stuck, why));
        }
        stage.outcome()
    }
}

/// A round under way.
pub struct Stage<'a> {
    pub plan: &'a Plan,
    pub cluster: &'a Cluster,
    pub around: Arc<Around>,
    pub measured: Measured,
    pub violations: Vec<Violation>,
    /// What the fault did.
    pub about: Vec<String>,
    /// What each client is about.
    pub steps: Vec<Step>,
    /// Lease breaks that clients were sent.
    pub breaks: u64,
    /// Lives of nodes that were cut off from the storage, and operations of theirs that were refused.
    pub cuts: (u64, u64),
}

impl Stage<'_> {
    /// Waits for all of them; an error says which clients do not do `what`, and what they are about.
    pub async fn all<T: Send + 'static>(
        &self,
        mut tasks: JoinSet<T>,
        limit: Duration,
        what: &str,
    ) -> Result<Vec<T>, String> {
        let mut done = Vec::new();
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(left, tasks.join_next()).await {
                Ok(None) => return Ok(done),
                Ok(Some(Ok(one))) => done.push(one),
                Ok(Some(Err(error))) => return Err(format!("a client failed: {error}")),
                Err(_) => {
                    return Err(format!("{} clients do not {what}: {}", tasks.len(), self.steps()));
                }
            }
        }
    }

    /// What each client is about now.
    pub fn steps(&self) -> String {
        let steps = self.steps.iter().enumerate();
        steps
            .map(|(client, step)| format!("{client} {}", step.lock()))
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// The third client does something.
    pub async fn one(
        &self,
        mut worker: Worker,
        limit: Duration,
        what: &str,
        act: impl AsyncFnOnce(&mut Worker),
    ) -> Result<Worker, String> {
        match timeout(limit, act(&mut worker)).await {
            Ok(()) => Ok(worker),
            Err(_) => Err(format!("the third client cannot {what}: {}", self.steps())),
        }
    }

    fn outcome(mut self) -> Outcome {
        self.violations.extend(self.around.history.read(judge));
        let mut broken = BTreeMap::new();
        for violation in &self.violations {
            *broken.entry(violation.kind).or_insert(0) += 1;
        }
        let mut counts = self.counts();
        counts.breaks = self.breaks;
        (counts.cuts, counts.refused) = self.cuts;
        let Plan { fault, number, seed, .. } = *self.plan;
        let Measured { affected, others, baseline, .. } = self.measured;
        let result =
            RoundResult { fault, number, seed, affected, others, baseline, broken, counts };
        let mut history = self
            .around
            .history
            .read(|records| records.iter().map(|record| format!("{record}\n")).collect::<String>());
        if let Ok(storage) = self.cluster.storage() {
            history.push_str(&storage.record(self.around.history.begun()));
        }
        Outcome { result, about: self.about.join("; "), violations: self.violations, history }
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.around.history.read(|records| {
            for record in records {
                match &record.event {
                    Event::Answered { operation: Operation::Reclaim, .. } => counts.reclaimed += 1,
                    Event::Opened { replayed, .. } => {
                        counts.creates += 1;
                        counts.replays += u64::from(*replayed);
                    }
                    Event::WriteEnded { end: WriteEnd::Acknowledged, .. } => counts.writes += 1,
                    Event::Locked { .. } => counts.locks += 1,
                    Event::ReadReturned { cached: true, .. } => counts.cached += 1,
                    _ => {}
                }
            }
        });
        counts
    }
}
