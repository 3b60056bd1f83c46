//! Steps on the storage that the cluster has decided: removals and renames, and the open intents
//! that a dead node left behind.
//!
//! Each is idempotent: it may have been carried out before by a node that died before it said so.

use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::command::{Command, IntentId, OpenRef};
use holdfast_cluster::gap::{self, Gap};
use holdfast_cluster::outcome::{Duty, DutyKind, Outcome};
use holdfast_proto::types::CreateAction;
use tracing::{info, warn};

use crate::in_hand::Matter;
use crate::node::Node;
use crate::places;
use crate::ports::SubmitError;
use crate::vfs::{IntentMark, Named, RenameMode, VfsError};

/// Between two attempts at a storage that does not answer.
const AGAIN: Duration = Duration::from_millis(100);

/// Carries a duty out and says so in the log. Returns the storage's answer for the client that
/// waits, if one does.
pub async fn run(node: &Arc<Node>, duty: &Duty) -> Result<(), VfsError> {
    let life = node.cluster.life();
    let _held = node.in_hand.hold(Matter::Duty(duty.id)).await;
    gap::pass(Gap::DecisionToStorage).await;
    let result = loop {
        let entered = node
            .gate
            .enter_for_node(|state| state.duty(duty.id).is_some_and(|record| record.owner == life));
        let permit = match entered.await {
            Ok(permit) => permit,
            // It has been carried out. Or this incarnation has ended: the duty has another owner,
            // or will have one.
            Err(_) => return Err(VfsError::Fenced),
        };
        let result = step(node, &duty.kind).await;
        drop(permit);
        match result {
            Err(VfsError::Unavailable) => tokio::time::sleep(AGAIN).await,
            // It stays decided, and passes to another node.
            Err(VfsError::Fenced) => {
                node.storage_refuses();
                return Err(VfsError::Fenced);
            }
            other => break other,
        }
    };
    gap::pass(Gap::StorageToDecision).await;
    if let Err(error) = &result {
        warn!(duty = ?duty.id, %error, "a decided step could not be carried out");
    }
    end(node, duty, result.is_ok()).await;
    result
}

async fn end(node: &Arc<Node>, duty: &Duty, done: bool) {
    loop {
        match node.cluster.submit(Command::EndDuty { duty: duty.id, done }).await {
            Ok(_) => return,
            Err(SubmitError::Ended) => {
                warn!(duty = ?duty.id, "a duty passes to another node");
                return;
            }
            Err(error) => warn!(%error, "the end of a duty waits for the cluster"),
        }
    }
}

async fn step(node: &Node, kind: &DutyKind) -> Result<(), VfsError> {
    match kind {
        DutyKind::Delete { file, place, .. } => {
            let vfs = node.volume(file.volume).ok_or(VfsError::NotSupported)?;
            let dir = places::parent_dir(place)?;
            let what = Named { dir: &dir, name: place.name(), key: *file };
            vfs.remove(node.issuer(), what).await?;
            vfs.sync_dir(node.issuer(), &dir).await
        }
        DutyKind::Rename { file, from, to, replace, .. } => {
            let vfs = node.volume(file.volume).ok_or(VfsError::NotSupported)?;
            let (from_dir, to_dir) = (places::parent_dir(from)?, places::parent_dir(to)?);
            let what = Named { dir: &from_dir, name: from.name(), key: *file };
            let mode = replace.map_or(RenameMode::NeverReplace, RenameMode::Replace);
            vfs.rename(node.issuer(), what, &to_dir, to.name(), mode).await?;
            vfs.sync_dir(node.issuer(), &to_dir).await?;
            if from_dir.key != to_dir.key {
                vfs.sync_dir(node.issuer(), &from_dir).await?;
            }
            Ok(())
        }
    }
}

/// Settles an intent whose node died: its mark tells whether the file was put in place.
pub async fn resolve_intent(node: &Arc<Node>, intent: IntentId) {
    let life = node.cluster.life();
    let _held = node.in_hand.hold(Matter::Intent(intent)).await;
    loop {
        let entered = node
            .gate
            .enter_for_node(|state| state.intent(intent).is_some_and(|found| found.owner == life));
        // Settled meanwhile, or another's by now.
        let Ok(permit) = entered.await else { return };
        let decided = decide_intent(node, intent).await;
        drop(permit);
        gap::pass(Gap::StorageToDecision).await;
        let command = match decided {
            Ok(Some(command)) => command,
            // Settled meanwhile, by a replay.
            Ok(None) => return,
            Err(error) => {
                warn!(?intent, %error, "an open intent cannot be settled yet");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
        };
        match node.cluster.submit(command).await {
            Ok(outcome) => {
                info!(?intent, ?outcome, "settled an intent that its request could not end");
                clean(node, intent).await;
                close_unasked(node, outcome).await;
                return;
            }
            Err(SubmitError::Ended) => return,
            Err(error) => warn!(?intent, %error, "an open intent waits for the cluster"),
        }
    }
}

/// An intent of a session that is still here came to an open, and its request has failed: unless
/// the client can send it again and find the open, nobody ever will.
async fn close_unasked(node: &Arc<Node>, outcome: Outcome) {
    let Outcome::Granted(grant) = outcome else { return };
    if grant.create_guid.is_none() {
        close_unanswered(node, grant.open).await;
    }
}

/// Closes an open that no client was told of. It leaves no trace; only the file that it made goes
/// with it if that was asked for. Without an answer of the cluster it is found again later.
pub async fn close_unanswered(node: &Arc<Node>, open: OpenRef) {
    let state = node.cluster.state();
    let Some(found) = state.open_at(open) else { return };
    let abandoned = found.generation > 1 || found.action != CreateAction::Created;
    let session = found.bound_to().map(|(_, session)| session);
    drop(state);
    node.gate.seal(open);
    node.gate.drain_open(open).await;
    match node.cluster.submit(Command::CloseOpen { open, abandoned }).await {
        Ok(Outcome::Closed { duty: Some(duty) }) => {
            // The storage's own word on it goes to the log, and to nobody else.
            let _ = run(node, &duty).await;
        }
        Ok(_) => {}
        Err(error) => {
            warn!(%error, open = %open.open, "an open that nobody knows stays for now");
            if let Some(session) = session {
                node.in_hand.note_unanswered(session);
            }
        }
    }
}

async fn decide_intent(node: &Node, intent: IntentId) -> Result<Option<Command>, VfsError> {
    let state = node.cluster.state();
    let Some(record) = state.intent(intent) else { return Ok(None) };
    if record.target.is_some() {
        // An overwrite that was not granted was not answered: it is as if it had not been asked.
        return Ok(Some(Command::FailCreate { intent }));
    }
    let vfs = node.volume(record.place.parent.volume).ok_or(VfsError::NotSupported)?;
    let dir = places::parent_dir(&record.place)?;
    let mark = IntentMark(u128::from(intent.0));
    let found = vfs.find_mark(node.issuer(), &dir, record.place.name()).await?;
    match found {
        Some(found) if found.mark == mark => {
            vfs.sync_dir(node.issuer(), &dir).await?;
            Ok(Some(Command::GrantCreate {
                intent,
                file: found.key,
                action: CreateAction::Created,
                place: record.place.clone(),
            }))
        }
        _ => Ok(Some(Command::FailCreate { intent })),
    }
}

/// Removes what an intent left in the staging folder.
async fn clean(node: &Node, intent: IntentId) {
    for vfs in node.volumes.values() {
        if let Err(error) =
            vfs.discard_staged(node.issuer(), IntentMark(u128::from(intent.0))).await
        {
            warn!(?intent, %error, "a staged file is left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use holdfast_proto::msg::create::ImpersonationLevel;
    use holdfast_proto::msg::{CreateRequest, Response};
    use holdfast_proto::types::{
        AccessMask, CreateDisposition, CreateOptions, FileAttributes, OplockLevel, ShareAccess,
        VolumeId,
    };

    use super::*;
    use crate::ports::{Cluster, Vfs};
    use crate::testing::{self, WireClient};
    use crate::vfs::memory::MemoryVolume;

    #[tokio::test]
    async fn an_incarnation_that_has_ended_stops_saying_so() {
        let volume: Arc<dyn Vfs> = Arc::new(MemoryVolume::new(VolumeId(1)));
        let (node, cluster) = testing::node(BTreeMap::from([(VolumeId(1), volume)]));
        let mut client = WireClient::on_share(&node, "data").await;
        let request = CreateRequest {
            security_flags: 0,
            requested_oplock_level: OplockLevel::NONE,
            impersonation_level: ImpersonationLevel::IMPERSONATION,
            desired_access: AccessMask::FILE_ALL,
            file_attributes: FileAttributes::NONE,
            share_access: ShareAccess::NONE,
            create_disposition: CreateDisposition::CREATE,
            create_options: CreateOptions::DELETE_ON_CLOSE,
            name: "f".to_owned(),
            contexts: Default::default(),
        };
        let (_, response) = client.call(request).await;
        assert!(matches!(response, Response::Create(_)), "{response:?}");
        let open = cluster.state().opens().next().expect("an open").1.open_ref();
        let closed = cluster.apply(Command::CloseOpen { open, abandoned: false });
        let Outcome::Closed { duty: Some(duty) } = closed else { panic!("{closed:?}") };
        cluster.set_ended();
        let ran = tokio::time::timeout(Duration::from_secs(5), run(&node, &duty)).await;
        assert_eq!(ran, Ok(Ok(())));
        assert_eq!(cluster.state().duties().count(), 1, "another node will do it again");
    }
}
