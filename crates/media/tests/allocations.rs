//! Alone in its process: it counts what the media thread allocates.

#[allow(dead_code, reason = "the engine's own tests use the rest of it")]
#[path = "engine/common.rs"]
mod common;

use audio::{Encoder, Rate};
use common::{Peer, Rig, encoded, noise, wav};
use rtp::control::{Command, OpusFormat, PlayId, RecordingId, Setup};
use rtp::{Codec, MasterKey, Security, SrtpKeys, Suite, is_rtcp};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Packets of 20 ms before the count begins, and while it lasts: long enough for a report of each leg.
const WARM_UP: usize = 60;
const COUNTED: usize = 250;

thread_local! {
    /// Whether this is the media thread.
    static IS_MEDIA: Cell<bool> = const { Cell::new(false) };
}

static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, and a count of the media thread's calls.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count() {
    if IS_COUNTING.load(Ordering::Relaxed) && IS_MEDIA.get() {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

#[allow(unsafe_code, reason = "an allocator is unsafe to write; this one hands everything on as it came")]
// SAFETY: `System` keeps the contract, and counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's.
        unsafe { System.realloc(place, layout, size) }
    }
}

/// The engine tells its first event, the ready ports, on the media thread.
fn mark_media_thread() {
    IS_MEDIA.set(std::thread::current().name() == Some("media-0"));
}

/// Two parties that are bridged, with reports on the port of RTP.
fn call(rig: &mut Rig, codecs: [Codec; 2], security: [Security; 2]) -> [Peer; 2] {
    let peers = codecs.map(|codec| rig.open(codec));
    for ((peer, codec), security) in peers.iter().zip(codecs).zip(security) {
        let setup = peer.setup(codec);
        let setup = Setup { rtcp: setup.remote, security, ..setup };
        rig.engine.send(Command::Setup { stream: peer.stream, setup });
    }
    rig.engine.send(Command::Bridge { a: peers[0].stream, b: peers[1].stream });
    peers
}

fn srtp(send: u8, receive: u8) -> Security {
    let key = |byte| MasterKey::new(Suite::AesCm128Sha1Tag80, &[byte; 30]).expect("30 bytes");
    Security::Srtp(Box::new(SrtpKeys { send: key(send), receive: key(receive) }))
}

/// Everything that has come to a peer; how many reports were among it.
fn drain(peer: &Peer) -> usize {
    let mut datagram = [0; 2_048];
    peer.socket.set_nonblocking(true).expect("a socket");
    let received = std::iter::from_fn(|| {
        peer.socket.recv(&mut datagram).ok().map(|length| usize::from(is_rtcp(&datagram[..length])))
    });
    received.sum()
}

#[test]
fn a_media_thread_allocates_nothing_once_its_calls_are_up() {
    let files = tempfile::tempdir().expect("a temporary directory");
    let prompt = wav(&files.path().join("prompt.wav"), &noise(1, 8_000));
    let mut rig = Rig::start_telling(90, Duration::from_secs(60), mark_media_thread);
    let plain = || [Security::Plain, Security::Plain];
    let mut relayed = call(&mut rig, [Codec::Pcmu; 2], plain());
    let mut recorded = call(&mut rig, [Codec::Pcma; 2], plain());
    let mut translated = call(&mut rig, [Codec::Pcma, Codec::Pcmu], plain());
    let mut wide = call(&mut rig, [Codec::Pcmu, Codec::G722], plain());
    let mut opus = call(&mut rig, [Codec::Pcmu, Codec::Opus], plain());
    let secret = call(&mut rig, [Codec::Pcmu; 2], [srtp(1, 2), srtp(3, 4)]);
    let fax = call(&mut rig, [Codec::Pcmu; 2], plain());
    for peer in &fax {
        let setup = Setup { fax: true, ..peer.setup(Codec::Pcmu) };
        rig.engine.send(Command::Setup { stream: peer.stream, setup });
    }
    let listener = rig.open(Codec::Pcmu);
    let path = files.path().join("recording.wav");
    rig.engine.send(Command::Record { stream: recorded[0].stream, recording: RecordingId(1), path });
    rig.engine.send(Command::Play {
        stream: listener.stream,
        play: PlayId(1),
        files: vec![prompt],
        times: None,
    });
    rig.settle();

    let law = encoded(Codec::Pcmu, &noise(2, 160));
    let mut packet = [0; 400];
    let mut encoder = Encoder::new(Codec::Opus, Rate::Wide, OpusFormat::default()).expect("Opus");
    let mut keys = [2, 4].map(|byte| {
        secure::Outbound::new(&MasterKey::new(Suite::AesCm128Sha1Tag80, &[byte; 30]).expect("30 bytes"))
    });
    let mut secret_packets = secret.each_ref().map(|peer| peer.next.clone());
    let mut reports = 0;
    for round in 0..WARM_UP + COUNTED {
        if round == WARM_UP {
            reports = 0;
            IS_COUNTING.store(true, Ordering::SeqCst);
        }
        // The prompt's packets beat time for all.
        listener.hear();
        for call in [&mut relayed, &mut recorded, &mut translated] {
            call.iter_mut().for_each(|peer| peer.say(&law));
        }
        wide.iter_mut().for_each(|peer| peer.say(&law));
        opus[0].say(&law);
        let length = encoder.encode(&noise(round as u64, 320), &mut packet).expect("it encodes");
        opus[1].say_for(&packet[..length], 960);
        for ((peer, key), next) in secret.iter().zip(&mut keys).zip(&mut secret_packets) {
            next.sequence = next.sequence.wrapping_add(1);
            next.timestamp = next.timestamp.wrapping_add(160);
            next.payload.clone_from(&law);
            let mut sealed = next.to_bytes();
            let length = sealed.len();
            sealed.resize(length + secure::MAX_OVERHEAD, 0);
            let length = key.protect(&mut sealed, length).expect("it fits");
            peer.socket.send_to(&sealed[..length], peer.engine).expect("loopback");
        }
        for peer in &fax {
            let datagram = [&(round as u16).to_be_bytes()[..], &[2, 7, 7, 0, 1, 2, 6, 6]].concat();
            peer.socket.send_to(&datagram, peer.engine).expect("loopback");
        }
        for call in [&relayed, &recorded, &translated, &wide, &opus, &secret, &fax] {
            reports += call.iter().map(drain).sum::<usize>();
        }
    }
    IS_COUNTING.store(false, Ordering::SeqCst);

    assert!(reports >= 12, "{reports} reports");
    let [heard, _] = secret.each_ref().map(|peer| rig.close(peer.stream));
    assert!(heard.refused == 0 && heard.received > COUNTED as u64, "{heard:?}");
    let passed = rig.close(fax[0].stream).fax.expect("there was fax");
    assert!(passed.received > COUNTED as u64 && passed.sent > COUNTED as u64, "{passed:?}");
    let made_up = rig.close(opus[0].stream).concealed_permille;
    assert!(made_up.is_some(), "it was decoded");
    assert_eq!(ALLOCATIONS.load(Ordering::SeqCst), 0);
}
