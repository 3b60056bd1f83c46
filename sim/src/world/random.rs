//! A node's random numbers, of its own for each boot.

use holdfast_cluster::disk::sim::SimRandom;
use holdfast_cluster::ports::Random;
use parking_lot::Mutex;

pub struct NodeRandom(Mutex<SimRandom>);

impl NodeRandom {
    pub fn new(seed: u64, node: u64, boot: u64) -> NodeRandom {
        let mixed =
            seed ^ node.wrapping_mul(0x51_7cc1_b727_220a_95) ^ boot.wrapping_mul(0x9e37_79b9);
        NodeRandom(Mutex::new(SimRandom::new(mixed)))
    }
}

impl Random for NodeRandom {
    fn fill(&self, out: &mut [u8]) {
        self.0.lock().fill(out);
    }
}
