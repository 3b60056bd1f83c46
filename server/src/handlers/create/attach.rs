//! From the cluster's grant to an open that this node serves.

use std::sync::Arc;

use holdfast_cluster::command::{Command, NodeLife, OpenRef};
use holdfast_cluster::outcome::{OpenGrant, Outcome};
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
use crate::gate::{GateError, Io};
use crate::limits;
use crate::peers;
use crate::places;
use crate::ports::{PeerReply, PeerRequest, VfsFile};
use crate::session::{ChannelGauges, LocalOpen, OpenState, SearchState, SessionOpen};
use crate::signal::Signal;
use crate::vfs::{OpenAccess, VfsError};

/// Gives an open that the cluster granted to this session a descriptor, passes the grant's
/// barrier, and answers.
pub(super) async fn finish(
    ctx: &RequestContext,
    mut grant: OpenGrant,
    answers: Answers,
) -> Result<Attempt, Failure> {
    if let Some(local) = already_here(ctx, grant.open) {
        return Ok(Attempt::Answered(respond::answer(ctx, &local, &grant, answers).await));
    }
    let handle = match open_descriptor(ctx, &grant).await {
        Ok(handle) => handle,
        Err(Opening::Storage(VfsError::Replaced { .. } | VfsError::NotFound)) => {
            close(ctx, grant.open).await?;
            // A name that was bound anew is looked up again; an old open has lost its file.
            let lost = grant.attached;
            return if lost {
                Err(NtStatus::OBJECT_NAME_NOT_FOUND.into())
            } else {
                Ok(Attempt::LookAgain)
            };
        }
        Err(Opening::Storage(error)) => {
            if !grant.attached {
                close(ctx, grant.open).await?;
            }
            return Err(error.into());
        }
        Err(Opening::Gate(error)) => return Err(error.into()),
    };
    pass_barrier(ctx, &mut grant).await?;
    let local = match insert(ctx, &grant, handle) {
        Some(local) => local,
        None => {
            if ctx.session.is_closing() {
                // The session's end, in the log, has settled what becomes of the open.
                return Err(NtStatus::USER_SESSION_DELETED.into());
            }
            close(ctx, grant.open).await?;
            return Err(NtStatus::INSUFFICIENT_RESOURCES.into());
        }
    };
    if grant.attached {
        info!(open = %grant.open.open, generation = grant.open.generation,
            client = %ctx.session.client_guid, "open granted back");
    }
    Ok(Attempt::Answered(respond::answer(ctx, &local, &grant, answers).await))
}

/// A replay on the session that holds the open already.
fn already_here(ctx: &RequestContext, open: OpenRef) -> Option<Arc<LocalOpen>> {
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
    // The open is new in this generation: a seal of an earlier one does not concern it.
    node.gate.unseal(grant.open);
    let permit =
        node.gate.enter(grant.open, grant.file, &Io::Other).await.map_err(Opening::Gate)?;
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
                let command = Command::WithdrawLease {
                    client_guid: ctx.session.client_guid,
                    key: lease.key,
                    state: lease.state,
                };
                ctx.node.cluster.submit(command).await?;
                lease.state = LeaseState::NONE;
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

async fn close(ctx: &RequestContext, open: OpenRef) -> Result<(), Failure> {
    ctx.node.gate.seal(open);
    ctx.node.gate.drain_open(open).await;
    let outcome = ctx.node.cluster.submit(Command::CloseOpen { open }).await?;
    ctx.node.gate.unseal(open);
    if let Outcome::Closed { duty: Some(duty) } = outcome {
        // The storage's own word on it goes to the log, and to nobody else.
        let _ = crate::duties::run(&ctx.node, &duty).await;
    }
    Ok(())
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
            Ok(PeerReply::NotNow) | Err(_) => {
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
}

/// An outcome that the command cannot have: a bug of ours, said once and never guessed at.
pub(super) fn unexpected(what: &str, outcome: &Outcome) -> Failure {
    tracing::error!(what, ?outcome, "the cluster's answer does not fit the question");
    NtStatus::INTERNAL_ERROR.into()
}
