//! Identifiers of the cluster. Each is a type of its own, so that one is never taken for another.

use core::fmt;

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u64);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self, f)
            }
        }
    };
}

id!(
    /// A node, as the cluster's configuration numbers it: 1 and up.
    NodeId, "n"
);
id!(
    /// One life of a node: the log index of its join. Never reused.
    Incarnation, "i"
);
id!(
    /// FileId.Persistent: a counter in the replicated state, never reused, its top byte 0.
    OpenId, "o"
);
id!(
    /// A share, as the replicated state numbers it. A share of the same name made anew has
    /// another one.
    ShareId, "share"
);
id!(
    /// A volume of the shared storage: the same on every node.
    VolumeId, "vol"
);

/// SessionId of [MS-SMB2] 2.2.1.2: unique in the cluster before any commit, because its upper
/// half is given out with the node's join and its lower half is the node's own counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SessionId(pub u64);

impl SessionId {
    /// Puts together the prefix that a join was given and the node's own counter.
    pub const fn new(prefix: u32, counter: u32) -> SessionId {
        SessionId((prefix as u64) << 32 | counter as u64)
    }

    /// The join that this session belongs to.
    pub const fn prefix(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{:x}", self.0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What a file is called by everyone who decides about it: never a path, so that a rename moves
/// nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileKey {
    /// The volume, from the cluster's configuration.
    pub volume: VolumeId,
    /// The file's id in its volume: inode and birth time, or an id kept with the file.
    pub file: u128,
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f{}.{:x}", self.volume.0, self.file)
    }
}

impl fmt::Display for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
