//! Streams of browsers: ICE, DTLS and SRTP over real loopback sockets.

use crate::common::{DEADLINE, Packet, Peer, Rig, encoded, noise};
use ::secure::{Dtls, Identity, Inbound, MAX_OVERHEAD, Outbound};
use rtp::control::{Event, Setup};
use rtp::{Codec, DtlsParameters, DtlsRole, IceCredentials, Security, SrtpKeys};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);

/// A party with one socket that makes checks, and shakes hands as the client.
struct Browser {
    peer: Peer,
    ice: IceCredentials,
    dtls: Dtls,
}

/// A Binding request of RFC 8445 7.1, without the attributes that nobody needs.
fn check(ice: &IceCredentials, nominates: bool) -> Vec<u8> {
    let name = format!("{}:{}", ice.local_ufrag, ice.remote_ufrag);
    let mut attributes = [&[0, 6, 0, name.len() as u8], name.as_bytes()].concat();
    attributes.resize(attributes.len().next_multiple_of(4), 0);
    if nominates {
        attributes.extend([0, 0x25, 0, 0]);
    }
    let length = (attributes.len() + 24) as u16;
    let cookie = 0x2112_A442_u32.to_be_bytes();
    let mut request = [&[0, 1], &length.to_be_bytes()[..], &cookie, &[9; 12], &attributes].concat();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, ice.local_password.as_bytes());
    let signature = ring::hmac::sign(&key, &request);
    request.extend([0, 8, 0, 20]);
    request.extend(signature.as_ref());
    request
}

impl Browser {
    /// A browser with `own` certificate, of whom the engine with `theirs` is told `told`.
    fn open(rig: &mut Rig, own: &Identity, theirs: &Identity, told: &Identity) -> Self {
        let ice = IceCredentials {
            local_ufrag: "ours".into(),
            local_password: "a-password-of-some-length".into(),
            remote_ufrag: "theirs".into(),
        };
        let peer = rig.open(Codec::Pcmu);
        let dtls = Dtls::new(Instant::now(), own, DtlsRole::Client, theirs.fingerprint().clone());
        let browser = Self { peer, ice, dtls: dtls.expect("an association") };
        browser.agree(rig, told);
        browser
    }

    /// Tells the engine what offer/answer would.
    fn agree(&self, rig: &mut Rig, told: &Identity) {
        let fingerprint = told.fingerprint().clone();
        let agreed = DtlsParameters { role: DtlsRole::Server, fingerprint, ice: self.ice.clone() };
        let nowhere = Some(SocketAddr::from(([0, 0, 0, 0], 9)));
        let security = Security::Dtls(Box::new(agreed));
        rig.set_up(&self.peer, Setup { remote: nowhere, security, ..self.peer.setup(Codec::Pcmu) });
    }

    fn put(&self, datagram: &[u8]) {
        self.peer.socket.send_to(datagram, self.peer.engine).expect("loopback");
    }

    /// Makes a check, and waits for its answer.
    fn check(&self) {
        self.put(&check(&self.ice, true));
        let mut datagram = [0; 2_048];
        loop {
            let (length, _) = self.peer.socket.recv_from(&mut datagram).expect("an answer in time");
            if datagram[..2] == [1, 1] {
                let own = self.peer.socket.local_addr().expect("it is bound");
                let port = u16::from_be_bytes([datagram[26], datagram[27]]) ^ 0x2112;
                assert_eq!((port, datagram[8]), (own.port(), 9), "{:?}", &datagram[..length]);
                return;
            }
        }
    }

    /// Shakes hands; the keys, or `None` if the engine says no more.
    fn shake(&mut self) -> Option<SrtpKeys> {
        let end = Instant::now() + DEADLINE;
        self.peer.socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a valid time-out");
        while self.dtls.keys().is_none() && Instant::now() < end {
            while let Some(record) = self.dtls.next_datagram() {
                self.put(record.as_ref());
            }
            let mut datagram = [0; 2_048];
            let Ok((length, _)) = self.peer.socket.recv_from(&mut datagram) else { break };
            if matches!(datagram[0], 20..=63) {
                self.dtls.receive(Instant::now(), &datagram[..length]).ok()?;
            }
        }
        self.peer.socket.set_read_timeout(Some(DEADLINE)).expect("a valid time-out");
        self.dtls.keys().cloned()
    }
}

#[test]
fn a_browser_is_bridged_with_a_phone_both_ways() {
    let (own, theirs) = (Identity::generate().expect("a certificate"), Identity::generate().expect("one"));
    let mut rig = Rig::start_with(70, LONG, Some(theirs.clone()));
    let (mut browser, mut phone) = (Browser::open(&mut rig, &own, &theirs, &own), rig.open(Codec::Pcmu));
    rig.bridge(&browser.peer, &phone);
    browser.check();
    let keys = browser.shake().expect("keys");
    let (mut outbound, mut inbound) = (Outbound::new(&keys.send), Inbound::new(&keys.receive));
    for (index, frame) in encoded(Codec::Pcmu, &noise(5, 160 * 20)).chunks(160).enumerate() {
        if index == 10 {
            // An ICE restart; the handshake stays, and until the new pair is checked the old one serves (RFC 8445 9).
            browser.ice.remote_ufrag = "others".into();
            browser.agree(&mut rig, &own);
        }
        if index == 12 {
            // A check of the old pair meanwhile, by which its peer consents on (RFC 7675 5.1), and a second restart.
            browser.ice.remote_ufrag = "theirs".into();
            browser.check();
            browser.ice.remote_ufrag = "thirds".into();
            browser.agree(&mut rig, &own);
        }
        if index == 15 {
            browser.check();
        }
        let plain = Packet { payload: frame.to_vec(), ..browser.peer.next.clone() }.to_bytes();
        let mut buffer = [&plain[..], &[0; MAX_OVERHEAD]].concat();
        let length = outbound.protect(&mut buffer, plain.len()).expect("a fresh number");
        browser.peer.next.sequence = browser.peer.next.sequence.wrapping_add(1);
        browser.put(&buffer[..length]);
        assert_eq!(phone.hear().payload, frame);
        phone.say(frame);
        let mut datagram = [0; 2_048];
        let (length, _) = browser.peer.socket.recv_from(&mut datagram).expect("a packet in time");
        let length = inbound.unprotect(&mut datagram[..length]).expect("under our keys");
        assert_eq!(Packet::parse(&datagram[..length]).payload, frame);
    }
    let stats = rig.close(browser.peer.stream);
    assert_eq!((stats.received, stats.sent, stats.refused), (20, 20, 0));
}

#[test]
fn a_browser_of_which_nothing_comes_is_lost_until_something_does() {
    let (own, theirs) = (Identity::generate().expect("a certificate"), Identity::generate().expect("one"));
    let mut rig = Rig::start_with(79, LONG, Some(theirs.clone()));
    let browser = Browser::open(&mut rig, &own, &theirs, &own);
    browser.check();
    let lost = |event: &Event| matches!(event, Event::Lost { .. }).then_some(());
    rig.wait_for(lost);
    browser.check();
    rig.wait_for(|event| matches!(event, Event::Back { .. }).then_some(()));
    rig.wait_for(lost);
}

/// Whoever sits between has another certificate than the one that the signalling has told.
#[test]
fn a_wrong_certificate_gets_no_media() {
    let [own, theirs, other] = [(); 3].map(|()| Identity::generate().expect("a certificate"));
    let mut rig = Rig::start_with(71, LONG, Some(theirs.clone()));
    let (mut browser, mut phone) = (Browser::open(&mut rig, &own, &theirs, &other), rig.open(Codec::Pcmu));
    rig.bridge(&browser.peer, &phone);
    browser.check();
    // The engine may have finished its side of the handshake before it looks at the certificate.
    let _of_no_use = browser.shake();
    let alarm = rig.wait_for(|event| match event {
        Event::Alarm(text) => Some(text.clone()),
        _ => None,
    });
    assert!(alarm.contains("fingerprint"), "{alarm}");
    phone.say(&[1; 160]);
    assert!(browser.peer.hears_nothing_for(Duration::from_millis(200)));
    assert_eq!(rig.close(browser.peer.stream).sent, 1, "protected by nothing, it was not sent");
}

/// CVE-2023-49786 and its kin.
#[test]
fn a_hello_from_where_no_check_has_come_from_is_not_heard() {
    let (own, theirs) = (Identity::generate().expect("a certificate"), Identity::generate().expect("one"));
    let mut rig = Rig::start_with(72, LONG, Some(theirs.clone()));
    let mut browser = Browser::open(&mut rig, &own, &theirs, &own);
    let stranger = UdpSocket::bind((rig.address, 0)).expect("a free port");
    let mut other = Dtls::new(Instant::now(), &own, DtlsRole::Client, theirs.fingerprint().clone());
    let other = other.as_mut().expect("an association");
    let mut hellos = 0;
    while let Some(hello) = other.next_datagram() {
        stranger.send_to(hello.as_ref(), browser.peer.engine).expect("loopback");
        hellos += 1;
    }
    // Nor is a check under another password answered, and its sender is a stranger still.
    let guessed = IceCredentials { local_password: "guessed".into(), ..browser.ice.clone() };
    stranger.send_to(&check(&guessed, true), browser.peer.engine).expect("loopback");
    browser.check();
    assert!(browser.shake().is_some());
    stranger.set_read_timeout(Some(Duration::from_millis(50))).expect("a valid time-out");
    assert!(stranger.recv_from(&mut [0; 2_048]).is_err());
    assert_eq!(rig.close(browser.peer.stream).refused, hellos);
}

/// Before there are keys nothing goes to the browser, and nothing of it is heard.
#[test]
fn nothing_is_sent_or_heard_in_the_clear() {
    let (own, theirs) = (Identity::generate().expect("a certificate"), Identity::generate().expect("one"));
    let mut rig = Rig::start_with(73, LONG, Some(theirs.clone()));
    let (mut browser, mut phone) = (Browser::open(&mut rig, &own, &theirs, &own), rig.open(Codec::Pcmu));
    rig.bridge(&browser.peer, &phone);
    browser.check();
    browser.peer.say(&[2; 160]);
    phone.say(&[1; 160]);
    assert!(phone.hears_nothing_for(Duration::from_millis(100)));
    assert!(browser.peer.hears_nothing_for(Duration::from_millis(100)));
    assert_eq!(rig.close(browser.peer.stream).refused, 1);
}
