//! NEGOTIATE ([MS-SMB2] 3.3.5.4): 3.1.1 and its contexts. Other dialects are refused.

use bytes::Bytes;
use holdfast_proto::NtStatus;
use holdfast_proto::crypto::{Cipher, SigningAlgorithm};
use holdfast_proto::frame::Smb1Negotiate;
use holdfast_proto::header::{Header, HeaderFlags};
use holdfast_proto::msg::negotiate::{
    self as wire, EncryptionCapabilities, GlobalCapabilities, HashAlgorithm, NegotiateContexts,
    PreauthIntegrityCapabilities, SigningCapabilities,
};
use holdfast_proto::msg::{NegotiateRequest, NegotiateResponse, Response};
use holdfast_proto::opcode::Opcode;
use holdfast_proto::types::{Dialect, FileTime};

use crate::auth;
use crate::core::Negotiated;
use crate::dispatch::{ConnectionContext, Failure, HandlerResult, Reply};
use crate::limits;
use crate::node::Node;
use crate::settings::{self, Identity};

/// Bytes of the salt that makes this negotiation's hash chain unlike any other's.
const SALT: usize = 32;

/// The signing algorithms that are served, the best first.
const SIGNING: [SigningAlgorithm; 2] = [SigningAlgorithm::AesGmac, SigningAlgorithm::AesCmac];

/// What is agreed on, and which contexts the answer has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Plan {
    negotiated: Negotiated,
    capabilities: GlobalCapabilities,
    /// The client asked for encryption: it is told the cipher, or that there is none.
    tell_cipher: bool,
    /// The client listed signing algorithms: it is told which.
    tell_signing: bool,
}

/// Agrees on dialect and algorithms.
pub async fn handle(context: ConnectionContext, request: NegotiateRequest) -> HandlerResult {
    let plan = plan(&request)?;
    let identity = Identity::of(&context.node.cluster.state()).ok_or(Failure::NotReady)?;
    let response = respond(&context.node, &identity, &plan);
    context.connection.core(|core| core.set_negotiated(plan.negotiated, &context.message));
    Ok(Reply::success(response))
}

fn plan(request: &NegotiateRequest) -> Result<Plan, NtStatus> {
    if request.dialects.is_empty() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if !request.dialects.contains(&Dialect::SMB_3_1_1) {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    let contexts = &request.contexts;
    if !contexts.duplicates.is_empty() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let preauth = contexts.preauth.as_ref().ok_or(NtStatus::INVALID_PARAMETER)?;
    if preauth.hash_algorithms.is_empty() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if !preauth.hash_algorithms.contains(&HashAlgorithm::SHA_512) {
        return Err(NtStatus::SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP);
    }
    let cipher = match &contexts.encryption {
        Some(list) if list.ciphers.is_empty() => return Err(NtStatus::INVALID_PARAMETER),
        Some(list) => list.ciphers.iter().find_map(|cipher| Cipher::from_wire(cipher.0)),
        None => None,
    };
    let signing = match &contexts.signing {
        Some(list) if list.signing_algorithms.is_empty() => {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Some(list) => SIGNING
            .into_iter()
            .find(|ours| list.signing_algorithms.contains(&wire::SigningAlgorithm(ours.to_wire()))),
        None => None,
    };
    let offered = request.capabilities;
    let capabilities =
        (offered & settings::CAPABILITIES_IF_OFFERED) | GlobalCapabilities::LARGE_MTU;
    let negotiated = Negotiated {
        client_guid: request.client_guid,
        // What every peer of 3.1.1 can do.
        signing: signing.unwrap_or(SigningAlgorithm::AesCmac),
        cipher,
        leasing: offered.contains(GlobalCapabilities::LEASING),
        persistent_handles: offered.contains(GlobalCapabilities::PERSISTENT_HANDLES),
    };
    Ok(Plan {
        negotiated,
        capabilities,
        tell_cipher: contexts.encryption.is_some(),
        tell_signing: signing.is_some(),
    })
}

fn respond(node: &Node, identity: &Identity, plan: &Plan) -> NegotiateResponse {
    let mut salt = [0; SALT];
    node.random.fill(&mut salt);
    let cipher = plan.negotiated.cipher.map_or(0, Cipher::to_wire);
    let contexts = NegotiateContexts {
        preauth: Some(PreauthIntegrityCapabilities {
            hash_algorithms: vec![HashAlgorithm::SHA_512],
            salt: Bytes::copy_from_slice(&salt),
        }),
        encryption: plan
            .tell_cipher
            .then(|| EncryptionCapabilities { ciphers: vec![wire::Cipher(cipher)] }),
        signing: plan.tell_signing.then(|| SigningCapabilities {
            signing_algorithms: vec![wire::SigningAlgorithm(plan.negotiated.signing.to_wire())],
        }),
        ..NegotiateContexts::default()
    };
    NegotiateResponse {
        dialect_revision: Dialect::SMB_3_1_1,
        capabilities: plan.capabilities,
        max_transact_size: limits::MAX_IO_SIZE,
        max_read_size: limits::MAX_IO_SIZE,
        max_write_size: limits::MAX_IO_SIZE,
        contexts,
        ..greeting(node, identity)
    }
}

/// What every NEGOTIATE response says.
fn greeting(node: &Node, identity: &Identity) -> NegotiateResponse {
    let now = node.clock.wall();
    NegotiateResponse {
        security_mode: settings::SECURITY_MODE,
        server_guid: identity.server_guid,
        system_time: FileTime::from_unix(now.as_secs() as i64, now.subsec_nanos()),
        // Nodes come and go; the server that clients see has no beginning.
        server_start_time: FileTime(0),
        security_buffer: Bytes::from(auth::hint()),
        ..NegotiateResponse::default()
    }
}

/// The answer to the old protocol's NEGOTIATE: "2.1 or later, ask again" ([MS-SMB2] 3.3.5.3.1).
/// None if the client speaks nothing of that.
pub(crate) fn answer_smb1(
    node: &Node,
    request: &Smb1Negotiate,
    credits: u16,
) -> Option<(Header, Response)> {
    if !request.offers_smb_2_wildcard() {
        return None;
    }
    let identity = Identity::of(&node.cluster.state())?;
    let response = NegotiateResponse {
        dialect_revision: Dialect::SMB_2_WILDCARD,
        max_transact_size: limits::CREDIT_UNIT,
        max_read_size: limits::CREDIT_UNIT,
        max_write_size: limits::CREDIT_UNIT,
        ..greeting(node, &identity)
    };
    let mut header = Header::request(Opcode::NEGOTIATE, 0);
    header.flags = HeaderFlags::SERVER_TO_REDIR;
    header.credit_charge = 0;
    header.credits = credits;
    Some((header, response.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> NegotiateRequest {
        NegotiateRequest {
            dialects: vec![Dialect::SMB_2_1, Dialect::SMB_3_1_1],
            capabilities: GlobalCapabilities(0x7F),
            contexts: NegotiateContexts {
                preauth: Some(PreauthIntegrityCapabilities {
                    hash_algorithms: vec![HashAlgorithm::SHA_512],
                    salt: Bytes::new(),
                }),
                encryption: Some(EncryptionCapabilities {
                    ciphers: vec![wire::Cipher::AES_256_GCM, wire::Cipher::AES_128_GCM],
                }),
                signing: Some(SigningCapabilities {
                    signing_algorithms: vec![
                        wire::SigningAlgorithm::AES_CMAC,
                        wire::SigningAlgorithm::AES_GMAC,
                    ],
                }),
                ..NegotiateContexts::default()
            },
            ..NegotiateRequest::default()
        }
    }

    #[test]
    fn the_best_of_both_is_chosen() {
        let plan = plan(&request()).unwrap();
        assert_eq!(plan.negotiated.signing, SigningAlgorithm::AesGmac);
        assert_eq!(plan.negotiated.cipher, Some(Cipher::Aes128Gcm));
        let expected = GlobalCapabilities::LARGE_MTU | settings::CAPABILITIES_IF_OFFERED;
        assert_eq!(plan.capabilities, expected);
    }

    #[test]
    fn refusals_have_the_status_of_the_specification() {
        let check = |change: fn(&mut NegotiateRequest)| {
            let mut request = request();
            change(&mut request);
            plan(&request).unwrap_err()
        };
        assert_eq!(check(|r| r.dialects.clear()), NtStatus::INVALID_PARAMETER);
        assert_eq!(check(|r| r.dialects.truncate(1)), NtStatus::NOT_SUPPORTED);
        assert_eq!(check(|r| r.contexts.preauth = None), NtStatus::INVALID_PARAMETER);
        let empty = check(|r| {
            r.contexts.encryption = Some(EncryptionCapabilities::default());
        });
        assert_eq!(empty, NtStatus::INVALID_PARAMETER);
        let unknown_hash = check(|r| {
            if let Some(preauth) = &mut r.contexts.preauth {
                preauth.hash_algorithms = vec![HashAlgorithm(9)];
            }
        });
        assert_eq!(unknown_hash, NtStatus::SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP);
    }

    #[test]
    fn no_common_cipher_is_said_and_no_context_is_not() {
        let mut only_256 = request();
        only_256.contexts.encryption =
            Some(EncryptionCapabilities { ciphers: vec![wire::Cipher::AES_256_CCM] });
        let decided = plan(&only_256).unwrap();
        assert!(decided.negotiated.cipher.is_none() && decided.tell_cipher);
        let mut bare = request();
        (bare.contexts.encryption, bare.contexts.signing) = (None, None);
        let decided = plan(&bare).unwrap();
        assert!(!decided.tell_cipher && !decided.tell_signing);
        assert_eq!(decided.negotiated.signing, SigningAlgorithm::AesCmac);
    }
}
