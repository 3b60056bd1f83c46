//! Creates a share or changes it. A change keeps its id.

use holdfast_proto::types::{FoldedName, ShareId};

use super::*;
use crate::command::ShareSettings;
use crate::state::{ShareRecord, limits};

impl Step<'_> {
    pub(super) fn put_share(&mut self, settings: &ShareSettings, replace: bool) -> Verdict {
        let texts = [&settings.name, &settings.comment, &settings.path];
        if settings.name.is_empty() || texts.iter().any(|text| text.len() > limits::TEXT_BYTES) {
            return Err(Refusal::InvalidParameter);
        }
        if settings.continuously_available && !self.state.is_available(settings) {
            return Err(Refusal::UnfitVolume);
        }
        let name = FoldedName::new(&settings.name);
        let id = match self.state.shares.get(&name) {
            Some(_) if !replace => return Err(Refusal::Exists),
            Some(share) => share.id,
            None if self.state.shares.len() >= limits::SHARES => {
                return Err(Refusal::InsufficientResources);
            }
            None => {
                self.state.counters.share += 1;
                ShareId(self.state.counters.share)
            }
        };
        self.state.indexes.shares.insert(id, name.clone());
        self.state.shares.insert(name, ShareRecord { id, settings: settings.clone() });
        Ok(Outcome::Done)
    }
}
