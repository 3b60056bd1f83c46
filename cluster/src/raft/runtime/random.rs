//! Randomness for Raft's election time-outs: the operating system's, or the simulated world's.

use std::convert::Infallible;

use rand_core::TryRng;

/// Draws from the operating system (outside the simulator) or from the world's seed (inside).
#[derive(Clone, Copy, Debug, Default)]
pub struct RuntimeRng(());

impl RuntimeRng {
    /// A handle; it has no state of its own.
    pub fn new() -> Self {
        Self(())
    }
}

impl TryRng for RuntimeRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        fill(dst);
        Ok(())
    }
}

#[cfg(not(madsim))]
fn fill(dst: &mut [u8]) {
    // A Linux that can start a process at all has getrandom(2); without randomness no node could
    // elect or authenticate anything, so there is nothing better to do than to stop.
    getrandom::fill(dst).expect("the operating system gives randomness");
}

#[cfg(madsim)]
fn fill(dst: &mut [u8]) {
    use madsim::rand::RngCore;
    madsim::rand::thread_rng().fill_bytes(dst);
}
