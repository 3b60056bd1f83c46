//! What an examination of a volume came to is kept: through snapshots, and until another one.

use holdfast_cluster::command::{Command, ShareSettings, SubmitId, Timers};
use holdfast_cluster::encoding::{decode_entry, decode_snapshot, encode_entry, encode_snapshot};
use holdfast_cluster::outcome::{Outcome, Refusal};
use holdfast_cluster::state::{Entry, State, limits};
use holdfast_proto::types::{Guid, Incarnation, NodeId, VolumeId};

/// Applies to the state as it is after a snapshot and as the log's bytes say.
fn apply(state: &mut State, index: u64, command: Command) -> Outcome {
    let submit = SubmitId { node: NodeId(1), incarnation: Incarnation(0), sequence: index };
    let entry = Entry { elapsed_nanos: 0, submit, command };
    let read = decode_entry(&encode_entry(&entry)).unwrap();
    assert_eq!(read, entry);
    let outcome = state.apply(index, &read).outcome;
    state.check().unwrap();
    let restored = decode_snapshot(&encode_snapshot(state)).unwrap();
    assert_eq!(restored.unfit_volumes(), state.unfit_volumes());
    *state = restored;
    outcome
}

fn share(name: &str, volume: u64, continuously_available: bool) -> Command {
    let settings = ShareSettings {
        name: name.to_owned(),
        comment: String::new(),
        volume: VolumeId(volume),
        path: String::new(),
        continuously_available,
        encrypt: false,
        read_only: false,
        ca_timeout_millis: 0,
    };
    Command::PutShare { settings, replace: false }
}

fn judged(volume: u64, unfit: Option<&str>) -> Command {
    Command::JudgeVolume { volume: VolumeId(volume), unfit: unfit.map(str::to_owned) }
}

fn founding() -> Command {
    Command::FoundCluster {
        cluster_id: Guid([1; 16]),
        server_guid: Guid([2; 16]),
        name: "holdfast".to_owned(),
        timers: Timers::default(),
    }
}

#[test]
fn a_volume_that_failed_takes_no_share_that_is_to_be_available() {
    let mut state = State::default();
    assert_eq!(apply(&mut state, 1, judged(1, None)), Outcome::Refused(Refusal::NotFound));
    assert_eq!(apply(&mut state, 2, founding()), Outcome::Done);
    assert_eq!(apply(&mut state, 3, share("before", 2, true)), Outcome::Done);
    assert_eq!(apply(&mut state, 4, judged(2, Some("data: stale"))), Outcome::Done);
    assert_eq!(apply(&mut state, 5, judged(1, Some("renames"))), Outcome::Done);
    assert_eq!(apply(&mut state, 6, judged(2, Some("removal"))), Outcome::Done);
    assert_eq!(state.unfit_volume(VolumeId(2)), Some("removal"), "the newest counts");
    let before = state.share_by_name("before").unwrap().settings.clone();
    assert!(!state.is_available(&before), "though it asks for it");

    let refused = Outcome::Refused(Refusal::UnfitVolume);
    assert_eq!(apply(&mut state, 7, share("a", 2, true)), refused);
    assert_eq!(apply(&mut state, 8, share("b", 2, false)), Outcome::Done);
    assert_eq!(apply(&mut state, 9, share("c", 3, true)), Outcome::Done);
    // Founding it again is no change, whatever was noted since.
    assert_eq!(apply(&mut state, 10, founding()), Outcome::Done);
    assert_eq!(apply(&mut state, 11, judged(2, None)), Outcome::Done);
    assert_eq!(apply(&mut state, 12, share("a", 2, true)), Outcome::Done);
    assert!(state.is_available(&before));
    assert_eq!(state.unfit_volumes().len(), 1);
}

#[test]
fn what_is_noted_has_bounds() {
    let mut state = State::default();
    apply(&mut state, 1, founding());
    let long = "x".repeat(limits::TEXT_BYTES + 1);
    let invalid = Outcome::Refused(Refusal::InvalidParameter);
    assert_eq!(apply(&mut state, 2, judged(1, Some(&long))), invalid);
    for volume in 0..limits::UNFIT_VOLUMES as u64 {
        assert_eq!(apply(&mut state, 3 + volume, judged(volume, Some("x"))), Outcome::Done);
    }
    let full = Outcome::Refused(Refusal::InsufficientResources);
    assert_eq!(apply(&mut state, 1_000, judged(900, Some("x"))), full);
    assert_eq!(apply(&mut state, 1_001, judged(5, Some("y"))), Outcome::Done);
}
