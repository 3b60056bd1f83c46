//! A decoder for every folder of `testdata`, made from the codec's own lists.

use std::sync::LazyLock;

use bytes::Bytes;
use holdfast_proto::frame::{Smb1Negotiate, TransformHeader};
use holdfast_proto::fsctl::{self, FsctlPayload};
use holdfast_proto::header::Header;
use holdfast_proto::msg::{self, Message};
use holdfast_proto::wire::DecodeError;
use holdfast_proto::{for_each_fsctl_payload, for_each_message};

/// Reads bytes and tells what they say.
pub type Decoder = fn(&Bytes) -> Result<String, DecodeError>;

/// What a message says, its header first.
pub fn describe<M: core::fmt::Debug>(header: &Header, body: &M) -> String {
    format!("{header:#?}\n{body:#?}")
}

fn message<M: Message + core::fmt::Debug>(bytes: &Bytes) -> Result<String, DecodeError> {
    let header = Header::decode(bytes)?;
    Ok(describe(&header, &M::decode(bytes)?))
}

fn payload<P: FsctlPayload + core::fmt::Debug>(bytes: &Bytes) -> Result<String, DecodeError> {
    Ok(format!("{:#?}", P::decode(bytes)?))
}

fn transform(bytes: &Bytes) -> Result<String, DecodeError> {
    Ok(format!("{:#?}", TransformHeader::decode(bytes)?))
}

fn smb1_negotiate(bytes: &Bytes) -> Result<String, DecodeError> {
    Ok(format!("{:#?}", Smb1Negotiate::decode(bytes)?))
}

/// "CreateRequest" becomes "create_request".
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

static DECODERS: LazyLock<Vec<(String, Decoder)>> = LazyLock::new(|| {
    let mut decoders: Vec<(String, Decoder)> = vec![
        ("error_response".into(), message::<msg::ErrorResponse>),
        ("frame_transform".into(), transform),
        ("frame_smb1_negotiate".into(), smb1_negotiate),
    ];
    macro_rules! messages {
        ($($opcode:ident $variant:ident($request:ident $(=> $response:ident)?);)*) => {
            $(
                decoders.push((snake_case(stringify!($request)), message::<msg::$request>));
                $(decoders.push((snake_case(stringify!($response)), message::<msg::$response>));)?
            )*
        };
    }
    for_each_message!(messages);
    macro_rules! payloads {
        ($($payload:ident)*) => {
            $(decoders.push((
                format!("fsctl_{}", snake_case(stringify!($payload))),
                payload::<fsctl::$payload>,
            ));)*
        };
    }
    for_each_fsctl_payload!(payloads);
    decoders
});

/// The folders that have to be there.
pub static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| DECODERS.iter().map(|(name, _)| name.as_str()).collect());

/// The decoder of a folder.
pub fn of(message: &str) -> Decoder {
    match DECODERS.iter().find(|(name, _)| name == message) {
        Some((_, decoder)) => *decoder,
        None => panic!("testdata/{message} belongs to no message"),
    }
}
