//! The holder's side: asks the leader for the lease, again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::grants::{Grants, Verdict};
use super::{CUT_OFF, LENGTH, RENEWAL};
use crate::command::NodeLife;
use crate::ports::Clock;
use crate::raft::log_health::LogHealth;
use crate::raft::network::{Body, pb};
use crate::raft::submitter::{Answer, Submitter};

/// How long one renewal may be under way.
const ANSWER_LIMIT: Duration = Duration::from_millis(700);

/// Renews one incarnation's lease.
pub struct Renewal {
    pub life: NodeLife,
    pub submitter: Arc<Submitter>,
    pub grants: Arc<Grants>,
    pub log: Arc<LogHealth>,
    pub clock: Arc<dyn Clock>,
}

impl Renewal {
    /// Renews until the incarnation is fenced.
    pub async fn run(self) {
        let renewal = Arc::new(self);
        let lease = renewal.submitter.lease.clone();
        let mut renewed_at = renewal.clock.boot();
        while !lease.is_fenced() {
            // A renewal that is slow must not hold up the next one: each counts from its own
            // sending.
            tokio::spawn(renewal.clone().renew());
            sleep(RENEWAL).await;
            let now = renewal.clock.boot();
            if lease.deadline() > renewed_at + LENGTH {
                renewed_at = lease.deadline() - LENGTH;
            }
            if now.saturating_sub(renewed_at) > CUT_OFF {
                lease.set_connected(false);
            }
        }
        lease.set_connected(false);
    }

    async fn renew(self: Arc<Self>) {
        let lease = &self.submitter.lease;
        let sent = self.clock.boot();
        match self.ask().await {
            Some(Verdict::Granted) => {
                lease.extend_to(sent + LENGTH);
                lease.set_connected(true);
            }
            Some(Verdict::Ended) => {
                tracing::error!(life = ?self.life, "this incarnation was fenced");
                lease.set_fenced();
                lease.set_connected(false);
            }
            Some(Verdict::Suspected | Verdict::NotLeading) | None => {}
        }
    }

    async fn ask(&self) -> Option<Verdict> {
        let troubled = self.log.trouble().is_some();
        let life = pb::Life { node: self.life.node.0, incarnation: self.life.incarnation.0 };
        let asked = self
            .submitter
            .ask_leader(
                Instant::now() + ANSWER_LIMIT,
                async |life| self.grants.renew(life, !troubled).await,
                self.life,
                Body::Renew(pb::Renew { life: Some(life), log_troubled: troubled }),
            )
            .await;
        match asked? {
            Answer::Own(verdict) => Some(verdict),
            Answer::Peer(Body::Renewed(renewed)) => Some(Verdict::from_wire(renewed.verdict())),
            Answer::Peer(_) => None,
        }
    }
}
