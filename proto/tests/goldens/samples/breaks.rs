//! OPLOCK_BREAK in all its forms.

use holdfast_proto::Opcode;
use holdfast_proto::msg::oplock_break::*;
use holdfast_proto::types::{FileId, LeaseState, OplockLevel};

use super::{Sample, guid, request, response, unsolicited, with_header};

pub fn samples() -> Vec<Sample> {
    let oplock = OplockBreak {
        oplock_level: OplockLevel::LEVEL_II,
        file_id: FileId { persistent: 0x0102_0304, volatile: 0x0506_0708 },
    };
    let lease = LeaseBreak { flags: 0, lease_key: guid(0x30), lease_state: LeaseState::RH };
    let notification = LeaseBreakNotification {
        new_epoch: 4,
        flags: LeaseBreakFlags::ACK_REQUIRED,
        lease_key: guid(0x30),
        current_lease_state: LeaseState::RWH,
        new_lease_state: LeaseState::RH,
        ..LeaseBreakNotification::default()
    };
    let op = Opcode::OPLOCK_BREAK;
    let (asked, answered) = ("oplock_break_acknowledgment", "oplock_break_response");
    use {OplockBreakAcknowledgment as Ack, OplockBreakResponse as Response};
    vec![
        request(asked, "oplock", "lowers an oplock", op, Ack::Oplock(oplock)),
        request(asked, "lease", "lowers a lease", op, Ack::Lease(lease)),
        response(answered, "oplock", "confirms", op, Response::Oplock(oplock)),
        response(answered, "lease", "confirms", op, Response::Lease(lease)),
        with_header(
            answered,
            "oplock_notification",
            "takes an oplock back",
            unsolicited(op),
            Response::Oplock(oplock),
        ),
        with_header(
            answered,
            "lease_notification",
            "takes a part of a lease back",
            unsolicited(op),
            Response::LeaseNotification(notification),
        ),
    ]
}
