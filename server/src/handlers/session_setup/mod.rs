//! SESSION_SETUP ([MS-SMB2] 3.3.5.5): tokens until somebody is known, then the session in the
//! log.
//!
//! A wrong password is answered LOGON_FAILURE and nothing else is: what fails for want of a
//! leader closes the connection, so that the client tries elsewhere.

mod log_on;
mod previous;

use bytes::Bytes;
use holdfast_cluster::command::EndHow;
use holdfast_proto::NtStatus;
use holdfast_proto::auth::ntlmv2::{LogonRefusal, NtHash};
use holdfast_proto::msg::session_setup::{SessionFlags, SessionSetupFlags};
use holdfast_proto::msg::{SessionSetupRequest, SessionSetupResponse};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::{FileTime, SessionId};
use tracing::{info, warn};

use crate::auth::{Acceptor, AuthError, Claim, Step, Verified};
use crate::core::{Misuse, SecurityTerms};
use crate::dispatch::{ConnectionContext, Failure, Given, HandlerResult, Reply};
use crate::limits;
use crate::session::end_session;
use crate::settings::Identity;

/// A user who proved to know the password.
struct LoggedOn {
    /// As the cluster's settings spell it.
    user: String,
    rid: u32,
    verified: Verified,
}

/// One token of a logon, or of a reauthentication.
pub async fn handle(context: ConnectionContext, request: SessionSetupRequest) -> HandlerResult {
    if request.flags.contains(SessionSetupFlags::BINDING) {
        // Sessions have one connection; the other status would make the client start over.
        return Err(NtStatus::REQUEST_NOT_ACCEPTED.into());
    }
    if context.session.is_some() && !context.info.signed && !context.info.encrypted {
        // A failed reauthentication ends the session: nobody else may bring one about.
        context.connection.note_misuse(Opcode::SESSION_SETUP, Misuse::Unsigned);
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let identity = Identity::of(&context.node.cluster.state()).ok_or(Failure::NotReady)?;
    let (id, acceptor) = begin(&context)?;
    match step(&context, &identity, acceptor, &request) {
        Ok((acceptor, Step::Continue(token))) => {
            context.connection.park_exchange(id, acceptor);
            let reply =
                Reply::success(response(SessionFlags::NONE, token)).giving(Given::Session(id));
            Ok(reply.with_status(NtStatus::MORE_PROCESSING_REQUIRED))
        }
        Ok((_, Step::Claim(claim))) => match judge(&context, &claim).await? {
            Ok(logged_on) => complete(&context, &identity, id, logged_on, &request).await,
            Err(error) => fail(&context, id, claim.user(), &error).await,
        },
        Err(error) => fail(&context, id, "", &error).await,
    }
}

/// Which exchange the token belongs to: a new one, one under way, or a reauthentication.
fn begin(context: &ConnectionContext) -> Result<(SessionId, Acceptor), Failure> {
    let connection = &context.connection;
    let asked = context.session_id;
    if let Some(acceptor) = connection.take_exchange(asked) {
        connection.core(|core| core.note_setup_request(asked, false, &context.message));
        return Ok((asked, acceptor));
    }
    let (id, fresh) = if asked == SessionId(0) {
        (context.node.next_session_id(), true)
    } else if context.session.is_some() {
        // The keys of a reauthenticated session stay; there is no chain to keep.
        (asked, false)
    } else {
        return Err(NtStatus::USER_SESSION_DELETED.into());
    };
    if connection.is_full_of_sessions() {
        return Err(NtStatus::INSUFFICIENT_RESOURCES.into());
    }
    connection.core(|core| core.note_setup_request(id, fresh, &context.message));
    Ok((id, Acceptor::default()))
}

fn step(
    context: &ConnectionContext,
    identity: &Identity,
    mut acceptor: Acceptor,
    request: &SessionSetupRequest,
) -> Result<(Acceptor, Step), AuthError> {
    let mut challenge = [0; 8];
    context.node.random.fill(&mut challenge);
    let wall = context.node.clock.wall();
    let now = FileTime::from_unix(wall.as_secs() as i64, wall.subsec_nanos());
    let step = acceptor.step(&request.security_buffer, &identity.names, challenge, now)?;
    Ok((acceptor, step))
}

/// Judges a claim by the replica; a refusal only once the replica has caught up with the
/// leader, for the user may just have been made or given another password.
async fn judge(
    context: &ConnectionContext,
    claim: &Claim,
) -> Result<Result<LoggedOn, AuthError>, Failure> {
    if let Ok(logged_on) = judge_now(context, claim) {
        return Ok(Ok(logged_on));
    }
    context.node.cluster.read_index().await?;
    Ok(judge_now(context, claim))
}

fn judge_now(context: &ConnectionContext, claim: &Claim) -> Result<LoggedOn, AuthError> {
    let state = context.node.cluster.state();
    let Some(record) = state.user_by_name(claim.user()).filter(|r| !r.settings.disabled) else {
        // As much work as for a user who exists, and never a success.
        let mut nobody = [0; 16];
        context.node.random.fill(&mut nobody);
        let refused = claim.judge(&NtHash::from_bytes(nobody)).map(|_| ());
        let wrong = AuthError::Refused(LogonRefusal::WrongPassword);
        return Err(refused.err().unwrap_or(wrong));
    };
    let verified = claim.judge(&NtHash::from_bytes(record.settings.nt_hash))?;
    Ok(LoggedOn { user: record.settings.name.clone(), rid: record.rid, verified })
}

async fn complete(
    context: &ConnectionContext,
    identity: &Identity,
    id: SessionId,
    logged_on: LoggedOn,
    request: &SessionSetupRequest,
) -> HandlerResult {
    if let Some(session) = &context.session {
        if session.user != logged_on.user {
            warn!(peer = %context.connection.peer, session = %id, user = %logged_on.user,
                "reauthentication as somebody else");
            end_session(&context.node, session, EndHow::Closed).await;
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        let flags = flags_of(session.security.terms());
        return Ok(success(id, flags, logged_on.verified.token));
    }
    let preauth = context.connection.core(|core| core.end_exchange(id));
    let preauth = preauth.ok_or(NtStatus::USER_SESSION_DELETED)?;
    previous::replace(context, &logged_on.user, id, request.previous_session_id).await?;
    let token = logged_on.verified.token.clone();
    let terms = log_on::log_on(context, identity, id, logged_on, &preauth).await?;
    Ok(success(id, flags_of(terms), token))
}

fn flags_of(terms: SecurityTerms) -> SessionFlags {
    if terms.encrypt_data { SessionFlags::ENCRYPT_DATA } else { SessionFlags::NONE }
}

fn success(id: SessionId, flags: SessionFlags, token: Vec<u8>) -> Reply {
    Reply::success(response(flags, token)).giving(Given::Session(id))
}

fn response(session_flags: SessionFlags, token: Vec<u8>) -> SessionSetupResponse {
    SessionSetupResponse { session_flags, security_buffer: Bytes::from(token) }
}

/// A logon that failed: answered late, later with each further one, and at last not at all.
async fn fail(
    context: &ConnectionContext,
    id: SessionId,
    user: &str,
    error: &AuthError,
) -> HandlerResult {
    let connection = &context.connection;
    connection.core(|core| core.end_exchange(id));
    if let Some(session) = &context.session {
        // 3.3.5.5.3: a failed reauthentication ends the session and its opens.
        end_session(&context.node, session, EndHow::Closed).await;
    }
    let failures = connection.note_logon_failure();
    info!(peer = %connection.peer, client = %connection.client_guid(), user, %error, failures,
        "logon refused");
    if failures >= limits::LOGON_FAILURES_MAX {
        return Err(Failure::Disconnect("too many failed logons"));
    }
    let doublings = failures.saturating_sub(1).min(8);
    let delay = (limits::LOGON_DELAY * (1 << doublings)).min(limits::LOGON_DELAY_MAX);
    tokio::time::sleep(delay).await;
    if error.is_malformed() {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    Err(NtStatus::LOGON_FAILURE.into())
}
