//! The segmented write-ahead log that holds Raft entries, votes and marks.
