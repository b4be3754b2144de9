use super::*;
use crate::tone::network::{CED, SPECIAL_INFORMATION, tones_of};
use crate::wave::{Oscillator, amplitude, dbm0};
use crate::{Law, tone::Tone};
use std::collections::BTreeMap;

/// Made by tests/speech/make.
const HUMANS: [(&str, &[u8]); 6] = [
    ("hello", include_bytes!("../../tests/speech/human-hello.ulaw")),
    ("name", include_bytes!("../../tests/speech/human-name.ulaw")),
    ("yes", include_bytes!("../../tests/speech/human-yes.ulaw")),
    ("es", include_bytes!("../../tests/speech/human-es.ulaw")),
    ("de", include_bytes!("../../tests/speech/human-de.ulaw")),
    ("fr", include_bytes!("../../tests/speech/human-fr.ulaw")),
];
const MACHINES: [(&str, &[u8]); 4] = [
    ("en", include_bytes!("../../tests/speech/machine-en.ulaw")),
    ("de", include_bytes!("../../tests/speech/machine-de.ulaw")),
    ("es", include_bytes!("../../tests/speech/machine-es.ulaw")),
    ("fr", include_bytes!("../../tests/speech/machine-fr.ulaw")),
];

/// How a call sounds: what comes before the greeting, and how well it is heard.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Silence before the greeting, in ms.
    lead: usize,
    speech_dbm0: f32,
    noise_dbm0: f32,
    law: Law,
}

const GOOD: Line = Line { lead: 400, speech_dbm0: -18.0, noise_dbm0: -65.0, law: Law::A };

fn lines() -> impl Iterator<Item = Line> {
    let levels = [(-10.0, -60.0), (-18.0, -65.0), (-18.0, -48.0), (-26.0, -60.0), (-34.0, -65.0)];
    [0, 300, 900, 1_800].into_iter().flat_map(move |lead| {
        levels.into_iter().flat_map(move |(speech_dbm0, noise_dbm0)| {
            [Law::Mu, Law::A].map(|law| Line { lead, speech_dbm0, noise_dbm0, law })
        })
    })
}

impl Line {
    fn speech(&self, bytes: &[u8]) -> Vec<i16> {
        let mut samples = vec![0; bytes.len()];
        Law::Mu.decode(bytes, &mut samples);
        let gain = 10_f32.powf((self.speech_dbm0 - dbm0(&samples)) / 20.0);
        samples.iter().map(|sample| (f32::from(*sample) * gain) as i16).collect()
    }

    /// The sounds one after the other, then silence, with the line's noise and law.
    fn carry(&self, sounds: &[Vec<i16>], silence: usize) -> Vec<i16> {
        let mut samples = vec![0; self.lead * 8];
        samples.extend(sounds.concat());
        samples.extend(vec![0; silence * 8]);
        // Uniform noise: its width is the square root of 12 times its standard deviation.
        let width = amplitude(self.noise_dbm0) * 6_f32.sqrt();
        let mut state = 1_u32;
        for sample in &mut samples {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = ((state >> 16) as f32 / 65_536.0 - 0.5) * width;
            *sample = (f32::from(*sample) + noise) as i16;
        }
        let mut bytes = vec![0; samples.len()];
        self.law.encode(&samples, &mut bytes);
        self.law.decode(&bytes, &mut samples);
        samples
    }
}

fn events(samples: &[i16]) -> Vec<AmdEvent> {
    let mut all = Vec::new();
    let mut detector = AnswerDetector::new(AmdParams::default());
    samples.chunks(160).for_each(|frame| detector.hear(frame, |event| all.push(event)));
    all
}

fn verdict(samples: &[i16]) -> Verdict {
    match events(samples)[..] {
        [AmdEvent::Verdict(verdict), ..] => verdict,
        ref other => panic!("no verdict first: {other:?}"),
    }
}

fn beep(hz: f32, millis: usize) -> Vec<i16> {
    let mut sine = Oscillator::new(hz, amplitude(-12.0));
    (0..millis * 8).map(|_| sine.next() as i16).collect()
}

fn of(tone: Tone) -> Vec<i16> {
    tone.render().samples
}

#[test]
fn people_and_machines_are_told_apart() {
    let mut table: BTreeMap<(&str, Answerer), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in lines() {
        for (kind, wanted, corpus) in
            [("person", Answerer::Human, &HUMANS[..]), ("machine", Answerer::Machine, &MACHINES[..])]
        {
            for (name, bytes) in corpus {
                let verdict = verdict(&line.carry(&[line.speech(bytes)], 4_000));
                *table.entry((kind, verdict.answerer)).or_default() += 1;
                if verdict.answerer != wanted {
                    wrong.push(format!("{kind} {name}: {} {verdict:?} {line:?}", verdict.cause));
                }
            }
        }
    }
    let people: usize = HUMANS.len() * lines().count();
    let machines: usize = MACHINES.len() * lines().count();
    let count = |kind, answerer| table.get(&(kind, answerer)).copied().unwrap_or(0);
    let told = format!("{people} people, {machines} machines: {table:#?}\n{wrong:#?}");
    assert_eq!(count("person", Answerer::Machine), 0, "a person was taken for a machine\n{told}");
    assert!(count("person", Answerer::Human) * 100 >= people * 98, "{told}");
    assert!(count("machine", Answerer::Machine) * 100 >= machines * 95, "{told}");
}

#[test]
fn a_person_who_says_hello_twice_is_a_person() {
    let hello = GOOD.speech(HUMANS[0].1);
    let verdict = verdict(&GOOD.carry(&[hello.clone(), vec![0; 600 * 8], hello], 3_000));
    assert_eq!(verdict.answerer, Answerer::Human, "{verdict:?}");
    assert!(matches!(verdict.cause, Cause::ShortGreeting { greeting: 1_000..2_000, .. }), "{verdict:?}");
}

#[test]
fn confidence_falls_with_the_length_of_the_greeting() {
    let [short, long] = [0, 1].map(|index| verdict(&GOOD.carry(&[GOOD.speech(HUMANS[index].1)], 3_000)));
    assert_eq!((short.answerer, long.answerer), (Answerer::Human, Answerer::Human));
    assert!(short.confidence > long.confidence && long.confidence > 0.5, "{short:?} {long:?}");
}

#[test]
fn a_person_is_known_a_second_after_the_last_word() {
    for (name, bytes) in HUMANS {
        let verdict = verdict(&GOOD.carry(&[GOOD.speech(bytes)], 3_000));
        let spoken = GOOD.lead as u32 + bytes.len() as u32 / 8;
        assert!(verdict.millis <= spoken + 1_000, "{name}: {verdict:?}, {spoken} ms");
    }
}

#[test]
fn a_beep_is_a_machines_whenever_it_comes() {
    for hz in [440.0, 1_000.0, 1_400.0] {
        // A short greeting that would be a person's, and no greeting at all.
        for greeting in [GOOD.speech(HUMANS[0].1), Vec::new()] {
            let samples = GOOD.carry(&[greeting, vec![0; 500 * 8], beep(hz, 500)], 3_000);
            let verdict = verdict(&samples);
            assert_eq!(verdict.answerer, Answerer::Machine, "{hz}: {verdict:?}");
            assert!(matches!(verdict.cause, Cause::Tone(Progress::Beep { .. })), "{verdict:?}");
        }
        // After the verdict it is told for itself.
        let machine = GOOD.speech(MACHINES[0].1);
        let events = events(&GOOD.carry(&[machine, vec![0; 500 * 8], beep(hz, 500)], 3_000));
        let [AmdEvent::Verdict(verdict), AmdEvent::Tone(Progress::Beep { .. })] = events[..] else {
            panic!("{hz}: {events:?}")
        };
        assert!(matches!(verdict.cause, Cause::LongGreeting { greeting: 2_800..3_400 }), "{verdict:?}");
    }
}

#[test]
fn tones_of_networks_and_fax_machines_decide() {
    let busy = of(tones_of("DE").expect("a row").busy).repeat(4);
    for (tone, answerer) in
        [(of(SPECIAL_INFORMATION), Answerer::Machine), (of(CED), Answerer::Fax), (busy, Answerer::Machine)]
    {
        let verdict = verdict(&GOOD.carry(&[tone], 2_000));
        assert_eq!(verdict.answerer, answerer, "{verdict:?}");
    }
}

#[test]
fn silence_is_unknown_and_says_so() {
    for noise_dbm0 in [-90.0, -60.0, -45.0, -38.0] {
        let verdict = verdict(&Line { noise_dbm0, ..GOOD }.carry(&[], 6_000));
        assert_eq!(verdict.answerer, Answerer::Unknown, "{noise_dbm0}: {verdict:?}");
        assert_eq!(verdict.cause.to_string(), "nobody spoke within 3000 ms of the answer");
    }
}

#[test]
fn noise_that_comes_after_digital_silence_is_no_machine() {
    for noise_dbm0 in [-45.0, -41.0] {
        let noise = Line { lead: 0, noise_dbm0, ..GOOD }.carry(&[], 6_000);
        let verdict = verdict(&[vec![0; 4_000], noise].concat());
        assert_ne!(verdict.answerer, Answerer::Machine, "{noise_dbm0}: {verdict:?}");
    }
}

#[test]
fn clicks_are_no_words() {
    let mut samples = GOOD.carry(&[], 6_000);
    for at in (4_000..samples.len() - 400).step_by(4_000) {
        samples[at..at + 320]
            .iter_mut()
            .enumerate()
            .for_each(|(n, s)| *s = if n % 7 < 3 { 9_000 } else { -9_000 });
    }
    let verdict = verdict(&samples);
    assert!(matches!(verdict.cause, Cause::InitialSilence { .. }), "{verdict:?}");
}

#[test]
fn the_longest_wait_ends_what_nothing_else_does() {
    let params = AmdParams { longest_wait: 2_000, longest_greeting: 60_000, ..AmdParams::default() };
    let mut detector = AnswerDetector::new(params);
    let mut all = Vec::new();
    let samples = GOOD.carry(&[GOOD.speech(MACHINES[0].1)], 0);
    detector.hear(&samples, |event| all.push(event));
    let [AmdEvent::Verdict(verdict)] = all[..] else { panic!("{all:?}") };
    assert_eq!(verdict.answerer, Answerer::Unknown);
    assert_eq!(verdict.cause.to_string(), "neither silence nor a long greeting within 2000 ms");
}

#[test]
fn causes_are_told_in_words() {
    let beep = Cause::Tone(Progress::Beep { hz: 1_000, millis: 500 });
    assert_eq!(beep.to_string(), "a beep of 1000 Hz and 500 ms");
    let short = Cause::ShortGreeting { greeting: 640, silence: 900 };
    assert_eq!(short.to_string(), "a greeting of 640 ms, then 900 ms of silence");
    let long = Cause::LongGreeting { greeting: 1_920 };
    assert_eq!(long.to_string(), "a greeting that was still going on after 1920 ms");
}

#[test]
fn frames_of_any_length_come_to_the_same_verdict() {
    let samples = GOOD.carry(&[GOOD.speech(HUMANS[1].1)], 3_000);
    let whole = events(&samples);
    for length in [1, 77, 240, 30_000] {
        let mut all = Vec::new();
        let mut detector = AnswerDetector::new(AmdParams::default());
        samples.chunks(length).for_each(|frame| detector.hear(frame, |event| all.push(event)));
        assert_eq!(all, whole, "{length}");
    }
}
