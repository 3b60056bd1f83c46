//! A cluster's authority: who has its key makes nodes.
//!
//! Its folder holds `authority.pem`, the key with its certificate (mode 0600), and `trusted.pem`,
//! the certificates that nodes are to trust: this authority's, and those of the ones before it until
//! their replacement is finished. Every authority of a cluster bears the same name, so that the
//! certificate of an issuer need not be read back to issue another.

use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_cluster::ports::Clock;
use holdfast_cluster::raft::peer_name;
use holdfast_proto::types::{Guid, NodeId};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{CertificateFolder, CertificatesError, Parcel, at, make_private};
use crate::folder::write_whole;

/// How long an authority is good for, in days.
pub const AUTHORITY_DAYS: u32 = 3650;
/// How long a node's certificate is.
pub const NODE_DAYS: u32 = 730;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Certificates begin to be good earlier than they are made: clocks differ.
const BACKDATED: Duration = DAY;

/// How the authority's file begins, before the cluster's id.
const HEADING: &str = "Authority of the Holdfast cluster ";
const KEY_BEGINS: &str = "-----BEGIN PRIVATE KEY-----";
const CERTIFICATE_BEGINS: &str = "-----BEGIN CERTIFICATE-----";

/// A cluster's authority, with its key.
pub struct Authority {
    folder: PathBuf,
    cluster_id: Guid,
    key: KeyPair,
    certificate: String,
}

impl Authority {
    /// Makes the authority of a cluster in a folder that has none.
    pub fn begin(
        folder: &Path,
        cluster_id: Guid,
        days: u32,
        clock: &dyn Clock,
    ) -> Result<Authority, CertificatesError> {
        if file(folder).try_exists().map_err(at(folder))? {
            return Err(CertificatesError::Exists(folder.to_owned()));
        }
        make_private(folder)?;
        let authority = Authority::make(folder, cluster_id, days, clock)?;
        authority.write_trusted(&authority.certificate)?;
        authority.write()?;
        Ok(authority)
    }

    /// Opens the folder of an authority.
    pub fn open(folder: &Path) -> Result<Authority, CertificatesError> {
        let path = file(folder);
        let text = super::folder::read_private(&path)?;
        read(folder, &text)
            .map_err(|why| CertificatesError::NotAnAuthority { path, why: why.to_owned() })
    }

    /// Opens the folder of the authority of that cluster; makes one if the folder has none.
    pub fn open_or_begin(
        folder: &Path,
        cluster_id: Option<Guid>,
        new_id: impl FnOnce() -> Guid,
        clock: &dyn Clock,
    ) -> Result<Authority, CertificatesError> {
        if !file(folder).try_exists().map_err(at(folder))? {
            let id = cluster_id.unwrap_or_else(new_id);
            return Authority::begin(folder, id, AUTHORITY_DAYS, clock);
        }
        let authority = Authority::open(folder)?;
        match cluster_id {
            Some(wanted) if wanted != authority.cluster_id => {
                Err(CertificatesError::OtherCluster {
                    path: file(folder),
                    found: authority.cluster_id.to_string(),
                    wanted: wanted.to_string(),
                })
            }
            _ => Ok(authority),
        }
    }

    /// Which cluster's.
    pub fn cluster_id(&self) -> Guid {
        self.cluster_id
    }

    /// The certificates that nodes are to trust.
    pub fn trusted(&self) -> PathBuf {
        self.folder.join("trusted.pem")
    }

    /// Makes a new key and certificate for a node, and puts them with what it is to trust into its
    /// folder, in the place of earlier ones.
    pub fn issue(
        &self,
        node: NodeId,
        into: &CertificateFolder,
        days: u32,
        clock: &dyn Clock,
    ) -> Result<(), CertificatesError> {
        let identity = self.make_identity(node, days, clock)?;
        // The authorities first: the node may look in between.
        self.trust(into)?;
        into.write_identity(&identity)
    }

    /// The same, to be carried to the node.
    pub fn pack(
        &self,
        node: NodeId,
        days: u32,
        clock: &dyn Clock,
    ) -> Result<Parcel, CertificatesError> {
        let path = self.trusted();
        let authorities = std::fs::read(&path).map_err(at(&path))?;
        Ok(Parcel { identity: self.make_identity(node, days, clock)?, authorities })
    }

    fn make_identity(
        &self,
        node: NodeId,
        days: u32,
        clock: &dyn Clock,
    ) -> Result<Zeroizing<String>, CertificatesError> {
        let mut params = CertificateParams::new(vec![peer_name(self.cluster_id, node.0)])?;
        params.distinguished_name = named(format!("Holdfast node {}", node.0));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, days, clock);
        let key = KeyPair::generate()?;
        let of_authority = authority_params(self.cluster_id);
        let issuer = Issuer::from_params(&of_authority, &self.key);
        let certificate = params.signed_by(&key, &issuer)?;
        Ok(Zeroizing::new(key.serialize_pem() + &certificate.pem()))
    }

    /// Tells a node which authorities to trust.
    pub fn trust(&self, into: &CertificateFolder) -> Result<(), CertificatesError> {
        let path = self.trusted();
        let trusted = std::fs::read(&path).map_err(at(&path))?;
        into.write_authorities(&trusted)
    }

    /// Begins the replacement of this authority by a new one, which issues from now on; nodes are
    /// to trust both.
    pub fn replace(self, days: u32, clock: &dyn Clock) -> Result<Authority, CertificatesError> {
        let path = self.trusted();
        let trusted = std::fs::read_to_string(&path).map_err(at(&path))?;
        let new = Authority::make(&self.folder, self.cluster_id, days, clock)?;
        // An authority whose key is then not written is trusted for nothing.
        new.write_trusted(&(new.certificate.clone() + &trusted))?;
        new.write()?;
        Ok(new)
    }

    /// Ends a replacement: nodes are to trust this authority alone.
    pub fn finish_replacement(&self) -> Result<(), CertificatesError> {
        self.write_trusted(&self.certificate)
    }

    fn make(
        folder: &Path,
        cluster_id: Guid,
        days: u32,
        clock: &dyn Clock,
    ) -> Result<Authority, CertificatesError> {
        let mut params = authority_params(cluster_id);
        set_validity(&mut params, days, clock);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Authority { folder: folder.to_owned(), cluster_id, key, certificate })
    }

    fn write(&self) -> Result<(), CertificatesError> {
        let path = file(&self.folder);
        let text = format!(
            "{HEADING}{}\n{}{}",
            self.cluster_id,
            self.key.serialize_pem(),
            self.certificate
        );
        write_whole(&path, text.as_bytes(), 0o600).map_err(at(&path))
    }

    fn write_trusted(&self, certificates: &str) -> Result<(), CertificatesError> {
        let path = self.trusted();
        write_whole(&path, certificates.as_bytes(), 0o644).map_err(at(&path))
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("authority.pem")
}

fn read(folder: &Path, text: &str) -> Result<Authority, &'static str> {
    let id = text.lines().next().and_then(|line| line.strip_prefix(HEADING));
    let cluster_id = id.and_then(|id| id.parse().ok()).ok_or("its first line names no cluster")?;
    let key_at = text.find(KEY_BEGINS).ok_or("it holds no private key")?;
    let certificate_at = text.find(CERTIFICATE_BEGINS).ok_or("it holds no certificate")?;
    let key = text.get(key_at..certificate_at).ok_or("the key comes before the certificate")?;
    Ok(Authority {
        folder: folder.to_owned(),
        cluster_id,
        key: KeyPair::from_pem(key).map_err(|_| "its key is none that is known")?,
        certificate: text[certificate_at..].to_owned(),
    })
}

/// All but its validity.
fn authority_params(cluster_id: Guid) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(format!("Holdfast cluster {cluster_id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn named(name: String) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn set_validity(params: &mut CertificateParams, days: u32, clock: &dyn Clock) {
    let now = clock.wall();
    let at = |time: Duration| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    params.not_before = at(now.saturating_sub(BACKDATED));
    params.not_after = at(now + DAY * days);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;
    use crate::certificates::describe;
    use crate::clock::HostClock;
    use crate::folder::tests_scratch::Scratch;

    const CLUSTER: Guid = Guid([5; 16]);

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn certificates_are_good_through_a_replacement_of_the_authority() {
        let scratch = Scratch::new("authority");
        let folder = scratch.path().join("authority");
        let certificates =
            |node: u64| CertificateFolder::at(scratch.path().join(format!("node{node}")));
        let good = |node: u64| certificates(node).credentials(CLUSTER, NodeId(node));
        Authority::begin(&folder, CLUSTER, 30, &HostClock).unwrap();
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("authority.pem")), 0o600);
        assert!(matches!(
            Authority::begin(&folder, CLUSTER, 30, &HostClock),
            Err(CertificatesError::Exists(_))
        ));

        let first = Authority::open(&folder).unwrap();
        assert_eq!(first.cluster_id(), CLUSTER);
        for node in [1, 2] {
            first.issue(NodeId(node), &certificates(node), 30, &HostClock).unwrap();
            assert_eq!(mode(&certificates(node).identity()), 0o600);
            good(node).unwrap();
        }
        assert!(certificates(1).credentials(CLUSTER, NodeId(2)).is_err(), "node 1 is not node 2");

        let second = first.replace(30, &HostClock).unwrap();
        second.trust(&certificates(1)).unwrap();
        good(1).unwrap();
        second.issue(NodeId(1), &certificates(1), 30, &HostClock).unwrap();
        good(1).unwrap();
        assert_eq!(describe(&fs::read(second.trusted()).unwrap()).unwrap().len(), 2);
        second.finish_replacement().unwrap();
        second.trust(&certificates(1)).unwrap();
        good(1).unwrap();
        // Who was left out of it is told.
        second.trust(&certificates(2)).unwrap();
        assert!(good(2).unwrap_err().to_string().contains("no authority that is trusted"));
    }

    #[test]
    fn what_is_no_authority_or_no_secret_is_refused() {
        let scratch = Scratch::new("no-authority");
        let folder = scratch.path();
        assert!(matches!(Authority::open(folder), Err(CertificatesError::Io { .. })));
        Authority::begin(folder, CLUSTER, 30, &HostClock).unwrap();
        let other = Authority::open_or_begin(folder, Some(Guid([6; 16])), || CLUSTER, &HostClock);
        assert!(matches!(other, Err(CertificatesError::OtherCluster { .. })));

        let path = folder.join("authority.pem");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            Authority::open(folder),
            Err(CertificatesError::Open { mode: 0o640, .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        for wrong in [
            whole.replace("Holdfast", "Steadfast"),
            whole.replace("BEGIN PRIVATE", "BEGIN PUBLIC"),
            whole.replace("BEGIN CERT", "BEGIN CURT"),
        ] {
            fs::write(&path, wrong).unwrap();
            assert!(matches!(
                Authority::open(folder),
                Err(CertificatesError::NotAnAuthority { .. })
            ));
        }
    }
}
