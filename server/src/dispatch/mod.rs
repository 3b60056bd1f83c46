//! From a decoded request to its handler and back: what each opcode needs, what a handler is
//! given, and how it answers.

mod context;
mod pending;
mod reply;

pub use context::{ConnectionContext, RequestContext, RequestInfo, SessionContext};
pub use pending::Pending;
pub use reply::{Failure, HandlerResult, Reply};
