//! Payloads of control codes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| holdfast_proto::fuzz::run("fsctl", bytes));
