//! Compiles every protobuf definition below `proto/holdfast`, without `protoc`. Services are left
//! to the crates that serve them.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut files: Vec<PathBuf> = std::fs::read_dir("proto/holdfast")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|ext| ext == "proto"));
    files.sort();
    let descriptors = protox::compile(&files, ["proto"])?;
    // Entries share their bytes with the log instead of copying them.
    prost_build::Config::new().bytes([".holdfast.raft_log"]).compile_fds(descriptors)?;
    Ok(())
}
