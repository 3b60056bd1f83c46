//! DCE/RPC over named pipes: the packets of the connection-oriented protocol, version 5.0
//! ([C706] chapter 12, [MS-RPCE] 2.2.2), NDR for their stubs, and the interfaces that file
//! servers are asked for.
//!
//! A codec and no service: what the answer to a call is, the server knows. Little-endian NDR
//! with 32-bit pointers is the only transfer syntax; security at this level is told and not
//! spoken, since the pipe's session is authenticated already.

mod assembly;
mod ndr;

pub mod pdu;
pub mod srvsvc;
pub mod wkssvc;

pub use assembly::{AssemblyError, Call, RequestAssembler, fragment_response};
pub use pdu::{Pdu, PduBody, SyntaxId};

use crate::wire::open_enum;

open_enum! {
    /// What a call ends with: NET_API_STATUS, which is a code of Win32 ([MS-ERREF] 2.2).
    NetStatus: u32 {
        SUCCESS = 0;
        ACCESS_DENIED = 5;
        NOT_ENOUGH_MEMORY = 8;
        NOT_SUPPORTED = 50;
        INVALID_PARAMETER = 87;
        INVALID_LEVEL = 124;
        MORE_DATA = 234;
        NET_NAME_NOT_FOUND = 2310;
    }
}
