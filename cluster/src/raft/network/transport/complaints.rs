//! Log lines about what is refused, no more of them than somebody can read.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::time::{Duration, Instant};

/// The same complaint about the same end is not repeated sooner.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Ends that are remembered.
const ENDS_MAX: usize = 256;

/// Remembers what was said last about whom.
pub struct Complaints<K>(Mutex<BTreeMap<K, (String, Instant)>>);

impl<K: Ord> Default for Complaints<K> {
    fn default() -> Complaints<K> {
        Complaints(Mutex::default())
    }
}

impl<K: Ord> Complaints<K> {
    /// True if it is time to say this about that end; it then counts as said.
    pub fn is_due(&self, end: K, why: &str) -> bool {
        let mut said = self.0.lock();
        let now = Instant::now();
        if said.get(&end).is_some_and(|(last, at)| last == why && now - *at < AGAIN_AFTER) {
            return false;
        }
        if said.len() >= ENDS_MAX {
            said.clear();
        }
        said.insert(end, (why.to_owned(), now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Complaints;

    #[test]
    fn nothing_is_said_twice_in_a_row() {
        let complaints = Complaints::default();
        assert!(complaints.is_due(1, "expired"));
        assert!(!complaints.is_due(1, "expired"));
        assert!(complaints.is_due(2, "expired"));
        assert!(complaints.is_due(1, "unknown"));
        assert!(complaints.is_due(1, "expired"));
    }
}
