//! The rules of the repository, as tests: who may know whom, what every file says of itself, and
//! how long it may be.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder, and words that its code must not contain, with the reason.
const NEVER_KNOWS: &[(&str, &[&str], &str)] = &[
    (
        "cluster/src/state",
        &["openraft", "tokio", "std::time", "madsim", "getrandom"],
        "the machine is pure",
    ),
    (
        "cluster/src/apply",
        &["openraft", "tokio", "std::time", "madsim", "getrandom"],
        "the machine is pure",
    ),
    ("cluster/src/encoding", &["openraft", "tokio"], "bytes of the log outlive libraries"),
    ("proto/src", &["tokio", "std::net::Tcp", "std::fs", "SystemTime"], "wire formats are pure"),
    ("server/src/core", &["tokio::", "crate::vfs", "holdfast_cluster::"], "the core is sans-IO"),
    (
        "server/src/vfs",
        &["NtStatus", "holdfast_cluster", "crate::dispatch", "crate::session"],
        "the storage decides nothing",
    ),
    ("server/src/handlers", &["openraft", "vfs::local", "vfs::memory"], "handlers know ports"),
    ("server/src/gate", &["NtStatus", "holdfast_proto::msg"], "the gate knows no messages"),
    ("sim/src/clients", &["holdfast_server"], "clients must be able to disagree with the server"),
    ("tests/src", &["holdfast_server", "holdfast_cluster"], "runners judge from outside"),
];

/// Lines that a source file may have; what grows past it is more than one thing. Tables and
/// vocabularies that read from top to bottom are named here with their own bound.
const LINES_MAX: usize = 420;
const LONGER: &[(&str, usize)] =
    &[("cluster/src/command.rs", 520), ("cluster/tests/replicas.rs", 600)];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn sources(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != "fuzz" {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let root = root();
    let mut paths = Vec::new();
    for member in ["proto", "cluster", "server", "sim", "tests"] {
        sources(&root.join(member), &mut paths);
    }
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("a readable source"))
    };
    paths.into_iter().map(read).collect()
}

/// The code without its comments: what it talks about it may name.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn report(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = all_sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!") && !text.starts_with("#!"))
        .map(|(name, _)| name)
        .collect();
    report("files begin with //! and what they are", &silent);
}

#[test]
fn nobody_knows_what_it_must_not() {
    let mut broken = Vec::new();
    for (name, text) in all_sources() {
        for (folder, words, why) in NEVER_KNOWS {
            if !name.starts_with(folder) {
                continue;
            }
            for (number, line) in code(&text) {
                for word in words.iter().filter(|word| line.contains(**word)) {
                    broken.push(format!("{name}:{}: {word} ({why})", number + 1));
                }
            }
        }
    }
    report("layers", &broken);
}

#[test]
fn files_are_one_thing() {
    let mut broken = Vec::new();
    for (name, text) in all_sources() {
        let own = LONGER.iter().find(|(longer, _)| *longer == name);
        let bound = own.map_or(LINES_MAX, |(_, lines)| *lines);
        let lines = text.lines().count();
        if lines > bound {
            broken.push(format!("{name}: {lines} lines, {bound} at most"));
        }
    }
    report("a file that grows becomes a folder", &broken);
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [
        concat!("FIX", "ME"),
        concat!("TO", "DO:"),
        concat!("todo", "!("),
        concat!("unimple", "mented!("),
    ];
    let mut broken = Vec::new();
    for (name, text) in all_sources() {
        for (number, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark))
                || line.contains(concat!("#[ig", "nore"))
            {
                broken.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    report("stubs and ignored tests", &broken);
}
