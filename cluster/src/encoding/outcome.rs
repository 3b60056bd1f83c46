//! Outcomes, as a snapshot remembers them.

use holdfast_proto::pb::snapshot as pb;

use super::EncodingError;
use super::record::{choice, record};
use super::value::Encoded;
use crate::outcome::{
    Barrier, BrokenLease, Duty, DutyKind, LeaseGrant, OpenGrant, Outcome, Refusal,
};

record!(Barrier => pb::Barrier { file: msg, index: bare, nodes: many });
record!(BrokenLease => pb::BrokenLease { client_guid: bare, key: bare, epoch: bare, teller: opt });
record!(LeaseGrant => pb::LeaseGrant {
    key: bare, state: bare, epoch: bare, version: bare, parent_key: opt, breaking: bare
});
record!(OpenGrant => pb::OpenGrant {
    open: msg, file: msg, place: msg, directory: bare, share: bare, action: bare, access: bare,
    share_access: bare, create_options: bare, durability: msg, create_guid: opt, lease: opt,
    oplock: bare, channel_sequence: bare, attached: bare, barrier: msg, search: opt
});
record!(Duty => pb::Duty { id: bare, share: bare, kind: msg });
choice!(DutyKind => pb::DutyKind, pb::duty_kind::Kind {
    Delete(pb::duty_kind::Delete) { file: msg, place: msg, directory: bare },
    Rename(pb::duty_kind::Rename) { file: msg, from: msg, to: msg, replace: opt, directory: bare },
});

impl Encoded for (String, String) {
    type Pb = pb::Search;
    fn to_pb(&self) -> pb::Search {
        pb::Search { pattern: self.0.clone(), last_name: self.1.clone() }
    }
    fn from_pb(pb: pb::Search) -> Result<(String, String), EncodingError> {
        Ok((pb.pattern, pb.last_name))
    }
}

/// The number of each refusal. Never changed; new ones are added at the end.
macro_rules! refusals {
    ($($name:ident = $number:literal),* $(,)?) => {
        impl Encoded for Refusal {
            type Pb = u32;
            fn to_pb(&self) -> u32 {
                match self { $(Refusal::$name => $number),* }
            }
            fn from_pb(pb: u32) -> Result<Refusal, EncodingError> {
                match pb {
                    $($number => Ok(Refusal::$name),)*
                    _ => Err(EncodingError::OutOfRange("refusal")),
                }
            }
        }
    };
}
refusals!(
    NodeGone = 1,
    StaleOpen = 2,
    NoSession = 3,
    OtherDialect = 4,
    SharingViolation = 5,
    FileNotAvailable = 6,
    AccessDenied = 7,
    ObjectNameNotFound = 8,
    ObjectNameCollision = 9,
    DuplicateObjectId = 10,
    ContextMismatch = 11,
    InvalidParameter = 12,
    DeletePending = 13,
    CannotDelete = 14,
    PlaceChanged = 15,
    LockNotGranted = 16,
    InvalidLockRange = 17,
    RangeNotLocked = 18,
    Cancelled = 19,
    Unsuccessful = 20,
    RequestNotAccepted = 21,
    InsufficientResources = 22,
    Exists = 23,
    NotFound = 24,
    InUse = 25,
    NodeLives = 26,
    OtherFolder = 27,
    UnfitVolume = 28,
);

fn list<T: Encoded>(items: &[T]) -> Vec<T::Pb> {
    items.iter().map(Encoded::to_pb).collect()
}

fn unlist<T: Encoded>(items: Vec<T::Pb>) -> Result<Vec<T>, EncodingError> {
    items.into_iter().map(T::from_pb).collect()
}

fn must<T: Encoded>(item: Option<T::Pb>, what: &'static str) -> Result<T, EncodingError> {
    T::from_pb(item.ok_or(EncodingError::Missing(what))?)
}

impl Encoded for Outcome {
    type Pb = pb::Outcome;

    fn to_pb(&self) -> pb::Outcome {
        use pb::outcome::{self as message, Kind};
        let kind = match self {
            Outcome::Done => Kind::Done(message::Done {}),
            Outcome::Refused(refusal) => {
                Kind::Refused(message::Refused { refusal: refusal.to_pb() })
            }
            Outcome::Waiting(wait) => Kind::Waiting(message::Waiting { wait: Some(wait.to_pb()) }),
            Outcome::Joined { incarnation, session_prefix } => Kind::Joined(message::Joined {
                incarnation: incarnation.to_pb(),
                session_prefix: *session_prefix,
            }),
            Outcome::Granted(grant) => {
                Kind::Granted(message::Granted { grant: Some(grant.to_pb()) })
            }
            Outcome::Intent { intent, index, broken } => Kind::Intent(message::Intent {
                intent: intent.to_pb(),
                index: *index,
                broken: list(broken),
            }),
            Outcome::OwnedBy { open, owner, session } => Kind::OwnedBy(message::OwnedBy {
                open: Some(open.to_pb()),
                owner: Some(owner.to_pb()),
                session: session.to_pb(),
            }),
            Outcome::Locked { barrier, replayed, broken } => Kind::Locked(message::Locked {
                barrier: Some(barrier.to_pb()),
                replayed: *replayed,
                broken: list(broken),
            }),
            Outcome::Broken { index, leases } => {
                Kind::Broken(message::Broken { index: *index, leases: list(leases) })
            }
            Outcome::Closed { duty } => {
                Kind::Closed(message::Closed { duty: duty.as_ref().map(Encoded::to_pb) })
            }
            Outcome::Ended { detached, duties } => {
                Kind::Ended(message::Ended { detached: list(detached), duties: list(duties) })
            }
            Outcome::DeletePendingSet { barrier, changed } => {
                Kind::DeletePendingSet(message::DeletePendingSet {
                    barrier: Some(barrier.to_pb()),
                    changed: *changed,
                })
            }
            Outcome::Begun { duty } => Kind::Begun(message::Begun { duty: Some(duty.to_pb()) }),
        };
        pb::Outcome { kind: Some(kind) }
    }

    fn from_pb(pb: pb::Outcome) -> Result<Outcome, EncodingError> {
        use pb::outcome::Kind;
        Ok(match pb.kind.ok_or(EncodingError::Missing("outcome"))? {
            Kind::Done(_) => Outcome::Done,
            Kind::Refused(inner) => Outcome::Refused(Encoded::from_pb(inner.refusal)?),
            Kind::Waiting(inner) => Outcome::Waiting(must(inner.wait, "wait")?),
            Kind::Joined(inner) => Outcome::Joined {
                incarnation: Encoded::from_pb(inner.incarnation)?,
                session_prefix: inner.session_prefix,
            },
            Kind::Granted(inner) => Outcome::Granted(Box::new(must(inner.grant, "grant")?)),
            Kind::Intent(inner) => Outcome::Intent {
                intent: Encoded::from_pb(inner.intent)?,
                index: inner.index,
                broken: unlist(inner.broken)?,
            },
            Kind::OwnedBy(inner) => Outcome::OwnedBy {
                open: must(inner.open, "open")?,
                owner: must(inner.owner, "owner")?,
                session: Encoded::from_pb(inner.session)?,
            },
            Kind::Locked(inner) => Outcome::Locked {
                barrier: must(inner.barrier, "barrier")?,
                replayed: inner.replayed,
                broken: unlist(inner.broken)?,
            },
            Kind::Broken(inner) => {
                Outcome::Broken { index: inner.index, leases: unlist(inner.leases)? }
            }
            Kind::Closed(inner) => {
                Outcome::Closed { duty: inner.duty.map(Encoded::from_pb).transpose()? }
            }
            Kind::Ended(inner) => {
                Outcome::Ended { detached: unlist(inner.detached)?, duties: unlist(inner.duties)? }
            }
            Kind::DeletePendingSet(inner) => {
                let barrier = must(inner.barrier, "barrier")?;
                Outcome::DeletePendingSet { barrier, changed: inner.changed }
            }
            Kind::Begun(inner) => Outcome::Begun { duty: must(inner.duty, "duty")? },
        })
    }
}
