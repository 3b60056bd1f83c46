//! Length prefixes, compounds, encrypted frames, the old protocol's way in.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| holdfast_proto::fuzz::run("frames", bytes));
