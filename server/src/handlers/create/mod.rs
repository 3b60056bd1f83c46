//! CREATE ([MS-SMB2] 3.3.5.9): plan what the request says, execute it between the cluster and
//! the storage, respond.
//!
//! An open of what exists is one command. A create or an overwrite is three steps: the intent,
//! the storage, the grant; so nothing is touched by an open that is then refused, and nothing is
//! made twice.

mod attach;
pub(super) mod name;
mod open_existing;
mod open_path;
mod plan;
mod produce;
mod reconnect;
mod respond;
pub mod settle;

use holdfast_proto::msg::CreateRequest;

use crate::dispatch::{HandlerResult, RequestContext};
use plan::{Asker, Plan};

/// Serves a CREATE on a share of files.
pub async fn handle(ctx: RequestContext, request: CreateRequest) -> HandlerResult {
    let negotiated = ctx.connection.negotiated();
    let asker = Asker {
        session: ctx.session.id,
        client_guid: ctx.session.client_guid,
        owner: &ctx.session.sid,
        leasing: negotiated.as_ref().is_some_and(|negotiated| negotiated.leasing),
        persistence: negotiated.as_ref().is_some_and(|negotiated| negotiated.persistent_handles),
        channel_sequence: ctx.info.channel_sequence,
        replay: ctx.info.replay,
    };
    match plan::plan(&request, &asker, &ctx.tree)? {
        Plan::Open(plan) => open_path::run(&ctx, &plan).await,
        Plan::Reconnect(plan) => reconnect::run(&ctx, &plan).await,
    }
}
