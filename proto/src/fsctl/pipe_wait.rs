//! FSCTL_PIPE_WAIT: the request ([MS-FSCC] 2.3.49). The reply is empty.

use super::FsctlPayload;
use crate::wire::{DecodeError, Reader, Writer};

/// Waits until a pipe has a free instance.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PipeWaitRequest {
    /// The wire's units; None waits for ever.
    pub timeout: Option<i64>,
    /// The pipe's name, without `\pipe\`.
    pub name: String,
}

impl FsctlPayload for PipeWaitRequest {
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let timeout = r.i64()?;
        let name_length = r.u32()? as usize;
        let timeout_specified = r.u8()? != 0;
        r.skip(1)?;
        Ok(PipeWaitRequest {
            timeout: timeout_specified.then_some(timeout),
            name: r.utf16(name_length)?,
        })
    }

    fn encode(&self, w: &mut Writer) {
        w.i64(self.timeout.unwrap_or(0));
        let name_length = w.slot32();
        w.u8(u8::from(self.timeout.is_some()));
        w.u8(0);
        let written = w.measured(|w| w.utf16(&self.name));
        w.fill32(name_length, written);
    }
}
