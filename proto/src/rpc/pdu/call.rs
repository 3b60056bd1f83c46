//! request, response and fault ([C706] 12.6.4.7 to 12.6.4.10).

use core::fmt;

use super::PduFlags;
use crate::types::Guid;
use crate::wire::{DecodeError, Reader, Writer, open_enum};

/// A call, or a fragment of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// How long the whole stub is, as a hint; 0 says nothing.
    pub alloc_hint: u32,
    /// The context, by the number that it was bound under.
    pub context_id: u16,
    /// The number of the method.
    pub opnum: u16,
    /// An object, where the interface has them.
    pub object: Option<Guid>,
    /// The arguments, or a part of them.
    pub stub: &'a [u8],
}

impl<'a> Request<'a> {
    pub(super) fn decode(r: &mut Reader<'a>, flags: PduFlags) -> Result<Request<'a>, DecodeError> {
        let alloc_hint = r.u32()?;
        let context_id = r.u16()?;
        let opnum = r.u16()?;
        let object = if flags.contains(PduFlags::OBJECT_UUID) { Some(r.guid()?) } else { None };
        Ok(Request { alloc_hint, context_id, opnum, object, stub: r.rest() })
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.u32(self.alloc_hint);
        w.u16(self.context_id);
        w.u16(self.opnum);
        if let Some(object) = self.object {
            w.guid(object);
        }
        w.bytes(self.stub);
    }
}

impl fmt::Debug for Request<'_> {
    /// Without the arguments, which only their method can tell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("alloc_hint", &self.alloc_hint)
            .field("context_id", &self.context_id)
            .field("opnum", &self.opnum)
            .field("object", &self.object)
            .field("stub", &format_args!("{} bytes", self.stub.len()))
            .finish()
    }
}

/// An answer, or a fragment of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// How much of the stub is still to come, this fragment included, as a hint.
    pub alloc_hint: u32,
    /// The context of the call.
    pub context_id: u16,
    /// How many cancels came.
    pub cancel_count: u8,
    /// The results, or a part of them.
    pub stub: &'a [u8],
}

impl<'a> Response<'a> {
    pub(super) fn decode(r: &mut Reader<'a>) -> Result<Response<'a>, DecodeError> {
        let alloc_hint = r.u32()?;
        let context_id = r.u16()?;
        let cancel_count = r.u8()?;
        r.skip(1)?;
        Ok(Response { alloc_hint, context_id, cancel_count, stub: r.rest() })
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.u32(self.alloc_hint);
        w.u16(self.context_id);
        w.u8(self.cancel_count);
        w.u8(0);
        w.bytes(self.stub);
    }
}

impl fmt::Debug for Response<'_> {
    /// Without the results, which only their method can tell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("alloc_hint", &self.alloc_hint)
            .field("context_id", &self.context_id)
            .field("cancel_count", &self.cancel_count)
            .field("stub", &format_args!("{} bytes", self.stub.len()))
            .finish()
    }
}

open_enum! {
    /// What a call fails with below its interface ([C706] appendix E, [MS-RPCE] 2.2.2.4 and
    /// the codes of Win32).
    FaultStatus: u32 {
        ACCESS_DENIED = 0x0000_0005;
        BAD_STUB_DATA = 0x0000_06F7;
        OUT_OF_RESOURCES = 0x0000_06BB;
        OP_RANGE_ERROR = 0x1C01_0002;
        UNKNOWN_INTERFACE = 0x1C01_0003;
        PROTOCOL_ERROR = 0x1C01_000B;
        CONTEXT_MISMATCH = 0x1C00_001A;
    }
}

/// The call failed before a method could answer it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The context of the call.
    pub context_id: u16,
    /// Why.
    pub status: FaultStatus,
}

impl Fault {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Fault, DecodeError> {
        r.skip(4)?;
        let context_id = r.u16()?;
        r.skip(2)?;
        let status = FaultStatus(r.u32()?);
        r.skip(4)?;
        Ok(Fault { context_id, status })
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.u32(0);
        w.u16(self.context_id);
        w.u16(0);
        w.u32(self.status.0);
        w.u32(0);
    }
}
