//! RFC 7616, RFC 2617 and RFC 3261 section 22.

use clock::{Duration, Time};
use sip::{
    Algorithm, Challenge, Credentials, DigestRequest, Method, Name, ParseError, Protection, Verdict,
    Verifier, VerifierConfig, ha1, response,
};

const REALM: &str = "pbx.example";
const USER: &str = "1000";
const PASSWORD: &str = "pw1000";

fn verifier() -> Verifier {
    Verifier::new(VerifierConfig::new([7; 32]))
}

fn answer(challenge: &Challenge, password: &str, count: u32) -> Credentials {
    Credentials::answer(challenge, USER, password, &Method::Register, "sip:pbx.example", "c0ffee", count)
}

fn check(verifier: &mut Verifier, now: Time, given: &Credentials) -> Verdict {
    let ha1 = ha1(given.algorithm, USER, REALM, PASSWORD);
    let request = DigestRequest { method: &Method::Register, realm: REALM, username: USER, ha1: Some(&ha1) };
    verifier.check(now, &request, given)
}

#[test]
fn rfc_7616_section_3_9_1_both_hashes() {
    let protection = Protection {
        cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".to_owned(),
        nc: "00000001".to_owned(),
    };
    let digest = |algorithm| {
        let ha1 = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let get = Method::from("GET");
        response(algorithm, &ha1, &get, "/dir/index.html", nonce, Some(&protection))
    };
    assert_eq!(digest(Algorithm::Md5), "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(digest(Algorithm::Sha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

#[test]
fn rfc_2069_without_quality_of_protection() {
    let ha1 = ha1(Algorithm::Md5, "Mufasa", "testrealm@host.com", "CircleOfLife");
    let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    let digest = response(Algorithm::Md5, &ha1, &Method::from("GET"), "/dir/index.html", nonce, None);
    assert_eq!(digest, "1949323746fe6a43ef61f9606e7febea");
}

#[test]
fn challenges_are_read_in_every_spelling() {
    let challenge = Challenge::parse(
        "digest  Realm = \"a \\\"b\\\", c\",nonce=\"n,1\" , qop=\"auth-int, AUTH\",STALE=True,\
         algorithm=sha-256,opaque=\"\",domain=\"sip:x\"",
    )
    .unwrap();
    assert_eq!((challenge.realm.as_str(), challenge.nonce.as_str()), ("a \"b\", c", "n,1"));
    assert!(challenge.qop_auth && challenge.stale);
    assert_eq!((challenge.algorithm, challenge.opaque.as_deref()), (Algorithm::Sha256, Some("")));
    let old = Challenge::parse(r#"Digest realm="r", nonce="n""#).unwrap();
    assert_eq!((old.algorithm, old.qop_auth, old.stale), (Algorithm::Md5, false, false));
}

#[test]
fn rfc_8760_section_2_4_challenges_that_we_cannot_answer_are_passed_over() {
    let unanswerable = [
        "",
        "Digest",
        r#"Basic realm="r""#,
        r#"Digest realm="r""#,
        r#"Digest nonce="n""#,
        r#"Digest realm="r", nonce="n", algorithm=SHA-512-256"#,
        r#"Digest realm="r", nonce="n", algorithm=MD5-sess"#,
        r#"Digest realm="r", nonce="n", qop="auth-int""#,
    ];
    for value in unanswerable {
        assert!(
            matches!(Challenge::parse(value), Err(ParseError::Invalid(Name::WwwAuthenticate))),
            "{value}"
        );
    }
}

#[test]
fn credentials_that_cannot_be_read() {
    let whole = r#"Digest username="u", realm="r", nonce="n", uri="sip:x", response="0""#;
    assert!(Credentials::parse(whole).is_ok());
    for (part, instead) in [("username=\"u\", ", ""), ("uri=\"sip:x\", ", ""), (", response=\"0\"", "")] {
        assert!(Credentials::parse(&whole.replace(part, instead)).is_err(), "without {part}");
    }
    for more in [
        "qop=auth",
        "qop=auth, nc=00000001",
        "qop=auth, cnonce=\"c\"",
        "qop=auth, cnonce=\"c\", nc=1",
        "qop=auth, cnonce=\"c\", nc=+0000001",
        "qop=auth-int, cnonce=\"c\", nc=00000001",
    ] {
        assert!(Credentials::parse(&format!("{whole}, {more}")).is_err(), "{more}");
    }
    let quoted = format!("{whole}, qop=\"auth\", cnonce=\"c\", nc=0000000A");
    assert_eq!(Credentials::parse(&quoted).unwrap().protection.unwrap().nc, "0000000A");
}

#[test]
fn the_right_password_is_valid_and_survives_the_wire() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let mut verifier = verifier();
        let challenge = verifier.challenge(Time::ZERO, REALM, algorithm, false);
        let challenge = Challenge::parse(&challenge.to_string()).unwrap();
        let given = answer(&challenge, PASSWORD, 1);
        let given = Credentials::parse(&given.to_string()).unwrap();
        assert_eq!(check(&mut verifier, Time::from_secs(1), &given), Verdict::Valid);
    }
}

#[test]
fn wrong_passwords_users_realms_and_methods() {
    let mut verifier = verifier();
    let challenge = verifier.challenge(Time::ZERO, REALM, Algorithm::Md5, false);
    let now = Time::from_secs(1);
    assert_eq!(check(&mut verifier, now, &answer(&challenge, "guess", 1)), Verdict::Wrong);
    let right = answer(&challenge, PASSWORD, 1);
    let other_user = Credentials { username: "1001".to_owned(), ..right.clone() };
    assert_eq!(check(&mut verifier, now, &other_user), Verdict::Wrong);
    let other_realm = Credentials { realm: "else.example".to_owned(), ..right.clone() };
    assert_eq!(check(&mut verifier, now, &other_realm), Verdict::Wrong);
    let ha1 = ha1(Algorithm::Md5, USER, REALM, PASSWORD);
    let request = DigestRequest { method: &Method::Invite, realm: REALM, username: USER, ha1: Some(&ha1) };
    assert_eq!(verifier.check(now, &request, &right), Verdict::Wrong, "a digest is for one method");
    let nobody = DigestRequest { method: &Method::Register, realm: REALM, username: USER, ha1: None };
    assert_eq!(verifier.check(now, &nobody, &right), Verdict::Wrong);
    assert_eq!(check(&mut verifier, now, &right), Verdict::Valid, "wrong ones leave no trace");
}

#[test]
fn a_nonce_that_is_not_ours_or_too_old_is_stale() {
    let mut verifier = verifier();
    let ours = verifier.challenge(Time::from_secs(10), REALM, Algorithm::Md5, false);
    let mut forged = ours.clone();
    forged.nonce.replace_range(0..1, "1");
    for nonce in
        [forged.nonce.as_str(), "", "invented", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"]
    {
        let challenge = Challenge { nonce: nonce.to_owned(), ..ours.clone() };
        assert_eq!(
            check(&mut verifier, Time::from_secs(11), &answer(&challenge, PASSWORD, 1)),
            Verdict::Stale
        );
    }
    let mut elsewhere = Verifier::new(VerifierConfig::new([8; 32]));
    let theirs = elsewhere.challenge(Time::from_secs(10), REALM, Algorithm::Md5, false);
    assert_eq!(check(&mut verifier, Time::from_secs(11), &answer(&theirs, PASSWORD, 1)), Verdict::Stale);
    assert_eq!(check(&mut verifier, Time::from_secs(310), &answer(&ours, PASSWORD, 1)), Verdict::Valid);
    assert_eq!(check(&mut verifier, Time::from_secs(311), &answer(&ours, PASSWORD, 2)), Verdict::Stale);
}

#[test]
fn a_nonce_of_another_realm_is_stale() {
    let mut verifier = verifier();
    let mut challenge = verifier.challenge(Time::ZERO, "other.example", Algorithm::Md5, false);
    challenge.realm = REALM.to_owned();
    assert_eq!(check(&mut verifier, Time::ZERO, &answer(&challenge, PASSWORD, 1)), Verdict::Stale);
}

#[test]
fn a_captured_digest_does_not_serve_again() {
    let mut verifier = verifier();
    let challenge = verifier.challenge(Time::ZERO, REALM, Algorithm::Sha256, false);
    let now = Time::from_secs(1);
    let second = answer(&challenge, PASSWORD, 2);
    let first = answer(&challenge, PASSWORD, 1);
    assert_eq!(check(&mut verifier, now, &second), Verdict::Valid);
    assert_eq!(check(&mut verifier, now, &first), Verdict::Valid, "overtaken on the way");
    assert_eq!(check(&mut verifier, now, &second), Verdict::Replayed);
    assert_eq!(check(&mut verifier, now, &first), Verdict::Replayed);
    let zero = answer(&challenge, PASSWORD, 0);
    assert_eq!(check(&mut verifier, now, &zero), Verdict::Replayed, "counts begin at 1");
}

#[test]
fn a_nonce_without_count_serves_once() {
    let mut verifier = verifier();
    let mut challenge = verifier.challenge(Time::ZERO, REALM, Algorithm::Md5, false);
    challenge.qop_auth = false;
    let given = answer(&challenge, PASSWORD, 1);
    assert_eq!(given.protection, None);
    assert_eq!(check(&mut verifier, Time::ZERO, &given), Verdict::Valid);
    assert_eq!(check(&mut verifier, Time::ZERO, &given), Verdict::Replayed);
}

#[test]
fn a_count_that_was_forgotten_makes_its_nonce_stale_not_fresh() {
    let config =
        VerifierConfig { max_nonces: 2, lifetime: Duration::from_secs(60), ..VerifierConfig::new([9; 32]) };
    let mut verifier = Verifier::new(config);
    let mut answers = Vec::new();
    for _ in 0..3 {
        let challenge = verifier.challenge(Time::ZERO, REALM, Algorithm::Md5, false);
        answers.push(answer(&challenge, PASSWORD, 1));
    }
    for given in &answers {
        assert_eq!(check(&mut verifier, Time::ZERO, given), Verdict::Valid);
    }
    assert_eq!(check(&mut verifier, Time::ZERO, &answers[0]), Verdict::Stale);
    assert_eq!(check(&mut verifier, Time::ZERO, &answers[1]), Verdict::Replayed);
    assert_eq!(check(&mut verifier, Time::from_secs(61), &answers[2]), Verdict::Stale);
}

#[test]
fn nonces_differ() {
    let mut verifier = verifier();
    let first = verifier.challenge(Time::ZERO, REALM, Algorithm::Md5, true);
    let second = verifier.challenge(Time::ZERO, REALM, Algorithm::Md5, true);
    assert_ne!(first.nonce, second.nonce);
    assert!(first.to_string().ends_with(", qop=\"auth\", stale=true"));
}
