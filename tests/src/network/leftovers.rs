//! What earlier runners left behind that were killed and could not clean up.

use std::fs;
use std::io;

use super::{NAME, command::ip};
use crate::cluster::is_runner;

/// Takes down the networks of runners that are gone; tells which namespaces those were.
pub fn remove_leftovers() -> Result<Vec<String>, String> {
    let spaces = match fs::read_dir("/run/netns") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|error| format!("/run/netns: {error}"))?,
    };
    let mut removed = Vec::new();
    for space in spaces {
        let space = space.map_err(|error| format!("/run/netns: {error}"))?;
        let space = space.file_name().to_string_lossy().into_owned();
        let rest = space.strip_prefix(NAME).and_then(|rest| rest.split_once('-'));
        let made_by = rest.and_then(|(pid, _)| pid.parse().ok());
        if made_by.is_some_and(|pid| !is_runner(pid)) {
            ip(&["netns", "delete", &space])?;
            removed.push(space);
        }
    }
    Ok(removed)
}
