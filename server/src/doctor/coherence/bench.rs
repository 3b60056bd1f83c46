//! What one side of an examination has in front of it: its folder on the volume, and the
//! descriptors that it keeps open between steps. Steps go through the same port as what clients
//! ask for, so that what is tried out is what is relied upon.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use holdfast_proto::pb::doctor as pb;
use holdfast_proto::pb::doctor::seen::Kind;
use holdfast_proto::pb::doctor::step::Action;
use holdfast_proto::types::{FileAttributes, FileKey, VolumeId};
use parking_lot::Mutex;

use crate::node::Node;
use crate::vfs::{
    DirRef, Entry, FileKind, FileStat, IntentMark, Issuer, Named, NewNode, OpenAccess, RenameMode,
    Vfs, VfsError, VfsFile, VfsResult,
};

/// Descriptors that one side holds at most.
const HELD_MAX: usize = 32;
/// Names that one listing tells at most.
const NAMES_MAX: usize = 512;
/// Looks of one step at most.
const LOOKS_MAX: u32 = 10_000;
/// Sides that a node serves at one time.
const BENCHES_MAX: usize = 8;
/// A side that nobody uses for so long may be given up for another one.
const IDLE: Duration = Duration::from_secs(60);

/// One side's.
#[derive(Debug)]
pub struct Bench {
    volume: Arc<dyn Vfs>,
    by: Issuer,
    dir: DirRef,
    held: Mutex<BTreeMap<String, Arc<dyn VfsFile>>>,
}

/// What an examination's folder is called.
pub fn folder_of(run: u64) -> String {
    format!("run-{run:016x}")
}

impl Bench {
    /// Finds the examination's folder; none if this node does not see it.
    pub async fn find(volume: Arc<dyn Vfs>, by: Issuer, run: u64) -> VfsResult<Option<Bench>> {
        let trials = volume.trial_folder(by).await?;
        let name = folder_of(run);
        let found = volume.lookup(by, &trials, &name).await?;
        Ok(found.map(|entry| Bench {
            dir: trials.child_dir(&name, entry.stat.key),
            volume,
            by,
            held: Mutex::default(),
        }))
    }

    /// Takes a step.
    pub async fn act(&self, action: &Action) -> VfsResult<pb::Seen> {
        let kind = match action {
            Action::Enter(_) => Kind::Done(pb::Done {}),
            Action::Leave(_) => {
                self.held.lock().clear();
                Kind::Done(pb::Done {})
            }
            Action::Make(make) => {
                let (dir, new) = (&self.dir, new_file());
                made(self.volume.create_exclusive(self.by, dir, &make.name, &new).await)?
            }
            Action::Look(look) => match self.look(&look.name).await? {
                Some(entry) => found(&entry.name, &entry.stat),
                None => Kind::Nothing(pb::Nothing {}),
            },
            Action::List(_) => self.list().await?,
            Action::Hold(hold) => self.hold(&hold.name).await?,
            Action::Write(write) => {
                let data = Bytes::copy_from_slice(&write.data);
                self.held(&write.name)?.write_at(write.offset, data, write.stable).await?;
                Kind::Done(pb::Done {})
            }
            Action::Read(read) => {
                let data = self.held(&read.name)?.read_at(read.offset, read.length.min(4096)).await;
                Kind::Data(data?.to_vec())
            }
            Action::Stat(stat) => found(&stat.name, &self.held(&stat.name)?.stat().await?),
            Action::Resize(resize) => {
                self.held(&resize.name)?.set_len(resize.length).await?;
                Kind::Done(pb::Done {})
            }
            Action::Append(append) => {
                let data = Bytes::copy_from_slice(&append.data);
                match self.held(&append.name)?.append_at(append.offset, data, false).await {
                    Ok(()) => Kind::Done(pb::Done {}),
                    Err(VfsError::EndMoved) => Kind::Taken(pb::Taken {}),
                    Err(error) => return Err(error),
                }
            }
            Action::Rename(rename) => self.rename(rename).await?,
            Action::Remove(remove) => {
                let entry = self.look(&remove.name).await?.ok_or(VfsError::NotFound)?;
                let what = Named { dir: &self.dir, name: &remove.name, key: entry.stat.key };
                self.volume.remove(self.by, what).await?;
                Kind::Done(pb::Done {})
            }
            Action::SetAttribute(set) => {
                let value = Bytes::copy_from_slice(&set.value);
                self.held(&set.name)?.set_extended_attribute(&set.attribute, value).await?;
                Kind::Done(pb::Done {})
            }
            Action::Attribute(get) => {
                match self.held(&get.name)?.extended_attribute(&get.attribute).await {
                    Ok(value) => Kind::Data(value.to_vec()),
                    Err(VfsError::NoSuchAttribute) => Kind::Nothing(pb::Nothing {}),
                    Err(error) => return Err(error),
                }
            }
            Action::Produce(produce) => self.produce(produce).await?,
            Action::Mark(mark) => {
                match self.volume.find_mark(self.by, &self.dir, &mark.name).await? {
                    Some(marked) => Kind::Data(marked.mark.0.to_be_bytes().to_vec()),
                    None => Kind::Nothing(pb::Nothing {}),
                }
            }
            Action::ClearMark(clear) => {
                let entry = self.look(&clear.name).await?.ok_or(VfsError::NotFound)?;
                let place = self.dir.child(&clear.name, entry.stat.key);
                self.volume.clear_mark(self.by, &place, mark_of(&clear.mark)?).await?;
                Kind::Done(pb::Done {})
            }
            Action::Watch(watch) => self.watch(watch).await?,
        };
        Ok(pb::Seen { kind: Some(kind) })
    }

    async fn look(&self, name: &str) -> VfsResult<Option<Entry>> {
        self.volume.lookup(self.by, &self.dir, name).await
    }

    fn held(&self, name: &str) -> VfsResult<Arc<dyn VfsFile>> {
        self.held.lock().get(name).cloned().ok_or(VfsError::NotFound)
    }

    async fn list(&self) -> VfsResult<Kind> {
        let place = self.dir.place();
        let dir = self.volume.open(self.by, &place, OpenAccess::METADATA).await?;
        let listing = dir.list(None, NAMES_MAX).await?;
        let names = listing.entries.into_iter().map(|entry| entry.name).collect();
        Ok(Kind::Names(pb::Names { names }))
    }

    async fn hold(&self, name: &str) -> VfsResult<Kind> {
        if self.held.lock().len() >= HELD_MAX {
            return Err(VfsError::TooManyOpenFiles);
        }
        let entry = self.look(name).await?.ok_or(VfsError::NotFound)?;
        let place = self.dir.child(&entry.name, entry.stat.key);
        let file = self.volume.open(self.by, &place, OpenAccess::READ_WRITE).await?;
        let kind = found(name, &file.stat().await?);
        self.held.lock().insert(name.to_owned(), file);
        Ok(kind)
    }

    async fn rename(&self, rename: &pb::Rename) -> VfsResult<Kind> {
        let entry = self.look(&rename.name).await?.ok_or(VfsError::NotFound)?;
        let from = Named { dir: &self.dir, name: &rename.name, key: entry.stat.key };
        let target = match rename.replace {
            true => self.look(&rename.to).await?,
            false => None,
        };
        let mode = match target {
            Some(target) => RenameMode::Replace(target.stat.key),
            None => RenameMode::NeverReplace,
        };
        match self.volume.rename(self.by, from, &self.dir, &rename.to, mode).await {
            Ok(_) => Ok(Kind::Done(pb::Done {})),
            Err(VfsError::AlreadyExists) => Ok(Kind::Taken(pb::Taken {})),
            Err(error) => Err(error),
        }
    }

    async fn produce(&self, produce: &pb::Marked) -> VfsResult<Kind> {
        let mark = mark_of(&produce.mark)?;
        let staged = self.volume.stage(self.by, mark, &new_file()).await?;
        let placed = self.volume.put_in_place(self.by, &staged, &self.dir, &produce.name).await;
        if placed.is_err() {
            self.volume.discard_staged(self.by, mark).await?;
        }
        made(placed)
    }

    async fn watch(&self, watch: &pb::Watch) -> VfsResult<Kind> {
        let looks = watch.times.min(LOOKS_MAX);
        let mut missing = 0;
        for _ in 0..looks {
            missing += u32::from(self.look(&watch.name).await?.is_none());
            // Other nodes' questions wait for this thread too.
            tokio::task::yield_now().await;
        }
        Ok(Kind::Watched(pb::Watched { looks, missing }))
    }
}

fn new_file() -> NewNode {
    NewNode::new(FileKind::File, FileAttributes::NONE)
}

fn made(key: VfsResult<FileKey>) -> VfsResult<Kind> {
    match key {
        Ok(key) => Ok(Kind::Found(pb::Found { key: key_bytes(key), ..pb::Found::default() })),
        Err(VfsError::AlreadyExists) => Ok(Kind::Taken(pb::Taken {})),
        Err(error) => Err(error),
    }
}

fn found(name: &str, stat: &FileStat) -> Kind {
    Kind::Found(pb::Found {
        name: name.to_owned(),
        key: key_bytes(stat.key),
        length: stat.len,
        written: stat.times.write.0,
    })
}

fn key_bytes(key: FileKey) -> Vec<u8> {
    key.file.to_be_bytes().to_vec()
}

/// No intent has such a mark: theirs have 64 bits.
fn mark_of(bytes: &[u8]) -> VfsResult<IntentMark> {
    let bytes: [u8; 16] = bytes.try_into().map_err(|_| VfsError::TooLarge)?;
    Ok(IntentMark(u128::from_be_bytes(bytes) | 1 << 127))
}

/// The sides that a node takes steps for.
#[derive(Debug, Default)]
pub struct Benches {
    taken: Mutex<BTreeMap<(VolumeId, u64, u32), Taken>>,
}

#[derive(Debug)]
struct Taken {
    bench: Arc<Bench>,
    /// When a step was last taken, on the boot clock.
    used: Duration,
}

impl Benches {
    /// Takes a step for another node, or for this one.
    ///
    /// # Errors
    /// Why it could not be taken, for people.
    pub async fn take(&self, node: &Node, step: pb::Step) -> Result<pb::Seen, String> {
        let (volume, now) = (VolumeId(step.volume), node.clock.boot());
        let seat = (volume, step.run, step.side);
        let action = step.action.ok_or("a step that this node does not know")?;
        let storage = node.volume(volume).ok_or("this node has no such volume")?;
        match &action {
            Action::Enter(_) => {
                let found = Bench::find(Arc::clone(storage), node.issuer(), step.run).await;
                let Some(bench) = found.map_err(|error| error.to_string())? else {
                    return Ok(pb::Seen { kind: Some(Kind::Nothing(pb::Nothing {})) });
                };
                self.seat(seat, bench, now)?;
                return Ok(pb::Seen { kind: Some(Kind::Done(pb::Done {})) });
            }
            Action::Leave(_) => {
                self.taken.lock().remove(&seat);
                return Ok(pb::Seen { kind: Some(Kind::Done(pb::Done {})) });
            }
            _ => {}
        }
        let bench = {
            let mut taken = self.taken.lock();
            let taken = taken.get_mut(&seat).ok_or("the examination is not known here")?;
            taken.used = now;
            Arc::clone(&taken.bench)
        };
        bench.act(&action).await.map_err(|error| error.to_string())
    }

    fn seat(&self, seat: (VolumeId, u64, u32), bench: Bench, now: Duration) -> Result<(), String> {
        let mut taken = self.taken.lock();
        taken.retain(|_, taken| now.saturating_sub(taken.used) < IDLE);
        if taken.len() >= BENCHES_MAX {
            return Err("too many examinations at the same time".to_owned());
        }
        taken.insert(seat, Taken { bench: Arc::new(bench), used: now });
        Ok(())
    }
}
