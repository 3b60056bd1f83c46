//! Panics in tasks, which whoever spawned them does not hear of: here they are counted.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

thread_local! {
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

static HOOK: Once = Once::new();

/// Counts the panics of this thread: of a test, and of all the tasks that it brings about, which
/// `tokio::test` runs on the test's own thread.
pub(crate) struct PanicWatch {
    before: u32,
}

impl PanicWatch {
    /// Counts from now on.
    pub(crate) fn begin() -> PanicWatch {
        HOOK.call_once(|| {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                PANICS.with(|panics| panics.set(panics.get() + 1));
                previous(info);
            }));
        });
        PanicWatch { before: PANICS.get() }
    }

    /// How many there were.
    pub(crate) fn seen(&self) -> u32 {
        PANICS.get() - self.before
    }
}
