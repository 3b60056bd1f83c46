//! Creates that tell afterwards who made what.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileTime};

use super::{BY, Bench, named};
use crate::vfs::{FileKind, IntentMark, Marked, NewNode, OpenAccess, RenameMode, Vfs, VfsError};

const MARK: IntentMark = IntentMark(0xfeed_0000_0000_0001);

fn new_file() -> NewNode {
    NewNode { stable: true, ..NewNode::new(FileKind::File, FileAttributes::ARCHIVE) }
}

pub(crate) async fn a_staged_file_is_put_in_place_once(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let root = &bench.root;
    let staged = bench.vfs.stage(BY, MARK, &new_file()).await.unwrap();
    assert_eq!(bench.names(root).await, Vec::<String>::new());
    let other = bench.file(root, "taken", "kept").await;
    let refused = bench.vfs.put_in_place(BY, &staged, root, "taken").await;
    assert_eq!(refused, Err(VfsError::AlreadyExists));
    assert_eq!(bench.content(&root.child("taken", other)).await, "kept");
    let key = bench.vfs.put_in_place(BY, &staged, root, "mine").await.unwrap();
    assert_eq!(key, staged.key);
    assert_eq!(bench.key(root, "MINE").await, Some(key));
    let again = bench.vfs.put_in_place(BY, &staged, root, "mine").await;
    assert_eq!(again, Err(VfsError::NotFound));
    assert_eq!(bench.vfs.staged_marks(BY, 10).await, Ok(vec![]));
    bench.vfs.sync_dir(BY, root).await.unwrap();
}

pub(crate) async fn directories_are_staged_too(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let root = &bench.root;
    let new = NewNode::new(FileKind::Directory, FileAttributes::HIDDEN);
    let staged = bench.vfs.stage(BY, MARK, &new).await.unwrap();
    let taken = bench.dir(root, "taken").await;
    let refused = bench.vfs.put_in_place(BY, &staged, root, "taken").await;
    assert_eq!(refused, Err(VfsError::AlreadyExists));
    assert_eq!(bench.key(root, "taken").await, Some(taken.key));
    let key = bench.vfs.put_in_place(BY, &staged, root, "d").await.unwrap();
    let entry = bench.vfs.lookup(BY, root, "d").await.unwrap().unwrap();
    let shown = FileAttributes::HIDDEN | FileAttributes::DIRECTORY;
    assert_eq!((entry.stat.key, entry.stat.attributes), (key, shown));
    let marked = Marked { mark: MARK, key, kind: FileKind::Directory };
    assert_eq!(bench.vfs.find_mark(BY, root, "d").await, Ok(Some(marked)));
}

pub(crate) async fn marks_tell_who_made_a_file(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let root = &bench.root;
    bench.file(root, "plain", "").await;
    assert_eq!(bench.vfs.find_mark(BY, root, "plain").await, Ok(None));
    assert_eq!(bench.vfs.find_mark(BY, root, "none").await, Ok(None));
    let staged = bench.vfs.stage(BY, MARK, &new_file()).await.unwrap();
    let key = bench.vfs.put_in_place(BY, &staged, root, "a").await.unwrap();
    let marked = Marked { mark: MARK, key, kind: FileKind::File };
    assert_eq!(bench.vfs.find_mark(BY, root, "a").await, Ok(Some(marked)));
    let from = named(root, "a", key);
    bench.vfs.rename(BY, from, root, "b", RenameMode::NeverReplace).await.unwrap();
    assert_eq!(bench.vfs.find_mark(BY, root, "a").await, Ok(None));
    let place = root.child("b", key);
    assert_eq!(bench.vfs.find_mark_by_key(BY, &place).await, Ok(Some(MARK)));
    let file = bench.open(&place).await;
    assert_eq!(file.extended_attributes().await, Ok(vec![]));
}

pub(crate) async fn marks_are_cleared_once(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let root = &bench.root;
    let staged = bench.vfs.stage(BY, MARK, &new_file()).await.unwrap();
    let key = bench.vfs.put_in_place(BY, &staged, root, "a").await.unwrap();
    let place = root.child("a", key);
    bench.vfs.clear_mark(BY, &place, IntentMark(2)).await.unwrap();
    assert_eq!(bench.vfs.find_mark_by_key(BY, &place).await, Ok(Some(MARK)));
    for _ in 0..2 {
        bench.vfs.clear_mark(BY, &place, MARK).await.unwrap();
        assert_eq!(bench.vfs.find_mark_by_key(BY, &place).await, Ok(None));
    }
}

pub(crate) async fn leftovers_are_found_and_discarded(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let dir = NewNode::new(FileKind::Directory, FileAttributes::NONE);
    for mark in [3, 1, u128::MAX] {
        let _ = bench.vfs.stage(BY, IntentMark(mark), &new_file()).await.unwrap();
    }
    let first = bench.vfs.stage(BY, IntentMark(2), &dir).await.unwrap();
    let second = bench.vfs.stage(BY, IntentMark(2), &dir).await.unwrap();
    assert_ne!(first.key, second.key);
    let old = bench.vfs.put_in_place(BY, &first, &bench.root, "a").await;
    let found = Some(second.key);
    assert_eq!(old, Err(VfsError::Replaced { expected: first.key, found }));
    let all = [1, 2, 3, u128::MAX].map(IntentMark);
    assert_eq!(bench.vfs.staged_marks(BY, 10).await.unwrap(), all);
    assert_eq!(bench.vfs.staged_marks(BY, 2).await.unwrap(), all[..2]);
    for mark in all {
        bench.vfs.discard_staged(BY, mark).await.unwrap();
        bench.vfs.discard_staged(BY, mark).await.unwrap();
    }
    assert_eq!(bench.vfs.staged_marks(BY, 10).await, Ok(vec![]));
}

pub(crate) async fn a_staged_file_is_complete(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let root = &bench.root;
    let new = NewNode {
        kind: FileKind::File,
        attributes: FileAttributes::READONLY | FileAttributes::SYSTEM,
        creation: Some(FileTime(131_000_000_000_000_000)),
        allocation: 1 << 20,
        security: Some(Bytes::from_static(b"descriptor")),
        attributes_extended: vec![("AUTHOR".into(), Bytes::from_static(b"me"))],
        stable: true,
    };
    let staged = bench.vfs.stage(BY, MARK, &new).await.unwrap();
    let key = bench.vfs.put_in_place(BY, &staged, root, "a").await.unwrap();
    let place = root.child("a", key);
    let file = bench.vfs.open(BY, &place, OpenAccess::METADATA).await.unwrap();
    let stat = file.stat().await.unwrap();
    assert_eq!(stat.attributes, FileAttributes::READONLY | FileAttributes::SYSTEM);
    assert_eq!(stat.times.creation, FileTime(131_000_000_000_000_000));
    assert_eq!((stat.len, stat.links), (0, 1));
    assert!(stat.allocated >= 1 << 20);
    assert_eq!(file.security().await, Ok(Some(Bytes::from_static(b"descriptor"))));
    assert_eq!(file.extended_attribute("author").await, Ok(Bytes::from_static(b"me")));
}
