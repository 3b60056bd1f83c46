//! The host's random numbers.

use holdfast_cluster::ports::Random;

/// The kernel's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostRandom;

impl Random for HostRandom {
    /// Without randomness there are no keys and no identifiers, so the process ends.
    fn fill(&self, out: &mut [u8]) {
        if let Err(error) = getrandom::fill(out) {
            tracing::error!(%error, "the kernel gives no random numbers");
            std::process::abort();
        }
    }
}
