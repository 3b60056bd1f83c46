//! What the simulator may look at while a node works. In production this is nothing.
//!
//! Observers see; they change nothing and are never waited for.

use crate::command::NodeLife;
use crate::state::{Applied, Entry, State};

/// Something worth seeing.
pub enum Observed<'a> {
    /// The state machine applied the entry at `index`.
    Applied {
        index: u64,
        term: u64,
        /// The entry as it stands in the log.
        content: &'a [u8],
        entry: &'a Entry,
        applied: &'a Applied,
        state: &'a State,
    },
    /// A successful answer about an open's data is handed to the network now.
    Replied { life: NodeLife },
}

/// Shows something to whoever watches.
#[cfg(not(madsim))]
#[inline(always)]
pub fn tell(_observed: Observed<'_>) {}

#[cfg(madsim)]
pub use simulated::{Watcher, set_watcher, tell};

#[cfg(madsim)]
mod simulated {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::Observed;

    /// Who watches.
    pub type Watcher = Rc<dyn Fn(&Observed<'_>)>;

    thread_local! {
        static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
    }

    /// Installs the simulation's watcher. One simulation runs on one thread.
    pub fn set_watcher(watcher: Watcher) {
        WATCHER.with(|slot| *slot.borrow_mut() = Some(watcher));
    }

    /// Shows something to whoever watches.
    pub fn tell(observed: Observed<'_>) {
        let watcher = WATCHER.with(|slot| slot.borrow().clone());
        if let Some(watcher) = watcher {
            watcher(&observed);
        }
    }
}
