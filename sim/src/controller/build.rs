//! Builds the worker: this very package for the simulator, in the same target directory.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The triple that this machine builds for. It is given, so that build scripts and macros are not
/// built for the simulator, and artefacts of the two worlds do not overwrite each other.
fn host_triple() -> Result<String, Box<dyn Error>> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let told = Command::new(rustc)
        .arg("-vV")
        .output()
        .map_err(|error| format!("cannot start rustc: {error}"))?;
    let told = String::from_utf8(told.stdout)?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc -vV names no host")?.to_owned())
}

/// Builds the worker and returns its path. The planted variant has a feature that must be in no
/// other build; it is copied aside, for the two share a path.
pub fn worker(planted: bool) -> Result<PathBuf, Box<dyn Error>> {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let target_dir = target_dir(manifest_dir);
    let triple = host_triple()?;
    let mut command = Command::new(cargo);
    command
        .arg("build")
        .args(["--quiet", "--package", "holdfast-sim", "--bin", "holdfast-sim"])
        .args(["--target", &triple])
        .arg("--target-dir")
        .arg(&target_dir)
        .current_dir(manifest_dir)
        .env("RUSTFLAGS", "--cfg madsim")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if planted {
        command.args(["--features", "planted"]);
    }
    eprintln!("building the simulated worker{}", if planted { " with planted bugs" } else { "" });
    let status = command.status().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !status.success() {
        return Err("the simulated worker does not build".into());
    }
    let built = target_dir.join(&triple).join("debug").join("holdfast-sim");
    let kept = built.with_file_name(match planted {
        true => "holdfast-sim-worker-planted",
        false => "holdfast-sim-worker",
    });
    // A run that is under way keeps the file that it was started from.
    let fresh = kept.with_extension(std::process::id().to_string());
    std::fs::copy(&built, &fresh).map_err(|error| format!("{}: {error}", built.display()))?;
    std::fs::rename(&fresh, &kept)?;
    Ok(kept)
}

/// Where this program was built, or what the environment says.
fn target_dir(manifest_dir: &Path) -> PathBuf {
    if let Some(dir) = std::env::var_os("CARGO_TARGET_DIR") {
        return PathBuf::from(dir);
    }
    let profile_dir = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
    match profile_dir.as_deref().and_then(Path::parent) {
        Some(target) if target.join("CACHEDIR.TAG").exists() => target.to_owned(),
        _ => manifest_dir.join("../target"),
    }
}
