//! Alone in its process: it counts the process's open files.

use media::{Engine, EngineConfig};
use rtp::control::{Command, Event, LocalPort, StreamId};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(10);
const STREAMS: usize = 200;
const READY: usize = 64;
/// What an idle engine may hold: four used sockets for each ready one, and some files of its own.
const KEPT: usize = 5 * READY + 10;

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux").count()
}

/// Ready ports until there are so many.
fn ready(events: &Receiver<Event>, count: usize) -> Vec<LocalPort> {
    let mut ports = Vec::new();
    while ports.len() < count {
        if let Event::Ready(more) = events.recv_timeout(DEADLINE).expect("ports in time") {
            ports.extend(more);
        }
    }
    ports
}

#[test]
fn streams_come_and_go_and_leave_no_socket() {
    let before = open_files();
    let (sender, events) = channel();
    let config = EngineConfig {
        threads: 1,
        address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 50)),
        ports: 40_000..=49_999,
        silence: DEADLINE,
        one_way: DEADLINE,
        ready: READY,
        identity: None,
    };
    let mut engine = Engine::start(config, move |event| {
        let _gone = sender.send(event);
    })
    .expect("the engine starts");
    let mut ports = Vec::new();
    for round in 0..5 {
        let streams = (round * STREAMS..).take(STREAMS).map(|number| StreamId(number as u64));
        for stream in streams.clone() {
            if ports.is_empty() {
                ports = ready(&events, 1);
            }
            let local = ports.pop().expect("it was filled");
            engine.send(Command::Open { stream, local });
        }
        for stream in streams {
            engine.send(Command::Close { stream });
        }
        let mut closed = 0;
        while closed < STREAMS {
            match events.recv_timeout(DEADLINE).expect("an end for each") {
                Event::Closed { .. } => closed += 1,
                Event::Ready(more) => ports.extend(more),
                event => panic!("{event:?}"),
            }
        }
        assert!(open_files() <= before + KEPT, "{} files", open_files());
    }
    engine.shutdown();
    assert_eq!(open_files(), before);
}
