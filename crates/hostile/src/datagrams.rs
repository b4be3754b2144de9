//! What comes to a port of media: RTP, RTCP, keys, UDPTL, checks of ICE, handshakes of DTLS.

use clock::{Duration, Time};
use hmac::{Hmac, KeyInit, Mac};
use rtp::control::{DigitFormat, OpusFormat, Setup};
use rtp::udptl::{MAX_DATAGRAM, Udptl};
use rtp::{
    Codec, Content, Digit, DigitDetector, DtlsRole, HEADER_LEN, MasterKey, Packet, Received, RtpError,
    Security, Stream, Suite, is_rtcp,
};
use secure::{Dtls, IceLite, Identity, Inbound};
use sha1::Sha1;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use std::time::Instant;

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)), 4_000);
const STRANGER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(192, 0, 2, 66)), 4_000);
/// From one datagram to the next.
const BEAT: Duration = Duration::from_millis(20);
const KEYS: &str = "0123456789*#ABCD";

/// An input is a row of datagrams, each with its length in two octets before it; the last may be cut short.
fn pieces(mut input: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = input.split_first_chunk::<2>()?;
        let (piece, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)).min(rest.len()));
        input = rest;
        Some(piece)
    })
}

fn stream(fax: bool) -> Stream {
    let mut stream = Stream::new(1, 65_530, u32::MAX - 500);
    let setup = Setup {
        remote: Some(PEER),
        rtcp: (!fax).then_some(PEER),
        signalled: PEER.ip(),
        codec: Codec::Pcmu,
        send_type: 0,
        receive_types: vec![(0, Codec::Pcmu), (9, Codec::G722), (111, Codec::Opus)],
        opus: OpusFormat::default(),
        digits: Some(DigitFormat { clock_rate: 8_000, send_type: 101, receive_type: 101 }),
        ptime: 20,
        send: true,
        receive: true,
        security: Security::Plain,
        fax,
    };
    stream.apply(Time::ZERO, setup);
    stream
}

fn assert_keys(digits: impl IntoIterator<Item = Digit>) {
    for Digit { digit, millis } in digits {
        assert!(KEYS.contains(digit), "{digit:?} is no key");
        assert!(millis <= 3_600_000, "a key of {millis} ms");
    }
}

/// RTP and RTCP on one port, to a stream and on to another; and the same to a port that has keys.
///
/// # Panics
/// If a payload lies outside of its packet, what is forwarded is not read as it was sent, a stranger is heard, more is
/// counted than came, or what nobody has protected passes for protected.
pub fn rtp(input: &[u8]) {
    let (mut heard, mut other) = (stream(false), stream(false));
    let suites = [(Suite::AesCm128Sha1Tag80, 30), (Suite::AeadAes128Gcm, 28)];
    let key = |(suite, length)| MasterKey::new(suite, &[7; 44][..length]).expect("a key");
    let mut keyed = suites.map(|it| Inbound::new(&key(it)));
    let (mut now, mut count) = (Time::ZERO, 0);
    for datagram in pieces(input) {
        (now, count) = (now + BEAT, count + 1);
        assert_refused(&mut keyed, datagram);
        if !is_rtcp(datagram) {
            let unheard = heard.receive(now, STRANGER, datagram);
            assert!(matches!(unheard, Received::Foreign | Received::Malformed), "{unheard:?}");
        }
        let (packet, content) = match heard.receive(now, PEER, datagram) {
            Received::Audio { packet, .. } => (packet, Content::Audio),
            Received::Event { packet, digits } => {
                assert_keys(digits.into_iter().flatten());
                (packet, Content::Event)
            }
            _ => continue,
        };
        assert!(packet.payload(datagram).len() + HEADER_LEN <= datagram.len());
        if let Some(header) = other.forward(now, &packet.header, content) {
            let mut copy = datagram.to_vec();
            let sent = packet.rewrite(&mut copy, header);
            let read = Packet::parse(sent).expect("what we send");
            assert_eq!((read.header, read.payload(sent)), (header, packet.payload(datagram)));
        }
    }
    assert_keys(heard.flush_digit(now + Duration::from_secs(9)));
    let stats = heard.stats();
    assert!(stats.received <= count && other.stats().sent <= count, "{stats:?} of {count}");
}

/// Without the key no tag is right, so that nothing is unprotected.
fn assert_refused(keyed: &mut [Inbound], datagram: &[u8]) {
    for inbound in keyed {
        let mut copy = datagram.to_vec();
        let opened =
            if is_rtcp(datagram) { inbound.unprotect_rtcp(&mut copy) } else { inbound.unprotect(&mut copy) };
        assert!(opened.is_err(), "{datagram:?} passes for protected");
    }
}

/// The payloads of telephone-events (RFC 4733), each of three octets of timestamp and clock before it.
///
/// # Panics
/// If what is told is no key, or there are more keys than payloads.
pub fn events(input: &[u8]) {
    let mut detector = DigitDetector::default();
    let (mut now, mut told) = (Time::ZERO, 0);
    let mut count = 0;
    for piece in pieces(input) {
        let Some(([high, low, clock], payload)) = piece.split_first_chunk::<3>() else { continue };
        (now, count) = (now + BEAT, count + 1);
        let timestamp = u32::from_be_bytes([0xFF, *high, *low, 0]);
        let clock_rate = [8_000, 16_000, 48_000, 0][usize::from(clock % 4)];
        let digits = detector.packet(now, u32::from(clock / 4), timestamp, clock_rate, payload);
        told += digits.iter().flatten().count();
        assert_keys(digits.into_iter().flatten());
    }
    let last = detector.flush(now + Duration::from_secs(9));
    told += usize::from(last.is_some());
    assert_keys(last);
    assert!(told <= count, "{told} keys of {count} payloads");
}

/// Compound RTCP: sender and receiver reports, extended reports, and whatever else may come.
///
/// # Panics
/// If more reports are read than there is room for, or a stranger's are believed.
pub fn rtcp(input: &[u8]) {
    let (mut hears, mut unheard) = (stream(false), stream(false));
    let mut now = Time::ZERO;
    let mut report = Vec::new();
    for datagram in pieces(input) {
        now += BEAT;
        let packets = rtp::rtcp::packets(datagram).count();
        assert!(packets <= datagram.len() / 4 + 1, "{packets} packets in {} octets", datagram.len());
        hears.receive_rtcp(now, PEER, datagram);
        assert!(!unheard.receive_rtcp(now, STRANGER, datagram));
        let target = hears.report(now + Duration::from_secs(9), &mut report);
        assert!(target.is_none() || is_rtcp(&report), "{report:?}");
    }
    let none = unheard.stats();
    assert!(none.at_peer.is_none() && none.round_trip.is_none(), "{none:?}");
}

/// UDPTL to a stream that has fax, and to one that has none.
///
/// # Panics
/// If a datagram with an octet less or more is another whole one, one is longer than may be, a stranger's is taken, or fax is
/// taken where there is none.
pub fn udptl(input: &[u8]) {
    let (mut heard, mut audio) = (stream(true), stream(false));
    let (mut now, mut count) = (Time::ZERO, 0);
    for datagram in pieces(input) {
        (now, count) = (now + BEAT, count + 1);
        let read = Udptl::parse(datagram);
        if let Ok(read) = read {
            assert!(datagram.len() <= MAX_DATAGRAM && read.primary + 4 <= datagram.len());
            let short = Udptl::parse(&datagram[..datagram.len() - 1]);
            assert_eq!(short, Err(RtpError::Truncated), "{datagram:?}");
            assert!(Udptl::parse(&[datagram, b"x"].concat()).is_err());
        }
        assert!(!heard.receive_fax(now, STRANGER, datagram) && !audio.receive_fax(now, PEER, datagram));
        assert_eq!(heard.receive_fax(now, PEER, datagram), read.is_ok());
    }
    let fax = heard.stats().fax.unwrap_or_default();
    assert!(fax.received <= count, "{fax:?} of {count}");
}

/// A check of ICE, as it comes and signed with the right password.
///
/// # Panics
/// If a check of a stranger is answered, or the answer is not that of the check.
pub fn check(input: &[u8]) {
    let mut ice = IceLite::new("ours", "secret", "theirs");
    assert!(ice.check(Time::ZERO, PEER, input).is_none(), "a signature that nobody could make: {input:?}");
    let mut signed = input.to_vec();
    if signed.len() < 20 || signed.len() > 60_000 {
        return;
    }
    // The length counts the signature (RFC 8489 14.5).
    let length = (signed.len() + 4).to_be_bytes();
    signed[2..4].copy_from_slice(&length[length.len() - 2..]);
    let mut mac = Hmac::<Sha1>::new_from_slice(b"secret").expect("any length will do");
    mac.update(&signed);
    signed.extend([0, 8, 0, 20]);
    signed.extend(mac.finalize().into_bytes());
    if let Some(answer) = ice.check(Time::ZERO, PEER, &signed) {
        let answer = answer.as_bytes();
        assert!(answer.starts_with(&[1, 1]) && answer[4..20] == signed[4..20], "{answer:?}");
        assert!(ice.is_verified(PEER) && !ice.is_verified(STRANGER));
    } else {
        assert!(!ice.is_verified(PEER) && ice.target(Time::ZERO).is_none());
    }
}

/// Records to a handshake that a server waits for, and to one that a client has begun.
///
/// # Panics
/// If there are keys without the peer's certificate.
#[expect(clippy::disallowed_methods, reason = "rtc-dtls takes an Instant, and there is no other way to one")]
pub fn dtls(input: &[u8]) {
    static IDENTITIES: LazyLock<[Identity; 2]> =
        LazyLock::new(|| [(); 2].map(|()| Identity::generate().expect("a certificate")));
    let now = Instant::now();
    let [own, other] = &*IDENTITIES;
    for role in [DtlsRole::Server, DtlsRole::Client] {
        let expected = other.fingerprint().clone();
        let Ok(mut dtls) = Dtls::new(now, own, role, expected) else { continue };
        for datagram in pieces(input) {
            let failed = dtls.receive(now, datagram).is_err();
            while dtls.next_datagram().is_some() {}
            assert!(dtls.keys().is_none(), "keys that nobody else can have");
            if failed {
                break;
            }
        }
    }
}
