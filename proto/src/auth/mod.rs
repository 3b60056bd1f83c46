//! Authentication tokens: SPNEGO around NTLM, or NTLM alone, and NTLMv2's computations.
//!
//! Bytes and arithmetic only. Challenges, session keys and the time are given by the caller,
//! who also decides who may log on, how often, and what is asked of a client. Both sides are
//! here: the server's, and the client's for those who test it.

pub mod ntlmssp;
pub mod ntlmv2;
pub mod spnego;
