//! The little of DER (X.690) that SPNEGO needs: definite lengths, single-byte tags.

use crate::wire::DecodeError;

/// Tags, as they stand on the wire.
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0A;
pub(super) const GENERAL_STRING: u8 = 0x1B;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const APPLICATION_0: u8 = 0x60;
pub(super) const CONTEXT_0: u8 = 0xA0;
pub(super) const CONTEXT_1: u8 = 0xA1;
pub(super) const CONTEXT_2: u8 = 0xA2;
pub(super) const CONTEXT_3: u8 = 0xA3;
pub(super) const CONTEXT_4: u8 = 0xA4;

/// One element.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
}

/// Walks the elements that lie side by side in one content.
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(super) fn new(content: &'a [u8]) -> Elements<'a> {
        Elements(content)
    }

    /// The next element, or `None` at the content's end.
    pub(super) fn next(&mut self) -> Result<Option<Element<'a>>, DecodeError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (element, rest) = split(self.0)?;
        self.0 = rest;
        Ok(Some(element))
    }

    /// The content of the next element, which must be there and have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<&'a [u8], DecodeError> {
        match self.next()? {
            Some(element) if element.tag == tag => Ok(element.content),
            Some(_) => Err(DecodeError::Value),
            None => Err(DecodeError::Truncated),
        }
    }

    /// Refuses what follows the last element.
    pub(super) fn finish(&self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }
}

/// The content of the one element that `bytes` consist of.
pub(super) fn only(bytes: &[u8], tag: u8) -> Result<&[u8], DecodeError> {
    let mut elements = Elements::new(bytes);
    let content = elements.expect(tag)?;
    elements.finish()?;
    Ok(content)
}

/// Splits the first element off.
fn split(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), DecodeError> {
    let [tag, first, ..] = *bytes else { return Err(DecodeError::Truncated) };
    // A tag number of 31 would go on in the next byte; SPNEGO has none.
    if tag & 0x1F == 0x1F {
        return Err(DecodeError::Value);
    }
    let (length, header) = match first {
        0x00..=0x7F => (usize::from(first), 2),
        // 0x80 is the indefinite length of BER, which DER forbids.
        0x81..=0x84 => {
            let count = usize::from(first & 0x7F);
            let digits = bytes.get(2..2 + count).ok_or(DecodeError::Truncated)?;
            let length = digits.iter().fold(0u64, |sum, digit| sum << 8 | u64::from(*digit));
            (usize::try_from(length).map_err(|_| DecodeError::Length)?, 2 + count)
        }
        _ => return Err(DecodeError::Length),
    };
    let end = header.checked_add(length).ok_or(DecodeError::Length)?;
    let whole = bytes.get(..end).ok_or(DecodeError::Truncated)?;
    Ok((Element { tag, content: &whole[header..] }, &bytes[end..]))
}

/// Encodes one element whose content is the concatenation of `parts`.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let digits = (length as u64).to_be_bytes();
        let skip = digits.iter().take_while(|digit| **digit == 0).count();
        out.push(0x80 | (digits.len() - skip) as u8);
        out.extend_from_slice(&digits[skip..]);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_form() {
        for length in [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x1_0000] {
            let content = vec![0x5A; length];
            let bytes = element(OCTET_STRING, &[&content]);
            assert_eq!(only(&bytes, OCTET_STRING), Ok(&content[..]), "length {length}");
        }
    }

    #[test]
    fn what_der_forbids() {
        for (bytes, error) in [
            (&[0x04, 0x80, 0x00, 0x00][..], DecodeError::Length),
            (&[0x04, 0x85, 0, 0, 0, 0, 0], DecodeError::Length),
            (&[0x04, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], DecodeError::Truncated),
            (&[0x04, 0x82, 0x01], DecodeError::Truncated),
            (&[0x04, 0x02, 0x00], DecodeError::Truncated),
            (&[0x1F, 0x20, 0x00], DecodeError::Value),
            (&[0x04], DecodeError::Truncated),
            (&[0x04, 0x00, 0x00], DecodeError::TrailingBytes),
            (&[0x30, 0x00], DecodeError::Value),
        ] {
            assert_eq!(only(bytes, OCTET_STRING), Err(error), "{bytes:02x?}");
        }
    }
}
