//! Packets of RPC and the calls in them.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| holdfast_proto::fuzz::run("rpc", bytes));
