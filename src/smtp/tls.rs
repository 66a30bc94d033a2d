//! TLS (RFC 8314, RFC 3207): whom to trust, the handshake, and what its failures mean in words.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::secured::Secured;
use super::stream::{Stream, Wire};
use crate::domain::outcome::{Fault, Phase, Trouble};
use crate::domain::relay::{Relay, Security};
use crate::domain::reply::visible;

/// Why no session can be opened with these settings, whatever the server does.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The CA file cannot be read or is no PEM file.
    #[error("the CA file {} cannot be read: {reason}; ca_file must name a readable PEM file", path.display())]
    CaFileUnreadable {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        reason: String,
    },
    /// The CA file holds no certificate that can be trusted.
    #[error(
        "the CA file {} holds no usable certificate; it must hold the authority's certificate in PEM form (-----BEGIN CERTIFICATE-----)",
        path.display()
    )]
    CaFileEmpty {
        /// The file.
        path: PathBuf,
    },
    /// The system trusts nobody.
    #[error(
        "this system has no certificate authorities to trust{reason}; install its ca-certificates package or set ca_file"
    )]
    NoSystemRoots {
        /// What the search said, after a colon; may be empty.
        reason: String,
    },
    /// The relay's name is neither a host name nor an IP address.
    #[error("“{host}” is neither a host name nor an IP address; correct the relay's host")]
    HostName {
        /// As configured.
        host: String,
    },
    /// The cryptography does not fit together: a fault of this build.
    #[error("TLS cannot be set up: {0}")]
    Provider(String),
}

/// TLS as this relay needs it: certificates are always verified, against its own CA or the system's.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// None if the relay is reached without TLS. `host` is a name in A-labels or an address without brackets.
    pub(super) fn for_relay(relay: &Relay, host: &str) -> Result<Option<Self>, SetupError> {
        if relay.security == Security::None {
            return Ok(None);
        }
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| SetupError::HostName { host: relay.host.clone() })?;
        let roots = match &relay.ca_file {
            Some(path) => roots_of_file(path)?,
            None => roots_of_system()?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| SetupError::Provider(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Some(Self { connector: TlsConnector::from(Arc::new(config)), name }))
    }

    /// The handshake over `wire`.
    pub(super) async fn secure(&self, wire: Box<dyn Wire>, within: Duration) -> Result<Stream, Fault> {
        let handshake = timeout(within, self.connector.connect(self.name.clone(), wire)).await;
        let secured = handshake.map_err(|_| Trouble::TimedOut(within)).and_then(|done| done.map_err(|e| trouble(&e)));
        match secured {
            Ok(secured) => Ok(Stream::new(Box::new(Secured::new(secured)))),
            Err(trouble) => Err(Fault::new(Phase::Tls, trouble)),
        }
    }
}

fn roots_of_file(path: &Path) -> Result<RootCertStore, SetupError> {
    let unreadable = |reason: String| SetupError::CaFileUnreadable { path: path.to_owned(), reason };
    let text = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    if roots.is_empty() { Err(SetupError::CaFileEmpty { path: path.to_owned() }) } else { Ok(roots) }
}

fn roots_of_system() -> Result<RootCertStore, SetupError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A store of hundreds may hold an odd one that nobody misses.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reason = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(SetupError::NoSystemRoots { reason });
    }
    Ok(roots)
}

/// What an error of the connection means: the certificate, TLS, the peer's close, or the operating system.
pub(super) fn trouble(error: &io::Error) -> Trouble {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => Trouble::Certificate(certificate_words(why)),
        Some(rustls::Error::InvalidMessage(_)) => {
            Trouble::Tls("the server does not speak TLS here; see whether its port wants STARTTLS instead".to_owned())
        }
        Some(other) => Trouble::Tls(visible(&other.to_string())),
        // A TLS peer that goes without close_notify ends so, too.
        None if error.kind() == io::ErrorKind::UnexpectedEof => Trouble::Closed,
        None => Trouble::Broken(error.to_string()),
    }
}

fn certificate_words(error: &CertificateError) -> String {
    match error {
        CertificateError::NotValidForName => "it is for another host; check the relay's host".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
            let presented = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            let words = format!("it is not for {} but for {presented}; check the relay's host", expected.to_str());
            visible(&words)
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired; the server's operator must renew it (or this computer's clock is wrong)".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; this computer's clock may be wrong".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "its issuer is unknown (or it is self-signed); if that is your own authority, name its PEM file in ca_file"
                .to_owned()
        }
        CertificateError::Revoked => "it was revoked by its issuer".to_owned(),
        CertificateError::BadSignature => {
            "it says that an authority which you trust issued it, and that one's key did not sign it; if your own authority was \
             made anew, put its new certificate into ca_file, else do not trust this server and tell who runs it"
                .to_owned()
        }
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "it is an authority's own certificate, self-signed; the server needs one issued by that authority"
                .to_owned()
        }
        other => visible(&other.to_string()),
    }
}

/// The name in what rustls tells of it, such as `DnsName("mail.example")`.
fn bare(told: &str) -> &str {
    let inner = told.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(told).trim_matches('"')
}
