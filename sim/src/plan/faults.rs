//! Which faults a run has, and when.

use std::time::Duration;

use holdfast_cluster::disk::sim::SimRandom;
use holdfast_cluster::gap::Gap;
use holdfast_cluster::planted::PlantedBug;

use super::Plan;

/// Which node a fault hits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// This one, counted from 1.
    Node(u64),
    /// Whoever leads by then.
    Leader,
}

/// A node stands still the next time it passes a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GapFreeze {
    pub gap: Gap,
    /// How often the gap is passed before.
    pub skip: u32,
    pub lasts: Duration,
    /// The node's clients are cut off meanwhile, so that they move on at once.
    pub cut_clients: bool,
}

/// One fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing goes between two nodes, or only nothing from the first to the second.
    PartNodes {
        a: u64,
        b: u64,
        one_way: bool,
        lasts: Duration,
    },
    /// A node is alone; with or without the clients that it has then.
    Isolate {
        node: Target,
        with_clients: bool,
        one_way: bool,
        lasts: Duration,
    },
    /// A client does not reach a node.
    PartClient {
        client: u8,
        node: u64,
        one_way: bool,
        lasts: Duration,
    },
    Freeze {
        node: Target,
        lasts: Duration,
    },
    FreezeAtGap(GapFreeze),
    /// The process ends; with `power`, the host does, and its log disk loses what was not synced.
    Crash {
        node: Target,
        power: bool,
        down: Duration,
    },
    /// Every node and the storage lose power.
    PowerCut {
        down: Duration,
    },
    /// The same, at the moment at which a client hears that an open, lock or close is done.
    PowerCutAtAnswer {
        skip: u32,
        down: Duration,
    },
}

const GAPS: [Gap; 9] = [
    Gap::Queued,
    Gap::GateToStorage,
    Gap::StorageToGate,
    Gap::GateToReply,
    Gap::DecisionToStorage,
    Gap::StorageToDecision,
    Gap::GrantToBarrier,
    Gap::BreakToSocket,
    Gap::DrainToRelease,
];

/// Which kinds of faults a run has, and how often: weights.
pub(super) struct Style {
    part_nodes: u32,
    isolate: u32,
    part_client: u32,
    freeze: u32,
    gaps: u32,
    gap_choice: Vec<Gap>,
    /// Every freeze at a gap cuts the node's clients off, so that they are elsewhere when it ends.
    gaps_cut_clients: bool,
    crash: u32,
    restart_leader: u32,
    power_cut: u32,
    power_cut_at_answer: u32,
    /// The mean time between two faults.
    every: Duration,
    pub(super) slow_log_disks: bool,
    /// The site's fencer takes seconds.
    pub(super) slow_fencer: bool,
}

impl Style {
    pub(super) fn draw(random: &mut SimRandom, planted: Option<PlantedBug>) -> Style {
        let mut weight = |percent: u32| {
            if random.percent(percent) { 1 + random.below(4) as u32 } else { 0 }
        };
        let mut style = Style {
            part_nodes: weight(50),
            isolate: weight(50),
            part_client: weight(50),
            freeze: weight(40),
            gaps: weight(60) * 2,
            gap_choice: Vec::new(),
            gaps_cut_clients: false,
            crash: weight(60),
            restart_leader: weight(20),
            power_cut: weight(15),
            power_cut_at_answer: weight(20),
            every: Duration::ZERO,
            slow_log_disks: false,
            slow_fencer: false,
        };
        style.gap_choice = GAPS.into_iter().filter(|_| random.percent(45)).collect();
        if style.gap_choice.is_empty() {
            style.gap_choice.push(GAPS[random.below(GAPS.len() as u64) as usize]);
        }
        style.every = Duration::from_millis(400 + random.below(2_500));
        style.slow_log_disks = random.percent(30);
        // Half of a bug's seeds are run as they are; the other half leans towards it.
        if random.percent(50)
            && let Some(bug) = planted
        {
            style.lean_towards(bug);
        }
        style
    }

    /// The kind of run in which such a bug shows. Every such run could also have been drawn.
    fn lean_towards(&mut self, bug: PlantedBug) {
        match bug {
            PlantedBug::AckBeforeSync => {
                self.power_cut_at_answer = 8;
                self.slow_log_disks = true;
            }
            PlantedBug::EnableLeaderRestore => {
                self.restart_leader = 10;
                self.slow_log_disks = true;
                self.every = Duration::from_millis(700);
            }
            // It shows between the suspicion and the proof, in what the suspect had in hand.
            PlantedBug::ReclaimBeforeFence => {
                self.gaps = 8;
                self.gap_choice = vec![Gap::GateToStorage];
                self.gaps_cut_clients = true;
                self.slow_fencer = true;
            }
            PlantedBug::LeaseCheckedAtEnqueue => {
                self.gaps = 8;
                self.gap_choice = vec![Gap::Queued];
            }
            PlantedBug::ReplyAfterLeaseEnd => {
                self.gaps = 8;
                self.gap_choice = vec![Gap::StorageToGate];
            }
            PlantedBug::NoGrantBarrier => {
                self.part_nodes = 8;
                self.gaps = 4;
                self.gap_choice = vec![Gap::GateToStorage, Gap::GrantToBarrier];
            }
            PlantedBug::NoCreateGuidDedupe | PlantedBug::ScavengerWithoutGeneration => {
                self.part_client = 8;
                self.crash = 6;
            }
            PlantedBug::MapOrderInApply => {}
        }
    }

    pub(super) fn schedule(&self, random: &mut SimRandom, plan: &Plan) -> Vec<(Duration, Fault)> {
        let mut faults = Vec::new();
        // The cluster comes up and the clients begin in peace.
        let mut at = Duration::from_millis(1_500 + random.below(1_500));
        let end = plan.faulty.saturating_sub(Duration::from_secs(1));
        while at < end && faults.len() < 120 {
            if let Some(fault) = self.one(random, plan) {
                faults.push((at, fault));
            }
            let every = self.every.as_millis() as u64;
            at += Duration::from_millis(every / 4 + random.below(every * 3 / 2));
        }
        faults
    }

    fn one(&self, random: &mut SimRandom, plan: &Plan) -> Option<Fault> {
        let weights = [
            self.part_nodes,
            self.isolate,
            self.part_client,
            self.freeze,
            self.gaps,
            self.crash,
            self.restart_leader,
            self.power_cut,
            self.power_cut_at_answer,
        ];
        let all: u32 = weights.iter().sum();
        if all == 0 {
            return None;
        }
        let mut ticket = random.below(u64::from(all)) as u32;
        let kind = weights.iter().position(|weight| {
            let hit = ticket < *weight;
            if !hit {
                ticket -= weight;
            }
            hit
        })?;
        let node = |random: &mut SimRandom| 1 + random.below(plan.nodes);
        let target = |random: &mut SimRandom| match random.percent(40) {
            true => Target::Leader,
            false => Target::Node(1 + random.below(plan.nodes)),
        };
        let lasts = Duration::from_millis(match random.below(3) {
            0 => 100 + random.below(900),
            _ => 500 + random.below(4_500),
        });
        let down = Duration::from_millis(20 + random.below(2_000));
        Some(match kind {
            0 => {
                let a = node(random);
                let b = 1 + (a + random.below(plan.nodes.max(2) - 1)) % plan.nodes;
                if a == b {
                    return None;
                }
                Fault::PartNodes { a, b, one_way: random.percent(35), lasts }
            }
            1 => Fault::Isolate {
                node: target(random),
                with_clients: random.percent(50),
                one_way: random.percent(25),
                lasts,
            },
            2 => Fault::PartClient {
                client: random.below(u64::from(plan.clients)) as u8,
                node: node(random),
                one_way: random.percent(35),
                lasts,
            },
            3 => Fault::Freeze { node: target(random), lasts },
            4 => Fault::FreezeAtGap(GapFreeze {
                gap: self.gap_choice[random.below(self.gap_choice.len() as u64) as usize],
                skip: random.below(12) as u32,
                lasts: Duration::from_millis(1_200 + random.below(3_800)),
                cut_clients: random.percent(50) || self.gaps_cut_clients,
            }),
            5 => Fault::Crash { node: target(random), power: random.percent(50), down },
            6 => Fault::Crash {
                node: Target::Leader,
                power: true,
                down: Duration::from_millis(1 + random.below(40)),
            },
            7 => Fault::PowerCut { down },
            _ => Fault::PowerCutAtAnswer { skip: random.below(6) as u32, down },
        })
    }
}
