//! FileRenameInformation and FileLinkInformation in the form of SMB2 ([MS-FSCC] 2.4.42.2,
//! 2.4.28.2), which are laid out alike, and FileRenameInformationEx (2.4.43).

use crate::info::Information;
use crate::types::flags::wire_flags;
use crate::wire::{DecodeError, Reader, Writer};

wire_flags! {
    /// Flags of FileRenameInformationEx. Those of FileLinkInformationEx have the same values.
    RenameFlags: u32 {
        REPLACE_IF_EXISTS = 0x01;
        POSIX_SEMANTICS = 0x02;
        SUPPRESS_PIN_STATE_INHERITANCE = 0x04;
        SUPPRESS_STORAGE_RESERVE_INHERITANCE = 0x08;
        NO_INCREASE_AVAILABLE_SPACE = 0x10;
        NO_DECREASE_AVAILABLE_SPACE = 0x20;
        IGNORE_READONLY_ATTRIBUTE = 0x40;
    }
}

/// A new name for the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileRenameInformation {
    /// True to take the place of a file that has the name already.
    pub replace_if_exists: bool,
    /// 0 over a network.
    pub root_directory: u64,
    /// The path from the share's root, or `:stream:type` for a stream.
    pub name: String,
}

/// Another name for the file, beside the one that it has.
pub type FileLinkInformation = FileRenameInformation;

impl Information for FileRenameInformation {
    const MINIMUM: usize = 24;

    fn encode(&self, w: &mut Writer) {
        w.u8(u8::from(self.replace_if_exists));
        w.zeros(7);
        encode_target(w, self.root_directory, &self.name);
    }

    fn decode(r: &mut Reader<'_>) -> Result<FileRenameInformation, DecodeError> {
        let replace_if_exists = r.u8()? != 0;
        r.skip(7)?;
        let (root_directory, name) = decode_target(r)?;
        Ok(FileRenameInformation { replace_if_exists, root_directory, name })
    }
}

/// A new name for the file, with more to say about it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileRenameInformationEx {
    /// How to go about it.
    pub flags: RenameFlags,
    /// 0 over a network.
    pub root_directory: u64,
    /// The path from the share's root, or `:stream:type` for a stream.
    pub name: String,
}

impl Information for FileRenameInformationEx {
    const MINIMUM: usize = 24;

    fn encode(&self, w: &mut Writer) {
        w.u32(self.flags.0);
        w.zeros(4);
        encode_target(w, self.root_directory, &self.name);
    }

    fn decode(r: &mut Reader<'_>) -> Result<FileRenameInformationEx, DecodeError> {
        let flags = RenameFlags(r.u32()?);
        r.skip(4)?;
        let (root_directory, name) = decode_target(r)?;
        Ok(FileRenameInformationEx { flags, root_directory, name })
    }
}

fn encode_target(w: &mut Writer, root_directory: u64, name: &str) {
    w.u64(root_directory);
    let length = w.slot32();
    let written = w.measured(|w| w.utf16(name));
    w.fill32(length, written);
}

fn decode_target(r: &mut Reader<'_>) -> Result<(u64, String), DecodeError> {
    let root_directory = r.u64()?;
    let length = r.u32()? as usize;
    Ok((root_directory, r.utf16(length)?))
}
