//! Named pipes of IPC$ and the services behind them: `srvsvc` and `wkssvc`, so that clients can
//! list shares ([MS-SRVS], [MS-WKST]).
//!
//! Pipes are this node's own: never durable, unknown to the cluster, gone with their session.

mod channel;
mod handlers;
mod srvsvc;
mod wkssvc;

use holdfast_proto::rpc::SyntaxId;
use holdfast_proto::types::OpenId;
use parking_lot::Mutex;

pub use handlers::{close, create, flush, ioctl, query_info, read, write};

use channel::Channel;
use holdfast_cluster::state::State;

use crate::settings::Identity;

/// An open of a pipe.
#[derive(Debug)]
pub struct PipeOpen {
    /// FileId.Volatile.
    pub volatile: u64,
    /// FileId.Persistent: pipes are not in the cluster's state, so it is the same for all.
    pub persistent: OpenId,
    /// The tree connect to IPC$.
    pub tree: u32,
    channel: Mutex<Channel>,
}

/// A service that can be opened by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Service {
    Srvsvc,
    Wkssvc,
}

impl Service {
    /// By the name of its pipe, without case and with or without a leading separator.
    fn by_name(name: &str) -> Option<Service> {
        let name = name.strip_prefix('\\').unwrap_or(name);
        let all = [Service::Srvsvc, Service::Wkssvc];
        all.into_iter().find(|service| service.name().eq_ignore_ascii_case(name))
    }

    fn name(self) -> &'static str {
        match self {
            Service::Srvsvc => "srvsvc",
            Service::Wkssvc => "wkssvc",
        }
    }

    fn interface(self) -> SyntaxId {
        match self {
            Service::Srvsvc => holdfast_proto::rpc::srvsvc::INTERFACE,
            Service::Wkssvc => holdfast_proto::rpc::wkssvc::INTERFACE,
        }
    }
}

/// What the services tell about the cluster.
struct Facts<'a> {
    state: &'a State,
    identity: &'a Identity,
}
