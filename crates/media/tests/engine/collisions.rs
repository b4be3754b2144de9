//! SSRCs that are not what RFC 3550 8 wants them to be: the same for two parties, our own, a stranger's that is the party's.

use crate::common::{Packet, Peer, Rig};
use crate::speaker::Speaker;
use rtp::Codec;
use rtp::control::{Audience, Command, Event, RoomId, Voice};
use std::net::UdpSocket;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// What `from` says next reaches `to`.
fn reaches(from: &mut Peer, to: &Peer, fill: u8) -> Packet {
    from.say(&[fill; 160]);
    let heard = to.hear();
    assert_eq!(heard.payload, [fill; 160]);
    heard
}

#[test]
fn rfc3550_8_2_two_parties_with_one_ssrc_hear_each_other_under_ours() {
    let mut rig = Rig::start(96, LONG);
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    b.next.ssrc = a.next.ssrc;
    rig.bridge(&a, &b);
    for fill in 1..20 {
        let (to_b, to_a) = (reaches(&mut a, &b, fill), reaches(&mut b, &a, fill));
        assert!(to_b.ssrc != a.next.ssrc && to_a.ssrc != a.next.ssrc, "nobody is sent its own");
        assert_ne!(to_b.ssrc, to_a.ssrc);
    }
    for peer in [&a, &b] {
        let stats = rig.close(peer.stream);
        assert_eq!((stats.received, stats.lost), (19, 0));
    }
}

/// A loop, or who has drawn the same number: nothing is taken for our own and dropped, and a change is a new source.
#[test]
fn rfc3550_8_2_a_party_that_takes_our_ssrc_is_heard_and_our_stream_goes_on() {
    let mut rig = Rig::start(97, LONG);
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    let ours = reaches(&mut b, &a, 1);
    let before = reaches(&mut a, &b, 2);
    a.next.ssrc = ours.ssrc;
    for fill in 3..9 {
        let heard = reaches(&mut a, &b, fill);
        assert_eq!(heard.ssrc, before.ssrc, "the partner hears one source");
        assert_eq!(heard.sequence, before.sequence.wrapping_add(u16::from(fill) - 2));
    }
    assert_eq!(reaches(&mut b, &a, 9).ssrc, ours.ssrc);
}

#[test]
fn a_stranger_under_the_ssrc_of_a_party_is_not_heard() {
    let mut rig = Rig::start(98, LONG);
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    reaches(&mut a, &b, 1);
    let stranger = UdpSocket::bind((rig.address, 0)).expect("a free port");
    for ahead in 0..50 {
        let sequence = a.next.sequence.wrapping_add(ahead);
        let packet = Packet { sequence, payload: vec![0x66; 160], ..a.next.clone() };
        // Refused by the kernel once the socket is connected to its peer.
        let _refused = stranger.send_to(&packet.to_bytes(), a.engine);
    }
    for fill in 2..9 {
        reaches(&mut a, &b, fill);
    }
    reaches(&mut b, &a, 9);
    let stats = rig.close(a.stream);
    assert_eq!((stats.received, stats.lost), (8, 0), "its numbers are its own");
}

#[test]
fn parties_of_a_room_with_one_ssrc_are_told_apart() {
    let mut rig = Rig::start(99, LONG);
    let tones = [400.0, 650.0, 1_100.0];
    let mut speakers = tones.map(|tone| Speaker::open(&mut rig, Codec::Pcma, tone));
    for speaker in &mut speakers {
        speaker.peer.next.ssrc = 0x5EED;
        let (room, stream) = (RoomId(1), speaker.peer.stream);
        rig.engine.send(Command::Join { room, stream, voice: Voice { to: Audience::All, gain: 0 } });
    }
    for _ in 0..60 {
        speakers.iter_mut().for_each(Speaker::say);
        speakers.iter_mut().for_each(|speaker| drop(speaker.hear()));
    }
    for (own, speaker) in speakers.iter().enumerate() {
        for (other, tone) in tones.into_iter().enumerate() {
            let share = speaker.share_of(tone, 200);
            assert!(if own == other { share < 0.01 } else { share > 0.2 }, "{own} hears {share} of {other}");
        }
    }
    assert!(!rig.told().iter().any(|event| matches!(event, Event::Alarm(_))));
}
