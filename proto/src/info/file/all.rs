//! FileAllInformation ([MS-FSCC] 2.4.2).

use super::{
    FileAccessInformation, FileAlignmentInformation, FileBasicInformation, FileEaInformation,
    FileInternalInformation, FileModeInformation, FileNameInformation, FilePositionInformation,
    FileStandardInformation,
};
use crate::info::Information;
use crate::wire::{DecodeError, Reader, Writer};

/// Nine classes in one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileAllInformation {
    /// Times and attributes.
    pub basic: FileBasicInformation,
    /// Sizes and links.
    pub standard: FileStandardInformation,
    /// The file's number.
    pub internal: FileInternalInformation,
    /// Size of the extended attributes.
    pub ea: FileEaInformation,
    /// Granted rights.
    pub access: FileAccessInformation,
    /// The file pointer.
    pub position: FilePositionInformation,
    /// The open's mode.
    pub mode: FileModeInformation,
    /// The device's alignment.
    pub alignment: FileAlignmentInformation,
    /// The path from the share's root, with a leading backslash.
    pub name: FileNameInformation,
}

impl Information for FileAllInformation {
    const MINIMUM: usize = 104;

    fn encode(&self, w: &mut Writer) {
        self.basic.encode(w);
        self.standard.encode(w);
        self.internal.encode(w);
        self.ea.encode(w);
        self.access.encode(w);
        self.position.encode(w);
        self.mode.encode(w);
        self.alignment.encode(w);
        self.name.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<FileAllInformation, DecodeError> {
        Ok(FileAllInformation {
            basic: FileBasicInformation::decode(r)?,
            standard: FileStandardInformation::decode(r)?,
            internal: FileInternalInformation::decode(r)?,
            ea: FileEaInformation::decode(r)?,
            access: FileAccessInformation::decode(r)?,
            position: FilePositionInformation::decode(r)?,
            mode: FileModeInformation::decode(r)?,
            alignment: FileAlignmentInformation::decode(r)?,
            name: FileNameInformation::decode(r)?,
        })
    }
}
