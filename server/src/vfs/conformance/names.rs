//! Names given, moved and taken away.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::types::FileAttributes;

use super::{BY, Bench, named};
use crate::vfs::{FileKind, NewNode, OpenAccess, Removed, RenameMode, Renamed, Vfs, VfsError};

pub(crate) async fn exclusive_creation(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "first").await;
    for kind in [FileKind::File, FileKind::Directory] {
        let mut new = NewNode::new(kind, FileAttributes::NONE);
        new.stable = true;
        let again = bench.vfs.create_exclusive(BY, &bench.root, "a", &new).await;
        assert_eq!(again, Err(VfsError::AlreadyExists));
    }
    assert_eq!(bench.content(&bench.root.child("a", key)).await, "first");
    bench.vfs.sync_dir(BY, &bench.root).await.unwrap();
}

pub(crate) async fn rename_within_and_between(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let dir = bench.dir(&bench.root, "d").await;
    let key = bench.file(&bench.root, "a", "data").await;
    let mode = RenameMode::NeverReplace;
    let moved = bench.vfs.rename(BY, named(&bench.root, "a", key), &dir, "b", mode).await;
    assert_eq!(moved, Ok(Renamed::Moved));
    assert_eq!(bench.key(&bench.root, "a").await, None);
    assert_eq!(bench.content(&dir.child("b", key)).await, "data");
    let other = bench.file(&dir, "c", "other").await;
    let taken = bench.vfs.rename(BY, named(&dir, "b", key), &dir, "c", mode).await;
    assert_eq!(taken, Err(VfsError::AlreadyExists));
    let gone = bench.vfs.rename(BY, named(&dir, "x", key), &dir, "y", mode).await;
    assert_eq!(gone, Err(VfsError::NotFound));
    let foreign = bench.vfs.rename(BY, named(&dir, "c", key), &dir, "y", mode).await;
    assert_eq!(foreign, Err(VfsError::Replaced { expected: key, found: Some(other) }));
}

pub(crate) async fn rename_is_idempotent(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "").await;
    let other = bench.file(&bench.root, "c", "").await;
    let from = named(&bench.root, "a", key);
    for mode in [RenameMode::NeverReplace, RenameMode::Replace(other)] {
        bench.vfs.rename(BY, from, &bench.root, "b", mode).await.unwrap();
        let again = bench.vfs.rename(BY, from, &bench.root, "b", mode).await;
        assert_eq!(again, Ok(Renamed::AlreadyThere));
    }
    // The old name may belong to somebody else by now.
    bench.file(&bench.root, "a", "new").await;
    let mode = RenameMode::NeverReplace;
    let again = bench.vfs.rename(BY, from, &bench.root, "b", mode).await;
    assert_eq!(again, Ok(Renamed::AlreadyThere));
    let same = bench.vfs.rename(BY, named(&bench.root, "b", key), &bench.root, "b", mode).await;
    assert_eq!(same, Ok(Renamed::AlreadyThere));
}

pub(crate) async fn rename_replaces_only_what_was_meant(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let root = &bench.root;
    let key = bench.file(root, "a", "source").await;
    let target = bench.file(root, "b", "target").await;
    let from = named(root, "a", key);
    let wrong = bench.vfs.rename(BY, from, root, "b", RenameMode::Replace(key)).await;
    assert_eq!(wrong, Err(VfsError::Replaced { expected: key, found: Some(target) }));
    let done = bench.vfs.rename(BY, from, root, "b", RenameMode::Replace(target)).await;
    assert_eq!(done, Ok(Renamed::Moved));
    assert_eq!(bench.content(&root.child("b", key)).await, "source");
    assert_eq!(bench.names(root).await, ["b"]);
    let dir = bench.dir(root, "d").await;
    let from = named(root, "b", key);
    let over = bench.vfs.rename(BY, from, root, "d", RenameMode::Replace(dir.key)).await;
    assert_eq!(over, Err(VfsError::IsADirectory));
}

pub(crate) async fn rename_changes_case_alone(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "readme", "").await;
    let from = named(&bench.root, "readme", key);
    let mode = RenameMode::NeverReplace;
    bench.vfs.rename(BY, from, &bench.root, "README", mode).await.unwrap();
    assert_eq!(bench.names(&bench.root).await, ["README"]);
    assert_eq!(bench.key(&bench.root, "readme").await, Some(key));
}

pub(crate) async fn directories_do_not_move_into_themselves(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let a = bench.dir(&bench.root, "a").await;
    let b = bench.dir(&a, "b").await;
    let from = named(&bench.root, "a", a.key);
    for into in [&a, &b] {
        let refused = bench.vfs.rename(BY, from, into, "x", RenameMode::NeverReplace).await;
        assert_eq!(refused, Err(VfsError::IntoItself));
    }
    bench.vfs.rename(BY, from, &bench.root, "z", RenameMode::NeverReplace).await.unwrap();
    let found = bench.vfs.resolve(BY, &bench.root, &["z", "b"]).await.unwrap();
    assert_eq!(found.leaf.unwrap().stat.key, b.key);
}

pub(crate) async fn remove_is_idempotent_and_checks_the_key(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let root = &bench.root;
    let key = bench.file(root, "a", "").await;
    assert_eq!(bench.vfs.remove(BY, named(root, "a", key)).await, Ok(Removed::Gone));
    assert_eq!(bench.vfs.remove(BY, named(root, "a", key)).await, Ok(Removed::AlreadyGone));
    let other = bench.file(root, "a", "another").await;
    assert_ne!(other, key);
    let refused = bench.vfs.remove(BY, named(root, "a", key)).await;
    assert_eq!(refused, Err(VfsError::Replaced { expected: key, found: Some(other) }));
    assert_eq!(bench.names(root).await, ["a"]);
}

pub(crate) async fn a_full_directory_stays(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let dir = bench.dir(&bench.root, "d").await;
    let key = bench.file(&dir, "a", "").await;
    let what = named(&bench.root, "d", dir.key);
    assert_eq!(bench.vfs.remove(BY, what).await, Err(VfsError::DirectoryNotEmpty));
    bench.vfs.remove(BY, named(&dir, "a", key)).await.unwrap();
    assert_eq!(bench.vfs.remove(BY, what).await, Ok(Removed::Gone));
}

pub(crate) async fn reopening_finds_the_same_file_or_none(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let root = &bench.root;
    let key = bench.file(root, "a", "first").await;
    let place = root.child("a", key);
    assert_eq!(bench.open(&place).await.key(), key);
    bench.vfs.remove(BY, named(root, "a", key)).await.unwrap();
    let gone = VfsError::Replaced { expected: key, found: None };
    let refused = bench.vfs.open(BY, &place, OpenAccess::READ).await.map(|file| file.key());
    assert_eq!(refused, Err(gone));
    let other = bench.file(&bench.root, "a", "second").await;
    let refused = bench.vfs.open(BY, &place, OpenAccess::READ).await.map(|file| file.key());
    assert_eq!(refused, Err(VfsError::Replaced { expected: key, found: Some(other) }));
    let file = bench.open(&bench.root.child("a", other)).await;
    file.write_at(0, Bytes::from_static(b"third"), true).await.unwrap();
}
