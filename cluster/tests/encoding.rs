//! The bytes of entries and snapshots, held to goldens: a node of a later version reads what this
//! one wrote, and what this one does not know it refuses.

use holdfast_cluster::command::*;
use holdfast_cluster::encoding::{
    EncodingError, decode_entry, decode_snapshot, encode_entry, encode_snapshot,
};
use holdfast_cluster::state::{Entry, State};
use holdfast_proto::types::*;

fn entry() -> Entry {
    Entry {
        elapsed_nanos: 5,
        submit: SubmitId { node: NodeId(1), incarnation: Incarnation(9), sequence: 300 },
        command: Command::Lock {
            open: OpenRef { open: OpenId(7), generation: 2 },
            ranges: vec![LockRange { offset: 16, length: 1, exclusive: true }],
            fail_immediately: false,
            sequence: Some(LockSequence { index: 64, number: 15 }),
        },
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_entry_has_these_bytes() {
    let golden =
        "080110051a07080110091 8ac02 2217 da0114 0a0408071002 1206081010011801 22040840100f"
            .replace(' ', "");
    assert_eq!(hex(&encode_entry(&entry())), golden);
    assert_eq!(decode_entry(&encode_entry(&entry())).unwrap(), entry());
}

#[test]
fn what_is_not_known_is_refused() {
    let bytes = encode_entry(&entry()).to_vec();
    assert!(decode_entry(&[]).is_err());
    assert!(matches!(decode_entry(&bytes[..bytes.len() - 1]), Err(EncodingError::Malformed(_))));
    let mut later = bytes.clone();
    later[1] = 2;
    assert!(matches!(
        decode_entry(&later),
        Err(EncodingError::UnknownFormat { found: 2, known: 1 })
    ));
    // A field that a later version added, in the entry or within its command.
    let mut more = bytes.clone();
    more.extend_from_slice(&[0x50, 0x01]);
    assert_eq!(decode_entry(&more), Err(EncodingError::UnknownFields));
    // A command that a later version added: field 99, an empty message.
    let mut other = bytes[..13].to_vec();
    other.extend_from_slice(&[0x22, 0x03, 0x9A, 0x06, 0x00]);
    assert_eq!(decode_entry(&other), Err(EncodingError::Missing("Command")));
}

#[test]
fn a_snapshot_that_contradicts_itself_is_refused() {
    let empty = State::default();
    let bytes = encode_snapshot(&empty);
    assert_eq!(hex(&bytes), "08012203 38e807".replace(' ', ""));
    assert_eq!(decode_snapshot(&bytes).unwrap(), empty);
    // A session of a life that never was.
    let mut session = bytes.to_vec();
    let row =
        [&[0x08, 0x01, 0x12, 0x04, 0x08, 0x01, 0x10, 0x01, 0x22, 0x10][..], &[0; 16]].concat();
    session.extend_from_slice(&[0x42, row.len() as u8]);
    session.extend_from_slice(&row);
    assert!(matches!(decode_snapshot(&session), Err(EncodingError::Inconsistent(_))));
    assert!(decode_snapshot(&bytes[1..]).is_err());
}
