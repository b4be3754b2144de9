//! RFC 7616, RFC 2617 and RFC 3261 section 22.

use clock::{Duration, Time};
use sip::{
    Algorithm, Challenge, Credentials, DigestRequest, Method, Name, ParseError, Protection, Verdict,
    Verifier, VerifierConfig, ha1, response,
};
use std::net::{IpAddr, Ipv4Addr};

const REALM: &str = "pbx.example";
const USER: &str = "1000";
const PASSWORD: &str = "pw1000";
const PEER: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));

/// From a user that does not exist.
const REQUEST: DigestRequest<'_> = DigestRequest {
    method: &Method::Register,
    request_uri: "sip:pbx.example",
    peer: PEER,
    realm: REALM,
    username: USER,
    ha1: None,
};

fn verifier() -> Verifier {
    Verifier::new(VerifierConfig::new([7; 32]))
}

fn answer(challenge: &Challenge, password: &str, count: u32) -> Credentials {
    Credentials::answer(challenge, USER, password, &Method::Register, "sip:pbx.example", "c0ffee", count)
}

fn check(verifier: &mut Verifier, now: Time, given: &Credentials) -> Verdict {
    let ha1 = ha1(given.algorithm, USER, REALM, PASSWORD);
    verifier.check(now, &DigestRequest { ha1: Some(&ha1), ..REQUEST }, given)
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
        let challenge = verifier.challenge(Time::ZERO, (REALM, PEER), algorithm, false);
        let challenge = Challenge::parse(&challenge.to_string()).unwrap();
        let given = answer(&challenge, PASSWORD, 1);
        let given = Credentials::parse(&given.to_string()).unwrap();
        assert_eq!(check(&mut verifier, Time::from_secs(1), &given), Verdict::Valid);
    }
}

#[test]
fn wrong_passwords_users_realms_and_methods() {
    let mut verifier = verifier();
    let challenge = verifier.challenge(Time::ZERO, (REALM, PEER), Algorithm::Md5, false);
    let now = Time::from_secs(1);
    assert_eq!(check(&mut verifier, now, &answer(&challenge, "guess", 1)), Verdict::Wrong);
    let right = answer(&challenge, PASSWORD, 1);
    let other_user = Credentials { username: "1001".to_owned(), ..right.clone() };
    assert_eq!(check(&mut verifier, now, &other_user), Verdict::Wrong);
    let other_realm = Credentials { realm: "else.example".to_owned(), ..right.clone() };
    assert_eq!(check(&mut verifier, now, &other_realm), Verdict::Wrong);
    let ha1 = ha1(Algorithm::Md5, USER, REALM, PASSWORD);
    let request = DigestRequest { method: &Method::Invite, ha1: Some(&ha1), ..REQUEST };
    assert_eq!(verifier.check(now, &request, &right), Verdict::Wrong, "a digest is for one method");
    assert_eq!(verifier.check(now, &REQUEST, &right), Verdict::Wrong);
    assert_eq!(check(&mut verifier, now, &right), Verdict::Valid, "wrong ones leave no trace");
}

#[test]
fn a_nonce_that_is_not_ours_or_too_old_is_stale() {
    let mut verifier = verifier();
    let ours = verifier.challenge(Time::from_secs(10), (REALM, PEER), Algorithm::Md5, false);
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
    let theirs = elsewhere.challenge(Time::from_secs(10), (REALM, PEER), Algorithm::Md5, false);
    assert_eq!(check(&mut verifier, Time::from_secs(11), &answer(&theirs, PASSWORD, 1)), Verdict::Stale);
    assert_eq!(check(&mut verifier, Time::from_secs(310), &answer(&ours, PASSWORD, 1)), Verdict::Valid);
    assert_eq!(check(&mut verifier, Time::from_secs(311), &answer(&ours, PASSWORD, 2)), Verdict::Stale);
}

#[test]
fn a_nonce_of_another_realm_is_stale() {
    let mut verifier = verifier();
    let mut challenge = verifier.challenge(Time::ZERO, ("other.example", PEER), Algorithm::Md5, false);
    challenge.realm = REALM.to_owned();
    assert_eq!(check(&mut verifier, Time::ZERO, &answer(&challenge, PASSWORD, 1)), Verdict::Stale);
}

#[test]
fn a_captured_digest_does_not_serve_again() {
    let mut verifier = verifier();
    let challenge = verifier.challenge(Time::ZERO, (REALM, PEER), Algorithm::Sha256, false);
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
    let mut challenge = verifier.challenge(Time::ZERO, (REALM, PEER), Algorithm::Md5, false);
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
        let challenge = verifier.challenge(Time::ZERO, (REALM, PEER), Algorithm::Md5, false);
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
fn a_nonce_serves_its_peer_alone() {
    let ha1 = ha1(Algorithm::Md5, USER, REALM, PASSWORD);
    let from = |peer: Option<&str>| DigestRequest {
        peer: peer.map(|peer| peer.parse().unwrap()),
        ha1: Some(&ha1),
        ..REQUEST
    };
    let (v4, v6) = ("192.0.2.7", "2001:db8:0:1::7");
    for (asked, answered, verdict) in [
        (Some(v4), Some(v4), Verdict::Valid),
        (Some(v4), Some("::ffff:192.0.2.7"), Verdict::Valid),
        (Some(v6), Some("2001:db8:0:1:ffff::8"), Verdict::Valid),
        (None, None, Verdict::Valid),
        (Some(v4), Some("192.0.2.8"), Verdict::Stale),
        (Some(v6), Some("2001:db8:0:2::7"), Verdict::Stale),
        (Some(v4), Some(v6), Verdict::Stale),
        (None, Some(v4), Verdict::Stale),
        (Some(v4), None, Verdict::Stale),
    ] {
        let mut verifier = verifier();
        let challenge = verifier.challenge(Time::ZERO, (REALM, from(asked).peer), Algorithm::Md5, false);
        let given = answer(&challenge, PASSWORD, 1);
        let wrong = answer(&challenge, "guess", 1);
        let request = from(answered);
        let proven = verdict == Verdict::Valid && answered.is_some();
        assert_eq!(verifier.reached(Time::ZERO, &request, &wrong), proven, "{asked:?} {answered:?}");
        assert_eq!(verifier.check(Time::ZERO, &request, &given), verdict, "{asked:?} {answered:?}");
    }
}

#[test]
fn rfc_7616_section_3_4_6_a_digest_reaches_the_number_that_it_was_made_for() {
    let ha1 = ha1(Algorithm::Md5, USER, REALM, PASSWORD);
    for (request_uri, uri, method, peer, verdict) in [
        ("sip:+4930@pbx", "sip:+4930@pbx", Method::Invite, PEER, Verdict::Valid),
        ("sip:+4930@192.0.2.1:5062;transport=tcp", "sip:+4930@pbx", Method::Invite, PEER, Verdict::Valid),
        ("sip:%2b4930@pbx", "sips:+4930@pbx", Method::Invite, PEER, Verdict::Valid),
        ("sip:+4990@pbx", "sip:+4930@pbx", Method::Invite, PEER, Verdict::Elsewhere),
        ("sip:+4990@pbx", "sip:pbx", Method::Invite, PEER, Verdict::Elsewhere),
        ("sip:+4990@pbx", "", Method::Message, PEER, Verdict::Elsewhere),
        ("sip:+4990@pbx", "sip:+4930@pbx", Method::Invite, None, Verdict::Valid),
        ("sip:pbx", "sip:1000@pbx", Method::Register, PEER, Verdict::Valid),
    ] {
        let mut verifier = verifier();
        let challenge = verifier.challenge(Time::ZERO, (REALM, peer), Algorithm::Md5, false);
        let given = Credentials::answer(&challenge, USER, PASSWORD, &method, uri, "c0ffee", 1);
        let request = DigestRequest { method: &method, request_uri, peer, ha1: Some(&ha1), ..REQUEST };
        assert_eq!(verifier.check(Time::ZERO, &request, &given), verdict, "{request_uri} by {uri}");
    }
}

#[test]
fn rfc_7616_section_3_4_auth_int_is_not_spoken() {
    let given = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:a\", response=\"00\", \
                 qop=auth-int, nc=00000001, cnonce=\"c\"";
    assert!(Credentials::parse(given).is_err());
    assert!(Credentials::parse(&given.replace("auth-int", "auth")).is_ok());
}

#[test]
fn nonces_differ() {
    let mut verifier = verifier();
    let first = verifier.challenge(Time::ZERO, (REALM, PEER), Algorithm::Md5, true);
    let second = verifier.challenge(Time::ZERO, (REALM, PEER), Algorithm::Md5, true);
    assert_ne!(first.nonce, second.nonce);
    assert!(first.to_string().ends_with(", qop=\"auth\", stale=true"));
}

#[test]
fn credentials_of_any_text_are_written_as_they_were_read() {
    let value = r#"Digest username="a\"b", realm="r", nonce="n", uri="sip:x", response="0\", algorithm=x", opaque="""#;
    let given = Credentials::parse(value).unwrap();
    assert_eq!(given.response, "0\", algorithm=x");
    assert_eq!(Credentials::parse(&given.to_string()).ok(), Some(given));
}
