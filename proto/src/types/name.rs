//! Names of files: case-preserving, compared without case.
//!
//! Two nodes must fold alike whatever they were built with, so the table is a file of ours, not
//! the toolchain's, and it has a version.

use core::fmt;

/// The version of the fold table. Part of every reservation's meaning: it changes for the whole
/// cluster at once or not at all.
pub const FOLD_VERSION: u32 = 1;

/// A name with its case folded away: what reservations and comparisons use.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FoldedName(String);

impl FoldedName {
    /// Folds `name`, character by character.
    pub fn new(name: &str) -> FoldedName {
        FoldedName(name.chars().map(fold_char).collect())
    }

    /// From text that was folded before, as the log and snapshots keep it.
    pub fn from_folded(folded: String) -> FoldedName {
        FoldedName(folded)
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FoldedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

mod fold_table_v1;

/// Folds one character to its upper case, as version [`FOLD_VERSION`] of the table has it.
pub fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let code = c as u32;
    match fold_table_v1::PAIRS.binary_search_by_key(&code, |pair| pair.0) {
        Ok(at) => char::from_u32(fold_table_v1::PAIRS[at].1).unwrap_or(c),
        Err(_) => c,
    }
}
