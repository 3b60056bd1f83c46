//! The suite against the volume in memory, and what only this volume can show: operations that
//! outlive their issuer, fences, and power cuts.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use holdfast_proto::types::{
    FileAttributes, FileKey, FileTime, Incarnation, NodeId, OpenId, VolumeId,
};
use parking_lot::Mutex;

use super::{
    Apply, Dropped, Immediate, Latency, MemoryVolume, Observer, Operation, Queued, Submitted, World,
};
use crate::vfs::conformance::{BY, Bench, conformance_suite, named};
use crate::vfs::{FileKind, IntentMark, Issuer, NewNode, OpenAccess, RenameMode, Vfs, VfsError};

fn volume() -> (Arc<dyn Vfs>, ()) {
    (Arc::new(MemoryVolume::new(VolumeId(7))), ())
}

conformance_suite!(super::volume());

/// A world that holds changes back until it is told to let them go.
#[derive(Default)]
struct Holding {
    clock: Immediate,
    held: Mutex<Option<Vec<Apply>>>,
}

impl Holding {
    fn hold(&self) {
        *self.held.lock() = Some(Vec::new());
    }

    fn release(&self) {
        let held = self.held.lock().take();
        for apply in held.into_iter().flatten() {
            apply();
        }
    }
}

impl World for Holding {
    fn now(&self) -> FileTime {
        self.clock.now()
    }

    fn submit(&self, operation: &Submitted, apply: Apply) -> BoxFuture<'static, ()> {
        let mut held = self.held.lock();
        match &mut *held {
            Some(held) if operation.operation.is_change() => {
                held.push(apply);
                Box::pin(std::future::pending())
            }
            _ => {
                drop(held);
                self.clock.submit(operation, apply)
            }
        }
    }
}

/// Starts an operation and leaves it, as a node does that dies.
fn start_and_leave<T>(operation: impl Future<Output = T>) {
    let mut operation = std::pin::pin!(operation);
    assert!(operation.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl Observer for Recorder {
    fn applied(&self, operation: &Submitted, result: Result<(), &VfsError>, _at: FileTime) {
        if operation.operation.is_change() {
            let open = operation.by.open.map(|open| open.1);
            self.0.lock().push(format!("{:?} {open:?} {result:?}", operation.by.incarnation));
        }
    }

    fn dropped(&self, operation: &Submitted, why: Dropped, _at: FileTime) {
        self.0.lock().push(format!("{:?} dropped {why:?}", operation.by.incarnation));
    }
}

#[tokio::test]
async fn an_operation_outlives_its_issuer_until_it_is_fenced() {
    let world = Arc::new(Holding::default());
    let volume = MemoryVolume::in_world(VolumeId(1), 1 << 30, world.clone());
    let control = volume.control();
    let bench = Bench::new(Arc::new(volume.clone())).await;
    let key = bench.file(&bench.root, "a", "....").await;
    let place = bench.root.child("a", key);
    let recorder = Arc::new(Recorder::default());
    control.observe(recorder.clone());
    let (old, new) = (Incarnation(3), Incarnation(4));
    let issuer = |incarnation| Issuer::node(NodeId(2), incarnation).for_open(OpenId(9), 5);
    for incarnation in [old, new] {
        let file = volume.open(issuer(incarnation), &place, OpenAccess::READ_WRITE).await.unwrap();
        world.hold();
        start_and_leave(file.write_at(0, Bytes::from_static(b"late"), true));
        drop(file);
        assert_eq!(control.in_flight(NodeId(2), incarnation), 1);
        assert_eq!(bench.content(&place).await, "....");
        control.fence(NodeId(2), old);
        world.release();
        assert_eq!(control.in_flight(NodeId(2), incarnation), 0);
    }
    assert_eq!(bench.content(&place).await, "late");
    assert_eq!(*recorder.0.lock(), ["i3 dropped Fenced", "i4 Some(5) Ok(())"]);
    let counters = control.counters();
    assert_eq!((counters.refused_zombies, counters.refused_zombie_changes), (1, 1));
    let refused = volume.open(issuer(old), &place, OpenAccess::READ).await;
    assert_eq!(refused.map(|file| file.key()), Err(VfsError::Fenced));
}

#[tokio::test]
async fn a_power_cut_takes_back_what_was_not_synced() {
    let volume = MemoryVolume::new(VolumeId(1));
    let control = volume.control();
    let bench = Bench::new(Arc::new(volume)).await;
    let root = &bench.root;
    let key = bench.file(root, "kept", "first").await;
    let place = root.child("kept", key);
    let file = bench.open(&place).await;
    file.sync().await.unwrap();
    bench.vfs.sync_dir(BY, root).await.unwrap();
    file.write_at(0, Bytes::from_static(b"SECOND"), false).await.unwrap();
    bench.file(root, "lost", "x").await;
    let from = named(root, "kept", key);
    bench.vfs.rename(BY, from, root, "moved", RenameMode::NeverReplace).await.unwrap();
    assert_eq!(control.content(key, true).unwrap(), b"first");
    control.power_cut(|| false);
    assert_eq!(file.stat().await, Err(VfsError::Unavailable));
    drop(file);
    assert_eq!(bench.names(root).await, ["kept"]);
    assert_eq!(bench.content(&place).await, "first");
    // With luck everything gets there.
    bench.open(&place).await.write_at(0, Bytes::from_static(b"SECOND"), false).await.unwrap();
    bench.vfs.rename(BY, from, root, "moved", RenameMode::NeverReplace).await.unwrap();
    control.power_cut(|| true);
    assert_eq!(bench.content(&root.child("moved", key)).await, "SECOND");
    assert_eq!(bench.names(root).await, ["moved"]);
}

#[tokio::test]
async fn a_staged_create_is_stable_after_one_sync_of_the_directory() {
    let volume = MemoryVolume::new(VolumeId(1));
    let control = volume.control();
    let bench = Bench::new(Arc::new(volume)).await;
    let new = NewNode { stable: true, ..NewNode::new(FileKind::File, FileAttributes::HIDDEN) };
    for (mark, synced) in [(1, true), (2, false)] {
        let name = format!("file{mark}");
        let staged = bench.vfs.stage(BY, IntentMark(mark), &new).await.unwrap();
        bench.vfs.put_in_place(BY, &staged, &bench.root, &name).await.unwrap();
        if synced {
            bench.vfs.sync_dir(BY, &bench.root).await.unwrap();
        }
    }
    control.power_cut(|| false);
    assert_eq!(bench.names(&bench.root).await, ["file1"]);
    let found = bench.vfs.find_mark(BY, &bench.root, "file1").await.unwrap().unwrap();
    assert_eq!(found.mark, IntentMark(1));
    assert_eq!(bench.vfs.staged_marks(BY, 10).await, Ok(vec![]));
}

#[tokio::test]
async fn directories_that_change_places_do_not_get_lost() {
    let volume = MemoryVolume::new(VolumeId(1));
    let control = volume.control();
    let bench = Bench::new(Arc::new(volume)).await;
    let root = &bench.root;
    let a = bench.dir(root, "a").await;
    let b = bench.dir(&a, "b").await;
    bench.vfs.sync_dir(BY, root).await.unwrap();
    bench.vfs.sync_dir(BY, &a).await.unwrap();
    let mode = RenameMode::NeverReplace;
    bench.vfs.rename(BY, named(&a, "b", b.key), root, "b", mode).await.unwrap();
    let b = root.child_dir("b", b.key);
    bench.vfs.rename(BY, named(root, "a", a.key), &b, "a", mode).await.unwrap();
    bench.vfs.sync_dir(BY, &b).await.unwrap();
    control.power_cut(|| false);
    let paths: Vec<_> = control.tree().into_iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(paths, ["/.holdfast", "/b", "/b/a"]);
}

#[tokio::test]
async fn random_power_cuts_leave_a_sound_tree() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut draw = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..50 {
        let volume = MemoryVolume::new(VolumeId(1));
        let control = volume.control();
        let bench = Bench::new(Arc::new(volume)).await;
        let mut dirs = vec![bench.root.clone()];
        for step in 0..40 {
            let dir = dirs[draw(dirs.len() as u64) as usize].clone();
            let to = dirs[draw(dirs.len() as u64) as usize].clone();
            match draw(5) {
                0 => dirs.push(bench.dir(&dir, &format!("d{step}")).await),
                1 => drop(bench.file(&dir, &format!("f{step}"), "data").await),
                2 => bench.vfs.sync_dir(BY, &dir).await.unwrap(),
                _ => {
                    // Files only: the paths of known directories must stay right.
                    let listing = bench.open_dir(&dir).await.list(None, 100).await.unwrap();
                    let mut entries = listing.entries.into_iter();
                    let file = entries.find(|entry| entry.stat.kind == FileKind::File);
                    if let Some(file) = file {
                        let from = named(&dir, &file.name, file.stat.key);
                        let mode = RenameMode::NeverReplace;
                        bench.vfs.rename(BY, from, &to, &file.name, mode).await.unwrap();
                    }
                }
            }
        }
        control.power_cut(|| draw(2) == 0);
        let tree = control.tree();
        let mut keys: Vec<FileKey> = tree.iter().map(|(_, stat)| stat.key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), tree.len(), "an object has two names");
        let again = control.clone();
        again.power_cut(|| false);
        assert_eq!(again.tree(), tree, "what a power cut left was not stable");
    }
}

#[tokio::test]
async fn room_is_limited() {
    let world = Arc::new(Immediate::default());
    let volume = MemoryVolume::in_world(VolumeId(1), 8192, world);
    let bench = Bench::new(Arc::new(volume)).await;
    let key = bench.file(&bench.root, "a", "x").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    let data = Bytes::from(vec![1; 4096]);
    file.write_at(4096, data.clone(), false).await.unwrap();
    assert_eq!(file.write_at(8192, data.clone(), false).await, Err(VfsError::NoSpace));
    file.set_len(0).await.unwrap();
    file.write_at(8192, data, false).await.unwrap();
}

#[tokio::test]
async fn the_queue_serves_after_its_issuer_is_gone() {
    let clock = Arc::new(|| FileTime(134_000_000_000_000_000));
    let faults = Arc::new(|submitted: &Submitted| {
        let is_sync = matches!(submitted.operation, Operation::SyncDir { .. });
        is_sync.then(|| VfsError::SyncFailed("disk".into()))
    });
    let (world, service) = Queued::new(clock, faults);
    let volume = MemoryVolume::in_world(VolumeId(1), 1 << 30, Arc::new(world));
    let latency = Latency {
        until_applied: Duration::from_millis(5),
        until_answered: Duration::from_millis(5),
    };
    let service = tokio::spawn(service.run(move |_| latency));
    let bench = Bench::new(Arc::new(volume.clone())).await;
    let key = bench.file(&bench.root, "a", "....").await;
    let place = bench.root.child("a", key);
    let file = bench.open(&place).await;
    start_and_leave(file.write_at(0, Bytes::from_static(b"late"), false));
    drop(file);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(bench.content(&place).await, "late");
    let failed = VfsError::SyncFailed("disk".into());
    assert_eq!(bench.vfs.sync_dir(BY, &bench.root).await, Err(failed));
    service.abort();
    let _ = service.await;
    assert_eq!(bench.vfs.statistics(BY).await, Err(VfsError::Unavailable));
}
