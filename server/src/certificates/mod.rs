//! The certificates by which the nodes of a cluster know each other.
//!
//! A cluster has an authority, whose key lies in a folder of the operator's ([`Authority`]) and on
//! no node. Each node has a folder ([`CertificateFolder`]) with its own key and certificate, in one
//! file so that they are replaced together, and with the certificates of the authorities that it
//! trusts: more than one while the authority is being replaced. A node looks at its folder while it
//! runs ([`keep_current`]). A new node may fetch its first certificate from one that runs, by a
//! [`Token`], where a [`Parcel`] of it lies in a [`ParcelFolder`]. No key is ever logged, or leaves its file's mode of 0600.

mod authority;
mod described;
mod folder;
mod parcels;
mod token;
mod watch;

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use holdfast_cluster::raft::CredentialsError;

pub use authority::{AUTHORITY_DAYS, Authority, NODE_DAYS};
pub use described::{Described, date, describe};
pub use folder::CertificateFolder;
pub use parcels::ParcelFolder;
pub use token::{Parcel, Token};
pub use watch::keep_current;

/// Why there are no certificates to use, or none can be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    /// A key that others may read is no secret.
    #[error(
        "{}: others than its owner may read the private key in it (mode {mode:03o}): chmod 0600 {}",
        path.display(),
        path.display()
    )]
    Open { path: PathBuf, mode: u32 },
    #[error("{}: {error}", folder.display())]
    Unusable { folder: PathBuf, error: CredentialsError },
    #[error("{}: this is no authority's file: {why}", path.display())]
    NotAnAuthority { path: PathBuf, why: String },
    #[error("{}: there is an authority already; certificates are issued with it", .0.display())]
    Exists(PathBuf),
    #[error("{}: this is the authority of cluster {found}, not of {wanted}", path.display())]
    OtherCluster { path: PathBuf, found: String, wanted: String },
    #[error("a certificate cannot be made: {0}")]
    Making(#[from] rcgen::Error),
}

/// Says which file an error is about.
fn at(path: &Path) -> impl Fn(io::Error) -> CertificatesError {
    move |error| CertificatesError::Io { path: path.to_owned(), error }
}

/// Makes a folder that only its owner may enter, if it is not there.
fn make_private(path: &Path) -> Result<(), CertificatesError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))
}
