//! The one table: what each opcode needs, what it says while the cluster has no leader, and its
//! handler.

use holdfast_proto::NtStatus;
use holdfast_proto::msg::ChangeNotifyRequest;
use holdfast_proto::opcode::Opcode;

use super::{Call, Failure, Started};
use crate::handlers::{self, negotiate, session_setup, tree_connect, tree_disconnect};
use crate::pipes;

/// What has to be there before a request reaches its handler.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Needs {
    /// The connection only. SESSION_SETUP looks for its session itself.
    Connection,
    /// A session that was logged on, if the request names one or is signed ([MS-SMB2] 3.3.5.17).
    SessionIfNamed,
    /// A session that was logged on.
    Session,
    /// A tree connect of that session; an open, where the request names one.
    Tree,
}

/// What a client is told when the cluster gave no answer in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotReady {
    /// A status that clients try again after.
    Status(NtStatus),
    /// Nothing: the connection is closed, so that the client tries elsewhere.
    Disconnect,
}

/// One opcode.
pub struct Row {
    pub opcode: Opcode,
    pub needs: Needs,
    pub not_ready: NotReady,
    /// True if an interim response may precede the answer.
    pub interim: bool,
    /// True if the answer is about the open that the request names and must not be given once
    /// the open is another node's. CLOSE ends its open, so its answer is not.
    pub about_open: bool,
    /// True if the request names an open, so that it fails if the CREATE before gave none out.
    pub uses_open: bool,
    pub start: fn(Call) -> Result<Started, Failure>,
}

impl Row {
    const fn new(opcode: Opcode, needs: Needs, start: fn(Call) -> Result<Started, Failure>) -> Row {
        Row {
            opcode,
            needs,
            not_ready: NotReady::Disconnect,
            interim: true,
            about_open: false,
            uses_open: false,
            start,
        }
    }

    const fn on_open(opcode: Opcode, start: fn(Call) -> Result<Started, Failure>) -> Row {
        Row { about_open: true, uses_open: true, ..Row::new(opcode, Needs::Tree, start) }
    }

    /// CLOSE, whose answer is about an open that is no more.
    const fn ending_open(opcode: Opcode, start: fn(Call) -> Result<Started, Failure>) -> Row {
        Row { uses_open: true, ..Row::new(opcode, Needs::Tree, start) }
    }

    const fn not_ready(self, status: NtStatus) -> Row {
        Row { not_ready: NotReady::Status(status), ..self }
    }

    const fn without_interim(self) -> Row {
        Row { interim: false, ..self }
    }
}

/// The row of an opcode; none if it is not served.
pub fn row(opcode: Opcode) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.opcode == opcode)
}

/// CANCEL is not here: it has no answer and is carried out where it is read.
static TABLE: &[Row] = &[
    Row::new(Opcode::NEGOTIATE, Needs::Connection, |c| c.on_connection(negotiate::handle))
        .without_interim(),
    Row::new(Opcode::SESSION_SETUP, Needs::Connection, |c| c.on_connection(session_setup::handle))
        .without_interim(),
    Row::new(Opcode::LOGOFF, Needs::Session, |c| c.on_session(handlers::logoff::handle)),
    Row::new(Opcode::TREE_CONNECT, Needs::Session, |c| c.on_session(tree_connect::handle)),
    Row::new(Opcode::TREE_DISCONNECT, Needs::Tree, |c| {
        c.on_tree(tree_disconnect::handle, tree_disconnect::handle_ipc)
    }),
    Row::new(Opcode::CREATE, Needs::Tree, |c| c.on_tree(handlers::create::handle, pipes::create))
        .not_ready(NtStatus::SERVER_UNAVAILABLE),
    Row::ending_open(Opcode::CLOSE, |c| c.on_open(handlers::close::handle, pipes::close)),
    Row::on_open(Opcode::FLUSH, |c| c.on_open(handlers::flush::handle, pipes::flush)),
    Row::on_open(Opcode::READ, |c| c.on_open(handlers::read::handle, pipes::read)),
    Row::on_open(Opcode::WRITE, |c| c.on_open(handlers::write::handle, pipes::write))
        .not_ready(NtStatus::FILE_NOT_AVAILABLE),
    Row::on_open(Opcode::LOCK, |c| c.on_open(handlers::lock::handle, handlers::not_for_pipes)),
    Row::on_open(Opcode::IOCTL, |c| c.on_ioctl(handlers::ioctl::handle, pipes::ioctl))
        .not_ready(NtStatus::FILE_NOT_AVAILABLE),
    Row::on_open(Opcode::QUERY_DIRECTORY, |c| {
        c.on_open(handlers::query_directory::handle, handlers::not_for_pipes)
    }),
    Row::on_open(Opcode::CHANGE_NOTIFY, |c| {
        c.on_open(handlers::unserved::<ChangeNotifyRequest>, handlers::not_for_pipes)
    }),
    Row::on_open(Opcode::QUERY_INFO, |c| {
        c.on_open(handlers::query_info::handle, pipes::query_info)
    }),
    Row::on_open(Opcode::SET_INFO, |c| {
        c.on_open(handlers::set_info::handle, handlers::not_for_pipes)
    }),
    Row::new(Opcode::OPLOCK_BREAK, Needs::Tree, |c| {
        c.on_tree(handlers::oplock_break::handle, handlers::no_leases)
    }),
    Row::new(Opcode::ECHO, Needs::SessionIfNamed, |c| c.on_connection(handlers::echo::handle)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opcode_has_one_row_at_most() {
        for opcode in Opcode::ALL {
            assert!(TABLE.iter().filter(|row| row.opcode == *opcode).count() <= 1, "{opcode}");
        }
    }
}
