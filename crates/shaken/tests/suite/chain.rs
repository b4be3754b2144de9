//! Authorities and signers, made anew.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256, SignatureAlgorithm, date_time_ymd,
};
use shaken::{Anchors, Attestation, Certificate, Expected, Failure, Number, Passport, Signer};

/// 1 June 2026, noon.
pub(crate) const NOW: i64 = 1_780_315_200;
pub(crate) const URL: &str = "https://certs.carrier.example/shaken.pem";
/// TNAuthList of the provider `709J`.
pub(crate) const PROVIDER: &[u8] = b"\x30\x08\xa0\x06\x16\x04709J";

/// An authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// How a signer's certificate departs from a good one.
pub(crate) struct Leaf {
    pub(crate) numbers: Option<Vec<u8>>,
    pub(crate) years: (i32, i32),
    pub(crate) algorithm: &'static SignatureAlgorithm,
    pub(crate) is_ca: bool,
}

impl Default for Leaf {
    fn default() -> Self {
        let algorithm = &PKCS_ECDSA_P256_SHA256;
        Self { numbers: Some(PROVIDER.to_vec()), years: (2026, 2027), algorithm, is_ca: false }
    }
}

impl Authority {
    pub(crate) fn root() -> Self {
        let (params, key) = (authority("STI root"), KeyPair::generate().expect("a key"));
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// One that this one has certified.
    pub(crate) fn intermediate(&self) -> Self {
        let (params, key) = (authority("STI CA"), KeyPair::generate().expect("a key"));
        let pem = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A signer: its key and certificate, PEM.
    pub(crate) fn signer(&self, leaf: &Leaf) -> (String, String) {
        let mut params = params("SHAKEN 709J");
        (params.not_before, params.not_after) =
            (date_time_ymd(leaf.years.0, 1, 1), date_time_ymd(leaf.years.1, 1, 1));
        let list = leaf.numbers.iter();
        params.custom_extensions = list
            .map(|it| CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 26], it.clone()))
            .collect();
        if leaf.is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate_for(leaf.algorithm).expect("a key");
        (key.serialize_pem(), params.signed_by(&key, &self.issuer).expect("a certificate").pem())
    }

    pub(crate) fn anchors(&self) -> Anchors {
        Anchors::read(self.pem.as_bytes()).expect("an authority")
    }
}

/// A signer and its certificate as whoever trusts the root has it.
pub(crate) fn signer() -> (Signer, Certificate) {
    signer_for(PROVIDER)
}

/// One for the numbers of this TNAuthList.
pub(crate) fn signer_for(numbers: &[u8]) -> (Signer, Certificate) {
    let root = Authority::root();
    let (key, certificate) = root.signer(&Leaf { numbers: Some(numbers.to_vec()), ..Leaf::default() });
    let signer = Signer::read(key.as_bytes(), URL).expect("a key");
    (signer, root.anchors().check(certificate.as_bytes(), NOW).expect("trusted"))
}

pub(crate) fn number(text: &str) -> Number {
    Number::read(text).expect("a number")
}

pub(crate) fn passport() -> Passport {
    Passport {
        attestation: Attestation::A,
        orig: number("+12155551212"),
        dest: vec![number("+34911000100")],
        issued_at: NOW,
        origin_id: "5d41402a-bc4b-8a76-8971-9d911017c592".into(),
    }
}

/// The call that [`passport`] is of.
pub(crate) fn expected() -> Expected {
    Expected { orig: number("+12155551212"), dest: number("+34911000100"), now: NOW, max_age: 60 }
}

/// Why a certificate is not believed.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
    let failure = result.expect_err("it is refused");
    assert_eq!((failure.status(), failure.phrase()), (437, "Unsupported Credential"), "{failure}");
    failure.to_string()
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
