//! Every effect can be derived again: what the state still expects of a node.

use holdfast_proto::types::{LeaseState, OpenId};

use super::*;
use crate::outcome::BrokenLease;

impl State {
    /// The node that tells a lease's client of a break: one that serves a session of it, and if
    /// possible a session with an open of the lease. None while the client is away.
    pub fn teller(&self, id: LeaseId) -> Option<NodeLife> {
        let (file, _) = self.lease(id)?;
        let owner = self
            .file(file)?
            .lease_opens(id)
            .filter_map(Open::bound_to)
            .map(|(life, session)| (session, life))
            .min();
        owner.or_else(|| self.client_sessions(id.client_guid).next()).map(|(_, life)| life)
    }

    /// A lease whose break a changer of the content has to see told.
    pub(crate) fn broken(&self, id: LeaseId) -> Option<BrokenLease> {
        let (_, lease) = self.lease(id)?;
        let notification = lease.notification()?;
        Some(BrokenLease {
            client_guid: id.client_guid,
            key: id.key,
            epoch: notification.epoch,
            teller: self.teller(id),
        })
    }

    /// Leases of others than `own` that no longer let their clients cache reads, and whose clients
    /// may not have been told yet.
    pub(crate) fn untold(&self, file: FileKey, own: Option<LeaseId>) -> Vec<BrokenLease> {
        let Some(state) = self.file(file) else { return Vec::new() };
        state
            .leases()
            .filter(|(id, lease)| {
                Some(*id) != own
                    && lease.notification().is_some_and(|notification| {
                        notification.current.contains(LeaseState::READ)
                            && !notification.new.contains(LeaseState::READ)
                    })
            })
            .filter_map(|(id, _)| self.broken(id))
            .collect()
    }

    /// The same, of others than `open`'s client: who must have been told before a change of the
    /// content by `open` is answered.
    pub fn untold_by(&self, file: FileKey, open: OpenId) -> Vec<BrokenLease> {
        self.untold(file, self.open(open).and_then(Open::lease_id))
    }

    /// The effects still due to a life: a node that missed some, or that took a snapshot in place
    /// of entries, asks for them. Carrying one out twice does no harm.
    pub fn due_to(&self, life: NodeLife) -> Vec<Effect> {
        let mut due = Vec::new();
        for id in &self.indexes.notifications {
            let Some((_, lease)) = self.lease(*id) else { continue };
            let sent = lease.breaking.is_some_and(|breaking| breaking.timer.is_some());
            if let Some(notification) = lease.notification()
                && !sent
                && self.teller(*id) == Some(life)
            {
                due.push(Effect::SendBreak { to: life, notification: *notification });
            }
        }
        for (id, intent) in &self.intents {
            if intent.orphaned && intent.owner == life {
                due.push(Effect::ResolveIntent { to: life.node, intent: *id });
            }
        }
        for record in self.duties.values() {
            if record.owner == life {
                due.push(Effect::RunDuty { to: life.node, duty: record.duty.clone() });
            }
        }
        for (node, record) in &self.nodes {
            match record.status {
                NodeStatus::Suspected { fencer } if fencer == life.node => {
                    due.push(Effect::Fence { fencer, life: record.life(*node) });
                }
                NodeStatus::Live | NodeStatus::Suspected { .. } | NodeStatus::Ended(_) => {}
            }
        }
        due
    }
}
