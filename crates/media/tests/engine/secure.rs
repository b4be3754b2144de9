//! Streams under SRTP over real loopback sockets.

use crate::common::{Packet, Peer, Rig, encoded, noise, wav};
use ::secure::{Inbound, MAX_OVERHEAD, Outbound};
use rtp::control::{Command, PlayId, Setup};
use rtp::{Codec, MasterKey, Security, SrtpKeys, Suite};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// A peer that encrypts.
struct Phone {
    peer: Peer,
    keys: SrtpKeys,
    outbound: Outbound,
    inbound: Inbound,
}

fn key(suite: Suite, first: u8) -> MasterKey {
    let keying: Vec<u8> = (first..).take(suite.key_len() + suite.salt_len()).collect();
    MasterKey::new(suite, &keying).expect("keying of the suite's length")
}

impl Phone {
    /// Agrees on keys for a stream in PCMU.
    fn open(rig: &mut Rig, suite: Suite) -> Self {
        let keys = SrtpKeys { receive: key(suite, 1), send: key(suite, 100) };
        let (outbound, inbound) = (Outbound::new(&keys.receive), Inbound::new(&keys.send));
        let phone = Self { peer: rig.open(Codec::Pcmu), keys, outbound, inbound };
        rig.set_up(&phone.peer, phone.setup());
        phone
    }

    fn setup(&self) -> Setup {
        let security = Security::Srtp(Box::new(self.keys.clone()));
        Setup { security, ..self.peer.setup(Codec::Pcmu) }
    }

    /// The next 20 ms as they go over the wire.
    fn protected(&mut self, payload: &[u8]) -> Vec<u8> {
        let plain = Packet { payload: payload.to_vec(), ..self.peer.next.clone() }.to_bytes();
        self.peer.next.sequence = self.peer.next.sequence.wrapping_add(1);
        self.peer.next.timestamp = self.peer.next.timestamp.wrapping_add(160);
        let mut buffer = [&plain[..], &[0; MAX_OVERHEAD]].concat();
        let length = self.outbound.protect(&mut buffer, plain.len()).expect("a fresh number");
        buffer.truncate(length);
        buffer
    }

    fn put(&self, datagram: &[u8]) {
        self.peer.socket.send_to(datagram, self.peer.engine).expect("loopback");
    }

    fn say(&mut self, payload: &[u8]) {
        let packet = self.protected(payload);
        self.put(&packet);
    }

    /// The next packet from the engine, which has to be encrypted.
    fn hear(&mut self) -> Packet {
        let mut datagram = [0; 2_048];
        let (length, _) = self.peer.socket.recv_from(&mut datagram).expect("a packet in time");
        let length = self.inbound.unprotect(&mut datagram[..length]).expect("a packet under our key");
        Packet::parse(&datagram[..length])
    }
}

/// Far over the end of the sequence numbers, which begin at 65,530.
#[test]
fn a_bridge_of_srtp_and_rtp_passes_every_byte_both_ways() {
    for (suite, host) in Suite::ALL.into_iter().zip(60..) {
        let mut rig = Rig::start(host, LONG);
        let (mut phone, mut carrier) = (Phone::open(&mut rig, suite), rig.open(Codec::Pcmu));
        rig.bridge(&phone.peer, &carrier);
        for frame in encoded(Codec::Pcmu, &noise(5, 160 * 50)).chunks(160) {
            phone.say(frame);
            assert_eq!(carrier.hear().payload, frame, "{suite:?}");
            carrier.say(frame);
            assert_eq!(phone.hear().payload, frame, "{suite:?}");
        }
        let stats = rig.close(phone.peer.stream);
        assert_eq!((stats.received, stats.sent, stats.refused, stats.foreign), (50, 50, 0, 0));
    }
}

#[test]
fn what_is_not_under_the_peers_key_is_heard_by_nobody_and_counted() {
    let mut rig = Rig::start(64, LONG);
    let (mut phone, carrier) = (Phone::open(&mut rig, Suite::AesCm128Sha1Tag80), rig.open(Codec::Pcmu));
    rig.bridge(&phone.peer, &carrier);
    let first = phone.protected(&[1; 160]);
    phone.put(&first);
    assert_eq!(carrier.hear().payload, [1; 160]);
    // Once more, in the clear, and under another key.
    phone.put(&first);
    phone.peer.say(&[2; 160]);
    let mut forged = phone.protected(&[3; 160]);
    *forged.last_mut().expect("a tag") ^= 1;
    phone.put(&forged);
    phone.say(&[4; 160]);
    assert_eq!(carrier.hear().payload, [4; 160]);
    assert!(carrier.hears_nothing_for(Duration::from_millis(50)));
    let stats = rig.close(phone.peer.stream);
    assert_eq!((stats.received, stats.refused), (2, 3));
}

/// A stranger's packets do not even lead to a place from which media is learnt.
#[test]
fn an_address_is_learnt_from_encrypted_packets_alone() {
    let mut rig = Rig::start(65, LONG);
    let mut phone = Phone::open(&mut rig, Suite::AeadAes128Gcm);
    let mut elsewhere = phone.setup();
    elsewhere.remote = Some((rig.address, 9).into());
    rig.set_up(&phone.peer, elsewhere);
    let mut stranger = rig.open(Codec::Pcmu);
    stranger.engine = phone.peer.engine;
    for _ in 0..10 {
        stranger.say(&[0; 160]);
    }
    for _ in 0..10 {
        phone.say(&[0; 160]);
    }
    let peer = rig.wait_for(|event| match event {
        rtp::control::Event::Started { stream, peer } if *stream == phone.peer.stream => Some(*peer),
        _ => None,
    });
    assert_eq!(Some(peer), phone.peer.socket.local_addr().ok());
    assert_eq!(rig.close(phone.peer.stream).refused, 10);
}

#[test]
fn what_the_engine_says_itself_is_encrypted_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let samples = noise(6, 1_600);
    let files = vec![wav(&directory.path().join("welcome.wav"), &samples)];
    let mut rig = Rig::start(66, LONG);
    let mut phone = Phone::open(&mut rig, Suite::AesCm128Sha1Tag32);
    let stream = phone.peer.stream;
    rig.engine.send(Command::Play { stream, play: PlayId(1), files, times: Some(1) });
    let heard: Vec<u8> = (0..10).flat_map(|_| phone.hear().payload).collect();
    assert_eq!(heard, encoded(Codec::Pcmu, &samples));
    rig.engine.send(Command::SendDigits { stream, digits: "5".to_owned() });
    assert_eq!(phone.hear().payload[0], 5);
}

/// RFC 4568 7.1.4: with the same keys the rollover counters go on, even after a while in the clear; nothing that was heard
/// before is heard again.
#[test]
fn the_rollover_counter_is_kept_over_a_new_offer() {
    let mut rig = Rig::start(67, LONG);
    let (mut phone, carrier) = (Phone::open(&mut rig, Suite::AeadAes256Gcm), rig.open(Codec::Pcmu));
    rig.bridge(&phone.peer, &carrier);
    let packets: Vec<_> = (0..20).map(|number| phone.protected(&[number; 160])).collect();
    for packet in &packets[..10] {
        phone.put(packet);
        carrier.hear();
    }
    rig.set_up(&phone.peer, Setup { send: false, ..phone.setup() });
    rig.set_up(&phone.peer, Setup { security: Security::Plain, ..phone.setup() });
    rig.set_up(&phone.peer, phone.setup());
    for packet in &packets {
        phone.put(packet);
    }
    for number in 10..20 {
        assert_eq!(carrier.hear().payload, [number; 160]);
    }
    assert_eq!(rig.close(phone.peer.stream).refused, 10);
}

#[test]
fn a_new_key_takes_over_and_the_old_one_is_worth_nothing() {
    let mut rig = Rig::start(68, LONG);
    let (mut phone, mut carrier) = (Phone::open(&mut rig, Suite::AesCm128Sha1Tag80), rig.open(Codec::Pcmu));
    rig.bridge(&phone.peer, &carrier);
    phone.say(&[1; 160]);
    carrier.hear();
    let late = phone.protected(&[2; 160]);
    phone.keys.receive = key(Suite::AesCm128Sha1Tag80, 50);
    phone.outbound = Outbound::new(&phone.keys.receive);
    rig.set_up(&phone.peer, phone.setup());
    phone.put(&late);
    phone.say(&[3; 160]);
    assert_eq!(carrier.hear().payload, [3; 160]);
    // Ours has stayed, and its numbers go on.
    carrier.say(&[4; 160]);
    assert_eq!(phone.hear().payload, [4; 160]);
    assert_eq!(rig.close(phone.peer.stream).refused, 1);
}
