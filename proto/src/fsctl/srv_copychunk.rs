//! FSCTL_SRV_COPYCHUNK and FSCTL_SRV_COPYCHUNK_WRITE ([MS-SMB2] 2.2.31.1, 2.2.32.1).

use super::FsctlPayload;
use crate::wire::{DecodeError, Reader, Writer};

const CHUNK_SIZE: usize = 24;

/// One range to copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SrvCopychunk {
    pub source_offset: u64,
    pub target_offset: u64,
    pub length: u32,
}

/// Copies ranges of the file that the key names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SrvCopychunkCopy {
    pub source_key: [u8; 24],
    pub chunks: Vec<SrvCopychunk>,
}

impl FsctlPayload for SrvCopychunkCopy {
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let source_key = r.array()?;
        let count = r.u32()? as usize;
        r.skip(4)?;
        if r.remaining() / CHUNK_SIZE < count {
            return Err(DecodeError::Truncated);
        }
        let mut chunks = Vec::with_capacity(count);
        for _ in 0..count {
            let (source_offset, target_offset, length) = (r.u64()?, r.u64()?, r.u32()?);
            r.skip(4)?;
            chunks.push(SrvCopychunk { source_offset, target_offset, length });
        }
        Ok(SrvCopychunkCopy { source_key, chunks })
    }

    fn encode(&self, w: &mut Writer) {
        w.bytes(&self.source_key);
        w.u32(self.chunks.len() as u32);
        w.u32(0);
        for chunk in &self.chunks {
            w.u64(chunk.source_offset);
            w.u64(chunk.target_offset);
            w.u32(chunk.length);
            w.u32(0);
        }
    }
}

/// How far the copy came, or, with INVALID_PARAMETER, the server's limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SrvCopychunkResponse {
    pub chunks_written: u32,
    pub chunk_bytes_written: u32,
    pub total_bytes_written: u32,
}

impl FsctlPayload for SrvCopychunkResponse {
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(SrvCopychunkResponse {
            chunks_written: r.u32()?,
            chunk_bytes_written: r.u32()?,
            total_bytes_written: r.u32()?,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.u32(self.chunks_written);
        w.u32(self.chunk_bytes_written);
        w.u32(self.total_bytes_written);
    }
}
