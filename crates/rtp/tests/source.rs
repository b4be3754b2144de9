//! Where a peer's packets come from: learnt once, never stolen (CVE-2017-14099, CVE-2025-53399).

use clock::{Duration, Time};
use proptest::prelude::*;
use rtp::{Source, Verdict};
use std::net::SocketAddr;

const SSRC: u32 = 5;

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 4_000))
}

/// The address in SDP, a NAT's, and that of a thief behind the same NAT.
fn parties() -> [SocketAddr; 3] {
    [address(1), address(2), SocketAddr::new(address(2).ip(), 6_666)]
}

fn expecting(remote: SocketAddr) -> Source {
    let mut source = Source::default();
    source.expect(Some(remote), Some(parties()[1].ip()));
    source
}

fn packet(number: u16) -> (Time, u16) {
    (Time::from_millis(u64::from(number) * 20), number)
}

/// Packets in sequence from one address; what became of each.
fn stream(source: &mut Source, from: SocketAddr, numbers: std::ops::Range<u16>) -> Vec<Verdict> {
    numbers.map(packet).map(|(now, sequence)| source.accept(now, from, SSRC, sequence)).collect()
}

/// A source that has learnt the NAT's address, with packet 4, at 80 ms.
fn learnt() -> Source {
    let [sdp, nat, _] = parties();
    let mut source = expecting(sdp);
    assert_eq!(stream(&mut source, nat, 0..5)[4], Verdict::Learned(nat));
    source
}

#[test]
fn before_sdp_names_an_address_all_are_strangers() {
    let mut source = Source::default();
    assert_eq!(stream(&mut source, address(1), 0..20), [Verdict::Foreign; 20]);
    assert_eq!((source.target(), source.peer()), (None, None));
}

#[test]
fn the_address_in_sdp_is_believed_at_once_and_for_good() {
    let [sdp, _, thief] = parties();
    let mut source = expecting(sdp);
    assert_eq!((source.target(), source.peer()), (Some(sdp), None));
    assert_eq!(source.accept(Time::ZERO, sdp, SSRC, 0), Verdict::Accept);
    assert_eq!(stream(&mut source, thief, 0..200), [Verdict::Foreign; 200]);
    assert_eq!((source.target(), source.peer()), (Some(sdp), Some(sdp)));
    assert!(source.is_settled(Time::ZERO));
    // Another SSRC of the same address is the same party.
    assert_eq!(source.accept(Time::from_secs(9), sdp, SSRC + 1, 7), Verdict::Accept);
}

#[test]
fn rfc3550_a_1_another_address_is_learnt_by_probation() {
    let [sdp, nat, _] = parties();
    let mut source = expecting(sdp);
    assert_eq!(stream(&mut source, nat, 65_533..65_535), [Verdict::Foreign; 2]);
    assert_eq!(source.target(), Some(sdp));
    let after_wrap = [65_535, 0, 1].map(|sequence| source.accept(Time::from_millis(1), nat, SSRC, sequence));
    assert_eq!(after_wrap, [Verdict::Foreign, Verdict::Foreign, Verdict::Learned(nat)]);
    assert_eq!((source.target(), source.peer()), (Some(nat), Some(nat)));
    assert_eq!(source.accept(Time::from_millis(2), nat, SSRC, 2), Verdict::Accept);
}

#[test]
fn another_port_of_the_host_in_sdp_is_learnt_and_a_stranger_never() {
    let [sdp, ..] = parties();
    let mut source = expecting(sdp);
    assert_eq!(stream(&mut source, address(66), 0..200), [Verdict::Foreign; 200]);
    let other = SocketAddr::new(sdp.ip(), 9_000);
    assert_eq!(stream(&mut source, other, 200..205)[4], Verdict::Learned(other));
}

#[test]
fn loopback_addresses_are_of_one_host() {
    let sip_peer = "127.0.9.3".parse().unwrap();
    let mut source = Source::default();
    source.expect(Some(address(1)), Some(sip_peer));
    let other = SocketAddr::from(([127, 0, 0, 1], 9_000));
    assert_eq!(stream(&mut source, other, 0..5)[4], Verdict::Learned(other));
}

#[test]
fn nothing_is_learnt_while_the_party_is_to_send_nothing() {
    let [sdp, nat, _] = parties();
    let mut source = Source::default();
    source.expect(Some(sdp), None);
    assert_eq!(stream(&mut source, nat, 0..20), [Verdict::Foreign; 20]);
    source.expect(Some(sdp), Some(nat.ip()));
    assert_eq!(stream(&mut source, nat, 20..25)[4], Verdict::Learned(nat));
}

#[test]
fn rfc3550_a_1_a_gap_or_another_ssrc_begins_probation_again() {
    let [sdp, nat, _] = parties();
    let mut source = expecting(sdp);
    assert_eq!(stream(&mut source, nat, 0..4), [Verdict::Foreign; 4]);
    assert_eq!(stream(&mut source, nat, 5..9), [Verdict::Foreign; 4]);
    let mut ssrcs = (9..14).map(|sequence| source.accept(Time::from_millis(200), nat, SSRC + 1, sequence));
    assert!(ssrcs.by_ref().take(4).all(|verdict| verdict == Verdict::Foreign));
    assert_eq!(ssrcs.next(), Some(Verdict::Learned(nat)));
}

#[test]
fn cve_2017_14099_a_learnt_source_cannot_be_stolen() {
    let [sdp, nat, thief] = parties();
    let mut source = learnt();
    assert_eq!(stream(&mut source, thief, 5..1_000), [Verdict::Foreign; 995]);
    assert_eq!(source.target(), Some(nat));
    // After five seconds not even by forging SDP's address.
    assert_eq!(source.accept(Time::from_millis(5_080), sdp, SSRC, 9), Verdict::Foreign);
    assert_eq!(source.accept(Time::from_secs(60), nat, SSRC, 10), Verdict::Accept);
    assert!(source.is_settled(Time::from_secs(60)));
}

#[test]
fn cve_2025_53399_the_party_takes_back_what_a_sprayer_learnt() {
    let [sdp, _, thief] = parties();
    let mut source = expecting(sdp);
    assert_eq!(stream(&mut source, thief, 0..5)[4], Verdict::Learned(thief));
    assert!(!source.is_settled(Time::from_millis(100)));
    assert_eq!(source.accept(Time::from_millis(400), sdp, SSRC, 0), Verdict::Learned(sdp));
    assert_eq!(stream(&mut source, thief, 30..200), [Verdict::Foreign; 170]);
    assert_eq!(source.target(), Some(sdp));
}

#[test]
fn a_flood_of_strangers_does_not_end_the_partys_probation() {
    let [sdp, nat, _] = parties();
    let mut source = expecting(sdp);
    let mut last = Verdict::Foreign;
    for number in 0..5 {
        let (now, sequence) = packet(number);
        last = source.accept(now, nat, SSRC, sequence);
        for other in 100..200 {
            assert_eq!(source.accept(now, address(other), SSRC, sequence), Verdict::Foreign);
        }
    }
    assert_eq!(last, Verdict::Learned(nat));
}

#[test]
fn a_candidate_that_falls_silent_makes_room() {
    let [sdp, nat, thief] = parties();
    let mut source = expecting(sdp);
    assert_eq!(source.accept(Time::ZERO, thief, SSRC, 0), Verdict::Foreign);
    // 200 ms later its place is free.
    assert_eq!(stream(&mut source, nat, 10..15)[4], Verdict::Learned(nat));
}

#[test]
fn only_another_address_in_sdp_begins_learning_again() {
    let [sdp, nat, _] = parties();
    let mut source = learnt();
    let sip = Some(nat.ip());
    source.expect(None, sip);
    source.expect(Some(sdp), sip);
    assert_eq!(source.target(), Some(nat));
    source.expect(Some(address(9)), sip);
    assert_eq!((source.target(), source.peer()), (Some(address(9)), None));
    assert_eq!(source.accept(Time::from_secs(1), nat, SSRC, 6), Verdict::Foreign);
    assert_eq!(source.accept(Time::from_secs(1), address(9), SSRC, 6), Verdict::Accept);
}

proptest! {
    #[test]
    fn once_settled_no_packet_moves_the_target(
        packets in prop::collection::vec((0_u64..50, 0_usize..3, 0_u32..2, 0_u16..8), 0..200)
    ) {
        let parties = parties();
        let mut source = expecting(parties[0]);
        let mut now = Time::ZERO;
        let mut settled = None;
        for (step, party, ssrc, sequence) in packets {
            now += Duration::from_millis(step);
            let before = source.target();
            let verdict = source.accept(now, parties[party], ssrc, sequence);
            prop_assert_eq!(matches!(verdict, Verdict::Learned(_)), source.target() != before);
            if let Some(settled) = settled {
                prop_assert_eq!(source.target(), settled);
            }
            if source.is_settled(now) {
                settled = Some(source.target());
            }
        }
    }
}

/// UDPTL sends what is important several times (T.38 annex D does not say how often; gateways: 3).
#[test]
fn repetitions_do_not_begin_a_probation_again() {
    let [sdp, nat, _] = parties();
    let mut source = expecting(sdp);
    for number in 0..4 {
        assert_eq!(stream(&mut source, nat, number..number + 1), [Verdict::Foreign]);
        assert_eq!(stream(&mut source, nat, number..number + 1), [Verdict::Foreign]);
    }
    assert_eq!(stream(&mut source, nat, 4..5), [Verdict::Learned(nat)]);
    // The same packet again and again is no proof.
    let mut source = expecting(sdp);
    for _ in 0..20 {
        assert_eq!(stream(&mut source, nat, 7..8), [Verdict::Foreign]);
    }
}
