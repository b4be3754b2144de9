//! A leg's RTCP: what it says of what came, to whom it goes and from whom it is believed.

use clock::{Duration, Time};
use proptest::prelude::*;
use rtp::control::{OpusFormat, Setup};
use rtp::rtcp::{ReportBlock, Rtcp, SenderInfo, packets, write_report};
use rtp::{Codec, Header, Received, Reception, Security, Stream, VoipMetrics};
use std::net::SocketAddr;

const THEIRS: u32 = 5;

fn host(last: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], port))
}

fn setup(rtcp: SocketAddr) -> Setup {
    Setup {
        remote: Some(host(1, 4_000)),
        rtcp: Some(rtcp),
        signalled: host(9, 0).ip(),
        codec: Codec::Pcma,
        send_type: 8,
        receive_types: vec![(8, Codec::Pcma)],
        opus: OpusFormat::default(),
        digits: None,
        ptime: 20,
        send: true,
        receive: true,
        security: Security::Plain,
        fax: false,
    }
}

fn stream(rtcp: SocketAddr) -> Stream {
    let mut stream = Stream::new(0xAAAA, 100, 0);
    stream.apply(Time::ZERO, setup(rtcp));
    stream
}

fn header(sequence: u16) -> Header {
    Header { payload_type: 8, sequence, timestamp: u32::from(sequence) * 160, ssrc: THEIRS, marker: false }
}

fn voice(sequence: u16) -> Vec<u8> {
    let mut packet = header(sequence).to_bytes().to_vec();
    packet.extend([0xD5; 160]);
    packet
}

fn send(stream: &mut Stream, now: Time, count: usize) {
    for _ in 0..count {
        let mut packet = stream.play(now, 20).expect("the party wants it").to_bytes().to_vec();
        packet.extend([0xD5; 160]);
        stream.sent(&packet);
    }
}

/// The report that is due within the longest interval.
fn report(stream: &mut Stream, now: Time) -> (Vec<u8>, Option<SocketAddr>) {
    let mut out = Vec::new();
    let target = stream.report(now + Duration::from_secs(7), &mut out);
    (out, target)
}

fn received(sequences: impl IntoIterator<Item = u16>) -> Reception {
    let mut reception = Reception::default();
    for sequence in sequences {
        reception.packet(Time::ZERO, &header(sequence), Some(8_000));
    }
    reception
}

#[test]
fn rfc3550_a_3_loss_is_told_by_interval_and_in_all() {
    let mut reception = received((0..100).filter(|sequence| sequence % 4 != 1));
    let first = reception.report().expect("packets came");
    assert_eq!((first.ssrc, first.fraction_lost, first.lost, first.highest), (THEIRS, 64, 25, 99));
    for sequence in 100..200 {
        reception.packet(Time::ZERO, &header(sequence), Some(8_000));
    }
    let second = reception.report().expect("packets came");
    assert_eq!((second.fraction_lost, second.lost, second.highest), (0, 25, 199));
    assert_eq!(reception.report().map(|block| block.fraction_lost), Some(0), "nothing has come since");
    assert_eq!(Reception::default().report(), None);
}

#[test]
fn rfc3550_6_4_1_the_highest_number_counts_cycles() {
    let mut reception = received([65_534, 65_535, 0, 1]);
    assert_eq!(reception.report().map(|block| block.highest), Some(0x1_0001));
}

#[test]
fn rfc3611_4_7_2_a_packet_that_comes_late_is_no_loss() {
    let in_time = (0..200).filter(|sequence| ![50, 52].contains(sequence));
    let late =
        in_time.clone().flat_map(|sequence| if sequence == 60 { vec![60, 50] } else { vec![sequence] });
    assert_eq!(received(in_time).pattern().bursts().count, 1);
    let pattern = received(late).pattern();
    assert_eq!((pattern.bursts().count, pattern.expected()), (0, 200));
    assert_eq!(pattern.loss(), Some(1.0 / 200.0));
}

#[test]
fn rfc3550_6_4_a_leg_reports_what_it_sent_and_received() {
    let mut stream = stream(host(1, 4_000));
    let now = Time::from_secs(10);
    assert_eq!(
        stream.receive(now, host(1, 4_000), &voice(7)),
        Received::Audio { packet: rtp::Packet::parse(&voice(7)).expect("RTP"), codec: Codec::Pcma }
    );
    send(&mut stream, now, 3);
    let mut theirs = Vec::new();
    let sender = SenderInfo { ntp: 0x1122_3344_5566_7788, ..SenderInfo::default() };
    write_report(&mut theirs, THEIRS, Some(&sender), None, None, "peer");
    assert_eq!(stream.receive(now, host(1, 4_000), &theirs), Received::Rtcp);
    let (out, target) = report(&mut stream, now);
    assert_eq!(target, Some(host(1, 4_000)));
    let Some(Ok(Rtcp::SenderReport { ssrc: 0xAAAA, sender, blocks })) = packets(&out).next() else {
        panic!()
    };
    assert_eq!((sender.packets, sender.octets, sender.ntp >> 32), (3, 480, 17));
    let block = blocks.iter().next().expect("it was heard");
    assert_eq!((block.ssrc, block.last_report, block.delay), (THEIRS, 0x3344_5566, 7 << 16));
    // Nothing is sent any more.
    let (out, _) = report(&mut stream, now + Duration::from_secs(7));
    assert!(matches!(packets(&out).next(), Some(Ok(Rtcp::ReceiverReport { .. }))));
}

#[test]
fn rfc3611_5_1_metrics_go_to_a_party_that_sends_some() {
    let mut stream = stream(host(1, 4_000));
    stream.receive(Time::ZERO, host(1, 4_000), &voice(7));
    let has_metrics =
        |out: &[u8]| packets(out).any(|packet| matches!(packet, Ok(Rtcp::ExtendedReport { .. })));
    assert!(!has_metrics(&report(&mut stream, Time::ZERO).0));
    let mut theirs = Vec::new();
    write_report(&mut theirs, THEIRS, None, None, Some(&VoipMetrics::default()), "peer");
    stream.receive(Time::ZERO, host(1, 4_000), &theirs);
    assert!(has_metrics(&report(&mut stream, Time::from_secs(7)).0));
}

#[test]
fn rfc3605_reports_go_where_the_party_wants_them_and_behind_a_nat_where_it_sends_from() {
    let mut stream = stream(host(1, 4_001));
    assert_eq!(report(&mut stream, Time::ZERO).1, Some(host(1, 4_001)));
    // Its RTP comes from elsewhere: what SDP says of RTCP leads nowhere.
    for sequence in 0..6 {
        stream.receive(Time::ZERO, host(9, 60_000), &voice(sequence));
    }
    assert_eq!(stream.source().peer(), Some(host(9, 60_000)));
    assert_eq!(report(&mut stream, Time::from_secs(7)).1, None);
    let mut theirs = Vec::new();
    write_report(&mut theirs, THEIRS, None, None, None, "peer");
    assert!(stream.receive_rtcp(Time::from_secs(14), host(9, 60_001), &theirs));
    assert_eq!(report(&mut stream, Time::from_secs(14)).1, Some(host(9, 60_001)));
}

#[test]
fn ast_2017_012_a_strangers_report_is_not_believed() {
    for shares in [true, false] {
        let mut stream = stream(host(1, if shares { 4_000 } else { 4_001 }));
        send(&mut stream, Time::ZERO, 100);
        let mut forged = Vec::new();
        let block = ReportBlock { ssrc: 0xAAAA, highest: 150, lost: 40, ..ReportBlock::default() };
        write_report(&mut forged, THEIRS, None, Some(&block), None, "stranger");
        let stranger = host(7, 4_000);
        if shares {
            assert_eq!(stream.receive(Time::ZERO, stranger, &forged), Received::Foreign);
        } else {
            assert!(!stream.receive_rtcp(Time::ZERO, stranger, &forged));
        }
        assert_eq!((stream.stats().at_peer, stream.stats().foreign), (None, 1));
        let party = host(1, if shares { 4_000 } else { 4_001 });
        if shares {
            stream.receive(Time::ZERO, party, &forged);
        } else {
            stream.receive_rtcp(Time::ZERO, party, &forged);
        }
        assert_eq!(stream.stats().at_peer.map(|at_peer| at_peer.lost), Some(40));
    }
}

proptest! {
    #[test]
    fn a_pattern_has_every_loss_once(
        lost in prop::collection::hash_set(1_u16..400, 0..120),
        start in any::<u16>(),
    ) {
        let here = (0..=400).filter(|place| !lost.contains(place)).map(|place| start.wrapping_add(place));
        let reception = received(here);
        let pattern = reception.pattern();
        prop_assert_eq!(pattern.expected(), 401);
        prop_assert_eq!(reception.lost(), lost.len() as u64);
        let share = pattern.loss().unwrap_or_default();
        prop_assert!((share - lost.len() as f64 / 401.0).abs() < 1e-9);
        prop_assert!(pattern.bursts().lost <= lost.len() as u64);
    }
}
