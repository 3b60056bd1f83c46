//! SMB2_COMPRESSION_CAPABILITIES ([MS-SMB2] 2.2.3.1.3).

use super::{NegotiateContext, NegotiateContextType, count, identifiers};
use crate::types::wire_flags;
use crate::wire::{DecodeError, Reader, Writer, open_enum};

open_enum! {
    /// Compression algorithms.
    CompressionAlgorithm: u16 {
        NONE = 0x0000;
        LZNT1 = 0x0001;
        LZ77 = 0x0002;
        LZ77_HUFFMAN = 0x0003;
        PATTERN_V1 = 0x0004;
        LZ4 = 0x0005;
    }
}

wire_flags! {
    /// How algorithms may be combined.
    CompressionCapabilityFlags: u32 {
        CHAINED = 0x0000_0001;
    }
}

/// Compression algorithms, the most preferred first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CompressionCapabilities {
    pub flags: CompressionCapabilityFlags,
    pub compression_algorithms: Vec<CompressionAlgorithm>,
}

impl NegotiateContext for CompressionCapabilities {
    const TYPE: NegotiateContextType = NegotiateContextType::COMPRESSION_CAPABILITIES;

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let algorithms = r.u16()?;
        r.skip(2)?;
        let flags = CompressionCapabilityFlags(r.u32()?);
        let compression_algorithms = identifiers(r, algorithms, CompressionAlgorithm)?;
        Ok(CompressionCapabilities { flags, compression_algorithms })
    }

    fn encode(&self, w: &mut Writer) {
        w.u16(count(&self.compression_algorithms));
        w.u16(0);
        w.u32(self.flags.0);
        for algorithm in &self.compression_algorithms {
            w.u16(algorithm.0);
        }
    }
}
