//! Reading of the hexadecimal in which test vectors are published.

/// The `N` bytes that `text` spells; blanks are skipped.
pub(crate) fn hex<const N: usize>(text: &str) -> [u8; N] {
    hex_vec(text).try_into().expect("a vector of another length")
}

/// As [`hex`], of any length.
pub(crate) fn hex_vec(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).expect("not a hexadecimal digit") as u8)
        .collect();
    assert!(digits.len().is_multiple_of(2), "half a byte");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
