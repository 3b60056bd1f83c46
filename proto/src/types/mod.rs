//! The shared vocabulary: identifiers, masks and flags as [MS-SMB2], [MS-FSCC] and [MS-DTYP]
//! spell them, and the identifiers that the cluster adds.

pub(crate) mod flags;
mod guid;
mod ids;
mod name;

pub mod access_mask;
pub mod create;
pub mod dialect;
pub mod file_attributes;
pub mod file_id;
pub mod file_time;
pub mod lease_state;
pub mod oplock_level;
pub mod security_descriptor;
pub mod share_access;
pub mod sid;

pub use access_mask::AccessMask;
pub use create::{CreateAction, CreateDisposition, CreateOptions};
pub use dialect::Dialect;
pub use file_attributes::FileAttributes;
pub use file_id::FileId;
pub use file_time::FileTime;
pub(crate) use flags::wire_flags;
pub use guid::{ClientGuid, CreateGuid, Guid, LeaseKey, NotAGuid};
pub use ids::{FileKey, Incarnation, NodeId, OpenId, SessionId, ShareId, VolumeId};
pub use lease_state::LeaseState;
pub use name::{FOLD_VERSION, FoldedName, fold_char};
pub use oplock_level::OplockLevel;
pub use security_descriptor::SecurityDescriptor;
pub use share_access::ShareAccess;
pub use sid::Sid;
