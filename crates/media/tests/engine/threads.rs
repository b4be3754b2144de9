//! Streams whose ports belong to different media threads: who is to hear each other is brought to one.

use crate::common::{EVENT_TYPE, Rig, decoded, noise, wav};
use crate::rooms::{heard, join, talk};
use crate::speaker::Speaker;
use rtp::Codec;
use rtp::control::{Audience, Command, Event, PlayEnd, PlayId, RecordingId};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const TONES: [f32; 3] = [400.0, 650.0, 1_100.0];

fn parties(rig: &mut Rig, codecs: [Codec; 3]) -> Vec<Speaker> {
    codecs.into_iter().zip(TONES).map(|(codec, tone)| Speaker::open(rig, codec, tone)).collect()
}

#[test]
fn parties_of_three_threads_meet_in_a_room_and_part_again() {
    let mut rig = Rig::start_threads(74, LONG, 3);
    let mut all = parties(&mut rig, [Codec::Pcma, Codec::Opus, Codec::G722]);
    for _ in 0..2 {
        all.iter().for_each(|speaker| join(&mut rig, speaker, Audience::All));
        rig.settle();
        talk(&mut all, 40);
        assert_eq!(heard(&all), [vec![1, 2], vec![0, 2], vec![0, 1]]);
        for speaker in &all {
            rig.engine.send(Command::Leave { stream: speaker.peer.stream });
        }
    }
    for speaker in &all {
        let stats = rig.close(speaker.peer.stream);
        assert!(stats.received >= 80, "{stats:?}");
    }
    // Each port is back where it came from: all of a thread's ports can still be had.
    let ended: Vec<Event> = rig.shut_down().collect();
    assert!(!ended.iter().any(|event| matches!(event, Event::Alarm(_))), "{ended:?}");
}

#[test]
fn parties_of_two_threads_are_bridged() {
    let mut rig = Rig::start_threads(75, LONG, 2);
    let mut all = parties(&mut rig, [Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
    all.truncate(2);
    rig.bridge(&all[0].peer, &all[1].peer);
    talk(&mut all, 40);
    assert_eq!(heard(&all), [vec![1], vec![0]]);
}

#[test]
fn a_bridge_with_a_party_that_is_gone_takes_nobody_out_of_a_room() {
    let mut rig = Rig::start_threads(78, LONG, 3);
    let mut all = parties(&mut rig, [Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
    let gone = all.remove(1);
    rig.close(gone.peer.stream);
    join(&mut rig, &all[0], Audience::All);
    rig.bridge(&all[0].peer, &gone.peer);
    join(&mut rig, &all[1], Audience::All);
    rig.settle();
    talk(&mut all, 40);
    assert_eq!(heard(&all), [vec![2], vec![0]]);
}

#[test]
fn a_port_goes_back_to_the_thread_that_lent_it() {
    let mut rig = Rig::start_threads(76, LONG, 2);
    // More than a thread has ready at once, again and again.
    for _ in 0..40 {
        let all = parties(&mut rig, [Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
        all.iter().for_each(|speaker| join(&mut rig, speaker, Audience::All));
        for speaker in &all {
            rig.engine.send(Command::Close { stream: speaker.peer.stream });
        }
    }
    rig.settle();
    let told = rig.told();
    let of = |event: &Event| match event {
        Event::Ready(ports) => ports.clone(),
        _ => Vec::new(),
    };
    for port in told.iter().flat_map(of) {
        assert_eq!(u16::from(port.port % 4 != 0), port.thread, "{port:?}");
    }
    let closed = told.iter().filter(|event| matches!(event, Event::Closed { .. })).count();
    assert_eq!(closed, 120);
}

#[test]
fn what_is_played_and_recorded_goes_with_a_party_to_another_thread() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut rig = Rig::start_threads(77, LONG, 2);
    let mut all = parties(&mut rig, [Codec::Pcmu, Codec::Pcmu, Codec::Pcmu]);
    all.truncate(2);
    let samples = noise(7, 16_000);
    let file = wav(&directory.path().join("prompt.wav"), &samples);
    let path = directory.path().join("call.wav");
    let (stream, play) = (all[1].peer.stream, PlayId(1));
    rig.engine.send(Command::Record { stream, recording: RecordingId(1), path: path.clone() });
    rig.engine.send(Command::Play { stream, play, files: vec![file], times: Some(1) });
    let mut prompt = Vec::new();
    for beat in 0..100 {
        // Into the room of the other thread, out of it, and in again.
        match beat {
            10 | 60 => all.iter().for_each(|speaker| join(&mut rig, speaker, Audience::All)),
            40 => rig.engine.send(Command::Leave { stream }),
            _ => {}
        }
        all[1].say();
        prompt.extend(decoded(Codec::Pcmu, &all[1].peer.hear().payload));
    }
    let end = rig.wait_for(|event| match event {
        Event::PlayEnded { play: PlayId(1), end, .. } => Some(end.clone()),
        _ => None,
    });
    assert_eq!(end, PlayEnd::Finished);
    for (got, want) in prompt.iter().zip(&samples) {
        assert!((got - want).abs() <= 16 + want.abs() / 16, "{got} instead of {want}");
    }
    rig.engine.send(Command::SendDigits { stream, digits: "5".into() });
    while all[1].peer.hear().payload_type != EVENT_TYPE {}
    rig.engine.send(Command::StopRecording { recording: RecordingId(1) });
    let millis = rig.wait_for(|event| match event {
        Event::RecordingEnded { millis, error: None, .. } => Some(*millis),
        _ => None,
    });
    assert!(millis >= 2_000, "{millis} ms");
    let mut reader = hound::WavReader::open(path).expect("a whole file");
    let sent: Vec<i16> = reader.samples().skip(1).step_by(2).map(|it| it.expect("a sample")).collect();
    let is_there = |part: &[i16]| sent.windows(part.len()).any(|window| window == part);
    assert!(is_there(&prompt[..prompt.len() - 160]), "the recording has all of the prompt in one piece");
}
