//! The cluster's identity, its shares and its users.
//!
//! Names of shares and users are compared without case, by the same table as names of files.

use holdfast_proto::types::{Guid, ShareId, VolumeId};

use crate::command::{ShareSettings, Timers, UserSettings};

/// What the cluster is called and which timers it was founded with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClusterInfo {
    pub cluster_id: Guid,
    pub server_guid: Guid,
    pub name: String,
    pub timers: Timers,
    /// Every new session must be encrypted.
    pub encrypt_data: bool,
    /// Volumes that failed an examination and have not passed one since, by id.
    pub unfit_volumes: Vec<UnfitVolume>,
}

/// A volume on which nothing can be continuously available.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnfitVolume {
    pub volume: VolumeId,
    /// For people.
    pub why: String,
}

/// A share. One of the same name made anew has another id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareRecord {
    pub id: ShareId,
    pub settings: ShareSettings,
}

/// A user. `rid` is the relative identifier that its SID ends with; never reused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserRecord {
    pub rid: u32,
    pub settings: UserSettings,
}

/// The first relative identifier of a user.
pub const FIRST_RID: u32 = 1_000;
