//! A seed's plan: everything random about a run that is decided before it begins. Equal seeds give
//! equal plans on every machine; the plan is printed with a failure.
//!
//! Swarm style: each seed draws which faults there are at all, how often, and which timers, so that
//! some runs are nothing but freezes and others nothing but power cuts. A run is a phase of faults,
//! a healing, and a phase in which everything must go on.

mod faults;

use std::fmt;
use std::time::Duration;

use holdfast_cluster::command::Timers;
use holdfast_cluster::disk::sim::{SimLatency, SimRandom};
use holdfast_cluster::planted::PlantedBug;

pub use faults::{Fault, GapFreeze, Target};

/// How the simulated site fences.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fencing {
    /// The fencer kills the process and waits until nothing of it is in flight, as on one host.
    Kill,
    /// The storage refuses the incarnation from then on; its process lives on as a zombie.
    Storage,
}

/// What a client's next operation is drawn from, as weights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Workload {
    pub open: u32,
    pub write: u32,
    pub read: u32,
    pub lock: u32,
    pub close: u32,
    pub create: u32,
    /// Leave the node and go on through another.
    pub wander: u32,
    /// The longest pause between two operations.
    pub think: Duration,
    /// Files that all clients share.
    pub files: u32,
    /// Blocks of each.
    pub blocks: u32,
    /// How many of 100 opens ask for a lease.
    pub lease_percent: u32,
    /// How many of 100 leases ask for WRITE too.
    pub write_lease_percent: u32,
    /// How long a client waits for an answer before it gives the connection up.
    pub patience: Duration,
}

/// The plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    pub seed: u64,
    pub nodes: u64,
    pub clients: u8,
    /// The timers are the defaults, and the run is long.
    pub default_timers: bool,
    pub timers: Timers,
    /// What clients ask to be promised, in milliseconds.
    pub handle_timeout_millis: u32,
    pub faulty: Duration,
    pub calm: Duration,
    /// Shortest and longest way of a packet.
    pub network: (Duration, Duration),
    pub log_disk: SimLatency,
    /// Shortest and longest storage operation.
    pub storage: (Duration, Duration),
    /// One in so many storage operations takes long.
    pub slow_storage_one_in: u64,
    pub slow_storage: Duration,
    /// Each node's clock, in millionths faster than the world's.
    pub skew: Vec<i64>,
    pub snapshot_every: u64,
    pub snapshot_keep: u64,
    pub fencing: Fencing,
    /// How long the site's fencer takes to act.
    pub fence_takes: Duration,
    pub faults: Vec<(Duration, Fault)>,
    pub workload: Workload,
}

impl Plan {
    /// The plan of a seed. A planted bug changes nothing but the odds: it asks for the kind of run
    /// in which such a bug shows, among the kinds that there are.
    pub fn of(seed: u64, planted: Option<PlantedBug>) -> Plan {
        let mut random = SimRandom::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed);
        let random = &mut random;
        let default_timers = random.below(10) == 9;
        let nodes = if random.percent(90) { 3 } else { 1 };
        let clients = 2 + random.below(5) as u8;
        let timers = if default_timers { Timers::default() } else { timers(random) };
        let faulty = match default_timers {
            true => Duration::from_secs(360),
            false => Duration::from_millis(8_000 + random.below(12_000)),
        };
        let calm = Duration::from_secs(40);
        let style = faults::Style::draw(random, planted);
        let handle_timeout_millis = timers.persistent_millis as u32;
        let mut plan = Plan {
            seed,
            nodes,
            clients,
            default_timers,
            timers,
            handle_timeout_millis,
            faulty,
            calm,
            network: network(random),
            log_disk: log_disk(random, style.slow_log_disks),
            storage: storage(random),
            slow_storage_one_in: 1 << (3 + random.below(6)),
            slow_storage: Duration::from_millis(10 + random.below(400)),
            skew: (0..nodes).map(|_| random.below(8_000) as i64 - 4_000).collect(),
            snapshot_every: [50, 200, 1_000, 20_000][random.below(4) as usize],
            snapshot_keep: random.below(40),
            fencing: if random.percent(50) { Fencing::Kill } else { Fencing::Storage },
            fence_takes: Duration::ZERO,
            faults: Vec::new(),
            workload: workload(random),
        };
        plan.fence_takes = fence_takes(random, style.slow_fencer);
        plan.faults = style.schedule(random, &plan);
        plan
    }
}

/// Half a second to five seconds, each timer on its own, but a contender waits no less than an
/// acknowledgement may take, and a persistent handle mostly outlives a takeover.
fn timers(random: &mut SimRandom) -> Timers {
    let mut draw = |least: u64, most: u64| least + random.below(most - least + 1);
    let break_ack_millis = draw(500, 5_000);
    let break_ack_persistent_millis = draw(500, 5_000);
    let contender_wait_millis =
        break_ack_millis.max(break_ack_persistent_millis) + draw(200, 1_500);
    let impatient = draw(0, 2) == 0;
    let persistent_millis = if impatient { draw(500, 5_000) } else { draw(15_000, 40_000) };
    let durable_millis = draw(500, 5_000);
    Timers {
        break_ack_millis,
        break_ack_persistent_millis,
        contender_wait_millis,
        persistent_millis,
        durable_millis,
        durable_max_millis: persistent_millis.max(durable_millis),
    }
}

/// A signal takes no time, a site's command seconds: until then the node is only suspected.
fn fence_takes(random: &mut SimRandom, slow: bool) -> Duration {
    let instant = random.percent(50) && !slow;
    Duration::from_millis(if instant { random.below(20) } else { random.below(2_500) })
}

fn network(random: &mut SimRandom) -> (Duration, Duration) {
    let least = Duration::from_micros(50 + random.below(1_000));
    let most = match random.below(4) {
        0 => Duration::from_millis(8),
        1 => Duration::from_millis(3),
        _ => Duration::from_micros(1_500),
    };
    (least, most.max(least * 2))
}

fn log_disk(random: &mut SimRandom, slow: bool) -> SimLatency {
    let slow_percent = if slow { 60 } else { [0, 10, 25][random.below(3) as usize] };
    SimLatency { slow_percent, ..SimLatency::default() }
}

fn storage(random: &mut SimRandom) -> (Duration, Duration) {
    let least = Duration::from_micros(100 + random.below(1_900));
    (least, least + Duration::from_millis(random.below(12)))
}

fn workload(random: &mut SimRandom) -> Workload {
    let mut draw = |least: u64, most: u64| (least + random.below(most - least + 1)) as u32;
    Workload {
        open: draw(5, 15),
        write: draw(10, 40),
        read: draw(10, 40),
        lock: draw(0, 15),
        close: draw(1, 6),
        create: draw(1, 8),
        wander: draw(0, 3),
        think: Duration::from_millis(u64::from(draw(5, 200))),
        files: draw(1, 3),
        blocks: draw(1, 4),
        lease_percent: draw(40, 100),
        write_lease_percent: draw(0, 60),
        patience: Duration::from_millis(u64::from(draw(1_500, 6_000))),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "plan of seed {}: {} nodes, {} clients, {:?} with faults, {:?} to finish; fencing by {:?} in {:?}",
            self.seed,
            self.nodes,
            self.clients,
            self.faulty,
            self.calm,
            self.fencing,
            self.fence_takes
        )?;
        writeln!(f, "  timers {:?}", self.timers)?;
        writeln!(
            f,
            "  network {:?}, storage {:?} (one in {} takes {:?}), log disk {:?}",
            self.network, self.storage, self.slow_storage_one_in, self.slow_storage, self.log_disk
        )?;
        writeln!(
            f,
            "  clocks {:?} ppm, snapshots every {} keep {}",
            self.skew, self.snapshot_every, self.snapshot_keep
        )?;
        writeln!(f, "  workload {:?}", self.workload)?;
        for (at, fault) in &self.faults {
            writeln!(f, "  {:>8.3} s {fault:?}", at.as_secs_f64())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_plan_and_seeds_differ() {
        assert_eq!(Plan::of(7, None), Plan::of(7, None));
        assert_ne!(Plan::of(7, None).faults, Plan::of(8, None).faults);
    }

    #[test]
    fn one_in_ten_keeps_the_defaults_and_runs_long() {
        let plans: Vec<Plan> = (0..400).map(|seed| Plan::of(seed, None)).collect();
        let long = plans.iter().filter(|plan| plan.default_timers).count();
        assert!((20..=70).contains(&long), "{long} of 400");
        for plan in plans {
            let whole = plan.faulty + plan.calm;
            assert_eq!(plan.default_timers, whole == Duration::from_secs(400));
            if !plan.default_timers {
                assert!((500..=5_000).contains(&plan.timers.break_ack_millis));
            }
            assert!(plan.faults.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        }
    }
}
