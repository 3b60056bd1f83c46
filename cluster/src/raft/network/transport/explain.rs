//! What went wrong in a TLS handshake, in words that say what to do. «It» is the other end.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError, Error as Tls, InvalidMessage};

/// Of a handshake that failed.
pub fn handshake(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>()) {
        Some(error) => tls(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it ended the connection within the TLS handshake; its settings may name no \
             certificates"
                .to_owned()
        }
        None => format!("the TLS handshake failed: {error}"),
    }
}

/// Of what the TLS library says.
pub fn tls(error: &Tls) -> String {
    match error {
        Tls::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "it does not speak TLS; its settings may name no certificates".to_owned()
        }
        Tls::NoCertificatesPresented => "it shows no certificate".to_owned(),
        Tls::InvalidCertificate(wrong) => certificate(wrong),
        Tls::AlertReceived(alert) => refusal(*alert),
        other => format!("the TLS handshake failed: {other}"),
    }
}

fn certificate(wrong: &CertificateError) -> String {
    match wrong {
        // Authorities of one cluster have one name: a foreign key shows in the signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is of no authority that is trusted here; issue it by this cluster's \
             authority, or trust the other authority here first if it is a new one"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("{wrong}; issue a new one, or set the clock of this host right")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("{wrong}; set the clocks of both hosts right")
        }
        other => format!("its certificate is refused: {other}"),
    }
}

fn refusal(alert: AlertDescription) -> String {
    let why = match alert {
        AlertDescription::CertificateRequired => "it demands a certificate".to_owned(),
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "it does not trust the authority of this node's certificate".to_owned()
        }
        AlertDescription::CertificateExpired => {
            "it takes this node's certificate for expired".to_owned()
        }
        other => format!("it says {other:?}"),
    };
    format!("it refuses this node's certificate: {why}")
}

/// What an error of the layers above says of TLS, if anything: some of them keep the text alone.
pub fn within(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Tls>() {
            return Some(tls(found));
        }
        let kept = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match kept {
            Some(inner) => Some(inner),
            None => error.source(),
        };
        let text = error.to_string();
        if let Some(at) = text.find("received fatal alert") {
            return Some(format!("it refuses this node's certificate: {}", &text[at..]));
        }
    }
    None
}
