//! The SMB2 packet header, synchronous and asynchronous ([MS-SMB2] 2.2.1).

use core::fmt;

use crate::opcode::Opcode;
use crate::status::NtStatus;
use crate::types::{SessionId, wire_flags};
use crate::wire::{DecodeError, Reader, Writer};

/// How long the header is.
pub const HEADER_SIZE: usize = 64;
/// What the header begins with.
pub const PROTOCOL_ID: [u8; 4] = [0xFE, b'S', b'M', b'B'];
/// The MessageId of what the server sends unasked.
pub const UNSOLICITED: u64 = u64::MAX;
/// Where the signature stands.
pub const SIGNATURE_RANGE: core::ops::Range<usize> = 48..64;

wire_flags! {
    /// Flags of the header. The priority is read with [`HeaderFlags::priority`].
    HeaderFlags: u32 {
        SERVER_TO_REDIR = 0x0000_0001;
        ASYNC_COMMAND = 0x0000_0002;
        RELATED_OPERATIONS = 0x0000_0004;
        SIGNED = 0x0000_0008;
        PRIORITY_MASK = 0x0000_0070;
        DFS_OPERATIONS = 0x1000_0000;
        REPLAY_OPERATION = 0x2000_0000;
    }
}

impl HeaderFlags {
    /// The requested priority, 0 to 7 (3.1.1).
    pub const fn priority(self) -> u8 {
        ((self.0 & Self::PRIORITY_MASK.0) >> 4) as u8
    }
}

/// The two forms of the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeaderForm {
    /// Names the tree connect.
    Sync {
        /// Reserved; old clients put a process id here, and it is echoed.
        process_id: u32,
        /// The tree connect.
        tree_id: u32,
    },
    /// Names an operation that got an interim response.
    Async {
        /// The server's name for the operation.
        async_id: u64,
    },
}

/// The header of a request or a response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// How many credits the message costs.
    pub credit_charge: u16,
    /// In responses the outcome. In requests of 3.x the lower half is ChannelSequence, see
    /// [`Header::channel_sequence`].
    pub status: NtStatus,
    /// The command.
    pub command: Opcode,
    /// CreditRequest of a request, CreditResponse of a response.
    pub credits: u16,
    /// The flags. ASYNC_COMMAND agrees with `form`.
    pub flags: HeaderFlags,
    /// Where the next message of a compound begins, counted from this header; 0 for the last.
    pub next_command: u32,
    /// The request's number on its connection.
    pub message_id: u64,
    /// Tree connect or asynchronous operation.
    pub form: HeaderForm,
    /// The session; 0 before there is one.
    pub session_id: SessionId,
    /// The signature, zeros where there is none.
    pub signature: [u8; 16],
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signature = u128::from_be_bytes(self.signature);
        f.debug_struct("Header")
            .field("credit_charge", &self.credit_charge)
            .field("status", &self.status)
            .field("command", &self.command)
            .field("credits", &self.credits)
            .field("flags", &self.flags)
            .field("next_command", &self.next_command)
            .field("message_id", &self.message_id)
            .field("form", &self.form)
            .field("session_id", &self.session_id)
            .field("signature", &format_args!("{signature:032x}"))
            .finish()
    }
}

impl Header {
    /// The header of a request, with nothing but its number.
    pub fn request(command: Opcode, message_id: u64) -> Header {
        Header {
            credit_charge: 1,
            status: NtStatus::SUCCESS,
            command,
            credits: 1,
            flags: HeaderFlags::NONE,
            next_command: 0,
            message_id,
            form: HeaderForm::Sync { process_id: 0, tree_id: 0 },
            session_id: SessionId(0),
            signature: [0; 16],
        }
    }

    /// The header that answers this request: same number, session, tree and form, no credits yet.
    pub fn response(&self, status: NtStatus) -> Header {
        let kept = HeaderFlags::ASYNC_COMMAND
            | HeaderFlags::PRIORITY_MASK
            | HeaderFlags::RELATED_OPERATIONS
            | HeaderFlags::REPLAY_OPERATION;
        Header {
            status,
            credits: 0,
            flags: (self.flags & kept) | HeaderFlags::SERVER_TO_REDIR,
            next_command: 0,
            signature: [0; 16],
            ..*self
        }
    }

    /// ChannelSequence of a request (3.x).
    pub fn channel_sequence(&self) -> u16 {
        self.status.0 as u16
    }

    /// Sets ChannelSequence of a request (3.x).
    pub fn set_channel_sequence(&mut self, sequence: u16) {
        self.status = NtStatus(u32::from(sequence));
    }

    /// The tree connect, if the form tells it.
    pub fn tree_id(&self) -> Option<u32> {
        match self.form {
            HeaderForm::Sync { tree_id, .. } => Some(tree_id),
            HeaderForm::Async { .. } => None,
        }
    }

    /// The asynchronous operation, if the form tells it.
    pub fn async_id(&self) -> Option<u64> {
        match self.form {
            HeaderForm::Sync { .. } => None,
            HeaderForm::Async { async_id } => Some(async_id),
        }
    }

    /// True for responses and notifications.
    pub fn is_response(&self) -> bool {
        self.flags.contains(HeaderFlags::SERVER_TO_REDIR)
    }

    /// Reads the header at the start of `message`.
    pub fn decode(message: &[u8]) -> Result<Header, DecodeError> {
        let mut r = Reader::new(message.get(..HEADER_SIZE).ok_or(DecodeError::Truncated)?);
        if r.array()? != PROTOCOL_ID {
            return Err(DecodeError::ProtocolId);
        }
        r.structure_size(HEADER_SIZE as u16)?;
        let credit_charge = r.u16()?;
        let status = NtStatus(r.u32()?);
        let command = Opcode(r.u16()?);
        let credits = r.u16()?;
        let flags = HeaderFlags(r.u32()?);
        let next_command = r.u32()?;
        let message_id = r.u64()?;
        let form = if flags.contains(HeaderFlags::ASYNC_COMMAND) {
            HeaderForm::Async { async_id: r.u64()? }
        } else {
            HeaderForm::Sync { process_id: r.u32()?, tree_id: r.u32()? }
        };
        Ok(Header {
            credit_charge,
            status,
            command,
            credits,
            flags,
            next_command,
            message_id,
            form,
            session_id: SessionId(r.u64()?),
            signature: r.array()?,
        })
    }

    /// The 64 bytes. ASYNC_COMMAND follows the form.
    pub fn to_bytes(&self) -> [u8; HEADER_SIZE] {
        let mut bytes = [0; HEADER_SIZE];
        let (flags, tail) = match self.form {
            HeaderForm::Sync { process_id, tree_id } => (
                self.flags.without(HeaderFlags::ASYNC_COMMAND),
                u64::from(process_id) | u64::from(tree_id) << 32,
            ),
            HeaderForm::Async { async_id } => (self.flags | HeaderFlags::ASYNC_COMMAND, async_id),
        };
        bytes[0..4].copy_from_slice(&PROTOCOL_ID);
        bytes[4..6].copy_from_slice(&(HEADER_SIZE as u16).to_le_bytes());
        bytes[6..8].copy_from_slice(&self.credit_charge.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.status.0.to_le_bytes());
        bytes[12..14].copy_from_slice(&self.command.0.to_le_bytes());
        bytes[14..16].copy_from_slice(&self.credits.to_le_bytes());
        bytes[16..20].copy_from_slice(&flags.0.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.next_command.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.message_id.to_le_bytes());
        bytes[32..40].copy_from_slice(&tail.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.session_id.0.to_le_bytes());
        bytes[SIGNATURE_RANGE].copy_from_slice(&self.signature);
        bytes
    }

    /// Writes the header.
    pub fn encode(&self, w: &mut Writer) {
        w.bytes(&self.to_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_survive() {
        let mut header = Header::request(Opcode::WRITE, 7);
        header.form = HeaderForm::Sync { process_id: 0xFEFF, tree_id: 3 };
        header.session_id = SessionId(0x11);
        header.set_channel_sequence(5);
        header.signature = [9; 16];
        assert_eq!(Header::decode(&header.to_bytes()), Ok(header));
        assert_eq!((header.channel_sequence(), header.tree_id()), (5, Some(3)));

        let mut pending = header.response(NtStatus::PENDING);
        pending.form = HeaderForm::Async { async_id: 99 };
        let decoded = Header::decode(&pending.to_bytes()).unwrap();
        assert!(decoded.flags.contains(HeaderFlags::ASYNC_COMMAND) && decoded.is_response());
        assert_eq!((decoded.async_id(), decoded.tree_id()), (Some(99), None));
        assert_eq!(decoded.status, NtStatus::PENDING);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let bytes = Header::request(Opcode::ECHO, 1).to_bytes();
        for length in 0..HEADER_SIZE {
            assert_eq!(Header::decode(&bytes[..length]), Err(DecodeError::Truncated));
        }
        let mut smb1 = bytes;
        smb1[0] = 0xFF;
        assert_eq!(Header::decode(&smb1), Err(DecodeError::ProtocolId));
        let mut odd = bytes;
        odd[4] = 65;
        let wrong = DecodeError::StructureSize { expected: 64, found: 65 };
        assert_eq!(Header::decode(&odd), Err(wrong));
    }
}
