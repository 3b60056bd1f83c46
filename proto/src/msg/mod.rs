//! Requests and responses, a file per command, and the one list of them.
//!
//! A decoder gets the whole message, header included, because offsets count from the header. It
//! checks structure sizes, offsets and lengths, keeps unknown values as they are, and judges
//! nothing. What follows the last field of a message is padding and is passed over.
//!
//! Spec: [MS-SMB2] 2.2

pub mod cancel;
pub mod change_notify;
pub mod close;
pub mod create;
pub mod echo;
pub mod error;
pub mod flush;
pub mod ioctl;
pub mod lock;
pub mod logoff;
pub mod negotiate;
pub mod oplock_break;
pub mod query_directory;
pub mod query_info;
pub mod read;
pub mod session_setup;
pub mod set_info;
pub mod tree_connect;
pub mod tree_disconnect;
pub mod write;

mod list;

use bytes::Bytes;

use crate::header::HEADER_SIZE;
pub use crate::types::FileId;
use crate::wire::{DecodeError, Reader, Writer};
pub use list::{Request, Response};

pub use cancel::CancelRequest;
pub use change_notify::{ChangeNotifyRequest, ChangeNotifyResponse};
pub use close::{CloseRequest, CloseResponse};
pub use create::{CreateContexts, CreateRequest, CreateResponse, CreateResponseContexts};
pub use echo::{EchoRequest, EchoResponse};
pub use error::ErrorResponse;
pub use flush::{FlushRequest, FlushResponse};
pub use ioctl::{IoctlRequest, IoctlResponse};
pub use lock::{LockRequest, LockResponse};
pub use logoff::{LogoffRequest, LogoffResponse};
pub use negotiate::{NegotiateContexts, NegotiateRequest, NegotiateResponse};
pub use oplock_break::{OplockBreakAcknowledgment, OplockBreakResponse};
pub use query_directory::{QueryDirectoryRequest, QueryDirectoryResponse};
pub use query_info::{QueryInfoRequest, QueryInfoResponse};
pub use read::{ReadRequest, ReadResponse};
pub use session_setup::{SessionSetupRequest, SessionSetupResponse};
pub use set_info::{SetInfoRequest, SetInfoResponse};
pub use tree_connect::{TreeConnectRequest, TreeConnectResponse};
pub use tree_disconnect::{TreeDisconnectRequest, TreeDisconnectResponse};
pub use write::{WriteRequest, WriteResponse};

/// The body of one message in one direction.
pub trait Message: Sized {
    /// Reads the message; `message` begins with its header.
    fn decode(message: &Bytes) -> Result<Self, DecodeError>;
    /// Writes the body behind the header, which `w` holds already.
    fn encode(&self, w: &mut Writer);
}

/// A reader of the whole message that stands behind the header.
fn body(message: &Bytes) -> Result<Reader<'_>, DecodeError> {
    let mut r = Reader::of(message);
    r.skip(HEADER_SIZE)?;
    Ok(r)
}

/// Reads an SMB2_FILEID.
fn file_id(r: &mut Reader<'_>) -> Result<FileId, DecodeError> {
    Ok(FileId { persistent: r.u64()?, volatile: r.u64()? })
}

/// Writes an SMB2_FILEID.
fn put_file_id(w: &mut Writer, id: FileId) {
    w.u64(id.persistent);
    w.u64(id.volatile);
}

/// Writes the body that three responses share: where the output begins, how long it is, and the
/// output itself, which is not copied.
fn put_output(w: &mut Writer, structure_size: u16, output: &Bytes) {
    w.u16(structure_size);
    let offset = w.slot16();
    w.u32(output.len() as u32);
    if output.is_empty() {
        // The structure size counts one byte of buffer.
        w.u8(0);
    } else {
        w.fill16_here(offset);
        w.attach(output.clone());
    }
}

/// Declares a message of four bytes: StructureSize and a reserved field.
macro_rules! empty_message {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $name;

        impl crate::msg::Message for $name {
            fn decode(message: &bytes::Bytes) -> Result<Self, crate::wire::DecodeError> {
                let mut r = crate::msg::body(message)?;
                r.structure_size(4)?;
                r.skip(2)?;
                Ok($name)
            }

            fn encode(&self, w: &mut crate::wire::Writer) {
                w.u16(4);
                w.u16(0);
            }
        }
    };
}

use empty_message;
