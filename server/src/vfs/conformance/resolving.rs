//! From a client's path to a file.

use std::sync::Arc;

use super::{BY, Bench, named};
use crate::vfs::{FileKind, MAX_DEPTH, NameRefusal, RenameMode, Vfs, VfsError, VolumePath};

pub(crate) async fn exact_and_folded(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let docs = bench.dir(&bench.root, "Документы").await;
    let key = bench.file(&docs, "Straße.TXT", "x").await;
    for path in [["Документы", "Straße.TXT"], ["ДОКУМЕНТЫ", "straße.txt"]] {
        let found = bench.vfs.resolve(BY, &bench.root, &path).await.unwrap();
        assert_eq!(found.parent, docs);
        assert_eq!(found.name, path[1]);
        let place = found.place().unwrap();
        assert_eq!((place.path.as_str(), place.key), ("Документы/Straße.TXT", key));
        assert_eq!(found.leaf.unwrap().stat.kind, FileKind::File);
    }
    let missing = bench.vfs.resolve(BY, &bench.root, &["документы", "b"]).await.unwrap();
    assert_eq!((missing.parent, missing.leaf), (docs, None));
}

pub(crate) async fn missing_parts_on_the_way(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    bench.file(&bench.root, "file", "x").await;
    for path in [["none", "b"], ["file", "b"], ["FILE", "b"]] {
        let refused = bench.vfs.resolve(BY, &bench.root, &path).await;
        assert_eq!(refused, Err(VfsError::PathNotFound), "{path:?}");
    }
    assert_eq!(bench.vfs.resolve(BY, &bench.root, &[]).await, Err(VfsError::InvalidPath));
}

pub(crate) async fn paths_have_a_depth(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let share = bench.dir(&bench.root, "share").await;
    let path = ["a"; MAX_DEPTH];
    let deepest = bench.vfs.resolve(BY, &bench.root, &path).await;
    assert_eq!(deepest, Err(VfsError::PathNotFound));
    // What is above the share's root counts.
    let deepest = bench.vfs.resolve(BY, &share, &path[1..]).await;
    assert_eq!(deepest, Err(VfsError::PathNotFound));
    assert_eq!(bench.vfs.resolve(BY, &share, &path).await, Err(VfsError::TooDeep));
    assert_eq!(VolumePath::parse(&["a"; MAX_DEPTH + 1].join("/")), Err(VfsError::TooDeep));
}

pub(crate) async fn refused_names(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    bench.dir(&bench.root, "a").await;
    for (path, why) in [
        (["..", "a"], NameRefusal::DotName),
        (["a", ".."], NameRefusal::DotName),
        (["a", ""], NameRefusal::Empty),
        (["a/../..", "b"], NameRefusal::ReservedCharacter),
        (["a", "b\0"], NameRefusal::ReservedCharacter),
        (["a", "*"], NameRefusal::ReservedCharacter),
        (["a", "b:s"], NameRefusal::ReservedCharacter),
    ] {
        let refused = bench.vfs.resolve(BY, &bench.root, &path).await;
        assert_eq!(refused, Err(VfsError::InvalidName(why)), "{path:?}");
    }
}

pub(crate) async fn hidden_staging(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    for name in [".holdfast", ".HoldFast", ".holdfast-doctor", ".Holdfast-Doctor"] {
        assert_eq!(bench.key(&bench.root, name).await, None);
        let beneath = bench.vfs.resolve(BY, &bench.root, &[name, "b"]).await;
        assert_eq!(beneath, Err(VfsError::PathNotFound));
        let key = bench.file(&bench.root, "f", "").await;
        let rename = bench.vfs.rename(
            BY,
            named(&bench.root, "f", key),
            &bench.root,
            name,
            RenameMode::NeverReplace,
        );
        assert_eq!(rename.await, Err(VfsError::InvalidName(NameRefusal::Reserved)));
        bench.vfs.remove(BY, named(&bench.root, "f", key)).await.unwrap();
    }
    let share = bench.vfs.root(BY, &VolumePath::parse(".holdfast").unwrap()).await;
    assert_eq!(share, Err(VfsError::PathNotFound));
    assert_eq!(bench.names(&bench.root).await, Vec::<String>::new());
    let below = bench.dir(&bench.root, "a").await;
    bench.file(&below, ".holdfast", "an ordinary name here").await;
}

pub(crate) async fn trials_have_a_hidden_folder(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let trials = bench.vfs.trial_folder(BY).await.unwrap();
    assert_eq!(bench.vfs.trial_folder(BY).await.unwrap(), trials);
    assert_eq!(trials.ancestors, [bench.root.key]);
    assert_eq!(bench.names(&bench.root).await, Vec::<String>::new());
    let inner = bench.dir(&trials, "run").await;
    bench.file(&inner, "a", "text").await;
    assert_eq!(bench.names(&inner).await, ["a"]);
    let beneath = bench.vfs.resolve(BY, &bench.root, &[trials.path.as_str(), "run"]).await;
    assert_eq!(beneath, Err(VfsError::PathNotFound));
}

pub(crate) async fn ancestors_reach_the_root_of_the_volume(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let a = bench.dir(&bench.root, "a").await;
    let b = bench.dir(&a, "b").await;
    bench.dir(&b, "c").await;
    let share = bench.vfs.root(BY, &VolumePath::parse("/a/b").unwrap()).await.unwrap();
    assert_eq!(share, b);
    assert_eq!(share.ancestors, [bench.root.key, a.key]);
    let found = bench.vfs.resolve(BY, &share, &["C", "d"]).await.unwrap();
    assert_eq!(found.parent.ancestors, [bench.root.key, a.key, b.key]);
    assert_eq!(found.parent.path.as_str(), "a/b/c");
    let none = bench.vfs.root(BY, &VolumePath::parse("a/x").unwrap()).await;
    assert_eq!(none, Err(VfsError::PathNotFound));
}

pub(crate) async fn a_moved_directory_is_not_taken_for_another(vfs: Arc<dyn Vfs>) {
    let bench = Bench::new(vfs).await;
    let a = bench.dir(&bench.root, "a").await;
    let from = named(&bench.root, "a", a.key);
    bench.vfs.rename(BY, from, &bench.root, "b", RenameMode::NeverReplace).await.unwrap();
    let gone = VfsError::Replaced { expected: a.key, found: None };
    assert_eq!(bench.vfs.lookup(BY, &a, "x").await, Err(gone));
    let other = bench.dir(&bench.root, "a").await;
    let replaced = VfsError::Replaced { expected: a.key, found: Some(other.key) };
    assert_eq!(bench.vfs.lookup(BY, &a, "x").await, Err(replaced.clone()));
    assert_eq!(bench.vfs.sync_dir(BY, &a).await, Err(replaced));
}
