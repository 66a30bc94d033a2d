//! A certificate authority for one test, and the certificate it gives to servers on loopback.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// Three PEM files in one folder.
pub struct Authority {
    /// The authority's own certificate: what a client has to trust.
    pub ca: PathBuf,
    /// The server's certificate, for `localhost` and 127.0.0.1.
    pub certificate: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
}

impl Authority {
    /// Makes new keys and writes them to `folder`.
    pub fn create(folder: &Path) -> Self {
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "Authority of one test");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_key = KeyPair::generate().expect("a key");
        let ca_pem = ca.self_signed(&ca_key).expect("a certificate").pem();

        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let mut server = CertificateParams::new(names).expect("valid names");
        server.distinguished_name.push(DnType::CommonName, "localhost");
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Verifiers that are strict about RFC 5280 (Python 3.13) ask for it.
        server.use_authority_key_identifier_extension = true;
        let server_key = KeyPair::generate().expect("a key");
        let server_pem = server.signed_by(&server_key, &Issuer::new(ca, ca_key)).expect("a certificate").pem();

        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).expect("the folder can be written");
            path
        };
        Self {
            ca: write("ca.pem", &ca_pem),
            certificate: write("server.pem", &server_pem),
            key: write("server.key", &server_key.serialize_pem()),
        }
    }
}
