//! Recordings, and what becomes of them when the disk says no.

use crate::common::{Peer, Rig, decoded, encoded, noise, wav};
use rtp::Codec;
use rtp::control::{Command, Event, PlayEnd, PlayId, RecordingId};
use std::path::{Path, PathBuf};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const FRAME: usize = 160;

struct Ended {
    recording: RecordingId,
    path: PathBuf,
    millis: u64,
    error: Option<String>,
}

fn ended(event: &Event) -> Option<Ended> {
    match event {
        Event::RecordingEnded { recording, path, millis, error, .. } => {
            Some(Ended { recording: *recording, path: path.clone(), millis: *millis, error: error.clone() })
        }
        _ => None,
    }
}

fn alarm(event: &Event) -> Option<String> {
    match event {
        Event::Alarm(text) => Some(text.clone()),
        _ => None,
    }
}

/// Both channels of a finished recording.
fn channels(path: &Path) -> [Vec<i16>; 2] {
    let mut reader = hound::WavReader::open(path).expect("a valid file");
    assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, 8_000));
    let samples: Vec<i16> = reader.samples().map(|sample| sample.expect("a whole file")).collect();
    [0, 1].map(|channel| samples.iter().skip(channel).step_by(2).copied().collect())
}

/// Where in `heard` all of `said` lies, without a gap, a doubling or any other difference.
fn find(heard: &[i16], said: &[i16]) -> Option<usize> {
    heard.windows(said.len()).position(|window| window == said)
}

/// A peer to whom something is played for ever: each of its packets is 20 ms.
fn metronome(rig: &mut Rig, directory: &Path) -> Peer {
    let peer = rig.open(Codec::Pcmu);
    let files = vec![wav(&directory.join("beat.wav"), &[0; FRAME])];
    rig.engine.send(Command::Play { stream: peer.stream, play: PlayId(99), files, times: None });
    peer
}

/// Both peers speak at the pace of speech, each frame heard by the other before the next.
fn talk(metronome: &Peer, a: &mut Peer, b: &mut Peer, said: &[Vec<u8>; 2]) {
    for (from_a, from_b) in said[0].chunks(FRAME).zip(said[1].chunks(FRAME)) {
        metronome.hear();
        a.say(from_a);
        b.say(from_b);
        assert_eq!(b.hear().payload, from_a);
        assert_eq!(a.hear().payload, from_b);
    }
}

#[test]
fn a_bridged_call_is_recorded_whole_each_party_in_its_channel() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("acme/2026-11-23/1.wav");
    let mut rig = Rig::start(41, LONG);
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    rig.engine.send(Command::Record { stream: a.stream, recording: RecordingId(1), path: path.clone() });
    rig.settle();
    let said = [1, 2].map(|seed| encoded(Codec::Pcmu, &noise(seed, 100 * FRAME)));
    talk(&metronome(&mut rig, directory.path()), &mut a, &mut b, &said);
    rig.engine.send(Command::StopRecording { recording: RecordingId(1) });
    let end = rig.wait_for(ended);
    assert_eq!((end.recording, &end.path, end.error), (RecordingId(1), &path, None));
    let heard = channels(&path);
    assert_eq!(end.millis, heard[0].len() as u64 / 8);
    let places = [0, 1].map(|side| {
        let samples = decoded(Codec::Pcmu, &said[side]);
        find(&heard[side], &samples).expect("the whole speech, no gap, no doubling")
    });
    // 20 ms, and what a busy machine may add between the two.
    assert!(places[0].abs_diff(places[1]) <= 8 * 20, "{places:?}");
    for side in [0, 1] {
        let place = places[side];
        let around = heard[side][..place].iter().chain(&heard[side][place + 100 * FRAME..]);
        assert!(around.copied().all(|sample| sample == 0), "silence where nobody spoke");
    }
}

#[test]
fn a_prompt_is_recorded_as_what_the_party_heard() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("prompt-heard.wav");
    let file = wav(&directory.path().join("prompt.wav"), &noise(3, 20 * FRAME));
    let mut rig = Rig::start(42, LONG);
    let peer = rig.open(Codec::Pcma);
    let stream = peer.stream;
    for recording in [1, 2] {
        let path = if recording == 1 { path.clone() } else { directory.path().join("again.wav") };
        rig.engine.send(Command::Record { stream, recording: RecordingId(recording), path });
    }
    rig.engine.send(Command::Play { stream, play: PlayId(1), files: vec![file], times: Some(1) });
    let heard: Vec<u8> = (0..20).flat_map(|_| peer.hear().payload).collect();
    rig.wait_for(|event| matches!(event, Event::PlayEnded { end: PlayEnd::Finished, .. }).then_some(()));
    rig.close(stream);
    for _ in 0..2 {
        let end = rig.wait_for(ended);
        assert_eq!(end.error, None);
        let [left, right] = channels(&end.path);
        assert!(left.iter().all(|sample| *sample == 0), "the party said nothing");
        assert!(find(&right, &decoded(Codec::Pcma, &heard)).is_some());
    }
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_call() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut rig = Rig::start(43, LONG);
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    let path = PathBuf::from("/dev/full");
    rig.engine.send(Command::Record { stream: a.stream, recording: RecordingId(1), path });
    let error = rig.wait_for(ended).error.expect("nothing can be written");
    assert!(error.contains("/dev/full") && error.contains("No space left"), "{error}");
    assert!(error.contains("free or add disk space"), "{error}");
    assert_eq!(rig.wait_for(alarm), error);
    let said = [1, 2].map(|seed| encoded(Codec::Pcmu, &noise(seed, 3 * FRAME)));
    talk(&metronome(&mut rig, directory.path()), &mut a, &mut b, &said);
    rig.engine.send(Command::StopRecording { recording: RecordingId(1) });
    rig.close(a.stream);
    assert!(!rig.told().iter().any(|event| ended(event).is_some()), "it was told once");
}

#[test]
fn a_directory_that_cannot_be_made_ends_one_recording_and_no_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "no directory").expect("disk space");
    let mut rig = Rig::start(44, LONG);
    let mut peer = rig.open(Codec::Pcmu);
    let good = directory.path().join("good.wav");
    for (recording, path) in [(1, file.join("call.wav")), (2, good.clone())] {
        rig.engine.send(Command::Record { stream: peer.stream, recording: RecordingId(recording), path });
    }
    let bad = rig.wait_for(ended);
    let error = bad.error.expect("nothing can be written");
    assert_eq!((bad.recording, bad.millis), (RecordingId(1), 0));
    assert!(error.contains("file/call.wav") && error.contains("correct the recording's path"), "{error}");
    peer.say(&[0x10; FRAME]);
    rig.wait_for(|event| matches!(event, Event::Started { .. }).then_some(()));
    rig.close(peer.stream);
    let end = rig.wait_for(ended);
    assert_eq!((end.recording, end.error), (RecordingId(2), None));
    assert!(find(&channels(&good)[0], &decoded(Codec::Pcmu, &[0x10; FRAME])).is_some());
}

#[test]
fn a_recording_never_overwrites_another() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("1.wav");
    std::fs::write(&path, "an older recording").expect("disk space");
    let mut rig = Rig::start(48, LONG);
    let peer = rig.open(Codec::Pcmu);
    for name in ["1.2.wav", "1.3.wav"] {
        let recording = RecordingId(1);
        rig.engine.send(Command::Record { stream: peer.stream, recording, path: path.clone() });
        rig.engine.send(Command::StopRecording { recording });
        let end = rig.wait_for(ended);
        assert_eq!((end.path, end.error), (directory.path().join(name), None));
        channels(&directory.path().join(name));
    }
    assert_eq!(std::fs::read(&path).expect("it is there"), b"an older recording");
}

#[test]
fn a_killed_process_leaves_a_valid_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("calls/killed.wav");
    let mut rig = Rig::start(47, LONG);
    let (mut a, mut b) = (rig.open(Codec::Pcmu), rig.open(Codec::Pcmu));
    rig.bridge(&a, &b);
    rig.engine.send(Command::Record { stream: a.stream, recording: RecordingId(1), path: path.clone() });
    let beat = metronome(&mut rig, directory.path());
    let said = [1, 2].map(|seed| encoded(Codec::Pcmu, &noise(seed, FRAME)));
    let on_disk = || hound::WavReader::open(&path).map_or(0, |reader| reader.duration());
    for _ in 0..500 {
        talk(&beat, &mut a, &mut b, &said);
        if on_disk() >= 4_000 {
            break;
        }
    }
    // What is there now is what a kill would leave.
    let killed = directory.path().join("left/killed.wav");
    std::fs::create_dir(directory.path().join("left")).expect("a directory");
    std::fs::copy(&path, &killed).expect("disk space");
    let valid = channels(&killed);
    assert!(valid[0].len() >= 4_000 && find(&valid[0], &decoded(Codec::Pcmu, &said[0])).is_some());
    assert!(media::repair(&directory.path().join("left")).skipped.is_empty());
    assert!(channels(&killed)[0].len() >= valid[0].len());
}

#[test]
fn the_end_of_the_engine_finishes_what_is_being_recorded() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("last.wav");
    let mut rig = Rig::start(45, LONG);
    let mut peer = rig.open(Codec::Pcmu);
    rig.engine.send(Command::Record { stream: peer.stream, recording: RecordingId(1), path: path.clone() });
    rig.settle();
    peer.say(&[0x20; FRAME]);
    rig.wait_for(|event| matches!(event, Event::Started { .. }).then_some(()));
    let mut told = rig.shut_down();
    assert!(told.any(|event| ended(&event).is_some_and(|end| end.error.is_none())));
    assert!(find(&channels(&path)[0], &decoded(Codec::Pcmu, &[0x20; FRAME])).is_some());
}

#[test]
fn a_leg_has_a_bounded_number_of_recordings() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut rig = Rig::start(46, LONG);
    let peer = rig.open(Codec::Pcmu);
    for recording in 1..=5 {
        let path = directory.path().join(format!("{recording}.wav"));
        rig.engine.send(Command::Record { stream: peer.stream, recording: RecordingId(recording), path });
    }
    let refused = rig.wait_for(ended);
    assert_eq!(refused.recording, RecordingId(5));
    assert!(refused.error.is_some_and(|error| error.contains("5.wav")));
}

#[test]
fn a_message_has_the_partys_voice_alone_and_its_silence_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, call) = (directory.path().join("message.wav"), directory.path().join("call.wav"));
    let mut rig = Rig::start(48, LONG);
    let mut peer = metronome(&mut rig, directory.path());
    let (stream, recording, quiet) = (peer.stream, RecordingId(1), clock::Duration::from_millis(500));
    rig.engine.send(Command::Record { stream, recording: RecordingId(2), path: call.clone() });
    rig.engine.send(Command::RecordMessage { stream, recording, path: path.clone(), quiet });
    rig.settle();
    let said = encoded(Codec::Pcmu, &noise(5, 50 * FRAME));
    for frame in said.chunks(FRAME) {
        peer.hear();
        peer.say(frame);
    }
    rig.wait_for(|event| (*event == Event::PartyQuiet { recording }).then_some(()));
    rig.engine.send(Command::StopRecording { recording });
    let (millis, spoken) = rig.wait_for(|event| match event {
        Event::RecordingEnded { millis, spoken_millis, .. } => Some((*millis, *spoken_millis)),
        _ => None,
    });
    let mut reader = hound::WavReader::open(&path).expect("a valid file");
    assert_eq!((reader.spec().channels, u64::from(reader.duration()) / 8), (1, millis));
    let heard: Vec<i16> = reader.samples().map(|sample| sample.expect("a whole file")).collect();
    assert!(find(&heard, &decoded(Codec::Pcmu, &said)).is_some(), "the whole speech");
    // It may lie across one frame more.
    assert!(spoken.is_some_and(|spoken| (980..=1_020).contains(&spoken)), "{spoken:?} of {millis}");
    rig.engine.send(Command::StopRecording { recording: RecordingId(2) });
    let ended = rig.wait_for(ended);
    assert_eq!((ended.recording, channels(&call).len()), (RecordingId(2), 2), "the call's is its own");
}
