//! The suite against a directory of this machine, and what only a real tree can show.

use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_proto::types::{FileAttributes, VolumeId};

use super::LocalVolume;
use super::dos_attributes::DOS_ATTRIBUTE;
use super::listing::KEPT_MAX;
use super::target::Target;
use crate::vfs::conformance::{BY, Bench, conformance_suite};
use crate::vfs::{FileKind, OpenAccess, Vfs, VfsError, VolumePath};

/// A directory that goes with its test.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Scratch {
        let unique = getrandom::u64().unwrap();
        let path = std::env::temp_dir().join(format!("holdfast-vfs-{unique:016x}"));
        std::fs::create_dir(&path).unwrap();
        Scratch(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    fn volume(&self) -> Arc<dyn Vfs> {
        Arc::new(LocalVolume::open(&self.0, VolumeId(7)).unwrap())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn volume() -> (Arc<dyn Vfs>, Scratch) {
    let scratch = Scratch::new();
    (scratch.volume(), scratch)
}

conformance_suite!(super::volume());

#[tokio::test]
async fn agrees_with_the_volume_in_memory() {
    for seed in 0..12 {
        let (vfs, _scratch) = volume();
        let memory = Arc::new(crate::vfs::memory::MemoryVolume::new(VolumeId(7)));
        crate::vfs::conformance::differential::agree(vec![vfs, memory], seed, 300).await;
    }
}

#[tokio::test]
async fn links_are_shown_and_never_followed() {
    let (vfs, scratch) = volume();
    let bench = Bench::new(vfs).await;
    let target = Scratch::new();
    std::fs::write(target.0.join("secret"), "secret").unwrap();
    symlink(&target.0, scratch.0.join("out")).unwrap();
    symlink(target.0.join("secret"), scratch.0.join("leaf")).unwrap();
    let through = bench.vfs.resolve(BY, &bench.root, &["OUT", "secret"]).await;
    assert_eq!(through, Err(VfsError::SymlinkInPath { component: 0 }));
    let leaf = bench.vfs.resolve(BY, &bench.root, &["leaf"]).await.unwrap();
    assert_eq!(leaf.leaf.as_ref().unwrap().stat.kind, FileKind::Symlink);
    let opened = bench.vfs.open(BY, &leaf.place().unwrap(), OpenAccess::READ).await;
    assert_eq!(opened.map(|file| file.key()), Err(VfsError::NotAFile));
    let share = bench.vfs.root(BY, &VolumePath::parse("out").unwrap()).await;
    assert_eq!(share, Err(VfsError::PathNotFound));
}

#[tokio::test]
async fn names_that_clients_cannot_say_are_hidden() {
    use std::os::unix::ffi::OsStrExt;
    let (vfs, scratch) = volume();
    for name in [&b"a:b"[..], b"a\\b", b"star*", b"dot.", b"\xff\xfe", b"ok"] {
        let path = scratch.0.join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(path, "").unwrap();
    }
    let pipe = scratch.0.join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let bench = Bench::new(vfs).await;
    assert_eq!(bench.names(&bench.root).await, ["ok"]);
    assert_eq!(bench.key(&bench.root, "pipe").await, None);
}

#[tokio::test]
async fn large_directories_come_in_windows() {
    let (vfs, scratch) = volume();
    let count = 40_000;
    for n in 0..count {
        std::fs::write(scratch.0.join(format!("file-{n:06}")), "").unwrap();
    }
    let bench = Bench::new(vfs).await;
    let open = bench.open_dir(&bench.root).await;
    let mut after: Option<String> = None;
    let mut seen = 0;
    loop {
        let batch = open.list(after.as_deref(), 9_999).await.unwrap();
        for entry in &batch.entries {
            assert_eq!(entry.name, format!("file-{seen:06}"));
            seen += 1;
        }
        if batch.end {
            break;
        }
        after = batch.entries.last().map(|entry| entry.name.clone());
    }
    assert_eq!(seen, count);
}

#[tokio::test]
async fn listings_keep_no_more_names_than_there_is_room_for() {
    let scratch = Scratch::new();
    for n in 0..20_000 {
        std::fs::write(scratch.0.join(format!("file-{n:06}")), "").unwrap();
    }
    let volume = LocalVolume::open(&scratch.0, VolumeId(7)).unwrap();
    let kept = volume.0.kept_names.clone();
    let bench = Bench::new(Arc::new(volume)).await;
    let mut begun = Vec::new();
    for _ in 0..20 {
        let open = bench.open_dir(&bench.root).await;
        assert_eq!(open.list(None, 10).await.unwrap().entries.len(), 10);
        assert!(kept.count() > 0 && kept.count() <= KEPT_MAX, "{}", kept.count());
        begun.push(open);
    }
    // Those whose window went go on all the same.
    for open in begun {
        let next = open.list(Some("file-000009"), 10).await.unwrap();
        assert_eq!(next.entries[0].name, "file-000010");
        let last = open.list(Some("file-010000"), 10_000).await.unwrap();
        assert_eq!((last.entries.len(), last.end), (9_999, true));
    }
    assert_eq!(kept.count(), 0, "nothing is left of a listing that came to its end");
}

#[tokio::test]
async fn two_volumes_over_one_tree_agree_on_keys() {
    let (vfs, scratch) = volume();
    let here = Bench::new(vfs).await;
    let there = Bench::new(scratch.volume()).await;
    let key = here.file(&here.root, "a", "shared").await;
    assert_eq!(there.root, here.root);
    assert_eq!(there.content(&there.root.child("a", key)).await, "shared");
}

#[tokio::test]
async fn attributes_are_kept_the_way_samba_keeps_them() {
    let (vfs, scratch) = volume();
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    file.set_attributes(FileAttributes::HIDDEN | FileAttributes::ARCHIVE).await.unwrap();
    let opened = std::fs::File::open(scratch.0.join("a")).unwrap();
    let value = Target::Open(opened.as_fd()).attribute(DOS_ATTRIBUTE).unwrap().unwrap();
    assert_eq!(value.len(), 24);
    assert_eq!(value[..16], [0, 0, 5, 0, 5, 0, 0, 0, 0x11, 0, 0, 0, 0x22, 0, 0, 0]);
}

#[tokio::test]
async fn descriptors_are_closed() {
    let (vfs, _scratch) = volume();
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "x").await;
    // Other tests open descriptors too: only what leads to this very file is counted.
    let leads_here = |entry: std::io::Result<std::fs::DirEntry>| {
        let to = std::fs::read_link(entry.unwrap().path());
        to.is_ok_and(|to| to == _scratch.0.join("a"))
    };
    let count = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|e| leads_here(e).then_some(()))
            .count()
    };
    let open = bench.open(&bench.root.child("a", key)).await;
    assert_eq!(count(), 1);
    drop(open);
    for _ in 0..10 {
        bench.content(&bench.root.child("a", key)).await;
    }
    assert_eq!(count(), 0);
}

#[tokio::test]
async fn what_cannot_be_a_volume_is_refused_with_its_reason() {
    let refused = LocalVolume::open(Path::new("/nonexistent/holdfast"), VolumeId(1));
    assert!(refused.unwrap_err().to_string().contains("/nonexistent/holdfast"));
    // A file system without attributes of users.
    if let Err(refusal) = LocalVolume::open(Path::new("/proc"), VolumeId(1)) {
        assert!(refusal.to_string().contains("staging folder"));
    }
}

#[tokio::test]
async fn long_paths_are_opened_in_pieces() {
    let (vfs, _scratch) = volume();
    let bench = Bench::new(vfs).await;
    let mut dir = bench.root.clone();
    let name = "d".repeat(200);
    for _ in 0..30 {
        dir = bench.dir(&dir, &name).await;
    }
    assert!(dir.path.as_str().len() > 6000);
    let key = bench.file(&dir, "a", "deep").await;
    assert_eq!(bench.content(&dir.child("a", key)).await, "deep");
    let path = vec![name.as_str(); 30];
    let found = bench.vfs.resolve(BY, &bench.root, &path).await.unwrap();
    assert_eq!(found.leaf.unwrap().stat.key, dir.key);
}
