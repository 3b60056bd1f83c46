//! The command line.

use std::path::PathBuf;

use clap::Args;

use super::faults::Fault;

/// What `failover --help` says first.
pub const LONG_ABOUT: &str = "\
Let nodes fail under contending clients, and see that nothing promised is lost.

Each fault gets a cluster of its own: real processes of `holdfast dev` in a scratch folder, or, where
the network or the storage itself must fail, nodes in network namespaces or over a recording layer
(FUSE) that the runner makes and takes down again; those faults take root. In each
round eight clients, written on the wire format alone, hold persistent handles with locks and leases
through different nodes, write to files of their own and to shared ones, create files, and try what
locks forbid. Then a node fails. Every client comes back through whichever node serves, reclaims its
handles, repeats what was under way, and the whole history is judged: handles, acknowledged writes,
locks, caches, and creates that happened exactly once.";

/// What it says last.
pub const AFTER_HELP: &str = "\
Reading the table:
  handles, writes, torn, doubled   promises that were broken: handles lost, acknowledged writes
                                   lost, blocks of two writes, creates carried out twice
  other                            locks or caches broken, wrong answers, clients that never came
                                   back
  p50, p99, worst                  blackout of the clients whose node failed: from the fault to
                                   their first answered operation; where the quorum was lost, from
                                   the moment when a majority of the processes runs again; where
                                   clients must notice the loss themselves (partition-clients,
                                   partition-leader), from their first attempt on another node; for
                                   rolling, partition-node and partition-one-way their longest
                                   operation
  others                           longest operation of the clients of other nodes; for many-opens
                                   the 99th percentile of theirs, which may be twice what it was
                                   before, or 20 ms

stop-cut tells in its last line how many storage operations came from nodes after they had been cut
off, and were refused. If none did, nothing is shown, and the verdict says so.

For how long a node is frozen or a way is cut, the seed chooses: sometimes too short for anybody to be
fenced. What a round did is in its line.

many-opens is one node's death with 50,000 persistent handles of 50 clients: what is measured is how
long it takes until a client has all of its handles back. The nodes
are given as many descriptors if that may be (`ulimit -n`, or root).

A broken round keeps its cluster's folder, with the history of every client in it.

Exit status: 0 nothing broken and within the limits, 1 otherwise, 2 could not be run, 130
interrupted.

Examples:
  cargo run --release -p holdfast-tests -- failover
  cargo run --release -p holdfast-tests -- failover kill-leader stop --rounds 100 --resume results
  sudo -E cargo run --release -p holdfast-tests -- failover stop-cut partition-leader reboot
  HOLDFAST_BIN=/usr/bin/holdfast cargo run -p holdfast-tests -- failover --rounds 3 --loaded";

/// Which faults, how often, and how they are judged.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Which faults; without any, all that this machine can do but many-opens
    #[arg(value_name = "FAULT", value_enum)]
    pub faults: Vec<Fault>,
    /// How many rounds of each
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub rounds: u64,
    /// The seed of every choice; 1, or that of the run that is continued
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Keep each finished round's result in this file, and leave out what it has already
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// The machine is busy with other things: times are printed and not judged, loss is
    #[arg(long)]
    pub loaded: bool,
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=9))]
    pub nodes: u64,
    /// How many clients
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(2..=64))]
    pub clients: u64,
    /// How many handles are open when a node dies, for many-opens
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub opens: u64,
    /// Keep clusters' folders, with every round's history, even if nothing is broken
    #[arg(long)]
    pub keep: bool,
}
