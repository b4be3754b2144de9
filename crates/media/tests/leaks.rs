//! Alone in its process: it counts the process's open files.

use media::{Engine, EngineConfig};
use rtp::control::{Command, Event, LocalPort, StreamId};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(10);
const STREAMS: usize = 200;
const READY: usize = 64;

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
fn two_hundred_streams_come_and_go_and_leave_no_socket() {
    let before = open_files();
    let (sender, events) = channel();
    let config = EngineConfig {
        threads: 1,
        address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 50)),
        ports: 40_000..=41_999,
        silence: DEADLINE,
        ready: READY,
    };
    let mut engine = Engine::start(config, move |event| {
        let _gone = sender.send(event);
    })
    .expect("the engine starts");
    let mut ports = ready(&events, READY);
    let idle = open_files();
    for number in 0..STREAMS {
        if ports.is_empty() {
            ports = ready(&events, 1);
        }
        let (stream, local) = (StreamId(number as u64), ports.pop().expect("it was filled"));
        engine.send(Command::Open { stream, local });
    }
    // Each stream took a ready socket, and the supply was filled up behind it.
    ports.extend(ready(&events, READY - ports.len()));
    assert_eq!(open_files(), idle + STREAMS);
    for number in 0..STREAMS {
        engine.send(Command::Close { stream: StreamId(number as u64) });
    }
    let mut closed = 0;
    while closed < STREAMS {
        let event = events.recv_timeout(DEADLINE).expect("an end for each");
        closed += usize::from(matches!(event, Event::Closed { .. }));
    }
    engine.send(Command::Release(ports[0]));
    engine.shutdown();
    assert_eq!(open_files(), before);
}
