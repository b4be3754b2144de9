mod fax;
mod rtcp;

use crate::control::{DigitFormat, Setup, StreamStats};
use crate::{
    Arrival, Codec, Digit, DigitDetector, DigitSender, Header, Packet, Rating, Reception, Reports, Rewriter,
    RtpError, Source, Verdict, is_rtcp,
};
use clock::{Duration, Time};
use fax::Fax;
use std::net::SocketAddr;

const TICKS_PER_SECOND: u32 = 50;

/// One leg's RTP in both directions, without its socket.
#[derive(Clone, Debug)]
pub struct Stream {
    setup: Option<Setup>,
    source: Source,
    /// Of the party's packets, since the first.
    reception: Option<Box<Reception>>,
    detector: DigitDetector,
    rewriter: Rewriter,
    sender: DigitSender,
    reports: Reports,
    /// Where the party's RTCP comes from, if it has a port of its own.
    rtcp_source: Option<SocketAddr>,
    /// Since there was fax first.
    fax: Option<Box<Fax>>,
    sent: u64,
    foreign: u64,
}

/// What a datagram was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The party's voice.
    Audio {
        /// Where the payload lies.
        packet: Packet,
        /// What it is encoded with.
        codec: Codec,
    },
    /// A packet of an event, and the digits that it ended.
    Event {
        /// Where the payload lies.
        packet: Packet,
        /// In the order in which they were pressed.
        digits: [Option<Digit>; 2],
    },
    /// RTCP of the party on the shared port (RFC 5761).
    Rtcp,
    /// A repeated packet, or one far too late.
    Stale,
    /// A payload type that was not agreed on.
    UnknownType,
    /// Neither RTP nor RTCP.
    Malformed,
    /// A stranger's; counted.
    Foreign,
}

/// What the digits that are being sent want in this 20 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigitTick {
    /// None is being sent: the voice goes on.
    Idle,
    /// This packet goes out in place of the voice.
    Packet {
        /// Its header.
        header: Header,
        /// Its payload.
        payload: [u8; 4],
    },
    /// Nothing goes out: the gap between two digits, or the peer wants no media now.
    Pause,
}

/// What a forwarded packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Voice in the codec of [`Stream::setup`].
    Audio,
    /// A telephone-event.
    Event,
}

impl Stream {
    /// A stream that receives and sends nothing before [`apply`](Self::apply). Its SSRC and the
    /// first sequence number and timestamp should be random (RFC 3550 5.1).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self {
            setup: None,
            source: Source::default(),
            reception: None,
            detector: DigitDetector::default(),
            rewriter: Rewriter::new(ssrc, sequence, timestamp),
            sender: DigitSender::default(),
            // Whatever spreads the numbers of streams spreads their reports.
            reports: Reports::new(u64::from(timestamp) << 32 | u64::from(ssrc)),
            rtcp_source: None,
            fax: None,
            sent: 0,
            foreign: 0,
        }
    }

    /// Takes over what offer/answer agreed.
    pub fn apply(&mut self, now: Time, setup: Setup) {
        if self.setup.as_ref().is_none_or(|before| before.rtcp != setup.rtcp) {
            self.rtcp_source = None;
        }
        match setup.rtcp {
            Some(_) => self.reports.begin(now),
            None => self.reports.end(),
        }
        self.source.expect(setup.remote, setup.receive.then_some(setup.signalled));
        self.rewriter.retime(setup.codec.clock_rate());
        if setup.fax {
            self.fax.get_or_insert_default();
        }
        self.setup = Some(setup);
    }

    /// What was agreed last.
    pub fn setup(&self) -> Option<&Setup> {
        self.setup.as_ref()
    }

    /// Where packets to the party go; `None` while it wants none, or has fax.
    pub fn target(&self) -> Option<SocketAddr> {
        let wanted = self.setup.as_ref().is_some_and(|it| !it.fax && it.send && it.remote.is_some());
        if wanted { self.source.target() } else { None }
    }

    /// Where the party's packets come from, and whether that can be relied on.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Takes a datagram that came from `from`.
    pub fn receive(&mut self, now: Time, from: SocketAddr, datagram: &[u8]) -> Received {
        if is_rtcp(datagram) {
            if !self.is_rtcp_of(from) {
                return self.foreign();
            }
            self.reports.hear(now, datagram);
            return Received::Rtcp;
        }
        let Ok(packet) = Packet::parse(datagram) else { return Received::Malformed };
        let header = &packet.header;
        if self.source.accept(now, from, header.ssrc, header.sequence) == Verdict::Foreign {
            return self.foreign();
        }
        let Some(setup) = &self.setup else { return self.foreign() };
        let event = setup.digits.filter(|digits| digits.receive_type == header.payload_type);
        let audio = setup.receive_types.iter().find(|(number, _)| *number == header.payload_type);
        let audio = audio.map(|(_, codec)| *codec).filter(|_| event.is_none());
        let reception = self.reception.get_or_insert_default();
        if reception.packet(now, header, audio.map(Codec::clock_rate)) == Arrival::Stale {
            return Received::Stale;
        }
        match (event, audio) {
            (Some(DigitFormat { clock_rate, .. }), _) => {
                let payload = packet.payload(datagram);
                let digits = self.detector.packet(now, header.ssrc, header.timestamp, clock_rate, payload);
                Received::Event { packet, digits }
            }
            (None, Some(codec)) => Received::Audio { packet, codec },
            (None, None) => Received::UnknownType,
        }
    }

    /// A digit whose end was lost, once it is over.
    pub fn flush_digit(&mut self, now: Time) -> Option<Digit> {
        self.detector.flush(now)
    }

    /// When a digit may be over, or a report is due.
    pub fn next_timeout(&self) -> Option<Time> {
        self.detector.next_timeout().into_iter().chain(self.reports.next()).min()
    }

    /// The header under which a bridged party's packet goes out to this one; `None` if it does not
    /// (this party wants none, has no telephone-event, or the packet is too late).
    pub fn forward(&mut self, now: Time, header: &Header, content: Content) -> Option<Header> {
        self.target()?;
        let setup = self.setup.as_ref()?;
        let payload_type = match content {
            Content::Audio => setup.send_type,
            Content::Event => setup.digits?.send_type,
        };
        let header = self.rewriter.forward(now, header, payload_type)?;
        self.sent += 1;
        Some(header)
    }

    /// The header of a packet of our own voice that lasts so long; `None` if the party wants none.
    pub fn play(&mut self, now: Time, millis: u32) -> Option<Header> {
        self.target()?;
        let setup = self.setup.as_ref()?;
        self.sent += 1;
        Some(self.rewriter.local(now, millis * (setup.codec.clock_rate() / 1_000), setup.send_type))
    }

    /// Our own voice has nothing to send for so long.
    pub fn pause(&mut self, now: Time, millis: u32) {
        if let Some(setup) = &self.setup {
            self.rewriter.local_pause(now, millis * (setup.codec.clock_rate() / 1_000));
        }
    }

    /// Queues a digit to be sent.
    ///
    /// # Errors
    /// [`RtpError::NoTelephoneEvent`], [`RtpError::NotADigit`], [`RtpError::TooManyDigits`].
    pub fn push_digit(&mut self, digit: char, tone: Duration, gap: Duration) -> Result<(), RtpError> {
        let agreed = self.setup.as_ref().and_then(|setup| setup.digits);
        agreed.ok_or(RtpError::NoTelephoneEvent)?;
        self.sender.push(digit, tone, gap)
    }

    /// Whether digits are being sent, so that [`digit_tick`](Self::digit_tick) is due every 20 ms.
    pub fn is_sending_digits(&self) -> bool {
        !self.sender.is_idle()
    }

    /// Goes on sending digits. To be called every 20 ms while they are sent.
    pub fn digit_tick(&mut self, now: Time) -> DigitTick {
        if self.sender.is_idle() {
            return DigitTick::Idle;
        }
        let agreed = self.setup.as_ref().and_then(|setup| Some((setup.codec.clock_rate(), setup.digits?)));
        let packet = self.sender.tick(agreed.map_or(8_000, |(_, digits)| digits.clock_rate));
        let is_wanted = self.target().is_some();
        let (Some(packet), Some((clock_rate, digits)), true) = (packet, agreed, is_wanted) else {
            let clock_rate = agreed.map_or(8_000, |(clock_rate, _)| clock_rate);
            self.rewriter.local_pause(now, clock_rate / TICKS_PER_SECOND);
            return DigitTick::Pause;
        };
        self.sent += 1;
        let age = packet.age_millis * (clock_rate / 1_000);
        let samples = clock_rate / TICKS_PER_SECOND;
        let header = self.rewriter.local_event(now, samples, age, packet.marker, digits.send_type);
        DigitTick::Packet { header, payload: packet.payload }
    }

    /// What was counted so far.
    pub fn stats(&self) -> StreamStats {
        let reception = self.reception.as_deref();
        StreamStats {
            received: reception.map_or(0, Reception::received),
            sent: self.sent,
            lost: reception.map_or(0, Reception::lost),
            foreign: self.foreign,
            refused: 0,
            jitter_micros: reception.and_then(Reception::jitter_micros),
            bursts: reception.map(|reception| reception.pattern().bursts().count),
            mos: self.listening().map(Rating::mos),
            concealed_permille: None,
            round_trip: self.reports.round_trip(),
            at_peer: self.at_peer(),
            fax: self.fax_stats(),
        }
    }

    fn foreign(&mut self) -> Received {
        self.foreign += 1;
        Received::Foreign
    }
}
