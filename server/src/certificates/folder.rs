//! A node's folder of certificates.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use holdfast_cluster::raft::PeerCredentials;
use holdfast_proto::types::{Guid, NodeId};

use super::{CertificatesError, Parcel, at, make_private};
use crate::folder::write_whole;

/// Larger files hold something else.
const FILE_MAX: u64 = 1 << 20;

/// The folder that a node's settings name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFolder {
    path: PathBuf,
}

/// By which a file's content is told from what it was before.
pub type Stamp = (u64, i64, i64, u64);

impl CertificateFolder {
    /// The folder at `path`, whether it is there or not.
    pub fn at(path: impl Into<PathBuf>) -> CertificateFolder {
        CertificateFolder { path: path.into() }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The node's key and certificate.
    pub fn identity(&self) -> PathBuf {
        self.path.join("node.pem")
    }

    /// The certificates of the authorities that the node trusts.
    pub fn authorities(&self) -> PathBuf {
        self.path.join("authorities.pem")
    }

    /// Key and certificate, and the authorities, as they are in the files.
    pub fn read(&self) -> Result<(String, Vec<u8>), CertificatesError> {
        let identity = read_private(&self.identity())?;
        let authorities = self.authorities();
        Ok((identity, fs::read(&authorities).map_err(at(&authorities))?))
    }

    /// What the folder holds, checked to be that node's.
    pub fn credentials(
        &self,
        cluster_id: Guid,
        node: NodeId,
    ) -> Result<PeerCredentials, CertificatesError> {
        let (identity, authorities) = self.read()?;
        PeerCredentials::new(cluster_id, node.0, identity.as_bytes(), &authorities)
            .map_err(|error| CertificatesError::Unusable { folder: self.path.clone(), error })
    }

    /// Changes when a file is replaced; none while one is missing.
    pub fn stamp(&self) -> Option<(Stamp, Stamp)> {
        let stamp = |path: PathBuf| {
            let found = fs::metadata(path).ok()?;
            Some((found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
        };
        Some((stamp(self.identity())?, stamp(self.authorities())?))
    }

    /// Puts what a parcel held in the place of what is there.
    pub fn unpack(&self, parcel: &Parcel) -> Result<(), CertificatesError> {
        self.write_authorities(&parcel.authorities)?;
        self.write_identity(&parcel.identity)
    }

    /// Puts a key and certificate in the place of those that are there.
    pub(super) fn write_identity(&self, pem: &str) -> Result<(), CertificatesError> {
        self.write(&self.identity(), pem.as_bytes(), 0o600)
    }

    /// Puts authorities in the place of those that are there.
    pub(super) fn write_authorities(&self, pem: &[u8]) -> Result<(), CertificatesError> {
        self.write(&self.authorities(), pem, 0o644)
    }

    fn write(&self, path: &Path, content: &[u8], mode: u32) -> Result<(), CertificatesError> {
        make_private(&self.path)?;
        write_whole(path, content, mode).map_err(at(path))
    }
}

/// Reads a file with a key in it, which must be its owner's alone.
pub(super) fn read_private(path: &Path) -> Result<String, CertificatesError> {
    let file = File::open(path).map_err(at(path))?;
    let mode = file.metadata().map_err(at(path))?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(CertificatesError::Open { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(FILE_MAX).read_to_string(&mut text).map_err(at(path))?;
    Ok(text)
}
