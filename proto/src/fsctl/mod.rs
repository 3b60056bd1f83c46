//! Control codes of IOCTL and their payloads, a file each ([MS-SMB2] 2.2.31, [MS-FSCC] 2.3).
//!
//! A payload is read from the input or output of an [`crate::msg::IoctlRequest`] or
//! [`crate::msg::IoctlResponse`]. FSCTL_PIPE_TRANSCEIVE has none of its own: its buffers are what
//! the pipe carries.

pub mod dfs_get_referrals;
pub mod network_interface_info;
pub mod object_id;
pub mod pipe_wait;
pub mod request_resiliency;
pub mod srv_copychunk;
pub mod srv_request_resume_key;
pub mod validate_negotiate_info;

use bytes::Bytes;

pub use dfs_get_referrals::DfsGetReferralsRequest;
pub use network_interface_info::{NetworkInterface, NetworkInterfaceInfo};
pub use object_id::ObjectIdBuffer;
pub use pipe_wait::PipeWaitRequest;
pub use request_resiliency::ResiliencyRequest;
pub use srv_copychunk::{SrvCopychunk, SrvCopychunkCopy, SrvCopychunkResponse};
pub use srv_request_resume_key::SrvRequestResumeKeyResponse;
pub use validate_negotiate_info::{ValidateNegotiateInfoRequest, ValidateNegotiateInfoResponse};

use crate::wire::{DecodeError, Reader, Writer, open_enum};

open_enum! {
    /// What an IOCTL asks for.
    CtlCode: u32 {
        DFS_GET_REFERRALS = 0x0006_0194;
        DFS_GET_REFERRALS_EX = 0x0006_01B0;
        IS_PATHNAME_VALID = 0x0009_002C;
        GET_COMPRESSION = 0x0009_003C;
        FILESYSTEM_GET_STATISTICS = 0x0009_0060;
        GET_NTFS_VOLUME_DATA = 0x0009_0064;
        GET_RETRIEVAL_POINTERS = 0x0009_0073;
        FIND_FILES_BY_SID = 0x0009_008F;
        SET_OBJECT_ID = 0x0009_0098;
        GET_OBJECT_ID = 0x0009_009C;
        DELETE_OBJECT_ID = 0x0009_00A0;
        SET_REPARSE_POINT = 0x0009_00A4;
        GET_REPARSE_POINT = 0x0009_00A8;
        DELETE_REPARSE_POINT = 0x0009_00AC;
        SET_OBJECT_ID_EXTENDED = 0x0009_00BC;
        CREATE_OR_GET_OBJECT_ID = 0x0009_00C0;
        SET_SPARSE = 0x0009_00C4;
        SET_ENCRYPTION = 0x0009_00D7;
        READ_FILE_USN_DATA = 0x0009_00EB;
        WRITE_USN_CLOSE_RECORD = 0x0009_00EF;
        QUERY_ON_DISK_VOLUME_INFO = 0x0009_013C;
        SET_ZERO_ON_DEALLOCATION = 0x0009_0194;
        GET_INTEGRITY_INFORMATION = 0x0009_027C;
        QUERY_FILE_REGIONS = 0x0009_0284;
        GET_REFS_VOLUME_DATA = 0x0009_02D8;
        QUERY_ALLOCATED_RANGES = 0x0009_40CF;
        OFFLOAD_READ = 0x0009_4264;
        SET_ZERO_DATA = 0x0009_80C8;
        FILE_LEVEL_TRIM = 0x0009_8208;
        OFFLOAD_WRITE = 0x0009_8268;
        DUPLICATE_EXTENTS_TO_FILE = 0x0009_8344;
        DUPLICATE_EXTENTS_TO_FILE_EX = 0x0009_83E8;
        SET_COMPRESSION = 0x0009_C040;
        SET_INTEGRITY_INFORMATION = 0x0009_C280;
        PIPE_WAIT = 0x0011_0018;
        PIPE_PEEK = 0x0011_400C;
        PIPE_TRANSCEIVE = 0x0011_C017;
        SRV_REQUEST_RESUME_KEY = 0x0014_0078;
        LMR_SET_LINK_TRACKING_INFORMATION = 0x0014_00EC;
        LMR_REQUEST_RESILIENCY = 0x0014_01D4;
        QUERY_NETWORK_INTERFACE_INFO = 0x0014_01FC;
        VALIDATE_NEGOTIATE_INFO = 0x0014_0204;
        SRV_ENUMERATE_SNAPSHOTS = 0x0014_4064;
        SRV_COPYCHUNK = 0x0014_40F2;
        SRV_READ_HASH = 0x0014_41BB;
        SRV_COPYCHUNK_WRITE = 0x0014_80F2;
    }
}

/// One payload in one direction.
pub trait FsctlPayload: Sized {
    /// Reads the payload from the start of `buffer`; what follows is passed over.
    fn decode(buffer: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_from(&mut Reader::new(buffer))
    }

    /// Reads the payload.
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Writes the payload.
    fn encode(&self, w: &mut Writer);

    /// The payload's bytes.
    fn to_bytes(&self) -> Bytes {
        let mut w = Writer::new();
        self.encode(&mut w);
        w.into_bytes()
    }
}

/// Calls `$callback!` with every payload: the one list that fuzz targets and golden tests read.
#[macro_export]
macro_rules! for_each_fsctl_payload {
    ($callback:ident) => {
        $callback! {
            DfsGetReferralsRequest
            NetworkInterfaceInfo
            ObjectIdBuffer
            PipeWaitRequest
            ResiliencyRequest
            SrvCopychunkCopy
            SrvCopychunkResponse
            SrvRequestResumeKeyResponse
            ValidateNegotiateInfoRequest
            ValidateNegotiateInfoResponse
        }
    };
}
