//! AUTHENTICATE_MESSAGE ([MS-NLMP] 2.2.1.3) and the NTLMv2 response in it (2.2.2.8).

use super::{
    AUTHENTICATE, AvFlags, AvPairs, NegotiateFlags, Span, SpanSlot, Version, decode_preamble,
    encode_preamble,
};
use crate::types::FileTime;
use crate::wire::{DecodeError, Reader, Writer};

/// Where the message's own signature lies, if it has one.
pub(crate) const MIC: core::ops::Range<usize> = 72..88;

/// The client's proof that it knows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticate<'a> {
    /// What is used from here on.
    pub flags: NegotiateFlags,
    /// LM or LMv2 response: not looked at by a server of today.
    pub lm_response: &'a [u8],
    /// NTLM or NTLMv2 response; [`Authenticate::kind`] tells which.
    pub nt_response: &'a [u8],
    /// The domain as the user gave it: part of what is signed, to the letter.
    pub domain: String,
    /// The user, in the user's own spelling.
    pub user: String,
    /// The client's name.
    pub workstation: String,
    /// The session key under the key exchange key; empty without key exchange.
    pub encrypted_session_key: &'a [u8],
    /// The client's version, if it told one.
    pub version: Option<Version>,
    /// The signature over all three messages, if there is room for one before the first part.
    pub mic: Option<[u8; 16]>,
}

/// What an AUTHENTICATE_MESSAGE tries to log on with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResponseKind<'a> {
    /// Nobody in particular.
    Anonymous,
    /// An LM response alone, without an NTLM one.
    Lm,
    /// NTLM version 1, with or without extended session security.
    NtlmV1,
    /// NTLM version 2.
    NtlmV2(NtlmV2Response<'a>),
}

/// NTLMv2_RESPONSE and the NTLMv2_CLIENT_CHALLENGE that it signs.
#[derive(Clone, PartialEq, Eq)]
pub struct NtlmV2Response<'a> {
    /// NTProofStr.
    pub proof: [u8; 16],
    /// All that follows the proof, which is what the proof covers.
    pub signed: &'a [u8],
    /// The client's time, or the server's if the challenge told it.
    pub timestamp: FileTime,
    /// The client's random bytes.
    pub client_challenge: [u8; 8],
    /// The server's pairs as the client saw them, and the client's own.
    pub av_pairs: AvPairs,
}

impl core::fmt::Debug for NtlmV2Response<'_> {
    /// Not the proof, from which a weak password could be guessed.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NtlmV2Response")
            .field("timestamp", &self.timestamp)
            .field("has_mic", &self.has_mic())
            .finish_non_exhaustive()
    }
}

impl NtlmV2Response<'_> {
    /// True if the client says, under its proof, that the message carries a MIC.
    pub fn has_mic(&self) -> bool {
        self.av_pairs.flags().contains(AvFlags::MIC_PRESENT)
    }
}

impl<'a> Authenticate<'a> {
    /// Decodes a message: the server's side.
    pub fn decode(message: &'a [u8]) -> Result<Authenticate<'a>, DecodeError> {
        let mut r = Reader::new(message);
        decode_preamble(&mut r, AUTHENTICATE)?;
        let lm_response = Span::decode(&mut r)?;
        let nt_response = Span::decode(&mut r)?;
        let domain = Span::decode(&mut r)?;
        let user = Span::decode(&mut r)?;
        let workstation = Span::decode(&mut r)?;
        let encrypted_session_key = Span::decode(&mut r)?;
        let flags = NegotiateFlags(r.u32()?);
        if !flags.contains(NegotiateFlags::UNICODE) {
            return Err(DecodeError::Value);
        }

        // Version and MIC are there only as far as the parts leave room for them.
        let first_part =
            [lm_response, nt_response, domain, user, workstation, encrypted_session_key]
                .iter()
                .filter(|span| span.length > 0)
                .map(|span| span.offset)
                .min()
                .unwrap_or(message.len());
        let has_version = flags.contains(NegotiateFlags::VERSION) && first_part >= MIC.start;
        let mut behind_flags = r;
        let version = if has_version { Some(Version::decode(&mut behind_flags)?) } else { None };
        let mic = if first_part >= MIC.end {
            Some(Reader::new(message).at(MIC.start, MIC.len())?.array()?)
        } else {
            None
        };
        Ok(Authenticate {
            flags,
            lm_response: lm_response.part(&r)?.rest(),
            nt_response: nt_response.part(&r)?.rest(),
            domain: domain.part(&r)?.text()?,
            user: user.part(&r)?.text()?,
            workstation: workstation.part(&r)?.text()?,
            encrypted_session_key: encrypted_session_key.part(&r)?.rest(),
            version,
            mic,
        })
    }

    /// Tells what the message tries to log on with.
    pub fn kind(&self) -> Result<ResponseKind<'a>, DecodeError> {
        match self.nt_response.len() {
            // An anonymous client sends a single zero for its LM response, or nothing.
            0 if self.user.is_empty() && self.lm_response.len() <= 1 => Ok(ResponseKind::Anonymous),
            0 => Ok(ResponseKind::Lm),
            24 => Ok(ResponseKind::NtlmV1),
            _ => decode_v2(self.nt_response).map(ResponseKind::NtlmV2),
        }
    }

    /// Encodes a message: the client's side. With a MIC, room is left for it whatever its
    /// value; without a version its eight bytes are zero.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(512);
        encode_preamble(&mut w, AUTHENTICATE);
        let lm_response = SpanSlot::reserve(&mut w);
        let nt_response = SpanSlot::reserve(&mut w);
        let domain = SpanSlot::reserve(&mut w);
        let user = SpanSlot::reserve(&mut w);
        let workstation = SpanSlot::reserve(&mut w);
        let session_key = SpanSlot::reserve(&mut w);
        let mut flags = self.flags.without(NegotiateFlags::VERSION);
        if self.version.is_some() {
            flags |= NegotiateFlags::VERSION;
        }
        w.u32(flags.bits());
        match self.version {
            Some(version) => version.encode(&mut w),
            None => w.zeros(8),
        }
        if let Some(mic) = self.mic {
            w.bytes(&mic);
        }
        domain.fill(&mut w, |w| w.utf16(&self.domain));
        user.fill(&mut w, |w| w.utf16(&self.user));
        workstation.fill(&mut w, |w| w.utf16(&self.workstation));
        lm_response.fill(&mut w, |w| w.bytes(self.lm_response));
        nt_response.fill(&mut w, |w| w.bytes(self.nt_response));
        session_key.fill(&mut w, |w| w.bytes(self.encrypted_session_key));
        w.into_bytes().to_vec()
    }
}

impl core::fmt::Debug for Authenticate<'_> {
    /// Who and how, without what a password could be guessed from.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Authenticate")
            .field("flags", &self.flags)
            .field("domain", &self.domain)
            .field("user", &self.user)
            .field("workstation", &self.workstation)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn decode_v2(response: &[u8]) -> Result<NtlmV2Response<'_>, DecodeError> {
    let mut r = Reader::new(response);
    let proof = r.array()?;
    let signed = r.rest();
    let mut r = Reader::new(signed);
    // RespType and HiRespType: 1 is the only version.
    if r.array()? != [1u8, 1] {
        return Err(DecodeError::Value);
    }
    r.skip(6)?;
    let timestamp = r.file_time()?;
    let client_challenge = r.array()?;
    r.skip(4)?;
    // Clients put four more zeros behind the list, which mean nothing.
    let av_pairs = AvPairs::decode(&mut r)?;
    Ok(NtlmV2Response { proof, signed, timestamp, client_challenge, av_pairs })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::auth::ntlmssp::AvId;
    use crate::crypto::vectors::{hex, hex_vec};

    /// [MS-NLMP] 4.2.4.3.
    pub(crate) const EXAMPLE: &str = "
        4e544c4d535350000300000018001800 6c00000054005400840000000c000c00
        48000000080008005400000010001000 5c00000010001000d8000000358288e2
        0501280a0000000f44006f006d006100 69006e00550073006500720043004f00
        4d0050005500540045005200 86c35097 ac9cec10255476 4a57cccc19aaaaaaaa
        aaaaaaaa68cd0ab851e51c96aabc927b ebef6a1c010100000000000000000000
        00000000aaaaaaaaaaaaaaaa00000000 02000c0044006f006d00610069006e00
        01000c00530065007200760065007200 0000000000000000c5dad2544fc97990
        94ce1ce90bc9d03e";

    #[test]
    fn published_message_both_ways() {
        let bytes = hex_vec(EXAMPLE);
        let message = Authenticate::decode(&bytes).unwrap();
        assert_eq!(message.user, "User");
        assert_eq!(message.domain, "Domain");
        assert_eq!(message.workstation, "COMPUTER");
        assert_eq!(message.mic, None);
        assert_eq!(message.encrypted_session_key, hex::<16>("c5dad2544fc9799094ce1ce90bc9d03e"));
        let ResponseKind::NtlmV2(response) = message.kind().unwrap() else { panic!("not v2") };
        assert_eq!(response.client_challenge, [0xAA; 8]);
        assert_eq!(response.av_pairs.text(AvId::NB_COMPUTER_NAME).as_deref(), Some("Server"));
        assert!(!response.has_mic());
        assert_eq!(message.encode(), bytes);
    }

    #[test]
    fn truncation_and_mutation() {
        let bytes = hex_vec(EXAMPLE);
        for length in 0..bytes.len() {
            assert!(Authenticate::decode(&bytes[..length]).is_err(), "cut at {length}");
        }
        for position in 0..bytes.len() {
            for value in [0, 1, 0x40, 0x7F, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[position] = value;
                if let Ok(message) = Authenticate::decode(&changed) {
                    let _ = message.kind();
                }
            }
        }
    }

    #[test]
    fn kinds() {
        let bytes = hex_vec(EXAMPLE);
        let mut message = Authenticate::decode(&bytes).unwrap();
        message.nt_response = &[0; 24];
        assert_eq!(message.kind(), Ok(ResponseKind::NtlmV1));
        message.nt_response = &[0; 25];
        assert_eq!(message.kind(), Err(DecodeError::Value));
        message.nt_response = &[];
        assert_eq!(message.kind(), Ok(ResponseKind::Lm));
        message.user.clear();
        message.lm_response = &[0];
        assert_eq!(message.kind(), Ok(ResponseKind::Anonymous));
        message.lm_response = &[0; 24];
        assert_eq!(message.kind(), Ok(ResponseKind::Lm));
    }
}
