//! The security descriptor of a file ([MS-SMB2] 3.3.5.20.3).
//!
//! Files carry no access control lists: what a user may do is decided at the share. The
//! descriptor says just that, to whoever asks for it.

use holdfast_proto::NtStatus;
use holdfast_proto::msg::query_info::{QueryInfoRequest, SecurityInformation};
use holdfast_proto::types::security_descriptor::{
    Ace, Acl, AclField, SecurityControl, SecurityDescriptor,
};
use holdfast_proto::types::{AccessMask, Sid};

use super::Answer;
use crate::dispatch::Failure;
use crate::session::LocalOpen;

pub(super) fn answer(open: &LocalOpen, request: &QueryInfoRequest) -> Result<Answer, Failure> {
    if !open.access.contains(AccessMask::READ_CONTROL) {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let wanted = SecurityInformation(request.additional_information);
    if wanted.contains(SecurityInformation::SACL) {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let output = descriptor(wanted).to_bytes();
    if output.len() > request.output_buffer_length as usize {
        // The client learns how long its buffer has to be (2.2.2).
        let required = (output.len() as u32).to_le_bytes();
        return Err(Failure::with_data(NtStatus::BUFFER_TOO_SMALL, required.to_vec()));
    }
    Ok(Answer { status: NtStatus::SUCCESS, output })
}

fn descriptor(wanted: SecurityInformation) -> SecurityDescriptor {
    let part = |bit, sid: Sid| wanted.contains(bit).then_some(sid);
    let everyone = Acl::new(vec![Ace::allow(everyone(), AccessMask::FILE_ALL)]);
    let with_dacl = wanted.contains(SecurityInformation::DACL);
    SecurityDescriptor {
        control: SecurityControl::SELF_RELATIVE,
        owner: part(SecurityInformation::OWNER, administrators()),
        group: part(SecurityInformation::GROUP, administrators()),
        sacl: AclField::Absent,
        dacl: if with_dacl { AclField::List(everyone) } else { AclField::Absent },
    }
}

/// S-1-1-0.
fn everyone() -> Sid {
    Sid { authority: 1, sub_authorities: vec![0] }
}

/// S-1-5-32-544.
fn administrators() -> Sid {
    Sid { authority: 5, sub_authorities: vec![32, 544] }
}
