//! Steps on the storage that the log has decided: each has an owner that carries it out.

use std::sync::Arc;

use super::*;
use crate::command::{DutyId, IntentId};
use crate::outcome::{Duty, DutyKind};
use crate::state::{DutyRecord, NodeStatus};

impl Step<'_> {
    /// Begins the deletion of a file whose last open is closed, as soon as nothing else holds
    /// the file or its name.
    pub(super) fn begin_delete(&mut self, key: FileKey) -> Option<Duty> {
        let file = self.state.file(key)?;
        let (share, place) = file.doomed.clone()?;
        let name = NameKey::of(&place);
        if !file.opens.is_empty() {
            // Somebody had the file opened by an intent meanwhile; its close begins anew.
            self.undoom(key);
            return None;
        }
        let held = file.overwriting.is_some() || file.duty.is_some();
        if held || self.state.reservation(&name).is_some() {
            return None;
        }
        let directory = file.is_directory();
        self.undoom(key);
        let kind = DutyKind::Delete { file: key, place, directory };
        let owner = self.carrier();
        Some(self.begin_duty(owner, key, |id| Duty { id, share, kind }))
    }

    /// The file's name is no longer to go.
    pub(super) fn undoom(&mut self, key: FileKey) {
        if let Some((_, place)) = self.file_mut(key).doomed.take() {
            self.state.indexes.doomed.remove(&(NameKey::of(&place), key));
        }
    }

    /// Enters a duty and reserves its names; the caller has made sure that they are free.
    pub(super) fn begin_duty(
        &mut self,
        owner: NodeLife,
        file: FileKey,
        make: impl FnOnce(DutyId) -> Duty,
    ) -> Duty {
        self.state.counters.duty += 1;
        let id = DutyId(self.state.counters.duty);
        let duty = make(id);
        let record = DutyRecord { owner, duty: duty.clone() };
        self.state.indexes.link_duty(&record);
        self.file_mut(file).duty = Some(id);
        self.state.duties.insert(id, Arc::new(record));
        duty
    }

    /// Tells the owner of a duty that it is to carry it out: for duties that no outcome tells of.
    pub(super) fn hand_over(&mut self, duty: Duty) {
        if let Some(record) = self.state.duty(duty.id) {
            let to = record.owner.node;
            self.effect(Effect::RunDuty { to, duty });
        }
    }

    /// Who carries out what this entry begins: the submitter, or another node if it has ended.
    pub(super) fn carrier(&self) -> NodeLife {
        let submitter = self.submitter();
        if self.state.is_current(submitter) {
            return submitter;
        }
        self.heir().unwrap_or(submitter)
    }

    /// The node that takes over: the live one with the lowest id, else a suspected one.
    fn heir(&self) -> Option<NodeLife> {
        let with = |live: bool| {
            self.state
                .nodes()
                .find(|(_, record)| {
                    !record.has_ended() && (record.status == NodeStatus::Live) == live
                })
                .map(|(node, record)| record.life(node))
        };
        with(true).or_else(|| with(false))
    }

    /// Gives the open intents and begun duties of lives that have ended to a node that lives. With
    /// none, they keep their owner until one joins.
    pub(super) fn inherit(&mut self) {
        let Some(heir) = self.heir() else { return };
        let intents: Vec<IntentId> = self
            .state
            .intents()
            .filter(|(_, intent)| !self.state.is_current(intent.owner))
            .map(|(id, _)| id)
            .collect();
        for id in intents {
            if let Some(intent) = self.state.intents.get_mut(&id) {
                let intent = Arc::make_mut(intent);
                intent.owner = heir;
                intent.orphaned = true;
            }
            self.effect(Effect::ResolveIntent { to: heir.node, intent: id });
        }
        let duties: Vec<DutyId> = self
            .state
            .duties()
            .filter(|record| !self.state.is_current(record.owner))
            .map(|record| record.duty.id)
            .collect();
        for id in duties {
            if let Some(record) = self.state.duties.get_mut(&id) {
                let record = Arc::make_mut(record);
                record.owner = heir;
                let duty = record.duty.clone();
                self.effect(Effect::RunDuty { to: heir.node, duty });
            }
        }
    }
}
