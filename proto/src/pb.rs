//! The protobuf messages of the log, of snapshots, and of what nodes and administrators say to
//! each other. Generated from `proto/holdfast`; their services live with who serves them.

/// What nodes do for each other while an administrator has the cluster examined.
pub mod doctor {
    include!(concat!(env!("OUT_DIR"), "/holdfast.doctor.rs"));
}

/// Log entries: what nodes ask the cluster to decide.
pub mod log {
    include!(concat!(env!("OUT_DIR"), "/holdfast.log.rs"));
}

/// What a node keeps of Raft's log on its disk.
pub mod raft_log {
    include!(concat!(env!("OUT_DIR"), "/holdfast.raft_log.rs"));
}

/// Snapshots of the replicated state.
pub mod snapshot {
    include!(concat!(env!("OUT_DIR"), "/holdfast.snapshot.rs"));
}
