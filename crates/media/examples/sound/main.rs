//! The bench of the sound lab (`tests/sound/run`): speech in real time through an engine on loopback, by every path and
//! over networks of every badness, side by side. It writes what the far party heard, and what it would have heard from
//! the codecs alone, as WAV, and a table of them as tab-separated lines.
//!
//! `sound DIR [--quick]`: DIR holds `speech-8000.wav` and `speech-16000.wav`, the same speech at both rates.

mod call;
mod listen;
mod network;
mod paths;

use call::{Call, Rig};
use network::Network;
use paths::{PATHS, SoundPath};
use std::path::Path;
use std::time::{Duration, Instant};

const LOSSES: [u64; 4] = [0, 1, 3, 5];
const JITTERS: [u64; 4] = [0, 20, 40, 60];
/// Milliseconds before the speech, with which what has a bound of a twentieth is said again: the noise of G.722 and the
/// frames of Opus fall otherwise each time, and that alone is as much.
const STARTS: [usize; 3] = [0, 7, 13];
const FRAME: Duration = Duration::from_millis(20);
/// How often the bench sends what is due and takes what has come.
const TURN: Duration = Duration::from_millis(1);
/// So few calls that the engine's thread and the bench have most of a core left.
const AT_A_TIME: usize = 40;
/// Longer than anything is under way.
const TAIL: Duration = Duration::from_millis(1_000);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder with speech-8000.wav and speech-16000.wav");
    let is_quick = arguments.next().is_some_and(|argument| argument == "--quick");
    let folder = Path::new(&folder);
    let speech = listen::Speech::read(folder);
    let mut cases = Vec::new();
    for path in &PATHS {
        for (loss, jitter) in networks(is_quick) {
            let starts = if (loss, jitter) == (0, 0) { &STARTS[..] } else { &STARTS[..1] };
            cases.extend(starts.iter().map(|silence| (path, loss, jitter, *silence)));
        }
        for silence in STARTS {
            let file = folder.join(format!("{}-offline-{silence}.wav", path.name));
            listen::write_offline(&file, path, &speech, silence);
        }
    }
    let rounds = cases.len().div_ceil(AT_A_TIME);
    let (mut table, mut longest) = (String::new(), Duration::ZERO);
    for (round, cases) in cases.chunks(AT_A_TIME).enumerate() {
        eprintln!("round {} of {rounds}: {} calls of {} s", round + 1, cases.len(), speech.frames() / 50);
        let mut rig = Rig::start();
        let open = |(path, loss, jitter, silence): &(&'static SoundPath, u64, u64, usize)| {
            Call::open(&mut rig, path, Network::new(*loss, *jitter), &speech, *silence, folder)
        };
        let mut calls: Vec<Call> = cases.iter().map(open).collect();
        rig.settle();
        longest = longest.max(talk(&mut calls, speech.frames()));
        rig.shut_down();
        calls.into_iter().for_each(|call| table += &call.finish(folder));
    }
    std::fs::write(folder.join("calls.tsv"), table).expect("disk space");
    println!("still\t{}", longest.as_millis());
}

/// Every loss with every jitter, or the corners that have a bound.
fn networks(is_quick: bool) -> impl Iterator<Item = (u64, u64)> {
    let all = LOSSES.into_iter().flat_map(|loss| JITTERS.map(|jitter| (loss, jitter)));
    all.filter(move |network| !is_quick || matches!(network, (0, 0 | 60) | (3, 0)))
}

/// All speak in step until nothing is said any more; how long the bench itself stood still at the longest.
fn talk(calls: &mut [Call], frames: usize) -> Duration {
    let start = Instant::now();
    calls.iter_mut().for_each(|call| call.begin(start));
    let (mut next, mut last, mut longest) = (0, start.elapsed(), Duration::ZERO);
    let end = FRAME * frames as u32 + TAIL;
    while last < end {
        let now = start.elapsed();
        (last, longest) = (now, longest.max(now - last));
        while next < frames && FRAME * next as u32 <= now {
            calls.iter_mut().for_each(|call| call.say(FRAME * next as u32, next));
            next += 1;
        }
        for call in &mut *calls {
            call.send_due(start.elapsed());
            call.hear(start);
        }
        std::thread::sleep(TURN);
    }
    longest
}
