//! Who a client is: SPNEGO and NTLMv2 as exchanges with typed steps.
//!
//! Nothing here looks anybody up or waits: the exchange yields a [`Claim`], its caller finds the
//! password's hash, and the claim is judged with it. Guests, anonymous logons, LM and NTLMv1 are
//! refused.

mod acceptor;
mod claim;
mod user_sid;

pub use acceptor::{Acceptor, AuthError, ServerNames, Step, hint};
pub use claim::{Claim, Verified};
pub use user_sid::user_sid;
