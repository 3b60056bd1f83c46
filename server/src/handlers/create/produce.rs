//! A CREATE that makes a file or overwrites one: the intent, the storage, the grant.

use holdfast_cluster::command::{Command, IntentId, Place};
use holdfast_cluster::gap::{self, Gap};
use holdfast_cluster::outcome::{Outcome, Refusal};
use holdfast_proto::NtStatus;
use holdfast_proto::types::{
    CreateAction, CreateDisposition, CreateOptions, FileAttributes, FileKey,
};
use tracing::warn;

use super::attach::{self, Ownership};
use super::open_existing::Found;
use super::open_path::Attempt;
use super::plan::OpenPlan;
use super::settle::{Settled, settle};
use crate::dispatch::{Failure, RequestContext};
use crate::duties;
use crate::handlers::extended_attributes::{self, Attributes};
use crate::in_hand::Matter;
use crate::informed;
use crate::places;
use crate::vfs::{
    DirRef, FileKind, IntentMark, NewNode, OpenAccess, Overwrite, Resolved, Supersede, VfsError,
};

/// What the storage step came to.
enum Made {
    File {
        key: FileKey,
        action: CreateAction,
        place: Place,
    },
    /// The name is taken, or denotes something else than was decided on.
    NameChanged,
}

pub(super) async fn run(
    ctx: &RequestContext,
    plan: &OpenPlan,
    resolved: &Resolved,
    found: Option<&Found>,
) -> Result<Attempt, Failure> {
    // 3.3.5.9.1: a list that comes with the request is for a file that it makes, and for no other.
    let list = plan.new_file.extended_attributes.as_ref().filter(|_| found.is_none());
    let attributes = list.map(extended_attributes::parse).transpose()?.unwrap_or_default();
    let place = match found {
        Some(found) => found.place.clone(),
        None => places::child(&resolved.parent, &resolved.name),
    };
    let command = Command::BeginCreate {
        terms: plan.terms.clone(),
        place: place.clone(),
        target: found.map(|found| found.stat.key),
        directory: found.map_or(wants_directory(plan), |f| f.stat.kind == FileKind::Directory),
    };
    match settle(&ctx.node, &ctx.pending, command).await? {
        Settled::Refused(Refusal::PlaceChanged) => Ok(Attempt::LookAgain),
        Settled::Refused(refusal) => Err(refusal.into()),
        Settled::Decided(Outcome::Intent { intent, index, broken }) => {
            let held = ctx.node.in_hand.hold(Matter::Intent(intent)).await;
            let attempt = carry_out(ctx, plan, resolved, found, attributes, intent).await;
            drop(held);
            if let Err(failure) = &attempt {
                finish_later(ctx, intent, failure);
            }
            let attempt = attempt?;
            informed::wait_told(&ctx.node, index, &broken).await;
            Ok(attempt)
        }
        // A replay: made before.
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
        Settled::Decided(other) => Err(attach::unexpected("a create", &other)),
    }
}

/// From the intent to the grant. Whatever goes wrong before the storage step is told to the log,
/// so that the name is free again.
async fn carry_out(
    ctx: &RequestContext,
    plan: &OpenPlan,
    resolved: &Resolved,
    found: Option<&Found>,
    attributes: Attributes,
    intent: IntentId,
) -> Result<Attempt, Failure> {
    gap::pass(Gap::DecisionToStorage).await;
    let life = ctx.node.cluster.life();
    let entered = ctx
        .node
        .gate
        .enter_for_node(|state| state.intent(intent).is_some_and(|intent| intent.owner == life));
    let permit = entered.await?;
    let made = match found {
        Some(found) => overwrite(ctx, plan, found).await,
        None => make(ctx, plan, resolved, attributes, intent).await,
    };
    drop(permit);
    gap::pass(Gap::StorageToDecision).await;
    match made {
        Ok(Made::File { key, action, place }) => grant(ctx, plan, intent, key, action, place).await,
        Ok(Made::NameChanged) => {
            fail(ctx, intent).await?;
            Ok(Attempt::LookAgain)
        }
        // Whether it happened is unknown: the intent stays until that is found out.
        Err(error @ (VfsError::Unavailable | VfsError::Fenced)) => Err(error.into()),
        Err(error) => {
            fail(ctx, intent).await?;
            Err(error.into())
        }
    }
}

/// An intent that its request could not end (no answer from the storage, or from the cluster) is
/// ended without it: its node lives, so that nobody else would, and others wait for the name.
fn finish_later(ctx: &RequestContext, intent: IntentId, failure: &Failure) {
    if *failure == Failure::NotReady {
        ctx.node.in_hand.note_unanswered(ctx.session.id);
    }
    if ctx.node.cluster.state().intent(intent).is_some() {
        let node = ctx.node.clone();
        tokio::spawn(async move { duties::resolve_intent(&node, intent).await });
    }
}

async fn grant(
    ctx: &RequestContext,
    plan: &OpenPlan,
    intent: IntentId,
    file: FileKey,
    action: CreateAction,
    place: Place,
) -> Result<Attempt, Failure> {
    let command = Command::GrantCreate { intent, file, action, place: place.clone() };
    match settle(&ctx.node, &ctx.pending, command).await? {
        Settled::Refused(refusal) => Err(refusal.into()),
        Settled::Decided(Outcome::Granted(grant)) => {
            if action == CreateAction::Created && is_staged(plan) {
                clear_mark(ctx, intent, file, place);
            }
            attach::finish(ctx, *grant, plan.answers).await
        }
        // The session ended meanwhile; the open waits for its client, or is closed.
        Settled::Decided(Outcome::Done | Outcome::Closed { .. }) => {
            Err(NtStatus::USER_SESSION_DELETED.into())
        }
        Settled::Decided(other) => Err(attach::unexpected("a create's grant", &other)),
    }
}

async fn fail(ctx: &RequestContext, intent: IntentId) -> Result<(), Failure> {
    ctx.node.cluster.submit(Command::FailCreate { intent }).await?;
    Ok(())
}

/// The mark has done its work once the grant is in the log.
fn clear_mark(ctx: &RequestContext, intent: IntentId, file: FileKey, place: Place) {
    let (node, volume) = (ctx.node.clone(), ctx.tree.volume.clone());
    tokio::spawn(async move {
        let Ok(place) = places::of_file(&place, file) else { return };
        if let Err(error) = volume.clear_mark(node.issuer(), &place, mark(intent)).await {
            // Harmless: no other intent ever has this number.
            tracing::debug!(?intent, %error, "an intent's mark stays with its file");
        }
    });
}

fn mark(intent: IntentId) -> IntentMark {
    IntentMark(u128::from(intent.0))
}

fn wants_directory(plan: &OpenPlan) -> bool {
    plan.terms.create_options.contains(CreateOptions::DIRECTORY_FILE)
}

/// A create that another node could be asked to repeat is staged and marked.
fn is_staged(plan: &OpenPlan) -> bool {
    plan.terms.create_guid.is_some()
}

fn new_node(ctx: &RequestContext, plan: &OpenPlan, attributes_extended: Attributes) -> NewNode {
    let kind = if wants_directory(plan) { FileKind::Directory } else { FileKind::File };
    let mut attributes = plan.terms.file_attributes;
    if kind == FileKind::File {
        attributes |= FileAttributes::ARCHIVE;
    }
    NewNode {
        allocation: if kind == FileKind::File { plan.new_file.allocation } else { 0 },
        attributes_extended,
        stable: ctx.tree.settings.continuously_available,
        ..NewNode::new(kind, attributes)
    }
}

async fn make(
    ctx: &RequestContext,
    plan: &OpenPlan,
    resolved: &Resolved,
    attributes: Attributes,
    intent: IntentId,
) -> Result<Made, VfsError> {
    let (vfs, by) = (&ctx.tree.volume, ctx.node.issuer());
    // Under the reservation: nobody of ours binds this name now, whatever its case.
    if vfs.lookup(by, &resolved.parent, &resolved.name).await?.is_some() {
        return Ok(Made::NameChanged);
    }
    let new = new_node(ctx, plan, attributes);
    let key = if is_staged(plan) {
        let staged = vfs.stage(by, mark(intent), &new).await?;
        match vfs.put_in_place(by, &staged, &resolved.parent, &resolved.name).await {
            Ok(key) => key,
            Err(error) => {
                discard(ctx, intent).await;
                return name_taken(error);
            }
        }
    } else {
        match vfs.create_exclusive(by, &resolved.parent, &resolved.name, &new).await {
            Ok(key) => key,
            Err(error) => return name_taken(error),
        }
    };
    sync_name(ctx, &resolved.parent).await?;
    let place = places::child(&resolved.parent, &resolved.name);
    Ok(Made::File { key, action: CreateAction::Created, place })
}

fn name_taken(error: VfsError) -> Result<Made, VfsError> {
    match error {
        VfsError::AlreadyExists => Ok(Made::NameChanged),
        error => Err(error),
    }
}

async fn discard(ctx: &RequestContext, intent: IntentId) {
    let dropped = ctx.tree.volume.discard_staged(ctx.node.issuer(), mark(intent)).await;
    if let Err(error) = dropped {
        warn!(?intent, %error, "a staged file is left behind");
    }
}

/// A continuously available share acknowledges only what is stable, names included.
async fn sync_name(ctx: &RequestContext, dir: &DirRef) -> Result<(), VfsError> {
    if ctx.tree.settings.continuously_available {
        ctx.tree.volume.sync_dir(ctx.node.issuer(), dir).await?;
    }
    Ok(())
}

async fn overwrite(ctx: &RequestContext, plan: &OpenPlan, found: &Found) -> Result<Made, VfsError> {
    let place = places::of_file(&found.place, found.stat.key)?;
    let opened = ctx.tree.volume.open(ctx.node.issuer(), &place, OpenAccess::READ_WRITE).await;
    let handle = match opened {
        Ok(handle) => handle,
        Err(VfsError::Replaced { .. } | VfsError::NotFound | VfsError::PathNotFound) => {
            return Ok(Made::NameChanged);
        }
        Err(error) => return Err(error),
    };
    let supersede = plan.terms.disposition == CreateDisposition::SUPERSEDE;
    let given = plan.terms.file_attributes | FileAttributes::ARCHIVE;
    // [MS-FSA] 2.1.5.1.2: an overwrite adds to the attributes, a supersede replaces them.
    let attributes = if supersede { given } else { given | found.stat.attributes };
    let what = Overwrite {
        attributes,
        supersede: supersede.then(Supersede::default),
        allocation: plan.new_file.allocation,
        attributes_extended: Vec::new(),
        stable: ctx.tree.settings.continuously_available,
    };
    handle.overwrite(&what).await?;
    let action = if supersede { CreateAction::Superseded } else { CreateAction::Overwritten };
    Ok(Made::File { key: found.stat.key, action, place: found.place.clone() })
}
