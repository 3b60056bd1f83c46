//! Requests of every command.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| holdfast_proto::fuzz::run("requests", bytes));
