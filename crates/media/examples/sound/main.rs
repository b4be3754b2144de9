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
use paths::PATHS;
use std::path::Path;
use std::time::{Duration, Instant};

const LOSSES: [u64; 4] = [0, 1, 3, 5];
const JITTERS: [u64; 4] = [0, 20, 40, 60];
const FRAME: Duration = Duration::from_millis(20);
/// How often the bench sends what is due and takes what has come.
const TURN: Duration = Duration::from_millis(1);
/// Longer than anything is under way.
const TAIL: Duration = Duration::from_millis(1_000);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder with speech-8000.wav and speech-16000.wav");
    let is_quick = arguments.next().is_some_and(|argument| argument == "--quick");
    let folder = Path::new(&folder);
    let speech = listen::Speech::read(folder);
    let mut rig = Rig::start();
    let mut calls = Vec::new();
    for path in &PATHS {
        for loss in LOSSES {
            for jitter in JITTERS {
                let is_corner = matches!((loss, jitter), (0, 0 | 60) | (3, 0));
                if is_corner || !is_quick {
                    // The same packets of every path are lost.
                    let network = Network::new(loss, jitter);
                    calls.push(Call::open(&mut rig, path, network, &speech, folder));
                }
            }
        }
    }
    rig.settle();
    let late = talk(&mut calls, speech.frames());
    rig.shut_down();
    let mut table = String::new();
    let mut offline = std::collections::HashSet::new();
    for call in calls {
        if offline.insert(call.path.name) {
            listen::write_offline(
                &folder.join(format!("{}-offline.wav", call.path.name)),
                call.path,
                &speech,
            );
        }
        table += &call.finish(folder);
    }
    std::fs::write(folder.join("calls.tsv"), table).expect("disk space");
    println!("late\t{}", late.as_millis());
}

/// All speak in step until nothing is said any more; by how much the bench itself was late, all but one turn in a
/// hundred.
fn talk(calls: &mut [Call], frames: usize) -> Duration {
    let start = Instant::now();
    calls.iter_mut().for_each(|call| call.begin(start));
    let (mut next, mut late) = (0, Vec::new());
    let end = FRAME * frames as u32 + TAIL;
    while start.elapsed() < end {
        let now = start.elapsed();
        while next < frames && FRAME * next as u32 <= now {
            late.push(now - FRAME * next as u32);
            for call in &mut *calls {
                call.say(FRAME * next as u32, next);
            }
            next += 1;
            if next % 250 == 0 {
                eprintln!("{} of {} s are said", next / 50, frames / 50);
            }
        }
        for call in &mut *calls {
            call.send_due(start.elapsed());
            call.hear(start);
        }
        std::thread::sleep(TURN);
    }
    late.sort_unstable();
    late[late.len() * 99 / 100]
}
