//! Takes a running node's certificates anew when their files change, or at SIGHUP.

use std::sync::Arc;
use std::time::Duration;

use holdfast_cluster::ports::Clock;
use holdfast_cluster::raft::PeerCredentials;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::{CertificateFolder, CertificatesError, date, describe};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is said that a certificate ends soon.
const WARN_EVERY: Duration = Duration::from_secs(12 * 60 * 60);
/// From when on it is said.
const ENDS_SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Keeps `credentials` what the folder holds. Files that cannot be used change nothing. Never
/// returns, unless no signal can be listened for.
pub async fn keep_current(
    folder: CertificateFolder,
    credentials: Arc<PeerCredentials>,
    clock: Arc<dyn Clock>,
) {
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(failure) => {
            return error!(%failure, "certificates will not be looked at again");
        }
    };
    let mut stamp = folder.stamp();
    let mut warned = clock.boot();
    warn_of_ends(&folder, clock.as_ref());
    loop {
        let asked = tokio::select! {
            biased;
            _ = hangup.recv() => true,
            () = sleep(LOOK_EVERY) => false,
        };
        let now = folder.stamp();
        if asked || (now.is_some() && now != stamp) {
            // Taken before the files are read: what changes meanwhile is seen the next time.
            stamp = now;
            take(&folder, &credentials);
            warned = clock.boot();
            warn_of_ends(&folder, clock.as_ref());
        }
        if clock.boot() >= warned + WARN_EVERY {
            warned = clock.boot();
            warn_of_ends(&folder, clock.as_ref());
        }
    }
}

fn take(folder: &CertificateFolder, credentials: &PeerCredentials) {
    let taken = folder.read().and_then(|(identity, authorities)| {
        credentials.replace(identity.as_bytes(), &authorities).map_err(|error| {
            CertificatesError::Unusable { folder: folder.path().to_owned(), error }
        })
    });
    match taken {
        Ok(()) => info!(folder = %folder.path().display(), "took the certificates anew"),
        Err(failure) => error!(%failure, "the certificates in use stay in use"),
    }
}

fn warn_of_ends(folder: &CertificateFolder, clock: &dyn Clock) {
    // What cannot be read was told by who had to use it.
    let Ok((identity, authorities)) = folder.read() else { return };
    for (what, pem) in [("node's", identity.as_bytes()), ("authority's", &authorities)] {
        for certificate in describe(pem).unwrap_or_default() {
            if certificate.not_after < clock.wall() + ENDS_SOON {
                warn!(
                    until = date(certificate.not_after),
                    "the {what} certificate ends soon; after that other nodes refuse this one: see \
                     «holdfast cluster certificates --help»"
                );
            }
        }
    }
}
