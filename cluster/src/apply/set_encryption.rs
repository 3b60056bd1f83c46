//! Whether the cluster demands encryption of every session.

use super::*;

impl Step<'_> {
    pub(super) fn set_encryption(&mut self, required: bool) -> Verdict {
        let cluster = self.state.cluster.as_mut().ok_or(Refusal::NotFound)?;
        cluster.encrypt_data = required;
        Ok(Outcome::Done)
    }
}
