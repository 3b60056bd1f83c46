//! The program under test: the one that HOLDFAST_BIN names, or this clone's release build.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the program lies; builds it if it is this clone's and missing.
pub fn program() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("HOLDFAST_BIN") {
        let named = PathBuf::from(named);
        return match named.is_file() {
            true => Ok(named),
            false => Err(format!("HOLDFAST_BIN names {}, which is not there", named.display())),
        };
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let found = root.join(target).join("release/holdfast");
    if !found.is_file() {
        println!("building the program under test (cargo build --release) ...");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--release", "-p", "holdfast-server"])
            .current_dir(root)
            .status()
            .map_err(|error| format!("cargo cannot be run: {error}"))?;
        if !built.success() || !found.is_file() {
            return Err(format!(
                "{} cannot be built; or name one by HOLDFAST_BIN",
                found.display()
            ));
        }
    }
    Ok(found)
}
