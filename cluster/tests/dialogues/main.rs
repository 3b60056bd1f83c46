//! Dialogues with the state machine: `testdata/<topic>/<story>.txt`, commands and what came of
//! them. Every entry goes through its bytes, every state through a snapshot, and the invariants
//! are checked after each.
//!
//! `REWRITE=1 cargo test -p holdfast-cluster --test dialogues` writes the answers anew.

mod show;
mod words;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use world::World;

fn stories(dir: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            stories(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            found.push(path);
        }
    }
}

/// Runs a story and returns it with the answers of this code. Comments and blank lines stay.
fn play(text: &str) -> String {
    let mut world = World::new();
    let mut told = String::new();
    let mut in_answer = false;
    let mut asked = Vec::new();
    for line in text.lines().chain([""]) {
        if in_answer {
            in_answer = !line.is_empty();
            continue;
        }
        if line == "----" {
            told.push_str("----\n");
            for line in asked.drain(..) {
                told.push_str(&world.answer(line));
            }
            told.push('\n');
            in_answer = true;
        } else if line.starts_with('#') {
            told.push_str(line);
            told.push('\n');
        } else if !line.is_empty() {
            asked.push(line);
            told.push_str(line);
            told.push('\n');
        } else if told.ends_with('\n') && told.lines().last().is_some_and(|l| l.starts_with('#')) {
            told.push('\n');
        }
    }
    assert!(asked.is_empty(), "commands without an answer: {asked:?}");
    told
}

#[test]
fn dialogues() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut found = Vec::new();
    stories(&root, &mut found);
    assert!(!found.is_empty());
    let mut differing = Vec::new();
    for path in found {
        let written = fs::read_to_string(&path).unwrap();
        let told = play(&written);
        if told == written {
            continue;
        }
        if std::env::var_os("REWRITE").is_some() {
            fs::write(&path, told).unwrap();
        } else {
            for (line, (a, b)) in written.lines().zip(told.lines()).enumerate() {
                if a != b {
                    differing.push(format!("{}:{}: {a:?}, now {b:?}", path.display(), line + 1));
                    break;
                }
            }
            differing.push(format!("{} differs", path.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
