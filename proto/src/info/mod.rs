//! Information classes ([MS-FSCC] 2.4, 2.5): what QUERY_INFO, SET_INFO, QUERY_DIRECTORY and
//! CLOSE carry in their buffers.
//!
//! Each class is a struct of plain values in a file of its own. A class that nobody named is a
//! number like any other: whether it is served is the caller's matter.

mod field;

pub mod directory;
pub mod file;
pub mod filesystem;

use bytes::Bytes;

use crate::wire::{DecodeError, Reader, Writer, open_enum};

open_enum! {
    /// Classes of information about a file ([MS-FSCC] 2.4).
    FileInformationClass: u8 {
        DIRECTORY = 1;
        FULL_DIRECTORY = 2;
        BOTH_DIRECTORY = 3;
        BASIC = 4;
        STANDARD = 5;
        INTERNAL = 6;
        EA = 7;
        ACCESS = 8;
        NAME = 9;
        RENAME = 10;
        LINK = 11;
        NAMES = 12;
        DISPOSITION = 13;
        POSITION = 14;
        FULL_EA = 15;
        MODE = 16;
        ALIGNMENT = 17;
        ALL_INFORMATION = 18;
        ALLOCATION = 19;
        END_OF_FILE = 20;
        ALTERNATE_NAME = 21;
        STREAM = 22;
        PIPE = 23;
        PIPE_LOCAL = 24;
        PIPE_REMOTE = 25;
        COMPRESSION = 28;
        OBJECT_ID = 29;
        QUOTA = 32;
        REPARSE_POINT = 33;
        NETWORK_OPEN = 34;
        ATTRIBUTE_TAG = 35;
        ID_BOTH_DIRECTORY = 37;
        ID_FULL_DIRECTORY = 38;
        VALID_DATA_LENGTH = 39;
        SHORT_NAME = 40;
        HARD_LINK = 46;
        NORMALIZED_NAME = 48;
        STANDARD_LINK = 54;
        ID = 59;
        ID_EXTD_DIRECTORY = 60;
        ID_EXTD_BOTH_DIRECTORY = 63;
        DISPOSITION_EX = 64;
        RENAME_EX = 65;
        LINK_EX = 72;
    }
}

open_enum! {
    /// Classes of information about a file system ([MS-FSCC] 2.5).
    FileSystemInformationClass: u8 {
        VOLUME = 1;
        LABEL = 2;
        SIZE = 3;
        DEVICE = 4;
        ATTRIBUTE = 5;
        CONTROL = 6;
        FULL_SIZE = 7;
        OBJECT_ID = 8;
        DRIVER_PATH = 9;
        VOLUME_FLAGS = 10;
        SECTOR_SIZE = 11;
    }
}

/// One information class: its layout, both ways.
pub trait Information: Sized {
    /// The smallest output buffer that a query may offer. One that is smaller is refused with
    /// INFO_LENGTH_MISMATCH; one that holds this much but not the whole gets what fits, with
    /// BUFFER_OVERFLOW. Where text follows, this is the size of the structure with one
    /// character, rounded up: what file systems have always asked for.
    const MINIMUM: usize;

    /// Appends the information.
    fn encode(&self, w: &mut Writer);

    /// Reads the information. What follows it is left to the caller.
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// The information, all of it.
    fn to_bytes(&self) -> Bytes {
        let mut w = Writer::new();
        self.encode(&mut w);
        w.into_bytes()
    }

    /// The information as far as it fits into `limit` bytes.
    fn fit(&self, limit: usize) -> Fit {
        if limit < Self::MINIMUM {
            return Fit::TooSmall;
        }
        let bytes = self.to_bytes();
        if bytes.len() <= limit { Fit::Whole(bytes) } else { Fit::Cut(bytes.slice(..limit)) }
    }
}

/// How information fits into the buffer that a query offered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fit {
    /// All of it: SUCCESS.
    Whole(Bytes),
    /// Its beginning: BUFFER_OVERFLOW.
    Cut(Bytes),
    /// Not even the fixed part: INFO_LENGTH_MISMATCH.
    TooSmall,
}

/// Calls a macro with every structure that is one information class or several of the same
/// layout: the one list that fuzzing and the goldens read. Listings have a list of their own,
/// [`directory::DirectoryClass::ALL`].
#[macro_export]
macro_rules! for_each_information {
    ($callback:ident) => {
        $callback! {
            file::FileAccessInformation
            file::FileAlignmentInformation
            file::FileAllInformation
            file::FileAllocationInformation
            file::FileAttributeTagInformation
            file::FileBasicInformation
            file::FileCompressionInformation
            file::FileDispositionInformation
            file::FileDispositionInformationEx
            file::FileEaInformation
            file::FileEndOfFileInformation
            file::FileFullEaInformation
            file::FileGetEaInformation
            file::FileIdInformation
            file::FileInternalInformation
            file::FileModeInformation
            file::FileNameInformation
            file::FileNetworkOpenInformation
            file::FilePipeInformation
            file::FilePipeLocalInformation
            file::FilePositionInformation
            file::FileRenameInformation
            file::FileRenameInformationEx
            file::FileStandardInformation
            file::FileStreamInformation
            filesystem::FileFsAttributeInformation
            filesystem::FileFsDeviceInformation
            filesystem::FileFsFullSizeInformation
            filesystem::FileFsObjectIdInformation
            filesystem::FileFsSectorSizeInformation
            filesystem::FileFsSizeInformation
            filesystem::FileFsVolumeInformation
        }
    };
}

#[cfg(test)]
pub(crate) mod check {
    use super::*;

    /// A value survives both ways, at `length` bytes, and no cut of it is taken for whole.
    pub(crate) fn round_trip<T: Information + PartialEq + core::fmt::Debug>(
        value: T,
        length: usize,
    ) {
        let bytes = value.to_bytes();
        assert_eq!(bytes.len(), length, "{value:?}");
        let mut r = Reader::new(&bytes);
        assert_eq!(T::decode(&mut r).as_ref(), Ok(&value));
        assert!(r.is_empty(), "{} bytes left of {value:?}", r.remaining());
        for cut in 0..length {
            assert!(T::decode(&mut Reader::new(&bytes[..cut])).is_err(), "{value:?} cut at {cut}");
        }
        assert_eq!(value.fit(T::MINIMUM - 1), Fit::TooSmall);
        assert_eq!(value.fit(length.max(T::MINIMUM)), Fit::Whole(bytes));
    }
}
