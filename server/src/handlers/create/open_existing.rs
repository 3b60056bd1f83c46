//! Opening what is there without changing its content: one command.

use holdfast_cluster::command::{Command, Place};
use holdfast_cluster::outcome::{Outcome, Refusal};
use holdfast_proto::NtStatus;

use super::attach::{self, Ownership};
use super::open_path::Attempt;
use super::plan::OpenPlan;
use super::settle::{Settled, settle};
use crate::dispatch::{Failure, RequestContext};
use crate::vfs::{FileKind, FileStat};

/// What a look found under the name.
pub(super) struct Found {
    pub stat: FileStat,
    pub place: Place,
}

pub(super) async fn run(
    ctx: &RequestContext,
    plan: &OpenPlan,
    found: &Found,
) -> Result<Attempt, Failure> {
    let command = Command::OpenFile {
        terms: plan.terms.clone(),
        file: found.stat.key,
        place: found.place.clone(),
        directory: found.stat.kind == FileKind::Directory,
    };
    let settled = settle(&ctx.node, &ctx.pending, command).await;
    // It may be granted yet, and nobody would know.
    match settled.inspect_err(|_| ctx.node.in_hand.note_unanswered(ctx.session.id))? {
        Settled::Refused(Refusal::PlaceChanged) => Ok(Attempt::LookAgain),
        Settled::Refused(refusal) => Err(refusal.into()),
        Settled::Decided(Outcome::Granted(grant)) => {
            attach::finish(ctx, *grant, plan.answers).await
        }
        Settled::Decided(Outcome::OwnedBy { open, owner, session }) => {
            let asked = attach::Asked { open, owner, session };
            match attach::ask_owner(ctx, asked).await? {
                Ownership::Free => Ok(Attempt::LookAgain),
                Ownership::InUse => Err(NtStatus::DUPLICATE_OBJECTID.into()),
            }
        }
        Settled::Decided(other) => Err(attach::unexpected("an open", &other)),
    }
}
