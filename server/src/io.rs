//! Entering the gate for an operation that may have to break leases first.

use holdfast_cluster::command::Command;
use holdfast_cluster::outcome::{BrokenLease, Outcome};

use crate::dispatch::{Failure, RequestContext};
use crate::gate::{GateError, Io, Permit};
use crate::handlers::create::settle::{Settled, settle};
use crate::informed;
use crate::session::LocalOpen;

/// Leases that an operation broke; their clients have to be told before it is answered.
#[derive(Debug, Default)]
#[must_use = "the clients have to be told before the operation is answered"]
pub struct Broken {
    by_entry: Vec<(u64, Vec<BrokenLease>)>,
}

impl Broken {
    /// Returns once every client was told, or cannot be.
    pub async fn wait_told(self, ctx: &RequestContext) {
        for (index, leases) in self.by_entry {
            informed::wait_told(&ctx.node, index, &leases).await;
        }
    }
}

/// Lets `io` through the gate; what other clients may have cached of the file is broken before.
pub async fn enter(
    ctx: &RequestContext,
    open: &LocalOpen,
    io: &Io,
) -> Result<(Permit, Broken), Failure> {
    let mut broken = Broken::default();
    let mut caught_up = false;
    loop {
        let gate = &ctx.node.gate;
        let entered = match broken.by_entry.is_empty() {
            true => gate.enter(open.open, open.file, io).await,
            false => gate.enter_after_break(open.open, open.file, io).await,
        };
        match entered {
            Ok(permit) => {
                if !broken.by_entry.is_empty() {
                    // Others may have been granted leases, and lost them, since the last entry.
                    let leases = ctx.node.cluster.state().untold_by(open.file, open.open.open);
                    broken.by_entry.push((ctx.node.cluster.applied(), leases));
                }
                return Ok((permit, broken));
            }
            Err(GateError::MustBreak) => {
                let command = Command::BreakForIo { open: open.open };
                match settle(&ctx.node, &ctx.pending, command).await? {
                    Settled::Refused(refusal) => return Err(refusal.into()),
                    Settled::Decided(Outcome::Broken { index, leases }) => {
                        broken.by_entry.push((index, leases));
                    }
                    // A wait that was settled: the leases are broken now.
                    Settled::Decided(_) => {}
                }
            }
            Err(GateError::Locked) if !caught_up => {
                // A refusal: it counts only once the replica knows of every unlock that was
                // answered.
                ctx.node.cluster.read_index().await?;
                caught_up = true;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
