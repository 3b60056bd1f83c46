//! PreviousSessionId ([MS-SMB2] 3.3.5.5.3): the session that this logon replaces has ended, and
//! its opens are detached in the log, before the logon is answered.

use std::time::Duration;

use holdfast_cluster::command::{Command, EndHow};
use holdfast_proto::types::{FoldedName, SessionId};
use tracing::info;

use crate::dispatch::{ConnectionContext, Failure};
use crate::limits;
use crate::ports::{PeerReply, PeerRequest};
use crate::session::end_session;

/// How long the owner is given to answer before it is asked again.
const ASK_TIMEOUT: Duration = Duration::from_secs(1);
/// The pause between two looks at the state.
const ASK_PAUSE: Duration = Duration::from_millis(50);

/// Ends `previous` wherever it lives, if it is a session of the same user. Another user's is
/// ignored, and so is the session's own id.
pub(super) async fn replace(
    context: &ConnectionContext,
    user: &str,
    own: SessionId,
    previous: SessionId,
) -> Result<(), Failure> {
    if previous == SessionId(0) || previous == own {
        return Ok(());
    }
    let node = &context.node;
    // It may have been logged on elsewhere a moment ago.
    node.cluster.read_index().await?;
    let begun = node.clock.boot();
    loop {
        let state = node.cluster.state();
        let Some(record) = state.session(previous) else {
            return Ok(());
        };
        if FoldedName::new(&record.user) != FoldedName::new(user) {
            return Ok(());
        }
        let owner = record.life;
        if state.is_taken_early(owner) {
            return Ok(());
        }
        drop(state);
        if let Some(session) = node.sessions.get(previous) {
            info!(session = %own, previous = %previous, "the client replaces its session");
            end_session(node, &session, EndHow::ConnectionLost).await;
            return Ok(());
        }
        if owner == node.cluster.life() {
            // In the log and in no table: a logon that never was answered.
            let how = EndHow::ConnectionLost;
            node.cluster.submit(Command::EndSession { session: previous, how }).await?;
            return Ok(());
        }
        let question = PeerRequest::EndSession { session: previous };
        if let Ok(PeerReply::Done) = node.cluster.ask(owner.node, question, ASK_TIMEOUT).await {
            info!(session = %own, previous = %previous, owner = %owner.node,
                "the owner has ended the client's session");
            // Done is said when it is in the log; this replica may lag.
            node.cluster.read_index().await?;
        }
        // Silent: its fence ends the session, if it does not answer after all.
        if node.clock.boot().saturating_sub(begun) >= limits::NOT_READY_HOLD {
            return Err(Failure::NotReady);
        }
        tokio::time::sleep(ASK_PAUSE).await;
    }
}
