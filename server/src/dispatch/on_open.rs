//! Requests that name an open: which one, and how much they carry or ask for.

use holdfast_proto::msg::{
    ChangeNotifyRequest, CloseRequest, FileId, FlushRequest, IoctlRequest, LockRequest, Message,
    QueryDirectoryRequest, QueryInfoRequest, ReadRequest, SetInfoRequest, WriteRequest,
};

/// A request on an open.
pub trait OnOpen: Message + Send + 'static {
    /// WRITE, SET_INFO and IOCTL are refused if their ChannelSequence is outdated; nothing else
    /// is ([MS-SMB2] 3.3.5.2.10).
    const CHANGES: bool = false;

    /// The open that it names.
    fn file_id(&self) -> FileId;

    /// The larger of what it carries and what it asks for, in bytes: what its CreditCharge has
    /// to pay for ([MS-SMB2] 3.3.5.2.5). 0: it is not measured.
    fn payload(&self) -> u64 {
        0
    }
}

macro_rules! on_open {
    ($($request:ident $(changes $changes:literal)? $(pays $payload:expr)?;)*) => {
        $(
            impl OnOpen for $request {
                $(const CHANGES: bool = $changes;)?

                fn file_id(&self) -> FileId {
                    self.file_id
                }

                $(
                    fn payload(&self) -> u64 {
                        let measure: fn(&$request) -> u64 = $payload;
                        measure(self)
                    }
                )?
            }
        )*
    };
}

on_open! {
    CloseRequest;
    FlushRequest;
    LockRequest;
    ReadRequest pays |r| u64::from(r.length);
    WriteRequest changes true pays |r| r.data.len() as u64;
    IoctlRequest changes true pays |r| {
        let sent = r.input.len() as u64;
        sent.max(u64::from(r.max_output_response).saturating_add(u64::from(r.max_input_response)))
    };
    QueryDirectoryRequest pays |r| u64::from(r.output_buffer_length);
    ChangeNotifyRequest pays |r| u64::from(r.output_buffer_length);
    QueryInfoRequest pays |r| u64::from(r.output_buffer_length).max(r.input.len() as u64);
    SetInfoRequest changes true pays |r| r.buffer.len() as u64;
}
