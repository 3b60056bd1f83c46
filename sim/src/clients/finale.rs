//! The end of a client's run, after healing: every handle it was given is to be given back through
//! another node, everything is read once more, and all is closed.

use super::client::Client;
use super::io::LockAct;
use crate::event::{ClientEvent, HandleId};

impl Client {
    /// The whole run.
    pub async fn run(mut self) {
        self.work().await;
        self.leave_for_another_node().await;
        self.read_everything().await;
        self.close_everything().await;
        self.at("done");
        self.tell(ClientEvent::Done { finished: true, why: String::new() });
    }

    async fn leave_for_another_node(&mut self) {
        self.at("leaving");
        let last = match self.node() {
            0 => self.favourite,
            node => node,
        };
        self.drop_link();
        self.favourite = last % self.around.plan.nodes + 1;
        self.ensure_link().await;
    }

    async fn read_everything(&mut self) {
        let shared: Vec<(HandleId, bool)> =
            self.handles.values().map(|handle| (handle.id, handle.exclusive)).collect();
        for (id, exclusive) in shared {
            let blocks = if exclusive { 1 } else { self.around.plan.workload.blocks };
            for block in 0..blocks {
                self.read(id, block).await;
            }
        }
    }

    async fn close_everything(&mut self) {
        let handles: Vec<HandleId> = self.handles.keys().copied().collect();
        for id in handles {
            let locks: Vec<u32> =
                self.handles.get(&id).into_iter().flat_map(|handle| handle.locks.clone()).collect();
            for block in locks {
                self.lock(id, block, LockAct::Unlock).await;
            }
            self.close(id).await;
        }
        if let Some(link) = self.link.take() {
            link.connection.close();
        }
    }
}
