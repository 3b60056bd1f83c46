//! bind, bind_ack, bind_nak, and their likes for later contexts ([C706] 12.6.4.1 to 12.6.4.5).

use super::{MAX_FRAGMENT, MIN_FRAGMENT, SyntaxId};
use crate::wire::{DecodeError, Reader, Writer, open_enum};

/// More contexts, and more transfer syntaxes of one, than any client asks for.
pub const MAX_CONTEXTS: usize = 32;

/// An interface that the client wants, and how it could speak with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PresentationContext {
    /// The number that calls name it by.
    pub id: u16,
    /// The interface.
    pub interface: SyntaxId,
    /// The encodings that the client offers.
    pub transfer_syntaxes: Vec<SyntaxId>,
}

/// bind or alter_context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bind {
    /// The largest fragment that the sender sends.
    pub max_xmit_frag: u16,
    /// The largest that it takes.
    pub max_recv_frag: u16,
    /// 0 for a new group of associations.
    pub assoc_group: u32,
    /// The interfaces.
    pub contexts: Vec<PresentationContext>,
}

open_enum! {
    /// p_cont_def_result_t.
    ContextResult: u16 {
        ACCEPTANCE = 0;
        USER_REJECTION = 1;
        PROVIDER_REJECTION = 2;
        NEGOTIATE_ACK = 3;
    }
}

open_enum! {
    /// p_provider_reason_t.
    ResultReason: u16 {
        NOT_SPECIFIED = 0;
        ABSTRACT_SYNTAX_NOT_SUPPORTED = 1;
        TRANSFER_SYNTAXES_NOT_SUPPORTED = 2;
        LOCAL_LIMIT_EXCEEDED = 3;
    }
}

/// The answer to one context, in the order of the question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BindResult {
    /// Whether it was accepted.
    pub result: ContextResult,
    /// Why not.
    pub reason: ResultReason,
    /// The encoding that was chosen, or [`SyntaxId::NONE`].
    pub transfer_syntax: SyntaxId,
}

/// bind_ack or alter_context_resp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BindAck {
    /// The largest fragment that the sender sends.
    pub max_xmit_frag: u16,
    /// The largest that it takes.
    pub max_recv_frag: u16,
    /// The group of associations.
    pub assoc_group: u32,
    /// The pipe, such as `\PIPE\srvsvc`; empty in alter_context_resp.
    pub secondary_address: String,
    /// An answer for each context.
    pub results: Vec<BindResult>,
}

open_enum! {
    /// p_reject_reason_t and what [MS-RPCE] 2.2.2.5 adds.
    RejectReason: u16 {
        NOT_SPECIFIED = 0;
        TEMPORARY_CONGESTION = 1;
        LOCAL_LIMIT_EXCEEDED = 2;
        PROTOCOL_VERSION_NOT_SUPPORTED = 4;
        AUTHENTICATION_TYPE_NOT_RECOGNIZED = 8;
        INVALID_CHECKSUM = 9;
    }
}

/// bind_nak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BindNak {
    /// Why.
    pub reason: RejectReason,
}

/// A context that both sides agreed on: the server keeps it for the calls to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AcceptedContext {
    /// The number that calls name it by.
    pub id: u16,
    /// The interface.
    pub interface: SyntaxId,
}

impl Bind {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Bind, DecodeError> {
        let max_xmit_frag = r.u16()?;
        let max_recv_frag = r.u16()?;
        let assoc_group = r.u32()?;
        let count = usize::from(r.u8()?);
        r.skip(3)?;
        if count > MAX_CONTEXTS {
            return Err(DecodeError::TooManyEntries);
        }
        let mut contexts = Vec::with_capacity(count);
        for _ in 0..count {
            let id = r.u16()?;
            let syntaxes = usize::from(r.u8()?);
            r.skip(1)?;
            if syntaxes > MAX_CONTEXTS {
                return Err(DecodeError::TooManyEntries);
            }
            let interface = SyntaxId::decode(r)?;
            let transfer_syntaxes =
                (0..syntaxes).map(|_| SyntaxId::decode(r)).collect::<Result<_, _>>()?;
            contexts.push(PresentationContext { id, interface, transfer_syntaxes });
        }
        Ok(Bind { max_xmit_frag, max_recv_frag, assoc_group, contexts })
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.u16(self.max_xmit_frag);
        w.u16(self.max_recv_frag);
        w.u32(self.assoc_group);
        let contexts = &self.contexts[..self.contexts.len().min(MAX_CONTEXTS)];
        w.u8(contexts.len() as u8);
        w.zeros(3);
        for context in contexts {
            let count = context.transfer_syntaxes.len().min(MAX_CONTEXTS);
            w.u16(context.id);
            w.u8(count as u8);
            w.u8(0);
            context.interface.encode(w);
            for syntax in &context.transfer_syntaxes[..count] {
                syntax.encode(w);
            }
        }
    }

    /// The answer of a server that has `interfaces` and speaks NDR with 32-bit pointers, and
    /// the contexts that are agreed on by it. An interface of a smaller minor version than
    /// ours is ours as well.
    pub fn answer(
        &self,
        interfaces: &[SyntaxId],
        assoc_group: u32,
        secondary_address: &str,
    ) -> (BindAck, Vec<AcceptedContext>) {
        let mut accepted = Vec::new();
        let results = self
            .contexts
            .iter()
            .map(|context| {
                let refusal = |reason| BindResult {
                    result: ContextResult::PROVIDER_REJECTION,
                    reason,
                    transfer_syntax: SyntaxId::NONE,
                };
                let asked = context.interface;
                let known = interfaces.iter().any(|ours| {
                    ours.uuid == asked.uuid
                        && ours.major == asked.major
                        && ours.minor >= asked.minor
                });
                if !known {
                    return refusal(ResultReason::ABSTRACT_SYNTAX_NOT_SUPPORTED);
                }
                if !context.transfer_syntaxes.contains(&SyntaxId::NDR32) {
                    return refusal(ResultReason::TRANSFER_SYNTAXES_NOT_SUPPORTED);
                }
                accepted.push(AcceptedContext { id: context.id, interface: asked });
                BindResult {
                    result: ContextResult::ACCEPTANCE,
                    reason: ResultReason::NOT_SPECIFIED,
                    transfer_syntax: SyntaxId::NDR32,
                }
            })
            .collect();
        let fragment = |theirs: u16| theirs.clamp(MIN_FRAGMENT, MAX_FRAGMENT);
        let ack = BindAck {
            max_xmit_frag: fragment(self.max_recv_frag),
            max_recv_frag: fragment(self.max_xmit_frag),
            assoc_group,
            secondary_address: secondary_address.to_owned(),
            results,
        };
        (ack, accepted)
    }
}

impl BindAck {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<BindAck, DecodeError> {
        let max_xmit_frag = r.u16()?;
        let max_recv_frag = r.u16()?;
        let assoc_group = r.u32()?;
        let length = usize::from(r.u16()?);
        let address = r.take(length)?;
        let address = address.strip_suffix(&[0]).unwrap_or(address);
        let secondary_address =
            String::from_utf8(address.to_vec()).map_err(|_| DecodeError::Value)?;
        r.align(4);
        let count = usize::from(r.u8()?);
        r.skip(3)?;
        if count > MAX_CONTEXTS {
            return Err(DecodeError::TooManyEntries);
        }
        let results = (0..count)
            .map(|_| {
                Ok(BindResult {
                    result: ContextResult(r.u16()?),
                    reason: ResultReason(r.u16()?),
                    transfer_syntax: SyntaxId::decode(r)?,
                })
            })
            .collect::<Result<_, DecodeError>>()?;
        Ok(BindAck { max_xmit_frag, max_recv_frag, assoc_group, secondary_address, results })
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.u16(self.max_xmit_frag);
        w.u16(self.max_recv_frag);
        w.u32(self.assoc_group);
        let length = w.slot16();
        let written = w.measured(|w| {
            if !self.secondary_address.is_empty() {
                w.bytes(self.secondary_address.as_bytes());
                w.u8(0);
            }
        });
        w.fill16(length, written);
        w.align(4);
        let results = &self.results[..self.results.len().min(MAX_CONTEXTS)];
        w.u8(results.len() as u8);
        w.zeros(3);
        for result in results {
            w.u16(result.result.0);
            w.u16(result.reason.0);
            result.transfer_syntax.encode(w);
        }
    }
}

impl BindNak {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<BindNak, DecodeError> {
        let reason = RejectReason(r.u16()?);
        // The versions that the sender speaks.
        let count = usize::from(r.u8()?);
        r.skip(count * 2)?;
        Ok(BindNak { reason })
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        w.u16(self.reason.0);
        w.bytes(&[1, super::VERSION, 0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Guid;

    #[test]
    fn answers() {
        let ours = SyntaxId { uuid: Guid([7; 16]), major: 3, minor: 1 };
        let context = |id, interface, transfer_syntaxes| PresentationContext {
            id,
            interface,
            transfer_syntaxes,
        };
        let bind = Bind {
            max_xmit_frag: 65535,
            max_recv_frag: 100,
            assoc_group: 0,
            contexts: vec![
                context(4, SyntaxId { minor: 0, ..ours }, vec![SyntaxId::NONE, SyntaxId::NDR32]),
                context(5, ours, vec![SyntaxId::NONE]),
                context(6, SyntaxId { minor: 2, ..ours }, vec![SyntaxId::NDR32]),
                context(7, SyntaxId { major: 2, ..ours }, vec![SyntaxId::NDR32]),
            ],
        };
        let (ack, accepted) = bind.answer(&[ours], 9, "\\PIPE\\x");
        assert_eq!(accepted.iter().map(|context| context.id).collect::<Vec<_>>(), [4]);
        assert_eq!((ack.max_xmit_frag, ack.max_recv_frag), (MIN_FRAGMENT, MAX_FRAGMENT));
        let reasons: Vec<_> = ack.results.iter().map(|result| result.reason).collect();
        let unknown = ResultReason::ABSTRACT_SYNTAX_NOT_SUPPORTED;
        let syntaxes = ResultReason::TRANSFER_SYNTAXES_NOT_SUPPORTED;
        assert_eq!(reasons, [ResultReason::NOT_SPECIFIED, syntaxes, unknown, unknown]);
    }
}
