//! FileFsAttributeInformation ([MS-FSCC] 2.5.1).

use crate::info::Information;
use crate::types::flags::wire_flags;
use crate::wire::{DecodeError, Reader, Writer};

wire_flags! {
    /// What the file system can do.
    FileSystemAttributes: u32 {
        CASE_SENSITIVE_SEARCH = 0x0000_0001;
        CASE_PRESERVED_NAMES = 0x0000_0002;
        UNICODE_ON_DISK = 0x0000_0004;
        PERSISTENT_ACLS = 0x0000_0008;
        FILE_COMPRESSION = 0x0000_0010;
        VOLUME_QUOTAS = 0x0000_0020;
        SUPPORTS_SPARSE_FILES = 0x0000_0040;
        SUPPORTS_REPARSE_POINTS = 0x0000_0080;
        SUPPORTS_REMOTE_STORAGE = 0x0000_0100;
        VOLUME_IS_COMPRESSED = 0x0000_8000;
        SUPPORTS_OBJECT_IDS = 0x0001_0000;
        SUPPORTS_ENCRYPTION = 0x0002_0000;
        NAMED_STREAMS = 0x0004_0000;
        READ_ONLY_VOLUME = 0x0008_0000;
        SUPPORTS_HARD_LINKS = 0x0040_0000;
        SUPPORTS_EXTENDED_ATTRIBUTES = 0x0080_0000;
        SUPPORTS_OPEN_BY_FILE_ID = 0x0100_0000;
        SUPPORTS_BLOCK_REFCOUNTING = 0x0800_0000;
    }
}

/// What the file system can do and what it is called.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileFsAttributeInformation {
    /// What it can do.
    pub attributes: FileSystemAttributes,
    /// The longest name, in characters.
    pub maximum_component_name_length: u32,
    /// The file system's name, which some clients draw conclusions from.
    pub file_system_name: String,
}

impl Information for FileFsAttributeInformation {
    const MINIMUM: usize = 16;

    fn encode(&self, w: &mut Writer) {
        w.u32(self.attributes.0);
        w.u32(self.maximum_component_name_length);
        let length = w.slot32();
        let written = w.measured(|w| w.utf16(&self.file_system_name));
        w.fill32(length, written);
    }

    fn decode(r: &mut Reader<'_>) -> Result<FileFsAttributeInformation, DecodeError> {
        let attributes = FileSystemAttributes(r.u32()?);
        let maximum_component_name_length = r.u32()?;
        let length = r.u32()? as usize;
        let file_system_name = r.utf16(length)?;
        Ok(FileFsAttributeInformation {
            attributes,
            maximum_component_name_length,
            file_system_name,
        })
    }
}
