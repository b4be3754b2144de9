//! TLS connections that the node opens: whom it believes, and what it shows.

use super::{Identity, PemError, read_pem};
use dialplan::{Trunk, TrunkTls};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use switch::TlsPeer;
use tokio_rustls::TlsConnector;

/// How servers are met.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Where nothing is said: by the usual roots, without a certificate of ours.
    usual: Arc<ClientConfig>,
    /// Those of which something is said.
    trunks: HashMap<Arc<str>, OfTrunk>,
}

#[derive(Clone, Debug)]
struct OfTrunk {
    config: Arc<ClientConfig>,
    name: Option<Arc<str>>,
}

/// How one server is met.
pub(crate) struct Greeting {
    pub(crate) connector: TlsConnector,
    /// What its certificate has to name.
    pub(crate) name: ServerName<'static>,
}

impl Outbound {
    /// Reads the files that trunks name, relative to the folder `home` of the node file.
    ///
    /// # Errors
    /// One cannot be read, or holds nothing that fits.
    pub fn load(home: &Path, trunks: &[Trunk]) -> Result<Self, PemError> {
        let mut found = HashMap::new();
        for trunk in trunks.iter().filter(|trunk| trunk.tls != TrunkTls::default()) {
            let roots = roots(home, trunk.tls.roots.as_deref())?;
            let builder = builder().with_root_certificates(roots);
            let config = match &trunk.tls.identity {
                None => builder.with_no_client_auth(),
                Some(tls) => {
                    let shown = Identity::load(home, tls)?.key;
                    builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(shown)))
                }
            };
            let name = trunk.tls.name.clone();
            found.insert(Arc::clone(&trunk.name), OfTrunk { config: Arc::new(config), name });
        }
        let usual = builder().with_root_certificates(roots(home, None)?).with_no_client_auth();
        Ok(Self { usual: Arc::new(usual), trunks: found })
    }

    /// How to meet a peer; `None` if no certificate can have its name.
    pub(crate) fn greeting(&self, peer: &TlsPeer) -> Option<Greeting> {
        let of_trunk = peer.trunk.as_ref().and_then(|trunk| self.trunks.get(trunk));
        let config = of_trunk.map_or(&self.usual, |trunk| &trunk.config);
        let name = of_trunk.and_then(|trunk| trunk.name.as_deref()).unwrap_or(&peer.host);
        // An IPv6 address is in brackets in a URI, and not in a certificate.
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name).ok()?;
        Some(Greeting { connector: TlsConnector::from(Arc::clone(config)), name })
    }
}

/// The roots in a PEM file, or the usual ones.
pub(crate) fn roots(home: &Path, file: Option<&str>) -> Result<RootCertStore, PemError> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    let path = home.join(file);
    let pem = read_pem(&path, "`roots` names a PEM file, relative to the node file")?;
    let (added, _) =
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
    if added == 0 {
        let hint = "a PEM file begins with -----BEGIN CERTIFICATE-----";
        return Err(PemError::new(&path, "holds no certificate".to_owned(), hint));
    }
    Ok(roots)
}

/// A client of the usual protocol versions.
pub(crate) fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    // The protocol versions are those of the provider.
    builder.with_safe_default_protocol_versions().unwrap_or_else(|error| panic!("{error}"))
}
