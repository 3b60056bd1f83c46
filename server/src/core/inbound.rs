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
    /// Header, body and padding: what offsets count from and signatures cover.
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
    let mut requests = Vec::with_capacity(parts.len());
    for part in parts {
        let header = part.header;
        if header.is_response() {
            return Err(Violation::Response);
        }
        // 3.3.5.2.1.1: what is in an encrypted frame belongs to its session.
        if let Protection::Encrypted(session) = protection
            && header.session_id != session
            && !header.flags.contains(HeaderFlags::RELATED_OPERATIONS)
        {
            return Err(Violation::ForeignMessage(session));
        }
        requests.push(Inbound { header, message: part.message, protection });
    }
    Ok(Frame::Requests(requests))
}
