//! Who asks the storage for something.
//!
//! Storage that several nodes share can have operations in flight that outlive the node that sent
//! them. Every operation therefore carries the name of its issuer. A back end that can refuse the
//! operations of a fenced incarnation does so by this tag; the local one has nothing to check it
//! against and ignores it.

use holdfast_proto::types::{Incarnation, NodeId, OpenId};

/// The tag of one operation: the life of the node that sent it and, where it is done for an Open,
/// that Open in the generation in which the node held it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Issuer {
    /// The node.
    pub node: NodeId,
    /// The node's life: the log index of its join.
    pub incarnation: Incarnation,
    /// The Open on whose behalf the operation is done, with its generation.
    pub open: Option<(OpenId, u64)>,
}

impl Issuer {
    /// A node that acts for no Open: it resolves names, finishes duties, cleans up.
    pub const fn node(node: NodeId, incarnation: Incarnation) -> Issuer {
        Issuer { node, incarnation, open: None }
    }

    /// The same node, acting for `open` in `generation`.
    pub const fn for_open(self, open: OpenId, generation: u64) -> Issuer {
        Issuer { open: Some((open, generation)), ..self }
    }
}
