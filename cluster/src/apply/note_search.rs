//! The position of a listing is kept with its open, so that it goes on elsewhere.

use super::*;
use crate::command::OpenRef;
use crate::state::limits;

impl Step<'_> {
    pub(super) fn note_search(&mut self, open: OpenRef, pattern: &str, last: &str) -> Verdict {
        let file = self.own_file(open, self.submitter())?;
        if pattern.len() > limits::SEARCH_BYTES || last.len() > limits::SEARCH_BYTES {
            return Err(Refusal::InvalidParameter);
        }
        if let Some(open) = self.file_mut(file).open_mut(open.open) {
            open.search = Some((pattern.to_owned(), last.to_owned()));
        }
        Ok(Outcome::Done)
    }
}
