//! The gate on its own.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use holdfast_cluster::command::OpenRef;
use holdfast_proto::types::OpenId;

use super::GateError;
use crate::testing;

#[tokio::test]
async fn a_closed_gate_lets_nothing_in() {
    let (node, _cluster) = testing::node(BTreeMap::new());
    let gate = &node.gate;
    let inside = gate.enter_for_node(|_| true).await.unwrap();
    assert_eq!(gate.enter_for_node(|_| false).await.err(), Some(GateError::Lost));
    gate.close();
    assert_eq!(gate.enter_for_node(|_| true).await.err(), Some(GateError::Ended));
    assert_eq!(gate.operations().load(Ordering::Acquire), 1, "who was in is waited for");
    drop(inside);
    assert_eq!(gate.operations().load(Ordering::Acquire), 0);
}

#[tokio::test]
async fn a_seal_is_one_generation_s_and_goes_with_it() {
    let (node, _cluster) = testing::node(BTreeMap::new());
    let generation = |generation| OpenRef { open: OpenId(1), generation };
    node.gate.seal(generation(1));
    assert!(node.gate.is_sealed(generation(1)));
    assert!(!node.gate.is_sealed(generation(2)), "a late question seals no later generation");
    node.gate.forget_seals();
    assert!(!node.gate.is_sealed(generation(1)), "nobody here owns it");
}
