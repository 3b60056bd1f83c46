//! Snapshots between nodes: in pieces, each answered before the next leaves, with length and
//! checksum at the end.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use openraft::alias::{SnapshotOf, VoteOf};
use openraft::raft::SnapshotResponse;

use super::frame::Body;
use super::link::PeerLink;
use super::link_error::LinkError;
use super::pb;
use super::raft_messages::{
    BadMessage, ballot_from, ballot_to, snapshot_meta_from, snapshot_meta_to,
};
use crate::raft::type_config::{TypeConfig, Vote};

/// Bytes of one piece.
const PIECE: usize = 256 * 1024;
/// How long a piece may take; the last one includes the other node's installation.
pub const PIECE_LIMIT: Duration = Duration::from_secs(10);
/// The largest snapshot that is taken from a peer.
const SNAPSHOT_MAX: u64 = 4 << 30;

/// Sends a snapshot and waits until the peer has installed it.
///
/// # Errors
/// The stream broke, or the peer could not install it.
pub async fn send(
    link: &Arc<PeerLink>,
    vote: VoteOf<TypeConfig>,
    snapshot: SnapshotOf<TypeConfig, Bytes>,
) -> Result<SnapshotResponse<TypeConfig>, LinkError> {
    let session = link.new_session();
    let data = snapshot.snapshot;
    let mut offset = 0;
    loop {
        let end = data.len().min(offset + PIECE);
        let last = end == data.len();
        let piece = pb::SnapshotPiece {
            session,
            offset: offset as u64,
            data: data.slice(offset..end),
            end: last.then(|| pb::SnapshotEnd {
                vote: Some(ballot_to(&vote)),
                meta: Some(snapshot_meta_to(&snapshot.meta)),
                length: data.len() as u64,
                crc32c: crc32c::crc32c(&data),
            }),
        };
        let answer = link.call(Body::SnapshotPiece(piece), PIECE_LIMIT).await?;
        let Body::SnapshotTaken(taken) = answer else {
            return Err(LinkError::Mismatch(link.peer()));
        };
        if last {
            let vote = ballot_from(taken.vote).map_err(|_| LinkError::Mismatch(link.peer()))?;
            return Ok(SnapshotResponse::new(vote));
        }
        offset = end;
    }
}

/// A snapshot on its way in; one for each stream.
#[derive(Default)]
pub struct Incoming {
    session: u64,
    data: BytesMut,
}

/// What a piece came to.
#[derive(Debug)]
pub enum Received {
    /// More is to come.
    Piece,
    /// The snapshot is complete, and its bytes are those that were sent.
    Complete(Vote, SnapshotOf<TypeConfig, Bytes>),
}

impl Incoming {
    /// Takes the next piece. A new session drops what came before.
    ///
    /// # Errors
    /// The piece does not follow the one before, is too much, or the whole does not match its
    /// length and checksum.
    pub fn take(&mut self, piece: pb::SnapshotPiece) -> Result<Received, BadMessage> {
        if piece.offset == 0 {
            self.session = piece.session;
            self.data.clear();
        }
        if piece.session != self.session || piece.offset != self.data.len() as u64 {
            return Err(BadMessage("snapshot piece out of order"));
        }
        if piece.offset + piece.data.len() as u64 > SNAPSHOT_MAX {
            return Err(BadMessage("snapshot is too large"));
        }
        self.data.extend_from_slice(&piece.data);
        let Some(end) = piece.end else {
            return Ok(Received::Piece);
        };
        let data = std::mem::take(&mut self.data).freeze();
        if data.len() as u64 != end.length || crc32c::crc32c(&data) != end.crc32c {
            return Err(BadMessage("snapshot does not match its checksum"));
        }
        let meta = snapshot_meta_from(end.meta.ok_or(BadMessage("snapshot without metadata"))?)?;
        let vote = ballot_from(end.vote)?;
        Ok(Received::Complete(vote, SnapshotOf::<TypeConfig, Bytes> { meta, snapshot: data }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(offset: u64, data: &'static [u8], whole: Option<&[u8]>) -> pb::SnapshotPiece {
        pb::SnapshotPiece {
            session: 4,
            offset,
            data: Bytes::from_static(data),
            end: whole.map(|whole| pb::SnapshotEnd {
                vote: Some(pb::Ballot { term: 1, node: 1, committed: true }),
                meta: Some(pb::SnapshotMeta::default()),
                length: whole.len() as u64,
                crc32c: crc32c::crc32c(whole),
            }),
        }
    }

    #[test]
    fn pieces_make_the_snapshot_and_nothing_else_does() {
        let mut incoming = Incoming::default();
        assert!(matches!(incoming.take(piece(0, b"holdf", None)), Ok(Received::Piece)));
        match incoming.take(piece(5, b"ast", Some(b"holdfast"))) {
            Ok(Received::Complete(_, snapshot)) => assert_eq!(&snapshot.snapshot[..], b"holdfast"),
            other => panic!("{other:?}"),
        }
        // A gap, and a whole that is not what was sent.
        assert!(incoming.take(piece(0, b"holdf", None)).is_ok());
        assert!(incoming.take(piece(6, b"ast", None)).is_err());
        assert!(incoming.take(piece(5, b"xyz", Some(b"holdfast"))).is_err());
    }
}
