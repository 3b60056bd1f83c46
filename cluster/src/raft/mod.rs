//! Raft around the replicated state machine: the only place that names openraft.
//!
//! `type_config` says which types Raft is instantiated with, `runtime` lets it run on real tokio and
//! in the simulator, `log_store` keeps entries and vote in the write-ahead log of [`crate::wal`].

pub mod log_store;
pub mod runtime;
pub mod type_config;
