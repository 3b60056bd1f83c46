//! Nodes that stand still, and the gaps at which they are to.

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::gap::{self, Gap};
use parking_lot::Mutex;

use super::World;
use super::supervisor::Task;
use crate::event::At;
use crate::plan::GapFreeze;

/// How long after a freeze what a node does may still belong to a check from before it.
const AFTERMATH: Duration = Duration::from_millis(50);

/// One at a time is frozen, so that the others can go on.
#[derive(Default)]
pub struct Freezer(Mutex<State>);

#[derive(Default)]
struct State {
    frozen: Option<u64>,
    armed: Vec<GapFreeze>,
    /// Where each node was frozen last, and when it went on.
    last: BTreeMap<u64, (Gap, At)>,
    /// Called when a node is frozen so that its clients are to notice.
    cut_clients: Option<Arc<dyn Fn(u64, Duration) + Send + Sync>>,
}

impl Freezer {
    /// A node stands still. False if another one does.
    pub fn begin(&self, node: u64) -> bool {
        let mut state = self.0.lock();
        if state.frozen.is_some() {
            return false;
        }
        state.frozen = Some(node);
        true
    }

    /// It goes on. False if it did not stand still.
    pub fn end(&self, node: u64, now: At) -> bool {
        let mut state = self.0.lock();
        if state.frozen != Some(node) {
            return false;
        }
        state.frozen = None;
        if let Some((_, until)) = state.last.get_mut(&node) {
            *until = now;
        }
        true
    }

    /// The process is gone, frozen or not.
    pub fn forget(&self, node: u64) {
        let mut state = self.0.lock();
        state.last.remove(&node);
        if state.frozen == Some(node) {
            state.frozen = None;
        }
    }

    pub fn arm(&self, freeze: GapFreeze) {
        self.0.lock().armed.push(freeze);
    }

    pub fn disarm(&self) {
        self.0.lock().armed.clear();
    }

    pub fn on_cut(&self, cut: Arc<dyn Fn(u64, Duration) + Send + Sync>) {
        self.0.lock().cut_clients = Some(cut);
    }

    /// True if what `node` does now may have been allowed before it was frozen at `gap`.
    pub fn excuses(&self, node: u64, gap: Gap, now: At) -> bool {
        self.0
            .lock()
            .last
            .get(&node)
            .is_some_and(|(at, until)| *at == gap && now <= *until + AFTERMATH)
    }

    /// A node passes a gap: the freeze that begins here, if one does.
    fn pass(&self, node: u64, gap: Gap) -> Option<GapFreeze> {
        let mut state = self.0.lock();
        if state.frozen.is_some() {
            return None;
        }
        let at = state.armed.iter().position(|armed| armed.gap == gap)?;
        if state.armed[at].skip > 0 {
            state.armed[at].skip -= 1;
            return None;
        }
        state.frozen = Some(node);
        // Until it goes on, that is as late as can be.
        state.last.insert(node, (gap, At::MAX - AFTERMATH));
        Some(state.armed.remove(at))
    }
}

/// Has every node freeze where it is told to.
pub fn install(world: &Arc<World>) {
    let world = Arc::downgrade(world);
    gap::set_hook(Rc::new(move |gap| -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let Some(world) = world.upgrade() else { return Box::pin(ready(())) };
        let Some(number) = world.here().map(|machine| machine.number) else {
            return Box::pin(ready(()));
        };
        match world.freezer.pass(number, gap) {
            None => Box::pin(ready(())),
            Some(freeze) => Box::pin(async move {
                freeze_here(&world, number, freeze);
                drop(world);
                // From here on nothing of this node runs until it goes on.
                tokio::task::yield_now().await;
            }),
        }
    }));
}

fn freeze_here(world: &World, number: u64, freeze: GapFreeze) {
    let GapFreeze { gap, lasts, cut_clients, .. } = freeze;
    world.tape.fault(format!("node {number} stands still at {gap:?} for {lasts:?}"));
    world.tape.count("frozen_at_gaps", 1);
    world.handle.pause(world.machine(number).id());
    let cut = world.freezer.0.lock().cut_clients.clone();
    if let Some(cut) = cut.filter(|_| cut_clients) {
        cut(number, lasts);
    }
    // The supervisor lives as long as the world.
    let _ = world.tasks.send(Task::Thaw { node: number, after: lasts });
}
