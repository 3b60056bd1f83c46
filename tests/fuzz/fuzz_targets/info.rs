//! Information classes of files, volumes and listings.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| holdfast_proto::fuzz::run("info", bytes));
