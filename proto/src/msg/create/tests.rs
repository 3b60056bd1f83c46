//! The chain of create contexts: what survives, what stays visible, what is refused.

use bytes::Bytes;

use super::*;
use crate::header::{HEADER_SIZE, Header};
use crate::opcode::Opcode;
use crate::types::{Guid, LeaseState};

fn message(request: &CreateRequest) -> Bytes {
    let mut w = Writer::new();
    Header::request(Opcode::CREATE, 1).encode(&mut w);
    request.encode(&mut w);
    w.into_bytes()
}

fn with_four_contexts() -> CreateRequest {
    CreateRequest {
        requested_oplock_level: OplockLevel::LEASE,
        name: "dir\\Grüße.txt".into(),
        contexts: CreateContexts {
            durable_request_v2: Some(DurableHandleRequestV2 {
                timeout: 0,
                flags: DurableHandleFlags::PERSISTENT,
                create_guid: Guid([7; 16]),
            }),
            lease: Some(LeaseContext {
                lease_key: Guid([8; 16]),
                lease_state: LeaseState::RWH,
                flags: LeaseFlags::NONE,
                v2: Some(LeaseV2 { parent_lease_key: Guid::ZERO, epoch: 1 }),
            }),
            max_access: Some(QueryMaximalAccess::default()),
            query_on_disk_id: Some(QueryOnDiskId),
            ..CreateContexts::default()
        },
        ..CreateRequest::default()
    }
}

#[test]
fn a_create_with_four_contexts_survives() {
    let request = with_four_contexts();
    assert_eq!(CreateRequest::decode(&message(&request)), Ok(request));
}

#[test]
fn the_name_is_taken_from_its_offset() {
    let request = CreateRequest { name: "abcd".into(), ..CreateRequest::default() };
    let mut bytes = message(&request).to_vec();
    let name = bytes.split_off(HEADER_SIZE + 56);
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&name);
    bytes[HEADER_SIZE + 44] += 8;
    assert_eq!(CreateRequest::decode(&bytes.into()).unwrap().name, "abcd");
}

/// A context with a four-letter name and 8-aligned data, not the last one if `more`.
fn raw_context(name: &[u8; 4], data: &[u8], more: bool) -> Vec<u8> {
    let mut w = Writer::new();
    let length = (24 + data.len()).next_multiple_of(8);
    w.u32(if more { length as u32 } else { 0 });
    w.u16(16);
    w.u16(4);
    w.u16(0);
    w.u16(24);
    w.u32(data.len() as u32);
    w.bytes(name);
    w.align(8);
    w.bytes(data);
    if more {
        w.align(8);
    }
    w.into_bytes().to_vec()
}

fn contexts(list: &[u8]) -> Result<CreateContexts, DecodeError> {
    CreateContexts::decode(Reader::of(&Bytes::copy_from_slice(list)))
}

#[test]
fn unknown_and_repeated_contexts_stay_visible() {
    let list = [
        raw_context(b"AAPL", b"apple", true),
        raw_context(b"AlSi", &5u64.to_le_bytes(), true),
        raw_context(b"AlSi", &6u64.to_le_bytes(), false),
    ]
    .concat();
    let contexts = contexts(&list).unwrap();
    assert_eq!(contexts.allocation_size, Some(AllocationSize { allocation_size: 5 }));
    assert_eq!(contexts.duplicates, [ContextTag(Bytes::from_static(b"AlSi"))]);
    assert_eq!(contexts.unknown[0].tag, ContextTag(Bytes::from_static(b"AAPL")));
    assert_eq!(contexts.unknown[0].data, b"apple".as_slice());
}

#[test]
fn broken_chains_and_lengths_are_refused() {
    let lease = raw_context(b"RqLs", &[0; 40], false);
    assert_eq!(contexts(&lease), Err(DecodeError::Length));
    let mut chain = raw_context(b"MxAc", &[0; 8], false);
    for (next, error) in [
        (4u32, DecodeError::Misaligned),
        (8, DecodeError::Offset),
        (32, DecodeError::Offset),
        (0xFFFF_FFF8, DecodeError::Offset),
    ] {
        chain[0..4].copy_from_slice(&next.to_le_bytes());
        assert_eq!(contexts(&chain), Err(error), "next {next}");
    }
    let endless = raw_context(b"AAPL", b"", true).repeat(100);
    assert_eq!(contexts(&endless), Err(DecodeError::TooManyEntries));
}

#[test]
fn a_context_cannot_reach_into_its_neighbour() {
    let mut list = raw_context(b"AAPL", b"12345678", true);
    list.extend_from_slice(&raw_context(b"MxAc", b"", false));
    list[12] += 1;
    assert_eq!(contexts(&list), Err(DecodeError::Offset));
}
