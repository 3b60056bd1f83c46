//! Lease break notifications on their way to clients ([MS-SMB2] 3.3.4.7).
//!
//! The state keeps each notification until it is acknowledged; this is only its delivery. A
//! notification never overtakes the answer that gave the lease out, and whoever changes what the
//! lease's client may cache can wait until it was told.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use holdfast_cluster::command::{Command, NodeLife, OpenRef};
use holdfast_cluster::effect::BreakNotification;
use holdfast_cluster::gap::{self, Gap};
use holdfast_cluster::state::{LeaseId, State};
use holdfast_proto::Opcode;
use holdfast_proto::header::{Header, HeaderFlags, UNSOLICITED};
use holdfast_proto::msg::Message;
use holdfast_proto::msg::oplock_break::{
    LeaseBreakFlags, LeaseBreakNotification, OplockBreakResponse,
};
use holdfast_proto::types::{ClientGuid, LeaseKey, SessionId};
use holdfast_proto::wire::Writer;
use tokio::sync::Notify;
use tracing::{debug, warn};

use crate::connection::Connection;
use crate::node::Node;
use crate::ports::SubmitError;

/// How long a notification waits for the answer that gave its lease out.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How often a wait looks whether the client's connections have all gone.
const RECHECK: Duration = Duration::from_millis(50);

/// The deliveries of one node. What was told to whom is in the state alone: what this node
/// remembered could be of another lease of that name, or of a connection that has gone.
#[derive(Default)]
pub struct Breaks {
    delivered: Notify,
}

impl Breaks {
    /// Delivers one notification over any connection of its client, then has the timer of its
    /// acknowledgement started.
    pub async fn deliver(&self, node: &Arc<Node>, notification: BreakNotification) {
        wait_answered(node, &notification).await;
        gap::pass(Gap::BreakToSocket).await;
        let message = encode(&notification);
        // Acknowledged, raised or told meanwhile: what is due now is in the state.
        while still_due(node, &notification) {
            for connection in connections(node, &notification) {
                if connection.notify(message.clone()).await.is_ok() {
                    debug!(client = %notification.client_guid, key = %notification.key,
                        new = ?notification.new, epoch = notification.epoch, "break sent");
                    tell_sent(node, &notification).await;
                    self.delivered.notify_waiters();
                    return;
                }
            }
            // The log knows a session that its connection does not know yet, or any more.
            tokio::time::sleep(RECHECK).await;
        }
    }

    /// Returns once the log holds that the client was sent the notification of `epoch`, or that
    /// there is nothing to send any more, or once the client has no connection here.
    pub async fn wait_told(
        &self,
        node: &Arc<Node>,
        client_guid: ClientGuid,
        key: LeaseKey,
        epoch: u16,
    ) {
        loop {
            let delivered = self.delivered.notified();
            if was_told(node, client_guid, key, epoch)
                || node.connections_of(client_guid).is_empty()
            {
                return;
            }
            let _ = tokio::time::timeout(RECHECK, delivered).await;
        }
    }
}

/// True if the client need not be told any more, as the log knows it.
fn was_told(node: &Node, client_guid: ClientGuid, key: LeaseKey, epoch: u16) -> bool {
    let state = node.cluster.state();
    if state.client_sessions(client_guid).next().is_none() {
        return true;
    }
    let Some((_, lease)) = state.lease(LeaseId { client_guid, key }) else { return true };
    let due = lease.notification().is_some_and(|notification| notification.epoch == epoch);
    !due || !lease.awaits_telling()
}

/// A notification whose lease was acknowledged or changed meanwhile is not sent any more, nor one
/// that was sent since the client last came, nor one whose client has left this node.
fn still_due(node: &Node, notification: &BreakNotification) -> bool {
    let state = node.cluster.state();
    let id = LeaseId { client_guid: notification.client_guid, key: notification.key };
    let due = state.lease(id).is_some_and(|(_, lease)| {
        let told = lease.breaking.is_some_and(|breaking| breaking.timer.is_some());
        lease.notification() == Some(notification) && !told
    });
    let life = node.cluster.life();
    due && state.client_sessions(notification.client_guid).any(|(_, at)| at == life)
}

/// The client's connections, those first whose sessions own opens of the lease.
fn connections(node: &Node, notification: &BreakNotification) -> Vec<Arc<Connection>> {
    let mut all = node.connections_of(notification.client_guid);
    all.retain(|connection| !connection.sessions().is_empty());
    all.sort_by_key(|connection| {
        let owns = connection.sessions().iter().any(|session| {
            session.file_opens().iter().any(|open| open.lease_key == Some(notification.key))
        });
        !owns
    });
    all
}

/// Waits until the answers of all opens of the lease that this node holds have been queued. An open
/// that is closed meanwhile gives no answer any more: its session has forgotten it before the log
/// has.
async fn wait_answered(node: &Arc<Node>, notification: &BreakNotification) {
    let life = node.cluster.life();
    let is_open = |open| {
        let state = node.cluster.state();
        opens_of(&state, notification, life).iter().any(|(held, _)| *held == open)
    };
    let answered = async {
        for (open, session) in opens_of(&node.cluster.state(), notification, life) {
            let Some(session) = node.sessions.get(session) else { continue };
            while !session.has_answered(open) && session.connection().is_some() && is_open(open) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    };
    if tokio::time::timeout(ANSWER_WAIT, answered).await.is_err() {
        warn!(key = %notification.key, "a break goes out before the answer that gave the lease");
    }
}

/// The opens of the lease that this node serves.
fn opens_of(
    state: &State,
    notification: &BreakNotification,
    life: NodeLife,
) -> Vec<(OpenRef, SessionId)> {
    let id = LeaseId { client_guid: notification.client_guid, key: notification.key };
    let Some((file, _)) = state.lease(id) else { return Vec::new() };
    let Some(file) = state.file(file) else { return Vec::new() };
    let bound = file.lease_opens(id).filter_map(|open| Some((open.open_ref(), open.bound_to()?)));
    bound.filter(|(_, (owner, _))| *owner == life).map(|(open, (_, s))| (open, s)).collect()
}

/// Says so in the log: the acknowledgement's timer starts, or a notification that wants none is
/// forgotten.
async fn tell_sent(node: &Arc<Node>, notification: &BreakNotification) {
    let command = Command::BreakSent {
        life: node.cluster.life(),
        client_guid: notification.client_guid,
        key: notification.key,
        epoch: notification.epoch,
    };
    // Without a leader the timer starts late: it only ever waits longer than promised.
    while let Err(error) = node.cluster.submit(command.clone()).await {
        warn!(%error, "the cluster does not know yet that a break was sent");
        if error == SubmitError::Ended {
            return;
        }
    }
}

/// The notification as a message of its own ([MS-SMB2] 3.3.4.7): an unsolicited one.
fn encode(notification: &BreakNotification) -> Bytes {
    let mut flags = LeaseBreakFlags::NONE;
    if notification.ack_required {
        flags |= LeaseBreakFlags::ACK_REQUIRED;
    }
    let body = OplockBreakResponse::LeaseNotification(LeaseBreakNotification {
        new_epoch: notification.epoch,
        flags,
        lease_key: notification.key,
        current_lease_state: notification.current,
        new_lease_state: notification.new,
        ..LeaseBreakNotification::default()
    });
    let mut header = Header::request(Opcode::OPLOCK_BREAK, UNSOLICITED);
    header.flags = HeaderFlags::SERVER_TO_REDIR;
    let mut writer = Writer::new();
    header.encode(&mut writer);
    body.encode(&mut writer);
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use holdfast_proto::msg::create::{LeaseContext, LeaseFlags, LeaseV2};
    use holdfast_proto::msg::{CreateContexts, CreateRequest, Response};
    use holdfast_proto::types::{
        AccessMask, CreateDisposition, Guid, LeaseState, OplockLevel, ShareAccess, VolumeId,
    };

    use super::*;
    use crate::testing::{self, WireClient};
    use crate::vfs::memory::MemoryVolume;

    #[tokio::test]
    async fn a_break_does_not_wait_for_the_answer_of_an_open_that_is_being_closed() {
        let volume = Arc::new(MemoryVolume::new(VolumeId(1)));
        let (node, cluster) = testing::node(BTreeMap::from([(VolumeId(1), volume as _)]));
        let mut client = WireClient::on_share(&node, "data").await;
        let key = Guid([7; 16]);
        let lease = LeaseContext {
            lease_key: key,
            lease_state: LeaseState::RWH,
            flags: LeaseFlags::NONE,
            v2: Some(LeaseV2::default()),
        };
        let request = CreateRequest {
            requested_oplock_level: OplockLevel::LEASE,
            desired_access: AccessMask::FILE_GENERIC_READ,
            share_access: ShareAccess(7),
            create_disposition: CreateDisposition::OPEN_IF,
            name: "f".to_owned(),
            contexts: CreateContexts { lease: Some(lease), ..CreateContexts::default() },
            ..CreateRequest::default()
        };
        let (_, response) = client.call(request).await;
        let Response::Create(created) = response else { panic!("{response:?}") };
        // As a CLOSE does whose command is still on its way.
        let session = node.sessions.get(client.session).expect("a session");
        let open = session.file_opens().pop().expect("an open").open;
        assert!(session.remove_open(created.file_id.volatile).is_some());

        let notification = BreakNotification {
            client_guid: session.connection().expect("a connection").client_guid(),
            key,
            current: LeaseState::RWH,
            new: LeaseState::RH,
            epoch: 2,
            ack_required: true,
        };
        let waiting = node.clone();
        let begun = tokio::time::Instant::now();
        let waits = tokio::spawn(async move { wait_answered(&waiting, &notification).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!waits.is_finished(), "its answer may still be on its way");
        cluster.apply(Command::CloseOpen { open, abandoned: false });
        waits.await.expect("no panic");
        assert!(begun.elapsed() < Duration::from_secs(1), "after {:?}", begun.elapsed());
    }
}
