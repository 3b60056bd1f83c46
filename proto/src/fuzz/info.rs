//! Information classes and listings, each tried on the same bytes.

use crate::for_each_information;
use crate::info::directory::{DirectoryClass, Listing, decode_listing};
use crate::info::{self, Information};
use crate::wire::Reader;

fn information<I: Information + PartialEq + core::fmt::Debug>(bytes: &[u8]) {
    if let Ok(value) = I::decode(&mut Reader::new(bytes)) {
        assert_eq!(I::decode(&mut Reader::new(&value.to_bytes())), Ok(value));
    }
}

/// Any class, and any layout of a listing.
pub(super) fn classes(bytes: &[u8]) {
    macro_rules! each {
        ($($family:ident :: $name:ident)*) => {
            $(information::<info::$family::$name>(bytes);)*
        };
    }
    for_each_information!(each);
    for class in DirectoryClass::ALL {
        let Ok(entries) = decode_listing(class, bytes) else { continue };
        let mut listing = Listing::new(class, usize::MAX);
        assert!(entries.iter().all(|entry| listing.push(entry)));
        assert_eq!(decode_listing(class, &listing.finish()), Ok(entries));
    }
}
