//! What fuzzing runs: for each family of decoders one function that takes any bytes, and the one
//! list of them. Built only for fuzzing and for tests; the ordinary tests run the same functions
//! over mutated goldens.
//!
//! A target must not panic, and what it decoded must survive being encoded and decoded again.

mod auth;
mod frames;
mod fsctl;
mod info;
mod messages;
mod rpc;
mod security;
#[cfg(test)]
mod tests;

/// One family of decoders.
pub struct Target {
    /// The name of the fuzz target.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
    /// The folders of `testdata`, by prefix or suffix, whose goldens are good to start from.
    pub seeds: &'static [&'static str],
}

/// All families.
pub const TARGETS: &[Target] = &[
    Target { name: "requests", run: messages::requests, seeds: &["_request", "_acknowledgment"] },
    Target { name: "responses", run: messages::responses, seeds: &["_response"] },
    Target { name: "frames", run: frames::frames, seeds: &["frame_", "_request"] },
    Target { name: "fsctl", run: fsctl::payloads, seeds: &["fsctl_"] },
    Target { name: "auth", run: auth::tokens, seeds: &["auth_"] },
    Target { name: "info", run: info::classes, seeds: &["info_"] },
    Target { name: "security", run: security::descriptors, seeds: &["security_"] },
    Target { name: "rpc", run: rpc::packets, seeds: &["rpc_"] },
];

/// Runs the target of that name.
pub fn run(name: &str, bytes: &[u8]) {
    if let Some(target) = TARGETS.iter().find(|target| target.name == name) {
        (target.run)(bytes);
    }
}
