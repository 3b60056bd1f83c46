//! One association over a pipe: packets in, packets out ([C706] 12.6, [MS-RPCE]). No I/O.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use holdfast_proto::rpc::pdu::{
    AcceptedContext, BindNak, Fault, FaultStatus, HEADER, MIN_FRAGMENT, PduFlags, RejectReason,
};
use holdfast_proto::rpc::{Pdu, PduBody, RequestAssembler, fragment_response};

use super::{Facts, Service, srvsvc, wkssvc};
use crate::limits;

/// The peer does not speak the protocol: the pipe is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Broken;

/// The server's end of a pipe in message mode.
#[derive(Debug)]
pub(super) struct Channel {
    service: Service,
    contexts: Vec<AcceptedContext>,
    assembler: RequestAssembler,
    /// The largest packet that the client takes.
    fragment: u16,
    inbound: BytesMut,
    /// Packets that were not fetched, oldest first; the first may be fetched in part.
    outbound: VecDeque<Bytes>,
    outbound_bytes: usize,
}

impl Channel {
    pub(super) fn new(service: Service) -> Channel {
        Channel {
            service,
            contexts: Vec::new(),
            assembler: RequestAssembler::new(limits::PIPE_BUFFER_MAX),
            fragment: MIN_FRAGMENT,
            inbound: BytesMut::new(),
            outbound: VecDeque::new(),
            outbound_bytes: 0,
        }
    }

    /// Takes bytes from the client and answers every packet that they complete.
    pub(super) fn write(&mut self, bytes: &[u8], facts: &Facts<'_>) -> Result<(), Broken> {
        if self.inbound.len() + bytes.len() > limits::PIPE_BUFFER_MAX {
            return Err(Broken);
        }
        self.inbound.extend_from_slice(bytes);
        while let Some(length) = Pdu::length(&self.inbound) {
            if length < HEADER {
                return Err(Broken);
            }
            if self.inbound.len() < length {
                break;
            }
            let packet = self.inbound.split_to(length).freeze();
            self.answer(&packet, facts)?;
            if self.outbound_bytes > limits::PIPE_BUFFER_MAX {
                return Err(Broken);
            }
        }
        Ok(())
    }

    /// At most `max` bytes of the oldest packet, and whether it has more.
    pub(super) fn read(&mut self, max: usize) -> Option<(Bytes, bool)> {
        let packet = self.outbound.front_mut()?;
        let part = packet.split_to(max.min(packet.len()));
        self.outbound_bytes -= part.len();
        let more = packet.has_remaining();
        if !more {
            self.outbound.pop_front();
        }
        Some((part, more))
    }

    fn answer(&mut self, packet: &[u8], facts: &Facts<'_>) -> Result<(), Broken> {
        let pdu = Pdu::decode(packet).map_err(|_| Broken)?;
        match pdu.body {
            PduBody::Bind(_) if pdu.secured => {
                let reason = RejectReason::AUTHENTICATION_TYPE_NOT_RECOGNIZED;
                self.send(Pdu::whole(pdu.call_id, PduBody::BindNak(BindNak { reason })).encode());
            }
            PduBody::Bind(bind) | PduBody::AlterContext(bind) => {
                let first = self.contexts.is_empty();
                let address = format!("\\PIPE\\{}", self.service.name());
                let (ack, accepted) = bind.answer(&[self.service.interface()], 1, &address);
                self.fragment = ack.max_xmit_frag;
                for context in accepted {
                    self.contexts.retain(|known| known.id != context.id);
                    self.contexts.push(context);
                }
                if self.contexts.len() > holdfast_proto::rpc::pdu::MAX_CONTEXTS {
                    return Err(Broken);
                }
                let body =
                    if first { PduBody::BindAck(ack) } else { PduBody::AlterContextResp(ack) };
                self.send(Pdu::whole(pdu.call_id, body).encode());
            }
            PduBody::Request(request) => self.request(pdu.flags, pdu.call_id, &request, facts),
            // Cancelling and abandoning calls means nothing where each is answered at once.
            PduBody::Other(_) => {}
            PduBody::BindAck(_)
            | PduBody::AlterContextResp(_)
            | PduBody::BindNak(_)
            | PduBody::Response(_)
            | PduBody::Fault(_) => return Err(Broken),
        }
        Ok(())
    }

    fn request(
        &mut self,
        flags: PduFlags,
        call_id: u32,
        request: &holdfast_proto::rpc::pdu::Request<'_>,
        facts: &Facts<'_>,
    ) {
        let context_id = request.context_id;
        let call = match self.assembler.push(flags, call_id, request) {
            Ok(None) => return,
            Ok(Some(call)) => call,
            Err(error) => return self.fault(call_id, context_id, error.status()),
        };
        if !self.contexts.iter().any(|context| context.id == call.context_id) {
            return self.fault(call_id, context_id, FaultStatus::UNKNOWN_INTERFACE);
        }
        let answer = match self.service {
            Service::Srvsvc => srvsvc::answer(call.opnum, &call.stub, facts),
            Service::Wkssvc => wkssvc::answer(call.opnum, &call.stub, facts),
        };
        match answer {
            Ok(stub) => {
                for packet in fragment_response(call_id, call.context_id, &stub, self.fragment) {
                    self.send(packet);
                }
            }
            Err(status) => self.fault(call_id, context_id, status),
        }
    }

    fn fault(&mut self, call_id: u32, context_id: u16, status: FaultStatus) {
        let fault = PduBody::Fault(Fault { context_id, status });
        self.send(Pdu::whole(call_id, fault).encode());
    }

    fn send(&mut self, packet: Vec<u8>) {
        self.outbound_bytes += packet.len();
        self.outbound.push_back(Bytes::from(packet));
    }
}
