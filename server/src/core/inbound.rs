//! From a frame to requests: decryption, compounds, headers ([MS-SMB2] 3.3.5.2).
//!
//! Signatures are checked later, request by request, because a related request takes its session
//! from the one before it.

use bytes::{Bytes, BytesMut};
use holdfast_proto::crypto::Sender;
use holdfast_proto::frame::compound;
use holdfast_proto::frame::transform::TransformFlags;
use holdfast_proto::frame::{FrameKind, Smb1Negotiate, TRANSFORM_HEADER_SIZE, TransformHeader};
use holdfast_proto::header::{HEADER_SIZE, Header, HeaderFlags};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::SessionId;
use holdfast_proto::wire::DecodeError;

use super::{SessionSecurity, Violation};
use crate::limits;

/// How a request came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    /// In the clear; a signature, if its header announces one, is still to be checked.
    Clear,
    /// Encrypted under this session's key.
    Encrypted(SessionId),
}

/// One request.
#[derive(Clone, Debug)]
pub struct Inbound {
    pub header: Header,
    /// Header, body and padding: what offsets count from and signatures cover. In an allocation of
    /// its own, so that a request that waits keeps nothing else that came.
    pub message: Bytes,
    pub protection: Protection,
}

/// What a frame holds.
#[derive(Debug)]
pub enum Frame {
    /// The old protocol's NEGOTIATE.
    Smb1Negotiate(Smb1Negotiate),
    /// Requests, in order; at least one.
    Requests(Vec<Inbound>),
}

impl Inbound {
    /// True if the header announces a signature.
    pub fn is_signed(&self) -> bool {
        self.header.flags.contains(HeaderFlags::SIGNED)
    }

    /// True if the request continues the one before it.
    pub fn is_related(&self) -> bool {
        self.header.flags.contains(HeaderFlags::RELATED_OPERATIONS)
    }

    /// What it counts as while it is here: its CreditCharge, or what that would have to be to pay
    /// for what the message weighs. So whatever a client sends, what is kept of it is bounded by
    /// what it may have under way (3.3.5.2.5).
    pub fn charge(&self) -> u32 {
        let weight = self.message.len().saturating_sub(limits::MESSAGE_OVERHEAD);
        let needed = weight.div_ceil(limits::CREDIT_UNIT as usize) as u32;
        u32::from(self.header.credit_charge.max(1)).max(needed)
    }

    /// Checks the signature with the session's key.
    pub fn verify(&self, security: &SessionSecurity) -> Result<(), Violation> {
        if security.signing().verify_message(Sender::Client, &self.message) {
            Ok(())
        } else {
            Err(Violation::Signature(security.id()))
        }
    }
}

/// Takes a frame apart; `keys` finds the keys of a session of this connection.
pub fn open_frame<K>(
    frame: BytesMut,
    keys: impl Fn(SessionId) -> Option<K>,
) -> Result<Frame, Violation>
where
    K: AsRef<SessionSecurity>,
{
    match FrameKind::of(&frame) {
        FrameKind::Smb1 => Ok(Frame::Smb1Negotiate(Smb1Negotiate::decode(&frame.freeze())?)),
        FrameKind::Smb2 => requests(frame.freeze(), Protection::Clear),
        FrameKind::Encrypted => {
            let (session, plain) = decrypt(frame, keys)?;
            requests(plain, Protection::Encrypted(session))
        }
        FrameKind::Compressed => Err(Violation::Compressed),
        FrameKind::Unknown => Err(Violation::NotSmb2),
    }
}

fn decrypt<K>(
    mut frame: BytesMut,
    keys: impl Fn(SessionId) -> Option<K>,
) -> Result<(SessionId, Bytes), Violation>
where
    K: AsRef<SessionSecurity>,
{
    if frame.len() < TRANSFORM_HEADER_SIZE + HEADER_SIZE {
        return Err(DecodeError::Truncated.into());
    }
    let mut data = frame.split_off(TRANSFORM_HEADER_SIZE);
    let (header, _) = TransformHeader::decode(&frame.freeze())?;
    let session = header.session_id;
    if header.flags != TransformFlags::ENCRYPTED
        || header.original_message_size as usize != data.len()
    {
        return Err(Violation::Undecryptable(session));
    }
    let security = keys(session).ok_or(Violation::UnknownSession(session))?;
    let key = security.as_ref().inbound().ok_or(Violation::UnknownSession(session))?;
    key.open(&header.authenticated_data(), &mut data, &header.signature)
        .map_err(|_| Violation::Undecryptable(session))?;
    if FrameKind::of(&data) != FrameKind::Smb2 {
        return Err(Violation::NotSmb2);
    }
    Ok((session, data.freeze()))
}

fn requests(frame: Bytes, protection: Protection) -> Result<Frame, Violation> {
    let parts = compound::split(&frame, limits::COMPOUND_MAX)?;
    let alone = parts.len() == 1;
    let mut requests = Vec::with_capacity(parts.len());
    for part in parts {
        let header = part.header;
        if header.is_response() {
            return Err(Violation::Response);
        }
        check_length(header.command, part.message.len())?;
        if let Protection::Encrypted(session) = protection {
            check_session(&header, session, requests.is_empty())?;
        }
        let message = if alone { part.message } else { Bytes::copy_from_slice(&part.message) };
        requests.push(Inbound { header, message, protection });
    }
    Ok(Frame::Requests(requests))
}

/// 3.3.5.2: how long a message may be. Each of a compound counts for itself.
fn check_length(opcode: Opcode, length: usize) -> Result<(), Violation> {
    let limit = match opcode {
        Opcode::READ
        | Opcode::WRITE
        | Opcode::IOCTL
        | Opcode::QUERY_DIRECTORY
        | Opcode::CHANGE_NOTIFY
        | Opcode::QUERY_INFO
        | Opcode::SET_INFO => limits::MESSAGE_MAX,
        _ => limits::MESSAGE_MAX_WITHOUT_DATA,
    };
    if length > limit { Err(Violation::TooLong(opcode, length)) } else { Ok(()) }
}

/// 3.3.5.2.1.1: what is in an encrypted frame belongs to its session, and the first message has
/// none before it that it could be related to.
fn check_session(header: &Header, session: SessionId, first: bool) -> Result<(), Violation> {
    let related = header.flags.contains(HeaderFlags::RELATED_OPERATIONS);
    if first && related {
        return Err(Violation::RelatedFirst(session));
    }
    if !related && header.session_id != session {
        return Err(Violation::ForeignMessage(session));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_proto::wire::Writer;

    fn frame(opcode: Opcode, lengths: &[usize]) -> BytesMut {
        let mut frame = BytesMut::new();
        for (position, length) in lengths.iter().enumerate() {
            let last = position + 1 == lengths.len();
            let next_command = if last { 0 } else { *length as u32 };
            let mut w = Writer::new();
            Header { next_command, ..Header::request(opcode, position as u64) }.encode(&mut w);
            w.zeros(length - HEADER_SIZE);
            frame.extend_from_slice(&w.into_bytes());
        }
        frame
    }

    fn open(opcode: Opcode, lengths: &[usize]) -> Result<Vec<Inbound>, Violation> {
        match open_frame(frame(opcode, lengths), |_| None::<std::sync::Arc<SessionSecurity>>)? {
            Frame::Requests(requests) => Ok(requests),
            Frame::Smb1Negotiate(_) => panic!("not SMB2"),
        }
    }

    #[test]
    fn messages_are_as_long_as_they_may_be() {
        for opcode in Opcode::ALL.iter().copied() {
            let limit = match opcode {
                Opcode::READ | Opcode::WRITE | Opcode::IOCTL | Opcode::QUERY_DIRECTORY => 0x80_0100,
                Opcode::CHANGE_NOTIFY | Opcode::QUERY_INFO | Opcode::SET_INFO => 0x80_0100,
                _ => 68 * 1024,
            };
            assert!(open(opcode, &[limit]).is_ok(), "{opcode}");
            let long = limit + 8;
            for lengths in [vec![long], vec![64, long], vec![long, 64]] {
                let refused = open(opcode, &lengths).unwrap_err();
                assert_eq!(refused, Violation::TooLong(opcode, long));
            }
        }
    }

    #[test]
    fn no_message_keeps_its_neighbours() {
        let requests = open(Opcode::WRITE, &[1 << 20, 64, 72]).unwrap();
        assert!(requests.iter().all(|request| request.message.is_unique()));
    }

    #[test]
    fn what_weighs_more_than_its_charge_pays_for_counts_by_its_weight() {
        let charge = |credit_charge, length: usize| {
            let header = Header { credit_charge, ..Header::request(Opcode::WRITE, 0) };
            let message = Bytes::from(vec![0; length]);
            Inbound { header, message, protection: Protection::Clear }.charge()
        };
        assert_eq!([charge(0, 200), charge(1, 200), charge(16, 200)], [1, 1, 16]);
        assert_eq!([charge(1, 68 << 10), charge(1, (68 << 10) + 1)], [1, 2]);
        let (unit, headers) = (limits::CREDIT_UNIT as usize, 0x100);
        assert_eq!(charge(1, 128 * unit + headers), 128);
        assert_eq!(charge(128, 128 * unit + headers), 128, "an honest one costs no more");
    }
}
