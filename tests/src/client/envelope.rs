//! A request as it goes out: what its header says, and its signature.

use bytes::Bytes;
use holdfast_proto::Opcode;
use holdfast_proto::crypto::{Sender, SigningKey};
use holdfast_proto::header::{Header, HeaderFlags, HeaderForm};
use holdfast_proto::msg::Request;
use holdfast_proto::types::SessionId;

/// How many credits each request asks for.
const CREDITS: u16 = 64;

/// What goes into a request's header besides its number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Envelope {
    pub session: SessionId,
    pub tree: u32,
    pub channel_sequence: u16,
    pub replay: bool,
}

/// The header of a request.
pub fn header(command: Opcode, id: u64, envelope: Envelope) -> Header {
    let mut header = Header::request(command, id);
    header.credits = CREDITS;
    header.session_id = envelope.session;
    header.form = HeaderForm::Sync { process_id: 0, tree_id: envelope.tree };
    header.set_channel_sequence(envelope.channel_sequence);
    if envelope.replay {
        header.flags |= HeaderFlags::REPLAY_OPERATION;
    }
    header
}

/// The whole message, signed if there is a key.
pub fn encode(
    request: &Request,
    id: u64,
    envelope: Envelope,
    signing: Option<&SigningKey>,
) -> Bytes {
    signed(request, header(request.opcode(), id, envelope), signing)
}

/// As [`encode`], with a header that is there already.
pub fn signed(request: &Request, mut header: Header, signing: Option<&SigningKey>) -> Bytes {
    if signing.is_some() {
        header.flags |= HeaderFlags::SIGNED;
    }
    let message = request.to_message(&header).to_bytes();
    let Some(signing) = signing else { return message };
    let mut message = message.to_vec();
    let whole = signing.sign_message(Sender::Client, &mut message);
    assert!(whole, "a message is longer than its header");
    message.into()
}
