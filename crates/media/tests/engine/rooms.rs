//! Rooms: who hears whom, and that nobody hears itself.

use crate::common::Rig;
use crate::speaker::{Speaker, share_of};
use audio::Rate;
use rtp::Codec;
use rtp::control::{Audience, Command, Event, RecordingId, RoomId, Voice};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const ROOM: RoomId = RoomId(1);
/// What three parties say, in hertz: none is a harmonic of another.
const TONES: [f32; 3] = [400.0, 650.0, 1_100.0];
/// A tone that is among others has a larger share than this of what is heard, and one that is not a smaller one.
const THERE: f32 = 0.2;
const GONE: f32 = 0.01;

pub(crate) fn join(rig: &mut Rig, speaker: &Speaker, to: Audience) {
    let voice = Voice { to, gain: 0 };
    rig.engine.send(Command::Join { room: ROOM, stream: speaker.peer.stream, voice });
}

/// All speak and listen for so many beats of 20 ms.
pub(crate) fn talk(speakers: &mut [Speaker], beats: usize) {
    for _ in 0..beats {
        speakers.iter_mut().for_each(Speaker::say);
        for speaker in speakers.iter_mut() {
            speaker.hear();
        }
    }
}

/// Which of the tones each party hears.
pub(crate) fn heard(speakers: &[Speaker]) -> Vec<Vec<usize>> {
    let tones = |speaker: &Speaker| {
        let share = |tone: f32| speaker.share_of(tone, 200);
        for tone in TONES {
            let share = share(tone);
            assert!(!(GONE..THERE).contains(&share), "{tone} Hz: a share of {share}");
        }
        (0..TONES.len()).filter(|number| share(TONES[*number]) >= THERE).collect()
    };
    speakers.iter().map(tones).collect()
}

#[test]
fn three_parties_of_three_codecs_hear_each_other_and_never_themselves() {
    let mut rig = Rig::start(70, LONG);
    let codecs = [Codec::Pcma, Codec::Opus, Codec::G722];
    let mut speakers: Vec<Speaker> =
        codecs.into_iter().zip(TONES).map(|(codec, tone)| Speaker::open(&mut rig, codec, tone)).collect();
    speakers.iter().for_each(|speaker| join(&mut rig, speaker, Audience::All));
    talk(&mut speakers, 40);
    assert_eq!(heard(&speakers), [vec![1, 2], vec![0, 2], vec![0, 1]]);
    // One goes, and two are left.
    rig.close(speakers.remove(1).peer.stream);
    talk(&mut speakers, 30);
    assert_eq!(heard(&speakers), [vec![2], vec![0]]);
}

#[test]
fn a_supervisor_listens_whispers_barges_in_and_takes_over() {
    let mut rig = Rig::start(71, LONG);
    let mut all: Vec<Speaker> =
        TONES.into_iter().map(|tone| Speaker::open(&mut rig, Codec::Pcmu, tone)).collect();
    rig.bridge(&all[0].peer, &all[1].peer);
    let agent = all[1].peer.stream;
    join(&mut rig, &all[0], Audience::All);
    join(&mut rig, &all[1], Audience::All);
    for (to, expected) in [
        (Audience::Nobody, [vec![1], vec![0], vec![0, 1]]),
        (Audience::Only(agent), [vec![1], vec![0, 2], vec![0, 1]]),
        (Audience::All, [vec![1, 2], vec![0, 2], vec![0, 1]]),
    ] {
        join(&mut rig, &all[2], to);
        talk(&mut all, 40);
        assert_eq!(heard(&all), expected, "{to:?}");
    }
    rig.engine.send(Command::Leave { stream: agent });
    rig.settle();
    let agent = all.remove(1);
    talk(&mut all, 30);
    assert_eq!(heard(&all), [vec![2], vec![0]]);
    // A bridge takes both out of the room again, and passes their packets on as they are.
    rig.bridge(&all[0].peer, &agent.peer);
    rig.close(all[1].peer.stream);
}

#[test]
fn a_whisper_is_on_no_recording_of_whoever_hears_it() {
    for codec in [Codec::Pcmu, Codec::G722] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("agent.wav");
        let mut rig = Rig::start(74, LONG);
        let mut all: Vec<Speaker> =
            TONES.into_iter().map(|tone| Speaker::open(&mut rig, codec, tone)).collect();
        let agent = all[1].peer.stream;
        rig.engine.send(Command::Record { stream: agent, recording: RecordingId(1), path: path.clone() });
        join(&mut rig, &all[0], Audience::All);
        join(&mut rig, &all[1], Audience::All);
        join(&mut rig, &all[2], Audience::Only(agent));
        talk(&mut all, 60);
        assert_eq!(heard(&all), [vec![1], vec![0, 2], vec![0, 1]]);
        rig.engine.send(Command::StopRecording { recording: RecordingId(1) });
        rig.wait_for(|event| matches!(event, Event::RecordingEnded { .. }).then_some(()));
        let mut reader = hound::WavReader::open(&path).expect("a valid file");
        let rate = if reader.spec().sample_rate == 8_000 { Rate::Narrow } else { Rate::Wide };
        let samples: Vec<i16> = reader.samples().map(|sample| sample.expect("a whole file")).collect();
        let sent: Vec<i16> = samples.iter().skip(1).step_by(2).copied().collect();
        let last = &sent[sent.len() - 400 * rate.per_milli()..];
        let shares = TONES.map(|tone| share_of(tone, last, rate));
        assert!(shares[0] > THERE && shares[1] < GONE && shares[2] < GONE, "{codec:?}: {shares:?}");
    }
}

#[test]
fn two_hundred_parties_hear_the_one_who_speaks_and_the_room_says_who_it_is() {
    let mut rig = Rig::start(72, LONG);
    let mut all: Vec<Speaker> = (0..200).map(|_| Speaker::open(&mut rig, Codec::Pcmu, TONES[0])).collect();
    all.iter().for_each(|speaker| join(&mut rig, speaker, Audience::All));
    for _ in 0..40 {
        all[7].say();
        for speaker in &mut all {
            speaker.hear();
        }
    }
    for (number, speaker) in all.iter().enumerate() {
        let share = speaker.share_of(TONES[0], 200);
        assert_eq!(share > 0.95, number != 7, "party {number} hears a share of {share}");
    }
    let speaker = rig.wait_for(|event| match event {
        Event::Speaker { room: ROOM, stream } => Some(*stream),
        _ => None,
    });
    assert_eq!(speaker, Some(all[7].peer.stream));
    rig.close(all[7].peer.stream);
    let gone = rig.wait_for(|event| match event {
        Event::Speaker { room: ROOM, stream } => Some(*stream),
        _ => None,
    });
    assert_eq!(gone, None);
}

#[test]
fn a_room_that_is_left_and_entered_again_at_once_keeps_its_beat() {
    let mut rig = Rig::start(73, LONG);
    let mut all: Vec<Speaker> =
        TONES[..2].iter().map(|tone| Speaker::open(&mut rig, Codec::Pcmu, *tone)).collect();
    for _ in 0..5 {
        all.iter().for_each(|speaker| join(&mut rig, speaker, Audience::All));
        for speaker in &all {
            rig.engine.send(Command::Leave { stream: speaker.peer.stream });
        }
    }
    all.iter().for_each(|speaker| join(&mut rig, speaker, Audience::All));
    rig.settle();
    talk(&mut all, 40);
    // With more than one beat they would hear more than they say, and not each other's tone.
    assert_eq!(heard(&all), [vec![1], vec![0]]);
    all[0].peer.socket.set_nonblocking(true).expect("a socket");
    let left = std::iter::from_fn(|| all[0].peer.socket.recv(&mut [0; 500]).ok()).count();
    assert!(left <= 12, "{left} packets more than were waited for");
}
