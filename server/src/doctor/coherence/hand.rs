//! Who takes the steps of an examination: this node or another one, asked alike.

use std::time::Duration;

use async_trait::async_trait;
use holdfast_proto::pb::doctor as pb;
use holdfast_proto::pb::doctor::seen::Kind;
use holdfast_proto::pb::doctor::step::Action;
use holdfast_proto::types::NodeId;
use tokio::time::{Instant, sleep};

use super::super::answering::{self, Seat};
use crate::ports::{Cluster, PeerReply, PeerRequest};

/// How long one step may take: a slow disk syncs several times in it.
const STEP_WAIT: Duration = Duration::from_secs(5);
/// How long something that should have been seen at once is waited for, to tell how late it comes.
const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 1000 });
const POLL: Duration = Duration::from_millis(20);

/// Why a step was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The node did not answer, or cannot take steps: nothing is known of the storage.
    Silent(String),
    /// The storage refused it.
    Storage(String),
}

/// Takes steps on one side of an examination.
#[async_trait]
pub trait Hand: Send + Sync {
    /// Takes one step.
    async fn take(&self, action: Action) -> Result<Kind, Trouble>;
}

/// A node's hand, through the cluster.
pub struct NodeHand<'a> {
    pub cluster: &'a dyn Cluster,
    pub node: NodeId,
    pub seat: Seat,
}

#[async_trait]
impl Hand for NodeHand<'_> {
    async fn take(&self, action: Action) -> Result<Kind, Trouble> {
        let silent = |what: &str| Trouble::Silent(format!("node {} {what}", self.node.0));
        let question = PeerRequest::Examine(answering::take_step(self.seat, action));
        let answer = self.cluster.ask(self.node, question, STEP_WAIT).await;
        let Ok(answer) = answer else { return Err(silent("did not answer in time")) };
        let PeerReply::Examined(bytes) = answer else {
            return Err(silent("cannot be examined now, or is of another version"));
        };
        match answering::step_answer(&bytes) {
            Some(Ok(pb::Seen { kind: Some(kind) })) => Ok(kind),
            Some(Err(why)) => Err(Trouble::Storage(format!("node {}: {why}", self.node.0))),
            Some(Ok(pb::Seen { kind: None })) | None => Err(silent("is of another version")),
        }
    }
}

/// How late something was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lag {
    /// By the first look after it was done.
    None,
    After(Duration),
    /// Not in this time.
    Longer(Duration),
}

/// One side: steps by their names.
#[derive(Clone, Copy)]
pub struct Side<'a>(pub &'a dyn Hand);

impl Side<'_> {
    /// A step that has only one end.
    pub async fn does(&self, action: Action) -> Result<(), Trouble> {
        match self.0.take(action).await? {
            Kind::Done(_) | Kind::Found(_) => Ok(()),
            other => Err(Trouble::Storage(format!("unexpected answer {other:?}"))),
        }
    }

    /// A step that makes a file: its key, or none if the name was taken.
    pub async fn makes(&self, action: Action) -> Result<Option<Vec<u8>>, Trouble> {
        match self.0.take(action).await? {
            Kind::Found(found) => Ok(Some(found.key)),
            Kind::Taken(_) => Ok(None),
            other => Err(Trouble::Storage(format!("unexpected answer {other:?}"))),
        }
    }

    /// A step that succeeds (true), or finds something taken.
    pub async fn succeeds(&self, action: Action) -> Result<bool, Trouble> {
        match self.0.take(action).await? {
            Kind::Done(_) => Ok(true),
            Kind::Taken(_) => Ok(false),
            other => Err(Trouble::Storage(format!("unexpected answer {other:?}"))),
        }
    }

    /// Whatever there is to see.
    pub async fn sees(&self, action: Action) -> Result<Kind, Trouble> {
        self.0.take(action).await
    }

    /// Looks until what is seen is as it should be, and tells how long that took.
    pub async fn comes_to_see(
        &self,
        action: Action,
        right: impl Fn(&Kind) -> bool + Send + Sync,
    ) -> Result<Lag, Trouble> {
        let begun = Instant::now();
        if right(&self.0.take(action.clone()).await?) {
            return Ok(Lag::None);
        }
        loop {
            sleep(POLL).await;
            let seen = right(&self.0.take(action.clone()).await?);
            let passed = begun.elapsed();
            if seen {
                return Ok(Lag::After(passed));
            }
            if passed >= PATIENCE {
                return Ok(Lag::Longer(passed));
            }
        }
    }
}

/// The steps, spelt shortly.
pub mod steps {
    use super::{Action, pb};

    fn named(name: &str) -> pb::Named {
        pb::Named { name: name.to_owned() }
    }

    pub fn make(name: &str) -> Action {
        Action::Make(named(name))
    }

    pub fn look(name: &str) -> Action {
        Action::Look(named(name))
    }

    pub fn list() -> Action {
        Action::List(pb::List {})
    }

    pub fn hold(name: &str) -> Action {
        Action::Hold(named(name))
    }

    pub fn stat(name: &str) -> Action {
        Action::Stat(named(name))
    }

    pub fn write(name: &str, offset: u64, data: &[u8], stable: bool) -> Action {
        Action::Write(pb::Write { name: name.to_owned(), offset, data: data.to_vec(), stable })
    }

    pub fn read(name: &str, offset: u64, length: usize) -> Action {
        Action::Read(pb::Read { name: name.to_owned(), offset, length: length as u32 })
    }

    pub fn resize(name: &str, length: u64) -> Action {
        Action::Resize(pb::Resize { name: name.to_owned(), length })
    }

    pub fn append(name: &str, offset: u64, data: &[u8]) -> Action {
        Action::Append(pb::Append { name: name.to_owned(), offset, data: data.to_vec() })
    }

    pub fn rename(name: &str, to: &str, replace: bool) -> Action {
        Action::Rename(pb::Rename { name: name.to_owned(), to: to.to_owned(), replace })
    }

    pub fn remove(name: &str) -> Action {
        Action::Remove(named(name))
    }

    pub fn set_attribute(name: &str, attribute: &str, value: &[u8]) -> Action {
        let (name, attribute) = (name.to_owned(), attribute.to_owned());
        Action::SetAttribute(pb::SetAttribute { name, attribute, value: value.to_vec() })
    }

    pub fn attribute(name: &str, attribute: &str) -> Action {
        Action::Attribute(pb::Attribute { name: name.to_owned(), attribute: attribute.to_owned() })
    }

    pub fn produce(name: &str, mark: u128) -> Action {
        Action::Produce(marked(name, mark))
    }

    pub fn mark(name: &str) -> Action {
        Action::Mark(named(name))
    }

    pub fn clear_mark(name: &str, mark: u128) -> Action {
        Action::ClearMark(marked(name, mark))
    }

    pub fn watch(name: &str, times: u32) -> Action {
        Action::Watch(pb::Watch { name: name.to_owned(), times })
    }

    pub fn enter() -> Action {
        Action::Enter(pb::Enter {})
    }

    pub fn leave() -> Action {
        Action::Leave(pb::Leave {})
    }

    fn marked(name: &str, mark: u128) -> pb::Marked {
        pb::Marked { name: name.to_owned(), mark: mark.to_be_bytes().to_vec() }
    }
}
