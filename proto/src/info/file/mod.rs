//! Information about one file ([MS-FSCC] 2.4), to be queried, set, or both.

mod access;
mod alignment;
mod all;
mod allocation;
mod attribute_tag;
mod basic;
mod compression;
mod disposition;
mod ea;
mod end_of_file;
mod full_ea;
mod id;
mod internal;
mod mode;
mod name;
mod network_open;
mod pipe;
mod position;
mod rename;
mod standard;
mod stream;

pub use access::FileAccessInformation;
pub use alignment::FileAlignmentInformation;
pub use all::FileAllInformation;
pub use allocation::FileAllocationInformation;
pub use attribute_tag::FileAttributeTagInformation;
pub use basic::FileBasicInformation;
pub use compression::FileCompressionInformation;
pub use disposition::{DispositionFlags, FileDispositionInformation, FileDispositionInformationEx};
pub use ea::FileEaInformation;
pub use end_of_file::FileEndOfFileInformation;
pub use full_ea::{EaEntry, FileFullEaInformation, FileGetEaInformation, NEED_EA};
pub use id::FileIdInformation;
pub use internal::FileInternalInformation;
pub use mode::FileModeInformation;
pub use name::{FileAlternateNameInformation, FileNameInformation, FileNormalizedNameInformation};
pub use network_open::FileNetworkOpenInformation;
pub use pipe::{FilePipeInformation, FilePipeLocalInformation};
pub use position::FilePositionInformation;
pub use rename::{
    FileLinkInformation, FileRenameInformation, FileRenameInformationEx, RenameFlags,
};
pub use standard::FileStandardInformation;
pub use stream::{FileStreamInformation, StreamEntry};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::info::check::round_trip;
    use crate::info::{Fit, Information};
    use crate::types::{AccessMask, FileAttributes, FileTime};
    use crate::wire::{Reader, Writer};

    fn basic() -> FileBasicInformation {
        FileBasicInformation {
            creation_time: FileTime(1),
            last_access_time: FileTime(2),
            last_write_time: FileTime(3),
            change_time: FileTime(u64::MAX),
            attributes: FileAttributes::ARCHIVE,
        }
    }

    fn standard() -> FileStandardInformation {
        FileStandardInformation {
            allocation_size: 4096,
            end_of_file: 11,
            number_of_links: 2,
            delete_pending: true,
            directory: false,
        }
    }

    /// The sizes are those of [MS-FSCC].
    #[test]
    fn fixed_layouts() {
        round_trip(basic(), 40);
        round_trip(standard(), 24);
        round_trip(FileInternalInformation { index_number: 9 }, 8);
        round_trip(FileEaInformation { ea_size: 9 }, 4);
        round_trip(FileAccessInformation { access: AccessMask::FILE_ALL }, 4);
        round_trip(FilePositionInformation { current_byte_offset: -9 }, 8);
        round_trip(FileModeInformation { mode: 2 }, 4);
        round_trip(FileAlignmentInformation { alignment_requirement: 0 }, 4);
        round_trip(FileNetworkOpenInformation { end_of_file: 7, ..Default::default() }, 56);
        round_trip(FileAttributeTagInformation { reparse_tag: 7, ..Default::default() }, 8);
        round_trip(FileCompressionInformation { chunk_shift: 7, ..Default::default() }, 16);
        round_trip(FileIdInformation { volume_serial_number: 7, file_id: [3; 16] }, 24);
        round_trip(FileDispositionInformation { delete_pending: true }, 1);
        round_trip(FileDispositionInformationEx { flags: DispositionFlags::DELETE }, 4);
        round_trip(FileAllocationInformation { allocation_size: -1 }, 8);
        round_trip(FileEndOfFileInformation { end_of_file: -1 }, 8);
        round_trip(FilePipeInformation { read_mode: 1, completion_mode: 0 }, 8);
        round_trip(FilePipeLocalInformation { state: 3, ..Default::default() }, 40);
    }

    #[test]
    fn layouts_with_text() {
        round_trip(FileNameInformation { name: "DÖC~1.TXT".to_owned() }, 4 + 18);
        let all = FileAllInformation {
            basic: basic(),
            standard: standard(),
            name: FileNameInformation { name: "\\a\\b".to_owned() },
            ..Default::default()
        };
        round_trip(all, 100 + 8);
        let rename = FileRenameInformation {
            replace_if_exists: true,
            root_directory: 0,
            name: "dir\\new".to_owned(),
        };
        round_trip(rename, 20 + 14);
        let rename = FileRenameInformationEx {
            flags: RenameFlags::POSIX_SEMANTICS,
            root_directory: 0,
            name: "n".to_owned(),
        };
        round_trip(rename, 20 + 2);
    }

    #[test]
    fn a_buffer_that_is_too_small_gets_the_beginning() {
        let name = FileNameInformation { name: "a long name".to_owned() };
        assert_eq!(name.fit(8), Fit::Cut(name.to_bytes().slice(..8)));
        assert_eq!(name.fit(7), Fit::TooSmall);
        assert_eq!(standard().fit(23), Fit::TooSmall);
    }

    #[test]
    fn streams() {
        let streams = FileStreamInformation(vec![
            StreamEntry { name: "::$DATA".to_owned(), size: 5, allocation_size: 8 },
            StreamEntry { name: ":x:$DATA".to_owned(), size: 0, allocation_size: 0 },
        ]);
        let bytes = streams.to_bytes();
        assert_eq!(bytes.len(), 40 + 24 + 16);
        assert_eq!(bytes[..4], 40u32.to_le_bytes());
        assert_eq!(FileStreamInformation::decode(&mut Reader::new(&bytes)), Ok(streams.clone()));
        let Fit::Cut(first) = streams.fit(79) else { panic!("79 bytes are too few") };
        let cut = FileStreamInformation::decode(&mut Reader::new(&first)).unwrap();
        assert_eq!(cut.0, streams.0[..1]);
        assert_eq!(streams.fit(80), Fit::Whole(bytes.clone()));
        let none = FileStreamInformation::decode(&mut Reader::new(&[]));
        assert_eq!(none, Ok(FileStreamInformation::default()));
    }

    #[test]
    fn extended_attributes() {
        let entry = |name: &[u8], value: &[u8]| EaEntry {
            flags: 0,
            name: name.to_vec(),
            value: value.to_vec(),
        };
        let list = FileFullEaInformation(vec![entry(b"ONE", b"value"), entry(b"B", b"")]);
        let bytes = list.to_bytes();
        // 8 + 3 + 1 + 5 bytes, padded to 4; then 8 + 1 + 1.
        assert_eq!(bytes.len(), 20 + 10);
        assert_eq!(FileFullEaInformation::decode(&mut Reader::new(&bytes)), Ok(list.clone()));

        let mut w = Writer::new();
        assert_eq!(list.encode_within(&mut w, 29), 1);
        assert_eq!(w.into_bytes().len(), 17);
        let mut w = Writer::new();
        assert_eq!(list.encode_within(&mut w, 30), 2);

        let names = FileGetEaInformation(vec![b"ONE".to_vec(), b"B".to_vec()]);
        let bytes = names.to_bytes();
        assert_eq!(FileGetEaInformation::decode(&mut Reader::new(&bytes)), Ok(names));
    }

    #[test]
    fn changed_bytes_are_refused_or_read_and_nothing_else() {
        let streams = FileStreamInformation(vec![StreamEntry::default(); 3]).to_bytes();
        let attributes = FileFullEaInformation(vec![EaEntry::default(); 3]).to_bytes();
        for position in 0..streams.len().max(attributes.len()) {
            for value in [1, 4, 0x7F, 0x80, 0xFF] {
                for bytes in [&streams, &attributes] {
                    let mut changed = bytes.to_vec();
                    if let Some(byte) = changed.get_mut(position) {
                        *byte = value;
                    }
                    let _ = FileStreamInformation::decode(&mut Reader::new(&changed));
                    let _ = FileFullEaInformation::decode(&mut Reader::new(&changed));
                    let _ = FileGetEaInformation::decode(&mut Reader::new(&changed));
                    let _ = FileRenameInformation::decode(&mut Reader::new(&changed));
                }
            }
        }
    }
}
