//! The leader's side: grants leases, and remembers when each incarnation was last heard.
//!
//! A lease is granted only while the leader's own quorum lease holds and its replica has applied
//! what was committed before it was elected. What is remembered is the leader's alone; a new one
//! begins by giving everybody a whole lease.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use openraft::ReadPolicy;
use parking_lot::Mutex;

use super::{LENGTH, MISSES, RENEWAL};
use crate::command::{Command, NodeLife};
use crate::ports::Clock;
use crate::raft::lives::{self, Standing};
use crate::raft::network::pb;
use crate::raft::submitter::Submitter;

/// How long a command of the leader's own may take.
const SUBMIT_LIMIT: Duration = Duration::from_secs(5);

/// How long a report of a node that holds up a barrier counts. By then there is a proof, or the
/// grant was withdrawn and nothing waits for the node any more.
const STUCK: Duration = Duration::from_secs(15);

/// The answer to a renewal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    NotLeading,
    Granted,
    Suspected,
    Ended,
}

impl Verdict {
    /// As the wire says it.
    pub fn to_wire(self) -> pb::renewed::Verdict {
        match self {
            Verdict::NotLeading => pb::renewed::Verdict::NotLeading,
            Verdict::Granted => pb::renewed::Verdict::Granted,
            Verdict::Suspected => pb::renewed::Verdict::Suspected,
            Verdict::Ended => pb::renewed::Verdict::Ended,
        }
    }

    /// What the wire says; anything unknown grants nothing.
    pub fn from_wire(verdict: pb::renewed::Verdict) -> Verdict {
        match verdict {
            pb::renewed::Verdict::NotLeading => Verdict::NotLeading,
            pb::renewed::Verdict::Granted => Verdict::Granted,
            pb::renewed::Verdict::Suspected => Verdict::Suspected,
            pb::renewed::Verdict::Ended => Verdict::Ended,
        }
    }
}

/// The leases that this node grants while it leads.
pub struct Grants {
    submitter: Arc<Submitter>,
    clock: Arc<dyn Clock>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// The term in which `suspect_at` was filled.
    term: Option<u64>,
    /// When each incarnation is to be suspected unless it is heard of before.
    suspect_at: BTreeMap<NodeLife, Duration>,
    /// Incarnations that were reported to hold up a barrier, and until when that counts.
    stuck: BTreeMap<NodeLife, Duration>,
    /// Incarnations whose log is fit to lead, as their last renewal said.
    fit: BTreeSet<NodeLife>,
    /// Suspicions being cleared.
    clearing: BTreeSet<NodeLife>,
}

impl Grants {
    /// Grants nothing yet.
    pub fn new(submitter: Arc<Submitter>, clock: Arc<dyn Clock>) -> Arc<Grants> {
        Arc::new(Grants { submitter, clock, book: Mutex::new(Book::default()) })
    }

    /// Answers a renewal. `fit`: the node's log is fit to lead.
    pub async fn renew(self: &Arc<Self>, life: NodeLife, fit: bool) -> Verdict {
        {
            let mut book = self.book.lock();
            match fit {
                true => book.fit.insert(life),
                false => book.fit.remove(&life),
            };
        }
        let raft = &self.submitter.raft;
        // The quorum's lease is counted on a clock that stands still with its host: for its own
        // renewal, which nobody else's clock bounds, this node asks the others.
        let policy = match life.node == self.submitter.node {
            true => ReadPolicy::ReadIndex,
            false => ReadPolicy::LeaseRead,
        };
        if raft.ensure_linearizable(policy).await.is_err() {
            return Verdict::NotLeading;
        }
        match lives::standing(&self.submitter.replica.state(), life) {
            Some(Standing::Live) => {
                self.hear(life);
                Verdict::Granted
            }
            Some(Standing::Suspected { .. }) => {
                self.hear(life);
                self.clear_suspicion(life);
                Verdict::Suspected
            }
            Some(Standing::Ended) => Verdict::Ended,
            // Its join is not applied here yet.
            None => Verdict::NotLeading,
        }
    }

    /// Begins to watch in a term of which this node is the leader: nobody is suspected for a whole
    /// lease.
    pub fn begin(&self, term: u64, lives: impl Iterator<Item = NodeLife>) {
        let mut book = self.book.lock();
        if book.term != Some(term) {
            book.term = Some(term);
            let at = self.clock.boot() + LENGTH;
            book.suspect_at = lives.map(|life| (life, at)).collect();
        }
    }

    /// This node does not lead any more.
    pub fn end(&self) {
        *self.book.lock() = Book::default();
    }

    /// Whether `life` has missed its renewals at `now`. One that was never seen before gets a
    /// whole lease.
    pub fn is_overdue(&self, life: NodeLife, now: Duration) -> bool {
        let mut book = self.book.lock();
        book.stuck.contains_key(&life)
            || *book.suspect_at.entry(life).or_insert(now + LENGTH) <= now
    }

    /// Whether `life` said that its log is fit to lead.
    pub fn is_fit(&self, life: NodeLife) -> bool {
        self.book.lock().fit.contains(&life)
    }

    /// Whether `life` was reported to hold up a barrier.
    pub fn is_stuck(&self, life: NodeLife) -> bool {
        self.book.lock().stuck.contains_key(&life)
    }

    /// All deadlines move by `by`: this node itself was not running.
    pub fn excuse(&self, by: Duration) {
        for at in self.book.lock().suspect_at.values_mut() {
            *at += by;
        }
    }

    /// Nobody is suspected before `at`: this node itself could not be heard.
    pub fn excuse_until(&self, at: Duration) {
        for suspect_at in self.book.lock().suspect_at.values_mut() {
            *suspect_at = at.max(*suspect_at);
        }
    }

    /// `life` is in doubt: it must be heard of within `grace`.
    pub fn doubt(&self, life: NodeLife, grace: Duration) {
        let soon = self.clock.boot() + grace;
        let mut book = self.book.lock();
        if let Some(at) = book.suspect_at.get_mut(&life) {
            *at = soon.min(*at);
        }
    }

    /// `life` holds up a barrier, or an administrator wants it fenced: renewals do not speak for it
    /// any more.
    pub fn doubt_now(&self, life: NodeLife) {
        let until = self.clock.boot() + STUCK;
        if self.book.lock().stuck.insert(life, until).is_none() {
            tracing::warn!(?life, "a node is to be fenced although it renews");
        }
    }

    /// Forgets incarnations that `keep` does not name, and reports that are too old at `now`.
    pub fn forget_others(&self, now: Duration, keep: impl Fn(NodeLife) -> bool) {
        let mut book = self.book.lock();
        book.suspect_at.retain(|life, _| keep(*life));
        book.fit.retain(|life| keep(*life));
        book.stuck.retain(|life, until| now < *until && keep(*life));
    }

    fn hear(&self, life: NodeLife) {
        let at = self.clock.boot() + RENEWAL * MISSES + RENEWAL / 2;
        self.book.lock().suspect_at.insert(life, at);
    }

    fn clear_suspicion(self: &Arc<Self>, life: NodeLife) {
        {
            let mut book = self.book.lock();
            if book.stuck.contains_key(&life) || !book.clearing.insert(life) {
                return;
            }
        }
        let grants = self.clone();
        tokio::spawn(async move {
            let command = Command::ClearSuspicion { life };
            let outcome = grants.submitter.submit(command, SUBMIT_LIMIT).await;
            tracing::info!(?life, ?outcome, "heard of a suspected node again");
            grants.book.lock().clearing.remove(&life);
        });
    }
}
