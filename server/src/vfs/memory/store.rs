//! The storage as everyone shares it: submission, fences, power, and what observers see.

use std::sync::Arc;

use holdfast_proto::types::{FileKey, FileTime, Incarnation, NodeId, VolumeId};
use parking_lot::Mutex;

use super::state::{Counters, State};
use super::tree::{Body, ROOT};
use super::world::{Dropped, Observer, Observers, Operation, Submitted, World};
use crate::vfs::{FileStat, Issuer, VfsError, VfsResult, VolumePath};

/// What all descriptors and all nodes share.
#[derive(Debug)]
pub(super) struct Store {
    state: Mutex<State>,
    observers: Mutex<Observers>,
    world: Arc<dyn World>,
}

/// The name of a descriptor's time: descriptors do not outlive a power cut.
pub(super) type Boot = u64;

impl Store {
    pub(super) fn new(volume: VolumeId, capacity: u64, world: Arc<dyn World>) -> Store {
        let state = Mutex::new(State::new(volume, capacity, world.now()));
        Store { state, observers: Mutex::default(), world }
    }

    pub(super) fn observe(&self, observer: Arc<dyn Observer>) {
        self.observers.lock().0.push(observer);
    }

    /// Looks into the state without an operation.
    pub(super) fn peek<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock())
    }

    /// Sends an operation and waits for its answer. The operation is applied at once or never,
    /// whether or not anybody still waits.
    pub(super) async fn submit<T, F>(
        self: &Arc<Self>,
        by: Issuer,
        boot: Option<Boot>,
        operation: Operation,
        step: F,
    ) -> VfsResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut State, FileTime) -> VfsResult<T> + Send + 'static,
    {
        let answer = Arc::new(Mutex::new(None));
        let answered = {
            let (submitted, boot) = self.register(by, boot, operation);
            let (store, slot) = (Arc::clone(self), Arc::clone(&answer));
            let applied = submitted.clone();
            let apply = Box::new(move || {
                *slot.lock() = Some(store.apply(&applied, boot, step));
            });
            self.world.submit(&submitted, apply)
        };
        answered.await;
        let result = answer.lock().take();
        result.unwrap_or(Err(VfsError::Unavailable))
    }

    fn register(&self, by: Issuer, boot: Option<Boot>, operation: Operation) -> (Submitted, Boot) {
        let mut state = self.state.lock();
        state.submitted += 1;
        *state.in_flight.entry((by.node, by.incarnation)).or_default() += 1;
        let number = state.submitted;
        (Submitted { number, by, operation }, boot.unwrap_or(state.boot))
    }

    fn apply<T>(
        &self,
        submitted: &Submitted,
        boot: Boot,
        step: impl FnOnce(&mut State, FileTime) -> VfsResult<T>,
    ) -> VfsResult<T> {
        let at = self.world.now();
        let fault = self.world.fault(submitted);
        let mut state = self.state.lock();
        settle(&mut state, submitted.by);
        if let Some((why, refusal)) = refusal(&mut state, submitted, boot, fault) {
            drop(state);
            for observer in &self.observers.lock().0 {
                observer.dropped(submitted, why, at);
            }
            return Err(refusal);
        }
        let result = step(&mut state, at);
        state.counters.applied += 1;
        drop(state);
        for observer in &self.observers.lock().0 {
            observer.applied(submitted, result.as_ref().map(|_| ()), at);
        }
        result
    }
}

/// The operation is no longer in flight.
fn settle(state: &mut State, by: Issuer) {
    let sender = (by.node, by.incarnation);
    if let Some(count) = state.in_flight.get_mut(&sender) {
        *count -= 1;
        if *count == 0 {
            state.in_flight.remove(&sender);
        }
    }
}

/// Why an operation is not applied, if it is not.
fn refusal(
    state: &mut State,
    submitted: &Submitted,
    boot: Boot,
    fault: Option<VfsError>,
) -> Option<(Dropped, VfsError)> {
    if boot != state.boot {
        state.counters.lost_in_flight += 1;
        return Some((Dropped::PowerCut, VfsError::Unavailable));
    }
    let by = submitted.by;
    if state.fenced.get(&by.node).is_some_and(|last| by.incarnation <= *last) {
        state.counters.refused_zombies += 1;
        state.counters.refused_zombie_changes += u64::from(submitted.operation.is_change());
        return Some((Dropped::Fenced, VfsError::Fenced));
    }
    fault.map(|fault| (Dropped::Fault, fault))
}

/// What the simulator does with the storage from outside: nothing here is an operation, nothing
/// takes time.
#[derive(Clone, Debug)]
pub struct StorageControl(pub(super) Arc<Store>);

impl StorageControl {
    /// From now on no operation of this incarnation of the node, or of an earlier one, is applied.
    pub fn fence(&self, node: NodeId, incarnation: Incarnation) {
        self.0.peek(|state| {
            let last = state.fenced.entry(node).or_default();
            *last = (*last).max(incarnation);
        });
    }

    /// True when the incarnation is fenced.
    pub fn is_fenced(&self, node: NodeId, incarnation: Incarnation) -> bool {
        self.0.peek(|state| state.fenced.get(&node).is_some_and(|last| incarnation <= *last))
    }

    /// Operations of an incarnation that are on their way. None, once its process is dead, is
    /// what a killed process proves on one host.
    pub fn in_flight(&self, node: NodeId, incarnation: Incarnation) -> usize {
        self.0.peek(|state| state.in_flight.get(&(node, incarnation)).copied().unwrap_or(0))
    }

    /// All hosts lose power. Operations in flight are lost, descriptors are void, and of what no
    /// sync has made stable only that remains for which `keep` says so.
    pub fn power_cut(&self, mut keep: impl FnMut() -> bool) {
        self.0.peek(|state| state.power_cut(&mut keep));
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.0.peek(|state| state.counters)
    }

    /// Adds an observer.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        self.0.observe(observer);
    }

    /// All objects with a name, in order of path, the staging folder included.
    pub fn tree(&self) -> Vec<(VolumePath, FileStat)> {
        self.0.peek(|state| {
            let mut found = Vec::new();
            let mut todo = vec![(VolumePath::root(), ROOT)];
            while let Some((path, dir)) = todo.pop() {
                for (name, id) in state.trees.seen.entries(dir) {
                    let path = path.join(name);
                    if let Ok(stat) = state.stat(id) {
                        found.push((path.clone(), stat));
                    }
                    todo.push((path, id));
                }
            }
            found.sort_by(|a, b| a.0.cmp(&b.0));
            found
        })
    }

    /// All that a file holds: as it is seen, or as a power cut now would leave it.
    pub fn content(&self, key: FileKey, stable: bool) -> Option<Vec<u8>> {
        self.0.peek(|state| {
            let tree = if stable { &state.trees.stable } else { &state.trees.seen };
            match &tree.nodes.get(&State::id(key))?.body {
                Body::File(pages) => Some(pages.read(0, pages.len() as usize)),
                Body::Directory(_) => None,
            }
        })
    }
}
