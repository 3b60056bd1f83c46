//! The end of a session or of a tree connect: seal, drain, tell the log, let go.
//!
//! The order is what makes a takeover safe: nobody else is given one of these opens before the
//! log holds their end, and the log is told only when their I/O has drained.

use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::command::{Command, EndHow, OpenRef};
use holdfast_cluster::outcome::Outcome;
use tracing::{info, warn};

use super::{LocalOpen, Session};
use crate::limits;
use crate::node::Node;
use crate::ports::SubmitError;

/// The pause before the log is told again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Ends a session of this node. Whoever comes second waits for the first. Returns once the end
/// is in the log, or this incarnation's own end makes the question void.
pub async fn end_session(node: &Node, session: &Arc<Session>, how: EndHow) {
    if !session.begin_closing() {
        session.wait_ended().await;
        return;
    }
    if let Some(connection) = session.connection() {
        connection.forget_session(session.id);
    }
    let opens = session.file_opens();
    node.opens_gate().seal(&opens).await;
    drain_arriving(node, session).await;
    let told = tell(node, Command::EndSession { session: session.id, how }).await;
    finish(node, opens, told).await;
    session.clear();
    node.sessions.remove(session.id);
    session.ended.raise();
    info!(session = %session.id, user = %session.user, ?how, "session ended");
}

/// Opens that the log has given to the session and that are only on their way into its table: the
/// end of the session in the log is their release too. One that is given later finds the session
/// closing once it is in flight, and goes no further.
async fn drain_arriving(node: &Node, session: &Session) {
    let state = node.cluster.state();
    let given = state.session_opens(session.id).filter_map(|open| state.open(open));
    let given: Vec<OpenRef> = given.map(|open| open.open_ref()).collect();
    given.iter().for_each(|open| node.gate.seal(*open));
    for open in given {
        node.gate.drain_open(open).await;
    }
}

/// Ends a tree connect: all its opens are closed, persistent ones too ([MS-SMB2] 3.3.5.8). False
/// if it is gone already.
pub async fn end_tree(node: &Node, session: &Arc<Session>, tree: u32) -> bool {
    // The tree connect first: a CREATE that is under way finds it gone and closes its own open,
    // so that the list below is whole.
    if session.remove_tree(tree).is_none() {
        return false;
    }
    let opens = session.opens_of_tree(tree);
    if opens.is_empty() {
        session.forget_opens(tree);
        return true;
    }
    node.opens_gate().seal(&opens).await;
    for some in opens.chunks(limits::CLOSES_PER_ENTRY_MAX) {
        let ids = some.iter().map(|open| open.open.open).collect();
        let told = tell(node, Command::CloseOpens { session: session.id, opens: ids }).await;
        finish(node, some.to_vec(), told).await;
    }
    session.forget_opens(tree);
    true
}

/// Submits until the cluster has answered: an end must not get lost for want of a leader.
pub(crate) async fn tell(node: &Node, command: Command) -> Option<Outcome> {
    loop {
        match node.cluster.submit(command.clone()).await {
            Ok(outcome) => return Some(outcome),
            Err(SubmitError::Unknown) => {
                warn!("no leader; the end of a session waits");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            // The fence of this incarnation ends it.
            Err(SubmitError::Ended) => return None,
        }
    }
}

async fn finish(node: &Node, opens: Vec<Arc<LocalOpen>>, told: Option<Outcome>) {
    let (detached, duties) = match told {
        Some(Outcome::Ended { detached, duties }) => (detached, duties),
        // Refused: the state does not know the session any more, so nothing came of it.
        Some(_) | None => (Vec::new(), Vec::new()),
    };
    node.opens_gate().ended(opens, &detached, duties).await;
}

#[cfg(test)]
mod tests {
    use holdfast_cluster::command::SubmitId;
    use holdfast_cluster::encoding::encode_entry;
    use holdfast_cluster::state::Entry;
    use holdfast_proto::types::{Incarnation, NodeId, OpenId, SessionId};

    use super::*;

    #[test]
    fn what_one_entry_closes_fits_into_it() {
        let opens = vec![OpenId(u64::MAX); limits::CLOSES_PER_ENTRY_MAX];
        let incarnation = Incarnation(u64::MAX);
        let entry = Entry {
            elapsed_nanos: u64::MAX,
            submit: SubmitId { node: NodeId(u64::MAX), incarnation, sequence: u64::MAX },
            command: Command::CloseOpens { session: SessionId(u64::MAX), opens },
        };
        assert!(encode_entry(&entry).len() < 128 * 1024);
    }
}
