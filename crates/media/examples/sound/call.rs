//! An engine, and calls of two parties through it.

use crate::listen::{self, OPUS, Speech};
use crate::network::Network;
use crate::paths::{Kind, SoundPath};
use media::{Engine, EngineConfig};
use rtp::control::{Audience, Command, Event, LocalPort, RecordingId, RoomId, Setup, StreamId, Voice};
use rtp::{Codec, Header, MasterKey, Packet, Security, SrtpKeys, Suite};
use secure::{MAX_OVERHEAD, Outbound};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SUITE: Suite = Suite::AesCm128Sha1Tag80;
/// Far beyond what anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);
/// The first number of every speaking party: they wrap soon.
const FIRST: u16 = 65_000;

/// An engine with one thread.
pub(crate) struct Rig {
    engine: Engine,
    events: Receiver<Event>,
    ports: VecDeque<LocalPort>,
    streams: u64,
}

impl Rig {
    pub(crate) fn start() -> Self {
        let (sender, events) = channel();
        let silence = Duration::from_secs(600);
        let config = EngineConfig {
            threads: 1,
            address: ADDRESS,
            ports: 20_000..=29_999,
            silence,
            ready: 64,
            one_way: silence,
            identity: None,
        };
        let engine = Engine::start(config, move |event| {
            // The bench may have ended.
            let _gone = sender.send(event);
        })
        .expect("the engine starts");
        Self { engine, events, ports: VecDeque::new(), streams: 0 }
    }

    /// Returns once every command so far has been carried out.
    pub(crate) fn settle(&mut self) {
        let (stream, local) = self.next();
        self.engine.send(Command::Open { stream, local });
        self.engine.send(Command::Close { stream });
        self.wait(|event| matches!(event, Event::Closed { .. }));
    }

    /// Ends the engine, and with it all recordings.
    pub(crate) fn shut_down(self) {
        self.engine.shutdown();
        for event in self.events {
            if let Event::Alarm(text) = event {
                eprintln!("{text}");
            }
        }
    }

    fn wait(&mut self, wanted: impl Fn(&Event) -> bool) {
        loop {
            let event = self.events.recv_timeout(DEADLINE).expect("the event comes in time");
            if let Event::Ready(ports) = &event {
                self.ports.extend(ports);
            }
            if wanted(&event) {
                return;
            }
        }
    }

    fn next(&mut self) -> (StreamId, LocalPort) {
        while self.ports.is_empty() {
            self.wait(|event| matches!(event, Event::Ready(_)));
        }
        self.streams += 1;
        (StreamId(self.streams), self.ports.pop_front().expect("it is not empty"))
    }

    fn open(&mut self, codec: Codec, security: Security) -> Party {
        let (stream, local) = self.next();
        let socket = UdpSocket::bind((ADDRESS, 0)).expect("a free port");
        socket.set_nonblocking(true).expect("a socket");
        let setup = Setup {
            rtcp: None,
            remote: socket.local_addr().ok(),
            signalled: ADDRESS,
            codec,
            send_type: payload_type(codec),
            receive_types: vec![(payload_type(codec), codec)],
            opus: OPUS,
            digits: None,
            ptime: 20,
            send: true,
            receive: true,
            security,
            fax: false,
        };
        self.engine.send(Command::Open { stream, local });
        self.engine.send(Command::Setup { stream, setup });
        Party { stream, socket, engine: (ADDRESS, local.port).into() }
    }
}

fn payload_type(codec: Codec) -> u8 {
    codec.static_type().unwrap_or(111)
}

fn name_of(path: &SoundPath, network: &Network, silence: usize) -> String {
    format!("{}-{}-{}-{silence}", path.name, network.loss, network.jitter)
}

struct Party {
    stream: StreamId,
    socket: UdpSocket,
    engine: SocketAddr,
}

/// One speaks and one listens.
pub(crate) struct Call {
    path: &'static SoundPath,
    /// What its files are called.
    name: String,
    network: Network,
    said: Vec<Vec<u8>>,
    outbound: Option<Outbound>,
    speaker: Party,
    listener: Party,
    /// Who is there besides, so that its packets find a socket.
    _third: Option<Party>,
    recording: Option<PathBuf>,
    heard: Vec<(Duration, Vec<u8>)>,
}

impl Call {
    pub(crate) fn open(
        rig: &mut Rig,
        path: &'static SoundPath,
        network: Network,
        speech: &Speech,
        silence: usize,
        folder: &Path,
    ) -> Self {
        let key = |first: u8| {
            let keying: Vec<u8> = (first..).take(SUITE.key_len() + SUITE.salt_len()).collect();
            MasterKey::new(SUITE, &keying).expect("keying of the suite's length")
        };
        let keys = (path.kind == Kind::Srtp).then(|| SrtpKeys { receive: key(1), send: key(100) });
        let outbound = keys.as_ref().map(|keys| Outbound::new(&keys.receive));
        let security = keys.map_or(Security::Plain, |keys| Security::Srtp(Box::new(keys)));
        let speaker = rig.open(path.from, security);
        let listener = rig.open(path.to, Security::Plain);
        let mut third = None;
        if path.kind == Kind::Room {
            let room = RoomId(speaker.stream.0);
            let silent = third.insert(rig.open(path.to, Security::Plain)).stream;
            for stream in [speaker.stream, listener.stream, silent] {
                rig.engine.send(Command::Join { room, stream, voice: Voice { to: Audience::All, gain: 0 } });
            }
        } else {
            rig.engine.send(Command::Bridge { a: speaker.stream, b: listener.stream });
        }
        let recording = (path.kind == Kind::Recording).then(|| {
            let file = folder.join(format!("recording-{}.wav", name_of(path, &network, silence)));
            let (stream, recording) = (speaker.stream, RecordingId(speaker.stream.0));
            rig.engine.send(Command::Record { stream, recording, path: file.clone() });
            file
        });
        let said = speech.encoded(path.from, silence);
        let name = name_of(path, &network, silence);
        let heard = Vec::new();
        Self { path, name, network, said, outbound, speaker, listener, _third: third, recording, heard }
    }

    /// Says the 20 ms of that number at that moment.
    pub(crate) fn say(&mut self, now: Duration, number: usize) {
        let Some(payload) = self.said.get(number) else { return };
        let header = Header {
            payload_type: payload_type(self.path.from),
            marker: number == 0,
            sequence: FIRST.wrapping_add(number as u16),
            timestamp: (number as u32).wrapping_mul(self.path.from.clock_rate() / 50),
            ssrc: 0x5EED,
        };
        let mut packet = [&header.to_bytes()[..], payload].concat();
        if let Some(outbound) = &mut self.outbound {
            let length = packet.len();
            packet.resize(length + MAX_OVERHEAD, 0);
            let length = outbound.protect(&mut packet, length).expect("a fresh number");
            packet.truncate(length);
        }
        self.network.send(now, packet);
    }

    /// Sends what has crossed the network.
    pub(crate) fn send_due(&mut self, now: Duration) {
        while let Some(packet) = self.network.arrived(now) {
            self.speaker.socket.send_to(&packet, self.speaker.engine).expect("loopback");
        }
    }

    /// Lets go of what the engine sent before anybody spoke: a room is never quiet.
    pub(crate) fn begin(&mut self, start: Instant) {
        self.hear(start);
        self.heard.clear();
    }

    /// Takes what the engine has sent the listener.
    pub(crate) fn hear(&mut self, start: Instant) {
        let mut datagram = [0; 2_048];
        while let Ok(length) = self.listener.socket.recv(&mut datagram) {
            self.heard.push((start.elapsed(), datagram[..length].to_vec()));
        }
    }

    /// Writes what was heard; the call's line of the table: path, loss, jitter, file, rate, share made up by the
    /// listener, and of a forwarded one what is wrong with its packets.
    pub(crate) fn finish(self, folder: &Path) -> String {
        let Network { loss, jitter, .. } = self.network;
        let (name, rate) = (self.path.name, self.path.rate());
        let file = folder.join(format!("{}.wav", self.name));
        let made_up = match &self.recording {
            Some(recording) => {
                listen::write_recorded(&file, recording);
                0.0
            }
            None => listen::write_heard(&file, self.path.to, rate, &self.heard),
        };
        let wrong = if self.path.is_forwarded() { self.wrong() } else { 0 };
        let file = file.display();
        format!("{name}\t{loss}\t{jitter}\t{file}\t{}\t{made_up:.2}\t{wrong}\n", rate.hz())
    }

    /// How many packets are missing, more than were sent, or not what was said.
    fn wrong(&self) -> u64 {
        let mut times: HashMap<usize, u32> = HashMap::new();
        let mut wrong = 0;
        // Which number the engine gave the first one: its own numbers keep the distances.
        let Some(shift) = self.shift() else { return self.said.len() as u64 };
        for (_, datagram) in &self.heard {
            let packet = Packet::parse(datagram).expect("RTP");
            let number = usize::from(packet.header.sequence.wrapping_sub(shift));
            wrong += u64::from(self.said.get(number).is_none_or(|said| said != packet.payload(datagram)));
            *times.entry(number).or_default() += 1;
        }
        wrong + (self.said.len() as u64 - self.network.lost).abs_diff(times.len() as u64)
    }

    /// The sequence number by which the engine's packets begin.
    fn shift(&self) -> Option<u16> {
        let (_, first) = self.heard.first()?;
        let packet = Packet::parse(first).ok()?;
        let number = self.said.iter().position(|said| said == packet.payload(first))?;
        Some(packet.header.sequence.wrapping_sub(number as u16))
    }
}
