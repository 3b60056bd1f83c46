//! Values whose bytes the goldens hold.

mod breaks;
mod connection;
mod create;
mod data;
mod facts;
mod frames;
mod fsctl;
mod info;
mod rpc;
mod security;

use bytes::Bytes;
use holdfast_proto::header::{Header, HeaderFlags, HeaderForm};
use holdfast_proto::msg::Message;
use holdfast_proto::types::{Guid, SessionId};
use holdfast_proto::wire::Writer;
use holdfast_proto::{NtStatus, Opcode};

use crate::decoders::describe;

/// A value, encoded.
pub struct Sample {
    pub message: &'static str,
    pub case: &'static str,
    pub about: &'static str,
    pub bytes: Bytes,
    /// What decoding has to give.
    pub decoded: String,
}

/// All of them.
pub fn all() -> Vec<Sample> {
    [
        connection::samples(),
        create::samples(),
        data::samples(),
        facts::samples(),
        breaks::samples(),
        fsctl::samples(),
        frames::samples(),
        info::samples(),
        rpc::samples(),
        security::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A GUID that can be told from others.
fn guid(seed: u8) -> Guid {
    Guid(core::array::from_fn(|at| seed.wrapping_add(at as u8)))
}

fn request_header(opcode: Opcode) -> Header {
    let mut header = Header::request(opcode, 7);
    header.credits = 31;
    header.form = HeaderForm::Sync { process_id: 0xFEFF, tree_id: 5 };
    header.session_id = SessionId(0x0000_0001_0000_0002);
    header
}

fn response_header(opcode: Opcode, status: NtStatus) -> Header {
    let mut header = request_header(opcode).response(status);
    header.credits = 31;
    header
}

fn with_header<M: Message + core::fmt::Debug>(
    message: &'static str,
    case: &'static str,
    about: &'static str,
    header: Header,
    body: M,
) -> Sample {
    let mut w = Writer::new();
    header.encode(&mut w);
    body.encode(&mut w);
    let decoded = describe(&header, &body);
    Sample { message, case, about, bytes: w.into_encoded().to_bytes(), decoded }
}

/// A request of `opcode`.
fn request<M: Message + core::fmt::Debug>(
    message: &'static str,
    case: &'static str,
    about: &'static str,
    opcode: Opcode,
    body: M,
) -> Sample {
    with_header(message, case, about, request_header(opcode), body)
}

/// A successful response to `opcode`.
fn response<M: Message + core::fmt::Debug>(
    message: &'static str,
    case: &'static str,
    about: &'static str,
    opcode: Opcode,
    body: M,
) -> Sample {
    with_header(message, case, about, response_header(opcode, NtStatus::SUCCESS), body)
}

/// A header of what the server sends unasked.
fn unsolicited(opcode: Opcode) -> Header {
    let mut header = Header::request(opcode, holdfast_proto::header::UNSOLICITED);
    header.credit_charge = 0;
    header.credits = 0;
    header.flags = HeaderFlags::SERVER_TO_REDIR;
    header
}
