use crate::authority::{Authority, TN_AUTH_LIST};
use crate::{Failure, PemError};
use jsonwebtoken::DecodingKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;
use webpki::{EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter};
use x509_parser::asn1_rs::Oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY};

/// The longest chain that is looked at.
const LONGEST_CHAIN: usize = 8;

/// The authorities whose word counts, and that of those whom they have certified.
pub struct Anchors(Vec<TrustAnchor<'static>>);

/// A signer that is believed.
#[derive(Clone)]
pub struct Certificate {
    pub(crate) key: DecodingKey,
    pub(crate) valid: RangeInclusive<i64>,
    pub(crate) authority: Authority,
}

impl Anchors {
    /// Reads the certificates of authorities from a PEM file.
    ///
    /// # Errors
    /// It holds none, or one that cannot be read or is no authority's.
    pub fn read(pem: &[u8]) -> Result<Self, PemError> {
        let none = || PemError("holds no certificate: it begins with -----BEGIN CERTIFICATE-----".into());
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| none())?;
        if certificates.is_empty() {
            return Err(none());
        }
        certificates
            .iter()
            .enumerate()
            .map(|(place, it)| anchor(place + 1, it))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The signer whose certificate chain, PEM or one DER certificate, was found where a token says; `now` in seconds
    /// since 1970.
    ///
    /// # Errors
    /// [`Failure::Credential`]: it does not lead to an authority that is trusted, is out of its time, has no key of P-256
    /// or no TNAuthList (RFC 8226).
    pub fn check(&self, chain: &[u8], now: i64) -> Result<Certificate, Failure> {
        let refused = |why: &'static str| Failure::Credential(why.into());
        let mut chain = certificates(chain);
        if chain.is_empty() || chain.len() > LONGEST_CHAIN {
            return Err(refused("is none"));
        }
        let first = chain.remove(0);
        let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).unwrap_or_default()));
        let signer = EndEntityCert::try_from(&first).map_err(why)?;
        signer
            .verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &self.0, &chain, time, AnyUse, None, None)
            .map_err(why)?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&first).map_err(|_| refused("cannot be read as X.509"))?;
        let key = p256_point(&parsed).ok_or_else(|| refused("has no key of the curve P-256"))?;
        let authority = authority(&parsed).ok_or_else(|| refused("has no list of numbers (TNAuthList)"))?;
        let (from, to) = (parsed.validity().not_before, parsed.validity().not_after);
        Ok(Certificate {
            key: DecodingKey::from_ec_der(key),
            valid: from.timestamp()..=to.timestamp(),
            authority,
        })
    }
}

impl fmt::Debug for Anchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Anchors").field(&self.0.len()).finish()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("valid", &self.valid).finish_non_exhaustive()
    }
}

/// SHAKEN certificates say nothing of extended uses, and RFC 8226 names none.
struct AnyUse;

impl ExtendedKeyUsageValidator for AnyUse {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        Ok(())
    }
}

fn anchor(place: usize, certificate: &CertificateDer<'_>) -> Result<TrustAnchor<'static>, PemError> {
    let wrong = |what: &str| PemError(format!("certificate {place} {what}"));
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).map_err(|_| wrong("cannot be read as X.509"))?;
    if !parsed.is_ca() {
        return Err(wrong("is no authority's: name those of the roots"));
    }
    let anchor =
        webpki::anchor_from_trusted_cert(certificate).map_err(|_| wrong("cannot be read as X.509"))?;
    Ok(anchor.to_owned())
}

fn certificates(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    /// DER of a certificate is a sequence.
    const SEQUENCE: u8 = 0x30;
    if bytes.first() == Some(&SEQUENCE) {
        return vec![CertificateDer::from(bytes.to_vec())];
    }
    CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok).collect()
}

fn why(error: Error) -> Failure {
    Failure::Credential(match error {
        Error::CertExpired { .. } => "is over".into(),
        Error::CertNotValidYet { .. } => "is not valid yet".into(),
        Error::UnknownIssuer => "is of nobody who is trusted".into(),
        other => other.to_string().into(),
    })
}

/// The uncompressed point of the key, 65 bytes.
fn p256_point<'c>(certificate: &'c X509Certificate<'_>) -> Option<&'c [u8]> {
    let key = certificate.public_key();
    let curve = key.algorithm.parameters.as_ref()?.as_oid().ok()?;
    let point = key.subject_public_key.data.as_ref();
    let is_p256 = key.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == OID_EC_P256;
    (is_p256 && point.len() == 65 && point[0] == 4).then_some(point)
}

fn authority(certificate: &X509Certificate<'_>) -> Option<Authority> {
    let id: Oid<'static> = TN_AUTH_LIST.parse().ok()?;
    let extension = certificate.get_extension_unique(&id).ok()??;
    Authority::read(extension.value)
}
