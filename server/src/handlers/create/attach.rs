//! From the cluster's grant to an open that this node serves.

use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::command::{Command, NodeLife, OpenRef};
use holdfast_cluster::outcome::{LeaseGrant, OpenGrant, Outcome};
use holdfast_cluster::state::LeaseId;
use holdfast_proto::NtStatus;
use holdfast_proto::types::{AccessMask, CreateOptions, LeaseState, SessionId};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use super::open_path::Attempt;
use super::plan::Answers;
use super::respond;
use crate::barrier;
use crate::dispatch::{Failure, RequestContext};
use crate::duties;
use crate::gate::{GateError, Io};
use crate::in_hand::Matter;
use crate::limits;
use crate::peers;
use crate::places;
use crate::ports::{PeerReply, PeerRequest, VfsFile};
use crate::session::{ChannelGauges, LocalOpen, OpenState, SearchState, SessionOpen};
use crate::signal::Signal;
use crate::vfs::{OpenAccess, VfsError};

/// Gives an open that the cluster granted to this session a descriptor, passes the grant's
/// barrier, and answers. An open that is not answered for is closed, unless its client may ask for
/// it again.
pub(super) async fn finish(
    ctx: &RequestContext,
    mut grant: OpenGrant,
    answers: Answers,
) -> Result<Attempt, Failure> {
    let node = &ctx.node;
    // Another sending of the request may be at it.
    let held = node.in_hand.hold(Matter::Open(grant.open)).await;
    if let Some(local) = already_here(ctx, grant.open) {
        return Ok(Attempt::Answered(respond::answer(ctx, &local, &grant, answers).await));
    }
    if node.gate.is_sealed(grant.open) {
        // Its release is under way, or may be: it can be served in another generation only.
        drop(held);
        let asked = Asked { open: grant.open, owner: node.cluster.life(), session: ctx.session.id };
        return ask_owner(ctx, asked).await.map(|_| Attempt::LookAgain);
    }
    let failure = match serve(ctx, &mut grant).await {
        Ok(local) => match respond::answer(ctx, &local, &grant, answers).await {
            Ok(reply) => return Ok(Attempt::Answered(Ok(reply))),
            Err(failure) => {
                // Nobody was told its number: who asks again is answered anew.
                ctx.session.remove_open(local.volatile);
                failure
            }
        },
        Err(Unserved::FileGone) => {
            duties::close_unanswered(node, grant.open).await;
            // A name that was bound anew is looked up again; an old open has lost its file.
            return match grant.attached {
                true => Err(NtStatus::OBJECT_NAME_NOT_FOUND.into()),
                false => Ok(Attempt::LookAgain),
            };
        }
        Err(Unserved::Failed(failure)) => failure,
    };
    if gives_up(ctx, &grant, &failure) {
        duties::close_unanswered(node, grant.open).await;
    }
    Err(failure)
}

/// True if nobody would ever ask for the open again: its client is told of a failure, or cannot
/// name it, or has closed all opens of the tree connect. The end of a session settles its opens
/// itself.
fn gives_up(ctx: &RequestContext, grant: &OpenGrant, failure: &Failure) -> bool {
    let told = matches!(failure, Failure::Status { .. });
    let unknown = !grant.attached && (told || grant.create_guid.is_none());
    !ctx.session.is_closing() && (unknown || ctx.session.tree(ctx.tree.id).is_none())
}

/// Why a granted open is not served.
enum Unserved {
    /// The name denotes another file, or none.
    FileGone,
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Unserved {
    fn from(error: E) -> Unserved {
        Unserved::Failed(error.into())
    }
}

async fn serve(ctx: &RequestContext, grant: &mut OpenGrant) -> Result<Arc<LocalOpen>, Unserved> {
    let begun = ctx.node.clock.boot();
    let handle = loop {
        match open_descriptor(ctx, grant).await {
            Ok(handle) => break handle,
            Err(Opening::Storage(VfsError::Replaced { .. } | VfsError::NotFound)) => {
                if !grant.attached || !follow(ctx, grant, begun).await? {
                    return Err(Unserved::FileGone);
                }
            }
            Err(Opening::Storage(error)) => return Err(error.into()),
            Err(Opening::Gate(error)) => return Err(error.into()),
        }
    };
    pass_barrier(ctx, grant).await?;
    let Some(local) = insert(ctx, grant, handle) else {
        return Err(match ctx.session.is_closing() {
            // The session's end, in the log, has settled what becomes of the open.
            true => NtStatus::USER_SESSION_DELETED.into(),
            false => NtStatus::INSUFFICIENT_RESOURCES.into(),
        });
    };
    if grant.attached {
        info!(open = %grant.open.open, generation = grant.open.generation,
            client = %ctx.session.client_guid, "open granted back");
    }
    Ok(local)
}

/// An open that is given back follows its file: another open may have renamed it since the grant.
/// False if that is not why the file is not found.
async fn follow(
    ctx: &RequestContext,
    grant: &mut OpenGrant,
    begun: Duration,
) -> Result<bool, Failure> {
    ctx.node.cluster.read_index().await?;
    let state = ctx.node.cluster.state();
    let Some(open) = state.open_at(grant.open) else { return Ok(false) };
    if open.place != grant.place {
        grant.place = open.place.clone();
        return Ok(true);
    }
    if state.file(grant.file).is_none_or(|file| file.duty().is_none()) {
        return Ok(false);
    }
    drop(state);
    if ctx.node.clock.boot().saturating_sub(begun) >= limits::NOT_READY_HOLD {
        return Err(Failure::NotReady);
    }
    ctx.pending.will_wait();
    tokio::time::sleep(limits::PEER_ASK_AGAIN).await;
    Ok(true)
}

/// The open, if the session holds it already.
pub(super) fn already_here(ctx: &RequestContext, open: OpenRef) -> Option<Arc<LocalOpen>> {
    ctx.session.file_opens().into_iter().find(|local| local.open == open)
}

enum Opening {
    Gate(GateError),
    Storage(VfsError),
}

async fn open_descriptor(
    ctx: &RequestContext,
    grant: &OpenGrant,
) -> Result<Arc<dyn VfsFile>, Opening> {
    let node = &ctx.node;
    let volume = node.volume(grant.file.volume).ok_or(Opening::Storage(VfsError::NotSupported))?;
    let place = places::of_file(&grant.place, grant.file).map_err(Opening::Storage)?;
    let permit =
        node.gate.enter(grant.open, grant.file, &Io::Other).await.map_err(Opening::Gate)?;
    // Looked at while in flight: the end of a session drains what it does not find in its table.
    if ctx.session.is_closing() {
        return Err(Opening::Gate(GateError::Closed));
    }
    let issuer = node.issuer().for_open(grant.open.open, grant.open.generation);
    let opened = volume.open(issuer, &place, descriptor_access(grant)).await;
    drop(permit);
    opened.map_err(Opening::Storage)
}

/// What the descriptor has to be able to do.
fn descriptor_access(grant: &OpenGrant) -> OpenAccess {
    if grant.directory {
        return OpenAccess::METADATA;
    }
    let write = grant.access.intersects(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA);
    let read = write || grant.access.intersects(AccessMask::READ_DATA | AccessMask::EXECUTE);
    OpenAccess { read, write }
}

/// Runs the barrier of the grant. A lease that could not be made effective everywhere is taken
/// back: the open goes on without it.
async fn pass_barrier(ctx: &RequestContext, grant: &mut OpenGrant) -> Result<(), Failure> {
    if grant.barrier.nodes.is_empty() {
        return Ok(());
    }
    let me = ctx.node.cluster.life();
    match barrier::pass(&ctx.node, &grant.barrier).await {
        Ok(()) => {
            if grant.barrier.nodes.iter().any(|life| *life != me) {
                note_effective(ctx, grant.open);
            }
        }
        Err(held_up) => {
            warn!(open = %grant.open.open, %held_up, "the open goes on without its lease");
            if let Some(lease) = &mut grant.lease {
                let (client_guid, key) = (ctx.session.client_guid, lease.key);
                let command = Command::WithdrawLease { client_guid, key, state: lease.state };
                ctx.node.cluster.submit(command).await?;
                // What other opens of the lease were told of is being asked back.
                let state = ctx.node.cluster.state();
                *lease = match state.lease(LeaseId { client_guid, key }) {
                    Some((_, held)) => held.grant(key),
                    None => LeaseGrant { state: LeaseState::NONE, ..*lease },
                };
            }
        }
    }
    Ok(())
}

/// Recorded lazily: without the record a replay runs the barrier once more.
fn note_effective(ctx: &RequestContext, open: OpenRef) {
    let cluster = Arc::clone(&ctx.node.cluster);
    tokio::spawn(async move {
        if let Err(error) = cluster.submit(Command::GrantEffective { open }).await {
            tracing::debug!(%error, open = %open.open, "a grant is not noted as effective");
        }
    });
}

fn insert(
    ctx: &RequestContext,
    grant: &OpenGrant,
    handle: Arc<dyn VfsFile>,
) -> Option<Arc<LocalOpen>> {
    let search = grant.search.as_ref().map(|(pattern, last)| SearchState::resumed(pattern, last));
    let local = Arc::new(LocalOpen {
        volatile: ctx.node.next_volatile(),
        open: grant.open,
        session: ctx.session.id,
        tree: ctx.tree.id,
        share: grant.share,
        file: grant.file,
        handle,
        directory: grant.directory,
        access: grant.access,
        create_options: grant.create_options,
        durability: grant.durability,
        create_guid: grant.create_guid,
        lease_key: grant.lease.as_ref().map(|lease| lease.key),
        stable_writes: ctx.tree.settings.continuously_available
            || grant.create_options.contains(CreateOptions::WRITE_THROUGH),
        gauges: Mutex::new(ChannelGauges::new(grant.channel_sequence)),
        state: Mutex::new(OpenState { place: grant.place.clone(), search, ..OpenState::default() }),
        listing: Semaphore::new(1),
        answered: Signal::new(),
    });
    ctx.session
        .insert_open(local.volatile, ctx.tree.id, SessionOpen::File(Arc::clone(&local)))
        .ok()
        .map(|()| local)
}

/// An open that is still bound to a session somewhere.
pub(super) struct Asked {
    pub open: OpenRef,
    pub owner: NodeLife,
    pub session: SessionId,
}

/// What the owner said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ownership {
    /// It is released, or its owner is fenced: submit again.
    Free,
    /// Its connection is alive.
    InUse,
}

/// Asks the owner of an open to give it up, and waits for its fence if it is silent.
pub(super) async fn ask_owner(ctx: &RequestContext, asked: Asked) -> Result<Ownership, Failure> {
    let node = &ctx.node;
    let begun = node.clock.boot();
    let request = PeerRequest::Release { open: asked.open, session: asked.session };
    while node.clock.boot().saturating_sub(begun) < limits::NOT_READY_HOLD {
        if !still_bound(ctx, &asked) {
            return Ok(Ownership::Free);
        }
        let answer = if asked.owner == node.cluster.life() {
            Ok(peers::release(node, asked.open, asked.session).await)
        } else {
            node.cluster.ask(asked.owner.node, request.clone(), limits::PEER_ANSWER).await
        };
        match answer {
            Ok(PeerReply::ConnectionAlive) => return Ok(Ownership::InUse),
            Ok(PeerReply::Done) => return Ok(Ownership::Free),
            Ok(PeerReply::NotNow | PeerReply::Examined(_)) | Err(_) => {
                ctx.pending.will_wait();
                tokio::time::sleep(limits::PEER_ASK_AGAIN).await;
            }
        }
    }
    Err(Failure::NotReady)
}

fn still_bound(ctx: &RequestContext, asked: &Asked) -> bool {
    let state = ctx.node.cluster.state();
    let open = state.open(asked.open.open);
    open.and_then(|open| open.bound_to())
        .is_some_and(|(owner, session)| (owner, session) == (asked.owner, asked.session))
        && !state.is_taken_early(asked.owner)
}

/// An outcome that the command cannot have: a bug of ours, said once and never guessed at.
pub(super) fn unexpected(what: &str, outcome: &Outcome) -> Failure {
    tracing::error!(what, ?outcome, "the cluster's answer does not fit the question");
    NtStatus::INTERNAL_ERROR.into()
}
