//! Handshakes of two parties without a network.

use rtp::{DtlsRole, Fingerprint};
use secure::{Dtls, DtlsError, Identity};
use std::time::{Duration, Instant};

/// Some moment: only what passes after it counts.
#[expect(clippy::disallowed_methods, reason = "there is no other way to an Instant")]
fn beginning() -> Instant {
    Instant::now()
}

fn identity() -> Identity {
    Identity::generate().expect("a certificate")
}

/// One that expects a certificate of that fingerprint.
fn party(now: Instant, own: &Identity, role: DtlsRole, expected: &Fingerprint) -> Dtls {
    Dtls::new(now, own, role, expected.clone()).expect("an association")
}

/// Carries datagrams both ways until nobody says anything more; whatever was the first to fail.
fn converse(now: Instant, client: &mut Dtls, server: &mut Dtls) -> Result<(), DtlsError> {
    loop {
        let mut quiet = true;
        while let Some(datagram) = client.next_datagram() {
            quiet = false;
            server.receive(now, datagram.as_ref())?;
        }
        while let Some(datagram) = server.next_datagram() {
            quiet = false;
            client.receive(now, datagram.as_ref())?;
        }
        if quiet {
            return Ok(());
        }
    }
}

#[test]
fn both_have_the_same_keys_after_a_handshake() {
    let (alice, bob, now) = (identity(), identity(), beginning());
    let mut client = party(now, &alice, DtlsRole::Client, bob.fingerprint());
    let mut server = party(now, &bob, DtlsRole::Server, alice.fingerprint());
    converse(now, &mut client, &mut server).expect("a handshake");
    let (ours, theirs) = (client.keys().expect("keys"), server.keys().expect("keys"));
    assert_eq!((&ours.send, &ours.receive), (&theirs.receive, &theirs.send));
    assert_ne!(ours.send, ours.receive);
}

/// The whole point of the fingerprint: whoever is in between has another certificate.
#[test]
fn a_certificate_that_was_not_told_gets_no_keys() {
    let (alice, bob, mallory, now) = (identity(), identity(), identity(), beginning());
    let mut client = party(now, &mallory, DtlsRole::Client, bob.fingerprint());
    let mut server = party(now, &bob, DtlsRole::Server, alice.fingerprint());
    assert!(matches!(converse(now, &mut client, &mut server), Err(DtlsError::Handshake(_))));
    assert!(server.keys().is_none());

    let mut client = party(now, &alice, DtlsRole::Client, bob.fingerprint());
    let mut server = party(now, &mallory, DtlsRole::Server, alice.fingerprint());
    assert!(matches!(converse(now, &mut client, &mut server), Err(DtlsError::Handshake(_))));
    assert!(client.keys().is_none());
}

#[test]
fn a_hello_that_is_lost_is_repeated() {
    let (alice, bob, now) = (identity(), identity(), beginning());
    let mut client = party(now, &alice, DtlsRole::Client, bob.fingerprint());
    let mut server = party(now, &bob, DtlsRole::Server, alice.fingerprint());
    while client.next_datagram().is_some() {}
    client.on_time(now + Duration::from_millis(100)).expect("it is early yet");
    assert!(client.next_datagram().is_none());
    let later = now + Duration::from_secs(2);
    client.on_time(later).expect("a second try");
    converse(later, &mut client, &mut server).expect("a handshake");
    assert!(client.keys().is_some() && server.keys().is_some());
}

/// CVE-2023-49786 and its kin: what a stranger sends into it does not end it.
#[test]
fn junk_does_not_end_a_handshake_that_is_through() {
    let (alice, bob, now) = (identity(), identity(), beginning());
    let mut client = party(now, &alice, DtlsRole::Client, bob.fingerprint());
    let mut server = party(now, &bob, DtlsRole::Server, alice.fingerprint());
    converse(now, &mut client, &mut server).expect("a handshake");
    let keys = server.keys().cloned();
    let mut other = party(now, &alice, DtlsRole::Client, bob.fingerprint());
    while let Some(hello) = other.next_datagram() {
        let _refused = server.receive(now, hello.as_ref());
    }
    for junk in [&[22_u8, 254, 253][..], &[0; 64], &[21; 15]] {
        let _refused = server.receive(now, junk);
    }
    assert_eq!(server.keys().cloned(), keys);
}

/// RFC 6347 section 4.1.2.7: whoever can send a datagram must not be able to end the handshake of another.
#[test]
fn rfc6347_4_1_2_7_what_is_no_record_does_not_end_a_handshake_that_has_begun() {
    let (alice, bob, now) = (identity(), identity(), beginning());
    let mut client = party(now, &alice, DtlsRole::Client, bob.fingerprint());
    let mut server = party(now, &bob, DtlsRole::Server, alice.fingerprint());
    let hello = client.next_datagram().expect("a hello");
    let cut = &hello.as_ref()[..hello.as_ref().len() - 1];
    for junk in [&[0x16][..], cut, &[0x16, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]] {
        server.receive(now, junk).expect("it is passed over");
    }
    server.receive(now, hello.as_ref()).expect("a hello");
    converse(now, &mut client, &mut server).expect("a handshake");
    assert!(client.keys().is_some() && server.keys().is_some());
}

/// The library keeps every fragment, and joins them one within the other.
#[test]
fn a_peer_that_sends_fragments_without_end_is_given_up() {
    let (alice, bob, now) = (identity(), identity(), beginning());
    let mut server = party(now, &bob, DtlsRole::Server, alice.fingerprint());
    let fragment = |number: u32| {
        let mut record = vec![0x16, 0xFE, 0xFD, 0, 0];
        record.extend([0, 0]);
        record.extend(number.to_be_bytes());
        record.extend([0, 13]);
        // A ClientHello of 60,000 bytes, one byte of it.
        record.extend([1, 0, 0xEA, 0x60, 0, 0]);
        record.extend(&(number + 1).to_be_bytes()[1..]);
        record.extend([0, 0, 1, 0]);
        record
    };
    let given_up = (0..50_000).find(|number| server.receive(now, &fragment(*number)).is_err());
    assert!(given_up.is_some_and(|number| number < 2_000), "{given_up:?}");
}
