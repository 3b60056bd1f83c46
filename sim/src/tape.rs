//! The recorder as the world's parts share it, with the world's clock.

use parking_lot::Mutex;

use crate::event::{At, ClientEvent, ClientId, Event};
use crate::recorder::Recorder;

/// Shared by everything that has something to record.
pub struct Tape {
    recorder: Mutex<Recorder>,
}

impl Tape {
    pub fn new(recorder: Recorder) -> Tape {
        Tape { recorder: Mutex::new(recorder) }
    }

    /// Simulated time since the world began.
    pub fn now(&self) -> At {
        madsim::time::TimeHandle::current().elapsed()
    }

    pub fn record(&self, event: Event) {
        let at = self.now();
        self.recorder.lock().record(at, &event);
    }

    pub fn client(&self, client: ClientId, event: ClientEvent) {
        self.record(Event::Client { client, event });
    }

    pub fn fault(&self, what: String) {
        self.record(Event::Fault { what });
    }

    pub fn count(&self, name: &str, count: u64) {
        self.recorder.lock().counters.add(name, count);
    }

    /// True once a promise was broken: nothing after it matters.
    pub fn is_over(&self) -> bool {
        self.recorder.lock().violation().is_some()
    }

    /// Looks into the recorder.
    pub fn with<T>(&self, look: impl FnOnce(&mut Recorder) -> T) -> T {
        look(&mut self.recorder.lock())
    }
}
