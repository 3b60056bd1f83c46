//! The storage as all nodes of a cluster see it: a mount for each, all of one folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::life::{Cut, Life};
use super::mount::Mount;
use super::switch::Switch;

/// The storage of a cluster. Dropped, it is unmounted.
pub struct Storage {
    /// Where the files really are.
    folder: PathBuf,
    /// Where the mounts are.
    points: PathBuf,
    switch: Switch,
    present: Arc<Mutex<Present>>,
}

/// What is mounted now, and what was.
#[derive(Default)]
pub struct Present {
    mounts: BTreeMap<u64, Mount>,
    /// Every life there was, the oldest first.
    lives: Vec<Arc<Life>>,
}

impl Storage {
    /// The storage in `folder`; mounts and the fence command's socket lie below `root`.
    pub fn new(folder: &Path, root: &Path) -> Result<Storage, String> {
        let points = root.join("storage");
        fs::create_dir_all(&points).map_err(|error| format!("{}: {error}", points.display()))?;
        let present = Arc::<Mutex<Present>>::default();
        let switch = Switch::listen(&Storage::socket(root), present.clone())?;
        Ok(Storage { folder: folder.to_owned(), points, switch, present })
    }

    /// Where the fence command reaches the layer of a cluster whose folder is `root`.
    pub fn socket(root: &Path) -> PathBuf {
        root.join("switch")
    }

    /// Where a node sees it.
    pub fn point(&self, node: u64) -> PathBuf {
        self.points.join(format!("node{node}"))
    }

    /// A new process of a node is about to be started: it has nothing to do with what an earlier one
    /// asked for.
    pub fn begin(&self, node: u64) -> Result<Arc<Life>, String> {
        let mut present = self.present.lock();
        present.mounts.remove(&node);
        let point = self.point(node);
        fs::create_dir_all(&point).map_err(|error| format!("{}: {error}", point.display()))?;
        let life = Arc::new(Life::new(node));
        present.mounts.insert(node, Mount::new(&self.folder, &point, life.clone())?);
        present.lives.push(life.clone());
        Ok(life)
    }

    /// The present life of a node.
    pub fn life(&self, node: u64) -> Result<Arc<Life>, String> {
        let present = self.present.lock();
        let mount = present.mounts.get(&node).ok_or("no such node")?;
        Ok(mount.life().clone())
    }

    /// Holds what a node changes from now on.
    pub fn hold(&self, node: u64) {
        if let Some(mount) = self.present.lock().mounts.get(&node) {
            mount.hold();
        }
    }

    /// Lets go on what was held; how much that was.
    pub fn release(&self, node: u64) -> Result<usize, String> {
        self.present.lock().mounts.get(&node).map_or(Ok(0), Mount::release)
    }

    /// Begins a round: what was recorded before is its concern no more.
    pub fn forget_before(&self, at: Instant) {
        let mut present = self.present.lock();
        for life in &present.lives {
            life.forget_before(at);
        }
        let now: Vec<Arc<Life>> =
            present.mounts.values().map(|mount| mount.life().clone()).collect();
        present.lives.retain(|life| now.iter().any(|present| Arc::ptr_eq(life, present)));
    }

    /// Every life since the round began.
    pub fn lives(&self) -> Vec<Arc<Life>> {
        self.present.lock().lives.clone()
    }

    /// Every operation since the round began, a line for each, with its time since `begun`.
    pub fn record(&self, begun: Instant) -> String {
        self.lives().iter().map(|life| life.record(begun)).collect()
    }

    /// Unmounts everything: nodes have ended.
    pub fn end(&self) {
        self.switch.end();
        self.present.lock().mounts.clear();
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.end();
    }
}

impl Present {
    /// Cuts off the life that is this process.
    pub fn cut_off(&self, node: u64, pid: u32, incarnation: u64) -> Result<Cut, String> {
        let named = |life: &&Arc<Life>| life.node == node && life.pid() == Some(pid);
        let life = self.lives.iter().rev().find(named);
        let life = life.ok_or_else(|| format!("process {pid} is no life of node {node} here"))?;
        Ok(life.cut_off(incarnation))
    }
}
