//! Compiles the admin service: messages and stubs, without an installed `protoc`.

use std::path::PathBuf;
use std::{env, error::Error, fs};

use prost::Message;

const DEFINITION: &str = "../proto/proto/holdfast/admin.proto";
const INCLUDE: &str = "../proto/proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={DEFINITION}");
    let descriptors = PathBuf::from(env::var("OUT_DIR")?).join("admin.descriptors");
    fs::write(&descriptors, protox::compile([DEFINITION], [INCLUDE])?.encode_to_vec())?;
    tonic_build::configure()
        .skip_protoc_run()
        .file_descriptor_set_path(&descriptors)
        .compile_protos(&[DEFINITION], &[INCLUDE])?;
    Ok(())
}
