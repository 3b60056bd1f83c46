//! What may happen to nodes, a file for each.

mod freeze;
mod kill_all;
mod kill_follower;
mod kill_leader;
mod kill_two;
mod partition;
mod partition_clients;
mod partition_leader;
mod partition_node;
mod partition_one_way;
mod path;
mod reboot;
mod rolling;
mod stop;
mod stop_cut;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::checkers::Violation;
use super::history::At;
use super::workload::Around;
use crate::cluster::{Boot, Cluster, Kind, Process};
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
    /// SIGSTOP of the leader or another node for 0.1 to 10 s, then SIGCONT; every second time its
    /// clients lose the path to it as well and ask for their handles while it is frozen
    Stop,
    /// As stop, with operations on their way to the storage meanwhile, and a fence command that cuts
    /// the node off at a recording layer under the share instead of killing it
    StopCut,
    /// The clients of a node lose the path to it while all nodes are well; every second time it does
    /// not hear of that
    Path,
    /// No packet passes between a node and its clients, and all nodes are well
    PartitionClients,
    /// No packet passes between a node and the other nodes; clients still reach it
    PartitionNode,
    /// A node hears the others, or one of them, and is not heard; or the other way round
    PartitionOneWay,
    /// No packet passes between the leader and anybody
    PartitionLeader,
    /// SIGTERM of one node after the other, each when all serve again
    Rolling,
    /// The power of all nodes goes and comes back with the wall clock two days ahead and the boot
    /// clock at zero
    Reboot,
    /// kill -9 of a node that holds very many handles
    ManyOpens,
}

/// Where a fault strikes.
pub struct Scene<'a> {
    pub cluster: &'a Cluster,
    pub around: &'a Arc<Around>,
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
    /// From each client's first attempt on a node that is no victim, instead: whoever hears nothing
    /// of the loss must notice it by itself, which is the client's matter.
    pub from_first_attempt: bool,
    /// The victims serve on for a while: what counts is the longest operation, not the first answer.
    pub longest: bool,
    /// Clients are back when something was answered that they asked for after this.
    pub over: At,
    pub about: String,
    /// What was seen to be wrong while it lasted.
    pub violations: Vec<Violation>,
    /// Lives of nodes that were cut off from the storage...
    pub cuts: u64,
    /// ... and how many operations of theirs were refused there.
    pub refused: u64,
}

impl Fault {
    pub const ALL: [Fault; 14] = [
        Fault::KillFollower,
        Fault::KillLeader,
        Fault::KillTwo,
        Fault::KillAll,
        Fault::Stop,
        Fault::StopCut,
        Fault::Path,
        Fault::PartitionClients,
        Fault::PartitionNode,
        Fault::PartitionOneWay,
        Fault::PartitionLeader,
        Fault::Rolling,
        Fault::Reboot,
        Fault::ManyOpens,
    ];

    /// Those that are let happen if none is named, as far as this machine can.
    pub fn usual() -> impl Iterator<Item = Fault> {
        Fault::ALL.into_iter().filter(|fault| *fault != Fault::ManyOpens)
    }

    /// What stands around the cluster that it strikes.
    pub fn kind(self) -> Kind {
        match self {
            Fault::StopCut => Kind::Recorded,
            Fault::PartitionClients
            | Fault::PartitionNode
            | Fault::PartitionOneWay
            | Fault::PartitionLeader => Kind::Networked,
            _ => Kind::Plain,
        }
    }

    /// True if clients must notice by themselves that something is lost.
    pub fn is_silent(self) -> bool {
        matches!(self, Fault::PartitionClients | Fault::PartitionLeader)
    }

    /// True if the cluster is not what it was, even if nothing was broken.
    pub fn spends_its_cluster(self) -> bool {
        matches!(self, Fault::ManyOpens | Fault::Reboot)
    }

    /// What this machine lacks for it.
    pub fn lacks(self) -> Option<String> {
        let is_special = self.kind() != Kind::Plain || self == Fault::Reboot;
        if is_special && !rustix::process::geteuid().is_root() {
            return Some("it takes root".to_owned());
        }
        let there = |program: &str| {
            let folders =
                ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
            folders.iter().any(|folder| Path::new(folder).join(program).exists())
        };
        let missing = |programs: &[&str]| {
            let missing = programs.iter().find(|program| !there(program))?;
            Some(format!("there is no «{missing}»"))
        };
        match (self, self.kind()) {
            (_, Kind::Recorded) if !Path::new("/dev/fuse").exists() => {
                Some("there is no /dev/fuse".to_owned())
            }
            (_, Kind::Networked) => missing(&["ip", "nsenter"]),
            (Fault::Reboot, _) => missing(&["unshare"]).or_else(Boot::lacks),
            _ => None,
        }
    }

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
            Fault::StopCut => "stop-cut",
            Fault::PartitionClients => "partition-clients",
            Fault::PartitionNode => "partition-node",
            Fault::PartitionOneWay => "partition-one-way",
            Fault::PartitionLeader => "partition-leader",
            Fault::Reboot => "reboot",
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
            Fault::KillTwo | Fault::KillAll | Fault::Reboot => 5_000,
            Fault::Stop
            | Fault::StopCut
            | Fault::PartitionNode
            | Fault::PartitionOneWay
            | Fault::PartitionLeader => 2_500,
            Fault::Path | Fault::PartitionClients => 200,
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
            Fault::StopCut => stop_cut::strike(scene).await,
            Fault::PartitionClients => partition_clients::strike(scene).await,
            Fault::PartitionNode => partition_node::strike(scene).await,
            Fault::PartitionOneWay => partition_one_way::strike(scene).await,
            Fault::PartitionLeader => partition_leader::strike(scene).await,
            Fault::Reboot => reboot::strike(scene).await,
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
