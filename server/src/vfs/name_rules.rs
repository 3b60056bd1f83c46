//! What a component of a path may be called ([MS-FSCC] 2.1.5), decided in one place.
//!
//! The same rules say which names of the storage clients get to see: a name that a client could
//! not say is hidden.

use thiserror::Error;

/// The longest component, in UTF-16 units ([MS-FSCC] 2.1.5).
pub const MAX_NAME_UNITS: usize = 255;

/// The longest component in bytes of UTF-8: what Linux file systems keep. A name of fewer than
/// 256 units can be longer than this; it is refused as too long.
pub const MAX_NAME_BYTES: usize = 255;

/// The folder at the root of a volume in which objects are made before they get their names.
/// Hidden, and unreachable by name.
pub const STAGING_FOLDER: &str = ".holdfast";

/// The folder at the root of a volume in which nodes try out what the storage can do. Hidden, and
/// unreachable by name.
pub const TRIAL_FOLDER: &str = ".holdfast-doctor";

/// Why a component cannot be a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NameRefusal {
    /// Nothing between two separators.
    #[error("it is empty")]
    Empty,
    /// `.` or `..`.
    #[error("it is a dot name")]
    DotName,
    /// Longer than a name can be.
    #[error("it is too long")]
    TooLong,
    /// A control character or one of `"*/:<>?\|`.
    #[error("it holds a reserved character")]
    ReservedCharacter,
    /// Ends in a dot or a space.
    #[error("it ends in a dot or a space")]
    TrailingDotOrSpace,
    /// The server keeps this name for itself.
    #[error("the server keeps this name for itself")]
    Reserved,
}

/// Decides whether `name` can name a file. Wildcards are refused too: a search pattern is not a
/// name.
pub fn check_name(name: &str) -> Result<(), NameRefusal> {
    if name.is_empty() {
        return Err(NameRefusal::Empty);
    }
    if name == "." || name == ".." {
        return Err(NameRefusal::DotName);
    }
    if name.len() > MAX_NAME_BYTES || name.encode_utf16().count() > MAX_NAME_UNITS {
        return Err(NameRefusal::TooLong);
    }
    if name.chars().any(is_reserved) {
        return Err(NameRefusal::ReservedCharacter);
    }
    if name.ends_with(['.', ' ']) {
        return Err(NameRefusal::TrailingDotOrSpace);
    }
    Ok(())
}

/// True when a client can say `name`, so that listings may show it.
pub fn is_sayable(name: &str) -> bool {
    check_name(name).is_ok()
}

/// True for the names of the server's own folders, however they are spelt. It counts at the root of
/// a volume.
pub fn is_own_folder(name: &str) -> bool {
    [STAGING_FOLDER, TRIAL_FOLDER].iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// The longest name of an extended attribute: what Linux keeps, less its `user.` prefix.
pub const MAX_ATTRIBUTE_NAME: usize = 250;

/// Decides whether `name` can name an extended attribute of a client ([MS-FSCC] 2.4.16).
pub fn check_attribute_name(name: &str) -> Result<(), NameRefusal> {
    if name.is_empty() {
        return Err(NameRefusal::Empty);
    }
    if name.len() > MAX_ATTRIBUTE_NAME {
        return Err(NameRefusal::TooLong);
    }
    let reserved = |c: char| is_reserved(c) || matches!(c, '+' | ',' | ';' | '=' | '[' | ']');
    if !name.is_ascii() || name.chars().any(reserved) {
        return Err(NameRefusal::ReservedCharacter);
    }
    if is_own_attribute(name) {
        return Err(NameRefusal::Reserved);
    }
    Ok(())
}

/// True for the extended attributes in which servers keep what is theirs: ours, and those of a
/// Samba that served the tree before.
pub fn is_own_attribute(name: &str) -> bool {
    const OURS: [&str; 4] = ["HOLDFAST.", "DOSATTRIB", "DOSSTREAM.", "SAMBA_PAI"];
    let upper = name.to_ascii_uppercase();
    OURS.iter().any(|own| upper.starts_with(own))
}

/// Characters that no component may hold: the controls and `"*/:<>?\|`.
fn is_reserved(c: char) -> bool {
    matches!(c, '\0'..='\x1f' | '"' | '*' | '/' | ':' | '<' | '>' | '?' | '\\' | '|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_pass() {
        for name in ["a", ".profile", "a b", "ÄÖ.txt", "con", "日本語", "a..b", "~$x.docx"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        assert_eq!(check_name(&"x".repeat(255)), Ok(()));
    }

    #[test]
    fn names_that_are_refused() {
        use NameRefusal::*;
        for (name, why) in [
            ("", Empty),
            (".", DotName),
            ("..", DotName),
            ("a/b", ReservedCharacter),
            ("a\\b", ReservedCharacter),
            ("a:b", ReservedCharacter),
            ("a\0", ReservedCharacter),
            ("a\x1f", ReservedCharacter),
            ("*.txt", ReservedCharacter),
            ("a?", ReservedCharacter),
            ("a\"", ReservedCharacter),
            ("<", ReservedCharacter),
            (">", ReservedCharacter),
            ("|", ReservedCharacter),
            ("a.", TrailingDotOrSpace),
            ("a ", TrailingDotOrSpace),
            ("...", TrailingDotOrSpace),
        ] {
            assert_eq!(check_name(name), Err(why), "{name:?}");
        }
        assert_eq!(check_name(&"x".repeat(256)), Err(TooLong));
        // 100 characters, 300 bytes: sayable, but no Linux file system can keep it.
        assert_eq!(check_name(&"語".repeat(100)), Err(TooLong));
    }
}
