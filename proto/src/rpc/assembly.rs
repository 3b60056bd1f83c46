//! Calls and answers that are longer than a packet ([C706] 12.6.2).

use super::pdu::{FaultStatus, HEADER, MIN_FRAGMENT, Pdu, PduBody, PduFlags, Request, Response};

/// Bytes of a response before its stub.
const RESPONSE_HEADER: usize = HEADER + 8;

/// A call, put together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Tells the answer's question.
    pub call_id: u32,
    /// The context.
    pub context_id: u16,
    /// The number of the method.
    pub opnum: u16,
    /// All of the arguments.
    pub stub: Vec<u8>,
}

/// Why fragments do not make a call. All end the pipe's association but the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AssemblyError {
    /// The arguments are longer than the server takes.
    #[error("a call's arguments are too long")]
    TooLong,
    /// A fragment that is the first of none, or a first one amid another call.
    #[error("fragments of calls are out of order")]
    OutOfOrder,
}

impl AssemblyError {
    /// What the caller is told.
    pub const fn status(self) -> FaultStatus {
        match self {
            AssemblyError::TooLong => FaultStatus::OUT_OF_RESOURCES,
            AssemblyError::OutOfOrder => FaultStatus::PROTOCOL_ERROR,
        }
    }
}

/// Puts the fragments of calls together. Calls on one pipe come one after the other.
#[derive(Clone, Debug)]
pub struct RequestAssembler {
    limit: usize,
    pending: Option<Call>,
}

impl RequestAssembler {
    /// For calls whose arguments are at most `limit` bytes.
    pub fn new(limit: usize) -> RequestAssembler {
        RequestAssembler { limit, pending: None }
    }

    /// Takes one packet; yields the call that it completes. After an error nothing is pending.
    pub fn push(
        &mut self,
        flags: PduFlags,
        call_id: u32,
        request: &Request<'_>,
    ) -> Result<Option<Call>, AssemblyError> {
        let mut call = match (self.pending.take(), flags.contains(PduFlags::FIRST_FRAG)) {
            (None, true) => Call {
                call_id,
                context_id: request.context_id,
                opnum: request.opnum,
                stub: Vec::new(),
            },
            (Some(call), false) if call.call_id == call_id => call,
            _ => return Err(AssemblyError::OutOfOrder),
        };
        if request.stub.len() > self.limit - call.stub.len() {
            return Err(AssemblyError::TooLong);
        }
        call.stub.extend_from_slice(request.stub);
        if flags.contains(PduFlags::LAST_FRAG) {
            return Ok(Some(call));
        }
        self.pending = Some(call);
        Ok(None)
    }
}

/// Cuts an answer into packets of at most `max_fragment` bytes, which BindAck agreed on.
pub fn fragment_response(
    call_id: u32,
    context_id: u16,
    stub: &[u8],
    max_fragment: u16,
) -> Vec<Vec<u8>> {
    let room = usize::from(max_fragment.max(MIN_FRAGMENT)) - RESPONSE_HEADER;
    // Every fragment but the last is a multiple of 8 long, as the peer's alignment needs.
    let room = room - room % 8;
    let count = stub.len().div_ceil(room).max(1);
    (0..count)
        .map(|index| {
            let rest = &stub[index * room..];
            let mut flags = PduFlags::NONE;
            if index == 0 {
                flags |= PduFlags::FIRST_FRAG;
            }
            if index == count - 1 {
                flags |= PduFlags::LAST_FRAG;
            }
            let body = PduBody::Response(Response {
                alloc_hint: u32::try_from(rest.len()).unwrap_or(u32::MAX),
                context_id,
                cancel_count: 0,
                stub: &rest[..rest.len().min(room)],
            });
            Pdu { flags, call_id, secured: false, body }.encode()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(stub: &[u8]) -> Request<'_> {
        Request { alloc_hint: 0, context_id: 1, opnum: 2, object: None, stub }
    }

    #[test]
    fn fragments_make_a_call() {
        let mut assembler = RequestAssembler::new(6);
        assert_eq!(assembler.push(PduFlags::FIRST_FRAG, 7, &request(b"ab")), Ok(None));
        assert_eq!(assembler.push(PduFlags::NONE, 7, &request(b"cd")), Ok(None));
        let call = assembler.push(PduFlags::LAST_FRAG, 7, &request(b"ef")).unwrap().unwrap();
        assert_eq!((call.call_id, call.context_id, call.opnum), (7, 1, 2));
        assert_eq!(call.stub, b"abcdef");
        let call = assembler.push(PduFlags::WHOLE, 8, &request(b"")).unwrap().unwrap();
        assert_eq!(call.stub, b"");
    }

    #[test]
    fn fragments_that_make_none() {
        let mut assembler = RequestAssembler::new(3);
        let out_of_order = Err(AssemblyError::OutOfOrder);
        assert_eq!(assembler.push(PduFlags::LAST_FRAG, 7, &request(b"ab")), out_of_order);
        assert_eq!(assembler.push(PduFlags::FIRST_FRAG, 7, &request(b"ab")), Ok(None));
        assert_eq!(assembler.push(PduFlags::FIRST_FRAG, 7, &request(b"ab")), out_of_order);
        assert_eq!(assembler.push(PduFlags::FIRST_FRAG, 7, &request(b"ab")), Ok(None));
        assert_eq!(assembler.push(PduFlags::LAST_FRAG, 8, &request(b"c")), out_of_order);
        assert_eq!(assembler.push(PduFlags::FIRST_FRAG, 7, &request(b"ab")), Ok(None));
        let too_long = Err(AssemblyError::TooLong);
        assert_eq!(assembler.push(PduFlags::LAST_FRAG, 7, &request(b"cd")), too_long);
    }

    #[test]
    fn answers_are_cut_and_whole_again() {
        let stub: Vec<u8> = (0..10_000u32).map(|i| i as u8).collect();
        for length in [0, 1, 1408, 1409, 4096, 10_000] {
            let mut whole = Vec::new();
            let packets = fragment_response(3, 4, &stub[..length], 0);
            for (index, packet) in packets.iter().enumerate() {
                assert!(packet.len() <= usize::from(MIN_FRAGMENT));
                let pdu = Pdu::decode(packet).unwrap();
                assert_eq!(pdu.flags.contains(PduFlags::FIRST_FRAG), index == 0);
                let last = index == packets.len() - 1;
                assert_eq!(pdu.flags.contains(PduFlags::LAST_FRAG), last);
                let PduBody::Response(response) = pdu.body else { panic!("not a response") };
                assert_eq!(response.alloc_hint as usize, length - whole.len());
                whole.extend_from_slice(response.stub);
            }
            assert_eq!(whole, stub[..length]);
        }
    }
}
