//! A security descriptor with an entry of every form.

use holdfast_proto::types::security_descriptor::{
    Ace, AceBody, AceFlags, AceType, Acl, AclField, SecurityControl,
};
use holdfast_proto::types::{AccessMask, SecurityDescriptor, Sid};

use super::Sample;

fn sample(case: &'static str, about: &'static str, descriptor: SecurityDescriptor) -> Sample {
    Sample {
        message: "security_descriptor",
        case,
        about,
        bytes: descriptor.to_bytes(),
        decoded: format!("{descriptor:#?}"),
    }
}

pub fn samples() -> Vec<Sample> {
    let inherited = Ace {
        flags: AceFlags::OBJECT_INHERIT | AceFlags::CONTAINER_INHERIT | AceFlags::INHERITED,
        ..Ace::allow(Sid::users(), AccessMask::FILE_GENERIC_READ)
    };
    let callback = Ace {
        ace_type: AceType::ACCESS_ALLOWED_CALLBACK,
        flags: AceFlags::NONE,
        body: AceBody::Opaque(vec![1, 2, 3, 4, 5, 6, 7, 8]),
    };
    let audit = Ace {
        ace_type: AceType::SYSTEM_AUDIT,
        flags: AceFlags::FAILED_ACCESS,
        body: AceBody::Mask { mask: AccessMask::DELETE, sid: Sid::everyone() },
    };
    let full = SecurityDescriptor {
        control: SecurityControl::DACL_AUTO_INHERITED,
        owner: Some(Sid::new(5, &[21, 1, 2, 3, 1000])),
        group: Some(Sid::administrators()),
        sacl: AclField::List(Acl::new(vec![audit])),
        dacl: AclField::List(Acl::new(vec![
            Ace::deny(Sid::everyone(), AccessMask::WRITE_DAC),
            inherited,
            callback,
        ])),
    };
    let null = SecurityDescriptor { dacl: AclField::Null, ..SecurityDescriptor::default() };
    vec![
        sample("full", "owner, group and both lists", full),
        sample("null_dacl", "a list that lets everybody do everything", null),
    ]
}
