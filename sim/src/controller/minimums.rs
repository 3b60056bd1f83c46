//! What a sweep must have met to count: a simulation in which nothing happens finds nothing.

use crate::report::Counters;

/// Counter, and how often it must be met in so many seeds.
const MINIMUMS: [(&str, u64, u64); 12] = [
    ("reclaims_elsewhere", 1, 1),
    ("unsynced_losses", 1, 2),
    ("refused_zombies", 1, 20),
    ("breaks_across_nodes", 1, 1),
    ("writes_acknowledged", 20, 1),
    ("reads_cached", 1, 2),
    ("locks", 1, 2),
    ("creates_replayed", 1, 10),
    ("frozen_at_gaps", 1, 2),
    ("crashes", 1, 2),
    ("partitions", 1, 2),
    ("lives_ended", 1, 1),
];

/// Fewer seeds than this prove nothing either way.
const SEEDS_MIN: u64 = 40;

/// What was met too rarely.
pub fn missed(counters: &Counters, seeds: u64) -> Vec<String> {
    if seeds < SEEDS_MIN {
        return Vec::new();
    }
    let wanted = |times: u64, each: u64| times * seeds / each;
    MINIMUMS
        .iter()
        .filter(|(name, times, each)| counters.get(name) < wanted(*times, *each))
        .map(|(name, times, each)| {
            format!("{name}: {} of at least {}", counters.get(name), wanted(*times, *each))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_sweep_is_refused() {
        assert_eq!(missed(&Counters::default(), 500).len(), MINIMUMS.len());
        assert!(missed(&Counters::default(), 10).is_empty());
        let mut busy = Counters::default();
        for (name, times, _) in MINIMUMS {
            busy.add(name, times * 500);
        }
        assert!(missed(&busy, 500).is_empty());
    }
}
