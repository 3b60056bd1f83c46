//! Fields of fixed size, and one declaration for structures that consist of nothing else.

use crate::types::{AccessMask, FileAttributes, FileTime, Guid};
use crate::wire::{DecodeError, Reader, Writer};

/// A value that always takes the same room.
pub(super) trait Field: Sized {
    const SIZE: usize;
    fn encode(self, w: &mut Writer);
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

macro_rules! field {
    ($type:ty, $size:literal, $value:ident, $w:ident => $encode:expr, $r:ident => $decode:expr) => {
        impl Field for $type {
            const SIZE: usize = $size;
            fn encode(self, $w: &mut Writer) {
                let $value = self;
                $encode
            }
            fn decode($r: &mut Reader<'_>) -> Result<$type, DecodeError> {
                $decode
            }
        }
    };
}

field!(u8, 1, value, w => w.u8(value), r => r.u8());
field!(u16, 2, value, w => w.u16(value), r => r.u16());
field!(u32, 4, value, w => w.u32(value), r => r.u32());
field!(u64, 8, value, w => w.u64(value), r => r.u64());
field!(i64, 8, value, w => w.i64(value), r => r.i64());
// BOOLEAN: anything but zero is true.
field!(bool, 1, value, w => w.u8(u8::from(value)), r => Ok(r.u8()? != 0));
field!(FileTime, 8, value, w => w.file_time(value), r => r.file_time());
field!(Guid, 16, value, w => w.guid(value), r => r.guid());
field!(FileAttributes, 4, value, w => w.u32(value.0), r => r.u32().map(FileAttributes));
field!(AccessMask, 4, value, w => w.u32(value.0), r => r.u32().map(AccessMask));

impl<const N: usize> Field for [u8; N] {
    const SIZE: usize = N;
    fn encode(self, w: &mut Writer) {
        w.bytes(&self);
    }
    fn decode(r: &mut Reader<'_>) -> Result<[u8; N], DecodeError> {
        r.array()
    }
}

/// Declares a structure of fixed fields; `; pad N` after a field stands for reserved bytes,
/// written as zeros and passed over when read.
macro_rules! fixed_info {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$field_meta:meta])* $field:ident : $type:ty $(; pad $pad:literal)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::info::Information for $name {
            const MINIMUM: usize =
                0 $(+ <$type as $crate::info::field::Field>::SIZE $(+ $pad)?)*;

            fn encode(&self, w: &mut $crate::wire::Writer) {
                use $crate::info::field::Field as _;
                $(
                    self.$field.encode(w);
                    $(w.zeros($pad);)?
                )*
            }

            fn decode(
                r: &mut $crate::wire::Reader<'_>,
            ) -> Result<$name, $crate::wire::DecodeError> {
                Ok($name {
                    $($field: {
                        let value = <$type as $crate::info::field::Field>::decode(r)?;
                        $(r.skip($pad)?;)?
                        value
                    },)*
                })
            }
        }
    };
}

pub(super) use fixed_info;
