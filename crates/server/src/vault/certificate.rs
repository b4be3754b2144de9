//! What is attested of an erasure: what is gone, signed by the node, so that whoever asked for it has it in writing.

use crate::private;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use utoipa::ToSchema;

/// What was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Certificate {
    /// The node.
    pub(crate) node: Arc<str>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) issued: Timestamp,
    /// Whose wish it was.
    pub(crate) by: Arc<str>,
    /// Why.
    pub(crate) why: Arc<str>,
    /// Whose calls.
    pub(crate) client: String,
    /// Calls from or to this number; null for all of the client.
    pub(crate) number: Option<String>,
    /// Recordings that are gone.
    pub(crate) recordings: Vec<Erased>,
    /// Messages in mailboxes that are gone.
    pub(crate) messages: Vec<Erased>,
    /// Recordings that are kept all the same: they are held.
    pub(crate) held: Vec<u64>,
    /// Recordings that are there still: their files could not be removed.
    pub(crate) failed: Vec<u64>,
    /// Whether the client's key is destroyed, and so every copy of what was encrypted by it.
    pub(crate) key_destroyed: bool,
}

/// A file that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Erased {
    /// The number of the recording or message.
    pub(crate) number: u64,
    /// In which call it was made.
    pub(crate) contact: u64,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// Its length in milliseconds.
    pub(crate) millis: Option<u64>,
    /// What its file had, by SHA-256; null if there was none any more.
    pub(crate) sha256: Option<String>,
}

/// A certificate with its signature.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Signed {
    /// For people.
    pub(crate) certificate: Certificate,
    /// The same, signed: a JWS (RFC 7515) by EdDSA (RFC 8037), whose header has the node's public key.
    pub(crate) jws: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    jwk: PublicKey,
}

/// RFC 8037 section 2.
#[derive(Serialize, Deserialize)]
struct PublicKey {
    kty: String,
    crv: String,
    x: String,
}

/// Signs a certificate by the node's key, which is made if there is none, and keeps it in `certificates`.
pub(super) fn sign(state: &Path, certificate: Certificate) -> io::Result<Signed> {
    let key = key(&state.join("keys"))?;
    let x = URL_SAFE_NO_PAD.encode(key.public_key());
    let jwk = PublicKey { kty: "OKP".to_owned(), crv: "Ed25519".to_owned(), x };
    let header = serde_json::to_vec(&Header { alg: "EdDSA".to_owned(), jwk })?;
    let payload = serde_json::to_vec(&certificate)?;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    let signed = Signed { certificate, jws: format!("{signed}.{signature}") };
    let folder = state.join("certificates");
    fs::create_dir_all(&folder)?;
    let Certificate { issued, client, .. } = &signed.certificate;
    let name = format!("{}-{client}.json", issued.as_microsecond());
    private::write(&folder.join(name), serde_json::to_string_pretty(&signed)?.as_bytes())?;
    Ok(signed)
}

/// What a certificate says if its signature is right, and the public key of the node that has signed it.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn verify(text: &str) -> Result<(Certificate, String), &'static str> {
    let Signed { certificate, jws } =
        serde_json::from_str(text).map_err(|_| "this is no certificate of an erasure")?;
    let (signed, signature) = jws.rsplit_once('.').ok_or("it has no signature")?;
    let (header, payload) = signed.split_once('.').ok_or("it has no signature")?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "its signature cannot be read");
    let header: Header =
        serde_json::from_slice(&decode(header)?).map_err(|_| "its signature is of another kind")?;
    if header.alg != "EdDSA" || header.jwk.crv != "Ed25519" {
        return Err("its signature is of another kind");
    }
    let key = UnparsedPublicKey::new(&ED25519, decode(&header.jwk.x)?);
    key.verify(signed.as_bytes(), &decode(signature)?).map_err(|_| "its signature is wrong")?;
    let attested: Certificate =
        serde_json::from_slice(&decode(payload)?).map_err(|_| "what is signed is no certificate")?;
    if attested != certificate {
        return Err("what it says is not what was signed");
    }
    Ok((attested, header.jwk.x))
}

fn key(folder: &Path) -> io::Result<Ed25519KeyPair> {
    let path = folder.join("node.pk8");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let random = SystemRandom::new();
            let made =
                Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| io::Error::other("no randomness"))?;
            fs::create_dir_all(folder)?;
            private::write(&path, made.as_ref())?;
            made.as_ref().to_vec()
        }
        Err(error) => return Err(error),
    };
    let wrong = |_| io::Error::new(ErrorKind::InvalidData, format!("{} has no key", path.display()));
    Ed25519KeyPair::from_pkcs8(&bytes).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_what_was_signed_or_nothing() {
        let home = tempfile::tempdir().expect("a directory");
        let erased = Erased {
            number: 4711,
            contact: 7,
            at: Timestamp::UNIX_EPOCH,
            millis: Some(61_000),
            sha256: Some("ab".repeat(32)),
        };
        let certificate = Certificate {
            node: "test".into(),
            issued: Timestamp::UNIX_EPOCH,
            by: "carol".into(),
            why: "asked by letter".into(),
            client: "acme".to_owned(),
            number: Some("+15550100".to_owned()),
            recordings: vec![erased],
            messages: Vec::new(),
            held: vec![12],
            failed: Vec::new(),
            key_destroyed: false,
        };
        let signed = sign(home.path(), certificate.clone()).expect("signed");
        let kept = fs::read_to_string(home.path().join("certificates/0-acme.json")).expect("it is kept");
        let (attested, key) = verify(&kept).expect("it is right");
        assert_eq!(attested, certificate);
        // The node has one key.
        let again = sign(home.path(), certificate).expect("signed");
        assert_eq!(verify(&serde_json::to_string(&again).expect("JSON")).expect("right").1, key);

        assert_eq!(verify(&kept.replace("4711", "4712")).err(), Some("what it says is not what was signed"));
        let mut forged = signed;
        let middle = forged.jws.find('.').expect("a dot") + 10;
        forged
            .jws
            .replace_range(middle..=middle, if &forged.jws[middle..=middle] == "A" { "B" } else { "A" });
        let forged = serde_json::to_string(&forged).expect("JSON");
        assert_eq!(verify(&forged).err(), Some("its signature is wrong"));
        assert_eq!(verify("{}").err(), Some("this is no certificate of an erasure"));
    }
}
