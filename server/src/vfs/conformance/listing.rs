//! Directories, batch by batch.

use std::sync::Arc;

use super::{BY, Bench, named};
use crate::vfs::Vfs;

pub(crate) async fn stable_order_and_batches(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    for name in ["delta", "Alpha", "charlie", "BRAVO"] {
        bench.file(&bench.root, name, name).await;
    }
    bench.dir(&bench.root, "Echo").await;
    let sorted = ["Alpha", "BRAVO", "charlie", "delta", "Echo"];
    assert_eq!(bench.names(&bench.root).await, sorted);
    let open = bench.open_dir(&bench.root).await;
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let batch = open.list(after.as_deref(), 2).await.unwrap();
        assert!(batch.entries.len() <= 2);
        for entry in &batch.entries {
            let looked_up = bench.vfs.lookup(BY, &bench.root, &entry.name).await.unwrap();
            assert_eq!(looked_up.as_ref(), Some(entry));
            seen.push(entry.name.clone());
        }
        if batch.end {
            break;
        }
        after = seen.last().cloned();
    }
    assert_eq!(seen, sorted);
}

pub(crate) async fn resuming_by_name(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    for name in ["a", "c", "E"] {
        bench.file(&bench.root, name, "").await;
    }
    for (after, rest) in [("a", &["c", "E"][..]), ("B", &["c", "E"]), ("d", &["E"]), ("E", &[])] {
        // Another node resumes with a descriptor of its own.
        let open = bench.open_dir(&bench.root).await;
        let batch = open.list(Some(after), 10).await.unwrap();
        let names: Vec<_> = batch.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, rest, "after {after}");
        assert!(batch.end);
    }
}

pub(crate) async fn changes_while_listing(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let root = &bench.root;
    let mut keys = Vec::new();
    for name in ["a", "b", "c", "d"] {
        keys.push(bench.file(root, name, "").await);
    }
    let open = bench.open_dir(root).await;
    let batch = open.list(None, 2).await.unwrap();
    assert_eq!(batch.entries[1].name, "b");
    bench.vfs.remove(BY, named(root, "b", keys[1])).await.unwrap();
    bench.vfs.remove(BY, named(root, "c", keys[2])).await.unwrap();
    let batch = open.list(Some("b"), 2).await.unwrap();
    let names: Vec<_> = batch.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!((names, batch.end), (vec!["d"], true));
}

pub(crate) async fn restarting_looks_anew(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let open = bench.open_dir(&bench.root).await;
    let empty = open.list(None, 10).await.unwrap();
    assert!(empty.entries.is_empty() && empty.end);
    bench.file(&bench.root, "a", "").await;
    assert_eq!(open.list(None, 10).await.unwrap().entries.len(), 1);
}
