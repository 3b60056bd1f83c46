//! The network's faults: what does not get through.

use std::collections::BTreeMap;
use std::sync::Arc;

use madsim::net::NetSim;
use madsim::runtime::Handle;
use madsim::task::NodeId as SimId;
use parking_lot::Mutex;

/// Directed links that are cut, and how often: a link heals when the last cut is gone.
pub struct Network {
    net: Arc<NetSim>,
    cuts: Mutex<BTreeMap<(SimId, SimId), u32>>,
}

impl Network {
    pub fn new(_handle: &Handle) -> Network {
        Network { net: NetSim::current(), cuts: Mutex::default() }
    }

    /// Nothing goes from one to the other any more.
    pub fn cut(&self, from: SimId, to: SimId) {
        let mut cuts = self.cuts.lock();
        let count = cuts.entry((from, to)).or_default();
        *count += 1;
        if *count == 1 {
            self.net.clog_link(from, to);
        }
    }

    /// Takes one cut back.
    pub fn mend(&self, from: SimId, to: SimId) {
        let mut cuts = self.cuts.lock();
        if let Some(count) = cuts.get_mut(&(from, to)) {
            *count -= 1;
            if *count == 0 {
                cuts.remove(&(from, to));
                self.net.unclog_link(from, to);
            }
        }
    }

    /// Takes every cut back.
    pub fn heal(&self) {
        for (from, to) in std::mem::take(&mut *self.cuts.lock()).into_keys() {
            self.net.unclog_link(from, to);
        }
    }
}
