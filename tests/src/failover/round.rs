//! One round: clients begin to work, a fault strikes, everyone comes back, what was acknowledged is
//! looked for, and the history is judged.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::checkers::{Kind, Violation, judge};
use super::faults::{Fault, Scene, Strike};
use super::history::{Event, Operation, WriteEnd};
use super::measure::{Measured, measure};
use super::results::{Counts, RoundResult};
use super::workload::{Around, Step, Worker};
use crate::client::Account;
use crate::cluster::DevCluster;
use crate::random::Random;

/// How long clients work before the fault, in milliseconds.
const BEFORE: (u64, u64) = (300, 900);
/// How long they go on when all have come back.
const AFTERWARDS: Duration = Duration::from_millis(300);
/// Beyond this a client or a node does not come back.
const BACK_LIMIT: Duration = Duration::from_secs(60);
/// For each step of the beginning and the end.
const STEP_LIMIT: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(5);

/// What makes a round.
#[derive(Clone, Debug)]
pub struct Plan {
    pub fault: Fault,
    pub number: u64,
    pub seed: u64,
    pub clients: u64,
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
    fn random(&self, of: u64) -> Random {
        Random::of(&[self.seed, self.fault as u64, self.number, of])
    }

    /// Runs the round. Whatever goes wrong in it is part of the outcome.
    pub async fn run(&self, cluster: &DevCluster) -> Outcome {
        let addresses = cluster.nodes().map(|node| cluster.address(node)).collect();
        let around = Around::new(self.account.clone(), addresses, self.clients, self.number);
        let mut round = Round {
            plan: self,
            cluster,
            around: Arc::new(around),
            strikes: Vec::new(),
            violations: Vec::new(),
            measured: Measured::default(),
            steps: Vec::new(),
            breaks: 0,
        };
        if let Err(why) = round.play().await {
            round.violations.push(Violation::new(Kind::Stuck, why));
        }
        round.outcome()
    }
}

struct Round<'a> {
    plan: &'a Plan,
    cluster: &'a DevCluster,
    around: Arc<Around>,
    strikes: Vec<Strike>,
    violations: Vec<Violation>,
    measured: Measured,
    steps: Vec<Step>,
    breaks: u64,
}

impl Round<'_> {
    async fn play(&mut self) -> Result<(), String> {
        self.cluster.whole(BACK_LIMIT).await?;
        let mut random = self.plan.random(u64::MAX);
        let workers = self.begin(&mut random).await?;
        let mut working = JoinSet::new();
        for mut worker in workers {
            working.spawn(async move {
                worker.work().await;
                worker
            });
        }
        sleep(Duration::from_millis(random.between(BEFORE.0, BEFORE.1))).await;
        let around = self.around.clone();
        let mut scene = Scene { cluster: self.cluster, around: &around, random: &mut random };
        let strikes = self.plan.fault.strike(&mut scene).await;
        self.strikes = strikes?;
        self.until_all_are_back().await;
        self.cluster.whole(BACK_LIMIT).await?;
        sleep(AFTERWARDS).await;
        self.around.set_calm();
        let workers = self.all(working, "finish what they are about").await?;
        self.look_for_everything(workers, &mut random).await?;
        self.look_at_the_volume()
    }

    /// Every client is connected, has its files open and its lock.
    async fn begin(&mut self, random: &mut Random) -> Result<Vec<Worker>, String> {
        let nodes = self.around.addresses.len() as u64;
        let first = random.below(nodes);
        let mut beginning = JoinSet::new();
        for client in 0..self.plan.clients {
            let favourite = (first + client) % nodes + 1;
            let choices = self.plan.random(client);
            let mut worker = Worker::new(client, self.around.clone(), favourite, choices);
            self.steps.push(worker.step());
            beginning.spawn(async move { worker.begin().await.map(|()| worker) });
        }
        self.all(beginning, "begin").await?.into_iter().collect()
    }

    /// Waits for all of them.
    async fn all<T: Send + 'static>(
        &self,
        mut tasks: JoinSet<T>,
        what: &str,
    ) -> Result<Vec<T>, String> {
        let mut done = Vec::new();
        let deadline = Instant::now() + STEP_LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(left, tasks.join_next()).await {
                Ok(None) => return Ok(done),
                Ok(Some(Ok(one))) => done.push(one),
                Ok(Some(Err(error))) => return Err(format!("a client failed: {error}")),
                Err(_) => {
                    return Err(format!("{} clients do not {what}: {}", tasks.len(), self.about()));
                }
            }
        }
    }

    /// What each client is about.
    fn about(&self) -> String {
        let steps = self.steps.iter().enumerate();
        steps
            .map(|(client, step)| format!("{client} {}", step.lock()))
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// Measures each fault as soon as every client has had an answer after it.
    async fn until_all_are_back(&mut self) {
        let deadline = Instant::now() + BACK_LIMIT;
        let ends = self.strikes.iter().skip(1).map(|next| next.at).chain([Duration::MAX]);
        for (strike, until) in self.strikes.iter().zip(ends) {
            let whereabouts = self.around.history.whereabouts(strike.at);
            let measured = loop {
                let measured = self.around.history.read(|records| {
                    measure(records, &whereabouts, self.plan.clients, strike, until)
                });
                let all_are_there = measured.missing.is_empty() || until != Duration::MAX;
                if all_are_there || Instant::now() > deadline {
                    break measured;
                }
                sleep(POLL).await;
            };
            for client in &measured.missing {
                let what = format!("client {} does not come back: {}", client.0, self.about());
                self.violations.push(Violation::new(Kind::Stuck, what));
            }
            self.measured.affected.extend(measured.affected);
            self.measured.others.extend(measured.others);
            self.violations.extend(strike.violations.iter().cloned());
        }
    }

    /// What was acknowledged is there, locks still stand, and nothing stays behind.
    async fn look_for_everything(
        &mut self,
        workers: Vec<Worker>,
        random: &mut Random,
    ) -> Result<(), String> {
        let mut resting = JoinSet::new();
        for mut worker in workers {
            resting.spawn(async move {
                worker.come_to_rest().await;
                worker
            });
        }
        let workers = self.all(resting, "come to rest").await?;
        let node = 1 + random.below(self.around.addresses.len() as u64);
        let choices = self.plan.random(self.plan.clients);
        let rival = Worker::new(self.plan.clients, self.around.clone(), node, choices);
        self.steps.push(rival.step());
        let rival = self.one(rival, "try every lock", async |rival| rival.try_every_lock().await);
        let rival = rival.await?;
        let mut ending = JoinSet::new();
        for mut worker in workers {
            ending.spawn(async move {
                worker.end().await;
                worker.breaks()
            });
        }
        self.breaks = self.all(ending, "end").await?.into_iter().sum();
        self.one(rival, "read everything", async |rival| rival.read_everything().await).await?;
        Ok(())
    }

    async fn one(
        &self,
        mut worker: Worker,
        what: &str,
        act: impl AsyncFnOnce(&mut Worker),
    ) -> Result<Worker, String> {
        match timeout(STEP_LIMIT, act(&mut worker)).await {
            Ok(()) => Ok(worker),
            Err(_) => Err(format!("the third client cannot {what}: {}", self.about())),
        }
    }

    /// Every file whose creation was acknowledged is on the storage, under its name.
    fn look_at_the_volume(&mut self) -> Result<(), String> {
        let folder = self.cluster.volume();
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()));
        let mut there = std::collections::BTreeSet::new();
        for entry in entries? {
            let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
            there.insert(entry.file_name().to_string_lossy().into_owned());
        }
        self.around.history.read(|records| {
            for record in records {
                if let Event::Opened { file, .. } = &record.event
                    && !there.contains(file)
                {
                    let what = format!("{file} was created and is not there");
                    self.violations.push(Violation::new(Kind::LostWrite, what));
                }
            }
        });
        Ok(())
    }

    fn outcome(mut self) -> Outcome {
        self.violations.extend(self.around.history.read(judge));
        let mut broken = BTreeMap::new();
        for violation in &self.violations {
            *broken.entry(violation.kind).or_insert(0) += 1;
        }
        let mut counts = self.counts();
        counts.breaks = self.breaks;
        let Plan { fault, number, seed, .. } = *self.plan;
        let Measured { affected, others, .. } = self.measured;
        let result = RoundResult { fault, number, seed, affected, others, broken, counts };
        let about = self.strikes.iter().map(|strike| strike.about.clone()).collect::<Vec<_>>();
        let history = self
            .around
            .history
            .read(|records| records.iter().map(|record| format!("{record}\n")).collect::<String>());
        Outcome { result, about: about.join("; "), violations: self.violations, history }
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
