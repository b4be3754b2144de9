//! Fax by T.38 in the place of the audio of a bridge.

use crate::common::{Packet, Peer, Rig, encoded, noise};
use rtp::Codec;
use rtp::control::{Command, Event, FaxStats, RecordingId, Setup};
use std::net::UdpSocket;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
/// The port of the other party is silent for so long where nothing is to come.
const A_MOMENT: Duration = Duration::from_millis(150);

fn fax(peer: &Peer) -> Setup {
    Setup { fax: true, ..peer.setup(Codec::Pcmu) }
}

/// A datagram of UDPTL with two packets before its own, as gateways send them.
fn udptl(sequence: u16, fill: u8) -> Vec<u8> {
    let mut datagram = sequence.to_be_bytes().to_vec();
    datagram.push(40);
    datagram.extend([fill; 40]);
    datagram.extend([0, 2, 40]);
    datagram.extend([fill.wrapping_sub(1); 40]);
    datagram.push(3);
    datagram.extend([fill.wrapping_sub(2); 3]);
    datagram
}

/// One with parities.
fn parities(sequence: u16) -> Vec<u8> {
    [sequence.to_be_bytes().as_slice(), &[2, 7, 7, 0x80, 1, 3, 2, 1, 9, 2, 8, 8]].concat()
}

fn send(from: &Peer, datagram: &[u8]) {
    from.socket.send_to(datagram, from.engine).expect("loopback");
}

fn next(peer: &Peer) -> Vec<u8> {
    let mut datagram = [0; 2_048];
    let (length, from) = peer.socket.recv_from(&mut datagram).expect("a datagram in time");
    assert_eq!(from, peer.engine);
    datagram[..length].to_vec()
}

/// Two parties that have spoken and send fax now.
fn faxing(rig: &mut Rig) -> [Peer; 2] {
    let mut peers = [rig.open(Codec::Pcmu), rig.open(Codec::Pcmu)];
    let [a, b] = &mut peers;
    rig.bridge(a, b);
    a.say(&[1; 160]);
    assert_eq!(b.hear().payload, [1; 160]);
    rig.set_up(a, fax(a));
    rig.set_up(b, fax(b));
    peers
}

#[test]
fn t38_9_1_datagrams_go_on_whole_with_what_makes_lost_ones_good() {
    let mut rig = Rig::start(91, LONG);
    let [a, b] = faxing(&mut rig);
    for datagram in [udptl(0, 1), udptl(0, 1), udptl(1, 2), parities(3), udptl(2, 3)] {
        send(&a, &datagram);
        assert_eq!(next(&b), datagram);
    }
    send(&b, &udptl(65_535, 9));
    assert_eq!(next(&a), udptl(65_535, 9));
    let stats = rig.close(a.stream);
    assert_eq!(stats.fax, Some(FaxStats { received: 4, sent: 1, lost: 0, malformed: 0 }));
    assert_eq!(stats.received, 1, "the audio before is counted for itself");
}

#[test]
fn ast_2016_003_what_overflows_others_is_dropped_and_counted() {
    let mut rig = Rig::start(92, LONG);
    let [a, b] = faxing(&mut rig);
    send(&a, &udptl(0, 1));
    assert_eq!(next(&b), udptl(0, 1));
    let overlong = [&[0, 1, 0x85, 0xFF][..], &[7; 1_535], &[0, 0]].concat();
    let more_than_fits = [&[0, 1, 0x87, 0xFF][..], &[7; 2_500]].concat();
    let many = [&[0, 1, 1, 7, 0, 0x81, 0x00][..], &[0; 256]].concat();
    let lies = [0, 1, 120, 7, 7, 0, 0];
    let rtp = Packet { payload: vec![7; 160], ..a.next.clone() }.to_bytes();
    for bad in [&overlong[..], &more_than_fits, &many, &lies, &rtp, b"", &[0]] {
        send(&a, bad);
    }
    send(&a, &udptl(1, 2));
    assert_eq!(next(&b), udptl(1, 2), "and nothing before it");
    let stats = rig.close(a.stream).fax.expect("there was fax");
    assert_eq!((stats.received, stats.malformed), (2, 7));
}

#[test]
fn a_stranger_sends_no_fax_and_is_sent_none() {
    let mut rig = Rig::start(93, LONG);
    let [a, b] = faxing(&mut rig);
    let thief = UdpSocket::bind((rig.address, 0)).expect("a free port");
    send(&a, &udptl(0, 1));
    assert_eq!(next(&b), udptl(0, 1));
    for sequence in 1..50 {
        // Refused by the kernel once the socket is connected to its peer.
        let _refused = thief.send_to(&udptl(sequence, 66), a.engine);
    }
    send(&b, &udptl(0, 5));
    assert_eq!(next(&a), udptl(0, 5));
    send(&a, &udptl(1, 2));
    assert_eq!(next(&b), udptl(1, 2), "nothing of the thief's came through");
    thief.set_nonblocking(true).expect("a socket");
    assert!(thief.recv(&mut [0; 2_048]).is_err(), "nothing was sent to the thief");
}

#[test]
fn a_party_that_has_audio_is_sent_no_fax_and_the_other_way_round() {
    let mut rig = Rig::start(94, LONG);
    let [a, mut b] = faxing(&mut rig);
    rig.set_up(&b, b.setup(Codec::Pcmu));
    send(&a, &udptl(0, 1));
    b.say(&[2; 160]);
    assert!(a.hears_nothing_for(A_MOMENT) && b.hears_nothing_for(A_MOMENT));
}

#[test]
fn a_page_that_takes_long_raises_no_alarm_and_the_audio_comes_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("fax.wav");
    let silence = Duration::from_millis(700);
    let mut rig = Rig::start(95, silence);
    let [mut a, mut b] = [rig.open(Codec::Pcmu), rig.open(Codec::Pcmu)];
    rig.bridge(&a, &b);
    rig.engine.send(Command::Record { stream: a.stream, recording: RecordingId(1), path: path.clone() });
    rig.settle();
    let said = encoded(Codec::Pcmu, &noise(1, 160));
    a.say(&said);
    assert_eq!(b.hear().payload, said);
    for peer in [&a, &b] {
        rig.set_up(peer, fax(peer));
    }
    send(&a, &udptl(0, 1));
    assert_eq!(next(&b), udptl(0, 1));
    // One way, as a page goes, for longer than any party may be silent, and than media may flow one way.
    assert!(b.hears_nothing_for(silence * 2), "nothing but fax comes");
    for peer in [&a, &b] {
        rig.set_up(peer, peer.setup(Codec::Pcmu));
    }
    let alarms = |event: &Event| matches!(event, Event::Silent { .. } | Event::OneWay { .. });
    assert!(!rig.told().iter().any(alarms), "{:?}", rig.told());
    a.say(&said);
    assert_eq!(b.hear().payload, said);
    b.say(&said);
    assert_eq!(a.hear().payload, said);
    rig.engine.send(Command::StopRecording { recording: RecordingId(1) });
    let millis = rig.wait_for(|event| match event {
        Event::RecordingEnded { millis, error: None, .. } => Some(*millis),
        _ => None,
    });
    assert!(millis >= 1_400, "the recording has the fax as silence: {millis} ms");
}
