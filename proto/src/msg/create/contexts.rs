//! The one list of create contexts, and the two records that it makes: what a request may carry
//! and what a response may carry. Unknown and repeated contexts stay visible; whether they matter
//! is for the server to say.

use core::fmt;

use bytes::Bytes;

use super::chain::{self, ChainWriter};
use super::context::*;
use crate::wire::{DecodeError, Reader, Writer};

/// The name of a context: four letters or a GUID.
#[derive(Clone, PartialEq, Eq)]
pub struct ContextTag(pub Bytes);

impl fmt::Debug for ContextTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// A context that this codec has no type for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownCreateContext {
    pub tag: ContextTag,
    pub data: Bytes,
}

macro_rules! context_record {
    ($(#[$record_meta:meta])* $record:ident {
        $($(#[$meta:meta])* $field:ident: $context:ty;)*
    }) => {
        $(#[$record_meta])*
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct $record {
            $($(#[$meta])* pub $field: Option<$context>,)*
            /// Contexts with other names.
            pub unknown: Vec<UnknownCreateContext>,
            /// Names that came more than once; the first one counts. Not encoded.
            pub duplicates: Vec<ContextTag>,
        }

        impl $record {
            /// The names of the fields of known contexts.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

            /// True if there is nothing to encode.
            pub fn is_empty(&self) -> bool {
                $(self.$field.is_none() &&)* self.unknown.is_empty()
            }

            pub(super) fn decode(list: Reader<'_>) -> Result<$record, DecodeError> {
                let mut record = $record::default();
                chain::decode(list, |name, data| record.add(name, data))?;
                Ok(record)
            }

            fn add(
                &mut self,
                mut name: Reader<'_>,
                mut data: Reader<'_>,
            ) -> Result<(), DecodeError> {
                $(
                    if name.whole() == <$context>::NAME {
                        if self.$field.is_some() {
                            self.duplicates.push(ContextTag(name.shared()));
                        } else {
                            self.$field = Some(<$context>::decode(&mut data)?);
                        }
                        return Ok(());
                    }
                )*
                self.unknown.push(UnknownCreateContext {
                    tag: ContextTag(name.shared()),
                    data: data.shared(),
                });
                Ok(())
            }

            pub(super) fn encode(&self, w: &mut Writer) {
                let mut chain = ChainWriter::default();
                $(
                    if let Some(context) = &self.$field {
                        chain.push(w, <$context>::NAME, |w| context.encode(w));
                    }
                )*
                for context in &self.unknown {
                    chain.push(w, &context.tag.0, |w| w.bytes(&context.data));
                }
            }
        }
    };
}

context_record! {
    /// The contexts of a CREATE request.
    CreateContexts {
        /// "DHnQ": make the open durable.
        durable_request: durable_v1::DurableHandleRequest;
        /// "DHnC": find a durable open again.
        durable_reconnect: durable_v1::DurableHandleReconnect;
        /// "DH2Q": make the open durable or persistent.
        durable_request_v2: durable_v2::DurableHandleRequestV2;
        /// "DH2C": find a durable or persistent open again.
        durable_reconnect_v2: durable_v2::DurableHandleReconnectV2;
        /// "RqLs": a lease of either version.
        lease: lease::LeaseContext;
        /// "MxAc": tell the maximal access.
        max_access: max_access::QueryMaximalAccess;
        /// "QFid": tell the file's id on disk.
        query_on_disk_id: query_on_disk_id::QueryOnDiskId;
        /// "AlSi": reserve space for a new file.
        allocation_size: allocation_size::AllocationSize;
        /// "TWrp": open an earlier version.
        timewarp: timewarp::TimewarpToken;
        /// "SecD": the descriptor of a new file.
        security_descriptor: security_descriptor::SecurityDescriptorBuffer;
        /// "ExtA": the extended attributes of a new file.
        ext_attributes: ext_attributes::ExtAttributes;
        /// The application instance that opens.
        app_instance_id: app_instance_id::AppInstanceId;
        /// The version of that instance.
        app_instance_version: app_instance_version::AppInstanceVersion;
    }
}

context_record! {
    /// The contexts of a CREATE response.
    CreateResponseContexts {
        /// "DHnQ": the open is durable.
        durable: durable_v1::DurableHandleResponse;
        /// "DH2Q": the open is durable or persistent.
        durable_v2: durable_v2::DurableHandleResponseV2;
        /// "RqLs": the lease as it is now.
        lease: lease::LeaseContext;
        /// "MxAc": the maximal access.
        max_access: max_access::MaximalAccessResponse;
        /// "QFid": the file's id on disk.
        query_on_disk_id: query_on_disk_id::OnDiskId;
    }
}
