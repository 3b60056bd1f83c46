//! READ, WRITE, FLUSH, LOCK and IOCTL.

use bytes::Bytes;
use holdfast_proto::fsctl::CtlCode;
use holdfast_proto::msg::ioctl::IoctlFlags;
use holdfast_proto::msg::lock::{LockElement, LockFlags};
use holdfast_proto::msg::read::{Channel, ReadFlags, ReadResponseFlags};
use holdfast_proto::msg::write::WriteFlags;
use holdfast_proto::msg::*;
use holdfast_proto::{NtStatus, Opcode};

use super::{Sample, request, response, response_header, with_header};

const FILE_ID: FileId = FileId { persistent: 0x0102_0304, volatile: 0x0506_0708 };

fn read() -> Vec<Sample> {
    let plain = ReadRequest {
        padding: 0x50,
        flags: ReadFlags::READ_UNBUFFERED,
        length: 65_536,
        offset: 1 << 33,
        file_id: FILE_ID,
        minimum_count: 1,
        ..ReadRequest::default()
    };
    let rdma = ReadRequest {
        channel: Channel::RDMA_V1,
        remaining_bytes: 7,
        read_channel_info: Bytes::from_static(&[0x11; 16]),
        ..plain.clone()
    };
    let data = ReadResponse {
        data: Bytes::from_static(b"what the file says"),
        data_remaining: 0,
        flags: ReadResponseFlags::NONE,
    };
    let op = Opcode::READ;
    vec![
        request("read_request", "plain", "64 KiB", op, plain),
        request("read_request", "rdma", "descriptors in the message", op, rdma),
        response("read_response", "data", "some data", op, data),
        response("read_response", "empty", "no data", op, ReadResponse::default()),
    ]
}

fn write() -> Vec<Sample> {
    let plain = WriteRequest {
        offset: 1 << 33,
        file_id: FILE_ID,
        flags: WriteFlags::WRITE_THROUGH,
        data: Bytes::from_static(b"what the file shall say"),
        data_offset: 0x70,
        ..WriteRequest::default()
    };
    let rdma = WriteRequest {
        channel: Channel::RDMA_V1_INVALIDATE,
        remaining_bytes: 9,
        write_channel_info: Bytes::from_static(&[0x11; 17]),
        data_offset: 0x88,
        ..plain.clone()
    };
    let op = Opcode::WRITE;
    let done = WriteResponse { count: 23, remaining: 0 };
    let flush = FlushRequest { reserved1: 0xFFFF, file_id: FILE_ID };
    vec![
        request("write_request", "plain", "some data", op, plain),
        request("write_request", "rdma", "descriptors and data in the message", op, rdma),
        response("write_response", "plain", "all of it", op, done),
        request("flush_request", "plain", "a full sync", Opcode::FLUSH, flush),
        response("flush_response", "plain", "stable", Opcode::FLUSH, FlushResponse),
    ]
}

fn lock() -> Vec<Sample> {
    let two = LockRequest {
        lock_sequence_number: 9,
        lock_sequence_index: 64,
        file_id: FILE_ID,
        locks: vec![
            LockElement {
                offset: 0,
                length: 10,
                flags: LockFlags::EXCLUSIVE_LOCK | LockFlags::FAIL_IMMEDIATELY,
            },
            LockElement { offset: u64::MAX, length: 1, flags: LockFlags::UNLOCK },
        ],
    };
    vec![
        request("lock_request", "two_ranges", "a lock and an unlock", Opcode::LOCK, two),
        response("lock_response", "plain", "done", Opcode::LOCK, LockResponse),
    ]
}

fn ioctl() -> Vec<Sample> {
    let asked = IoctlRequest {
        ctl_code: CtlCode::PIPE_TRANSCEIVE,
        file_id: FILE_ID,
        input: Bytes::from_static(b"\x05\0\x0b\x03"),
        max_input_response: 0,
        output: Bytes::new(),
        max_output_response: 1024,
        flags: IoctlFlags::IS_FSCTL,
    };
    let both = IoctlRequest {
        ctl_code: CtlCode(0x0011_1111),
        output: Bytes::from_static(b"out"),
        ..asked.clone()
    };
    let answered = IoctlResponse {
        ctl_code: CtlCode::PIPE_TRANSCEIVE,
        file_id: FILE_ID,
        input: Bytes::new(),
        output: Bytes::from_static(b"\x05\0\x0c\x03 and so on"),
        flags: 0,
    };
    let passed = IoctlResponse { input: Bytes::from_static(b"inputs"), ..answered.clone() };
    let op = Opcode::IOCTL;
    let overflow = response_header(op, NtStatus::BUFFER_OVERFLOW);
    vec![
        request("ioctl_request", "transceive", "a call on a pipe", op, asked),
        request("ioctl_request", "both_buffers", "input and output, unknown code", op, both),
        with_header("ioctl_response", "transceive", "a part of the answer", overflow, answered),
        response("ioctl_response", "both_buffers", "input handed back", op, passed),
    ]
}

pub fn samples() -> Vec<Sample> {
    [read(), write(), lock(), ioctl()].into_iter().flatten().collect()
}
