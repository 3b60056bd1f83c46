//! Packets of the connection-oriented protocol ([C706] 12.6).

mod bind;
mod call;

use crate::types::Guid;
use crate::types::flags::wire_flags;
use crate::wire::{DecodeError, Reader, Writer, open_enum};

pub use bind::{
    AcceptedContext, Bind, BindAck, BindNak, BindResult, ContextResult, MAX_CONTEXTS,
    PresentationContext, RejectReason, ResultReason,
};
pub use call::{Fault, FaultStatus, Request, Response};

/// rpc_vers.
const VERSION: u8 = 5;
/// packed_drep of little-endian integers, ASCII and IEEE floats.
const LITTLE_ENDIAN: [u8; 4] = [0x10, 0, 0, 0];
/// Bytes of the common header.
pub const HEADER: usize = 16;
/// Bytes of sec_trailer, which stands before auth_value.
const SEC_TRAILER: usize = 8;

/// The largest fragment: what Windows and Samba offer on pipes.
pub const MAX_FRAGMENT: u16 = 4280;
/// The smallest that anybody must be able to take ([C706] 12.6.3.1).
pub const MIN_FRAGMENT: u16 = 1432;

open_enum! {
    /// PTYPE.
    PduType: u8 {
        REQUEST = 0;
        RESPONSE = 2;
        FAULT = 3;
        BIND = 11;
        BIND_ACK = 12;
        BIND_NAK = 13;
        ALTER_CONTEXT = 14;
        ALTER_CONTEXT_RESP = 15;
        AUTH3 = 16;
        SHUTDOWN = 17;
        CO_CANCEL = 18;
        ORPHANED = 19;
    }
}

wire_flags! {
    /// pfc_flags.
    PduFlags: u8 {
        FIRST_FRAG = 0x01;
        LAST_FRAG = 0x02;
        PENDING_CANCEL = 0x04;
        CONC_MPX = 0x10;
        DID_NOT_EXECUTE = 0x20;
        MAYBE = 0x40;
        OBJECT_UUID = 0x80;
    }
}

impl PduFlags {
    /// Of a packet that is a message by itself.
    pub const WHOLE: PduFlags = PduFlags(PduFlags::FIRST_FRAG.0 | PduFlags::LAST_FRAG.0);
}

/// An interface or a transfer syntax, with its version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyntaxId {
    /// The GUID.
    pub uuid: Guid,
    /// Major version.
    pub major: u16,
    /// Minor version.
    pub minor: u16,
}

impl SyntaxId {
    /// 8a885d04-1ceb-11c9-9fe8-08002b104860 version 2.0: NDR with 32-bit pointers.
    pub const NDR32: SyntaxId = SyntaxId {
        uuid: Guid([
            0x04, 0x5D, 0x88, 0x8A, 0xEB, 0x1C, 0xC9, 0x11, 0x9F, 0xE8, 0x08, 0x00, 0x2B, 0x10,
            0x48, 0x60,
        ]),
        major: 2,
        minor: 0,
    };
    /// The one that stands where no syntax was agreed on.
    pub const NONE: SyntaxId = SyntaxId { uuid: Guid::ZERO, major: 0, minor: 0 };

    fn decode(r: &mut Reader<'_>) -> Result<SyntaxId, DecodeError> {
        Ok(SyntaxId { uuid: r.guid()?, major: r.u16()?, minor: r.u16()? })
    }

    fn encode(&self, w: &mut Writer) {
        w.guid(self.uuid);
        w.u16(self.major);
        w.u16(self.minor);
    }
}

/// One packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pdu<'a> {
    /// Which fragment it is, and more.
    pub flags: PduFlags,
    /// Tells an answer's question.
    pub call_id: u32,
    /// True if the packet ends with a security trailer. It is cut off and not looked at: who
    /// asks for security at this level is refused.
    pub secured: bool,
    /// What it says.
    pub body: PduBody<'a>,
}

/// What a packet says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PduBody<'a> {
    /// Asks for interfaces.
    Bind(Bind),
    /// Asks for more of them.
    AlterContext(Bind),
    /// Answers Bind.
    BindAck(BindAck),
    /// Answers AlterContext.
    AlterContextResp(BindAck),
    /// Refuses Bind as a whole.
    BindNak(BindNak),
    /// A call, or a fragment of one.
    Request(Request<'a>),
    /// Its answer, or a fragment of it.
    Response(Response<'a>),
    /// The call failed below the interface.
    Fault(Fault),
    /// A kind that has no meaning here.
    Other(PduType),
}

impl<'a> Pdu<'a> {
    /// A packet that is a message by itself.
    pub fn whole(call_id: u32, body: PduBody<'a>) -> Pdu<'a> {
        Pdu { flags: PduFlags::WHOLE, call_id, secured: false, body }
    }

    /// How long the packet is that `bytes` begin with, once its header is there.
    pub fn length(bytes: &[u8]) -> Option<usize> {
        let header = bytes.first_chunk::<HEADER>()?;
        Some(usize::from(u16::from_le_bytes([header[8], header[9]])))
    }

    /// Decodes the one packet that `bytes` consist of.
    pub fn decode(bytes: &'a [u8]) -> Result<Pdu<'a>, DecodeError> {
        let mut r = Reader::new(bytes);
        let [version, minor, pdu_type, flags] = r.array()?;
        if version != VERSION || minor > 1 || r.array()? != LITTLE_ENDIAN {
            return Err(DecodeError::Value);
        }
        let length = usize::from(r.u16()?);
        let auth_length = usize::from(r.u16()?);
        let call_id = r.u32()?;
        if length != bytes.len() {
            return Err(DecodeError::Length);
        }
        let flags = PduFlags(flags);
        let content = unsecured(r.rest(), auth_length)?;
        // Alignment counts from the packet's first byte, and the header is two words of 8.
        let mut r = Reader::new(content);
        let body = match PduType(pdu_type) {
            PduType::BIND => PduBody::Bind(Bind::decode(&mut r)?),
            PduType::ALTER_CONTEXT => PduBody::AlterContext(Bind::decode(&mut r)?),
            PduType::BIND_ACK => PduBody::BindAck(BindAck::decode(&mut r)?),
            PduType::ALTER_CONTEXT_RESP => PduBody::AlterContextResp(BindAck::decode(&mut r)?),
            PduType::BIND_NAK => PduBody::BindNak(BindNak::decode(&mut r)?),
            PduType::REQUEST => PduBody::Request(Request::decode(&mut r, flags)?),
            PduType::RESPONSE => PduBody::Response(Response::decode(&mut r)?),
            PduType::FAULT => PduBody::Fault(Fault::decode(&mut r)?),
            other => PduBody::Other(other),
        };
        Ok(Pdu { flags, call_id, secured: auth_length > 0, body })
    }

    /// Encodes the packet. One longer than its length can tell gets the largest length: the
    /// peer refuses it. A security trailer is never written.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(256);
        w.u8(VERSION);
        w.u8(0);
        w.u8(self.pdu_type().0);
        let object = matches!(&self.body, PduBody::Request(request) if request.object.is_some());
        let mut flags = self.flags.without(PduFlags::OBJECT_UUID);
        if object {
            flags |= PduFlags::OBJECT_UUID;
        }
        w.u8(flags.0);
        w.bytes(&LITTLE_ENDIAN);
        let length = w.slot16();
        w.u16(0);
        w.u32(self.call_id);
        match &self.body {
            PduBody::Bind(bind) | PduBody::AlterContext(bind) => bind.encode(&mut w),
            PduBody::BindAck(ack) | PduBody::AlterContextResp(ack) => ack.encode(&mut w),
            PduBody::BindNak(nak) => nak.encode(&mut w),
            PduBody::Request(request) => request.encode(&mut w),
            PduBody::Response(response) => response.encode(&mut w),
            PduBody::Fault(fault) => fault.encode(&mut w),
            PduBody::Other(_) => {}
        }
        w.fill16_here(length);
        w.into_bytes().to_vec()
    }

    /// PTYPE.
    pub fn pdu_type(&self) -> PduType {
        match &self.body {
            PduBody::Bind(_) => PduType::BIND,
            PduBody::AlterContext(_) => PduType::ALTER_CONTEXT,
            PduBody::BindAck(_) => PduType::BIND_ACK,
            PduBody::AlterContextResp(_) => PduType::ALTER_CONTEXT_RESP,
            PduBody::BindNak(_) => PduType::BIND_NAK,
            PduBody::Request(_) => PduType::REQUEST,
            PduBody::Response(_) => PduType::RESPONSE,
            PduBody::Fault(_) => PduType::FAULT,
            PduBody::Other(other) => *other,
        }
    }
}

/// What is left without the security trailer and the padding before it.
fn unsecured(content: &[u8], auth_length: usize) -> Result<&[u8], DecodeError> {
    if auth_length == 0 {
        return Ok(content);
    }
    let trailer =
        content.len().checked_sub(auth_length + SEC_TRAILER).ok_or(DecodeError::Length)?;
    // auth_type, auth_level, auth_pad_length, …
    let padding = usize::from(content[trailer + 2]);
    let end = trailer.checked_sub(padding).ok_or(DecodeError::Length)?;
    Ok(&content[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Pdu<'static>> {
        let interface = SyntaxId { uuid: Guid([7; 16]), major: 3, minor: 0 };
        let bind = Bind {
            max_xmit_frag: 4280,
            max_recv_frag: 4280,
            assoc_group: 0,
            contexts: vec![
                PresentationContext { id: 0, interface, transfer_syntaxes: vec![SyntaxId::NDR32] },
                PresentationContext { id: 1, interface, transfer_syntaxes: vec![interface] },
            ],
        };
        let ack = bind.answer(&[interface], 0x12345, "\\PIPE\\srvsvc").0;
        let request =
            Request { alloc_hint: 3, context_id: 0, opnum: 15, object: None, stub: &[1, 2, 3] };
        let with_object = Request { object: Some(Guid([9; 16])), ..request };
        let response = Response { alloc_hint: 3, context_id: 0, cancel_count: 0, stub: &[1, 2, 3] };
        let fault = Fault { context_id: 1, status: FaultStatus::OP_RANGE_ERROR };
        let nak = BindNak { reason: RejectReason::AUTHENTICATION_TYPE_NOT_RECOGNIZED };
        let mut pdus: Vec<Pdu<'static>> = [
            PduBody::Bind(bind.clone()),
            PduBody::AlterContext(bind),
            PduBody::BindAck(ack.clone()),
            PduBody::AlterContextResp(ack),
            PduBody::BindNak(nak),
            PduBody::Request(request),
            PduBody::Response(response),
            PduBody::Fault(fault),
            PduBody::Other(PduType::ORPHANED),
        ]
        .into_iter()
        .map(|body| Pdu::whole(5, body))
        .collect();
        let mut pdu = Pdu::whole(6, PduBody::Request(with_object));
        pdu.flags |= PduFlags::OBJECT_UUID;
        pdus.push(pdu);
        pdus
    }

    #[test]
    fn every_packet_both_ways() {
        for pdu in samples() {
            let bytes = pdu.encode();
            assert_eq!(Pdu::length(&bytes), Some(bytes.len()));
            assert_eq!(Pdu::decode(&bytes).as_ref(), Ok(&pdu));
        }
    }

    #[test]
    fn truncation_and_mutation() {
        for pdu in samples() {
            let bytes = pdu.encode();
            for length in 0..bytes.len() {
                assert!(Pdu::decode(&bytes[..length]).is_err(), "{pdu:?} cut at {length}");
            }
            for position in 0..bytes.len() {
                for value in [0, 1, 0x7F, 0x80, 0xFF] {
                    let mut changed = bytes.clone();
                    changed[position] = value;
                    let _ = Pdu::decode(&changed);
                }
            }
        }
    }

    #[test]
    fn security_trailers_are_told_and_cut_off() {
        let request =
            Request { alloc_hint: 0, context_id: 0, opnum: 1, object: None, stub: &[1, 2, 3, 4] };
        let mut bytes = Pdu::whole(1, PduBody::Request(request)).encode();
        // Four bytes of padding, the trailer, and a value of two bytes.
        bytes.extend_from_slice(&[0, 0, 0, 0, 10, 6, 4, 0, 0, 0, 0, 0, 0xAA, 0xBB]);
        let length = (bytes.len() as u16).to_le_bytes();
        bytes[8..10].copy_from_slice(&length);
        bytes[10] = 2;
        let pdu = Pdu::decode(&bytes).unwrap();
        assert!(pdu.secured);
        assert_eq!(pdu.body, PduBody::Request(request));
        bytes[10] = 0xFF;
        assert_eq!(Pdu::decode(&bytes), Err(DecodeError::Length));
    }

    #[test]
    fn big_endian_and_other_versions_are_refused() {
        let bytes = samples()[0].encode();
        for (position, value) in [(0, 4), (1, 2), (4, 0)] {
            let mut changed = bytes.clone();
            changed[position] = value;
            assert_eq!(Pdu::decode(&changed), Err(DecodeError::Value));
        }
    }
}
