use crate::passport::{Claims, Header};
use crate::{Passport, PemError};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt;

/// Answers for callers: a private key, and where its certificate is.
pub struct Signer {
    key: SigningKey,
    url: Box<str>,
}

impl Signer {
    /// A signer by a PEM file of a P-256 key, PKCS #8 or SEC 1, whose certificate others fetch at `url`.
    ///
    /// # Errors
    /// The file holds no such key.
    pub fn read(pem: &[u8], url: &str) -> Result<Self, PemError> {
        let none = || PemError("holds no private key: it begins with -----BEGIN PRIVATE KEY-----".into());
        let other = || PemError("is not a key of the curve P-256".into());
        let key = match PrivateKeyDer::from_pem_slice(pem).map_err(|_| none())? {
            PrivateKeyDer::Pkcs8(key) => {
                SecretKey::from_pkcs8_der(key.secret_pkcs8_der()).map_err(|_| other())?
            }
            PrivateKeyDer::Sec1(key) => {
                SecretKey::from_sec1_der(key.secret_sec1_der()).map_err(|_| other())?
            }
            _ => return Err(other()),
        };
        Ok(Self { key: key.into(), url: url.into() })
    }

    /// The value of an Identity header field that says so, in the full form of RFC 8224 section 4.
    ///
    /// The same passport gives the same field: the signature is that of RFC 6979.
    pub fn sign(&self, passport: &Passport) -> String {
        let header = Header { alg: "ES256", ppt: "shaken", typ: "passport", x5u: &self.url };
        let signed = format!("{}.{}", encoded(&header), encoded(&Claims::from(passport)));
        let signature: Signature = self.key.sign(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("{signed}.{signature};info=<{}>;alg=ES256;ppt=shaken", self.url)
    }
}

impl fmt::Debug for Signer {
    /// Without the key: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A UUID (version 8 of RFC 9562) that stays the same for the same place: a node and its trunk.
pub fn origin_id(place: &[&str]) -> Box<str> {
    let mut hash = Sha256::new();
    for part in place {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut bytes: [u8; 16] = std::array::from_fn({
        let digest = hash.finalize();
        move |place| digest[place]
    });
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = bytes.map(|byte| format!("{byte:02x}"));
    let groups = [0..4, 4..6, 6..8, 8..10, 10..16].map(|group| hex[group].concat());
    groups.join("-").into()
}

fn encoded(part: &impl Serialize) -> String {
    // Texts and numbers: they have a JSON form.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap_or_default())
}
