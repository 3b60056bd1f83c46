//! FileFsVolumeInformation ([MS-FSCC] 2.5.9).

use crate::info::Information;
use crate::types::FileTime;
use crate::wire::{DecodeError, Reader, Writer};

/// What the volume is called.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileFsVolumeInformation {
    /// When the volume was made.
    pub creation_time: FileTime,
    /// The serial number, which clients tell volumes apart by.
    pub serial_number: u32,
    /// True if the file system has object ids.
    pub supports_objects: bool,
    /// The label.
    pub label: String,
}

impl Information for FileFsVolumeInformation {
    const MINIMUM: usize = 24;

    fn encode(&self, w: &mut Writer) {
        w.file_time(self.creation_time);
        w.u32(self.serial_number);
        let length = w.slot32();
        w.u8(u8::from(self.supports_objects));
        w.u8(0);
        let written = w.measured(|w| w.utf16(&self.label));
        w.fill32(length, written);
    }

    fn decode(r: &mut Reader<'_>) -> Result<FileFsVolumeInformation, DecodeError> {
        let creation_time = r.file_time()?;
        let serial_number = r.u32()?;
        let length = r.u32()? as usize;
        let supports_objects = r.u8()? != 0;
        r.skip(1)?;
        let label = r.utf16(length)?;
        Ok(FileFsVolumeInformation { creation_time, serial_number, supports_objects, label })
    }
}
