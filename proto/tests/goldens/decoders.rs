//! A decoder for every folder of `testdata`, made from the codec's own lists.

use std::sync::LazyLock;

use bytes::Bytes;
use holdfast_proto::auth::ntlmssp::{Authenticate, Challenge, Negotiate};
use holdfast_proto::auth::spnego;
use holdfast_proto::frame::{Smb1Negotiate, TransformHeader};
use holdfast_proto::fsctl::{self, FsctlPayload};
use holdfast_proto::header::Header;
use holdfast_proto::info::directory::{DirectoryClass, decode_listing};
use holdfast_proto::info::{self, Information};
use holdfast_proto::msg::{self, Message};
use holdfast_proto::rpc::{Pdu, PduBody, srvsvc};
use holdfast_proto::types::SecurityDescriptor;
use holdfast_proto::wire::{DecodeError, Reader};
use holdfast_proto::{for_each_fsctl_payload, for_each_information, for_each_message};

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

fn information<I: Information + core::fmt::Debug>(bytes: &Bytes) -> Result<String, DecodeError> {
    Ok(format!("{:#?}", I::decode(&mut Reader::new(bytes))?))
}

fn listing(class: DirectoryClass, bytes: &Bytes) -> Result<String, DecodeError> {
    Ok(format!("{:#?}", decode_listing(class, bytes)?))
}

fn spnego_token(bytes: &Bytes) -> Result<String, DecodeError> {
    Ok(format!("{:#?}", spnego::decode(bytes)?))
}

fn ntlm_negotiate(bytes: &Bytes) -> Result<String, DecodeError> {
    Ok(format!("{:#?}", Negotiate::decode(bytes)?))
}

fn ntlm_challenge(bytes: &Bytes) -> Result<String, DecodeError> {
    Ok(format!("{:#?}", Challenge::decode(bytes)?))
}

fn ntlm_authenticate(bytes: &Bytes) -> Result<String, DecodeError> {
    let message = Authenticate::decode(bytes)?;
    Ok(format!("{message:#?}\n{:#?}", message.kind()?))
}

fn security_descriptor(bytes: &Bytes) -> Result<String, DecodeError> {
    Ok(format!("{:#?}", SecurityDescriptor::decode(bytes)?))
}

/// A packet and, of a call to srvsvc, its arguments.
fn rpc_packet(bytes: &Bytes) -> Result<String, DecodeError> {
    let pdu = Pdu::decode(bytes)?;
    let mut told = format!("{pdu:#?}");
    if let PduBody::Request(request) = &pdu.body {
        told += &format!("\n{:#?}", srvsvc::Request::decode(request.opnum, request.stub)?);
    }
    Ok(told)
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
    macro_rules! classes {
        ($($family:ident :: $name:ident)*) => {
            $(decoders.push((
                format!("info_{}", snake_case(stringify!($name))),
                information::<info::$family::$name>,
            ));)*
        };
    }
    for_each_information!(classes);
    let others: [(&str, Decoder); 14] = [
        ("auth_spnego", spnego_token),
        ("auth_ntlm_negotiate", ntlm_negotiate),
        ("auth_ntlm_challenge", ntlm_challenge),
        ("auth_ntlm_authenticate", ntlm_authenticate),
        ("security_descriptor", security_descriptor),
        ("rpc_packet", rpc_packet),
        ("info_listing_plain", |bytes| listing(DirectoryClass::Plain, bytes)),
        ("info_listing_full", |bytes| listing(DirectoryClass::Full, bytes)),
        ("info_listing_both", |bytes| listing(DirectoryClass::Both, bytes)),
        ("info_listing_names", |bytes| listing(DirectoryClass::Names, bytes)),
        ("info_listing_id_both", |bytes| listing(DirectoryClass::IdBoth, bytes)),
        ("info_listing_id_full", |bytes| listing(DirectoryClass::IdFull, bytes)),
        ("info_listing_id_extd", |bytes| listing(DirectoryClass::IdExtd, bytes)),
        ("info_listing_id_extd_both", |bytes| listing(DirectoryClass::IdExtdBoth, bytes)),
    ];
    decoders.extend(others.map(|(name, decoder)| (name.to_owned(), decoder)));
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
