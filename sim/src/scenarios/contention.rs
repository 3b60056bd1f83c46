//! Contending clients on both sides of partitions open persistently, write, lock and break each
//! other's leases while nodes are cut off, frozen and crashed. After healing every handle that was
//! acknowledged is given back on another node, every acknowledged write is there, and nothing stale
//! was applied.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use holdfast_server::vfs::FileKind;
use parking_lot::Mutex;
use tokio::time::{sleep, timeout};

use super::found::found;
use crate::clients::{Client, Surroundings};
use crate::event::{Block, ClientEvent, ClientId, HandleId, Stamp};
use crate::faults::{AtAnswer, Faults};
use crate::plan::Plan;
use crate::tape::Tape;
use crate::world::World;
use crate::world::address::client_ip;

/// How long a cluster may take to come up where nothing disturbs it.
const BEGIN_LIMIT: Duration = Duration::from_secs(20);
/// How often it is looked whether a promise was broken.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The one who looks at the storage itself.
const OBSERVER: ClientId = ClientId(u8::MAX);

/// Runs the plan to its end, or to the first broken promise.
pub async fn run(plan: Plan, tape: Arc<Tape>) {
    let world = World::begin(plan.clone(), tape.clone()).await;
    timeout(BEGIN_LIMIT, found(&world)).await.expect("the cluster comes up");
    let at_answer = Arc::new(AtAnswer::new());
    let around = surroundings(&world, &at_answer);
    let (clients, runs) = start_clients(&world, &around);
    let faults = Arc::new(Faults {
        world: world.clone(),
        around: around.clone(),
        clients,
        at_answer: at_answer.clone(),
    });
    let cutter = OnceLock::<Weak<Faults>>::new();
    let _ = cutter.set(Arc::downgrade(&faults));
    world.freezer.on_cut(Arc::new(move |node, lasts| {
        if let Some(faults) = cutter.get().and_then(Weak::upgrade) {
            faults.cut_clients(node, lasts);
        }
    }));
    tokio::spawn(faults.clone().run());

    while tape.now() < plan.faulty && !tape.is_over() {
        sleep(LOOK_EVERY).await;
    }
    around.calm.store(true, Ordering::Relaxed);
    at_answer.disarm();
    if !tape.is_over() {
        world.heal().await;
        finish(&world, &around, runs).await;
    }
    let storage = world.control.counters();
    tape.count("refused_zombies", storage.refused_zombies);
    tape.count("refused_zombie_changes", storage.refused_zombie_changes);
    tape.count("storage_lost_in_flight", storage.lost_in_flight);
    tape.count("unsynced_losses", world.unsynced_losses());
}

/// What a client is about, and whether it has come to its end.
struct Run {
    client: ClientId,
    step: Arc<Mutex<String>>,
    ended: madsim::task::JoinHandle<()>,
}

fn surroundings(world: &Arc<World>, at_answer: &Arc<AtAnswer>) -> Arc<Surroundings> {
    let (weak, at_answer) = (Arc::downgrade(world), at_answer.clone());
    let on_answer = Box::new(move || {
        if let Some(down) = at_answer.heard()
            && let Some(world) = weak.upgrade()
        {
            world.power_cut(down);
        }
    });
    Arc::new(Surroundings::new(world.plan.clone(), world.tape.clone(), on_answer))
}

fn start_clients(
    world: &Arc<World>,
    around: &Arc<Surroundings>,
) -> (Vec<madsim::task::NodeId>, Vec<Run>) {
    let mut nodes = Vec::new();
    let mut runs = Vec::new();
    for number in 0..world.plan.clients {
        let sim = world
            .handle
            .create_node()
            .name(format!("client{number}"))
            .ip(client_ip(number))
            .build();
        let (client, step) = (ClientId(number), Arc::<Mutex<String>>::default());
        let ended = sim.spawn(Client::new(client, around.clone(), step.clone()).run());
        nodes.push(sim.id());
        runs.push(Run { client, step, ended });
    }
    (nodes, runs)
}

/// Everything must come to its end now; then the storage is looked at.
async fn finish(world: &Arc<World>, around: &Arc<Surroundings>, runs: Vec<Run>) {
    let tape = &world.tape;
    let deadline = tape.now() + around.plan.calm;
    while tape.now() < deadline && !tape.is_over() {
        if runs.iter().all(|run| run.ended.is_finished()) {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    for run in &runs {
        if !run.ended.is_finished() {
            let why = format!("still {}", run.step.lock());
            tape.client(run.client, ClientEvent::Done { finished: false, why });
        }
    }
    if !tape.is_over() {
        look_at_storage(world);
    }
}

/// What would be left if the power went now must hold every acknowledged write.
fn look_at_storage(world: &Arc<World>) {
    let now = world.tape.now();
    for (path, stat) in world.control.tree() {
        if stat.kind != FileKind::File {
            continue;
        }
        let Some(content) = world.control.content(stat.key, true) else { continue };
        let file = path.to_string().trim_start_matches('/').to_owned();
        for index in 0..world.plan.workload.blocks {
            let start = (index as usize * 512).min(content.len());
            let end = (start + 512).min(content.len());
            let block = Block { file: file.clone(), index };
            let mut words = content[start..end].chunks(8).map(|word| {
                let mut bytes = [0; 8];
                bytes[..word.len()].copy_from_slice(word);
                u64::from_le_bytes(bytes)
            });
            let first = words.next().unwrap_or(0);
            let event = match words.all(|word| word == first) {
                true => ClientEvent::ReadReturned {
                    handle: HandleId(0),
                    block,
                    stamp: Stamp(first),
                    invoked: now,
                    cached: false,
                },
                false => ClientEvent::TornBlock { block },
            };
            world.tape.client(OBSERVER, event);
        }
    }
}
