//! Reserves the name and decides share modes and leases, before the storage is touched.

use std::sync::Arc;

use super::*;
use holdfast_proto::types::CreateDisposition;

use crate::command::{IntentId, OpenTerms, Place};
use crate::state::{Intent, LeaseId, limits};

impl Step<'_> {
    pub(super) fn begin_create(
        &mut self,
        who: SubmitId,
        terms: &OpenTerms,
        place: &Place,
        target: Option<FileKey>,
        directory: bool,
    ) -> Decided {
        if let Some(decided) = self.before_open(who, terms, place, target) {
            return decided;
        }
        // Not a replay of what made the file, or one of which nothing is remembered any more.
        if target.is_some() && terms.disposition == CreateDisposition::CREATE {
            return Refusal::ObjectNameCollision.into();
        }
        if self.state.delete_pending(place.parent) {
            return Refusal::DeletePending.into();
        }
        if self.state.intents.len() >= limits::INTENTS {
            return Refusal::InsufficientResources.into();
        }
        let mut broken = Vec::new();
        if let Some(file) = target {
            if let Some(decided) = self.contend(terms, place, file, true) {
                return decided;
            }
            let own =
                terms.lease.map(|lease| LeaseId { client_guid: terms.client_guid, key: lease.key });
            broken = self.state.untold(file, own);
        }
        self.state.counters.intent += 1;
        let id = IntentId(self.state.counters.intent);
        let intent = Intent {
            owner: life_of(who),
            orphaned: false,
            terms: terms.clone(),
            place: place.clone(),
            target,
            directory,
            waiters: OrdSet::new(),
        };
        if let Some(file) = target {
            self.file_mut(file).overwriting = Some(id);
        }
        self.state.indexes.link_intent(id, &intent);
        self.state.intents.insert(id, Arc::new(intent));
        Decided::Now(Outcome::Intent { intent: id, index: self.index, broken })
    }
}
