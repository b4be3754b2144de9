use crate::chain::{Authority, Leaf, NOW, URL, refused};
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use shaken::{Anchors, Signer};

#[test]
fn a_chain_leads_to_a_root_that_is_trusted() {
    let root = Authority::root();
    let between = root.intermediate();
    let (_, signer) = between.signer(&Leaf::default());
    let chain = format!("{signer}{}", between.pem);
    assert!(root.anchors().check(chain.as_bytes(), NOW).is_ok());
    // Without the one between, and by another root of the same name.
    let stranger = Authority::root();
    for (anchors, chain) in [(root.anchors(), &signer), (stranger.anchors(), &chain)] {
        let why = refused(anchors.check(chain.as_bytes(), NOW));
        assert!(why.contains("nobody who is trusted") || why.contains("ignature"), "{why}");
    }
}

#[test]
fn a_certificate_of_der_is_as_good_as_one_of_pem() {
    let root = Authority::root();
    let (_, signer) = root.signer(&Leaf::default());
    let pem = x509_of(&signer);
    assert!(root.anchors().check(&pem, NOW).is_ok());
    for nothing in [&b""[..], b"<html>", b"\x30\x03\x02\x01"] {
        refused(root.anchors().check(nothing, NOW));
    }
}

#[test]
fn rfc8226_a_signer_is_certified_for_numbers_now_and_by_a_key_of_p256() {
    let root = Authority::root();
    let cases = [
        (Leaf { numbers: None, ..Leaf::default() }, "TNAuthList"),
        (Leaf { numbers: Some(b"\x30\x00".to_vec()), ..Leaf::default() }, "TNAuthList"),
        (Leaf { years: (2024, 2026), ..Leaf::default() }, "is over"),
        (Leaf { years: (2027, 2028), ..Leaf::default() }, "not valid yet"),
        (Leaf { algorithm: &PKCS_ECDSA_P384_SHA384, ..Leaf::default() }, "P-256"),
        (Leaf { algorithm: &PKCS_ED25519, ..Leaf::default() }, "P-256"),
        (Leaf { is_ca: true, ..Leaf::default() }, "CaUsedAsEndEntity"),
    ];
    for (leaf, expected) in cases {
        let (_, certificate) = root.signer(&leaf);
        let why = refused(root.anchors().check(certificate.as_bytes(), NOW));
        assert!(why.contains(expected), "{why} instead of {expected}");
    }
}

#[test]
fn a_file_of_roots_holds_roots() {
    let root = Authority::root();
    let (key, signer) = root.signer(&Leaf::default());
    for (pem, expected) in [
        (String::new(), "holds no certificate"),
        (key, "holds no certificate"),
        (format!("{}{signer}", root.pem), "certificate 2 is no authority's"),
        (root.pem.replacen("MII", "AAA", 1), "certificate 1 cannot be read"),
    ] {
        let error = Anchors::read(pem.as_bytes()).expect_err("no roots").to_string();
        assert!(error.contains(expected), "{error} instead of {expected}");
    }
}

#[test]
fn a_signers_key_is_one_of_p256_and_is_never_shown() {
    let key = KeyPair::generate().expect("a key");
    let signer = Signer::read(key.serialize_pem().as_bytes(), URL).expect("PKCS #8");
    assert_eq!(format!("{signer:?}"), format!("Signer {{ url: {URL:?}, .. }}"));
    let other = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("a key").serialize_pem();
    for (pem, expected) in [("", "no private key"), (&other, "P-256")] {
        let error = Signer::read(pem.as_bytes(), URL).expect_err("no key").to_string();
        assert!(error.contains(expected), "{error} instead of {expected}");
    }
}

#[test]
fn a_key_as_openssl_ecparam_writes_it_will_do() {
    // RFC 6979 appendix A.2.5, in the form of RFC 5915.
    let pem = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n\
               -----BEGIN EC PRIVATE KEY-----\nMDECAQEEIMmvqdhFunWha2/JWO5RdxQPe2cUUCK3qhq+XwEgdqEjoAoGCCqGSM49\n\
               AwEH\n-----END EC PRIVATE KEY-----\n";
    assert!(Signer::read(pem.as_bytes(), URL).is_ok());
}

/// The DER within a PEM of one certificate.
fn x509_of(pem: &str) -> Vec<u8> {
    x509_parser::pem::parse_x509_pem(pem.as_bytes()).expect("PEM").1.contents
}
