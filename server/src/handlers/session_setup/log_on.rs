//! The last step of a logon: keys, the entry in the log, the session's place in the tables.

use std::sync::Arc;

use holdfast_cluster::command::{Command, EndHow};
use holdfast_cluster::outcome::Outcome;
use holdfast_proto::NtStatus;
use holdfast_proto::crypto::{PreauthHash, SessionKeys};
use holdfast_proto::types::{Dialect, SessionId};
use tracing::info;

use super::LoggedOn;
use crate::auth::user_sid;
use crate::core::{SecurityTerms, SessionSecurity};
use crate::dispatch::{ConnectionContext, Failure};
use crate::node::Node;
use crate::session::{Session, end_session, tell};
use crate::settings::Identity;

/// Puts the session into the log and then into the tables.
pub(super) async fn log_on(
    context: &ConnectionContext,
    identity: &Identity,
    id: SessionId,
    logged_on: LoggedOn,
    preauth: &PreauthHash,
) -> Result<SecurityTerms, Failure> {
    let (node, connection) = (&context.node, &context.connection);
    let negotiated = connection.negotiated().ok_or(NtStatus::INVALID_PARAMETER)?;
    let terms = SecurityTerms {
        signing: negotiated.signing,
        cipher: negotiated.cipher,
        encrypt_data: must_encrypt(node),
    };
    if terms.encrypt_data && terms.cipher.is_none() {
        // 3.3.5.5.3, where RejectUnencryptedAccess is set.
        info!(peer = %connection.peer, client = %connection.client_guid(), user = %logged_on.user,
            "logon refused: the cluster demands encryption, and the client offers no cipher");
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let keys = SessionKeys::derive(&logged_on.verified.session_key, preauth);
    let security = Arc::new(SessionSecurity::new(id, terms, &keys));
    let sid = user_sid(identity.cluster_id, logged_on.rid);
    let command = Command::LogOn {
        life: node.cluster.life(),
        session: id,
        user: logged_on.user.clone(),
        client_guid: negotiated.client_guid,
        dialect: Dialect::SMB_3_1_1.0,
    };
    match node.cluster.submit(command).await {
        Ok(Outcome::Refused(refusal)) => return Err(refusal.into()),
        Ok(_) => {}
        Err(error) => {
            // It may be in the log: a session that nobody serves must not stay there.
            tokio::spawn(forget(node.clone(), id));
            return Err(error.into());
        }
    }
    let session = Arc::new(Session::new(id, logged_on.user, sid, security, connection));
    let kept = node.sessions.insert(session.clone()) && connection.add_session(session.clone());
    if !kept {
        end_session(node, &session, EndHow::ConnectionLost).await;
        return Err(NtStatus::INSUFFICIENT_RESOURCES.into());
    }
    connection.core(|core| core.set_authenticated());
    info!(peer = %connection.peer, client = %connection.client_guid(), session = %id,
        user = %session.user, "logged on");
    Ok(terms)
}

/// EncryptData of the cluster ([MS-SMB2] 3.3.1.5).
fn must_encrypt(node: &Node) -> bool {
    node.cluster.state().cluster().is_some_and(|cluster| cluster.encrypt_data)
}

/// Ends a session in the log that is in no table.
async fn forget(node: Arc<Node>, session: SessionId) {
    tell(&node, Command::EndSession { session, how: EndHow::ConnectionLost }).await;
}
