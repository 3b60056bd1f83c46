//! The one list of messages. Decoder, fuzz targets and golden tests are made from it, so that a
//! new message is either in all of them or does not compile.

use bytes::Bytes;

use super::{ErrorResponse, Message};
use crate::header::{HEADER_SIZE, Header};
use crate::opcode::Opcode;
use crate::status::NtStatus;
use crate::wire::{DecodeError, Encoded, Writer};

/// Calls `$callback!` with every message: opcode, variant, request, and response where there is
/// one.
#[macro_export]
macro_rules! for_each_message {
    ($callback:ident) => {
        $callback! {
            NEGOTIATE Negotiate(NegotiateRequest => NegotiateResponse);
            SESSION_SETUP SessionSetup(SessionSetupRequest => SessionSetupResponse);
            LOGOFF Logoff(LogoffRequest => LogoffResponse);
            TREE_CONNECT TreeConnect(TreeConnectRequest => TreeConnectResponse);
            TREE_DISCONNECT TreeDisconnect(TreeDisconnectRequest => TreeDisconnectResponse);
            CREATE Create(CreateRequest => CreateResponse);
            CLOSE Close(CloseRequest => CloseResponse);
            FLUSH Flush(FlushRequest => FlushResponse);
            READ Read(ReadRequest => ReadResponse);
            WRITE Write(WriteRequest => WriteResponse);
            LOCK Lock(LockRequest => LockResponse);
            IOCTL Ioctl(IoctlRequest => IoctlResponse);
            CANCEL Cancel(CancelRequest);
            ECHO Echo(EchoRequest => EchoResponse);
            QUERY_DIRECTORY QueryDirectory(QueryDirectoryRequest => QueryDirectoryResponse);
            CHANGE_NOTIFY ChangeNotify(ChangeNotifyRequest => ChangeNotifyResponse);
            QUERY_INFO QueryInfo(QueryInfoRequest => QueryInfoResponse);
            SET_INFO SetInfo(SetInfoRequest => SetInfoResponse);
            OPLOCK_BREAK OplockBreak(OplockBreakAcknowledgment => OplockBreakResponse);
        }
    };
}

macro_rules! message_enums {
    ($($opcode:ident $variant:ident($request:ident $(=> $response:ident)?);)*) => {
        /// The body of any request.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Request {
            $(
                #[doc = concat!("The request of ", stringify!($opcode), ".")]
                $variant(super::$request),
            )*
        }

        impl Request {
            /// Reads the request that `opcode` names; `message` begins with its header.
            pub fn decode(opcode: Opcode, message: &Bytes) -> Result<Request, DecodeError> {
                match opcode {
                    $(Opcode::$opcode => super::$request::decode(message).map(Request::$variant),)*
                    other => Err(DecodeError::Opcode(other.0)),
                }
            }

            /// Writes the body.
            pub fn encode(&self, w: &mut Writer) {
                match self {
                    $(Request::$variant(request) => request.encode(w),)*
                }
            }

            /// The command.
            pub fn opcode(&self) -> Opcode {
                match self {
                    $(Request::$variant(_) => Opcode::$opcode,)*
                }
            }
        }

        /// The body of any response, or of what the server sends unasked.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Response {
            $($(
                #[doc = concat!("The response to ", stringify!($opcode), ".")]
                $variant(super::$response),
            )?)*
            /// The request failed, or is only being worked on.
            Error(ErrorResponse),
        }

        impl Response {
            /// Reads the response that the header announces; `message` begins with the header.
            pub fn decode(header: &Header, message: &Bytes) -> Result<Response, DecodeError> {
                if is_error(header, message) {
                    return ErrorResponse::decode(message).map(Response::Error);
                }
                match header.command {
                    $($(
                        Opcode::$opcode => super::$response::decode(message).map(Response::$variant),
                    )?)*
                    other => Err(DecodeError::Opcode(other.0)),
                }
            }

            /// Writes the body.
            pub fn encode(&self, w: &mut Writer) {
                match self {
                    $($(Response::$variant(response) => {
                        let response: &super::$response = response;
                        response.encode(w)
                    })?)*
                    Response::Error(error) => error.encode(w),
                }
            }
        }

        $($(
            impl From<super::$response> for Response {
                fn from(response: super::$response) -> Response {
                    Response::$variant(response)
                }
            }
        )?)*

        $(
            impl From<super::$request> for Request {
                fn from(request: super::$request) -> Request {
                    Request::$variant(request)
                }
            }
        )*
    };
}

for_each_message!(message_enums);

impl From<ErrorResponse> for Response {
    fn from(error: ErrorResponse) -> Response {
        Response::Error(error)
    }
}

impl Request {
    /// Header and body as one message.
    pub fn to_message(&self, header: &Header) -> Encoded {
        let mut w = Writer::for_message();
        header.encode(&mut w);
        self.encode(&mut w);
        w.into_encoded()
    }
}

impl Response {
    /// Header and body as one message.
    pub fn to_message(&self, header: &Header) -> Encoded {
        let mut w = Writer::for_message();
        header.encode(&mut w);
        self.encode(&mut w);
        w.into_encoded()
    }
}

/// True if the message carries an ERROR response ([MS-SMB2] 3.3.4.4). A body of its own goes with
/// success and with the few warnings that come with data; an IOCTL may fail with one (copy chunk),
/// which its structure size tells.
fn is_error(header: &Header, message: &[u8]) -> bool {
    const ERROR_STRUCTURE_SIZE: [u8; 2] = [9, 0];
    let structure_size = message.get(HEADER_SIZE..HEADER_SIZE + 2);
    if structure_size != Some(&ERROR_STRUCTURE_SIZE) {
        return false;
    }
    match header.status {
        NtStatus::PENDING => true,
        NtStatus::MORE_PROCESSING_REQUIRED => header.command != Opcode::SESSION_SETUP,
        NtStatus::BUFFER_OVERFLOW => header.command != Opcode::QUERY_INFO,
        status => !status.is_success(),
    }
}
