//! Bytes of files.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::types::FileAttributes;

use super::{BY, Bench, named};
use crate::vfs::{FileKind, OpenAccess, Overwrite, Supersede, Vfs, VfsError, VfsFile};

fn overwrite(attributes: FileAttributes) -> Overwrite {
    Overwrite {
        attributes,
        supersede: None,
        allocation: 0,
        attributes_extended: Vec::new(),
        stable: true,
    }
}

pub(crate) async fn reads_and_writes(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "hello world").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    assert_eq!(file.kind(), FileKind::File);
    file.write_at(6, Bytes::from_static(b"there"), true).await.unwrap();
    assert_eq!(file.read_at(0, 100).await.unwrap(), "hello there");
    assert_eq!(file.read_at(6, 3).await.unwrap(), "the");
    assert_eq!(file.read_at(9, 100).await.unwrap(), "re");
    assert_eq!(file.read_at(11, 100).await.unwrap(), "");
    assert_eq!(file.read_at(1 << 40, 100).await.unwrap(), "");
    assert_eq!(file.read_at(0, 0).await.unwrap(), "");
    file.write_at(3, Bytes::new(), true).await.unwrap();
    file.sync().await.unwrap();
    let big: Bytes = (0..100_000u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>().into();
    file.write_at(4093, big.clone(), false).await.unwrap();
    assert_eq!(file.read_at(4093, big.len() as u32).await.unwrap(), big);
}

pub(crate) async fn appends(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "one").await;
    let place = bench.root.child("a", key);
    let (first, second) = (bench.open(&place).await, bench.open(&place).await);
    let at = async |file: &Arc<dyn VfsFile>, offset| {
        file.append_at(offset, Bytes::from_static(b"+two"), true).await
    };
    assert_eq!(at(&first, 2).await, Err(VfsError::EndMoved));
    assert_eq!(at(&first, 4).await, Err(VfsError::EndMoved));
    // Of several at the same offset, one finds the end there.
    let tried =
        tokio::join!(at(&first, 3), at(&second, 3), at(&first, 3), at(&second, 3), at(&second, 3));
    let tried: [_; 5] = tried.into();
    assert_eq!(tried.iter().filter(|tried| tried.is_ok()).count(), 1, "{tried:?}");
    assert_eq!(bench.content(&place).await, "one+two");
}

pub(crate) async fn holes_read_as_zeros(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "ab").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    file.write_at(10_000, Bytes::from_static(b"z"), false).await.unwrap();
    let all = file.read_at(0, 20_000).await.unwrap();
    assert_eq!(all.len(), 10_001);
    assert!(all[2..10_000].iter().all(|byte| *byte == 0));
    assert_eq!((&all[..2], &all[10_000..]), (&b"ab"[..], &b"z"[..]));
    // What was cut off does not come back.
    file.set_len(1).await.unwrap();
    file.set_len(3).await.unwrap();
    assert_eq!(file.read_at(0, 10).await.unwrap(), &b"a\0\0"[..]);
}

pub(crate) async fn sizes(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "hello").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    for len in [3, 0, 70_000] {
        file.set_len(len).await.unwrap();
        assert_eq!(file.stat().await.unwrap().len, len);
        assert_eq!(file.read_at(0, 100_000).await.unwrap().len() as u64, len);
    }
}

pub(crate) async fn allocation(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "hello").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    file.allocate(1 << 20).await.unwrap();
    let stat = file.stat().await.unwrap();
    assert_eq!(stat.len, 5);
    assert!(stat.allocated >= 1 << 20);
    file.allocate(2).await.unwrap();
    assert_eq!(file.stat().await.unwrap().len, 2);
    file.allocate(0).await.unwrap();
    assert_eq!(file.stat().await.unwrap().len, 0);
    file.allocate(0).await.unwrap();
}

pub(crate) async fn refused_offsets(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "hello").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    let data = Bytes::from_static(b"data");
    for offset in [u64::MAX, 1 << 63, i64::MAX as u64] {
        assert_eq!(file.write_at(offset, data.clone(), false).await, Err(VfsError::TooLarge));
        assert_eq!(file.read_at(offset, 4).await, Err(VfsError::TooLarge));
    }
    assert_eq!(file.set_len(u64::MAX).await, Err(VfsError::TooLarge));
    assert_eq!(file.allocate(u64::MAX).await, Err(VfsError::TooLarge));
    assert_eq!(file.stat().await.unwrap().len, 5);
}

pub(crate) async fn overwriting(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "hello").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    file.set_extended_attribute("EA", Bytes::from_static(b"1")).await.unwrap();
    file.set_security(Bytes::from_static(b"sd")).await.unwrap();
    let before = file.stat().await.unwrap();
    file.overwrite(&overwrite(FileAttributes::HIDDEN)).await.unwrap();
    let after = file.stat().await.unwrap();
    assert_eq!((after.key, after.len), (key, 0));
    assert_eq!(after.attributes, FileAttributes::HIDDEN);
    assert_eq!(after.times.creation, before.times.creation);
    assert_eq!(file.extended_attributes().await, Ok(vec![]));
    assert_eq!(file.security().await, Ok(Some(Bytes::from_static(b"sd"))));
    file.set_times(crate::vfs::SetTimes {
        creation: Some(holdfast_proto::types::FileTime(131_000_000_000_000_000)),
        ..Default::default()
    })
    .await
    .unwrap();
    let mut what = overwrite(FileAttributes::NONE);
    what.supersede = Some(Supersede::default());
    what.attributes_extended = vec![("NEW".into(), Bytes::from_static(b"2"))];
    file.overwrite(&what).await.unwrap();
    let after = file.stat().await.unwrap();
    assert_eq!(after.attributes, FileAttributes::NORMAL);
    assert_ne!(after.times.creation.0, 131_000_000_000_000_000);
    assert_eq!(file.security().await, Ok(None));
    assert_eq!(file.extended_attribute("NEW").await, Ok(Bytes::from_static(b"2")));
}

pub(crate) async fn a_removed_file_lives_until_it_is_closed(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "hello").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    bench.vfs.remove(BY, named(&bench.root, "a", key)).await.unwrap();
    file.write_at(5, Bytes::from_static(b"!"), true).await.unwrap();
    assert_eq!(file.read_at(0, 10).await.unwrap(), "hello!");
    assert_eq!(file.stat().await.unwrap().links, 0);
}

pub(crate) async fn directories_hold_no_data(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let dir = bench.dir(&bench.root, "d").await;
    let refused = bench.vfs.open(BY, &dir.place(), OpenAccess::READ_WRITE).await;
    assert_eq!(refused.map(|file| file.key()), Err(VfsError::IsADirectory));
    let open = bench.open_dir(&dir).await;
    assert_eq!(open.kind(), FileKind::Directory);
    assert_eq!(open.read_at(0, 10).await, Err(VfsError::IsADirectory));
    assert_eq!(
        open.write_at(0, Bytes::from_static(b"x"), false).await,
        Err(VfsError::IsADirectory)
    );
    assert_eq!(open.set_len(0).await, Err(VfsError::IsADirectory));
    let key = bench.file(&bench.root, "f", "").await;
    let file = bench.open(&bench.root.child("f", key)).await;
    assert_eq!(file.list(None, 10).await, Err(VfsError::NotADirectory));
}

pub(crate) async fn a_descriptor_for_reading_does_not_write(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "hello").await;
    let place = bench.root.child("a", key);
    for access in [OpenAccess::READ, OpenAccess::METADATA] {
        let file = bench.vfs.open(BY, &place, access).await.unwrap();
        let data = Bytes::from_static(b"x");
        assert_eq!(file.write_at(0, data, false).await, Err(VfsError::AccessDenied));
        assert_eq!(file.set_len(0).await, Err(VfsError::AccessDenied));
        assert_eq!(file.allocate(0).await, Err(VfsError::AccessDenied));
        let what = overwrite(FileAttributes::NONE);
        assert_eq!(file.overwrite(&what).await, Err(VfsError::AccessDenied));
    }
    assert_eq!(bench.content(&place).await, "hello");
}
