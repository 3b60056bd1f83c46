//! FileNameInformation and those who share its layout: FileAlternateNameInformation and
//! FileNormalizedNameInformation ([MS-FSCC] 2.4.32, 2.4.5, 2.4.35).

use crate::info::Information;
use crate::wire::{DecodeError, Reader, Writer};

/// A name: of the whole path, of the 8.3 form, or of the path in its normal form.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileNameInformation {
    /// The name.
    pub name: String,
}

/// The 8.3 name.
pub type FileAlternateNameInformation = FileNameInformation;
/// The path from the share's root, without a leading backslash.
pub type FileNormalizedNameInformation = FileNameInformation;

impl Information for FileNameInformation {
    const MINIMUM: usize = 8;

    fn encode(&self, w: &mut Writer) {
        let length = w.slot32();
        let written = w.measured(|w| w.utf16(&self.name));
        w.fill32(length, written);
    }

    fn decode(r: &mut Reader<'_>) -> Result<FileNameInformation, DecodeError> {
        let length = r.u32()? as usize;
        Ok(FileNameInformation { name: r.utf16(length)? })
    }
}
