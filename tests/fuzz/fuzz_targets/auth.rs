//! Tokens of SPNEGO and NTLM.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| holdfast_proto::fuzz::run("auth", bytes));
