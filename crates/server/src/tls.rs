//! The certificate that a node shows, and how it is exchanged while the node serves.

mod outbound;

pub use outbound::Outbound;
pub(crate) use outbound::{Greeting, builder, roots};

use jiff::{SignedDuration, Timestamp};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// How long before its end a certificate is told of.
const AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Identity {
    key: Arc<CertifiedKey>,
    /// The file of the certificate.
    pub path: PathBuf,
    /// When it is over.
    pub not_after: Timestamp,
}

/// Why a PEM file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}\n  {hint}", path.display())]
pub struct PemError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
    /// What to do.
    pub hint: &'static str,
}

impl PemError {
    pub(crate) fn new(path: &Path, reason: String, hint: &'static str) -> Self {
        Self { path: path.to_owned(), reason, hint }
    }
}

/// Reads a PEM file; `hint` is who names it.
pub(crate) fn read_pem(path: &Path, hint: &'static str) -> Result<Vec<u8>, PemError> {
    std::fs::read(path).map_err(|error| PemError::new(path, format!("cannot be read: {error}"), hint))
}

impl Identity {
    /// Reads the files that a node file names, relative to the folder `home` of that file.
    ///
    /// # Errors
    /// A file cannot be read or holds nothing that fits, or the key is another certificate's.
    pub fn load(home: &Path, tls: &dialplan::Tls) -> Result<Self, PemError> {
        let (path, key_path) = (home.join(&*tls.certificate), home.join(&*tls.key));
        let failed = PemError::new;
        let bytes = |path: &Path| read_pem(path, "`tls` names PEM files, relative to the node file");
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes(&path)?).filter_map(Result::ok).collect();
        let first = chain.first().ok_or_else(|| {
            failed(
                &path,
                "holds no certificate".to_owned(),
                "a PEM file begins with -----BEGIN CERTIFICATE-----",
            )
        })?;
        let not_after = end_of(first)
            .ok_or_else(|| failed(&path, "cannot be read as X.509".to_owned(), "write it anew"))?;
        let private = PrivateKeyDer::from_pem_slice(&bytes(&key_path)?).map_err(|_| {
            failed(
                &key_path,
                "holds no private key".to_owned(),
                "a PEM file begins with -----BEGIN PRIVATE KEY-----",
            )
        })?;
        let key = CertifiedKey::from_der(chain, private, &ring::default_provider())
            .map_err(|error| failed(&key_path, error.to_string(), "it must be the key of the certificate"))?;
        Ok(Self { key: Arc::new(key), path, not_after })
    }

    /// What is to be said of a certificate that is over, or will be within 14 days.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        let Self { path, not_after, .. } = self;
        let path = path.display();
        let left = not_after.duration_since(now);
        if left.is_negative() {
            return Some(format!("{path}: the certificate is over since {not_after}: renew it and reload"));
        }
        let days = left.as_hours() / 24;
        (left <= AHEAD).then(|| {
            format!("{path}: the certificate ends on {not_after}, in {days} days: renew it and reload")
        })
    }
}

/// The end of a certificate's time.
pub(crate) fn end_of(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()
}

/// The identity that new connections are shown. Those that are up keep theirs.
#[derive(Debug)]
pub struct Shown(RwLock<Identity>);

impl Shown {
    /// Shows this identity.
    pub fn new(identity: Identity) -> Arc<Self> {
        Arc::new(Self(RwLock::new(identity)))
    }

    /// Shows another from now on.
    pub fn replace(&self, identity: Identity) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }

    /// What is to be said of it; see [`Identity::warning`].
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).warning(now)
    }

    /// What accepts TLS connections with it.
    ///
    /// # Panics
    /// Never: the protocol versions are those of the provider.
    pub fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let builder = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows the default versions");
        let shown: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        TlsAcceptor::from(Arc::new(builder.with_no_client_auth().with_cert_resolver(shown)))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(home: &Path, name: &str, text: &str) {
        std::fs::write(home.join(name), text).expect("written");
    }

    fn load(home: &Path) -> Result<Identity, String> {
        let tls = dialplan::Tls { certificate: "cert.pem".into(), key: "key.pem".into() };
        Identity::load(home, &tls).map_err(|error| error.to_string())
    }

    #[test]
    fn a_certificate_is_told_of_two_weeks_before_its_end_and_after_it() {
        let home = tempfile::tempdir().expect("a directory");
        let made = rcgen::generate_simple_self_signed(["pbx.example".to_owned()]).expect("made");
        write(home.path(), "cert.pem", &made.cert.pem());
        write(home.path(), "key.pem", &made.signing_key.serialize_pem());
        let identity = load(home.path()).expect("they fit");
        let said = |hours| identity.warning(identity.not_after + SignedDuration::from_hours(hours));
        assert_eq!(said(-15 * 24), None);
        assert!(said(-14 * 24).is_some_and(|text| text.contains("in 14 days")));
        assert!(said(-1).is_some_and(|text| text.contains("cert.pem") && text.contains("in 0 days")));
        assert!(said(1).is_some_and(|text| text.contains("is over since")));
    }

    #[test]
    fn what_cannot_be_shown_is_named_with_its_file() {
        let home = tempfile::tempdir().expect("a directory");
        let home = home.path();
        let made = || rcgen::generate_simple_self_signed(["pbx.example".to_owned()]).expect("made");
        let (one, other) = (made(), made());
        assert!(load(home).unwrap_err().contains("cert.pem: cannot be read"));
        write(home, "cert.pem", "nothing");
        assert!(load(home).unwrap_err().contains("cert.pem: holds no certificate"));
        write(home, "cert.pem", &one.cert.pem());
        write(home, "key.pem", "nothing");
        assert!(load(home).unwrap_err().contains("key.pem: holds no private key"));
        write(home, "key.pem", &other.signing_key.serialize_pem());
        assert!(load(home).unwrap_err().contains("key of the certificate"));
        write(home, "key.pem", &one.signing_key.serialize_pem());
        let identity = load(home).expect("they fit");
        assert!(identity.not_after > Timestamp::from_second(2_000_000_000).expect("a time"));
    }
}
