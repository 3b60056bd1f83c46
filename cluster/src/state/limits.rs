//! Every bound of the replicated state. A command that would pass one is refused with
//! [`crate::outcome::Refusal::InsufficientResources`]; nothing in the state grows without a bound
//! that stands here or without something bounded that it belongs to.

/// Nodes, those that ended included.
pub const NODES: usize = 64;
/// Shares.
pub const SHARES: usize = 4_096;
/// Volumes that failed an examination.
pub const UNFIT_VOLUMES: usize = 64;
/// Users.
pub const USERS: usize = 65_536;
/// Sessions in the whole cluster.
pub const SESSIONS: usize = 262_144;
/// Opens in the whole cluster.
pub const OPENS: usize = 4_194_304;
/// Opens of one session.
pub const SESSION_OPENS: usize = 65_536;
/// Intents under way.
pub const INTENTS: usize = 65_536;
/// Requests that wait.
pub const WAITS: usize = 65_536;
/// Requests that wait for one file: each is decided anew when the file's state changes.
pub const FILE_WAITS: usize = 256;
/// Byte-range locks on one file.
pub const FILE_LOCKS: usize = 16_384;
/// Elements of one LOCK.
pub const LOCK_RANGES: usize = 256;
/// Uses of one CreateGuid.
pub const GUID_USES: usize = 64;
/// Outcomes remembered for each incarnation, so that a repeated submit gets the first answer.
pub const WINDOW: usize = 4_096;
/// Directories above a file. Each open keeps them all, and each is in the index of what hangs
/// beneath.
pub const ANCESTORS: usize = 255;
/// Bytes of a path: 32,767 UTF-16 units take at most three bytes each.
pub const PATH_BYTES: usize = 98_304;
/// Bytes of names, comments and addresses in settings.
pub const TEXT_BYTES: usize = 4_096;
/// Bytes of a search pattern, and of the last name that a listing gave out.
pub const SEARCH_BYTES: usize = 4_096;
/// FileId.Persistent keeps its top byte free.
pub const OPEN_ID_END: u64 = 1 << 56;
