//! What is kept with a file beside its data.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileTime};

use super::{BY, Bench};
use crate::vfs::{NameRefusal, SetTimes, Vfs, VfsError};

pub(crate) async fn attributes_and_times(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "x").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    let before = file.stat().await.unwrap();
    assert_eq!(before.attributes, FileAttributes::ARCHIVE);
    assert!(before.times.creation.0 > 130_000_000_000_000_000);
    let all = FileAttributes::HIDDEN | FileAttributes::READONLY;
    file.set_attributes(all | FileAttributes::NORMAL | FileAttributes::DIRECTORY).await.unwrap();
    assert_eq!(file.stat().await.unwrap().attributes, all);
    let at = |n: u64| FileTime(132_000_000_000_000_000 + n);
    let times = SetTimes { creation: Some(at(1)), access: Some(at(20)), write: Some(at(300)) };
    file.set_times(times).await.unwrap();
    file.set_times(SetTimes { write: Some(at(400)), ..SetTimes::default() }).await.unwrap();
    file.set_attributes(FileAttributes::NONE).await.unwrap();
    let after = file.stat().await.unwrap();
    assert_eq!(after.attributes, FileAttributes::NORMAL);
    assert_eq!(after.times.creation, at(1));
    assert_eq!(after.times.access, at(20));
    assert_eq!(after.times.write, at(400));
    assert!(after.times.change >= before.times.change);
    let entry = bench.vfs.lookup(BY, &bench.root, "A").await.unwrap().unwrap();
    assert_eq!((entry.name.as_str(), entry.stat), ("a", after));
    let dir = bench.dir(&bench.root, "d").await;
    let open = bench.open_dir(&dir).await;
    open.set_attributes(FileAttributes::HIDDEN).await.unwrap();
    let shown = FileAttributes::HIDDEN | FileAttributes::DIRECTORY;
    assert_eq!(open.stat().await.unwrap().attributes, shown);
}

pub(crate) async fn extended_attributes(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let key = bench.file(&bench.root, "a", "").await;
    let file = bench.open(&bench.root.child("a", key)).await;
    let value = |text: &'static str| Bytes::from_static(text.as_bytes());
    file.set_extended_attribute("Second", value("2")).await.unwrap();
    file.set_extended_attribute("First", value("1")).await.unwrap();
    file.set_extended_attribute("SECOND", value("3")).await.unwrap();
    let all = vec![("First".to_owned(), value("1")), ("Second".to_owned(), value("3"))];
    assert_eq!(file.extended_attributes().await, Ok(all));
    assert_eq!(file.extended_attribute("first").await, Ok(value("1")));
    file.set_extended_attribute("FIRST", Bytes::new()).await.unwrap();
    file.set_extended_attribute("FIRST", Bytes::new()).await.unwrap();
    assert_eq!(file.extended_attribute("first").await, Err(VfsError::NoSuchAttribute));
    for (name, why) in [
        ("", NameRefusal::Empty),
        ("dosattrib", NameRefusal::Reserved),
        ("holdfast.intent", NameRefusal::Reserved),
        ("a/b", NameRefusal::ReservedCharacter),
        ("ä", NameRefusal::ReservedCharacter),
    ] {
        let refused = file.set_extended_attribute(name, value("x")).await;
        assert_eq!(refused, Err(VfsError::InvalidName(why)), "{name}");
    }
    let large = Bytes::from(vec![1; 1 << 20]);
    assert_eq!(file.set_extended_attribute("LARGE", large).await, Err(VfsError::TooLarge));
}

pub(crate) async fn security_descriptors(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let dir = bench.dir(&bench.root, "d").await;
    let open = bench.open_dir(&dir).await;
    assert_eq!(open.security().await, Ok(None));
    for descriptor in [vec![1u8; 300], vec![2; 20]] {
        let descriptor = Bytes::from(descriptor);
        open.set_security(descriptor.clone()).await.unwrap();
        assert_eq!(open.security().await, Ok(Some(descriptor)));
    }
    assert_eq!(open.extended_attributes().await, Ok(vec![]));
}

pub(crate) async fn statistics(vfs: Arc<dyn Vfs>) {
    let statistics = vfs.statistics(BY).await.unwrap();
    assert!(statistics.total >= statistics.free && statistics.free >= statistics.available);
    assert!(statistics.available > 0 && statistics.block_size >= 512);
}
