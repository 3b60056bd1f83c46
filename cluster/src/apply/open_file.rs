//! Opens what exists, without changing its content.

use holdfast_proto::types::CreateAction;

use super::opening::NewOpen;
use super::*;
use crate::command::{OpenTerms, Place};

impl Step<'_> {
    pub(super) fn open_file(
        &mut self,
        who: SubmitId,
        terms: &OpenTerms,
        file: FileKey,
        place: &Place,
        directory: bool,
    ) -> Decided {
        if let Some(decided) = self.before_open(who, terms, place, Some(file)) {
            return decided;
        }
        if let Some(decided) = self.contend(terms, place, file, false) {
            return decided;
        }
        let id = self.make_open(NewOpen {
            terms,
            file,
            place: place.clone(),
            directory,
            action: CreateAction::Opened,
        });
        Decided::Now(Outcome::Granted(Box::new(self.grant(id, false))))
    }
}
