//! Sees what nodes apply and answer, and records it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use holdfast_cluster::command::{Command, NodeLife};
use holdfast_cluster::effect::Effect;
use holdfast_cluster::encoding;
use holdfast_cluster::gap::Gap;
use holdfast_cluster::observe::{self, Observed};
use holdfast_cluster::state::State;
use holdfast_proto::types::NodeId;

use super::World;
use crate::event::Event;
use crate::recorder::hash_of;

/// States are compared after one entry in so many: those that differ stay different.
const COMPARE_ONE_IN: u64 = 16;
/// And their invariants are checked after one in so many.
const CHECK_ONE_IN: u64 = 4;

/// What is counted once for each entry, by whoever applies it first.
#[derive(Default)]
struct Seen {
    index: u64,
    lives: Vec<(NodeLife, bool)>,
}

/// Watches every node of the world.
pub fn watch(world: &Arc<World>) {
    let world = Arc::downgrade(world);
    let seen = RefCell::new(Seen::default());
    observe::set_watcher(Rc::new(move |observed| {
        let Some(world) = world.upgrade() else { return };
        match observed {
            Observed::Applied { index, term, content, entry, applied, state } => {
                let Some(number) = world.here().map(|machine| machine.number) else { return };
                let mut seen = seen.borrow_mut();
                let first = *index > seen.index;
                world.tape.record(Event::EntryApplied {
                    node: NodeId(number),
                    index: *index,
                    term: *term,
                    content: hash_of(content),
                    state: match index % COMPARE_ONE_IN {
                        0 => hash_of(&encoding::encode_snapshot(state)),
                        _ => 0,
                    },
                    // Equal states hold or break their invariants alike.
                    broken: match first && index % CHECK_ONE_IN == 0 {
                        true => state.check().err().or(twice_created(state)),
                        false => None,
                    },
                });
                if first {
                    seen.index = *index;
                    count_breaks(&world, entry.submit.node, &applied.effects);
                    if changes_lives(&entry.command) {
                        tell_ends(&world, &mut seen, state, *index);
                    }
                }
            }
            Observed::Replied { life } => {
                let machine = world.machine(life.node.0);
                let Some((lease_held, fenced)) = machine.rights(*life) else { return };
                let excused =
                    world.freezer.excuses(life.node.0, Gap::GateToReply, world.tape.now());
                world.tape.record(Event::Replied { life: *life, lease_held, fenced, excused });
            }
        }
    }));
}

/// One CREATE made two opens.
fn twice_created(state: &State) -> Option<String> {
    let mut uses: Vec<_> = state
        .opens()
        .filter_map(|(_, open)| Some((open.client_guid, open.create_guid?, open.id)))
        .collect();
    uses.sort();
    uses.windows(2).find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)).map(|pair| {
        format!("{} and {} were created by one CREATE of one client", pair[0].2, pair[1].2)
    })
}

fn count_breaks(world: &World, by: NodeId, effects: &[Effect]) {
    let across = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::SendBreak { to, .. } if to.node != by));
    world.tape.count("breaks_across_nodes", across.count() as u64);
}

fn changes_lives(command: &Command) -> bool {
    matches!(
        command,
        Command::JoinNode { .. } | Command::LeaveNode { .. } | Command::FenceNode { .. }
    )
}

fn tell_ends(world: &World, seen: &mut Seen, state: &State, index: u64) {
    let now: Vec<(NodeLife, bool)> = state
        .nodes()
        .map(|(node, record)| {
            let life = NodeLife { node, incarnation: record.incarnation };
            (life, state.has_ended(life))
        })
        .collect();
    for (life, had_ended) in std::mem::replace(&mut seen.lives, now) {
        if !had_ended && state.has_ended(life) {
            world.tape.record(Event::LifeEnded { life, index });
        }
    }
}
