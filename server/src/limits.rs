//! Every bound of the server in one file, asserted against each other at compile time.
//!
//! What a client can make the server keep is bounded by something here; a list that grows with
//! what peers send and has no bound in this file is a defect.

use std::time::Duration;

/// MaxTransactSize, MaxReadSize and MaxWriteSize ([MS-SMB2] 2.2.4). Equal on all nodes.
pub const MAX_IO_SIZE: u32 = 8 << 20;

/// What one credit pays for ([MS-SMB2] 3.1.5.2).
pub const CREDIT_UNIT: u32 = 65_536;

/// The largest transport frame: one request of the largest size with its headers, and room for
/// the other members of its compound.
pub const FRAME_MAX: usize = MAX_IO_SIZE as usize + (1 << 20);

/// The largest frame before a session exists: negotiation and security tokens.
pub const FRAME_MAX_UNAUTHENTICATED: usize = 128 << 10;

/// The longest message ([MS-SMB2] 3.3.5.2: MaxTransactSize and 256 bytes).
pub const MESSAGE_MAX: usize = MAX_IO_SIZE as usize + 256;

/// The longest message of an opcode that moves no data ([MS-SMB2] 3.3.5.2).
pub const MESSAGE_MAX_WITHOUT_DATA: usize = 68 << 10;

/// What a message may weigh beyond what its CreditCharge pays for: headers, and what stands
/// beside the data. More counts as if it had been charged for.
pub const MESSAGE_OVERHEAD: usize = 4 << 10;

/// Members of one compound.
pub const COMPOUND_MAX: usize = 64;

/// Message ids that a client may have granted and unused ([MS-SMB2] 3.3.1.1).
pub const CREDITS_MAX: u16 = 8192;

/// Credits before a logon: enough for the exchange itself.
pub const CREDITS_MAX_UNAUTHENTICATED: u16 = 16;

/// Credit charges of requests that run at the same time on one connection, or what they would have
/// to be for what the requests weigh. Those that have been answered by an interim response count
/// under [`ASYNC_CHARGES_MAX`] instead.
pub const CHARGES_IN_FLIGHT_MAX: u32 = 1024;

/// Credit charges of requests of one connection that wait behind an interim response. They hold
/// what they carry: a WRITE that waits for a lease break, its data.
pub const ASYNC_CHARGES_MAX: u32 = 1024;

/// Bytes of responses that wait for the socket, above which no further request is read.
pub const OUTBOX_PAUSE: usize = 32 << 20;

/// Bytes of responses that wait for the socket, above which the connection is closed.
pub const OUTBOX_MAX: usize = 256 << 20;

/// How long a client may read nothing while something waits for it.
pub const SEND_STALL_MAX: Duration = Duration::from_secs(20);

/// TCP_USER_TIMEOUT of client connections.
pub const TCP_USER_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a connection may stay without a session.
pub const LOGON_TIME_MAX: Duration = Duration::from_secs(45);

/// Client connections of one node.
pub const CONNECTIONS_MAX: usize = 16_384;

/// Sessions of one node.
pub const SESSIONS_MAX: usize = 65_536;

/// Sessions of one connection, those being set up included.
pub const SESSIONS_PER_CONNECTION_MAX: usize = 1024;

/// Authentications of one connection between two tokens.
pub const EXCHANGES_PER_CONNECTION_MAX: usize = 16;

/// Tree connects of one session.
pub const TREES_PER_SESSION_MAX: usize = 4096;

/// Opens of one session, pipes included.
pub const OPENS_PER_SESSION_MAX: usize = 65_536;

/// Opens that one entry of the log closes: an entry of more than 256 KiB is refused.
pub const CLOSES_PER_ENTRY_MAX: usize = 8_192;

/// Pipes of one session: each may keep [`PIPE_BUFFER_MAX`] more than once.
pub const PIPES_PER_SESSION_MAX: usize = 64;

/// The longest security token of a SESSION_SETUP: its length field has two bytes.
pub const SECURITY_TOKEN_MAX: usize = u16::MAX as usize;

/// What an authentication keeps of its first token: the NTLM message, and the list of
/// mechanisms.
pub const FIRST_TOKEN_MAX: usize = 4 << 10;

/// Round trips of one authentication.
pub const LOGON_ROUNDS_MAX: u32 = 8;

/// After this long a request that still runs is answered by an interim response
/// ([MS-SMB2] 3.3.4.2).
pub const INTERIM_AFTER: Duration = Duration::from_millis(500);

/// How long a request is held while the cluster has no leader.
pub const NOT_READY_HOLD: Duration = Duration::from_secs(10);

/// The answer to a failed logon waits at least this long, and longer with each further one of
/// the same connection, up to [`LOGON_DELAY_MAX`].
pub const LOGON_DELAY: Duration = Duration::from_secs(1);

/// The longest such wait.
pub const LOGON_DELAY_MAX: Duration = Duration::from_secs(8);

/// Failed logons after which a connection is closed.
pub const LOGON_FAILURES_MAX: u32 = 16;

/// What a named pipe keeps of an unfinished request, and of an answer not yet fetched.
pub const PIPE_BUFFER_MAX: usize = 1 << 20;

/// Elements of one LOCK: as many as the cluster takes.
pub const LOCKS_PER_REQUEST_MAX: usize = holdfast_cluster::state::limits::LOCK_RANGES;

/// How long a question to another node waits for its answer.
pub const PEER_ANSWER: Duration = Duration::from_millis(300);

/// Between two questions to a node that gave none.
pub const PEER_ASK_AGAIN: Duration = Duration::from_millis(10);

const _: () = {
    assert!(FRAME_MAX > MESSAGE_MAX);
    assert!(FRAME_MAX_UNAUTHENTICATED > MESSAGE_MAX_WITHOUT_DATA);
    assert!(MESSAGE_MAX_WITHOUT_DATA == CREDIT_UNIT as usize + MESSAGE_OVERHEAD);
    assert!(FRAME_MAX < 1 << 24, "the transport's length has three bytes");
    assert!(FRAME_MAX_UNAUTHENTICATED > SECURITY_TOKEN_MAX);
    assert!(MAX_IO_SIZE / CREDIT_UNIT <= CREDITS_MAX as u32);
    assert!(MAX_IO_SIZE / CREDIT_UNIT <= CHARGES_IN_FLIGHT_MAX);
    // Whatever runs may finish while the client reads nothing, and still fits.
    let charges = (CHARGES_IN_FLIGHT_MAX + ASYNC_CHARGES_MAX) as usize;
    assert!(OUTBOX_PAUSE + charges * CREDIT_UNIT as usize + FRAME_MAX <= OUTBOX_MAX);
};
