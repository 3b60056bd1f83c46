//! LOCK ([MS-SMB2] 3.3.5.14): byte-range locks are the cluster's; here they are read, waited for
//! and made effective.

use std::sync::Arc;

use holdfast_cluster::command::{Command, Durability, LockRange, LockSequence};
use holdfast_cluster::outcome::Outcome;
use holdfast_proto::NtStatus;
use holdfast_proto::msg::lock::{LockElement, LockFlags, LockRequest, LockResponse};
use holdfast_proto::types::AccessMask;
use tracing::warn;

use super::create::settle::{Settled, settle};
use crate::barrier;
use crate::dispatch::{Failure, HandlerResult, Reply, RequestContext};
use crate::informed;
use crate::limits;
use crate::session::LocalOpen;

/// What a LOCK asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Plan {
    Lock { ranges: Vec<LockRange>, fail_immediately: bool },
    Unlock { ranges: Vec<LockRange> },
}

/// Serves a LOCK.
pub async fn handle(
    ctx: RequestContext,
    open: Arc<LocalOpen>,
    request: LockRequest,
) -> HandlerResult {
    if open.directory {
        return Err(NtStatus::INVALID_DEVICE_REQUEST.into());
    }
    if !open.access.intersects(AccessMask::READ_DATA | AccessMask::WRITE_DATA) {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let sequence = lock_sequence(&request, &open);
    let command = match plan(&request)? {
        Plan::Lock { ranges, fail_immediately } => {
            Command::Lock { open: open.open, ranges, fail_immediately, sequence }
        }
        Plan::Unlock { ranges } => Command::Unlock { open: open.open, ranges, sequence },
    };
    execute(&ctx, &open, command).await?;
    Ok(Reply::success(LockResponse))
}

async fn execute(ctx: &RequestContext, open: &LocalOpen, command: Command) -> Result<(), Failure> {
    let (ranges, sequence) = match &command {
        Command::Lock { ranges, sequence, .. } => (ranges.clone(), *sequence),
        _ => (Vec::new(), None),
    };
    match settle(&ctx.node, &ctx.pending, command).await? {
        Settled::Refused(refusal) => Err(refusal.into()),
        Settled::Decided(Outcome::Locked { barrier, broken, .. }) => {
            if let Err(held_up) = barrier::pass(&ctx.node, &barrier).await {
                warn!(open = %open.open.open, %held_up, "a lock is taken back");
                let withdraw = Command::WithdrawLock { open: open.open, ranges, sequence };
                ctx.node.cluster.submit(withdraw).await?;
                return Err(NtStatus::LOCK_NOT_GRANTED.into());
            }
            informed::wait_told(&ctx.node, barrier.index, &broken).await;
            Ok(())
        }
        // An unlock.
        Settled::Decided(_) => Ok(()),
    }
}

/// 3.3.5.14.1, 3.3.5.14.2: the flags of the first element decide what the request is.
fn plan(request: &LockRequest) -> Result<Plan, NtStatus> {
    let first = request.locks.first().ok_or(NtStatus::INVALID_PARAMETER)?;
    if request.locks.len() > limits::LOCKS_PER_REQUEST_MAX {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if first.flags.contains(LockFlags::UNLOCK) {
        if request.locks.iter().any(|lock| lock.flags != LockFlags::UNLOCK) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        return Ok(Plan::Unlock {
            ranges: request.locks.iter().map(|l| range(l, false)).collect(),
        });
    }
    let at_once = |lock: &LockElement| lock.flags.contains(LockFlags::FAIL_IMMEDIATELY);
    let fail_immediately = at_once(first);
    if request.locks.len() > 1 && !request.locks.iter().all(at_once) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let ranges = request.locks.iter().map(lock_range).collect::<Result<_, _>>()?;
    Ok(Plan::Lock { ranges, fail_immediately })
}

fn lock_range(lock: &LockElement) -> Result<LockRange, NtStatus> {
    match lock.flags.without(LockFlags::FAIL_IMMEDIATELY) {
        LockFlags::SHARED_LOCK => Ok(range(lock, false)),
        LockFlags::EXCLUSIVE_LOCK => Ok(range(lock, true)),
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}

fn range(lock: &LockElement, exclusive: bool) -> LockRange {
    LockRange { offset: lock.offset, length: lock.length, exclusive }
}

/// The sequence counts for opens that a client may come back for; other indices mean none.
fn lock_sequence(request: &LockRequest, open: &LocalOpen) -> Option<LockSequence> {
    let index = u8::try_from(request.lock_sequence_index).ok()?;
    let counts = open.durability != Durability::None && (1..=64).contains(&index);
    counts.then_some(LockSequence { index, number: request.lock_sequence_number & 0x0F })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(flags: &[LockFlags]) -> LockRequest {
        let element = |flags: &LockFlags| LockElement { offset: 0, length: 1, flags: *flags };
        LockRequest { locks: flags.iter().map(element).collect(), ..LockRequest::default() }
    }

    #[test]
    fn as_many_elements_as_the_cluster_takes() {
        let each = LockFlags::EXCLUSIVE_LOCK | LockFlags::FAIL_IMMEDIATELY;
        let most = vec![each; holdfast_cluster::state::limits::LOCK_RANGES];
        assert!(plan(&request(&most)).is_ok());
        assert!(plan(&request(&[most, vec![each]].concat())).is_err());
    }

    #[test]
    fn the_first_element_decides() {
        let exclusive = LockFlags::EXCLUSIVE_LOCK;
        let now = LockFlags::FAIL_IMMEDIATELY;
        assert!(plan(&request(&[])).is_err());
        assert!(plan(&request(&[exclusive])).is_ok());
        assert!(plan(&request(&[exclusive, exclusive])).is_err(), "several cannot wait");
        assert!(plan(&request(&[exclusive | now, exclusive | now])).is_ok());
        assert!(plan(&request(&[exclusive | now, exclusive])).is_err(), "each says so itself");
        assert!(plan(&request(&[LockFlags::UNLOCK, exclusive])).is_err());
        assert!(plan(&request(&[LockFlags::UNLOCK, LockFlags::UNLOCK])).is_ok());
        assert!(plan(&request(&[exclusive | LockFlags::SHARED_LOCK])).is_err());
        assert!(plan(&request(&[now])).is_err());
    }
}
