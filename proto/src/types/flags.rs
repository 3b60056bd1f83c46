//! One declaration for every set of bits on the wire. Unknown bits are kept: the codec does not
//! judge them.

/// Declares a transparent set of named bits over an unsigned integer.
macro_rules! wire_flags {
    ($(#[$meta:meta])* $name:ident : $int:ty { $($(#[$bit_meta:meta])* $bit:ident = $value:expr;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $int);

        impl $name {
            $($(#[$bit_meta])* pub const $bit: $name = $name($value);)*
            /// No bit at all.
            pub const NONE: $name = $name(0);

            /// The bits as they stand on the wire.
            pub const fn bits(self) -> $int { self.0 }
            /// True if every bit of `other` is set.
            pub const fn contains(self, other: $name) -> bool { self.0 & other.0 == other.0 }
            /// True if any bit of `other` is set.
            pub const fn intersects(self, other: $name) -> bool { self.0 & other.0 != 0 }
            /// True if no bit is set.
            pub const fn is_empty(self) -> bool { self.0 == 0 }
            /// These bits and those of `other`.
            pub const fn union(self, other: $name) -> $name { $name(self.0 | other.0) }
            /// The bits that both have.
            pub const fn intersection(self, other: $name) -> $name { $name(self.0 & other.0) }
            /// These bits less those of `other`.
            pub const fn without(self, other: $name) -> $name { $name(self.0 & !other.0) }
        }

        impl core::ops::BitOr for $name {
            type Output = $name;
            fn bitor(self, other: $name) -> $name { self.union(other) }
        }

        impl core::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: $name) { self.0 |= other.0; }
        }

        impl core::ops::BitAnd for $name {
            type Output = $name;
            fn bitand(self, other: $name) -> $name { self.intersection(other) }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut rest = self.0;
                let mut first = true;
                $(
                    let value: $int = $value;
                    if value != 0 && rest & value == value {
                        if !first { f.write_str("|")?; }
                        f.write_str(stringify!($bit))?;
                        rest &= !value;
                        first = false;
                    }
                )*
                if rest != 0 || first {
                    if !first { f.write_str("|")?; }
                    write!(f, "{rest:#x}")?;
                }
                Ok(())
            }
        }
    };
}

pub(crate) use wire_flags;
