//! What certificates say of themselves, for people: read out of their DER (X.690) by hand, for only
//! four fields are wanted. Whether a certificate is to be believed is decided elsewhere.

use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0] version` of a TBSCertificate (RFC 5280, 4.1).
const VERSION: u8 = 0xa0;
/// `[3] extensions`.
const EXTENSIONS: u8 = 0xa3;
/// `[2] dNSName` of a GeneralName (RFC 5280, 4.2.1.6).
const DNS_NAME: u8 = 0x82;
/// subjectAltName, 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// What a certificate says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Described {
    /// In hexadecimal; authorities of one cluster differ in it.
    pub serial: String,
    /// DNS names; none of an authority.
    pub names: Vec<String>,
    /// Since 1970; likewise the next.
    pub not_before: Duration,
    pub not_after: Duration,
}

/// Every certificate in a PEM file.
///
/// # Errors
/// It is no such file, or a certificate in it is damaged.
pub fn describe(pem: &[u8]) -> Result<Vec<Described>, String> {
    CertificateDer::pem_slice_iter(pem)
        .map(|certificate| {
            let certificate = certificate.map_err(|error| error.to_string())?;
            read(&certificate).ok_or_else(|| "a certificate that cannot be read".to_owned())
        })
        .collect()
}

/// A day, as in 2026-11-21.
pub fn date(time: Duration) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(at) => format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day()),
        Err(_) => "a time beyond all calendars".to_owned(),
    }
}

fn read(certificate: &[u8]) -> Option<Described> {
    let mut certificate = Der(Der(certificate).take(SEQUENCE)?);
    let mut fields = Der(certificate.take(SEQUENCE)?);
    if fields.tag() == Some(VERSION) {
        fields.take(VERSION)?;
    }
    let serial = fields.take(INTEGER)?.iter().map(|byte| format!("{byte:02x}")).collect();
    let _algorithm = fields.take(SEQUENCE)?;
    let _issuer = fields.take(SEQUENCE)?;
    let mut validity = Der(fields.take(SEQUENCE)?);
    let (not_before, not_after) = (validity.time()?, validity.time()?);
    let mut names = Vec::new();
    while let Some(tag) = fields.tag() {
        let field = fields.take(tag)?;
        if tag == EXTENSIONS {
            names = alternative_names(field)?;
        }
    }
    Some(Described { serial, names, not_before, not_after })
}

fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut extensions = Der(Der(extensions).take(SEQUENCE)?);
    while extensions.tag().is_some() {
        let mut extension = Der(extensions.take(SEQUENCE)?);
        if extension.take(OBJECT_IDENTIFIER)? != SUBJECT_ALT_NAME {
            continue;
        }
        while extension.tag()? != OCTET_STRING {
            extension.take(extension.tag()?)?;
        }
        let mut found = Der(Der(extension.take(OCTET_STRING)?).take(SEQUENCE)?);
        while let Some(tag) = found.tag() {
            let name = found.take(tag)?;
            if tag == DNS_NAME {
                names.push(String::from_utf8_lossy(name).into_owned());
            }
        }
    }
    Some(names)
}

/// What is left to read.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value's tag; none at the end.
    fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next value's content; none if its tag is another, or it is cut off.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        if found != tag {
            return None;
        }
        self.0 = rest;
        Some(content)
    }

    /// A time in one of the two forms of RFC 5280, 4.1.2.5. One before 1970 reads as 1970.
    fn time(&mut self) -> Option<Duration> {
        let tag = self.tag()?;
        let text = self.take(tag)?.strip_suffix(b"Z")?;
        let (year, rest) = match tag {
            GENERALIZED_TIME => (number(text.get(..4)?)?, text.get(4..)?),
            UTC_TIME => match number(text.get(..2)?)? {
                year @ 0..50 => (2000 + year, text.get(2..)?),
                year => (1900 + year, text.get(2..)?),
            },
            _ => return None,
        };
        let part = |at: usize| u8::try_from(number(rest.get(at..at + 2)?)?).ok();
        let month = Month::try_from(part(0)?).ok()?;
        let date = Date::from_calendar_date(year, month, part(2)?).ok()?;
        let time = Time::from_hms(part(4)?, part(6)?, part(8)?).ok()?;
        let seconds = PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp();
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }
}

fn number(digits: &[u8]) -> Option<i32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn a_certificate_says_when_and_for_whom_it_is_good() {
        for (from, to) in [(1999, 2049), (2026, 2060), (1975, 4096)] {
            let mut params =
                CertificateParams::new(vec!["one.example".to_owned(), "two.example".to_owned()])
                    .unwrap();
            params.not_before = date_time_ymd(from, 2, 28);
            params.not_after = date_time_ymd(to, 12, 31);
            let key = KeyPair::generate().unwrap();
            let pem = params.self_signed(&key).unwrap().pem();
            let said = describe((key.serialize_pem() + &pem + &pem).as_bytes()).unwrap();
            assert_eq!(said.len(), 2);
            assert_eq!(said[0], said[1]);
            assert_eq!(said[0].names, ["one.example", "two.example"]);
            assert_eq!(date(said[0].not_before), format!("{from}-02-28"));
            assert_eq!(date(said[0].not_after), format!("{to}-12-31"));
            assert!(said[0].serial.len() >= 16, "{}", said[0].serial);
        }
    }

    #[test]
    fn damage_is_no_certificate() {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["one.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let der = certificate.der();
        assert!(read(der).is_some());
        for cut in 0..der.len() {
            assert_eq!(read(&der[..cut]), None, "cut at {cut}");
        }
        for at in 0..der.len() {
            let mut other = der.to_vec();
            other[at] ^= 0xff;
            // Whatever it comes to, it comes to an end.
            let _ = read(&other);
        }
        assert_eq!(describe(b""), Ok(Vec::new()));
    }
}
