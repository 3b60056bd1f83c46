//! What a peer's bytes may be: anything. Built only for fuzzing and for tests.

use bytes::Bytes;

use super::frame::{Body, from_packet, to_packet};
use super::pb;
use super::peer_messages::{question_from, reply_from};
use super::raft_messages as raft;
use super::snapshot_transfer::Incoming;

/// Decodes `bytes` as a frame, and what the frame holds as who gets it would.
pub fn decode(bytes: &[u8]) {
    let packet = pb::Packet { frame: Bytes::copy_from_slice(bytes) };
    let Ok((tag, body)) = from_packet(packet) else { return };
    let again = from_packet(to_packet(tag, body.clone()));
    assert_eq!(again.ok(), Some((tag, body.clone())), "a frame does not come back");
    // Refused is fine; what must not happen is a panic.
    let _refused_or_not = match body {
        Body::Append(append) => raft::append_from(append).is_ok(),
        Body::Appended(appended) => raft::appended_from(appended).is_ok(),
        Body::Vote(vote) => raft::vote_from(vote).is_ok(),
        Body::Voted(voted) => raft::voted_from(voted).is_ok(),
        Body::SnapshotPiece(piece) => Incoming::default().take(piece).is_ok(),
        Body::SnapshotTaken(taken) => raft::ballot_from(taken.vote).is_ok(),
        Body::TransferLeader(transfer) => raft::transfer_from(transfer).is_ok(),
        Body::Ask(ask) => question_from(ask).is_ok(),
        Body::Answer(answer) => {
            reply_from(answer);
            true
        }
        Body::Submit(submit) => crate::encoding::decode_entry(&submit.entry).is_ok(),
        Body::Hello(_)
        | Body::Welcome(_)
        | Body::Failed(_)
        | Body::Done(_)
        | Body::Submitted(_)
        | Body::ReadIndex(_)
        | Body::ReadAt(_)
        | Body::Renew(_)
        | Body::Renewed(_)
        | Body::Stuck(_)
        | Body::TurnedAway(_) => true,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ballot() -> Option<pb::Ballot> {
        Some(pb::Ballot { term: 3, node: 1, committed: true })
    }

    fn frames() -> Vec<Body> {
        let id = |index| Some(pb::LogId { term: 3, index });
        let command = pb::log_entry::Payload::Command(Bytes::from_static(b"an entry"));
        vec![
            Body::Append(pb::Append {
                session: 9,
                vote: ballot(),
                previous: id(6),
                entries: vec![pb::LogEntry { id: id(7), payload: Some(command) }],
                leader_commit: id(6),
                ..pb::Append::default()
            }),
            Body::Vote(pb::Vote { vote: ballot(), last_log: id(7), ..pb::Vote::default() }),
            Body::SnapshotPiece(pb::SnapshotPiece {
                session: 4,
                offset: 0,
                data: Bytes::from_static(b"state"),
                end: Some(pb::SnapshotEnd {
                    vote: ballot(),
                    meta: Some(pb::SnapshotMeta { last_log: id(7), ..pb::SnapshotMeta::default() }),
                    length: 5,
                    crc32c: crc32c::crc32c(b"state"),
                }),
            }),
            Body::TransferLeader(pb::TransferLeader { from: ballot(), to: 2, last_log: id(7) }),
            Body::Submit(pb::Submit { entry: Bytes::from_static(b"an entry") }),
        ]
    }

    #[test]
    fn no_bytes_of_a_peer_make_a_node_panic() {
        for body in frames() {
            let whole = to_packet(1, body).frame;
            for length in 0..=whole.len() {
                decode(&whole[..length]);
            }
            let mut bytes = whole.to_vec();
            for at in 0..bytes.len() {
                for value in 0..=u8::MAX {
                    bytes[at] = value;
                    decode(&bytes);
                }
                bytes[at] = whole[at];
            }
        }
    }

    #[test]
    fn the_last_index_that_there_is_has_none_after_it() {
        let last = Some(pb::LogId { term: 3, index: u64::MAX });
        let entry = pb::LogEntry { id: last, payload: None };
        for entries in [Vec::new(), vec![entry]] {
            let append =
                pb::Append { vote: ballot(), previous: last, entries, ..pb::Append::default() };
            decode(&to_packet(1, Body::Append(append)).frame);
        }
    }
}
