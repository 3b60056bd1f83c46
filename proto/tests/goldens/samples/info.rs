//! A value of every information class, and a listing of every layout.

use holdfast_proto::info::Information;
use holdfast_proto::info::directory::{DirectoryClass, DirectoryEntry, Listing, decode_listing};
use holdfast_proto::info::file::*;
use holdfast_proto::info::filesystem::*;
use holdfast_proto::types::{AccessMask, FileAttributes, FileTime};

use super::{Sample, guid};

fn sample<I: Information + core::fmt::Debug>(message: &'static str, value: I) -> Sample {
    Sample {
        message,
        case: "plain",
        about: "every field with a value of its own",
        bytes: value.to_bytes(),
        decoded: format!("{value:#?}"),
    }
}

pub fn samples() -> Vec<Sample> {
    let mut samples = fixed();
    samples.extend(with_text());
    samples.extend(filesystem());
    samples.extend(listings());
    samples
}

fn times() -> [FileTime; 4] {
    [1, 2, 3, 4].map(|hour| FileTime(132_000_000_000_000_000 + hour * 36_000_000_000))
}

fn basic() -> FileBasicInformation {
    let [creation_time, last_access_time, last_write_time, change_time] = times();
    FileBasicInformation {
        creation_time,
        last_access_time,
        last_write_time,
        change_time,
        attributes: FileAttributes::ARCHIVE | FileAttributes::HIDDEN,
    }
}

fn standard() -> FileStandardInformation {
    FileStandardInformation {
        allocation_size: 8192,
        end_of_file: 5000,
        number_of_links: 2,
        delete_pending: true,
        directory: false,
    }
}

fn fixed() -> Vec<Sample> {
    let [creation_time, last_access_time, last_write_time, change_time] = times();
    let network_open = FileNetworkOpenInformation {
        creation_time,
        last_access_time,
        last_write_time,
        change_time,
        allocation_size: 8192,
        end_of_file: 5000,
        attributes: FileAttributes::NORMAL,
    };
    let tag = FileAttributeTagInformation {
        attributes: FileAttributes::REPARSE_POINT,
        reparse_tag: 0xA000_000C,
    };
    let compression = FileCompressionInformation {
        compressed_file_size: 4096,
        compression_format: 2,
        compression_unit_shift: 16,
        chunk_shift: 12,
        cluster_shift: 11,
    };
    let id = FileIdInformation { volume_serial_number: 0x1122_3344_5566_7788, file_id: guid(9).0 };
    let ex = FileDispositionInformationEx {
        flags: DispositionFlags::DELETE | DispositionFlags::POSIX_SEMANTICS,
    };
    let pipe_local = FilePipeLocalInformation {
        pipe_type: 1,
        configuration: 2,
        maximum_instances: u32::MAX,
        current_instances: 3,
        inbound_quota: 4,
        read_data_available: 5,
        outbound_quota: 6,
        write_quota_available: 7,
        state: 3,
        end: 1,
    };
    vec![
        sample(
            "info_file_access_information",
            FileAccessInformation { access: AccessMask::FILE_ALL },
        ),
        sample(
            "info_file_alignment_information",
            FileAlignmentInformation { alignment_requirement: 511 },
        ),
        sample(
            "info_file_allocation_information",
            FileAllocationInformation { allocation_size: 1 << 33 },
        ),
        sample("info_file_attribute_tag_information", tag),
        sample("info_file_basic_information", basic()),
        sample("info_file_compression_information", compression),
        sample(
            "info_file_disposition_information",
            FileDispositionInformation { delete_pending: true },
        ),
        sample("info_file_disposition_information_ex", ex),
        sample("info_file_ea_information", FileEaInformation { ea_size: 77 }),
        sample(
            "info_file_end_of_file_information",
            FileEndOfFileInformation { end_of_file: 1 << 33 },
        ),
        sample("info_file_id_information", id),
        sample(
            "info_file_internal_information",
            FileInternalInformation { index_number: 0x0102_0304_0506_0708 },
        ),
        sample("info_file_mode_information", FileModeInformation { mode: 2 }),
        sample("info_file_network_open_information", network_open),
        sample(
            "info_file_pipe_information",
            FilePipeInformation { read_mode: 1, completion_mode: 0 },
        ),
        sample("info_file_pipe_local_information", pipe_local),
        sample(
            "info_file_position_information",
            FilePositionInformation { current_byte_offset: 1 << 33 },
        ),
        sample("info_file_standard_information", standard()),
    ]
}

fn with_text() -> Vec<Sample> {
    let name = FileNameInformation { name: "\\größer\\file.txt".to_owned() };
    let all = FileAllInformation {
        basic: basic(),
        standard: standard(),
        name: name.clone(),
        ..FileAllInformation::default()
    };
    let attribute = |name: &[u8], value: &[u8]| EaEntry {
        flags: NEED_EA,
        name: name.to_vec(),
        value: value.to_vec(),
    };
    let attributes =
        FileFullEaInformation(vec![attribute(b"ONE", b"value"), attribute(b"TWO", b"")]);
    let asked = FileGetEaInformation(vec![b"ONE".to_vec(), b"SECOND".to_vec()]);
    let rename = FileRenameInformation {
        replace_if_exists: true,
        root_directory: 0,
        name: "dir\\new name".to_owned(),
    };
    let rename_ex = FileRenameInformationEx {
        flags: RenameFlags::REPLACE_IF_EXISTS | RenameFlags::POSIX_SEMANTICS,
        root_directory: 0,
        name: "new".to_owned(),
    };
    let stream = |name: &str, size| StreamEntry {
        name: name.to_owned(),
        size,
        allocation_size: size.next_multiple_of(4096),
    };
    let streams = FileStreamInformation(vec![stream("::$DATA", 5000), stream(":x:$DATA", 1)]);
    vec![
        sample("info_file_all_information", all),
        sample("info_file_full_ea_information", attributes),
        sample("info_file_get_ea_information", asked),
        sample("info_file_name_information", name),
        sample("info_file_rename_information", rename),
        sample("info_file_rename_information_ex", rename_ex),
        sample("info_file_stream_information", streams),
    ]
}

fn filesystem() -> Vec<Sample> {
    let attribute = FileFsAttributeInformation {
        attributes: FileSystemAttributes::CASE_PRESERVED_NAMES
            | FileSystemAttributes::NAMED_STREAMS,
        maximum_component_name_length: 255,
        file_system_name: "NTFS".to_owned(),
    };
    let device =
        FileFsDeviceInformation { device_type: DEVICE_DISK, characteristics: DEVICE_IS_MOUNTED };
    let full_size = FileFsFullSizeInformation {
        total_allocation_units: 1000,
        caller_available_allocation_units: 900,
        actual_available_allocation_units: 950,
        sectors_per_allocation_unit: 8,
        bytes_per_sector: 512,
    };
    let sector_size = FileFsSectorSizeInformation {
        logical_bytes_per_sector: 512,
        physical_bytes_per_sector_for_atomicity: 4096,
        physical_bytes_per_sector_for_performance: 4096,
        effective_physical_bytes_per_sector_for_atomicity: 4096,
        flags: ALIGNED_DEVICE | PARTITION_ALIGNED_ON_DEVICE,
        byte_offset_for_sector_alignment: 1,
        byte_offset_for_partition_alignment: 2,
    };
    let size = FileFsSizeInformation {
        total_allocation_units: 1000,
        available_allocation_units: 900,
        sectors_per_allocation_unit: 8,
        bytes_per_sector: 512,
    };
    let volume = FileFsVolumeInformation {
        creation_time: times()[0],
        serial_number: 0x1234_5678,
        supports_objects: true,
        label: "demo".to_owned(),
    };
    let object_id = FileFsObjectIdInformation { object_id: guid(3), extended_info: [7; 48] };
    vec![
        sample("info_file_fs_attribute_information", attribute),
        sample("info_file_fs_device_information", device),
        sample("info_file_fs_full_size_information", full_size),
        sample("info_file_fs_object_id_information", object_id),
        sample("info_file_fs_sector_size_information", sector_size),
        sample("info_file_fs_size_information", size),
        sample("info_file_fs_volume_information", volume),
    ]
}

fn folder_of(class: DirectoryClass) -> &'static str {
    match class {
        DirectoryClass::Plain => "info_listing_plain",
        DirectoryClass::Full => "info_listing_full",
        DirectoryClass::Both => "info_listing_both",
        DirectoryClass::Names => "info_listing_names",
        DirectoryClass::IdBoth => "info_listing_id_both",
        DirectoryClass::IdFull => "info_listing_id_full",
        DirectoryClass::IdExtd => "info_listing_id_extd",
        DirectoryClass::IdExtdBoth => "info_listing_id_extd_both",
    }
}

fn listings() -> Vec<Sample> {
    let [creation_time, last_access_time, last_write_time, change_time] = times();
    let entry = |name: &str, short_name: &str| DirectoryEntry {
        name: name.to_owned(),
        short_name: short_name.to_owned(),
        file_index: 1,
        creation_time,
        last_access_time,
        last_write_time,
        change_time,
        end_of_file: 5000,
        allocation_size: 8192,
        attributes: FileAttributes::ARCHIVE,
        ea_size: 77,
        reparse_tag: 0xA000_000C,
        file_id: 0x0F0E_0D0C_0B0A_0908_0706_0504_0302_0100,
    };
    let entries = [entry("a rather long name.txt", "ARATHE~1.TXT"), entry("Ω", "")];
    DirectoryClass::ALL
        .into_iter()
        .map(|class| {
            let mut listing = Listing::new(class, 4096);
            assert!(entries.iter().all(|entry| listing.push(entry)));
            let bytes = listing.finish();
            // A layout leaves things out: what it says is what it gives back.
            let decoded = format!("{:#?}", decode_listing(class, &bytes).unwrap());
            Sample {
                message: folder_of(class),
                case: "two_entries",
                about: "two entries, the first with an 8.3 name",
                bytes,
                decoded,
            }
        })
        .collect()
}
