//! Numbers that are the same for the same seed: every choice of a run comes from one of them.

use holdfast_proto::types::Guid;

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A stream of its own for each list of parts.
    pub fn of(parts: &[u64]) -> Random {
        let mut mixed = Random(0x486F_6C64_6661_7374);
        for part in parts {
            mixed.0 ^= part.wrapping_mul(0xD6E8_FEB8_6659_FD93);
            mixed.0 = mixed.next_u64();
        }
        mixed
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A stream of its own that goes on from here.
    pub fn fork(&mut self) -> Random {
        Random(self.next_u64())
    }

    /// Less than `bound`, or 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound.max(1)
    }

    /// From `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them; none of none.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len() as u64) as usize).copied()
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at as u64 + 1) as usize);
        }
    }

    pub fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }

    pub fn guid(&mut self) -> Guid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        Guid(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_parts_give_equal_choices_and_others_do_not() {
        let choices = |parts: &[u64]| {
            let mut random = Random::of(parts);
            [random.next_u64(), random.between(3, 9), random.below(7)]
        };
        assert_eq!(choices(&[1, 2]), choices(&[1, 2]));
        assert_ne!(choices(&[1, 2]), choices(&[2, 1]));
        assert_ne!(choices(&[1, 2]), choices(&[1, 2, 0]));
    }

    #[test]
    fn a_shuffle_keeps_everything() {
        let mut all: Vec<u64> = (0..20).collect();
        Random::new(4).shuffle(&mut all);
        assert_ne!(all, (0..20).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
    }
}
