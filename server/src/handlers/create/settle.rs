//! Submitting a command that may have to wait, and waiting for it without losing it.

use futures::future::{Either, select};
use holdfast_cluster::command::Command;
use holdfast_cluster::outcome::{Outcome, Refusal};

use crate::dispatch::{Failure, Pending};
use crate::node::Node;

/// What a command came to in the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settled {
    Refused(Refusal),
    /// Anything but a refusal or a wait.
    Decided(Outcome),
}

/// Submits and waits until the command is settled. A client that cancels, or goes, has the wait
/// refused through the log: the answer is the cluster's in any case.
pub async fn settle(node: &Node, pending: &Pending, command: Command) -> Result<Settled, Failure> {
    let outcome = match node.cluster.submit(command).await? {
        Outcome::Waiting(wait) => {
            pending.will_wait();
            let settled = std::pin::pin!(node.cluster.settled(wait));
            let cancelled = std::pin::pin!(pending.cancelled());
            match select(settled, cancelled).await {
                Either::Left((outcome, _)) => outcome?,
                Either::Right(((), settled)) => {
                    node.cluster.submit(Command::CancelWait { wait }).await?;
                    settled.await?
                }
            }
        }
        outcome => outcome,
    };
    Ok(match outcome {
        Outcome::Refused(refusal) => Settled::Refused(refusal),
        outcome => Settled::Decided(outcome),
    })
}
