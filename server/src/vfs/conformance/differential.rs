//! Two volumes that are told the same things must answer the same: any sequence of operations,
//! drawn from a seed, with keys compared by the order in which objects came into being.

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::types::{FileAttributes, FileKey};

use super::{BY, Bench, named};
use crate::vfs::{
    DirRef, FileKind, IntentMark, NewNode, OpenAccess, Place, RenameMode, Vfs, VfsError, VfsResult,
};

/// Names that collide without case, with the letters that make it hard.
const NAMES: [&str; 9] = ["a", "A", "b", "straße", "STRASSE", "ü", "Ü", "ı", "I"];

/// One volume, with all objects it was ever told to make. The same index is the same object in
/// every volume under test.
struct Side {
    bench: Bench,
    /// Keys in order of birth; the root is the first.
    keys: Vec<FileKey>,
    /// Directories and the paths on which they were made.
    dirs: Vec<DirRef>,
}

/// One operation, drawn once for all sides.
#[derive(Clone, Debug)]
enum Step {
    Create { dir: usize, name: &'static str, kind: FileKind },
    Staged { dir: usize, name: &'static str, mark: u128 },
    FindMark { dir: usize, name: &'static str },
    Lookup { dir: usize, name: &'static str },
    Write { dir: usize, name: &'static str, offset: u64, len: usize },
    Resize { dir: usize, name: &'static str, len: u64 },
    Attributes { dir: usize, name: &'static str, bits: u32 },
    Rename { dir: usize, name: &'static str, to: usize, new: &'static str, replace: bool },
    Remove { dir: usize, name: &'static str },
    List { dir: usize, after: Option<&'static str>, limit: usize },
}

/// Runs `steps` steps of the sequence that `seed` stands for on all volumes.
pub(crate) async fn agree(volumes: Vec<Arc<dyn Vfs>>, seed: u64, steps: usize) {
    let mut draw = Draw(seed | 1);
    let mut sides = Vec::new();
    for vfs in volumes {
        let bench = Bench::new(vfs).await;
        sides.push(Side { keys: vec![bench.root.key], dirs: vec![bench.root.clone()], bench });
    }
    let mut told = Vec::new();
    for _ in 0..steps {
        let step = draw.step(sides[0].dirs.len());
        told.push(step.clone());
        let mut answers = Vec::new();
        for side in &mut sides {
            answers.push(side.run(&step).await);
        }
        let first = &answers[0];
        assert!(answers.iter().all(|answer| answer == first), "{answers:#?} after {told:#?}");
    }
}

struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) as usize % bound
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.below(NAMES.len())]
    }

    fn step(&mut self, dirs: usize) -> Step {
        let (dir, name) = (self.below(dirs), self.name());
        match self.below(12) {
            0 | 1 => Step::Create { dir, name, kind: FileKind::File },
            2 => Step::Create { dir, name, kind: FileKind::Directory },
            3 => Step::Staged { dir, name, mark: self.below(4) as u128 },
            4 => Step::FindMark { dir, name },
            5 => Step::Lookup { dir, name },
            6 => Step::Write { dir, name, offset: self.below(9000) as u64, len: self.below(5000) },
            7 => Step::Resize { dir, name, len: self.below(9000) as u64 },
            8 => Step::Attributes { dir, name, bits: self.below(0x4000) as u32 },
            9 => {
                let (to, new) = (self.below(dirs), self.name());
                Step::Rename { dir, name, to, new, replace: self.below(2) == 0 }
            }
            10 => Step::Remove { dir, name },
            _ => {
                let after = (self.below(2) == 0).then_some(name);
                Step::List { dir, after, limit: 1 + self.below(5) }
            }
        }
    }
}

impl Side {
    /// Runs one step and tells what came of it in words that do not depend on the volume.
    async fn run(&mut self, step: &Step) -> String {
        match step {
            Step::Create { dir, name, kind } => {
                let new = NewNode::new(*kind, FileAttributes::ARCHIVE);
                let dir = self.dirs[*dir].clone();
                let made = self.bench.vfs.create_exclusive(BY, &dir, name, &new).await;
                if let Ok(key) = made {
                    self.keys.push(key);
                    if *kind == FileKind::Directory {
                        self.dirs.push(dir.child_dir(name, key));
                    }
                }
                self.tell(made.map(|key| self.index(key)))
            }
            Step::Staged { dir, name, mark } => self.staged(*dir, name, IntentMark(*mark)).await,
            Step::FindMark { dir, name } => {
                let found = self.bench.vfs.find_mark(BY, &self.dirs[*dir], name).await;
                self.tell(found.map(|found| found.map(|m| (m.mark, self.index(m.key), m.kind))))
            }
            Step::Lookup { dir, name } => {
                let found = self.bench.vfs.lookup(BY, &self.dirs[*dir], name).await;
                self.tell(found.map(|found| {
                    found.map(|e| (e.name, self.index(e.stat.key), e.stat.len, e.stat.attributes))
                }))
            }
            Step::Rename { dir, name, to, new, replace } => {
                self.rename(*dir, name, *to, new, *replace).await
            }
            Step::Remove { dir, name } => {
                let dir = &self.dirs[*dir];
                let key = self.exact(dir, name).await.map_or(self.keys[0], |found| found.key);
                let removed = self.bench.vfs.remove(BY, named(dir, name, key)).await;
                self.tell(removed)
            }
            Step::List { dir, after, limit } => {
                let place = self.dirs[*dir].place();
                let listing = match self.bench.vfs.open(BY, &place, OpenAccess::METADATA).await {
                    Ok(open) => open.list(*after, *limit).await,
                    Err(failure) => Err(failure),
                };
                self.tell(listing.map(|listing| {
                    let entries = listing.entries.into_iter();
                    let all: Vec<_> = entries.map(|e| (self.index(e.stat.key), e.name)).collect();
                    (all, listing.end)
                }))
            }
            Step::Write { dir, name, .. }
            | Step::Resize { dir, name, .. }
            | Step::Attributes { dir, name, .. } => {
                match self.exact(&self.dirs[*dir], name).await {
                    Some(place) => self.change(&place, step).await,
                    None => "nothing there".to_owned(),
                }
            }
        }
    }

    async fn staged(&mut self, dir: usize, name: &str, mark: IntentMark) -> String {
        let new = NewNode::new(FileKind::File, FileAttributes::HIDDEN);
        let dir = self.dirs[dir].clone();
        let staged = self.bench.vfs.stage(BY, mark, &new).await.unwrap();
        self.keys.push(staged.key);
        let placed = self.bench.vfs.put_in_place(BY, &staged, &dir, name).await;
        let left = self.bench.vfs.staged_marks(BY, 10).await;
        self.tell(placed.map(|key| self.index(key))) + &self.tell(left)
    }

    async fn rename(&self, dir: usize, name: &str, to: usize, new: &str, replace: bool) -> String {
        let (dir, to) = (&self.dirs[dir], &self.dirs[to]);
        let key = self.exact(dir, name).await.map_or(self.keys[0], |found| found.key);
        let target = self.exact(to, new).await;
        let mode = match target {
            Some(target) if replace => RenameMode::Replace(target.key),
            _ => RenameMode::NeverReplace,
        };
        let renamed = self.bench.vfs.rename(BY, named(dir, name, key), to, new, mode).await;
        self.tell(renamed)
    }

    /// Opens what is at a place, changes it, and tells what it is then.
    async fn change(&self, place: &Place, step: &Step) -> String {
        let file = match self.bench.vfs.open(BY, place, OpenAccess::READ_WRITE).await {
            Ok(file) => file,
            Err(failure) => return self.tell::<()>(Err(failure)),
        };
        let changed = match step {
            Step::Write { offset, len, .. } => {
                let data = Bytes::from(vec![*len as u8; *len]);
                file.write_at(*offset, data, len % 7 == 0).await
            }
            Step::Resize { len, .. } if len % 2 == 0 => file.allocate(*len).await,
            Step::Resize { len, .. } => file.set_len(*len).await,
            Step::Attributes { bits, .. } => file.set_attributes(FileAttributes(*bits)).await,
            _ => unreachable!("only changes come here"),
        };
        let stat = file.stat().await.unwrap();
        let data = file.read_at(0, 20_000).await.unwrap();
        self.tell(changed.map(|()| (stat.len, stat.attributes, data)))
    }

    /// The place of what exactly this name denotes.
    async fn exact(&self, dir: &DirRef, name: &str) -> Option<Place> {
        let found = self.bench.vfs.lookup(BY, dir, name).await.ok()??;
        (found.name == name).then(|| dir.child(name, found.stat.key))
    }

    fn index(&self, key: FileKey) -> usize {
        self.keys.iter().position(|known| *known == key).expect("every key was told at birth")
    }

    fn tell<T: Debug>(&self, result: VfsResult<T>) -> String {
        match result {
            Ok(done) => format!("{done:?}"),
            Err(VfsError::Replaced { expected, found }) => {
                let found = found.map(|found| self.index(found));
                format!("not {} but {found:?}", self.index(expected))
            }
            Err(failure) => format!("{failure:?}"),
        }
    }
}
