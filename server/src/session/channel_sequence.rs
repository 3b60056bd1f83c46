//! Open.ChannelSequence and its gauges ([MS-SMB2] 3.3.5.2.10): requests that a client sent before
//! it lost a channel must not change a file after those that it sent anew.
//!
//! Invariant: only a request that was counted is taken off again, from the gauge that it is in.

/// The request's sequence is behind the open's, or earlier ones are still under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outdated;

/// The sequence of an open and how many requests are outstanding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChannelGauges {
    sequence: u16,
    /// OutstandingRequestCount.
    current: u32,
    /// OutstandingPreRequestCount.
    previous: u32,
}

/// The receipt of a counted request, to be given back when its response goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a counted request has to be taken off again"]
pub struct Counted {
    sequence: u16,
}

impl ChannelGauges {
    /// An open that was just given out, or attached again: its CREATE's sequence, gauges zero.
    pub fn new(sequence: u16) -> ChannelGauges {
        ChannelGauges { sequence, current: 0, previous: 0 }
    }

    /// Open.ChannelSequence.
    pub fn sequence(&self) -> u16 {
        self.sequence
    }

    /// Counts a request in. `changes` holds for WRITE, SET_INFO and IOCTL, the only ones that are
    /// ever refused; another request with an outdated sequence runs uncounted.
    pub fn enter(
        &mut self,
        sequence: u16,
        replay: bool,
        changes: bool,
    ) -> Result<Option<Counted>, Outdated> {
        let ahead = sequence.wrapping_sub(self.sequence);
        if ahead > 0x7FFF {
            return if changes { Err(Outdated) } else { Ok(None) };
        }
        if ahead > 0 {
            self.previous += self.current;
            self.current = 0;
            self.sequence = sequence;
        }
        if replay && changes && self.previous > 0 {
            return Err(Outdated);
        }
        self.current += 1;
        Ok(Some(Counted { sequence }))
    }

    /// Takes a counted request off.
    pub fn leave(&mut self, counted: Counted) {
        let gauge =
            if counted.sequence == self.sequence { &mut self.current } else { &mut self.previous };
        *gauge = gauge.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_a_lost_channel_count_as_previous() {
        let mut gauges = ChannelGauges::new(3);
        let old = gauges.enter(3, false, true).unwrap().unwrap();
        let new = gauges.enter(4, false, true).unwrap().unwrap();
        assert_eq!((gauges.current, gauges.previous, gauges.sequence()), (1, 1, 4));
        assert_eq!(gauges.enter(4, true, true), Err(Outdated), "the first try may still run");
        gauges.leave(old);
        assert!(gauges.enter(4, true, true).unwrap().is_some());
        gauges.leave(new);
        assert_eq!((gauges.current, gauges.previous), (1, 0));
    }

    #[test]
    fn outdated_changes_are_refused_and_reads_run_uncounted() {
        let mut gauges = ChannelGauges::new(5);
        assert_eq!(gauges.enter(4, false, true), Err(Outdated));
        assert_eq!(gauges.enter(4, false, false), Ok(None));
        assert_eq!(gauges, ChannelGauges::new(5));
    }

    #[test]
    fn the_sequence_wraps() {
        let mut gauges = ChannelGauges::new(0xFFFF);
        assert!(gauges.enter(0, false, true).is_ok());
        assert_eq!(gauges.sequence(), 0);
        assert_eq!(gauges.enter(0xFFFF, false, true), Err(Outdated));
    }
}
