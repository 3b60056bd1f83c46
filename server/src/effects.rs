//! What entries of the log make this node do.
//!
//! Effects are hints: each can be derived again from the state. They are taken in the order of
//! the log; what takes time runs beside it.

use std::sync::Arc;

use holdfast_cluster::command::EndHow;
use holdfast_cluster::effect::{Effect, EffectId};
use tracing::info;

use crate::duties;
use crate::node::Node;
use crate::session::end_session;

/// Takes one effect up.
pub fn take(node: &Arc<Node>, id: EffectId, effect: Effect) {
    let life = node.cluster.life();
    match effect {
        Effect::SendBreak { to, notification } if to == life => {
            let node = Arc::clone(node);
            tokio::spawn(async move { node.breaks.deliver(&node, notification).await });
        }
        Effect::EndSession { to, session } if to == life => {
            if let Some(session) = node.sessions.get(session) {
                let node = Arc::clone(node);
                tokio::spawn(async move {
                    end_session(&node, &session, EndHow::ConnectionLost).await;
                });
            }
        }
        Effect::RunDuty { to, duty } if to == life.node => {
            info!(index = id.index, duty = ?duty.id, "takes a duty over");
            let node = Arc::clone(node);
            tokio::spawn(async move {
                // Its result is in the log, where whoever waits for it sees it.
                let _ = duties::run(&node, &duty).await;
            });
        }
        Effect::ResolveIntent { to, intent } if to == life.node => {
            let node = Arc::clone(node);
            tokio::spawn(async move { duties::resolve_intent(&node, intent).await });
        }
        // Settled is the cluster handle's; Fence and NodeEnded are raft's; the rest is others'.
        _ => {}
    }
}

/// After a start: what the state says is due to this node, whatever effects it missed.
pub fn take_due(node: &Arc<Node>) {
    let state = node.cluster.state();
    let index = node.cluster.applied();
    for (ordinal, effect) in state.due_to(node.cluster.life()).into_iter().enumerate() {
        take(node, EffectId { index, ordinal: ordinal as u32 }, effect);
    }
}
