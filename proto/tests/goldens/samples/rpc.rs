//! Packets of DCE/RPC that a server sends, and those of a client with more to them.

use holdfast_proto::rpc::pdu::{
    Bind, BindNak, Fault, FaultStatus, PresentationContext, RejectReason, Request, Response,
};
use holdfast_proto::rpc::srvsvc::{self, ShareEnumResponse, ShareInfo, ShareType};
use holdfast_proto::rpc::{NetStatus, Pdu, PduBody, SyntaxId};

use super::{Sample, guid};

fn sample(case: &'static str, about: &'static str, body: PduBody<'_>) -> Sample {
    let pdu = Pdu::whole(3, body);
    Sample {
        message: "rpc_packet",
        case,
        about,
        bytes: pdu.encode().into(),
        decoded: format!("{pdu:#?}"),
    }
}

pub fn samples() -> Vec<Sample> {
    let foreign = SyntaxId { uuid: guid(1), major: 1, minor: 0 };
    let context = |id, transfer_syntax| PresentationContext {
        id,
        interface: srvsvc::INTERFACE,
        transfer_syntaxes: vec![transfer_syntax],
    };
    let bind = Bind {
        max_xmit_frag: 4280,
        max_recv_frag: 4280,
        assoc_group: 0,
        contexts: vec![context(0, SyntaxId::NDR32), context(1, foreign)],
    };
    let ack = bind.answer(&[srvsvc::INTERFACE], 0x53F0, "\\PIPE\\srvsvc").0;
    let share = |name: &str, share_type, remark: &str| ShareInfo {
        name: name.to_owned(),
        share_type,
        remark: remark.to_owned(),
        ..ShareInfo::default()
    };
    let stub = ShareEnumResponse {
        level: 1,
        shares: vec![
            share("demo", ShareType::DISKTREE, "files"),
            share("IPC$", ShareType::IPC | ShareType::SPECIAL, ""),
        ],
        total_entries: 2,
        resume_handle: Some(0),
        status: NetStatus::SUCCESS,
    }
    .encode();
    let response =
        Response { alloc_hint: stub.len() as u32, context_id: 0, cancel_count: 0, stub: &stub };
    let unknown = Request { alloc_hint: 0, context_id: 0, opnum: 77, object: None, stub: &[1] };
    let fault = Fault { context_id: 0, status: FaultStatus::OP_RANGE_ERROR };
    let nak = BindNak { reason: RejectReason::AUTHENTICATION_TYPE_NOT_RECOGNIZED };
    let mut samples = vec![
        sample("bind", "two contexts, one of an encoding that is not spoken", PduBody::Bind(bind)),
        sample("bind_ack", "the answer to them", PduBody::BindAck(ack)),
        sample("bind_nak", "security at this level is refused", PduBody::BindNak(nak)),
        sample("share_enum_response", "two shares", PduBody::Response(response)),
        sample("unknown_method", "a method that is not known", PduBody::Request(unknown)),
        sample("fault", "the answer to it", PduBody::Fault(fault)),
    ];
    // Of a request the golden tells the arguments too.
    samples[4].decoded += &format!("\n{:#?}", srvsvc::Request::decode(77, &[1]).unwrap());
    samples
}
