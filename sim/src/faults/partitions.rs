//! Partitions: between nodes, around one, between a client and a node; both ways or one.

use std::sync::Arc;
use std::time::Duration;

use madsim::task::NodeId as SimId;
use tokio::time::sleep;

use super::Faults;
use crate::plan::Fault;

impl Faults {
    pub(super) async fn begin_partition(self: &Arc<Self>, fault: Fault) {
        let node = |number: u64| self.world.machine(number).id();
        let (links, lasts) = match fault {
            Fault::PartNodes { a, b, one_way, lasts } => {
                (both_ways(node(a), node(b), one_way), lasts)
            }
            Fault::Isolate { node: target, with_clients, one_way, lasts } => {
                let Some(number) = self.target(target).await else { return };
                (self.around_node(number, with_clients, one_way), lasts)
            }
            Fault::PartClient { client, node: number, one_way, lasts } => {
                (both_ways(self.clients[usize::from(client)], node(number), one_way), lasts)
            }
            _ => return,
        };
        self.world.tape.fault(format!("{fault:?}"));
        self.cut_for(links, lasts);
    }

    /// A node's clients are cut off from it, and notice at once.
    pub fn cut_clients(self: &Arc<Self>, number: u64, lasts: Duration) {
        let id = self.world.machine(number).id();
        let links = self
            .clients_of(number)
            .into_iter()
            .flat_map(|client| both_ways(client, id, false))
            .collect();
        self.around.disconnect(number);
        self.cut_for(links, lasts);
    }

    fn cut_for(self: &Arc<Self>, links: Vec<(SimId, SimId)>, lasts: Duration) {
        self.world.tape.count("partitions", 1);
        for (from, to) in &links {
            self.world.network.cut(*from, *to);
        }
        let world = self.world.clone();
        self.world.on_the_outside(async move {
            sleep(lasts).await;
            for (from, to) in links {
                world.network.mend(from, to);
            }
        });
    }

    /// The node keeps the clients that it has, on its side, or loses them too.
    fn around_node(&self, number: u64, with_clients: bool, one_way: bool) -> Vec<(SimId, SimId)> {
        let id = self.world.machine(number).id();
        let others = self.world.machines.iter().map(|machine| machine.id()).filter(|at| *at != id);
        let mut links: Vec<(SimId, SimId)> =
            others.clone().flat_map(|other| both_ways(id, other, one_way)).collect();
        let mine = self.clients_of(number);
        for client in &self.clients {
            if !with_clients {
                links.extend(both_ways(id, *client, one_way));
            } else if mine.contains(client) {
                links.extend(others.clone().flat_map(|other| both_ways(other, *client, false)));
            }
        }
        links
    }

    fn clients_of(&self, number: u64) -> Vec<SimId> {
        let whereabouts = self.around.whereabouts.lock();
        let here = whereabouts.iter().zip(&self.clients).filter(|(node, _)| **node == number);
        here.map(|(_, client)| *client).collect()
    }
}

fn both_ways(a: SimId, b: SimId, one_way: bool) -> Vec<(SimId, SimId)> {
    if one_way { vec![(a, b)] } else { vec![(a, b), (b, a)] }
}
