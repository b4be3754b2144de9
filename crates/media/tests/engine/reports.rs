//! RTCP: reports on the shared port and on one of their own, under a key, and by strangers; media that flows one way.

use crate::common::{DEADLINE, Peer, Rig};
use rtp::control::{Command, Event, Missing, Setup, StreamStats};
use rtp::rtcp::{ReportBlock, Rtcp, SenderInfo, packets, write_report};
use rtp::{Codec, MasterKey, Mos, Security, SrtpKeys, Suite, is_rtcp};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// A peer's setup with RTCP on the port of RTP.
fn shared(peer: &Peer) -> Setup {
    let setup = peer.setup(Codec::Pcmu);
    Setup { rtcp: setup.remote, ..setup }
}

/// The next RTCP datagram that comes to a socket.
fn next_report(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    socket.set_read_timeout(Some(DEADLINE)).expect("a valid time-out");
    let mut datagram = [0; 2_048];
    loop {
        let (length, from) = socket.recv_from(&mut datagram).expect("a report in time");
        if is_rtcp(&datagram[..length]) {
            return (datagram[..length].to_vec(), from);
        }
    }
}

/// A sender report: its source, its time and its block.
fn sender_report(datagram: &[u8]) -> (u32, SenderInfo, Option<ReportBlock>) {
    match packets(datagram).next() {
        Some(Ok(Rtcp::SenderReport { ssrc, sender, blocks })) => (ssrc, sender, blocks.iter().next()),
        other => panic!("{other:?}"),
    }
}

/// The peer's answer to a sender report of ours, as of one that lost 3 of 100 packets.
fn answer(ssrc: u32, sender: &SenderInfo) -> Vec<u8> {
    let block = ReportBlock {
        ssrc,
        lost: 3,
        highest: 99,
        jitter: 80,
        last_report: (sender.ntp >> 16) as u32,
        ..ReportBlock::default()
    };
    let mut out = Vec::new();
    write_report(&mut out, 77, None, Some(&block), None, "peer");
    out
}

/// Two bridged parties, of whom `a` has said ten packets; the fourth was lost.
fn talk(rig: &mut Rig, setup: fn(&Peer) -> Setup) -> (Peer, Peer) {
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    for peer in [&a, &b] {
        rig.set_up(peer, setup(peer));
    }
    rig.bridge(&a, &b);
    for round in 0..10 {
        if round == 3 {
            a.next.sequence = a.next.sequence.wrapping_add(1);
        }
        a.say(&[round; 160]);
        b.say(&[round; 160]);
    }
    for _ in 0..10 {
        a.hear_any();
        b.hear_any();
    }
    (a, b)
}

/// Returns once all that came to a stream before was read: what the other party says now goes through after it.
fn read_up(rig: &mut Rig, peer: &Peer, other: &mut Peer) {
    other.say(&[0x5A; 160]);
    while is_rtcp(&peer.hear_any()) {}
    rig.settle();
}

fn close(rig: &mut Rig, peer: &Peer, other: &mut Peer) -> StreamStats {
    read_up(rig, peer, other);
    rig.close(peer.stream)
}

#[test]
fn rfc5761_reports_go_and_come_by_the_port_of_rtp() {
    let mut rig = Rig::start(80, LONG);
    let (a, mut b) = talk(&mut rig, shared);
    let (report, from) = next_report(&a.socket);
    assert_eq!(from, a.engine);
    let (ssrc, sender, block) = sender_report(&report);
    assert_eq!((sender.packets, sender.octets), (10, 1_600));
    let block = block.expect("ten packets came");
    assert_eq!((block.ssrc, block.lost, block.fraction_lost), (a.next.ssrc, 1, (256 / 11) as u8));
    a.socket.send_to(&answer(ssrc, &sender), a.engine).expect("loopback");
    let stats = close(&mut rig, &a, &mut b);
    assert_eq!((stats.bursts, stats.foreign), (Some(0), 0));
    assert!(stats.mos.is_some_and(|mos| mos < Mos(441)), "{stats:?}");
    let at_peer = stats.at_peer.expect("it has reported");
    assert_eq!((at_peer.lost, at_peer.jitter_micros), (3, 10_000));
    assert!(stats.round_trip.is_some_and(|time| time < Duration::from_secs(5)), "{stats:?}");
    let quiet = rig.close(b.stream);
    assert_eq!((quiet.mos, quiet.at_peer, quiet.round_trip), (Some(Mos(441)), None, None));
}

#[test]
fn rfc3550_11_a_peer_without_mux_has_rtcp_on_the_next_port() {
    let mut rig = Rig::start(81, LONG);
    let (a, mut b) = talk(&mut rig, Peer::plain);
    let apart = UdpSocket::bind((rig.address, 0)).expect("a free port");
    let setup = Setup { rtcp: apart.local_addr().ok(), ..a.setup(Codec::Pcmu) };
    rig.set_up(&a, setup.clone());
    let (report, from) = next_report(&apart);
    assert_eq!(from, SocketAddr::new(rig.address, a.engine.port() + 1));
    let (ssrc, sender, _) = sender_report(&report);
    apart.send_to(&answer(ssrc, &sender), from).expect("loopback");
    assert!(UdpSocket::bind(from).is_err(), "the port is open");
    read_up(&mut rig, &a, &mut b);
    rig.set_up(&a, Setup { rtcp: setup.remote, ..setup });
    assert!(UdpSocket::bind(from).is_ok(), "and closed once it is not needed");
    assert_eq!(close(&mut rig, &a, &mut b).at_peer.map(|at_peer| at_peer.lost), Some(3));
}

#[test]
fn rfc3711_3_4_reports_of_an_encrypted_leg_are_encrypted() {
    let key = |byte| MasterKey::new(Suite::AesCm128Sha1Tag80, &[byte; 30]).expect("30 bytes");
    let mut rig = Rig::start(82, LONG);
    let (a, mut b) = talk(&mut rig, shared);
    let keys = SrtpKeys { send: key(1), receive: key(2) };
    rig.set_up(&a, Setup { security: Security::Srtp(Box::new(keys)), ..shared(&a) });
    let (mut report, from) = next_report(&a.socket);
    let clear = report.clone();
    let length = secure::Inbound::new(&key(1)).unprotect_rtcp(&mut report).expect("it is protected");
    let (ssrc, sender, _) = sender_report(&report[..length]);
    let plain = answer(ssrc, &sender);
    a.socket.send_to(&plain, from).expect("loopback");
    a.socket.send_to(&clear, from).expect("loopback");
    rig.settle();
    let mut sealed = plain.clone();
    sealed.resize(plain.len() + secure::MAX_OVERHEAD, 0);
    let length = secure::Outbound::new(&key(2)).protect_rtcp(&mut sealed, plain.len()).expect("it fits");
    a.socket.send_to(&sealed[..length], from).expect("loopback");
    let stats = close(&mut rig, &a, &mut b);
    assert_eq!((stats.refused, stats.at_peer.map(|at_peer| at_peer.lost)), (2, Some(3)));
}

#[test]
fn ast_2017_012_a_third_party_ends_nothing_and_reports_nothing() {
    let mut rig = Rig::start(83, LONG);
    let (mut a, mut b) = talk(&mut rig, shared);
    let (report, _) = next_report(&a.socket);
    let (ssrc, sender, _) = sender_report(&report);
    let stranger = UdpSocket::bind((rig.address, 0)).expect("a free port");
    let mut bye = vec![0x81, 203, 0, 1];
    bye.extend(a.next.ssrc.to_be_bytes());
    stranger.send_to(&answer(ssrc, &sender), a.engine).expect("loopback");
    stranger.send_to(&bye, a.engine).expect("loopback");
    // Neither does the BYE of the party itself: the signalling ends calls.
    a.socket.send_to(&bye, a.engine).expect("loopback");
    a.say(&[0x5A; 160]);
    while !b.hear_any().ends_with(&[0x5A; 160]) {}
    let stats = close(&mut rig, &a, &mut b);
    assert_eq!((stats.at_peer, stats.round_trip), (None, None));
    assert_eq!((stats.received, stats.lost), (11, 1));
}

#[test]
fn media_that_flows_one_way_is_told_with_its_leg_and_way() {
    let mut rig = Rig::start(84, LONG);
    let (mut a, b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    for peer in [&a, &b] {
        rig.set_up(peer, shared(peer));
    }
    rig.bridge(&a, &b);
    // B says nothing, and by its reports hears nothing.
    let mut nothing = Vec::new();
    write_report(&mut nothing, 78, None, None, None, "b");
    for _ in 0..3 {
        for _ in 0..60 {
            a.say(&[1; 160]);
            b.hear_any();
        }
        b.socket.send_to(&nothing, b.engine).expect("loopback");
    }
    let told = |wanted: Missing| {
        move |event: &Event| match event {
            Event::OneWay { stream, missing } if *missing == wanted => Some(*stream),
            _ => None,
        }
    };
    assert_eq!(rig.wait_for(told(Missing::From)), b.stream);
    assert_eq!(rig.wait_for(told(Missing::To)), b.stream);
    rig.set_up(&b, Setup { receive: false, ..shared(&b) });
    rig.engine.send(Command::Close { stream: b.stream });
    let of_a = |event: &Event| matches!(event, Event::OneWay { stream, .. } if *stream == a.stream);
    assert!(!rig.told().iter().any(of_a), "it is sent nothing");
}

impl Peer {
    fn plain(&self) -> Setup {
        self.setup(Codec::Pcmu)
    }

    /// Takes the next packet, whatever it is.
    fn hear_any(&self) -> Vec<u8> {
        let mut datagram = [0; 2_048];
        let (length, _) = self.socket.recv_from(&mut datagram).expect("a packet in time");
        datagram[..length].to_vec()
    }
}
