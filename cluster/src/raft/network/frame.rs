//! Frames to packets and back.

use prost::Message;

use super::pb;
use super::raft_messages::BadMessage;

/// What a frame says.
pub type Body = pb::frame::Body;

/// Puts a frame into a packet.
pub fn to_packet(tag: u64, body: Body) -> pb::Packet {
    pb::Packet { frame: pb::Frame { tag, body: Some(body) }.encode_to_vec().into() }
}

/// Takes the frame out of a packet.
///
/// # Errors
/// The bytes are not a frame, or hold nothing that this version knows.
pub fn from_packet(packet: pb::Packet) -> Result<(u64, Body), BadMessage> {
    let frame = pb::Frame::decode(packet.frame).map_err(|_| BadMessage("frame"))?;
    let body = frame.body.ok_or(BadMessage("frame without a known body"))?;
    Ok((frame.tag, body))
}

#[cfg(test)]
mod tests {
    use super::{from_packet, to_packet};
    use crate::raft::network::{Body, pb};

    #[test]
    fn a_frame_comes_back_and_garbage_is_refused() {
        let body = Body::ReadAt(pb::ReadAt { index: 7, leader: 2 });
        assert_eq!(from_packet(to_packet(9, body.clone())).expect("a frame"), (9, body));
        assert!(from_packet(pb::Packet { frame: vec![0xff; 9].into() }).is_err());
        assert!(from_packet(pb::Packet { frame: Default::default() }).is_err());
    }
}
