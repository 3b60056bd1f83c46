//! One connection: a loop that reads frames, a task that writes them, and the end of its
//! sessions when either stops.
//!
//! A lost connection is an event and no cancellation: handlers run to their end.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use holdfast_cluster::command::EndHow;
use holdfast_cluster::gap::{self, Gap};
use holdfast_cluster::observe::{self, Observed};
use holdfast_proto::frame::direct_tcp::{PREFIX_SIZE, decode_prefix};
use holdfast_proto::opcode::Opcode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::connection::{Connection, OutboundFrame};
use crate::core::{
    Frame, Inbound, Misuse, Outgoing, Protection, Sealing, Violation, open_frame, seal,
};
use crate::dispatch::run_chain;
use crate::handlers::negotiate;
use crate::limits;
use crate::node::Node;
use crate::session::end_session;

/// How much is read from the socket at once, at least.
const READ_CHUNK: usize = 64 << 10;

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("the client closed it")]
    Eof,
    #[error("it was closed here")]
    Closed,
    #[error("nobody logged on in time")]
    NobodyLoggedOn,
    #[error("the client speaks only old dialects")]
    OldDialects,
    #[error("{0}")]
    Socket(#[from] io::Error),
    #[error("{0}")]
    Violation(#[from] Violation),
}

/// Serves one connection to its end; returns when its sessions have ended too.
pub async fn serve<S>(node: Arc<Node>, connection: Arc<Connection>, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (reader, writer) = tokio::io::split(stream);
    let writing = tokio::spawn(write_frames(node.clone(), connection.clone(), writer));
    let arrived = BytesMut::new();
    let mut reading = Reading { node: &node, connection: &connection, reader, arrived };
    let stop = reading.run().await;
    drop(reading);
    if let Stop::Violation(violation) = &stop {
        warn!(peer = %connection.peer, client = %connection.client_guid(),
            user = %connection.users(), %violation, "the client broke the protocol");
    }
    connection.close(&stop.to_string());
    if writing.await.is_err() {
        warn!(peer = %connection.peer, "the writer of the connection failed");
    }
    for session in connection.sessions() {
        end_session(&node, &session, EndHow::ConnectionLost).await;
    }
    node.remove_connection(connection.id);
}

struct Reading<'a, R> {
    node: &'a Arc<Node>,
    connection: &'a Arc<Connection>,
    reader: R,
    arrived: BytesMut,
}

impl<R: AsyncRead + Unpin> Reading<'_, R> {
    async fn run(&mut self) -> Stop {
        let deadline = Instant::now() + limits::LOGON_TIME_MAX;
        loop {
            self.connection.wait_room().await;
            let reading =
                read_frame(&mut self.reader, &mut self.arrived, self.connection, deadline);
            let next = tokio::select! {
                biased;
                () = self.connection.wait_closed() => Err(Stop::Closed),
                frame = reading => frame,
            };
            if let Err(stop) = next.and_then(|frame| self.take(frame)) {
                return stop;
            }
        }
    }

    /// Starts what a frame asks for.
    fn take(&self, frame: BytesMut) -> Result<(), Stop> {
        let connection = self.connection;
        match open_frame(frame, |session| connection.security(session))? {
            Frame::Smb1Negotiate(request) => {
                let credits = connection.core(|core| {
                    core.admit_smb1_negotiate()?;
                    Ok::<_, Violation>(core.grant(1))
                })?;
                let answer = negotiate::answer_smb1(self.node, &request, credits);
                let (header, response) = answer.ok_or(Stop::OldDialects)?;
                for pieces in seal(vec![Outgoing { header, response, sealing: Sealing::Clear }]) {
                    let frame = OutboundFrame { pieces, about: Vec::new(), written: None };
                    connection.enqueue(frame).map_err(|_| Stop::Closed)?;
                }
                Ok(())
            }
            Frame::Requests(requests) => self.start(requests),
        }
    }

    fn start(&self, requests: Vec<Inbound>) -> Result<(), Stop> {
        let alone = requests.len() == 1;
        let mut begun = Vec::with_capacity(requests.len());
        for request in requests {
            let opcode = request.header.command;
            if !alone && matches!(opcode, Opcode::NEGOTIATE | Opcode::SESSION_SETUP) {
                return Err(Violation::SetupInCompound.into());
            }
            if opcode == Opcode::CANCEL {
                self.cancel(&request)?;
                continue;
            }
            let pending = self.connection.begin(&request)?;
            begun.push((request, pending));
        }
        if !begun.is_empty() {
            tokio::spawn(run_chain(self.node.clone(), self.connection.clone(), begun));
        }
        Ok(())
    }

    /// CANCEL has no answer, so one that is not protected as it should be is passed over.
    fn cancel(&self, request: &Inbound) -> Result<(), Stop> {
        let session = self.connection.session(request.header.session_id);
        let trusted = match (request.protection, session) {
            (Protection::Encrypted(_), _) => true,
            (Protection::Clear, Some(session)) if request.is_signed() => {
                request.verify(&session.security)?;
                true
            }
            (Protection::Clear, _) => false,
        };
        if trusted {
            self.connection.cancel(&request.header);
        } else {
            self.connection.note_misuse(Opcode::CANCEL, Misuse::UnprotectedCancel);
        }
        Ok(())
    }
}

/// Reads the next frame. It gets an allocation of its own: a request that waits keeps its message,
/// and nothing else that came. What came of the frame after it stays in `arrived`.
async fn read_frame<R: AsyncRead + Unpin>(
    reader: &mut R,
    arrived: &mut BytesMut,
    connection: &Connection,
    deadline: Instant,
) -> Result<BytesMut, Stop> {
    let length = loop {
        if let Some(prefix) = arrived.first_chunk::<PREFIX_SIZE>() {
            let limit = connection.core(|core| core.frame_max());
            break decode_prefix(*prefix, limit).map_err(Violation::Malformed)?;
        }
        arrived.reserve(READ_CHUNK);
        fill(reader, arrived, usize::MAX, connection, deadline).await?;
    };
    arrived.advance(PREFIX_SIZE);
    let there = arrived.len().min(length);
    let mut frame = BytesMut::with_capacity(room(connection, length));
    frame.extend_from_slice(&arrived[..there]);
    arrived.advance(there);
    while frame.len() < length {
        let missing = length - frame.len();
        frame.reserve(room(connection, missing));
        fill(reader, &mut frame, missing, connection, deadline).await?;
    }
    Ok(frame)
}

/// How much room is set aside for that many bytes: nobody may make us set much aside before
/// having logged on.
fn room(connection: &Connection, bytes: usize) -> usize {
    if connection.core(|core| core.is_authenticated()) { bytes } else { bytes.min(READ_CHUNK) }
}

/// Reads some bytes more, `most` at most.
async fn fill<R: AsyncRead + Unpin>(
    reader: &mut R,
    buffer: &mut BytesMut,
    most: usize,
    connection: &Connection,
    deadline: Instant,
) -> Result<(), Stop> {
    let mut buffer = buffer.limit(most);
    let reading = reader.read_buf(&mut buffer);
    let read = if connection.core(|core| core.is_authenticated()) {
        reading.await?
    } else {
        let left = deadline.saturating_duration_since(Instant::now());
        let read = timeout(left.max(Duration::from_millis(1)), reading).await;
        read.map_err(|_| Stop::NobodyLoggedOn)??
    };
    if read == 0 { Err(Stop::Eof) } else { Ok(()) }
}

async fn write_frames<W: AsyncWrite + Unpin>(
    node: Arc<Node>,
    connection: Arc<Connection>,
    mut writer: W,
) {
    while let Some(frame) = connection.next_frame().await {
        for open in &frame.about {
            if !node.opens_gate().may_answer(*open).await {
                return connection.close("an open that it was about to hear of was taken over");
            }
        }
        if !frame.about.is_empty() {
            gap::pass(Gap::GateToReply).await;
            observe::tell(Observed::Replied { life: node.cluster.life() });
        }
        let length = frame.len();
        let written = tokio::select! {
            biased;
            () = connection.wait_closed() => return,
            written = write_frame(&mut writer, frame.pieces) => written,
        };
        if let Err(error) = written {
            return connection.close(&format!("writing failed: {error}"));
        }
        connection.note_written(length);
        if let Some(written) = frame.written {
            // Whoever asked may have stopped waiting.
            let _ = written.send(());
        }
    }
}

/// Writes all pieces and flushes. A client that takes nothing for too long is given up.
async fn write_frame<W: AsyncWrite + Unpin>(
    writer: &mut W,
    mut pieces: Vec<Bytes>,
) -> io::Result<()> {
    let stalled = |_| io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing");
    pieces.retain(|piece| !piece.is_empty());
    let mut first = 0;
    while first < pieces.len() {
        let slices: Vec<IoSlice<'_>> = pieces[first..].iter().map(|p| IoSlice::new(p)).collect();
        let written = timeout(limits::SEND_STALL_MAX, writer.write_vectored(&slices)).await;
        let mut written = written.map_err(stalled)??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        while written > 0 {
            let step = written.min(pieces[first].len());
            pieces[first].advance(step);
            written -= step;
            if pieces[first].is_empty() {
                first += 1;
            }
        }
    }
    timeout(limits::SEND_STALL_MAX, writer.flush()).await.map_err(stalled)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::ConnectionId;

    #[tokio::test]
    async fn each_frame_has_an_allocation_of_its_own() {
        let connection = Connection::new(ConnectionId(1), "test".to_owned());
        connection.core(|core| core.set_authenticated());
        let lengths = [8 << 20, 120, 64, 0, 100_000, 120];
        let sent: Vec<u8> = lengths
            .iter()
            .flat_map(|length: &usize| {
                let prefix = (*length as u32).to_be_bytes();
                prefix.into_iter().chain((0..*length).map(|n| n as u8))
            })
            .collect();
        let mut reader = sent.as_slice();
        let mut arrived = BytesMut::new();
        let deadline = Instant::now() + limits::LOGON_TIME_MAX;
        for length in lengths {
            let frame = read_frame(&mut reader, &mut arrived, &connection, deadline).await.unwrap();
            assert!(frame.iter().copied().eq((0..length).map(|n| n as u8)), "{length}");
            assert!(frame.capacity() <= length.max(64), "{length}");
            assert!(length == 0 || frame.freeze().is_unique(), "{length}");
        }
        let end = read_frame(&mut reader, &mut arrived, &connection, deadline).await;
        assert!(matches!(end, Err(Stop::Eof)));
        assert!(arrived.capacity() <= 4 * READ_CHUNK);
    }
}
