//! The words of a command line: bare words and `name=value` pairs.

use std::collections::BTreeMap;

use holdfast_cluster::command::{LockRange, Place};
use holdfast_proto::types::{AccessMask, FileKey, Guid, LeaseState, ShareAccess, VolumeId};

pub struct Words<'a> {
    pub name: &'a str,
    pub bare: Vec<&'a str>,
    pairs: BTreeMap<&'a str, &'a str>,
}

impl<'a> Words<'a> {
    pub fn of(line: &'a str) -> Words<'a> {
        let mut parts = line.split_whitespace();
        let name = parts.next().unwrap();
        let mut words = Words { name, bare: Vec::new(), pairs: BTreeMap::new() };
        for part in parts {
            match part.split_once('=') {
                Some((key, value)) => {
                    words.pairs.insert(key, value);
                }
                None => words.bare.push(part),
            }
        }
        words
    }

    pub fn has(&self, word: &str) -> bool {
        self.bare.contains(&word)
    }

    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.pairs.get(key).copied()
    }

    pub fn number(&self, key: &str) -> Option<u64> {
        self.text(key).map(|text| text.parse().unwrap_or_else(|_| panic!("{key}={text}")))
    }

    /// The number in a word such as `o3`, `i1` or `d2`.
    pub fn numbered(&self, prefix: char) -> u64 {
        self.bare
            .iter()
            .find_map(|word| word.strip_prefix(prefix)?.parse().ok())
            .unwrap_or_else(|| panic!("no {prefix}<number> in {}", self.name))
    }
}

pub fn guid(text: &str) -> Guid {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    Guid(bytes)
}

pub fn file(number: u64) -> FileKey {
    FileKey { volume: VolumeId(1), file: u128::from(number) }
}

/// `dir/name`: directories are the files whose number is their name.
pub fn place(path: &str) -> Place {
    let mut above = vec![file(0)];
    let parts: Vec<&str> = path.split('/').collect();
    for part in &parts[..parts.len() - 1] {
        above.push(file(part.parse().expect("directories are named by their number")));
    }
    let parent = above.pop().unwrap();
    Place { parent, ancestors: above, path: path.to_owned() }
}

pub fn access(text: &str) -> AccessMask {
    let mut mask = AccessMask::NONE;
    for letter in text.chars() {
        mask |= match letter {
            'r' => AccessMask::READ_DATA,
            'w' => AccessMask::WRITE_DATA,
            'd' => AccessMask::DELETE,
            's' => AccessMask::READ_ATTRIBUTES,
            _ => panic!("access {text}"),
        };
    }
    mask
}

pub fn share(text: &str) -> ShareAccess {
    let mut share = ShareAccess::NONE;
    for letter in text.chars() {
        share |= match letter {
            'r' => ShareAccess::READ,
            'w' => ShareAccess::WRITE,
            'd' => ShareAccess::DELETE,
            '-' => ShareAccess::NONE,
            _ => panic!("share {text}"),
        };
    }
    share
}

pub fn lease_state(text: &str) -> LeaseState {
    let mut state = LeaseState::NONE;
    for letter in text.chars() {
        state |= match letter {
            'R' => LeaseState::READ,
            'W' => LeaseState::WRITE,
            'H' => LeaseState::HANDLE,
            '-' => LeaseState::NONE,
            _ => panic!("lease {text}"),
        };
    }
    state
}

/// `0+10x`: offset, length, and `x` for an exclusive lock.
pub fn range(text: &str) -> Option<LockRange> {
    let (offset, rest) = text.split_once('+')?;
    let exclusive = rest.ends_with('x');
    let number = |text: &str| match text {
        "max" => Some(u64::MAX),
        _ => text.parse().ok(),
    };
    Some(LockRange {
        offset: number(offset)?,
        length: number(rest.trim_end_matches('x'))?,
        exclusive,
    })
}
