//! The receiving end of append sessions: one of Raft's append streams for each session, so that
//! replication and heartbeats do not wait for each other and requests of one session keep their
//! order.

use std::collections::BTreeMap;

use futures::StreamExt;
use openraft::raft::AppendEntriesRequest;
use tokio::sync::mpsc;

use super::frame::Body;
use super::raft_messages::{append_from, appended_to};
use super::{acceptor::Outbox, pb};
use crate::raft::Raft;
use crate::raft::type_config::TypeConfig;

/// Sessions that one stream may have open; a leader needs one for each of its terms.
const SESSIONS_MAX: usize = 16;
/// Requests of a session that may wait; a peer keeps to a far smaller window.
const QUEUE_MAX: usize = 64;

/// The sessions of one stream.
#[derive(Default)]
pub struct AppendSessions {
    open: BTreeMap<u64, mpsc::Sender<(u64, AppendEntriesRequest<TypeConfig>)>>,
}

impl AppendSessions {
    /// Refuses a request, and with it what is left of its session: nothing may be appended behind a
    /// gap.
    pub fn refuse(&mut self, tag: u64, append: &pb::Append, why: String, outbox: &Outbox) {
        self.open.remove(&append.session);
        outbox.fail(tag, why);
    }

    /// Takes a request, and answers it on `outbox` once Raft has.
    pub fn take(&mut self, raft: &Raft, tag: u64, append: pb::Append, outbox: &Outbox) {
        let (session, first) = (append.session, append.first);
        if append.end {
            self.open.remove(&session);
            return;
        }
        let request = match append_from(append) {
            Ok(request) => request,
            Err(bad) => return outbox.fail(tag, bad.to_string()),
        };
        if session == 0 {
            tokio::spawn(append_alone(raft.clone(), tag, request, outbox.clone()));
            return;
        }
        if first {
            self.open.retain(|_, queue| !queue.is_closed());
            if self.open.len() >= SESSIONS_MAX {
                self.open.pop_first();
            }
            let (queue, requests) = mpsc::channel(QUEUE_MAX);
            tokio::spawn(run_session(raft.clone(), requests, outbox.clone()));
            self.open.insert(session, queue);
        }
        let taken = match self.open.get(&session) {
            Some(queue) => queue.try_send((tag, request)).is_ok(),
            None => false,
        };
        if !taken {
            self.open.remove(&session);
            outbox.fail(tag, "no such append session".to_owned());
        }
    }
}

async fn append_alone(
    raft: Raft,
    tag: u64,
    request: AppendEntriesRequest<TypeConfig>,
    outbox: Outbox,
) {
    let previous = request.prev_log_id;
    let last = request.entries.last().map(|entry| entry.log_id).or(previous);
    match raft.append_entries(request).await {
        Ok(response) => {
            let outcome = response.into_stream_result(previous, last);
            outbox.answer(tag, Body::Appended(appended_to(&outcome)));
        }
        Err(error) => outbox.fail(tag, error.to_string()),
    }
}

async fn run_session(
    raft: Raft,
    mut requests: mpsc::Receiver<(u64, AppendEntriesRequest<TypeConfig>)>,
    outbox: Outbox,
) {
    let (tags_tx, mut tags) = mpsc::unbounded_channel();
    let input = futures::stream::poll_fn(move |cx| {
        requests.poll_recv(cx).map(|next| {
            next.map(|(tag, request)| {
                // The other end lives as long as the session.
                let _ = tags_tx.send(tag);
                request
            })
        })
    });
    let mut output = std::pin::pin!(raft.stream_append(input));
    while let Some(result) = output.next().await {
        // Answers come in the order of the requests, so the oldest tag is the one answered.
        let Some(tag) = tags.recv().await else { return };
        match result {
            Ok(outcome) => outbox.answer(tag, Body::Appended(appended_to(&outcome))),
            Err(fatal) => outbox.fail(tag, fatal.to_string()),
        }
    }
    // What was queued behind a refusal is not carried out; the sender must not wait for it.
    while let Ok(tag) = tags.try_recv() {
        outbox.fail(tag, "the append session has ended".to_owned());
    }
}
