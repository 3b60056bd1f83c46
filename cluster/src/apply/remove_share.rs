//! Removes a share that nobody has anything open on.

use holdfast_proto::types::FoldedName;

use super::*;

impl Step<'_> {
    pub(super) fn remove_share(&mut self, name: &str) -> Verdict {
        let name = FoldedName::new(name);
        let id = self.state.shares.get(&name).ok_or(Refusal::NotFound)?.id;
        let in_use = self.state.opens().any(|(_, open)| open.share == id)
            || self.state.intents().any(|(_, intent)| intent.terms.share == id)
            || self.state.duties().any(|record| record.duty.share == id);
        if in_use {
            return Err(Refusal::InUse);
        }
        self.state.shares.remove(&name);
        self.state.indexes.shares.remove(&id);
        Ok(Outcome::Done)
    }
}
