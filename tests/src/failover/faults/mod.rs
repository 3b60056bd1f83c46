//! What may happen to nodes, a file for each.

mod kill_all;
mod kill_follower;
mod kill_leader;
mod kill_two;
mod path;
mod rolling;
mod stop;

use std::time::Duration;

use clap::ValueEnum;
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::checkers::Violation;
use super::history::At;
use super::workload::Around;
use crate::cluster::{DevCluster, Process};
use crate::random::Random;

/// How long a process may take to end after SIGKILL, and a cluster to be there again.
const END_LIMIT: Duration = Duration::from_secs(10);
const BACK_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub enum Fault {
    /// kill -9 of a node that does not lead
    KillFollower,
    /// kill -9 of the node that leads
    KillLeader,
    /// kill -9 of two nodes at once
    KillTwo,
    /// kill -9 of every node at once
    KillAll,
    /// SIGSTOP of a node for 0.1 to 10 s, then SIGCONT; every second time its clients lose the path
    /// to it as well and ask for their handles while it is frozen
    Stop,
    /// The clients of a node lose the path to it while all nodes are well; every second time it does
    /// not hear of that
    Path,
    /// SIGTERM of one node after the other, each when all serve again
    Rolling,
    /// kill -9 of a node that holds very many handles
    ManyOpens,
}

/// Where a fault strikes.
pub struct Scene<'a> {
    pub cluster: &'a DevCluster,
    pub around: &'a Around,
    pub random: &'a mut Random,
}

/// What a fault did.
#[derive(Debug, Default)]
pub struct Strike {
    /// Nodes that failed: their clients must come back.
    pub victims: Vec<u64>,
    /// When it began.
    pub at: At,
    /// From here on nothing that a victim answers counts as coming back.
    pub after: At,
    /// What clients' blackouts are counted from: the fault, or the return of the quorum.
    pub counted_from: At,
    /// The victims end in order: what counts is the longest operation, not the first answer.
    pub orderly: bool,
    pub about: String,
    /// What was seen to be wrong while it lasted.
    pub violations: Vec<Violation>,
}

impl Fault {
    /// Those that are let happen if none is named.
    pub const USUAL: [Fault; 7] = [
        Fault::KillFollower,
        Fault::KillLeader,
        Fault::KillTwo,
        Fault::KillAll,
        Fault::Stop,
        Fault::Path,
        Fault::Rolling,
    ];

    pub const ALL: [Fault; 8] = [
        Fault::KillFollower,
        Fault::KillLeader,
        Fault::KillTwo,
        Fault::KillAll,
        Fault::Stop,
        Fault::Path,
        Fault::Rolling,
        Fault::ManyOpens,
    ];

    /// As the command line and result files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Fault::KillFollower => "kill-follower",
            Fault::KillLeader => "kill-leader",
            Fault::KillTwo => "kill-two",
            Fault::KillAll => "kill-all",
            Fault::Stop => "stop",
            Fault::Path => "path",
            Fault::Rolling => "rolling",
            Fault::ManyOpens => "many-opens",
        }
    }

    pub fn from_name(name: &str) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// What the 99th percentile of blackouts must keep to.
    pub fn limit(self) -> Duration {
        Duration::from_millis(match self {
            Fault::KillFollower => 500,
            Fault::KillLeader => 1_500,
            Fault::KillTwo | Fault::KillAll => 5_000,
            Fault::Stop => 2_500,
            Fault::Path => 200,
            Fault::Rolling => 300,
            Fault::ManyOpens => 20_000,
        })
    }

    /// Lets it happen. Returns when it is over, which may be long after clients have come back.
    pub async fn strike(self, scene: &mut Scene<'_>) -> Result<Vec<Strike>, String> {
        match self {
            Fault::KillFollower | Fault::ManyOpens => kill_follower::strike(scene).await,
            Fault::KillLeader => kill_leader::strike(scene).await,
            Fault::KillTwo => kill_two::strike(scene).await,
            Fault::KillAll => kill_all::strike(scene).await,
            Fault::Stop => stop::strike(scene).await,
            Fault::Path => path::strike(scene).await,
            Fault::Rolling => rolling::strike(scene).await,
        }
    }
}

impl Scene<'_> {
    fn nodes(&self) -> Vec<u64> {
        self.cluster.nodes().collect()
    }

    async fn leader(&self) -> Result<u64, String> {
        self.cluster.leader(BACK_LIMIT).await
    }
}

/// SIGKILL for all of them at once. If no quorum is left, returns when there is one again, and
/// blackouts are counted from then.
async fn kill(scene: &Scene<'_>, victims: Vec<u64>) -> Result<Vec<Strike>, String> {
    let processes = victims.iter().map(|node| scene.cluster.process(*node));
    let processes: Vec<Process> = processes.collect::<Result<_, String>>()?;
    let at = scene.around.history.now();
    for process in &processes {
        let killed = process.send(Signal::KILL);
        killed.map_err(|error| format!("process {}: {error}", process.pid))?;
    }
    let after = scene.around.history.now();
    for process in &processes {
        process.ended(END_LIMIT).await?;
    }
    let all = scene.nodes().len();
    let quorum = all / 2 + 1;
    let mut counted_from = at;
    if all - victims.len() < quorum {
        running_again(scene, &processes, quorum).await?;
        counted_from = scene.around.history.now();
        scene.cluster.listening(quorum, BACK_LIMIT).await?;
    }
    let about = format!("node {} killed", list(&victims));
    Ok(vec![Strike { victims, at, after, counted_from, about, ..Strike::default() }])
}

/// Waits until so many nodes are processes that run, those that were killed being new ones.
async fn running_again(scene: &Scene<'_>, killed: &[Process], wanted: usize) -> Result<(), String> {
    let deadline = Instant::now() + BACK_LIMIT;
    loop {
        // A pid file that is just being written, or names the dead, is no process yet.
        let running = scene.cluster.nodes().filter_map(|node| scene.cluster.process(node).ok());
        let is_new = |process: &Process| killed.iter().all(|dead| dead.pid != process.pid);
        if running.filter(is_new).count() >= wanted {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("{wanted} nodes are not started again"));
        }
        sleep(POLL).await;
    }
}

fn list(nodes: &[u64]) -> String {
    nodes.iter().map(u64::to_string).collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for fault in Fault::ALL {
            let value = fault.to_possible_value().expect("not hidden");
            assert_eq!(value.get_name(), fault.name());
            assert_eq!(Fault::from_name(fault.name()), Some(fault));
        }
    }
}
