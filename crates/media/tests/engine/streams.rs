//! Streams over real loopback sockets: prompts, bridges, digits, and strangers.

use crate::common::{DEADLINE, EVENT_TYPE, Packet, Peer, Rig, decoded, encoded, noise, wav};
use audio::Law;
use media::{Engine, EngineConfig, MediaError};
use rtp::Codec;
use rtp::control::{Command, Event, PlayEnd, PlayId, Setup};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);

fn play_ended(event: &Event) -> Option<(PlayId, PlayEnd)> {
    match event {
        Event::PlayEnded { play, end, .. } => Some((*play, end.clone())),
        _ => None,
    }
}

fn digit(event: &Event) -> Option<(rtp::control::StreamId, char, u32)> {
    match event {
        Event::Digit { stream, digit, millis } => Some((*stream, *digit, *millis)),
        _ => None,
    }
}

/// Checks that packets follow each other without a hole, 160 samples each, and joins their payloads.
fn unbroken(packets: &[Packet]) -> Vec<u8> {
    for pair in packets.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160));
        assert_eq!(pair[1].ssrc, pair[0].ssrc);
    }
    packets.iter().flat_map(|packet| packet.payload.clone()).collect()
}

/// The peer speaks and its partner hears; returns what was said and what came.
fn speak(from: &mut Peer, to: &Peer, codec: Codec, frames: usize) -> (Vec<u8>, Vec<Packet>) {
    let said = encoded(codec, &noise(frames as u64, 160 * frames));
    let heard = said.chunks(160).map(|frame| {
        from.say(frame);
        to.hear()
    });
    let heard = heard.collect();
    (said, heard)
}

#[test]
fn a_prompt_list_plays_without_a_gap_at_the_pace_of_speech_rfc3550_5_1() {
    let directory = tempfile::tempdir().expect("a directory");
    let samples = noise(1, 8_000);
    let files = vec![
        wav(&directory.path().join("first.wav"), &samples[..3_000]),
        wav(&directory.path().join("second.wav"), &samples[3_000..]),
    ];
    let mut rig = Rig::start(11, LONG);
    let peer = rig.open(Codec::Pcma);
    rig.engine.send(Command::Play { stream: peer.stream, play: PlayId(1), files, times: Some(1) });
    let first = peer.hear();
    let begin = Instant::now();
    let mut packets = vec![first];
    packets.extend((1..50).map(|_| peer.hear()));
    // 49 periods, less what the thread may make up for.
    assert!(begin.elapsed() >= Duration::from_millis(49 * 20 - 120), "{:?}", begin.elapsed());
    assert_eq!(unbroken(&packets), encoded(Codec::Pcma, &samples));
    let markers: Vec<bool> = packets.iter().map(|packet| packet.marker).collect();
    assert_eq!(markers, [[true].as_slice(), &[false; 49]].concat());
    assert!(packets.iter().all(|packet| packet.payload_type == 8));
    assert_eq!(rig.wait_for(play_ended), (PlayId(1), PlayEnd::Finished));
    assert_eq!(rig.close(peer.stream).sent, 50);
}

#[test]
fn a_playback_ends_once_by_stop_by_another_one_or_by_the_end_of_the_stream() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = wav(&directory.path().join("music.wav"), &noise(2, 800));
    let mut rig = Rig::start(12, LONG);
    let peer = rig.open(Codec::Pcmu);
    let stream = peer.stream;
    for play in [1, 2] {
        let files = vec![file.clone()];
        rig.engine.send(Command::Play { stream, play: PlayId(play), files, times: None });
    }
    assert_eq!(rig.wait_for(play_ended), (PlayId(1), PlayEnd::Stopped));
    let looped: Vec<Packet> = (0..12).map(|_| peer.hear()).collect();
    let once = encoded(Codec::Pcmu, &noise(2, 800));
    assert_eq!(unbroken(&looped), [once.clone(), once.clone(), once[..320].to_vec()].concat());
    rig.engine.send(Command::StopPlay { stream, play: PlayId(1) });
    rig.engine.send(Command::StopPlay { stream, play: PlayId(2) });
    assert_eq!(rig.wait_for(play_ended), (PlayId(2), PlayEnd::Stopped));
    rig.engine.send(Command::Play { stream, play: PlayId(3), files: vec![file], times: Some(9) });
    rig.close(stream);
    assert_eq!(rig.wait_for(play_ended), (PlayId(3), PlayEnd::Stopped));
    assert!(!rig.told().iter().any(|event| play_ended(event).is_some()));
}

#[test]
fn a_prompt_that_cannot_be_played_is_told_with_its_name() {
    let mut rig = Rig::start(13, LONG);
    let peer = rig.open(Codec::Pcmu);
    let files = vec!["/nowhere/welcome.wav".into()];
    rig.engine.send(Command::Play { stream: peer.stream, play: PlayId(7), files, times: Some(1) });
    let (play, end) = rig.wait_for(play_ended);
    assert_eq!(play, PlayId(7));
    let PlayEnd::Failed(cause) = end else { panic!("{end:?}") };
    assert!(cause.contains("/nowhere/welcome.wav") && cause.contains("No such file"), "{cause}");
}

#[test]
fn an_empty_list_ends_at_once() {
    let mut rig = Rig::start(31, LONG);
    let stream = rig.open(Codec::Pcmu).stream;
    rig.engine.send(Command::Play { stream, play: PlayId(1), files: Vec::new(), times: None });
    assert_eq!(rig.wait_for(play_ended), (PlayId(1), PlayEnd::Finished));
    rig.engine.send(Command::Play {
        stream,
        play: PlayId(2),
        files: vec!["/nowhere".into()],
        times: Some(0),
    });
    assert_eq!(rig.wait_for(play_ended), (PlayId(2), PlayEnd::Finished));
}

#[test]
fn a_playback_waits_for_offer_and_answer() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = wav(&directory.path().join("early.wav"), &noise(3, 160));
    let mut rig = Rig::start(14, LONG);
    let peer = rig.open(Codec::Pcmu);
    let silent = Setup { remote: None, ..peer.setup(Codec::Pcmu) };
    let local = rig.take_port();
    let late = rtp::control::StreamId(900);
    rig.engine.send(Command::Open { stream: late, local });
    rig.engine.send(Command::Play { stream: late, play: PlayId(1), files: vec![file], times: Some(1) });
    rig.set_up(&peer, silent);
    rig.engine.send(Command::Setup { stream: late, setup: peer.setup(Codec::Pcmu) });
    let mut datagram = [0; 2_048];
    let (length, from) = peer.socket.recv_from(&mut datagram).expect("a packet in time");
    assert_eq!(from.port(), local.port);
    assert_eq!(Packet::parse(&datagram[..length]).payload, encoded(Codec::Pcmu, &noise(3, 160)));
}

#[test]
fn a_bridge_forwards_bit_for_bit_both_ways_and_maps_payload_types() {
    let mut rig = Rig::start(15, LONG);
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    let odd = Setup { send_type: 96, receive_types: vec![(97, Codec::Pcmu)], ..b.setup(Codec::Pcmu) };
    rig.set_up(&b, odd);
    b.next.payload_type = 97;
    rig.bridge(&a, &b);
    let (said, heard) = speak(&mut a, &b, Codec::Pcmu, 50);
    assert_eq!(unbroken(&heard), said);
    assert!(heard.iter().all(|packet| packet.payload_type == 96));
    let (said, heard) = speak(&mut b, &a, Codec::Pcmu, 50);
    assert_eq!(unbroken(&heard), said);
    assert!(heard.iter().all(|packet| packet.payload_type == 0));
    let stats = rig.close(a.stream);
    assert_eq!((stats.received, stats.sent, stats.lost, stats.foreign), (50, 50, 0, 0));
    assert!(stats.jitter_micros.is_some());
}

#[test]
fn a_bridge_of_two_codecs_translates_and_a_loss_stays_a_loss() {
    let mut rig = Rig::start(16, LONG);
    let (mut a, b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcma));
    rig.bridge(&a, &b);
    let (said, heard) = speak(&mut a, &b, Codec::Pcmu, 5);
    let table = Law::Mu.table_to(Law::A).expect("two codecs");
    let translated: Vec<u8> = said.iter().map(|byte| table[usize::from(*byte)]).collect();
    assert_eq!(unbroken(&heard), translated);
    assert!(heard.iter().all(|packet| packet.payload_type == 8));
    a.next.sequence = a.next.sequence.wrapping_add(2);
    a.next.timestamp = a.next.timestamp.wrapping_add(320);
    a.say(&[0x55; 160]);
    let after = b.hear();
    assert_eq!(after.sequence, heard[4].sequence.wrapping_add(3));
    assert_eq!(after.timestamp, heard[4].timestamp.wrapping_add(480));
    assert_eq!(rig.close(a.stream).lost, 2);
}

#[test]
fn header_extensions_and_padding_do_not_cross_a_bridge_rfc3550_5_3_1() {
    let mut rig = Rig::start(17, LONG);
    let (a, b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    let mut bytes =
        Packet { payload: vec![0xBE, 0xDE, 0, 1, 9, 9, 9, 9, 1, 2, 3, 0, 0, 3], ..a.next.clone() }.to_bytes();
    bytes[0] |= 0x10 | 0x20;
    a.socket.send_to(&bytes, a.engine).expect("loopback");
    assert_eq!(b.hear().payload, [1, 2, 3]);
}

#[test]
fn a_party_hears_its_playback_and_then_the_bridge_as_one_stream() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = wav(&directory.path().join("whisper.wav"), &noise(4, 480));
    let mut rig = Rig::start(18, LONG);
    let (mut a, b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    let (_, before) = speak(&mut a, &b, Codec::Pcmu, 3);
    rig.engine.send(Command::Play { stream: b.stream, play: PlayId(1), files: vec![file], times: Some(1) });
    let during: Vec<Packet> = (0..3).map(|_| b.hear()).collect();
    a.say(&[0x11; 160]);
    assert_eq!(unbroken(&during), encoded(Codec::Pcmu, &noise(4, 480)));
    assert_eq!(rig.wait_for(play_ended), (PlayId(1), PlayEnd::Finished));
    let (said, after) = speak(&mut a, &b, Codec::Pcmu, 3);
    assert_eq!(unbroken(&after), said);
    for (earlier, later) in [(&before[2], &during[0]), (&during[2], &after[0])] {
        assert_eq!(later.sequence, earlier.sequence.wrapping_add(1));
        assert_eq!(later.ssrc, earlier.ssrc);
        assert!(later.marker);
    }
}

#[test]
fn a_key_press_is_told_once_and_crosses_the_bridge_rfc4733_2_5() {
    let mut rig = Rig::start(19, LONG);
    let (mut a, b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    let other = b.setup(Codec::Pcmu);
    let digits = other.digits.map(|digits| rtp::control::DigitFormat { send_type: 127, ..digits });
    rig.set_up(&b, Setup { digits, ..other.clone() });
    rig.bridge(&a, &b);
    a.say(&[0xFF; 160]);
    b.hear();
    let begin = a.next.timestamp;
    for (duration, flags) in [(160, 10), (320, 10), (800, 0x8A), (800, 0x8A), (800, 0x8A)] {
        let [high, low] = u16::to_be_bytes(duration);
        let payload = vec![5, flags, high, low];
        a.send(&Packet {
            payload_type: EVENT_TYPE,
            marker: duration == 160,
            timestamp: begin,
            payload,
            ..a.next.clone()
        });
        a.next.sequence = a.next.sequence.wrapping_add(1);
        let heard = b.hear();
        assert_eq!((heard.payload_type, heard.payload[0], heard.payload[1]), (127, 5, flags));
    }
    assert_eq!(rig.wait_for(digit), (a.stream, '5', 100));
    rig.set_up(&b, Setup { digits: None, ..other });
    a.next.timestamp = begin.wrapping_add(1_600);
    let payload = vec![11, 0x8A, 3, 32];
    a.send(&Packet { payload_type: EVENT_TYPE, payload, ..a.next.clone() });
    assert_eq!(rig.wait_for(digit), (a.stream, '#', 100));
    let mut detector = audio::dtmf::DtmfDetector::default();
    let mut pressed = Vec::new();
    // 100 ms of the key as sound, and its pause.
    for _ in 0..7 {
        detector.hear(&decoded(Codec::Pcmu, &b.hear().payload), |press| pressed.push(press.digit.digit));
    }
    assert_eq!(pressed, ['#'], "whoever knows no events hears the key");
    a.next.sequence = a.next.sequence.wrapping_add(1);
    a.say(&[0x22; 160]);
    assert_eq!(b.hear().payload, [0x22; 160]);
    assert!(!rig.told().iter().any(|event| digit(event).is_some()));
}

#[test]
fn keys_that_are_kept_are_told_and_passed_to_nobody() {
    let mut rig = Rig::start(27, LONG);
    let (mut a, b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.engine.send(Command::KeepKeys { stream: a.stream });
    rig.bridge(&a, &b);
    a.send(&Packet { payload_type: EVENT_TYPE, payload: vec![10, 0x8A, 3, 32], ..a.next.clone() });
    assert_eq!(rig.wait_for(digit), (a.stream, '*', 100));
    a.next.sequence = a.next.sequence.wrapping_add(1);
    a.say(&[0x22; 160]);
    assert_eq!(b.hear().payload, [0x22; 160], "the event was not passed on");
}

#[test]
fn digits_are_sent_as_events_while_the_voice_pauses_rfc4733_2_5_1() {
    let mut rig = Rig::start(20, LONG);
    let (mut a, b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    let (_, voice) = speak(&mut a, &b, Codec::Pcmu, 1);
    rig.engine.send(Command::SendDigits { stream: b.stream, digits: "1#".into() });
    let mut events = vec![b.hear()];
    a.say(&[0x33; 160]);
    events.extend((1..14).map(|_| b.hear()));
    assert_eq!(events[0].sequence, voice[0].sequence.wrapping_add(1));
    for (index, event) in events.iter().enumerate() {
        assert_eq!(
            (event.payload_type, event.sequence),
            (EVENT_TYPE, events[0].sequence.wrapping_add(index as u16))
        );
    }
    for (tone, number) in events.chunks(7).zip([1, 11]) {
        let ends = tone.iter().map(|event| event.payload[1] & 0x80 != 0);
        assert_eq!(ends.collect::<Vec<_>>(), [false, false, false, false, true, true, true]);
        assert!(tone.iter().all(|event| event.payload[0] == number && event.timestamp == tone[0].timestamp));
        assert_eq!(
            tone.iter().map(|event| event.marker).collect::<Vec<_>>(),
            [true, false, false, false, false, false, false]
        );
        assert_eq!(tone[6].payload[2..], [3, 32]);
    }
}

#[test]
fn a_stranger_neither_speaks_to_a_party_nor_takes_its_stream_cve_2017_14099() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = wav(&directory.path().join("secret.wav"), &noise(5, 16_000));
    let mut rig = Rig::start(21, LONG);
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    speak(&mut a, &b, Codec::Pcmu, 2);
    let thief = UdpSocket::bind((rig.address, 0)).expect("a free port");
    for sequence in 0..100 {
        let packet = Packet { sequence, payload: vec![0x66; 160], ..a.next.clone() };
        // Refused by the kernel once the socket is connected to its peer.
        let _refused = thief.send_to(&packet.to_bytes(), a.engine);
    }
    let (said, heard) = speak(&mut a, &b, Codec::Pcmu, 5);
    assert_eq!(unbroken(&heard), said, "not a packet of the thief came through");
    rig.engine.send(Command::Play { stream: a.stream, play: PlayId(1), files: vec![file], times: Some(1) });
    assert_eq!(a.hear().payload.len(), 160);
    thief.set_nonblocking(true).expect("a socket");
    assert!(thief.recv(&mut [0; 2_048]).is_err(), "nothing was sent to the thief");
    b.say(&[0; 160]);
}

#[test]
fn a_peer_behind_a_nat_is_learnt_and_then_kept() {
    let mut rig = Rig::start(22, LONG);
    let (a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    let nat = UdpSocket::bind((rig.address, 0)).expect("a free port");
    nat.set_read_timeout(Some(DEADLINE)).expect("a valid time-out");
    let mut inside = Peer { socket: nat, ..a };
    rig.bridge(&inside, &b);
    for _ in 0..20 {
        inside.say(&[0x44; 160]);
    }
    assert_eq!(b.hear().payload, [0x44; 160]);
    let real = inside.socket.local_addr().expect("it is bound");
    let started = rig.wait_for(|event| match event {
        Event::Started { peer, .. } => Some(*peer),
        _ => None,
    });
    assert_eq!(started, real);
    b.say(&[0x45; 160]);
    assert_eq!(inside.hear().payload, [0x45; 160]);
}

#[test]
fn a_held_party_is_sent_nothing_and_its_playback_still_ends() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = wav(&directory.path().join("short.wav"), &noise(6, 320));
    let mut rig = Rig::start(23, LONG);
    let (mut a, b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    speak(&mut a, &b, Codec::Pcmu, 2);
    rig.set_up(&b, Setup { send: false, ..b.setup(Codec::Pcmu) });
    rig.engine.send(Command::Play { stream: b.stream, play: PlayId(1), files: vec![file], times: Some(1) });
    assert_eq!(rig.wait_for(play_ended), (PlayId(1), PlayEnd::Finished));
    a.say(&[0x77; 160]);
    assert!(b.hears_nothing_for(Duration::from_millis(100)));
    rig.set_up(&b, b.setup(Codec::Pcmu));
    let (said, heard) = speak(&mut a, &b, Codec::Pcmu, 2);
    assert_eq!(unbroken(&heard), said);
}

#[test]
fn a_party_that_moves_by_re_invite_is_followed() {
    let mut rig = Rig::start(24, LONG);
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    speak(&mut a, &b, Codec::Pcmu, 2);
    speak(&mut b, &a, Codec::Pcmu, 2);
    let socket = UdpSocket::bind((rig.address, 0)).expect("a free port");
    socket.set_read_timeout(Some(DEADLINE)).expect("a valid time-out");
    let mut moved = Peer { socket, ..b };
    rig.set_up(&moved, moved.setup(Codec::Pcmu));
    rig.engine.send(Command::Unbridge { stream: moved.stream });
    rig.bridge(&a, &moved);
    moved.say(&[0x12; 160]);
    assert_eq!(a.hear().payload, [0x12; 160]);
    a.say(&[0x13; 160]);
    assert_eq!(moved.hear().payload, [0x13; 160]);
}

#[test]
fn a_peer_whose_port_is_closed_for_a_while_is_heard_again() {
    let mut rig = Rig::start(25, LONG);
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    b.say(&[1; 160]);
    a.hear();
    let address = b.socket.local_addr().expect("it is bound");
    drop(b.socket);
    for _ in 0..3 {
        a.say(&[2; 160]);
    }
    let socket = UdpSocket::bind(address).expect("it was free a moment ago");
    socket.set_read_timeout(Some(DEADLINE)).expect("a valid time-out");
    b.socket = socket;
    b.say(&[3; 160]);
    assert_eq!(a.hear().payload, [3; 160]);
    a.say(&[4; 160]);
    while b.hear().payload != [4; 160] {}
}

#[test]
fn silence_is_told_once_until_the_party_speaks_again() {
    let silence = Duration::from_millis(150);
    let mut rig = Rig::start(26, silence);
    let mut a = rig.open(Codec::Pcmu);
    let silent = |event: &Event| match event {
        Event::Silent { millis, .. } => Some(*millis),
        _ => None,
    };
    assert!((150..2_000).contains(&rig.wait_for(silent)));
    a.say(&[1; 160]);
    assert!((150..2_000).contains(&rig.wait_for(silent)));
    let inactive = Setup { receive: false, ..a.setup(Codec::Pcmu) };
    rig.set_up(&a, inactive);
    rig.close(a.stream);
    assert!(!rig.told().iter().any(|event| silent(event).is_some()));
}

#[test]
fn what_is_no_rtp_disturbs_nothing() {
    let mut rig = Rig::start(27, LONG);
    let (mut a, b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    for junk in [&b""[..], b"\0", b"INVITE sip:x SIP/2.0", &[0x40; 12], &[0xFF; 2_500], &[0x80, 200, 0, 6]] {
        a.socket.send_to(junk, a.engine).expect("loopback");
    }
    let (said, heard) = speak(&mut a, &b, Codec::Pcmu, 3);
    assert_eq!(unbroken(&heard), said);
}

#[test]
fn a_configuration_that_cannot_work_is_refused_with_its_reason() {
    let here = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 29));
    let good = EngineConfig {
        threads: 2,
        address: here,
        ports: 40_000..=40_099,
        silence: LONG,
        one_way: LONG,
        ready: 4,
        identity: None,
    };
    let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let start = |config| Engine::start(config, |_| {}).expect_err("it cannot work");
    assert!(matches!(start(EngineConfig { threads: 0, ..good.clone() }), MediaError::Threads(0)));
    let narrow = start(EngineConfig { ports: 40_001..=40_003, ..good.clone() });
    assert!(matches!(narrow, MediaError::PortRange { even: 1, threads: 2, .. }), "{narrow}");
    let foreign = start(EngineConfig { address: elsewhere, ..good });
    assert!(foreign.to_string().contains("192.0.2.1"), "{foreign}");
}

#[test]
fn decoded_prompts_are_what_the_file_holds() {
    let directory = tempfile::tempdir().expect("a directory");
    let samples = noise(7, 1_600);
    let file = wav(&directory.path().join("prompt.wav"), &samples);
    let mut rig = Rig::start(30, LONG);
    let peer = rig.open(Codec::Pcmu);
    rig.engine.send(Command::Play {
        stream: peer.stream,
        play: PlayId(1),
        files: vec![file],
        times: Some(1),
    });
    let heard: Vec<u8> = (0..10).flat_map(|_| peer.hear().payload).collect();
    for (got, want) in decoded(Codec::Pcmu, &heard).iter().zip(&samples) {
        assert!((got - want).abs() <= 16 + want.abs() / 16, "{got} instead of {want}");
    }
}
