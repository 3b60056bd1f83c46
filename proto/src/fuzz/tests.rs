//! The short run: every target over every golden that suits it, whole, truncated and mutated in
//! ways that break decoders, always the same ones.

use std::fs;
use std::path::Path;

use super::TARGETS;

/// The bytes of the goldens in folders that `seeds` name.
fn goldens(seeds: &[&str]) -> Vec<Vec<u8>> {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut found = Vec::new();
    for folder in fs::read_dir(testdata).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !seeds.iter().any(|seed| name.starts_with(seed) || name.ends_with(seed)) {
            continue;
        }
        for file in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            found.push(bytes_of(&text));
        }
    }
    found
}

fn bytes_of(golden: &str) -> Vec<u8> {
    let lines = golden.lines().take_while(|line| *line != "----");
    let digits: String = lines.filter(|line| !line.starts_with('#')).collect();
    let digits: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// Puts every value of `values` over every place of `golden`.
fn overwrite(golden: &[u8], values: &[&[u8]], run: fn(&[u8])) {
    let mut bytes = golden.to_vec();
    for at in 0..golden.len() {
        for value in values {
            let end = (at + value.len()).min(golden.len());
            bytes[at..end].copy_from_slice(&value[..end - at]);
            run(&bytes);
            bytes[at..end].copy_from_slice(&golden[at..end]);
        }
    }
}

#[test]
fn every_target_has_its_program() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let name = target.name;
        let program = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("run(\"{name}\", bytes)")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

#[test]
fn targets_hold_over_mutated_goldens() {
    const VALUES: &[&[u8]] = &[
        &[0],
        &[1],
        &[2],
        &[0x7F],
        &[0x80],
        &[0xFF],
        &[0xFF, 0xFF],
        &[0xFF, 0xFF, 0xFF, 0xFF],
        &[0, 0, 0, 0],
        &[0xF8, 0xFF, 0xFF, 0xFF],
    ];
    for target in TARGETS {
        let goldens = goldens(target.seeds);
        assert!(!goldens.is_empty(), "no seeds for {}", target.name);
        for golden in goldens {
            for length in 0..=golden.len() {
                (target.run)(&golden[..length]);
            }
            overwrite(&golden, VALUES, target.run);
        }
    }
}

#[test]
fn targets_hold_over_bytes_that_are_moved_and_repeated() {
    // A generator of our own, so that every run is the same one.
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for target in TARGETS {
        for golden in goldens(target.seeds) {
            for _ in 0..200 {
                let mut bytes = golden.clone();
                for _ in 0..1 + random(4) {
                    let (from, to) = (random(bytes.len()), random(bytes.len()));
                    let length = random(16).min(bytes.len() - from.max(to));
                    bytes.copy_within(from..from + length, to);
                    bytes[to] ^= 1 << random(8);
                }
                (target.run)(&bytes);
            }
        }
    }
}
