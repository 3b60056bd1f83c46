//! FileCompressionInformation ([MS-FSCC] 2.4.9).

use crate::info::field::fixed_info;

fixed_info! {
    /// How the file is compressed on the storage.
    FileCompressionInformation {
        /// Bytes that it takes there.
        compressed_file_size: u64,
        /// COMPRESSION_FORMAT_NONE is 0.
        compression_format: u16,
        /// Logarithm of the unit of compression.
        compression_unit_shift: u8,
        /// Logarithm of the chunk.
        chunk_shift: u8,
        /// Logarithm of the cluster.
        cluster_shift: u8; pad 3,
    }
}
