//! A node begins a life.

use holdfast_proto::types::{Incarnation, NodeId};

use super::ending_node::proves;
use super::*;
use crate::command::{FenceProof, NodeIdentity};
use crate::state::{NodeEnd, NodeRecord, NodeStatus, limits};

impl Step<'_> {
    pub(super) fn join_node(
        &mut self,
        node: NodeId,
        identity: &NodeIdentity,
        proof: &FenceProof,
    ) -> Verdict {
        check_identity(identity)?;
        let before = self.state.node(node).cloned();
        if let Some(record) = &before {
            if record.join_sequence == self.submit.sequence {
                return match record.has_ended() {
                    false => Ok(joined(record)),
                    true => Err(Refusal::NodeGone),
                };
            }
            let known = record.identity.folder;
            if known.is_some() && known != identity.folder {
                return Err(Refusal::OtherFolder);
            }
            let same_boot = record.identity.boot_id == identity.boot_id;
            let contradicts = matches!(proof, FenceProof::HostRebooted) && same_boot;
            if !record.has_ended() && (contradicts || !proves(proof)) {
                return Err(Refusal::NodeLives);
            }
        } else if self.state.nodes.len() >= limits::NODES {
            return Err(Refusal::InsufficientResources);
        }
        let restarted = before.as_ref().is_some_and(|record| !record.has_ended());
        if let Some(record) = before.filter(|record| !record.has_ended()) {
            self.end_life(record.life(node), NodeEnd::Fenced(proof.clone()));
        }
        // A life that nobody else ended may mean that nobody else was there.
        let alone = self.state.nodes().all(|(_, record)| record.has_ended());
        if restarted || alone {
            self.push_deadlines();
        }
        self.state.counters.joins += 1;
        let record = NodeRecord {
            identity: identity.clone(),
            incarnation: Incarnation(self.index),
            session_prefix: self.state.counters.joins,
            join_sequence: self.submit.sequence,
            status: NodeStatus::Live,
        };
        let outcome = joined(&record);
        self.state.nodes.insert(node, record);
        self.inherit();
        Ok(outcome)
    }
}

fn joined(record: &NodeRecord) -> Outcome {
    Outcome::Joined { incarnation: record.incarnation, session_prefix: record.session_prefix }
}

fn check_identity(identity: &NodeIdentity) -> Result<(), Refusal> {
    let texts = [
        &identity.name,
        &identity.smb_address,
        &identity.peer_address,
        &identity.boot_id,
        &identity.lock_path,
    ];
    match texts.iter().all(|text| text.len() <= limits::TEXT_BYTES) {
        true => Ok(()),
        false => Err(Refusal::InvalidParameter),
    }
}
