//! `holdfast node`: what is done with single nodes of a running cluster.

use std::time::Duration;

use clap::{Args, Subcommand};
use holdfast_cluster::ports::Clock;
use tokio::time::sleep;

use super::status::{NodeFilter, nodes_text};
use super::whereabouts::{Whereabouts, done};
use super::{CommandResult, block_on};
use crate::admin::{AdminClient, pb};
use crate::clock::HostClock;

/// How often it is asked how things stand.
const POLL: Duration = Duration::from_millis(200);
/// How often somebody who waits is told.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// What may be done with nodes.
#[derive(Subcommand)]
pub enum NodeCommand {
    /// Show the nodes, and who was fenced
    Status {
        /// Only this node
        #[arg(value_name = "NODE")]
        number: Option<u64>,
        #[command(flatten)]
        node: Whereabouts,
    },
    /// End a node's life, or cut it off, now
    #[command(
        long_about = "End a node's life, or cut it off, now.\n\nThe leader suspects the node \
        although it may answer, and another node brings the proof that it can touch no storage any \
        more: by SIGKILL on the same host, by the fence command of the settings elsewhere. What it \
        served then goes on at the others. A supervisor may start it again; it joins as a new \
        incarnation.\n\nEnds with status 1 if there is no proof in time. The node is then left \
        alone after some 15 s, if it is heard of."
    )]
    Fence(FenceArguments),
    /// Take a node out of service in order, to restart or repair it
    #[command(
        long_about = "Take a node out of service in order, to restart or repair it.\n\nThe node \
        hands leadership over, stops listening, gives back what is open through it and closes its \
        clients' connections, who go on through other nodes. It stays in the cluster and votes, \
        and serves again after «holdfast node resume» or when it is started anew. «holdfast serve» \
        does the same when SIGTERM ends it."
    )]
    Drain(DrainArguments),
    /// Put a drained node back into service
    Resume {
        /// The node's number
        #[arg(value_name = "NODE")]
        number: u64,
        #[command(flatten)]
        node: Whereabouts,
    },
}

/// Whom to fence.
#[derive(Args)]
pub struct FenceArguments {
    /// The node's number
    #[arg(value_name = "NODE")]
    number: u64,
    /// Yes: end it, whatever it does now
    #[arg(long)]
    yes: bool,
    /// Even if the others are no quorum without it
    #[arg(long)]
    force: bool,
    /// How long to wait for the proof
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    #[command(flatten)]
    node: Whereabouts,
}

/// Whom to drain.
#[derive(Args)]
pub struct DrainArguments {
    /// The node's number
    #[arg(value_name = "NODE")]
    number: u64,
    /// Even if nobody else serves clients then
    #[arg(long)]
    force: bool,
    /// How long to wait until nothing is served there
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    #[command(flatten)]
    node: Whereabouts,
}

pub fn run(command: NodeCommand) -> CommandResult {
    block_on(async {
        match command {
            NodeCommand::Status { number, node } => {
                let status = node.connect().await?.status().await?;
                let filter = NodeFilter(number);
                if status.nodes.iter().all(|node| !filter.shows(node.id)) {
                    return Err("there is no such node".into());
                }
                print!("{}", nodes_text(&status, filter));
                Ok(())
            }
            NodeCommand::Fence(arguments) => fence(arguments).await,
            NodeCommand::Drain(arguments) => drain(arguments).await,
            NodeCommand::Resume { number, node } => {
                node.connect().await?.resume_node(number).await?;
                done(format_args!("node {number} serves clients again"))
            }
        }
    })
}

async fn fence(arguments: FenceArguments) -> CommandResult {
    let FenceArguments { number, yes, force, wait, node } = arguments;
    if !yes {
        return Err(format!(
            "this ends node {number}, or cuts it off, whatever it does now; say --yes if that is \
             meant"
        )
        .into());
    }
    let mut client = node.connect().await?;
    let mut request = pb::FenceNodeRequest { node: number, incarnation: 0, force };
    let first = client.fence_node(request).await?;
    if first.ended {
        return done(format_args!(
            "node {number} (incarnation {}) does not live: {}",
            first.incarnation, first.detail
        ));
    }
    request.incarnation = first.incarnation;
    // Said once: the node itself does not count any more when it is asked about again.
    request.force = true;
    println!("node {number} (incarnation {}) is to be fenced", first.incarnation);
    let mut patience = Patience::begin(wait);
    loop {
        let reply = client.fence_node(request).await?;
        if reply.ended {
            return done(format_args!(
                "node {number} (incarnation {}) can touch no storage any more, after {:.2} s: {}",
                reply.incarnation,
                patience.passed().as_secs_f64(),
                reply.detail
            ));
        }
        let tried = |failure: &pb::FencingFailure| {
            format!("; tried {} times here: {}", failure.attempts, failure.why)
        };
        let tried: String = reply.failures.iter().map(tried).collect();
        let so_far = format!("{}{tried}", reply.detail);
        if patience.is_over() {
            return Err(format!(
                "no proof that node {number} can touch no storage after {wait} s ({so_far}); what \
                 it holds open waits. «holdfast status» on the other nodes says what they tried"
            )
            .into());
        }
        patience.wait(&so_far).await;
    }
}

async fn drain(arguments: DrainArguments) -> CommandResult {
    let DrainArguments { number, force, wait, node } = arguments;
    let mut client = node.connect().await?;
    let mut patience = Patience::begin(wait);
    loop {
        let left = drain_once(&mut client, number, force).await?;
        if left.drained {
            return done(format_args!(
                "node {number} serves nobody any more, after {:.2} s; «holdfast node resume \
                 {number}» or a restart puts it back into service",
                patience.passed().as_secs_f64()
            ));
        }
        let so_far = format!("{} sessions and {} opens are left", left.sessions, left.opens);
        if patience.is_over() {
            return Err(format!(
                "node {number} is not drained after {wait} s: {so_far}. It goes on draining; \
                 «holdfast node resume {number}» takes it back"
            )
            .into());
        }
        patience.wait(&so_far).await;
    }
}

async fn drain_once(
    client: &mut AdminClient,
    node: u64,
    force: bool,
) -> Result<pb::DrainNodeReply, Box<dyn std::error::Error + Send + Sync>> {
    Ok(client.drain_node(pb::DrainNodeRequest { node, force }).await?)
}

/// Waits for something, with an end, and tells how it stands.
struct Patience {
    begun: Duration,
    limit: Duration,
    told: Duration,
}

impl Patience {
    fn begin(seconds: u64) -> Patience {
        Patience {
            begun: HostClock.boot(),
            limit: Duration::from_secs(seconds),
            told: Duration::ZERO,
        }
    }

    fn passed(&self) -> Duration {
        HostClock.boot().saturating_sub(self.begun)
    }

    fn is_over(&self) -> bool {
        self.passed() >= self.limit
    }

    async fn wait(&mut self, so_far: &str) {
        if self.passed() >= self.told + TELL_EVERY {
            self.told = self.passed();
            println!("{:.0} s: {so_far}", self.passed().as_secs_f64());
        }
        sleep(POLL).await;
    }
}
