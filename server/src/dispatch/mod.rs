//! From a decoded request to its handler and back: what each opcode needs, what a handler is
//! given, and how it answers.
//!
//! A new handler is a file in `handlers/` and a line in [`table`].

mod admit;
mod call;
mod chain;
mod context;
mod on_open;
mod pending;
mod reply;
mod table;

pub use call::{Call, Started};
pub(crate) use chain::run_chain;
pub use context::{ConnectionContext, PipeContext, RequestContext, RequestInfo, SessionContext};
pub use on_open::OnOpen;
pub use pending::Pending;
pub use reply::{Failure, Given, HandlerResult, Reply};
