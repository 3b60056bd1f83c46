//! Makes certificates for tests.

#![allow(dead_code)] // each test binary uses its part

use holdfast_proto::types::Guid;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// A cluster's authority; another one of the same cluster has the same name.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    cluster_id: Guid,
}

impl Authority {
    pub fn new(cluster_id: Guid) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, format!("Holdfast {cluster_id}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        Authority { issuer, cluster_id }
    }

    /// What its nodes trust.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A node's key and certificate.
    pub fn issue(&self, node: u64) -> String {
        self.issue_until(node, 4000)
    }

    /// One that is good until that year.
    pub fn issue_until(&self, node: u64, year: i32) -> String {
        let name = format!("node-{node}.{}.holdfast", self.cluster_id);
        let mut params = CertificateParams::new(vec![name]).expect("a name");
        params.not_after = date_time_ymd(year, 1, 1);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        key.serialize_pem() + &certificate.pem()
    }
}
