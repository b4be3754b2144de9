//! What the node file's `stir` names: roots, certificates and how others are fetched.

use crate::tls::{PemError, builder, read_pem, roots};
use dialplan::{Fetch, Node, Trunk};
use ipnet::IpNet;
use rustls::ClientConfig;
use shaken::{Anchors, Signer};
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use switch::Credentials;

/// The files' contents.
#[derive(Debug, Default)]
pub struct Material {
    /// For the switch.
    pub credentials: Arc<Credentials>,
    /// For the shell; `None` where nothing is fetched.
    pub fetch: Option<FetchSettings>,
}

/// How certificates are fetched.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// Private networks whose servers may be asked.
    pub allow: Vec<IpNet>,
    /// Whom to believe that it is the server.
    pub tls: Arc<ClientConfig>,
}

impl Material {
    /// Reads the files that a node names, relative to the folder `home` of its file.
    ///
    /// # Errors
    /// One cannot be read, or holds nothing that fits.
    pub fn load(home: &Path, node: &Node) -> Result<Self, PemError> {
        const HINT: &str = "`stir` names PEM files, relative to the node file";
        let mut credentials = Credentials { signers: signers(home, &node.trunks)?, ..Credentials::default() };
        let Some(stir) = &node.stir else {
            return Ok(Self { credentials: Arc::new(credentials), fetch: None });
        };
        let trust = home.join(&*stir.trust);
        let anchors = Anchors::read(&read_pem(&trust, HINT)?)
            .map_err(|error| PemError::new(&trust, error.to_string(), "`trust` names the roots of STI"))?;
        credentials.anchors = Some(anchors);
        for (url, file) in &stir.certificates {
            let chain = read_pem(&home.join(&**file), HINT)?;
            credentials.certificates.insert(Arc::clone(url), chain.into());
        }
        let fetch = stir.fetch.as_ref().map(|fetch| settings(home, fetch)).transpose()?;
        Ok(Self { credentials: Arc::new(credentials), fetch })
    }
}

/// What trunks' calls are signed with.
fn signers(home: &Path, trunks: &[Trunk]) -> Result<HashMap<Arc<str>, Signer>, PemError> {
    let mut signers = HashMap::new();
    for trunk in trunks {
        let Some(sign) = &trunk.stir.sign else { continue };
        let path = home.join(&*sign.key);
        let pem = read_pem(&path, "`sign` of a trunk names a PEM file, relative to the node file")?;
        let signer = Signer::read(&pem, &sign.certificate).map_err(|error| {
            PemError::new(&path, error.to_string(), "make one by openssl ecparam -name prime256v1 -genkey")
        })?;
        warn_of_readers(&path);
        signers.insert(Arc::clone(&trunk.name), signer);
    }
    Ok(signers)
}

/// Whoever reads the key can answer for anybody in the node's name.
pub(crate) fn warn_of_readers(path: &Path) {
    let mode = std::fs::metadata(path).map_or(0, |file| file.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!("{}: others may read this secret; chmod 600 it", path.display());
    }
}

/// How a node fetches, whose file is in the folder `home`.
pub(crate) fn settings(home: &Path, fetch: &Fetch) -> Result<FetchSettings, PemError> {
    let roots = roots(home, fetch.roots.as_deref())?;
    let tls = Arc::new(builder().with_root_certificates(roots).with_no_client_auth());
    Ok(FetchSettings { allow: fetch.allow.clone(), tls })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialplan::{ClientFiles, Input, SourceFile};

    fn load(home: &Path, stir: &str) -> Result<Material, String> {
        let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
        let node = format!(
            "sip: {{listen: [\"udp:127.0.0.1:5060\"]}}\nrtp: {{ports: 30000-30099, address: 127.0.0.1}}\n\
             {stir}clients: [acme]\n"
        );
        let client = ClientFiles {
            id: "acme".into(),
            path: "acme".into(),
            files: vec![file("acme/acme.yaml", "flows: {main: [hangup]}\n")],
            prompts: Vec::new(),
        };
        let input =
            Input { node: file("ringdown.yaml", &node), clients: vec![client], system_prompts: Vec::new() };
        let plan = dialplan::load(&input).unwrap_or_else(|report| panic!("{report}"));
        Material::load(home, &plan.node).map_err(|error| error.to_string())
    }

    #[test]
    fn the_files_of_stir_are_read_and_what_is_wrong_with_one_names_it() {
        let home = tempfile::tempdir().expect("a directory");
        let home = home.path();
        let write = |name: &str, text: &str| std::fs::write(home.join(name), text).expect("written");
        let stir =
            "stir: {trust: roots.pem, certificates: {\"https://h/a.pem\": a.pem}, fetch: {roots: ca.pem}}\n";
        let mut root = rcgen::CertificateParams::default();
        root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().expect("a key");
        let pem = root.self_signed(&key).expect("a certificate").pem();
        for (name, text, why) in [
            ("roots.pem", "nothing", "roots.pem: cannot be read"),
            ("roots.pem", &key.serialize_pem(), "roots.pem: holds no certificate"),
            ("roots.pem", &pem, "roots.pem: holds no certificate"),
            ("a.pem", "a chain", "a.pem: cannot be read"),
            ("ca.pem", "nothing", "ca.pem: cannot be read"),
            ("ca.pem", &pem, "ca.pem: holds no certificate"),
        ] {
            let error = load(home, stir).expect_err("not all is there");
            assert!(error.contains(why), "{error} instead of {why}");
            write(name, text);
        }
        let material = load(home, stir).expect("all is there");
        assert!(material.credentials.anchors.is_some() && material.fetch.is_some());
        assert_eq!(material.credentials.certificates["https://h/a.pem"].as_ref(), b"a chain");
        assert!(load(home, "stir: {trust: roots.pem, fetch: off}\n").expect("loaded").fetch.is_none());
        assert!(load(home, "").expect("loaded").credentials.anchors.is_none());
    }

    #[test]
    fn a_trunk_that_signs_has_its_key_whether_anybody_is_trusted_or_not() {
        let home = tempfile::tempdir().expect("a directory");
        let home = home.path();
        let trunks = "trunks: {carrier: {to: \"sip:192.0.2.1\", \
                      stir: {sign: {key: k.pem, certificate: \"https://h/k.pem\", attest: B}}}}\n";
        let error = load(home, trunks).expect_err("there is no key");
        assert!(error.contains("k.pem: cannot be read"), "{error}");
        std::fs::write(home.join("k.pem"), "nothing").expect("written");
        let error = load(home, trunks).expect_err("there is no key");
        assert!(error.contains("k.pem: holds no private key"), "{error}");
        let key = rcgen::KeyPair::generate().expect("a key");
        std::fs::write(home.join("k.pem"), key.serialize_pem()).expect("written");
        let material = load(home, trunks).expect("the key is there");
        assert!(material.credentials.signers.contains_key("carrier") && material.fetch.is_none());
    }
}
