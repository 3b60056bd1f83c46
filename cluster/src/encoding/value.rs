//! Values as protobuf's scalars, and the messages that many others hold.

use holdfast_proto::pb::log as pb;
use holdfast_proto::types::{
    AccessMask, CreateAction, CreateDisposition, CreateOptions, FileAttributes, FileKey,
    FoldedName, Guid, Incarnation, LeaseState, NodeId, OpenId, SessionId, ShareAccess, ShareId,
    VolumeId,
};
use imbl::OrdMap;

use super::EncodingError;
use crate::command::{DutyId, EndHow, IntentId};
use crate::log_time::LogTime;

/// A value and its form in protobuf.
pub(super) trait Encoded: Sized {
    type Pb;
    fn to_pb(&self) -> Self::Pb;
    fn from_pb(pb: Self::Pb) -> Result<Self, EncodingError>;
}

/// A map from the list of its pairs.
pub(super) fn pairs<K: Ord + Clone, V: Clone, P>(
    list: Vec<P>,
) -> Result<OrdMap<K, V>, EncodingError>
where
    (K, V): Encoded<Pb = P>,
{
    let mut map = OrdMap::new();
    for pair in list {
        let (key, value) = <(K, V)>::from_pb(pair)?;
        map.insert(key, value);
    }
    Ok(map)
}

macro_rules! same {
    ($($type:ty),*) => {
        $(impl Encoded for $type {
            type Pb = $type;
            fn to_pb(&self) -> $type { self.clone() }
            fn from_pb(pb: $type) -> Result<$type, EncodingError> { Ok(pb) }
        })*
    };
}
same!(u64, u32, i32, bool, String);

macro_rules! narrow {
    ($($type:ty),*) => {
        $(impl Encoded for $type {
            type Pb = u32;
            fn to_pb(&self) -> u32 { u32::from(*self) }
            fn from_pb(pb: u32) -> Result<$type, EncodingError> {
                <$type>::try_from(pb).map_err(|_| EncodingError::OutOfRange(stringify!($type)))
            }
        })*
    };
}
narrow!(u8, u16);

macro_rules! wraps {
    ($($type:ident: $inner:ty),*) => {
        $(impl Encoded for $type {
            type Pb = $inner;
            fn to_pb(&self) -> $inner { self.0 }
            fn from_pb(pb: $inner) -> Result<$type, EncodingError> { Ok($type(pb)) }
        })*
    };
}
wraps!(
    NodeId: u64, Incarnation: u64, OpenId: u64, ShareId: u64, VolumeId: u64, SessionId: u64,
    IntentId: u64, DutyId: u64, LogTime: u64,
    AccessMask: u32, ShareAccess: u32, CreateDisposition: u32, CreateOptions: u32,
    FileAttributes: u32, LeaseState: u32
);

impl Encoded for [u8; 16] {
    type Pb = Vec<u8>;
    fn to_pb(&self) -> Vec<u8> {
        self.to_vec()
    }
    fn from_pb(pb: Vec<u8>) -> Result<[u8; 16], EncodingError> {
        pb.try_into().map_err(|_| EncodingError::OutOfRange("sixteen bytes"))
    }
}

impl Encoded for Guid {
    type Pb = Vec<u8>;
    fn to_pb(&self) -> Vec<u8> {
        self.0.to_vec()
    }
    fn from_pb(pb: Vec<u8>) -> Result<Guid, EncodingError> {
        <[u8; 16]>::from_pb(pb).map(Guid)
    }
}

impl Encoded for FoldedName {
    type Pb = String;
    fn to_pb(&self) -> String {
        self.as_str().to_owned()
    }
    fn from_pb(pb: String) -> Result<FoldedName, EncodingError> {
        Ok(FoldedName::from_folded(pb))
    }
}

impl Encoded for FileKey {
    type Pb = pb::FileKey;
    fn to_pb(&self) -> pb::FileKey {
        pb::FileKey {
            volume: self.volume.0,
            file_high: (self.file >> 64) as u64,
            file_low: self.file as u64,
        }
    }
    fn from_pb(pb: pb::FileKey) -> Result<FileKey, EncodingError> {
        let file = u128::from(pb.file_high) << 64 | u128::from(pb.file_low);
        Ok(FileKey { volume: VolumeId(pb.volume), file })
    }
}

impl Encoded for CreateAction {
    type Pb = u32;
    fn to_pb(&self) -> u32 {
        *self as u32
    }
    fn from_pb(pb: u32) -> Result<CreateAction, EncodingError> {
        [
            CreateAction::Superseded,
            CreateAction::Opened,
            CreateAction::Created,
            CreateAction::Overwritten,
        ]
        .into_iter()
        .find(|action| *action as u32 == pb)
        .ok_or(EncodingError::OutOfRange("create action"))
    }
}

impl Encoded for EndHow {
    type Pb = u32;
    fn to_pb(&self) -> u32 {
        match self {
            EndHow::ConnectionLost => 0,
            EndHow::LogOff => 1,
            EndHow::Closed => 2,
        }
    }
    fn from_pb(pb: u32) -> Result<EndHow, EncodingError> {
        [EndHow::ConnectionLost, EndHow::LogOff, EndHow::Closed]
            .into_iter()
            .find(|how| how.to_pb() == pb)
            .ok_or(EncodingError::OutOfRange("the way a session ends"))
    }
}
