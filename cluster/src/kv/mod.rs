//! Key-value storage for snapshots, node metadata and materialised state.
