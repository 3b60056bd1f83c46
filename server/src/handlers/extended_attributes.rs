//! Lists of extended attributes that a client sends ([MS-FSCC] 2.4.16): with SET_INFO, and with a
//! CREATE.

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::info::Information;
use holdfast_proto::info::file::{FileFullEaInformation, NEED_EA};
use holdfast_proto::wire::Reader;

use crate::vfs::{NameRefusal, name_rules};

/// Names and values; an empty value takes the attribute away. One that cannot be spoils the list.
pub(super) type Attributes = Vec<(String, Bytes)>;

/// Reads a list. NEED_EA may be set and is not kept: clients that do not know extended attributes
/// are not kept from files.
pub(super) fn parse(list: &Bytes) -> Result<Attributes, NtStatus> {
    let list = FileFullEaInformation::decode(&mut Reader::of(list));
    // [MS-SMB2] 3.3.5.21.1.
    let list = list.map_err(|_| NtStatus::EA_LIST_INCONSISTENT)?;
    let mut attributes = Vec::with_capacity(list.0.len());
    for entry in list.0 {
        // [MS-FSA] 2.1.5.15.6, of names and flags alike.
        let name = String::from_utf8(entry.name).map_err(|_| NtStatus::INVALID_EA_NAME)?;
        if entry.flags & !NEED_EA != 0 {
            return Err(NtStatus::INVALID_EA_NAME);
        }
        match name_rules::check_attribute_name(&name) {
            Ok(()) => attributes.push((name, Bytes::from(entry.value))),
            Err(NameRefusal::Reserved) => return Err(NtStatus::ACCESS_DENIED),
            Err(_) => return Err(NtStatus::INVALID_EA_NAME),
        }
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use holdfast_proto::info::file::EaEntry;
    use holdfast_proto::wire::Writer;

    use super::*;

    fn list(flags: u8, name: &str) -> Bytes {
        let entry = EaEntry { flags, name: name.as_bytes().to_vec(), value: b"1".to_vec() };
        let mut w = Writer::new();
        FileFullEaInformation(vec![entry]).encode(&mut w);
        w.into_bytes()
    }

    #[test]
    fn lists_are_taken_or_refused_as_a_whole() {
        let one = vec![("ONE".to_owned(), Bytes::from_static(b"1"))];
        assert_eq!(parse(&list(0, "ONE")), Ok(one.clone()));
        assert_eq!(parse(&list(NEED_EA, "ONE")), Ok(one));
        for (flags, name) in [(1, "ONE"), (0, ""), (0, "A*"), (0, "\u{e4}")] {
            assert_eq!(parse(&list(flags, name)), Err(NtStatus::INVALID_EA_NAME), "{name}");
        }
        assert_eq!(parse(&list(0, "DOSATTRIB")), Err(NtStatus::ACCESS_DENIED));
        let whole = list(0, "ONE");
        for length in 1..whole.len() {
            let cut = whole.slice(..length);
            assert_eq!(parse(&cut), Err(NtStatus::EA_LIST_INCONSISTENT), "{length}");
        }
    }
}
