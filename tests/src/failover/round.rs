//! The usual round: clients begin to work, a fault strikes, everyone comes back, what was
//! acknowledged is looked for, and the history is judged.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::checkers::{Kind, Violation};
use super::faults::{Scene, Strike};
use super::history::{ClientId, Event};
use super::measure::measure;
use super::stage::Stage;
use super::workload::{Worker, blocks_of};
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

/// Plays it.
pub async fn play(stage: &mut Stage<'_>) -> Result<(), String> {
    stage.cluster.whole(BACK_LIMIT).await?;
    let mut random = stage.plan.random(u64::MAX);
    let workers = stage.begin(&mut random).await?;
    let mut working = JoinSet::new();
    for mut worker in workers {
        working.spawn(async move {
            worker.work().await;
            worker
        });
    }
    sleep(Duration::from_millis(random.between(BEFORE.0, BEFORE.1))).await;
    let around = stage.around.clone();
    let mut scene = Scene { cluster: stage.cluster, around: &around, random: &mut random };
    let strikes = stage.plan.fault.strike(&mut scene).await?;
    stage.about.extend(strikes.iter().map(|strike| strike.about.clone()));
    for strike in &strikes {
        stage.cuts.0 += strike.cuts;
        stage.cuts.1 += strike.refused;
    }
    stage.until_all_are_back(&strikes).await;
    stage.cluster.whole(BACK_LIMIT).await?;
    sleep(AFTERWARDS).await;
    stage.around.set_calm();
    let workers = stage.all(working, STEP_LIMIT, "finish what they are about").await?;
    stage.look_for_everything(workers, &mut random).await?;
    stage.look_at_the_volume()
}

impl Stage<'_> {
    /// Every client is connected, has its files open and its lock.
    async fn begin(&mut self, random: &mut Random) -> Result<Vec<Worker>, String> {
        let nodes = self.around.addresses.len() as u64;
        let first = random.below(nodes);
        let mut beginning = JoinSet::new();
        for client in 0..self.around.clients {
            let favourite = (first + client) % nodes + 1;
            let choices = self.plan.random(client);
            let mut worker = Worker::new(client, self.around.clone(), favourite, choices);
            self.steps.push(worker.step());
            beginning.spawn(async move { worker.begin().await.map(|()| worker) });
        }
        self.all(beginning, STEP_LIMIT, "begin").await?.into_iter().collect()
    }

    /// Measures each fault as soon as every client has had an answer after it.
    async fn until_all_are_back(&mut self, strikes: &[Strike]) {
        let deadline = Instant::now() + BACK_LIMIT;
        let ends = strikes.iter().skip(1).map(|next| next.at).chain([Duration::MAX]);
        for (strike, until) in strikes.iter().zip(ends) {
            let whereabouts = self.around.history.whereabouts(strike.at);
            let measured = loop {
                let measured = self.around.history.read(|records| {
                    measure(records, &whereabouts, self.around.clients, strike, until)
                });
                let all_are_there = measured.missing.is_empty() || until != Duration::MAX;
                if all_are_there || Instant::now() > deadline {
                    break measured;
                }
                sleep(POLL).await;
            };
            // Until the next fault a client may simply have waited; after the last one it may not.
            let missing = measured.missing.iter().filter(|_| until == Duration::MAX);
            for client in missing {
                let what = format!("client {} does not come back: {}", client.0, self.steps());
                self.violations.push(Violation::new(Kind::Stuck, what));
            }
            if let Some(latest) = measured.noticed.iter().max() {
                let latest = latest.as_secs_f64();
                self.about.push(format!("its clients noticed after {latest:.1} s at most"));
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
        let workers = self.all(resting, STEP_LIMIT, "come to rest").await?;
        let node = 1 + random.below(self.around.addresses.len() as u64);
        let choices = self.plan.random(self.around.clients);
        let rival = Worker::new(self.around.clients, self.around.clone(), node, choices);
        self.steps.push(rival.step());
        let rival = self
            .one(rival, STEP_LIMIT, "try every lock", async |rival| rival.try_every_lock().await);
        let rival = rival.await?;
        let mut ending = JoinSet::new();
        for mut worker in workers {
            ending.spawn(async move {
                worker.end().await;
                worker.breaks()
            });
        }
        self.breaks = self.all(ending, STEP_LIMIT, "end").await?.into_iter().sum();
        self.one(rival, STEP_LIMIT, "read everything", async |rival| rival.read_everything().await)
            .await?;
        Ok(())
    }

    /// Every file whose creation was acknowledged is on the storage under its name, and holds what
    /// was acknowledged: no cache is asked any more.
    fn look_at_the_volume(&self) -> Result<(), String> {
        let history = &self.around.history;
        let opened: BTreeSet<String> = history.read(|records| {
            let opened = records.iter().filter_map(|record| match &record.event {
                Event::Opened { file, .. } => Some(file.clone()),
                _ => None,
            });
            opened.collect()
        });
        let folder = self.cluster.volume();
        for file in opened {
            let path = folder.join(&file);
            let invoked = history.now();
            let data = match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let what = format!("{file} was created and is not there");
                    history.tell(self.rival(), Event::Missing { what });
                    continue;
                }
                read => read.map_err(|error| format!("{}: {error}", path.display()))?,
            };
            for event in blocks_of(&file, &data, invoked) {
                history.tell(self.rival(), event);
            }
        }
        Ok(())
    }

    /// The client after the last.
    fn rival(&self) -> ClientId {
        ClientId(self.around.clients)
    }
}
