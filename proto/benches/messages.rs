//! What the codec costs: a CREATE with four contexts, and 1 MiB of file data.
//!
//! `cargo bench -p holdfast-proto` prints the best of several rounds, in nanoseconds for one
//! operation. File data must not be copied: a copy of 1 MiB alone takes far longer than the bound.

#![allow(clippy::disallowed_methods, reason = "it measures real time")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use bytes::Bytes;
use holdfast_proto::header::Header;
use holdfast_proto::msg::create::{
    CreateContexts, DurableHandleFlags, DurableHandleRequestV2, DurableHandleResponseV2,
    LeaseContext, LeaseV2, MaximalAccessResponse, OnDiskId, QueryMaximalAccess, QueryOnDiskId,
};
use holdfast_proto::msg::{
    CreateRequest, CreateResponse, CreateResponseContexts, Message, ReadResponse, WriteRequest,
};
use holdfast_proto::types::{AccessMask, Guid, LeaseState, OplockLevel};
use holdfast_proto::wire::{Encoded, Writer};
use holdfast_proto::{NtStatus, Opcode};

/// No operation may take longer.
const BOUND_NANOS: f64 = 200.0;
const ROUNDS: usize = 20;
const REPEATS: u32 = 20_000;

/// Prints the best time of `operation`; false if it is over the bound.
fn measure(name: &str, mut operation: impl FnMut()) -> bool {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..REPEATS {
            operation();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(REPEATS));
    }
    println!("{name:<44} {best:>8.1} ns");
    best <= BOUND_NANOS
}

fn lease() -> LeaseContext {
    LeaseContext {
        lease_key: Guid([2; 16]),
        lease_state: LeaseState::RWH,
        v2: Some(LeaseV2::default()),
        ..LeaseContext::default()
    }
}

fn create_request() -> CreateRequest {
    CreateRequest {
        requested_oplock_level: OplockLevel::LEASE,
        desired_access: AccessMask::FILE_GENERIC_READ,
        name: "projects\\sub\\report-2026.txt".into(),
        contexts: CreateContexts {
            durable_request_v2: Some(DurableHandleRequestV2 {
                timeout: 0,
                flags: DurableHandleFlags::PERSISTENT,
                create_guid: Guid([1; 16]),
            }),
            lease: Some(lease()),
            max_access: Some(QueryMaximalAccess::default()),
            query_on_disk_id: Some(QueryOnDiskId),
            ..CreateContexts::default()
        },
        ..CreateRequest::default()
    }
}

fn create_response() -> CreateResponse {
    CreateResponse {
        contexts: CreateResponseContexts {
            durable_v2: Some(DurableHandleResponseV2::default()),
            lease: Some(lease()),
            max_access: Some(MaximalAccessResponse::default()),
            query_on_disk_id: Some(OnDiskId::default()),
            ..CreateResponseContexts::default()
        },
        ..CreateResponse::default()
    }
}

fn encode<M: Message>(header: &Header, body: &M) -> Encoded {
    let mut w = Writer::for_message();
    header.encode(&mut w);
    body.encode(&mut w);
    w.into_encoded()
}

/// Measures one message both ways.
fn both_ways<M: Message>(name: &str, header: &Header, body: &M) -> bool {
    let bytes = encode(header, body).to_bytes();
    let decode = measure(&format!("decode {name}"), || {
        black_box(Header::decode(black_box(&bytes)).is_ok());
        black_box(M::decode(black_box(&bytes)).is_ok());
    });
    let encode = measure(&format!("encode {name}"), || {
        black_box(encode(black_box(header), black_box(body)));
    });
    decode & encode
}

fn main() -> ExitCode {
    let data = Bytes::from(vec![0x5A; 1 << 20]);
    let create = Header::request(Opcode::CREATE, 1);
    let created = create.response(NtStatus::SUCCESS);
    let write = Header::request(Opcode::WRITE, 2);
    let read = Header::request(Opcode::READ, 3).response(NtStatus::SUCCESS);
    let write_data = WriteRequest { data: data.clone(), ..WriteRequest::default() };
    let read_data = ReadResponse { data, ..ReadResponse::default() };
    let within = [
        both_ways("CREATE request, four contexts", &create, &create_request()),
        both_ways("CREATE response, four contexts", &created, &create_response()),
        both_ways("WRITE request, 1 MiB", &write, &write_data),
        both_ways("READ response, 1 MiB", &read, &read_data),
    ];
    if within.contains(&false) {
        println!("over the bound of {BOUND_NANOS} ns");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
