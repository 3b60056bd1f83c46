//! Durable handles of version 1: "DHnQ" and "DHnC" ([MS-SMB2] 2.2.13.2.3, 2.2.13.2.4, 2.2.14.2.3).

use super::{CreateContext, exact};
use crate::msg::{FileId, file_id, put_file_id};
use crate::wire::{DecodeError, Reader, Writer};

/// Make the open durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DurableHandleRequest;

impl CreateContext for DurableHandleRequest {
    const NAME: &'static [u8] = b"DHnQ";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, 16)?;
        Ok(DurableHandleRequest)
    }

    fn encode(&self, w: &mut Writer) {
        w.zeros(16);
    }
}

/// Find a durable open again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DurableHandleReconnect {
    pub file_id: FileId,
}

impl CreateContext for DurableHandleReconnect {
    const NAME: &'static [u8] = b"DHnC";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, 16)?;
        Ok(DurableHandleReconnect { file_id: file_id(r)? })
    }

    fn encode(&self, w: &mut Writer) {
        put_file_id(w, self.file_id);
    }
}

/// The open is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DurableHandleResponse;

impl CreateContext for DurableHandleResponse {
    const NAME: &'static [u8] = b"DHnQ";

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        exact(r, 8)?;
        Ok(DurableHandleResponse)
    }

    fn encode(&self, w: &mut Writer) {
        w.zeros(8);
    }
}
