//! Information about the file system that a share lies on ([MS-FSCC] 2.5).

mod attribute;
mod device;
mod full_size;
mod object_id;
mod sector_size;
mod size;
mod volume;

pub use attribute::{FileFsAttributeInformation, FileSystemAttributes};
pub use device::{
    DEVICE_DISK, DEVICE_IS_MOUNTED, DEVICE_NAMED_PIPE, FileFsDeviceInformation, READ_ONLY_DEVICE,
};
pub use full_size::FileFsFullSizeInformation;
pub use object_id::FileFsObjectIdInformation;
pub use sector_size::{ALIGNED_DEVICE, FileFsSectorSizeInformation, PARTITION_ALIGNED_ON_DEVICE};
pub use size::FileFsSizeInformation;
pub use volume::FileFsVolumeInformation;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::info::check::round_trip;
    use crate::types::{FileTime, Guid};

    /// The sizes are those of [MS-FSCC].
    #[test]
    fn layouts() {
        let volume = FileFsVolumeInformation {
            creation_time: FileTime(5),
            serial_number: 6,
            supports_objects: true,
            label: "demo".to_owned(),
        };
        round_trip(volume, 18 + 8);
        let size = FileFsSizeInformation { bytes_per_sector: 512, ..Default::default() };
        round_trip(size, 24);
        let size = FileFsFullSizeInformation { bytes_per_sector: 512, ..Default::default() };
        round_trip(size, 32);
        round_trip(FileFsDeviceInformation { device_type: DEVICE_DISK, characteristics: 1 }, 8);
        let attribute = FileFsAttributeInformation {
            attributes: FileSystemAttributes::NAMED_STREAMS,
            maximum_component_name_length: 255,
            file_system_name: "NTFS".to_owned(),
        };
        round_trip(attribute, 12 + 8);
        let id = FileFsObjectIdInformation { object_id: Guid([1; 16]), extended_info: [2; 48] };
        round_trip(id, 64);
        round_trip(FileFsSectorSizeInformation { flags: 3, ..Default::default() }, 28);
    }
}
