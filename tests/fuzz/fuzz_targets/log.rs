//! What the log and its snapshots hold. A snapshot that is taken is one that restores.

#![no_main]

use holdfast_cluster::encoding::{decode_entry, decode_snapshot};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Both refuse what they would not write again just so.
    drop(decode_entry(bytes));
    drop(decode_snapshot(bytes));
});
