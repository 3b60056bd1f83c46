//! The layer over a real folder. Needs /dev/fuse and the right to mount.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use super::{Fate, Storage};

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("holdfast-layer-{name}-{}", std::process::id()));
    fs::create_dir_all(path.join("beneath")).unwrap();
    path
}

/// Who may not mount has nothing to test.
fn storage(root: &std::path::Path) -> Option<Storage> {
    if !rustix::process::geteuid().is_root() || File::open("/dev/fuse").is_err() {
        println!("not run: it takes root and /dev/fuse");
        return None;
    }
    Some(Storage::new(&root.join("beneath"), root).unwrap())
}

#[test]
fn a_file_system_is_passed_on() {
    let root = scratch("passes");
    let Some(storage) = storage(&root) else { return };
    storage.begin(1).unwrap();
    storage.begin(2).unwrap();
    let (one, two) = (storage.point(1), storage.point(2));

    fs::create_dir(one.join("dir")).unwrap();
    let mut file = File::create_new(one.join("dir/file")).unwrap();
    file.write_all(&vec![7; 3 << 20]).unwrap();
    file.sync_all().unwrap();
    assert_eq!(fs::read(two.join("dir/file")).unwrap(), vec![7; 3 << 20], "the other one sees it");
    assert_eq!(fs::read(root.join("beneath/dir/file")).unwrap().len(), 3 << 20);
    File::create_new(two.join("dir/file")).map(drop).unwrap_err();
    file.set_len(5).unwrap();
    assert_eq!(fs::metadata(two.join("dir/file")).unwrap().len(), 5);

    fs::hard_link(one.join("dir/file"), one.join("link")).unwrap();
    fs::rename(one.join("link"), one.join("moved")).unwrap();
    let names = |path: &PathBuf| {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&two), ["dir", "moved"]);
    let (seen, real) = (two.join("moved"), root.join("beneath/moved"));
    let (seen, real) = (fs::metadata(seen).unwrap(), fs::metadata(real).unwrap());
    assert_eq!(seen.ino(), real.ino());
    assert_eq!(seen.created().unwrap(), real.created().unwrap(), "files are told apart by it");

    let path = one.join("moved");
    rustix::fs::setxattr(&path, "user.a", b"value", rustix::fs::XattrFlags::CREATE).unwrap();
    let mut value = [0; 16];
    let length = rustix::fs::getxattr(two.join("moved"), "user.a", &mut value[..]).unwrap();
    assert_eq!(&value[..length], b"value");
    fs::remove_file(one.join("moved")).unwrap();
    assert_eq!(fs::metadata(two.join("moved")).unwrap_err().kind(), ErrorKind::NotFound);
    drop(file);
    drop(storage);
    assert_eq!(names(&root.join("storage/node1")).len(), 0, "it is unmounted");
    fs::remove_dir_all(&root).unwrap();
}

#[test]
fn what_was_held_is_refused_after_the_cut_and_other_lives_go_on() {
    let root = scratch("cuts");
    let Some(storage) = storage(&root) else { return };
    let life = storage.begin(1).unwrap();
    life.set_pid(11);
    storage.begin(2).unwrap();
    let file = File::create_new(storage.point(1).join("file")).unwrap();
    file.write_at(b"before", 0).unwrap();

    storage.hold(1);
    let late = std::thread::Builder::new().spawn(move || file.write_at(b"after!", 0)).unwrap();
    let other = OpenOptions::new().write(true).open(storage.point(2).join("file")).unwrap();
    other.write_at(b"taken!", 0).unwrap();
    life.cut_off(5);
    // It may not have been on its way yet: then it is refused when it comes.
    storage.release(1).unwrap();
    assert!(late.join().unwrap().is_err());
    assert_eq!(fs::read(root.join("beneath/file")).unwrap(), b"taken!");
    assert_eq!(fs::metadata(storage.point(1).join("file")).unwrap_err().raw_os_error(), Some(5));
    life.read(|recorded| {
        assert!(recorded.iter().any(|one| one.fate == Fate::Refused && one.operation == "write"));
    });

    // The next life of the node is another one.
    storage.begin(1).unwrap();
    assert_eq!(fs::read(storage.point(1).join("file")).unwrap(), b"taken!");
    drop(other);
    drop(storage);
    fs::remove_dir_all(&root).unwrap();
}
