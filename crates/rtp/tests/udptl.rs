//! The shape of UDPTL datagrams (ITU-T T.38 9.1): gateways', and those that have broken others.

use proptest::prelude::*;
use rtp::control::{FaxStats, OpusFormat, Setup};
use rtp::udptl::{MAX_DATAGRAM, Recovery, Udptl};
use rtp::{Codec, RtpError, Security, Stream};
use std::net::SocketAddr;

/// A datagram with these packets before its own.
fn redundant(sequence: u16, primary: &[u8], before: &[&[u8]]) -> Vec<u8> {
    let mut datagram = sequence.to_be_bytes().to_vec();
    datagram.push(primary.len() as u8);
    datagram.extend(primary);
    datagram.extend([0, before.len() as u8]);
    for packet in before {
        datagram.push(packet.len() as u8);
        datagram.extend(*packet);
    }
    datagram
}

/// One with parities of so many packets each.
fn parities(sequence: u16, primary: &[u8], span: u8, parities: &[&[u8]]) -> Vec<u8> {
    let mut datagram = sequence.to_be_bytes().to_vec();
    datagram.push(primary.len() as u8);
    datagram.extend(primary);
    datagram.extend([0x80, 1, span, parities.len() as u8]);
    for parity in parities {
        datagram.push(parity.len() as u8);
        datagram.extend(*parity);
    }
    datagram
}

#[test]
fn t38_9_1_redundancy_and_parities_are_read() {
    let read = Udptl::parse(&redundant(258, &[6, 1, 2], &[&[5], &[]])).unwrap();
    assert_eq!(read, Udptl { sequence: 258, primary: 3, recovery: Recovery::Redundancy { packets: 2 } });
    // An indicator, as a gateway begins.
    let read = Udptl::parse(&[0, 0, 1, 2, 0, 0]).unwrap();
    assert_eq!(read, Udptl { sequence: 0, primary: 1, recovery: Recovery::Redundancy { packets: 0 } });
    let read = Udptl::parse(&parities(7, &[1; 40], 3, &[&[9; 40], &[8; 38], &[7; 40]])).unwrap();
    assert_eq!(read.recovery, Recovery::Fec { span: 3, parities: 3 });
    // A length of two bytes.
    let mut long = vec![0, 1, 0x81, 0x2C];
    long.extend([3; 300]);
    long.extend([0, 0]);
    assert_eq!(Udptl::parse(&long).unwrap().primary, 300);
}

#[test]
fn ast_2016_003_lengths_that_lie_are_refused() {
    let good = redundant(1, &[1; 20], &[&[2; 20], &[3; 20]]);
    for length in 0..good.len() {
        assert_eq!(Udptl::parse(&good[..length]), Err(RtpError::Truncated), "{length} bytes");
    }
    let with = |change: fn(&mut Vec<u8>)| {
        let mut datagram = redundant(1, &[1; 20], &[&[2; 20], &[3; 20]]);
        change(&mut datagram);
        Udptl::parse(&datagram)
    };
    assert_eq!(with(|it| it.push(0)), Err(RtpError::NotUdptl), "something is left over");
    assert_eq!(with(|it| it[2] = 127), Err(RtpError::Truncated), "longer than the datagram");
    assert_eq!(with(|it| it[2] = 0xC1), Err(RtpError::TooLong), "in pieces");
    assert_eq!(with(|it| it[24] = 65), Err(RtpError::TooLong), "more repetitions than anybody sends");
    assert_eq!(with(|it| it[23] = 0x40), Err(RtpError::NotUdptl), "a third kind of recovery");
    let mut parity = parities(7, &[1; 4], 3, &[&[9; 4]]);
    parity[8] = 4;
    assert_eq!(Udptl::parse(&parity), Err(RtpError::NotUdptl), "a span of four bytes");
    // A primary packet of nothing is one.
    assert_eq!(Udptl::parse(&redundant(1, &[], &[])).unwrap().primary, 0);
    let mut frame = vec![0, 1, 0x80 | (1_467 >> 8) as u8, (1_467 & 0xFF) as u8];
    frame.extend([0; 1_467]);
    frame.extend([0, 0]);
    assert_eq!(Udptl::parse(&frame), Err(RtpError::TooLong));
    assert!(frame.len() == MAX_DATAGRAM + 1);
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..1_600)) {
        if let Ok(read) = Udptl::parse(&bytes) {
            prop_assert!(read.primary <= bytes.len());
        }
    }

    #[test]
    fn what_is_written_is_read(
        sequence in any::<u16>(),
        primary in prop::collection::vec(any::<u8>(), 0..100),
        others in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8),
        span in any::<u8>(),
    ) {
        let others: Vec<&[u8]> = others.iter().map(Vec::as_slice).collect();
        let read = Udptl::parse(&redundant(sequence, &primary, &others)).unwrap();
        let recovery = Recovery::Redundancy { packets: others.len() };
        prop_assert_eq!(read, Udptl { sequence, primary: primary.len(), recovery });
        let read = Udptl::parse(&parities(sequence, &primary, span, &others)).unwrap();
        prop_assert_eq!(read.recovery, Recovery::Fec { span, parities: others.len() });
    }
}

fn peer() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_000))
}

fn setup(fax: bool) -> Setup {
    Setup {
        remote: Some(peer()),
        rtcp: None,
        signalled: peer().ip(),
        codec: Codec::Pcma,
        send_type: 8,
        receive_types: vec![(8, Codec::Pcma)],
        opus: OpusFormat::default(),
        digits: None,
        ptime: 20,
        send: true,
        receive: true,
        security: Security::Plain,
        fax,
    }
}

#[test]
fn fax_is_counted_for_itself_by_its_numbers() {
    let now = clock::Time::ZERO;
    let mut stream = Stream::new(1, 1, 1);
    stream.apply(now, setup(true));
    let mut hear = |sequence, from| stream.receive_fax(now, from, &redundant(sequence, &[1], &[]));
    assert!(hear(65_535, peer()));
    // Sent again, which is passed on and counted once.
    assert!(hear(65_535, peer()));
    assert!(hear(2, peer()));
    assert!(!hear(3, SocketAddr::from(([192, 0, 2, 66], 4_000))));
    let rtp = rtp::Header { payload_type: 8, sequence: 3, ..rtp::Header::default() }.to_bytes();
    assert!(!stream.receive_fax(now, peer(), &rtp));
    assert_eq!(stream.fax_target(), Some(peer()));
    assert_eq!((stream.target(), stream.play(now, 20)), (None, None), "no RTP goes where fax is heard");
    stream.fax_sent();
    let stats = stream.stats();
    assert_eq!((stats.received, stats.sent, stats.foreign), (0, 0, 1));
    assert_eq!(stats.fax, Some(FaxStats { received: 2, sent: 1, lost: 2, malformed: 1 }));

    stream.apply(now, setup(false));
    assert_eq!((stream.fax_target(), stream.target()), (None, Some(peer())));
    assert!(stream.stats().fax.is_some(), "what was counted is kept");
}
