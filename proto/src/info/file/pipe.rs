//! FilePipeInformation and FilePipeLocalInformation ([MS-FSCC] 2.4.37, 2.4.38).

use crate::info::field::fixed_info;

fixed_info! {
    /// How this end of a pipe reads and waits.
    FilePipeInformation {
        /// 0 for bytes, 1 for messages.
        read_mode: u32,
        /// 0 to wait for data, 1 not to.
        completion_mode: u32,
    }
}

fixed_info! {
    /// What a pipe is like.
    FilePipeLocalInformation {
        /// 0 for bytes, 1 for messages.
        pipe_type: u32,
        /// 0 inbound, 1 outbound, 2 both.
        configuration: u32,
        /// How many instances there may be; all ones for no limit.
        maximum_instances: u32,
        /// How many there are.
        current_instances: u32,
        /// Bytes of the inbound quota.
        inbound_quota: u32,
        /// Bytes that can be read now.
        read_data_available: u32,
        /// Bytes of the outbound quota.
        outbound_quota: u32,
        /// Bytes of it that are free.
        write_quota_available: u32,
        /// 1 disconnected, 2 listening, 3 connected, 4 closing.
        state: u32,
        /// 0 for the client's end, 1 for the server's.
        end: u32,
    }
}
