//! Packets of DCE/RPC and the arguments in them.

use crate::rpc::pdu::PduFlags;
use crate::rpc::{Pdu, PduBody, RequestAssembler, srvsvc, wkssvc};

/// What encoding does not keep: that there was a trailer, and a flag that follows from the
/// content.
fn canonical(mut pdu: Pdu<'_>) -> Pdu<'_> {
    pdu.secured = false;
    pdu.flags = pdu.flags.without(PduFlags::OBJECT_UUID);
    pdu
}

/// A stream of packets, as a pipe carries them.
pub(super) fn packets(mut bytes: &[u8]) {
    let mut assembler = RequestAssembler::new(4096);
    while let Some(length) = Pdu::length(bytes) {
        let Some((packet, rest)) = bytes.split_at_checked(length) else { break };
        bytes = rest;
        let Ok(pdu) = Pdu::decode(packet) else { break };
        if let PduBody::Request(request) = &pdu.body {
            let call = assembler.push(pdu.flags, pdu.call_id, request);
            if let Ok(Some(call)) = call {
                assert!(call.stub.len() <= 4096);
            }
            let _ = srvsvc::Request::decode(request.opnum, request.stub);
            let _ = wkssvc::Request::decode(request.opnum, request.stub);
        }
        if let PduBody::Bind(bind) | PduBody::AlterContext(bind) = &pdu.body {
            let (ack, accepted) = bind.answer(&[srvsvc::INTERFACE, wkssvc::INTERFACE], 1, "x");
            assert_eq!(ack.results.len(), bind.contexts.len());
            assert!(accepted.len() <= bind.contexts.len());
        }
        let again = pdu.encode();
        assert_eq!(Pdu::decode(&again).map(canonical), Ok(canonical(pdu)));
    }
}
