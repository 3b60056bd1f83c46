//! What the log decided for this node and nobody here was told of.
//!
//! A submit that got no answer in time may be applied later: its intent, its duty or its open is
//! then this node's, and no request knows. Others would wait for as long as the node lives, for
//! only its end names another owner. So the node looks for such things itself. Whatever it finds
//! in two looks in a row, with nobody taking care of it in between, it sees through.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::command::OpenRef;
use holdfast_cluster::state::State;
use holdfast_proto::types::SessionId;
use tracing::info;

use crate::duties;
use crate::in_hand::Matter;
use crate::node::Node;

/// Between two looks; longer than an answer of the log takes to reach its request.
const LOOK: Duration = Duration::from_secs(2);

/// Looks, as long as the node lives.
pub async fn watch(node: Arc<Node>) {
    let mut leftovers = Leftovers::default();
    loop {
        tokio::time::sleep(LOOK).await;
        leftovers.look(&node);
    }
}

/// What the last look found.
#[derive(Default)]
pub struct Leftovers {
    found: BTreeSet<Matter>,
}

impl Leftovers {
    /// One look.
    pub fn look(&mut self, node: &Arc<Node>) {
        node.gate.forget_seals();
        let found = unattended(node);
        for matter in found.intersection(&self.found) {
            info!(?matter, "nobody was told of it: sees it through");
            tokio::spawn(see_through(Arc::clone(node), *matter));
        }
        self.found = found;
    }
}

fn unattended(node: &Node) -> BTreeSet<Matter> {
    let (state, life) = (node.cluster.state(), node.cluster.life());
    let intents = state.intents().filter(|(_, intent)| intent.owner == life);
    let duties = state.duties().filter(|record| record.owner == life);
    let mut found: BTreeSet<Matter> = intents.map(|(id, _)| Matter::Intent(id)).collect();
    found.extend(duties.map(|record| Matter::Duty(record.duty.id)));
    let sessions = node.in_hand.unanswered(|id| node.sessions.get(id).is_some());
    for session in sessions {
        found.extend(unknown_opens(node, &state, session).into_iter().map(Matter::Open));
    }
    found.retain(|matter| !node.in_hand.contains(*matter));
    found
}

/// Opens of a session that are not in its table, and that its client cannot ask for again. The
/// end of a session settles its opens itself.
fn unknown_opens(node: &Node, state: &State, id: SessionId) -> Vec<OpenRef> {
    let Some(session) = node.sessions.get(id).filter(|session| !session.is_closing()) else {
        return Vec::new();
    };
    let known: BTreeSet<OpenRef> = session.file_opens().iter().map(|local| local.open).collect();
    let opens = state.session_opens(id).filter_map(|open| state.open(open));
    opens
        .filter(|open| open.create_guid.is_none())
        .map(|open| open.open_ref())
        .filter(|open| !known.contains(open))
        .collect()
}

async fn see_through(node: Arc<Node>, matter: Matter) {
    match matter {
        Matter::Intent(intent) => duties::resolve_intent(&node, intent).await,
        Matter::Duty(id) => {
            let duty = node.cluster.state().duty(id).map(|record| record.duty.clone());
            if let Some(duty) = duty {
                // Its result is in the log, where whoever waits for it sees it.
                let _ = duties::run(&node, &duty).await;
            }
        }
        Matter::Open(open) => {
            let _held = node.in_hand.hold(matter).await;
            duties::close_unanswered(&node, open).await;
        }
    }
}
