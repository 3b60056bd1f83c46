//! Wire enumerations stay open: a value that nobody named is a value, not a decode error.

/// Declares a transparent newtype over an unsigned integer with named constants, the list of
/// them, and a Debug form that tells the name where there is one.
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident : $int:ty { $($(#[$value_meta:meta])* $value_name:ident = $value:expr;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $int);

        #[allow(dead_code)]
        impl $name {
            $($(#[$value_meta])* pub const $value_name: $name = $name($value);)*

            /// Every value that has a name.
            pub const ALL: &'static [$name] = &[$($name($value)),*];

            /// The name as the specification spells it, without its prefix.
            pub fn name(self) -> Option<&'static str> {
                $(
                    if self.0 == $value {
                        return Some(stringify!($value_name));
                    }
                )*
                None
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{:#x}", self.0),
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(self, f)
            }
        }
    };
}

pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    open_enum! {
        /// Two values of many.
        Colour: u16 {
            RED = 1;
            BLUE = 0x10;
        }
    }

    #[test]
    fn known_values_have_names_and_unknown_ones_stay() {
        assert_eq!(format!("{:?} {}", Colour::RED, Colour(0x99)), "RED 0x99");
        assert_eq!(Colour::ALL, [Colour(1), Colour(16)]);
        assert_eq!(Colour(16).name(), Some("BLUE"));
        assert_eq!(Colour(2).name(), None);
    }
}
