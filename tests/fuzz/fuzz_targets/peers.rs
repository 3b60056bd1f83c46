//! What nodes say to each other: frames, Raft's messages, questions.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| holdfast_cluster::raft::any_bytes::decode(bytes));
