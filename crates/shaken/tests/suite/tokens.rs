use crate::chain::{NOW, expected, number, passport, signer, signer_for};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shaken::{Attestation, Certificate, Expected, Failure, Passport, Signer, Token, origin_id};

fn find(field: &str) -> Result<Token, Failure> {
    Token::find([field].into_iter())
}

fn verify(field: &str, certificate: &Certificate, expected: &Expected) -> Result<Passport, Failure> {
    find(field)?.verify(certificate, expected)
}

/// A part of a token as text.
fn part(field: &str, place: usize) -> String {
    let part = field.split([';', '.']).nth(place).expect("a part");
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("text")
}

/// The field with another text in a part of its token, as if it had been signed so.
fn with_part(field: &str, place: usize, text: &str) -> String {
    let (token, rest) = field.split_once(';').expect("a field");
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts[place] = URL_SAFE_NO_PAD.encode(text);
    format!("{};{rest}", parts.join("."))
}

#[test]
fn rfc8588_what_is_signed_is_verified() {
    let (signer, certificate) = signer();
    for attestation in Attestation::ALL {
        let passport = Passport { attestation, ..passport() };
        let field = signer.sign(&passport);
        assert_eq!(verify(&field, &certificate, &expected()), Ok(passport));
        assert_eq!(field, signer.sign(&Passport { attestation, ..crate::chain::passport() }), "RFC 6979");
    }
}

#[test]
fn rfc8225_9_a_token_is_written_in_the_canonical_order_without_white_space() {
    let (signer, _) = signer();
    let field = signer.sign(&passport());
    let url = "https://certs.carrier.example/shaken.pem";
    let header = format!(r#"{{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"{url}"}}"#);
    assert_eq!(part(&field, 0), header);
    assert_eq!(
        part(&field, 1),
        format!(
            r#"{{"attest":"A","dest":{{"tn":["34911000100"]}},"iat":{NOW},"orig":{{"tn":"12155551212"}},"origid":"{}"}}"#,
            passport().origin_id
        )
    );
    assert!(field.ends_with(&format!(";info=<{url}>;alg=ES256;ppt=shaken")), "{field}");
    assert_eq!(find(&field).expect("a token").url(), url);
}

#[test]
fn rfc8224_6_2_the_field_of_another_extension_is_passed_over() {
    let (signer, certificate) = signer();
    let shaken = signer.sign(&passport());
    let div = shaken.replace("ppt=shaken", "ppt=div");
    let plain = shaken.replace(";ppt=shaken", "");
    let token = Token::find([&*div, &*plain, &*shaken].into_iter()).expect("the third");
    assert_eq!(token.verify(&certificate, &expected()), Ok(passport()));
    assert_eq!(Token::find([&*div, &*plain].into_iter()), Err(Failure::Missing));
    assert_eq!(Token::find(std::iter::empty()), Err(Failure::Missing));
    assert_eq!(Failure::Missing.status(), 428);
}

#[test]
fn a_field_that_is_no_passport_is_invalid() {
    let (signer, _) = signer();
    let field = signer.sign(&passport());
    let header = part(&field, 0);
    let long = "a".repeat(9_000);
    for broken in [
        "nonsense".to_owned(),
        ";info=<https://h>;ppt=shaken".to_owned(),
        "a.b.c;info=<https://h>;ppt=shaken".to_owned(),
        "..sig;info=<https://h>;ppt=shaken".to_owned(),
        format!("{long};info=<https://h>;ppt=shaken"),
        field.replace("alg=ES256", "alg=none"),
        field.replace("info=<https://certs.", "info=<https://other."),
        with_part(&field, 0, "{}"),
        with_part(&field, 0, &header.replace("ES256", "none")),
        with_part(&field, 0, &header.replace("ES256", "HS256")),
        with_part(&field, 0, &header.replace(r#""passport""#, r#""JWT""#)),
        with_part(&field, 0, &header.replace(r#""shaken""#, r#""div""#)),
        with_part(&field, 0, &header.replace(r#","typ""#, r#","crit":["b64"],"typ""#)),
    ] {
        let failure = find(&broken).expect_err(&broken);
        assert!(matches!(failure, Failure::Invalid(_)), "{failure:?} for {broken}");
        assert_eq!((failure.status(), failure.phrase()), (438, "Invalid Identity Header"));
    }
}

#[test]
fn a_certificate_is_fetched_by_https_alone() {
    let signer = |url| {
        let key = rcgen::KeyPair::generate().expect("a key");
        Signer::read(key.serialize_pem().as_bytes(), url).expect("a signer")
    };
    for url in ["http://certs.example/a.pem", "file:///etc/passwd", "HTTPS:certs"] {
        let failure = find(&signer(url).sign(&passport())).expect_err(url);
        assert_eq!((failure.status(), failure.phrase()), (436, "Bad Identity Info"));
    }
}

#[test]
fn a_token_that_was_tampered_with_is_invalid() {
    let (signer, certificate) = signer();
    let field = signer.sign(&Passport { attestation: Attestation::C, ..passport() });
    let claims = part(&field, 1);
    let (token, rest) = field.split_once(';').expect("a field");
    let (signed, signature) = token.rsplit_once('.').expect("a signature");
    let other = signer.sign(&passport());
    for tampered in [
        with_part(&field, 1, &claims.replace(r#""attest":"C""#, r#""attest":"A""#)),
        with_part(&field, 0, &part(&field, 0).replace("alg", "alg ")),
        with_part(&field, 1, &claims.replace("{\"attest", "{ \"attest")),
        format!("{signed}.{};{rest}", &signature[..80]),
        format!("{signed}.;{rest}"),
        format!("{signed}.{};{rest}", other.split([';', '.']).nth(2).expect("a signature")),
    ] {
        let failure = verify(&tampered, &certificate, &expected()).expect_err(&tampered);
        assert!(matches!(failure, Failure::Invalid(_)), "{failure:?} for {tampered}");
    }
    // And one of another signer.
    let (stranger, _) = crate::chain::signer();
    let failure = verify(&stranger.sign(&passport()), &certificate, &expected()).expect_err("another key");
    assert_eq!(failure, Failure::Invalid("the signature is wrong".into()));
}

#[test]
fn rfc8224_6_2_a_token_that_is_not_fresh_is_a_replay() {
    let (signer, certificate) = signer();
    for (age, fresh) in [(0, true), (60, true), (-60, true), (61, false), (-61, false), (86_400, false)] {
        let field = signer.sign(&Passport { issued_at: NOW - age, ..passport() });
        let found = verify(&field, &certificate, &expected());
        assert_eq!(found.is_ok(), fresh, "{age} s: {found:?}");
        if let Err(failure) = found {
            assert_eq!(failure, Failure::Stale(age));
            assert_eq!((failure.status(), failure.phrase()), (403, "Stale Date"));
        }
    }
}

#[test]
fn a_token_of_another_call_is_invalid() {
    let (signer, certificate) = signer();
    let two = Passport { dest: vec![number("34911000199"), number("34911000100")], ..passport() };
    assert!(verify(&signer.sign(&two), &certificate, &expected()).is_ok());
    for other in [
        Passport { orig: number("12155551213"), ..passport() },
        Passport { dest: vec![number("34911000199")], ..passport() },
        Passport { dest: Vec::new(), ..passport() },
    ] {
        let failure = verify(&signer.sign(&other), &certificate, &expected()).expect_err("another call");
        assert!(matches!(failure, Failure::Invalid(_)), "{failure:?}");
    }
}

#[test]
fn a_certificate_that_was_fetched_in_its_time_is_refused_after_it() {
    let (signer, certificate) = signer();
    let later = NOW + 366 * 86_400;
    let field = signer.sign(&Passport { issued_at: later, ..passport() });
    let failure = verify(&field, &certificate, &Expected { now: later, ..expected() });
    assert_eq!(failure, Err(Failure::Credential("is out of its time".into())));
}

#[test]
fn rfc8224_6_2_a_certificate_for_numbers_speaks_for_no_others() {
    let (signer, certificate) = signer_for(b"\x30\x0f\xa2\x0d\x16\x0b12155551212");
    assert_eq!(verify(&signer.sign(&passport()), &certificate, &expected()), Ok(passport()));
    let other = Passport { orig: number("12155551213"), ..passport() };
    let failure =
        verify(&signer.sign(&other), &certificate, &Expected { orig: other.orig.clone(), ..expected() });
    assert_eq!(failure.expect_err("not its number").status(), 437);
}

#[test]
fn claims_that_are_not_those_of_shaken_are_invalid_whoever_signs_them() {
    let root = crate::chain::Authority::root();
    let (key, certificate) = root.signer(&crate::chain::Leaf::default());
    let certificate = root.anchors().check(certificate.as_bytes(), NOW).expect("trusted");
    let claims = part(&Signer::read(key.as_bytes(), crate::chain::URL).expect("a key").sign(&passport()), 1);
    for (wrong, reason) in [
        (claims.replace("\"A\"", "\"D\""), "claims"),
        (claims.replace("\"iat\":", "\"iat\":\"x\",\"other\":"), "claims"),
        (claims.replace("\"origid\"", "\"other\""), "claims"),
        (claims.replace("\"attest\":\"A\"", "\"attest\":\"A\",\"attest\":\"A\""), "claims"),
        (claims.replace("12155551212", "alice"), "telephone number"),
        ("[]".to_owned(), "claims"),
    ] {
        let field = resigned(&key, &wrong);
        let failure = verify(&field, &certificate, &expected()).expect_err(&wrong);
        assert!(matches!(&failure, Failure::Invalid(why) if why.contains(reason)), "{failure:?} for {wrong}");
    }
    assert_eq!(verify(&resigned(&key, &claims), &certificate, &expected()), Ok(passport()));
}

/// A field with these claims, signed with ring.
fn resigned(key: &str, claims: &str) -> String {
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    let random = ring::rand::SystemRandom::new();
    let der = rcgen::KeyPair::from_pem(key).expect("a key").serialize_der();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).expect("a key");
    let url = crate::chain::URL;
    let header = format!(r#"{{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"{url}"}}"#);
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = pair.sign(&random, signed.as_bytes()).expect("signed");
    format!("{signed}.{};info=<{url}>;ppt=\"shaken\"", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn rfc9562_5_8_the_place_where_calls_begin_has_an_identifier_that_stays() {
    let id = origin_id(&["madrid-1", "carrier"]);
    assert_eq!(id, origin_id(&["madrid-1", "carrier"]));
    assert_ne!(id, origin_id(&["madrid-1carrier", ""]));
    let groups: Vec<_> = id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12]);
    assert_eq!(id.as_bytes()[14], b'8');
    assert!(b"89ab".contains(&id.as_bytes()[19]));
}
