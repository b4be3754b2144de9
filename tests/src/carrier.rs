use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Node, Running, Setup, tool, until};

/// Where its certificate is said to be, unless it really is somewhere.
const URL: &str = "https://certs.carrier.example/shaken.pem";
/// Where it is served: the name, the port, and how long the server may take to listen.
const SITE: (&str, u16, Duration) = ("certs.test", 8443, Duration::from_secs(10));
/// TNAuthList (RFC 8226 section 9) of the provider `709J`.
const PROVIDER: &[u8] = b"\x30\x08\xa0\x06\x16\x04709J";

/// A carrier that answers for callers (STIR/SHAKEN), by code that is not the node's.
#[derive(Debug)]
pub struct Carrier {
    key: KeyPair,
    root: String,
    chain: String,
    url: String,
}

impl Carrier {
    /// One with a new certificate of a new root.
    ///
    /// # Panics
    /// When no certificate can be made.
    pub fn new() -> Self {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "STI root");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().expect("a key");
        let root = authority.self_signed(&authority_key).expect("a certificate").pem();
        let mut params = CertificateParams::default();
        let list = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 26], PROVIDER.to_vec());
        params.custom_extensions = vec![list];
        let key = KeyPair::generate().expect("a key");
        let issuer = Issuer::new(authority, authority_key);
        let chain = params.signed_by(&key, &issuer).expect("a certificate").pem();
        Self { key, root, chain, url: URL.to_owned() }
    }

    /// A node that trusts its root and has its certificate and key in the files `carrier.pem` and `carrier.key`.
    pub fn trusted_by(&self, setup: Setup) -> Setup {
        let stir = format!(
            "stir: {{trust: roots.pem, certificates: {{\"{}\": carrier.pem}}, fetch: off}}\nclients:",
            self.url
        );
        setup
            .file("roots.pem", &self.root)
            .file("carrier.pem", &self.chain)
            .file("carrier.key", &self.key.serialize_pem())
            .replace("clients:", &stir)
    }

    /// A node that trusts its root, and finds its certificate by HTTPS at the node's own address.
    ///
    /// # Panics
    /// When no certificate can be made.
    pub fn published_to(&mut self, setup: Setup) -> Setup {
        let (host, port, _) = SITE;
        self.url = format!("https://{host}:{port}/carrier.pem");
        let site = rcgen::generate_simple_self_signed([host.to_owned()]).expect("a certificate");
        setup
            .zone(&format!("{host} A 127.0.0.1"))
            .file("roots.pem", &self.root)
            .file("carrier.pem", &self.chain)
            .file("site.pem", &site.cert.pem())
            .file("site.key", &site.signing_key.serialize_pem())
            .replace(
                "clients:",
                "stir: {trust: roots.pem, fetch: {within: 8s, allow: [127.0.0.0/8], roots: site.pem}}\nclients:",
            )
    }

    /// Serves its certificate from the folder of such a node.
    ///
    /// # Panics
    /// When OpenSSL is not installed or does not listen.
    pub fn publish(&self, node: &Node) -> Running {
        let (_, port, limit) = SITE;
        let at = node.network().socket(1, port);
        let mut command = tool("openssl", "openssl");
        command.current_dir(node.folder()).args(["s_server", "-WWW", "-accept", &at.to_string()]);
        command.args(["-cert", "site.pem", "-key", "site.key"]);
        let site = Running::start("site", node.folder(), &mut command);
        until(limit, "openssl s_server listening", || site.stdout().contains("ACCEPT"));
        site
    }

    /// The Identity header field of a call, made so many seconds ago.
    ///
    /// # Panics
    /// When ring cannot sign.
    pub fn vouches(&self, attest: &str, [orig, dest]: [&str; 2], age: u64) -> String {
        let header = json!({"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": self.url});
        let claims = json!({
            "attest": attest,
            "dest": {"tn": [dest]},
            "iat": unix_seconds() - age,
            "orig": {"tn": orig},
            "origid": "b3a2ed0e-4ad7-4f5a-8a6a-3f8bd6b7c0e4",
        });
        let encoded = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        let random = SystemRandom::new();
        let der = self.key.serialize_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).expect("a key");
        let signature = pair.sign(&random, signed.as_bytes()).expect("a signature");
        let signature = URL_SAFE_NO_PAD.encode(signature);
        format!("Identity: {signed}.{signature};info=<{}>;alg=ES256;ppt=shaken", self.url)
    }

    /// The header and the claims of a token in an Identity header field, if its key has signed them.
    ///
    /// # Panics
    /// When it is no token, or not signed so.
    pub fn has_said(&self, field: &str) -> [Value; 2] {
        let token = field.trim_start_matches("Identity:").trim().split(';').next().unwrap_or_default();
        let (signed, signature) = token.rsplit_once('.').expect("a signature");
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64");
        let der = self.key.serialize_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new());
        let pair = pair.expect("a key");
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key());
        key.verify(signed.as_bytes(), &bytes(signature)).expect("its signature");
        let (header, claims) = signed.split_once('.').expect("two parts");
        [header, claims].map(|part| serde_json::from_slice(&bytes(part)).expect("JSON"))
    }
}

impl Default for Carrier {
    fn default() -> Self {
        Self::new()
    }
}

/// The wall clock.
///
/// # Panics
/// When it is before 1970.
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs()
}
