//! What a client does all day: opens shared files and files of its own, writes, reads, locks,
//! closes, and now and then moves to another node.

use std::time::Duration;

use tokio::time::sleep;

use super::client::Client;
use super::io::LockAct;
use crate::event::HandleId;

/// The most handles that a client has at a time; at most one on each file.
const HANDLES_MAX: usize = 4;

impl Client {
    /// Works until the faults are over.
    pub(super) async fn work(&mut self) {
        while !self.around.is_calm() && !self.around.tape.is_over() {
            self.act().await;
            self.at("thinking");
            let longest = self.around.plan.workload.think.as_micros() as u64;
            let think = Duration::from_micros(self.random.below(longest.max(1)));
            sleep(think).await;
        }
    }

    async fn act(&mut self) {
        let workload = self.around.plan.workload;
        let Some(handle) = self.some_handle() else { return self.open_one().await };
        let weights = [
            workload.open,
            workload.write,
            workload.read,
            workload.lock,
            workload.close,
            workload.create,
            workload.wander,
        ];
        let mut ticket = self.random.below(u64::from(weights.iter().sum::<u32>())) as u32;
        let mut choice = weights.len();
        for (at, weight) in weights.into_iter().enumerate() {
            if ticket < weight {
                choice = at;
                break;
            }
            ticket -= weight;
        }
        let block = self.random.below(u64::from(workload.blocks)) as u32;
        match choice {
            0 => self.open_one().await,
            1 => self.write(handle, block).await,
            2 => self.read(handle, block).await,
            3 => self.lock_or_unlock(handle, block).await,
            4 => self.close(handle).await,
            5 => self.create_one().await,
            _ => self.wander(),
        }
    }

    fn some_handle(&mut self) -> Option<HandleId> {
        let known: Vec<HandleId> = self.handles.keys().copied().collect();
        if known.is_empty() {
            return None;
        }
        Some(known[self.random.below(known.len() as u64) as usize])
    }

    async fn open_one(&mut self) {
        let file =
            format!("shared-{}", self.random.below(u64::from(self.around.plan.workload.files)));
        let open_already = self.handles.values().any(|handle| handle.file == file);
        if !open_already && self.handles.len() < HANDLES_MAX {
            self.open(file, false).await;
        }
    }

    /// A name that nobody else ever uses: what is replayed must be recognised.
    async fn create_one(&mut self) {
        if self.handles.len() >= HANDLES_MAX {
            return;
        }
        self.names += 1;
        let file = format!("own-{}-{}", self.id.0, self.names);
        if let Some(handle) = self.open(file, true).await {
            self.write(handle, 0).await;
            if self.random.percent(70) {
                self.close(handle).await;
            }
        }
    }

    async fn lock_or_unlock(&mut self, handle: HandleId, block: u32) {
        let held = self.handles.get(&handle).is_some_and(|handle| handle.locks.contains(&block));
        let act = match held {
            true => LockAct::Unlock,
            false => LockAct::Lock { wait: self.random.percent(30) },
        };
        self.lock(handle, block, act).await;
    }

    /// Goes on through another node, as when a path was lost.
    fn wander(&mut self) {
        self.drop_link();
        self.favourite = 1 + self.random.below(self.around.plan.nodes);
    }
}
