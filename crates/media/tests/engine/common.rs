//! An engine on a loopback address of its own, and a peer that speaks RTP in plain bytes.

use ::secure::Identity;
use audio::Law;
use media::{Engine, EngineConfig};
use rtp::control::{Command, DigitFormat, Event, LocalPort, OpusFormat, Setup, StreamId, StreamStats};
use rtp::{Codec, Security};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Far beyond what anything here takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// After how long media that flows one way is told.
pub(crate) const ONE_WAY: Duration = Duration::from_millis(500);

/// The peers' payload type for telephone-event.
pub(crate) const EVENT_TYPE: u8 = 101;

/// An engine, and what it has told.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) address: IpAddr,
    events: Receiver<Event>,
    told: VecDeque<Event>,
    ports: VecDeque<LocalPort>,
    threads: u16,
    next_stream: u64,
}

/// An RTP packet as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) payload_type: u8,
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) payload: Vec<u8>,
}

/// The other end of a stream.
pub(crate) struct Peer {
    pub(crate) stream: StreamId,
    pub(crate) socket: UdpSocket,
    /// The engine's port for it.
    pub(crate) engine: SocketAddr,
    pub(crate) next: Packet,
}

impl Rig {
    /// An engine at 127.0.0.`host`: a number of its own for each test, since they run side by side.
    pub(crate) fn start(host: u8, silence: Duration) -> Self {
        Self::start_telling(host, silence, || {})
    }

    /// The same with a certificate for DTLS.
    pub(crate) fn start_with(host: u8, silence: Duration, identity: Option<Identity>) -> Self {
        Self::launch(host, silence, 1, identity, || {})
    }

    /// The same without one; `told` is called with each event, on the engine's threads.
    pub(crate) fn start_telling(host: u8, silence: Duration, told: fn()) -> Self {
        Self::launch(host, silence, 1, None, told)
    }

    /// The same with several media threads, whose ports are taken in turn.
    pub(crate) fn start_threads(host: u8, silence: Duration, threads: u16) -> Self {
        Self::launch(host, silence, threads, None, || {})
    }

    fn launch(host: u8, silence: Duration, threads: u16, identity: Option<Identity>, told: fn()) -> Self {
        let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, host));
        let (sender, events) = channel();
        let config = EngineConfig {
            threads: threads.into(),
            address,
            ports: 40_000..=41_999,
            silence,
            one_way: ONE_WAY,
            ready: 32,
            identity,
        };
        let engine = Engine::start(config, move |event| {
            told();
            // The test may have ended.
            let _gone = sender.send(event);
        })
        .expect("the engine starts");
        Self {
            engine,
            address,
            events,
            told: VecDeque::new(),
            ports: VecDeque::new(),
            threads,
            next_stream: 1,
        }
    }

    /// The first event, old or new, that `wanted` accepts.
    pub(crate) fn wait_for<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        if let Some((index, found)) = self.told.iter().enumerate().find_map(|(i, e)| Some((i, wanted(e)?))) {
            self.told.remove(index);
            return found;
        }
        let end = Instant::now() + DEADLINE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).expect("the event comes in time");
            if let Event::Ready(ports) = &event {
                self.ports.extend(ports);
            }
            match wanted(&event) {
                Some(found) => return found,
                None => self.told.push_back(event),
            }
        }
    }

    /// Everything told so far that nobody waited for.
    pub(crate) fn told(&mut self) -> &VecDeque<Event> {
        self.told.extend(self.events.try_iter());
        &self.told
    }

    pub(crate) fn take_port(&mut self) -> LocalPort {
        self.take_port_on(0)
    }

    fn take_port_on(&mut self, thread: u16) -> LocalPort {
        loop {
            if let Some(index) = self.ports.iter().position(|port| port.thread == thread) {
                return self.ports.remove(index).expect("it is there");
            }
            self.wait_for(|event| matches!(event, Event::Ready(_)).then_some(()));
        }
    }

    /// Opens a stream to a new peer with that codec and telephone-event.
    pub(crate) fn open(&mut self, codec: Codec) -> Peer {
        let thread = (self.next_stream % u64::from(self.threads)) as u16;
        let local = self.take_port_on(thread);
        let stream = StreamId(self.next_stream);
        self.next_stream += 1;
        let socket = UdpSocket::bind((self.address, 0)).expect("a free port");
        socket.set_read_timeout(Some(DEADLINE)).expect("a valid time-out");
        let engine = SocketAddr::new(self.address, local.port);
        let next = Packet {
            payload_type: payload_type(codec),
            marker: true,
            sequence: 65_530,
            timestamp: u32::MAX - 1_000,
            ssrc: 0x1234_0000 + stream.0 as u32,
            payload: Vec::new(),
        };
        let peer = Peer { stream, socket, engine, next };
        self.engine.send(Command::Open { stream, local });
        self.engine.send(Command::Setup { stream, setup: peer.setup(codec) });
        peer
    }

    /// Bridges two peers' streams, and returns once they are.
    pub(crate) fn bridge(&mut self, a: &Peer, b: &Peer) {
        self.engine.send(Command::Bridge { a: a.stream, b: b.stream });
        self.settle();
    }

    /// Applies what was agreed, and returns once it is.
    pub(crate) fn set_up(&mut self, peer: &Peer, setup: Setup) {
        self.engine.send(Command::Setup { stream: peer.stream, setup });
        self.settle();
    }

    /// Returns once every command so far has been carried out: each thread carries them out in order.
    pub(crate) fn settle(&mut self) {
        for thread in 0..self.threads {
            let local = self.take_port_on(thread);
            let stream = StreamId(u64::MAX - u64::from(local.port));
            self.engine.send(Command::Open { stream, local });
            self.close(stream);
        }
    }

    /// Ends the engine and gives what nobody has waited for.
    pub(crate) fn shut_down(self) -> impl Iterator<Item = Event> {
        self.engine.shutdown();
        self.told.into_iter().chain(self.events)
    }

    /// Closes a stream and gives its figures.
    pub(crate) fn close(&mut self, stream: StreamId) -> StreamStats {
        self.engine.send(Command::Close { stream });
        self.wait_for(|event| match event {
            Event::Closed { stream: closed, stats } if *closed == stream => Some(stats.clone()),
            _ => None,
        })
    }
}

impl Peer {
    /// What offer/answer would agree with this peer.
    pub(crate) fn setup(&self, codec: Codec) -> Setup {
        Setup {
            remote: Some(self.socket.local_addr().expect("it is bound")),
            rtcp: None,
            signalled: self.engine.ip(),
            codec,
            send_type: payload_type(codec),
            receive_types: Codec::ALL.map(|codec| (payload_type(codec), codec)).to_vec(),
            opus: OpusFormat { fec: true, ..OpusFormat::default() },
            digits: Some(DigitFormat { clock_rate: 8_000, send_type: EVENT_TYPE, receive_type: EVENT_TYPE }),
            ptime: 20,
            send: true,
            receive: true,
            security: Security::Plain,
            fax: false,
        }
    }

    /// Sends the next 20 ms of G.711.
    pub(crate) fn say(&mut self, payload: &[u8]) {
        self.say_for(payload, payload.len() as u32);
    }

    /// Sends a packet that lasts so many timestamp units.
    pub(crate) fn say_for(&mut self, payload: &[u8], units: u32) {
        let packet = Packet { payload: payload.to_vec(), ..self.next.clone() };
        self.send(&packet);
        self.next.marker = false;
        self.next.sequence = self.next.sequence.wrapping_add(1);
        self.next.timestamp = self.next.timestamp.wrapping_add(units);
    }

    pub(crate) fn send(&self, packet: &Packet) {
        self.socket.send_to(&packet.to_bytes(), self.engine).expect("loopback");
    }

    /// The next packet from the engine.
    pub(crate) fn hear(&self) -> Packet {
        let mut datagram = [0; 2_048];
        let (length, from) = self.socket.recv_from(&mut datagram).expect("a packet in time");
        assert_eq!(from, self.engine);
        Packet::parse(&datagram[..length])
    }

    /// Whether nothing comes within that time.
    pub(crate) fn hears_nothing_for(&self, time: Duration) -> bool {
        self.socket.set_read_timeout(Some(time)).expect("a valid time-out");
        let nothing = self.socket.recv_from(&mut [0; 2_048]).is_err();
        self.socket.set_read_timeout(Some(DEADLINE)).expect("a valid time-out");
        nothing
    }
}

impl Packet {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x80, self.payload_type | u8::from(self.marker) << 7];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Self {
        assert_eq!(bytes[0], 0x80, "version 2 and nothing else");
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        Self {
            payload_type: bytes[1] & 0x7F,
            marker: bytes[1] & 0x80 != 0,
            sequence: u16::from_be_bytes([bytes[2], bytes[3]]),
            timestamp: word(4),
            ssrc: word(8),
            payload: bytes[12..].to_vec(),
        }
    }
}

/// What the peers call a codec.
pub(crate) fn payload_type(codec: Codec) -> u8 {
    codec.static_type().unwrap_or(match codec {
        Codec::Opus => 111,
        _ => 118,
    })
}

/// Reproducible noise: speech-like enough to be correlated, unlike itself at any shift.
pub(crate) fn noise(seed: u64, count: usize) -> Vec<i16> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 50) as i16 - 8_192
        })
        .collect()
}

pub(crate) fn encoded(codec: Codec, samples: &[i16]) -> Vec<u8> {
    let mut bytes = vec![0; samples.len()];
    Law::of(codec).expect("G.711").encode(samples, &mut bytes);
    bytes
}

pub(crate) fn decoded(codec: Codec, bytes: &[u8]) -> Vec<i16> {
    let mut samples = vec![0; bytes.len()];
    Law::of(codec).expect("G.711").decode(bytes, &mut samples);
    samples
}

/// Writes a mono WAV at 8 kHz and gives its path as a command wants it.
pub(crate) fn wav(path: &Path, samples: &[i16]) -> std::sync::Arc<str> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("a new file");
    samples.iter().for_each(|sample| writer.write_sample(*sample).expect("disk space"));
    writer.finalize().expect("disk space");
    path.to_str().expect("UTF-8").into()
}
