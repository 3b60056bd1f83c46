//! Golden messages: `testdata/<message>/<case>.txt` holds bytes and what they say.
//!
//! A file is a comment (`#` lines), the bytes in hexadecimal, a line of four dashes, and the
//! decoded form. Files whose comment begins with `# sample` are made from the values in
//! `samples/`; the others hold bytes that real peers sent. `REWRITE_GOLDENS=1 cargo test -p
//! holdfast-proto --test goldens` writes samples and decoded forms anew: commit only a difference
//! that you understand.

mod decoders;
mod samples;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use bytes::Bytes;
use holdfast_proto::msg::create::{CreateContexts, CreateResponseContexts};
use holdfast_proto::msg::negotiate::NegotiateContexts;
use samples::Sample;

/// One golden file.
struct Golden {
    comment: String,
    bytes: Bytes,
    decoded: String,
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn parse(text: &str) -> Golden {
    let (head, decoded) = text.split_once("\n----\n").expect("four dashes end the bytes");
    let comment: Vec<&str> = head.lines().filter(|line| line.starts_with('#')).collect();
    let digits: Vec<u8> = head
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.bytes().filter(|b| !b.is_ascii_whitespace()))
        .collect();
    let bytes = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect::<Vec<u8>>();
    Golden { comment: comment.join("\n"), bytes: bytes.into(), decoded: decoded.trim_end().into() }
}

fn render(golden: &Golden) -> String {
    let mut text = format!("{}\n", golden.comment);
    for line in golden.bytes.chunks(32) {
        let words: Vec<String> = line
            .chunks(4)
            .map(|word| word.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        text += &words.join(" ");
        text += "\n";
    }
    format!("{text}----\n{}\n", golden.decoded)
}

/// Every golden in the files: message, case, content.
fn read_all() -> Vec<(String, String, Golden)> {
    let mut found = BTreeMap::new();
    for folder in fs::read_dir(testdata()).expect("testdata") {
        let folder = folder.unwrap().path();
        let message = folder.file_name().unwrap().to_string_lossy().into_owned();
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            let case = file.file_stem().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&file).unwrap();
            found.insert((message.clone(), case), parse(&text));
        }
    }
    found.into_iter().map(|((message, case), golden)| (message, case, golden)).collect()
}

/// Writes all goldens anew.
fn rewrite_all() {
    for sample in samples::all() {
        let comment = format!("# sample: {}", sample.about);
        let golden = Golden { comment, bytes: sample.bytes, decoded: sample.decoded };
        write(sample.message, sample.case, &golden);
    }
    for (message, case, mut golden) in read_all() {
        golden.decoded = (decoders::of(&message))(&golden.bytes).expect(&case);
        write(&message, &case, &golden);
    }
}

/// Every golden, after they were written anew if that was asked for.
fn goldens() -> Vec<(String, String, Golden)> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if std::env::var_os("REWRITE_GOLDENS").is_some() {
            rewrite_all();
        }
    });
    read_all()
}

fn write(message: &str, case: &str, golden: &Golden) {
    let folder = testdata().join(message);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{case}.txt")), render(golden)).unwrap();
}

#[test]
fn samples_encode_to_their_goldens_and_come_back() {
    let goldens = goldens();
    for sample in samples::all() {
        let Sample { message, case, bytes, decoded, .. } = sample;
        assert_eq!(decoders::of(message)(&bytes).as_ref(), Ok(&decoded), "{message}/{case}");
        let golden = goldens.iter().find(|(m, c, _)| m == message && c == case);
        let (_, _, golden) = golden.unwrap_or_else(|| panic!("no golden {message}/{case}"));
        assert_eq!(golden.bytes, bytes, "{message}/{case}");
    }
}

#[test]
fn goldens_decode_to_what_they_say() {
    for (message, case, golden) in goldens() {
        let decoded = decoders::of(&message)(&golden.bytes);
        assert_eq!(decoded.as_ref(), Ok(&golden.decoded), "{message}/{case}");
    }
}

#[test]
fn every_message_and_context_has_a_golden() {
    let goldens = goldens();
    for message in decoders::NAMES.iter() {
        assert!(goldens.iter().any(|(name, ..)| name == message), "no golden for {message}");
    }
    for (messages, fields) in [
        ("create_request", CreateContexts::FIELDS),
        ("create_response", CreateResponseContexts::FIELDS),
        ("negotiate_request", NegotiateContexts::FIELDS),
    ] {
        for field in fields {
            let mark = format!("{field}: Some(");
            let seen = |(message, _, golden): &(String, String, Golden)| {
                message == messages && golden.decoded.contains(&mark)
            };
            assert!(goldens.iter().any(seen), "no golden of {messages} with {field}");
        }
    }
}

#[test]
fn truncation_is_an_error_or_a_shorter_message_and_never_a_panic() {
    for (message, _, golden) in goldens() {
        let decode = decoders::of(&message);
        for length in 0..golden.bytes.len() {
            let _ = decode(&golden.bytes.slice(..length));
        }
        // One byte is the whole of the shortest of all, and no byte an empty list.
        if golden.bytes.len() > 1 {
            assert!(decode(&golden.bytes.slice(..1)).is_err(), "{message} in one byte");
        }
    }
}
