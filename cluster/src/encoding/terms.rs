//! What commands and the state are made of.

use holdfast_proto::pb::log as pb;
use holdfast_proto::types::Sid;

use super::EncodingError;
use super::record::{choice, record};
use super::value::Encoded;
use crate::command::{
    Durability, FenceProof, LeaseRequest, LockRange, LockSequence, NodeIdentity, NodeLife, OpenRef,
    OpenTerms, Place, ShareSettings, SubmitId, Timers, UserSettings,
};

record!(NodeLife => pb::NodeLife { node: bare, incarnation: bare });
record!(SubmitId => pb::SubmitId { node: bare, incarnation: bare, sequence: bare });
record!(OpenRef => pb::OpenRef { open: bare, generation: bare });
record!(Place => pb::Place { parent: msg, ancestors: many, path: bare });
record!(Sid => pb::Sid { authority: bare, sub_authorities: many });
record!(LeaseRequest => pb::LeaseRequest {
    key: bare, state: bare, parent_key: opt, epoch: bare, version: bare
});
record!(LockRange => pb::LockRange { offset: bare, length: bare, exclusive: bare });
record!(LockSequence => pb::LockSequence { index: bare, number: bare });
record!(NodeIdentity => pb::NodeIdentity {
    name: bare, smb_address: bare, peer_address: bare, boot_id: bare, pid: bare,
    process_start: bare, lock_path: bare, machine_version: bare, folder: opt
});
record!(ShareSettings => pb::ShareSettings {
    name: bare, comment: bare, volume: bare, path: bare, continuously_available: bare,
    encrypt: bare, read_only: bare, ca_timeout_millis: bare
});
record!(UserSettings => pb::UserSettings { name: bare, nt_hash: bare, disabled: bare });
record!(Timers => pb::Timers {
    break_ack_millis: bare, break_ack_persistent_millis: bare, contender_wait_millis: bare,
    persistent_millis: bare, durable_millis: bare, durable_max_millis: bare
});
record!(OpenTerms => pb::OpenTerms {
    session: bare, client_guid: bare, owner: msg, share: bare, desired_access_raw: bare,
    access: bare, share_access: bare, disposition: bare, create_options_raw: bare,
    create_options: bare, file_attributes: bare, durability: msg, create_guid: opt, replay: bare,
    lease: opt, oplock: bare, channel_sequence: bare, continuously_available: bare
});
choice!(Durability => pb::Durability, pb::durability::Kind {
    None(pb::durability::None) {},
    Durable(pb::durability::Durable) { timeout_millis: bare },
    Persistent(pb::durability::Persistent) { timeout_millis: bare },
});
choice!(FenceProof => pb::FenceProof, pb::fence_proof::Kind {
    ProcessEnded(pb::fence_proof::ProcessEnded) { pid: bare, lock_dropped: bare },
    Rejoined(pb::fence_proof::Rejoined) {},
    HostRebooted(pb::fence_proof::HostRebooted) {},
    Command(pb::fence_proof::Command) { exit_status: bare },
});
