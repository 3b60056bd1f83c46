//! SMB2_RDMA_TRANSFORM_CAPABILITIES ([MS-SMB2] 2.2.3.1.6).

use super::{NegotiateContext, NegotiateContextType, count, identifiers};
use crate::wire::{DecodeError, Reader, Writer, open_enum};

open_enum! {
    /// What may be done to data that travels by RDMA.
    RdmaTransformId: u16 {
        NONE = 0x0000;
        ENCRYPTION = 0x0001;
        SIGNING = 0x0002;
    }
}

/// Transforms of data that travels by RDMA.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RdmaTransformCapabilities {
    pub rdma_transform_ids: Vec<RdmaTransformId>,
}

impl NegotiateContext for RdmaTransformCapabilities {
    const TYPE: NegotiateContextType = NegotiateContextType::RDMA_TRANSFORM_CAPABILITIES;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let transforms = r.u16()?;
        r.skip(6)?;
        let rdma_transform_ids = identifiers(r, transforms, RdmaTransformId)?;
        Ok(RdmaTransformCapabilities { rdma_transform_ids })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(count(&self.rdma_transform_ids));
        w.zeros(6);
        for id in &self.rdma_transform_ids {
            w.u16(id.0);
        }
    }
}
