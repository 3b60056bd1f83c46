//! A file's handle state, as a snapshot holds it. Who waits there follows from the waits.

use std::sync::Arc;

use holdfast_proto::pb::snapshot as pb;
use holdfast_proto::types::{FileKey, ShareId};

use super::EncodingError;
use super::record::{choice, record};
use super::value::Encoded;
use crate::command::Place;
use crate::effect::BreakNotification;
use crate::state::{Binding, BreakTimer, Breaking, ByteLock, FileState, Lease, LeaseId, Open};

choice!(Binding => pb::Binding, pb::binding::Kind {
    Bound(pb::binding::Bound) { life: msg, session: bare },
    Disconnected(pb::binding::Disconnected) { deadline: bare },
});
record!(Open => pb::Open {
    id: bare, generation: bare, binding: msg, client_guid: bare, owner: msg, share: bare,
    place: msg, desired_access_raw: bare, access: bare, share_access: bare, disposition: bare,
    create_options_raw: bare, create_options: bare, file_attributes: bare, durability: msg,
    create_guid: opt, lease_key: opt, oplock: bare, channel_sequence: bare, action: bare,
    lock_sequences: map, search: opt, effective: bare, former_path: opt
});
record!(BreakNotification => pb::BreakNotification {
    client_guid: bare, key: bare, current: bare, new: bare, epoch: bare, ack_required: bare
});
record!(BreakTimer => pb::BreakTimer { by: msg, deadline: bare });
record!(Breaking => pb::Breaking { notification: msg, timer: opt });
record!(LeaseId => pb::LeaseId { client_guid: bare, key: bare });
record!(ByteLock => pb::ByteLock { open: bare, range: msg });

/// One valid entry of LockSequenceArray: index and number.
impl Encoded for (u8, u8) {
    type Pb = holdfast_proto::pb::log::LockSequence;
    fn to_pb(&self) -> Self::Pb {
        holdfast_proto::pb::log::LockSequence { index: self.0.to_pb(), number: self.1.to_pb() }
    }
    fn from_pb(pb: Self::Pb) -> Result<(u8, u8), EncodingError> {
        Ok((Encoded::from_pb(pb.index)?, Encoded::from_pb(pb.number)?))
    }
}

/// A lease with its name.
impl Encoded for (LeaseId, Lease) {
    type Pb = pb::Lease;
    fn to_pb(&self) -> pb::Lease {
        let (id, lease) = self;
        pb::Lease {
            id: Some(id.to_pb()),
            state: lease.state.to_pb(),
            epoch: lease.epoch.to_pb(),
            version: lease.version.to_pb(),
            parent_key: lease.parent_key.as_ref().map(Encoded::to_pb),
            file_delete_on_close: lease.file_delete_on_close,
            breaking: lease.breaking.as_ref().map(Encoded::to_pb),
            untold: lease.untold.as_ref().map(Encoded::to_pb),
        }
    }
    fn from_pb(pb: pb::Lease) -> Result<(LeaseId, Lease), EncodingError> {
        let id = Encoded::from_pb(pb.id.ok_or(EncodingError::Missing("lease id"))?)?;
        let lease = Lease {
            state: Encoded::from_pb(pb.state)?,
            epoch: Encoded::from_pb(pb.epoch)?,
            version: Encoded::from_pb(pb.version)?,
            parent_key: pb.parent_key.map(Encoded::from_pb).transpose()?,
            file_delete_on_close: pb.file_delete_on_close,
            breaking: pb.breaking.map(Encoded::from_pb).transpose()?,
            untold: pb.untold.map(Encoded::from_pb).transpose()?,
        };
        Ok((id, lease))
    }
}

impl Encoded for (ShareId, Place) {
    type Pb = pb::Doomed;
    fn to_pb(&self) -> pb::Doomed {
        pb::Doomed { share: self.0.to_pb(), place: Some(self.1.to_pb()) }
    }
    fn from_pb(pb: pb::Doomed) -> Result<(ShareId, Place), EncodingError> {
        let place = Encoded::from_pb(pb.place.ok_or(EncodingError::Missing("place"))?)?;
        Ok((Encoded::from_pb(pb.share)?, place))
    }
}

pub(super) fn file_to_pb(key: FileKey, file: &FileState) -> pb::File {
    pb::File {
        key: Some(key.to_pb()),
        directory: file.directory,
        opens: file.opens().map(Encoded::to_pb).collect(),
        leases: file.leases().map(|(id, lease)| (id, lease.clone()).to_pb()).collect(),
        locks: file.locks.iter().map(Encoded::to_pb).collect(),
        delete_pending: file.delete_pending,
        overwriting: file.overwriting.as_ref().map(Encoded::to_pb),
        duty: file.duty.as_ref().map(Encoded::to_pb),
        doomed: file.doomed.as_ref().map(Encoded::to_pb),
    }
}

pub(super) fn file_from_pb(pb: pb::File) -> Result<(FileKey, FileState), EncodingError> {
    let key = Encoded::from_pb(pb.key.ok_or(EncodingError::Missing("file key"))?)?;
    let mut file = FileState {
        directory: pb.directory,
        delete_pending: pb.delete_pending,
        overwriting: pb.overwriting.map(Encoded::from_pb).transpose()?,
        duty: pb.duty.map(Encoded::from_pb).transpose()?,
        doomed: pb.doomed.map(Encoded::from_pb).transpose()?,
        ..FileState::default()
    };
    for open in pb.opens {
        let open = Open::from_pb(open)?;
        file.opens.insert(open.id, Arc::new(open));
    }
    for lease in pb.leases {
        let (id, lease) = Encoded::from_pb(lease)?;
        file.leases.insert(id, lease);
    }
    for lock in pb.locks {
        file.locks.push(Encoded::from_pb(lock)?);
    }
    Ok((key, file))
}
