//! Measures what bridged calls cost the media threads: `cargo run --release -p media --example load -- CALLS SECONDS`.
//!
//! One thread of this process plays all parties, each 50 packets a second both ways, over loopback; the
//! figure is the CPU time of the engine's own threads alone.

use media::{Engine, EngineConfig};
use rtp::control::{Command, Event, LocalPort, OpusFormat, Setup, StreamId};
use rtp::{Codec, Security};
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 60));
const PERIOD: Duration = Duration::from_millis(20);
/// How long what is still on its way may take.
const LINGER: Duration = Duration::from_millis(300);
const ROUNDS_PER_SECOND: u32 = 50;

/// The engine, and the ports that it has offered.
struct Load {
    engine: Engine,
    events: Receiver<Event>,
    ready: Vec<LocalPort>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let calls: usize = arguments.next().map_or(Ok(100), |n| n.parse())?;
    let seconds: u32 = arguments.next().map_or(Ok(10), |n| n.parse())?;
    let mut load = Load::start()?;
    let parties = (0..2 * calls as u64).map(|n| load.join(n)).collect::<Result<Vec<_>, _>>()?;
    for pair in 0..calls as u64 {
        load.engine.send(Command::Bridge { a: StreamId(2 * pair), b: StreamId(2 * pair + 1) });
    }
    speak(&parties, 0..ROUNDS_PER_SECOND)?;
    let before = engine_nanos()?;
    let begin = Instant::now();
    let (sent, heard) = speak(&parties, ROUNDS_PER_SECOND..(seconds + 1) * ROUNDS_PER_SECOND)?;
    let wall = begin.elapsed().as_nanos() as f64;
    let share = (engine_nanos()? - before) as f64 / wall * 100.0;
    println!("{calls} bridged calls: {share:.2}% of a core, {:.4}% a call", share / calls as f64);
    println!("{sent} packets sent to the engine, {heard} received from it");
    Ok(())
}

impl Load {
    fn start() -> Result<Self, Box<dyn Error>> {
        let (sender, events) = channel();
        let config = EngineConfig {
            threads: 1,
            address: HERE,
            ports: 30_000..=39_999,
            silence: Duration::from_secs(30),
            one_way: Duration::from_secs(5),
            ready: 128,
            identity: None,
        };
        let engine = Engine::start(config, move |event| {
            // The end of the engine outlives the receiver.
            let _gone = sender.send(event);
        })?;
        Ok(Self { engine, events, ready: Vec::new() })
    }

    /// Opens a stream to a new party.
    fn join(&mut self, number: u64) -> Result<UdpSocket, Box<dyn Error>> {
        while self.ready.is_empty() {
            if let Event::Ready(more) = self.events.recv_timeout(Duration::from_secs(5))? {
                self.ready.extend(more);
            }
        }
        let local = self.ready.pop().ok_or("no port")?;
        let socket = UdpSocket::bind((HERE, 0))?;
        socket.connect(SocketAddr::new(HERE, local.port))?;
        socket.set_nonblocking(true)?;
        let setup = Setup {
            remote: Some(socket.local_addr()?),
            rtcp: Some(socket.local_addr()?),
            signalled: HERE,
            codec: Codec::Pcmu,
            send_type: 0,
            receive_types: vec![(0, Codec::Pcmu)],
            opus: OpusFormat::default(),
            digits: None,
            ptime: 20,
            send: true,
            receive: true,
            security: Security::Plain,
            fax: false,
        };
        self.engine.send(Command::Open { stream: StreamId(number), local });
        self.engine.send(Command::Setup { stream: StreamId(number), setup });
        Ok(socket)
    }
}

/// Lets every party speak and listen; how many packets went and came.
fn speak(parties: &[UdpSocket], rounds: Range<u32>) -> std::io::Result<(u64, u64)> {
    let (mut sent, mut heard) = (0, 0);
    let mut datagram = [0; 2_048];
    let first = rounds.start;
    let begin = Instant::now();
    for round in rounds {
        for (number, party) in parties.iter().enumerate() {
            // Spread over the period, as real parties are.
            let due = PERIOD * (round - first) + PERIOD * number as u32 / parties.len() as u32;
            if number % 16 == 0 {
                std::thread::sleep(due.saturating_sub(begin.elapsed()));
            }
            while party.recv(&mut datagram).is_ok() {
                heard += 1;
            }
            party.send(&packet(number, round))?;
            sent += 1;
        }
    }
    std::thread::sleep(LINGER);
    for party in parties {
        while party.recv(&mut datagram).is_ok() {
            heard += 1;
        }
    }
    Ok((sent, heard))
}

fn packet(number: usize, round: u32) -> [u8; 172] {
    let mut packet = [0xFF; 172];
    packet[..2].copy_from_slice(&[0x80, 0]);
    packet[2..4].copy_from_slice(&(round as u16).to_be_bytes());
    packet[4..8].copy_from_slice(&(160 * round).to_be_bytes());
    packet[8..12].copy_from_slice(&(number as u32).to_be_bytes());
    packet
}

/// The CPU time of the engine's threads so far.
fn engine_nanos() -> Result<u64, Box<dyn Error>> {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        if std::fs::read_to_string(task.join("comm"))?.starts_with("media-") {
            let stat = std::fs::read_to_string(task.join("schedstat"))?;
            nanos += stat.split(' ').next().ok_or("no schedstat")?.parse::<u64>()?;
        }
    }
    Ok(nanos)
}
