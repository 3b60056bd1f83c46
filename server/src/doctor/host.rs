//! What is examined on this host alone: clocks, the log's disk, the volumes as far as one node can
//! judge them. Works without a running node, and beside one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_cluster::disk::{Disk, LocalDisk};
use holdfast_proto::types::VolumeId;

use super::filesystem::{self, Mount};
use super::sync::{self, SyncLimits};
use super::{Finding, Level, clock, space};
use crate::clock::HostClock;
use crate::config::{FenceUse, NodeConfig};
use crate::folder::NodeFolder;
use crate::vfs::local::LocalVolume;
use crate::vfs::name_rules::TRIAL_FOLDER;
use crate::vfs::{Issuer, Vfs};

const MOUNTS: &str = "/proc/self/mountinfo";

/// Examines this host. `trials`: nobody depends on what the cluster holds, so storage that forgets
/// is only told.
pub async fn examine(config: &NodeConfig, trials: bool) -> Vec<Finding> {
    let mut findings = clock::judge(&clock::probe(&HostClock).await);
    let mut durable = examine_log(config).await;
    for (id, path) in &config.volumes {
        let by_command = config.fence.used == FenceUse::Command;
        durable.extend(examine_volume(*id, path, by_command).await);
    }
    if trials {
        durable = durable.into_iter().map(for_trials).collect();
    }
    findings.extend(durable);
    findings
}

/// What a cluster for trials is allowed.
fn for_trials(finding: Finding) -> Finding {
    let forgets = finding.check.ends_with(": file system") || finding.check.ends_with(": sync");
    if finding.level != Level::Fail || !forgets {
        return finding;
    }
    let reason = format!("{} (allowed in a cluster for trials)", finding.reason);
    Finding { level: Level::Warn, reason, ..finding }
}

async fn examine_log(config: &NodeConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    let wal = NodeFolder::at(&config.folder).wal();
    // Before «cluster init» the disk that the folder will be on is the one of what is there.
    let Some(there) = wal.ancestors().find(|path| path.is_dir()).map(Path::to_owned) else {
        let finding = Finding::ok("log: folder", config.folder.display().to_string());
        return vec![finding.fail("no part of this path is there", "mount its disk")];
    };
    if there != wal {
        let finding = Finding::ok("log: folder", config.folder.display().to_string());
        findings.push(finding.warn(
            format!("there is no node in it; {} was examined instead", there.display()),
            "if it should hold one, mount its disk; otherwise «holdfast cluster init» begins it",
        ));
    }
    let mount = mount_of(&there);
    if let Some(mount) = &mount {
        findings.push(filesystem::judge_log(mount));
    }
    let limits = SyncLimits {
        volatile_cache: mount.as_ref().is_some_and(has_volatile_cache),
        election: Some(config.timers.election_max),
    };
    findings.push(examine_sync("log", &there, &limits).await);
    let free = match LocalDisk::open(&there) {
        Ok(disk) => disk.free().await,
        Err(error) => Err(error),
    };
    findings.push(match free {
        Ok(free) => space::judge_log(free),
        Err(error) => refused("log: space", &there, &error.to_string()),
    });
    findings
}

async fn examine_volume(id: VolumeId, path: &Path, by_command: bool) -> Vec<Finding> {
    let what = format!("volume {}", id.0);
    let volume = match LocalVolume::open(path, id) {
        Ok(volume) => volume,
        Err(refusal) => {
            let finding = Finding::ok(format!("{what}: needs"), path.display().to_string());
            return vec![finding.fail(
                refusal.to_string(),
                "mount a file system with extended attributes of users (user.*) there, on Linux \
                 5.6 or later; no node starts with it as it is",
            )];
        }
    };
    let shown = format!("{}: openat2, extended attributes", path.display());
    let mut findings = vec![Finding::ok(format!("{what}: needs"), shown)];
    let mount = mount_of(path);
    if let Some(mount) = &mount {
        findings.push(filesystem::judge_volume(&what, mount, by_command));
    }
    let by = Issuer::default();
    let limits = SyncLimits {
        volatile_cache: mount.as_ref().is_some_and(has_volatile_cache),
        election: None,
    };
    findings.push(match volume.trial_folder(by).await {
        Ok(_) => examine_sync(&what, &path.join(TRIAL_FOLDER), &limits).await,
        Err(error) => refused(&format!("{what}: trial"), path, &error.to_string()),
    });
    findings.push(match volume.statistics(by).await {
        Ok(sizes) => space::judge_volume(&what, sizes.available, sizes.total),
        Err(error) => refused(&format!("{what}: space"), path, &error.to_string()),
    });
    findings
}

/// In a folder of its own, so that nothing that is there can be mistaken or replaced.
async fn examine_sync(what: &str, folder: &Path, limits: &SyncLimits) -> Finding {
    let own = folder.join(format!("doctor-{}", std::process::id()));
    match sync_in(&own).await {
        Ok(figures) => sync::judge(what, &figures, limits),
        Err(error) => refused(&format!("{what}: trial"), &own, &error.to_string()),
    }
}

async fn sync_in(own: &Path) -> io::Result<sync::SyncFigures> {
    fs::create_dir(own)?;
    let figures = match LocalDisk::open(own) {
        Ok(disk) => sync::probe(&disk, &HostClock).await,
        Err(error) => Err(error),
    };
    fs::remove_dir(own)?;
    figures
}

fn refused(check: &str, path: &Path, why: &str) -> Finding {
    Finding::ok(check, path.display().to_string()).fail(
        format!("it cannot be tried: {why}"),
        "run this as the user who runs the node, and see to the disk",
    )
}

/// The mount that holds a path; none if the kernel does not tell, which is its own business.
fn mount_of(path: &Path) -> Option<Mount> {
    let path: PathBuf = path.canonicalize().ok()?;
    filesystem::mount_of(&fs::read_to_string(MOUNTS).ok()?, &path)
}

/// True if the block device says that its write cache is volatile. A partition's queue is its
/// disk's.
fn has_volatile_cache(mount: &Mount) -> bool {
    let (major, minor) = mount.device;
    let device = format!("/sys/dev/block/{major}:{minor}");
    let read = |queue: &str| fs::read_to_string(format!("{device}/{queue}/write_cache")).ok();
    let told = read("queue").or_else(|| read("../queue"));
    told.is_some_and(|cache| cache.trim() == "write back")
}

/// How long an answer of the cluster is waited for, with so many nodes and volumes.
pub fn answer_wait(config: &NodeConfig) -> Duration {
    Duration::from_secs(30) * u32::try_from(config.peers.len() + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::tests_scratch::Scratch;

    #[tokio::test]
    async fn a_folder_is_measured_and_left_as_it_was() {
        let scratch = Scratch::new("doctor");
        let limits = SyncLimits { volatile_cache: false, election: None };
        let finding = examine_sync("log", scratch.path(), &limits).await;
        assert!(finding.figure.contains("median"), "{finding:?}");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
        let missing = examine_sync("log", &scratch.path().join("missing"), &limits).await;
        assert_eq!(missing.level, Level::Fail);
    }

    #[tokio::test]
    async fn a_volume_that_is_not_there_fails() {
        let scratch = Scratch::new("doctor");
        let found = examine_volume(VolumeId(3), &scratch.path().join("missing"), false).await;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].check.as_str(), found[0].level), ("volume 3: needs", Level::Fail));
        let found = examine_volume(VolumeId(3), scratch.path(), false).await;
        assert_eq!(found[0].level, Level::Ok, "{found:?}");
        assert!(found.iter().any(|finding| finding.check == "volume 3: sync"), "{found:?}");
    }

    #[test]
    fn trials_may_forget_and_may_not_fail_otherwise() {
        let fails = |check: &str| for_trials(Finding::ok(check, "").fail("a", "b")).level;
        assert_eq!(fails("log: file system"), Level::Warn);
        assert_eq!(fails("volume 1: sync"), Level::Warn);
        assert_eq!(fails("log: space"), Level::Fail);
        assert_eq!(fails("volume 1: data"), Level::Fail);
    }
}
