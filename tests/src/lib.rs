//! Runners that judge the built program from outside, and the rules of the repository.
//!
//! What is here knows the wire format (`proto`) and the command line, and no type of the server or
//! the cluster: a runner must be able to disagree with what it judges. The runners in Python beside
//! it (`tests/run` calls them) bring clients that share no code with Holdfast at all. The rules are
//! ordinary tests in `tidy`.

pub mod client;
pub mod cluster;
pub mod failover;
pub mod layer;
pub mod network;
pub mod random;
