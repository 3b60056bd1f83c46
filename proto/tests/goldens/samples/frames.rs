//! Frames that are not plain messages.

use bytes::Bytes;
use holdfast_proto::frame::smb1_negotiate::{SMB_2_002, SMB_2_WILDCARD};
use holdfast_proto::frame::transform::TransformFlags;
use holdfast_proto::frame::{Smb1Negotiate, TransformHeader};
use holdfast_proto::types::SessionId;

use super::Sample;

pub fn samples() -> Vec<Sample> {
    let names: [&'static [u8]; 3] = [b"NT LM 0.12", SMB_2_002, SMB_2_WILDCARD];
    let negotiate = Smb1Negotiate { dialects: names.map(Bytes::from_static).to_vec() };
    let header = TransformHeader {
        signature: [0xA5; 16],
        nonce: [0x5A; 16],
        original_message_size: 10,
        flags: TransformFlags::ENCRYPTED,
        session_id: SessionId(0x0000_0001_0000_0002),
    };
    let ciphertext = Bytes::from_static(b"ciphertext");
    let frame = [header.to_bytes().as_slice(), &ciphertext].concat();
    vec![
        Sample {
            message: "frame_smb1_negotiate",
            case: "multi_protocol",
            about: "the way in from the old protocol",
            bytes: negotiate.to_bytes(),
            decoded: format!("{negotiate:#?}"),
        },
        Sample {
            message: "frame_transform",
            case: "encrypted",
            about: "an encrypted frame",
            bytes: frame.into(),
            decoded: format!("{:#?}", (header, ciphertext)),
        },
    ]
}
