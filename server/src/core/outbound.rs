//! From responses to a frame: compounds, signatures, encryption, the transport's prefix
//! ([MS-SMB2] 3.3.4.1).

use bytes::{Bytes, BytesMut};
use holdfast_proto::crypto::Sender;
use holdfast_proto::frame::compound;
use holdfast_proto::frame::direct_tcp;
use holdfast_proto::frame::transform::TransformFlags;
use holdfast_proto::frame::{TRANSFORM_HEADER_SIZE, TransformHeader};
use holdfast_proto::header::{HEADER_SIZE, Header, HeaderFlags, SIGNATURE_RANGE};
use holdfast_proto::msg::Response;
use holdfast_proto::wire::Encoded;

use super::SessionSecurity;
use crate::limits;

/// How one response is protected.
#[derive(Clone, Copy, Debug)]
pub enum Sealing<'a> {
    /// Not at all: before a session exists, and interim responses.
    Clear,
    /// Signed with the session's key.
    Signed(&'a SessionSecurity),
    /// The whole frame is encrypted with this session's key.
    Encrypted(&'a SessionSecurity),
}

/// One response that is about to leave.
#[derive(Debug)]
pub struct Outgoing<'a> {
    pub header: Header,
    pub response: Response,
    pub sealing: Sealing<'a>,
}

/// The frames in order, each in pieces with the transport's prefix first, so that file data is
/// not copied. Usually one; responses that together are too long for one frame are split.
#[must_use]
pub fn seal(outgoing: Vec<Outgoing<'_>>) -> Vec<Vec<Bytes>> {
    let mut frames = Vec::with_capacity(1);
    let mut group: Vec<(Encoded, Sealing<'_>)> = Vec::with_capacity(outgoing.len());
    let mut length = 0;
    for out in outgoing {
        let mut header = out.header;
        if matches!(out.sealing, Sealing::Signed(_)) {
            header.flags |= HeaderFlags::SIGNED;
        }
        let message = out.response.to_message(&header);
        if !group.is_empty() && length + message.len() > limits::FRAME_MAX {
            frames.push(seal_frame(std::mem::take(&mut group)));
            length = 0;
        }
        length += message.len();
        group.push((message, out.sealing));
    }
    if !group.is_empty() {
        frames.push(seal_frame(group));
    }
    frames
}

fn seal_frame(group: Vec<(Encoded, Sealing<'_>)>) -> Vec<Bytes> {
    let (mut messages, sealings): (Vec<_>, Vec<_>) = group.into_iter().unzip();
    compound::join(&mut messages);
    let encryption = sealings.iter().find_map(|sealing| match sealing {
        Sealing::Encrypted(security) => Some(*security),
        Sealing::Clear | Sealing::Signed(_) => None,
    });
    if let Some(security) = encryption {
        return encrypt(messages, security);
    }
    for (message, sealing) in messages.iter_mut().zip(&sealings) {
        if let Sealing::Signed(security) = sealing {
            sign(message, security);
        }
    }
    let mut pieces = vec![prefix(messages.iter().map(Encoded::len).sum())];
    for message in messages {
        let Encoded { head, payload, padding } = message;
        let padding = Bytes::from_static(&ZEROS[..padding.min(ZEROS.len())]);
        pieces.extend([head.freeze(), payload, padding].into_iter().filter(|p| !p.is_empty()));
    }
    pieces
}

/// What padding consists of.
static ZEROS: [u8; 8] = [0; 8];

fn sign(message: &mut Encoded, security: &SessionSecurity) {
    let Some((header, rest)) = message.head.split_first_chunk_mut::<HEADER_SIZE>() else {
        return;
    };
    let parts = [&*rest, &message.payload, &ZEROS[..message.padding.min(ZEROS.len())]];
    let signature = security.signing().sign(Sender::Server, header, &parts);
    header[SIGNATURE_RANGE].copy_from_slice(&signature);
}

fn encrypt(messages: Vec<Encoded>, security: &SessionSecurity) -> Vec<Bytes> {
    let length: usize = messages.iter().map(Encoded::len).sum();
    let mut data = BytesMut::with_capacity(length);
    for message in &messages {
        message.chunks().iter().for_each(|chunk| data.extend_from_slice(chunk));
    }
    let mut header = TransformHeader {
        signature: [0; 16],
        nonce: security.next_nonce(),
        original_message_size: length as u32,
        flags: TransformFlags::ENCRYPTED,
        session_id: security.id(),
    };
    let key = security.outbound().expect("only a session that can encrypt asks for it");
    header.signature = key.seal(&header.authenticated_data(), &mut data);
    let mut head = BytesMut::with_capacity(direct_tcp::PREFIX_SIZE + TRANSFORM_HEADER_SIZE);
    head.extend_from_slice(&prefix(TRANSFORM_HEADER_SIZE + length));
    head.extend_from_slice(&header.to_bytes());
    vec![head.freeze(), data.freeze()]
}

/// Before the messages: how long they are.
pub(crate) fn prefix(length: usize) -> Bytes {
    let prefix = direct_tcp::encode_prefix(length)
        .expect("a response is never longer than MAX_IO_SIZE and its header");
    Bytes::copy_from_slice(&prefix)
}
