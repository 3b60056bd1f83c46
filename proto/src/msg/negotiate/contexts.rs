//! The one list of negotiate contexts, and the record that it makes.

use bytes::Bytes;

use super::context::*;
use crate::wire::{DecodeError, Reader, Slot16, Slot32, Writer};

/// More contexts than any peer has reason to send.
const MAX_CONTEXTS: u16 = 64;

/// A context that this codec has no type for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownNegotiateContext {
    pub context_type: NegotiateContextType,
    pub data: Bytes,
}

macro_rules! negotiate_contexts {
    ($($(#[$meta:meta])* $field:ident: $context:ty;)*) => {
        /// The contexts of a NEGOTIATE, of either direction.
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct NegotiateContexts {
            $($(#[$meta])* pub $field: Option<$context>,)*
            /// Contexts of other types.
            pub unknown: Vec<UnknownNegotiateContext>,
            /// Types that came more than once; the first one counts. Not encoded.
            pub duplicates: Vec<NegotiateContextType>,
        }

        impl NegotiateContexts {
            /// The names of the fields of known contexts.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn add(
                &mut self,
                context_type: NegotiateContextType,
                mut data: Reader<'_>,
            ) -> Result<(), DecodeError> {
                match context_type {
                    $(<$context>::TYPE => {
                        if self.$field.is_some() {
                            self.duplicates.push(context_type);
                        } else {
                            self.$field = Some(<$context>::decode(&mut data)?);
                        }
                    })*
                    _ => {
                        let data = data.shared();
                        self.unknown.push(UnknownNegotiateContext { context_type, data });
                    }
                }
                Ok(())
            }

            fn encode_all(&self, w: &mut Writer) -> usize {
                let mut count = 0;
                $(
                    if let Some(context) = &self.$field {
                        put_context(w, <$context>::TYPE, |w| context.encode(w));
                        count += 1;
                    }
                )*
                for context in &self.unknown {
                    put_context(w, context.context_type, |w| w.bytes(&context.data));
                    count += 1;
                }
                count
            }
        }
    };
}

negotiate_contexts! {
    /// Hash algorithms that protect the negotiation itself.
    preauth: preauth::PreauthIntegrityCapabilities;
    /// Ciphers.
    encryption: encryption::EncryptionCapabilities;
    /// Compression algorithms.
    compression: compression::CompressionCapabilities;
    /// The name by which the client calls the server.
    netname: netname::NetName;
    /// Whether the transport itself is secure.
    transport: transport::TransportCapabilities;
    /// What may be done to data that travels by RDMA.
    rdma_transform: rdma_transform::RdmaTransformCapabilities;
    /// Signing algorithms.
    signing: signing::SigningCapabilities;
}

fn put_context(
    w: &mut Writer,
    context_type: NegotiateContextType,
    content: impl FnOnce(&mut Writer),
) {
    w.align(8);
    w.u16(context_type.0);
    let length = w.slot16();
    w.u32(0);
    let written = w.measured(content);
    w.fill16(length, written);
}

impl NegotiateContexts {
    /// Reads `count` contexts at `offset`; `r` stands behind the fixed part of the message.
    pub(super) fn decode(
        r: &Reader<'_>,
        offset: usize,
        count: u16,
    ) -> Result<NegotiateContexts, DecodeError> {
        let mut contexts = NegotiateContexts::default();
        if count == 0 {
            return Ok(contexts);
        }
        if count > MAX_CONTEXTS {
            return Err(DecodeError::TooManyEntries);
        }
        let length = r.whole().len().checked_sub(offset).ok_or(DecodeError::Offset)?;
        let mut list = r.part(offset, length)?;
        for _ in 0..count {
            list.align(8);
            let context_type = NegotiateContextType(list.u16()?);
            let length = usize::from(list.u16()?);
            list.skip(4)?;
            contexts.add(context_type, list.sub(length)?)?;
        }
        Ok(contexts)
    }

    /// Writes all contexts and fills in where they are and how many.
    pub(super) fn encode(&self, w: &mut Writer, offset: Slot32, count: Slot16) {
        w.align(8);
        w.fill32_here(offset);
        let written = self.encode_all(w);
        w.fill16(count, written);
    }
}
