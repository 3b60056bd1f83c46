//! UTF-16LE text, which is what every string of the protocol is.

use super::{DecodeError, MAX_NAME_BYTES};

/// The text that `bytes` spell in UTF-16LE. Half a surrogate pair is refused: it could not be
/// told from another name once it is UTF-8.
pub fn decode_utf16(bytes: &[u8]) -> Result<String, DecodeError> {
    if bytes.len() > MAX_NAME_BYTES {
        return Err(DecodeError::NameTooLong);
    }
    let (units, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(DecodeError::Utf16);
    }
    // Names are mostly ASCII: one pass that looks at nothing else.
    let mut text = Vec::with_capacity(units.len());
    for (at, unit) in units.iter().enumerate() {
        if unit[1] != 0 || unit[0] >= 0x80 {
            return decode_beyond_ascii(text, &units[at..]);
        }
        text.push(unit[0]);
    }
    String::from_utf8(text).map_err(|_| DecodeError::Utf16)
}

/// Goes on from the first character that is not ASCII.
fn decode_beyond_ascii(ascii: Vec<u8>, units: &[[u8; 2]]) -> Result<String, DecodeError> {
    let mut text = String::from_utf8(ascii).map_err(|_| DecodeError::Utf16)?;
    text.reserve(units.len() * 2);
    for c in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
        text.push(c.map_err(|_| DecodeError::Utf16)?);
    }
    Ok(text)
}

/// How many bytes `text` takes in UTF-16LE.
pub fn utf16_len(text: &str) -> usize {
    if text.is_ascii() { text.len() * 2 } else { text.encode_utf16().count() * 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn text_survives_both_ways() {
        for text in ["", "plain.txt", "Grüße\\Ωmega", "😀 pairs", "a😀"] {
            let bytes = encode(text);
            assert_eq!(bytes.len(), utf16_len(text));
            assert_eq!(decode_utf16(&bytes).unwrap(), text);
        }
    }

    #[test]
    fn broken_text_is_refused() {
        assert_eq!(decode_utf16(&[0x61]), Err(DecodeError::Utf16));
        assert_eq!(decode_utf16(&[0x00, 0xD8]), Err(DecodeError::Utf16));
        assert_eq!(decode_utf16(&[0x00, 0xDC, 0x61, 0x00]), Err(DecodeError::Utf16));
        assert_eq!(decode_utf16(&vec![0; MAX_NAME_BYTES + 1]), Err(DecodeError::NameTooLong));
    }
}
