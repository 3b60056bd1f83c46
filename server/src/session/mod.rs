//! Sessions, tree connects and opens as this node serves them ([MS-SMB2] 3.3.1.8 to 3.3.1.10).
//!
//! What is here dies with the connection; what clients were promised beyond that is in the
//! cluster's state. Invariant: a [`Session`] exists only after a logon succeeded and its
//! `LogOn` is in the log.

mod channel_sequence;
mod end;
mod local_open;
mod opens_gate;
mod table;
mod tree;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use holdfast_cluster::command::OpenRef;
use holdfast_proto::types::{ClientGuid, SessionId, Sid};
use parking_lot::Mutex;

pub use channel_sequence::{ChannelGauges, Counted};
pub(crate) use end::tell;
pub use end::{end_session, end_tree};
pub use local_open::{LocalOpen, OpenState, SearchState};
pub use opens_gate::OpensGate;
pub use table::SessionTable;
pub use tree::{Tree, TreeConnect};

use crate::connection::Connection;
use crate::core::SessionSecurity;
use crate::limits;
use crate::pipes::PipeOpen;
use crate::signal::Signal;

/// An entry of Session.OpenTable.
#[derive(Clone, Debug)]
pub enum SessionOpen {
    /// A file or directory.
    File(Arc<LocalOpen>),
    /// A named pipe of IPC$.
    Pipe(Arc<PipeOpen>),
}

/// A table of the session is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the session's table is full, or the session is ending")]
pub struct NoRoom;

/// A session of this node.
#[derive(Debug)]
pub struct Session {
    pub id: SessionId,
    /// The user's name as the cluster's settings spell it.
    pub user: String,
    /// The user's SID: what Open.DurableOwner is made of.
    pub sid: Sid,
    /// The client's, from its connection.
    pub client_guid: ClientGuid,
    /// Keys and the demand for encryption.
    pub security: Arc<SessionSecurity>,
    connection: Weak<Connection>,
    tables: Mutex<Tables>,
    next_tree: AtomicU32,
    ended: Signal,
}

#[derive(Debug, Default)]
struct Tables {
    /// No entry is added any more: the session ends.
    closing: bool,
    trees: BTreeMap<u32, TreeConnect>,
    opens: BTreeMap<u64, SessionOpen>,
}

impl Session {
    /// A session whose logon the cluster knows.
    pub fn new(
        id: SessionId,
        user: String,
        sid: Sid,
        security: Arc<SessionSecurity>,
        connection: &Arc<Connection>,
    ) -> Session {
        Session {
            id,
            user,
            sid,
            client_guid: connection.client_guid(),
            security,
            connection: Arc::downgrade(connection),
            tables: Mutex::default(),
            next_tree: AtomicU32::new(1),
            ended: Signal::new(),
        }
    }

    /// The session's connection, as long as it is there. A session lives on one connection.
    pub fn connection(&self) -> Option<Arc<Connection>> {
        self.connection.upgrade().filter(|connection| !connection.is_closed())
    }

    /// True once the session has begun to end: nothing is added to it any more.
    pub fn is_closing(&self) -> bool {
        self.tables.lock().closing
    }

    /// Returns once the session's end is in the log.
    pub async fn wait_ended(&self) {
        self.ended.wait().await;
    }

    /// The tree connect of that id.
    pub fn tree(&self, id: u32) -> Option<TreeConnect> {
        self.tables.lock().trees.get(&id).cloned()
    }

    /// Adds a tree connect; `make` is given its id.
    pub fn insert_tree(
        &self,
        make: impl FnOnce(u32) -> TreeConnect,
    ) -> Result<TreeConnect, NoRoom> {
        let mut tables = self.tables.lock();
        if tables.closing || tables.trees.len() >= limits::TREES_PER_SESSION_MAX {
            return Err(NoRoom);
        }
        let id = loop {
            let id = self.next_tree.fetch_add(1, Ordering::Relaxed);
            // 0 and all ones have meanings of their own.
            if id != 0 && id != u32::MAX && !tables.trees.contains_key(&id) {
                break id;
            }
        };
        let tree = make(id);
        tables.trees.insert(id, tree.clone());
        Ok(tree)
    }

    /// Takes a tree connect out.
    pub fn remove_tree(&self, id: u32) -> Option<TreeConnect> {
        self.tables.lock().trees.remove(&id)
    }

    /// How many tree connects there are.
    pub fn tree_count(&self) -> usize {
        self.tables.lock().trees.len()
    }

    /// Adds an open under its volatile id. Refused if the session or the open's tree connect is
    /// ending: whoever made the open has to close it then.
    pub fn insert_open(&self, volatile: u64, tree: u32, open: SessionOpen) -> Result<(), NoRoom> {
        let mut tables = self.tables.lock();
        let pipe = |open: &SessionOpen| matches!(open, SessionOpen::Pipe(_));
        let room = tables.opens.len() < limits::OPENS_PER_SESSION_MAX
            && (!pipe(&open)
                || tables.opens.values().filter(|open| pipe(open)).count()
                    < limits::PIPES_PER_SESSION_MAX);
        if tables.closing || !room || !tables.trees.contains_key(&tree) {
            return Err(NoRoom);
        }
        tables.opens.insert(volatile, open);
        Ok(())
    }

    /// The open of that volatile id.
    pub fn open(&self, volatile: u64) -> Option<SessionOpen> {
        self.tables.lock().opens.get(&volatile).cloned()
    }

    /// Takes an open out: CLOSE, or its end from elsewhere.
    pub fn remove_open(&self, volatile: u64) -> Option<SessionOpen> {
        self.tables.lock().opens.remove(&volatile)
    }

    /// The session's opens of files.
    pub fn file_opens(&self) -> Vec<Arc<LocalOpen>> {
        files(self.tables.lock().opens.values())
    }

    /// True once the answer that gave `open` out was queued on this session's connection.
    pub fn has_answered(&self, open: OpenRef) -> bool {
        self.file_opens().iter().any(|local| local.open == open && local.answered.is_raised())
    }

    /// Stops additions; true for whoever is first.
    fn begin_closing(&self) -> bool {
        !std::mem::replace(&mut self.tables.lock().closing, true)
    }

    /// The opens of files of one tree connect.
    fn opens_of_tree(&self, tree: u32) -> Vec<Arc<LocalOpen>> {
        let mut opens = files(self.tables.lock().opens.values());
        opens.retain(|open| open.tree == tree);
        opens
    }

    /// Forgets every open of a tree connect that was taken out.
    fn forget_opens(&self, tree: u32) {
        self.tables.lock().opens.retain(|_, open| open.tree() != tree);
    }

    /// Forgets every open and every tree connect.
    fn clear(&self) {
        let mut tables = self.tables.lock();
        tables.trees.clear();
        tables.opens.clear();
    }
}

impl SessionOpen {
    /// The tree connect that it was opened through.
    pub fn tree(&self) -> u32 {
        match self {
            SessionOpen::File(open) => open.tree,
            SessionOpen::Pipe(pipe) => pipe.tree,
        }
    }
}

fn files<'a>(opens: impl Iterator<Item = &'a SessionOpen>) -> Vec<Arc<LocalOpen>> {
    opens
        .filter_map(|open| match open {
            SessionOpen::File(open) => Some(open.clone()),
            SessionOpen::Pipe(_) => None,
        })
        .collect()
}
