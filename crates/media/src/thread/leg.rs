use super::Surroundings;
use super::browser::Browser;
use super::feedback::Feedback;
use super::keys::InBand;
use super::protection::Protection;
use super::relay::DATAGRAM;
use super::transcode::{Hears, Transcoder};
use crate::playback::{Fill, Playback};
use crate::prompts::{Audio, Request, Ticket, translation};
use crate::recorder::{Side, Stamp};
use audio::Rate;
use audio::dtmf::KeyPress;
use clock::{Duration, Time};
use rtp::control::{Event, Hush, PlayEnd, PlayId, RecordingId, RoomId, Setup, StreamId, StreamStats};
use rtp::{Codec, Content, Digit, DigitTick, HEADER_LEN, Header, Packet, Received, RtpError, Stream};
use rustix::net::connect_unspec;
use secure::MAX_OVERHEAD;
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::TrySendError;

/// Packet durations that a playback is sent in, whatever the peer asks for.
const PTIME: std::ops::RangeInclusive<u8> = 10..=60;

/// The bytes of the longest packet of a playback: L16's.
const PACKET_BYTES: usize = HEADER_LEN + *PTIME.end() as usize * 32;

/// The pause after a key that is passed on by being pressed again, in milliseconds.
const KEY_GAP: u32 = 40;

/// The longest key that is passed on so, in milliseconds: nobody may keep another from hearing for longer.
const LONGEST_KEY: u32 = 1_300;

/// The beat of telephone-events, and of keys as sound.
const DIGIT_MILLIS: u8 = 20;
const DIGIT_BEAT: Duration = Duration::from_millis(DIGIT_MILLIS as u64);

/// How many recordings a stream may have at a time: the call's, and a message's within it, twice over.
pub(super) const RECORDINGS: usize = 4;

/// One stream with its socket, and what is played to it and recorded of it.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) id: StreamId,
    pub(super) port: u16,
    /// The slot of the stream that it is bridged with.
    pub(super) partner: Option<usize>,
    pub(super) room: Option<RoomId>,
    pub(super) pacing: Pacing,
    pub(super) recordings: Vec<Tape>,
    pub(super) rtp: Stream,
    pub(super) protection: Protection,
    pub(super) browser: Option<Box<Browser>>,
    socket: UdpSocket,
    link: Link,
    pub(super) feedback: Feedback,
    playback: Option<Box<Playback>>,
    pub(super) transcoder: Transcoder,
    in_band: InBand,
    /// Whether the party's keys are told alone.
    keeps_keys: bool,
    /// When the party's last packet came.
    pub(super) heard: Option<Time>,
    watch: Watch,
}

/// A recording of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tape {
    pub(super) recording: RecordingId,
    /// While it must not hear anything.
    pub(super) hush: Option<Hush>,
}

/// Whether a beat is set for the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pacing {
    Resting,
    Beating,
}

/// What a stream does after a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Sends again after that time.
    Next(Duration),
    /// Has nothing of its own to send.
    Rest,
}

/// Whether the socket is connected to the peer. Until the peer's address is settled it is not, since a
/// connected socket would not hear another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Open,
    Connected,
}

/// The watch for a party that falls silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    /// No media is agreed.
    Off,
    Since(Time),
    Told,
}

/// A packet of the party that is worth passing on.
#[derive(Debug)]
pub(super) struct Heard {
    packet: Packet,
    voice: Voice,
}

#[derive(Clone, Copy, Debug)]
enum Voice {
    Audio(Codec),
    /// And the clock of its duration, and the keys that ended with it.
    Event(u32, [Option<Digit>; 2]),
}

/// How a partner is given what was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As it came, or translated byte by byte.
    Relayed,
    /// Decoded at that rate, and encoded anew.
    Decoded(Rate),
    /// Not at all while keys are sent.
    Muted,
    /// Not at all, and not soon.
    Withheld,
}

impl Leg {
    /// A stream on a bound socket.
    pub(super) fn new(id: StreamId, port: u16, socket: UdpSocket) -> Self {
        let random = RandomState::new();
        let (ssrc, numbers) = (random.hash_one(id) as u32, random.hash_one((id, port)));
        Self {
            id,
            port,
            partner: None,
            room: None,
            pacing: Pacing::Resting,
            recordings: Vec::new(),
            socket,
            link: Link::Open,
            // Numbers that begin in the lower half do not roll over before the peer has heard one (RFC 3711 3.3.1).
            rtp: Stream::new(ssrc, numbers as u16 / 2, (numbers >> 32) as u32),
            protection: Protection::default(),
            browser: None,
            feedback: Feedback::default(),
            playback: None,
            transcoder: Transcoder::default(),
            in_band: InBand::default(),
            keeps_keys: false,
            heard: None,
            watch: Watch::Off,
        }
    }

    /// Its socket, to be watched.
    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Its socket, to be used again.
    pub(super) fn into_socket(self) -> UdpSocket {
        self.socket
    }

    /// What was counted so far.
    pub(super) fn stats(&self) -> StreamStats {
        StreamStats {
            refused: self.protection.refused(),
            concealed_permille: self.transcoder.concealed_permille(),
            ..self.rtp.stats()
        }
    }

    /// Takes over what offer/answer agreed.
    pub(super) fn set_up(&mut self, now: Time, mut setup: Setup, around: &Surroundings) {
        self.meet(now, &mut setup, around);
        // A fax machine is silent for as long as it receives a page.
        let expects_media = setup.receive && setup.remote.is_some() && !setup.fax;
        self.watch = match (expects_media, self.watch) {
            (false, _) => Watch::Off,
            (true, Watch::Off) => Watch::Since(now),
            (true, watch) => watch,
        };
        self.protection.apply(&setup.security);
        let codec = setup.codec;
        self.in_band.listen(setup.digits.is_none());
        if setup.fax {
            self.stop_transcoding();
        }
        self.rtp.apply(now, setup);
        if let Some(playback) = &mut self.playback {
            playback.recode(codec);
        }
        if self.link == Link::Connected && !self.rtp.source().is_settled(now) {
            // It fails only for what is no socket.
            let _never = connect_unspec(&self.socket);
            self.link = Link::Open;
        }
        self.request_next(around);
    }

    /// Takes one datagram that came from `from`, tells what it means, and returns what a partner may hear.
    pub(super) fn hear(
        &mut self,
        now: Time,
        from: SocketAddr,
        datagram: &[u8],
        around: &mut Surroundings,
    ) -> Option<Heard> {
        match self.rtp.receive(now, from, datagram) {
            Received::Audio { packet, codec } => {
                self.note_heard(now, from, around);
                let stream = self.id;
                self.in_band.hear(codec, packet.payload(datagram), |KeyPress { digit, .. }| {
                    around.tell(Event::Digit { stream, digit: digit.digit, millis: digit.millis });
                });
                self.record(now, Side::Received, codec, &packet.header, packet.payload(datagram), around);
                Some(Heard { packet, voice: Voice::Audio(codec) })
            }
            Received::Event { packet, digits } => {
                self.note_heard(now, from, around);
                for digit in digits.into_iter().flatten() {
                    around.tell(Event::Digit { stream: self.id, digit: digit.digit, millis: digit.millis });
                }
                let clock_rate =
                    self.rtp.setup().and_then(|setup| setup.digits).map_or(0, |it| it.clock_rate);
                (!self.keeps_keys).then_some(Heard { packet, voice: Voice::Event(clock_rate, digits) })
            }
            Received::UnknownType => {
                self.note_heard(now, from, around);
                None
            }
            Received::Rtcp | Received::Stale | Received::Malformed | Received::Foreign => None,
        }
    }

    /// Receives from the socket; `None` if there is nothing, only an ICMP error, or what is not the peer's media.
    pub(super) fn receive(
        &mut self,
        now: Time,
        datagram: &mut [u8],
        around: &Surroundings,
    ) -> Option<(usize, SocketAddr)> {
        let (length, from) = self.socket.recv_from(datagram).ok()?;
        let datagram = &mut datagram[..length];
        if self.browser.is_some() && !self.is_media(now, from, datagram, around) {
            return None;
        }
        Some((self.protection.open(datagram)?, from))
    }

    /// How this party is given what its partner said.
    pub(super) fn way_for(&self, heard: &Heard, is_decoded: bool) -> Way {
        let Some(setup) = self.rtp.setup() else { return Way::Withheld };
        match heard.voice {
            // Nobody speaks over a prompt.
            Voice::Audio(_) if self.playback.is_some() => Way::Withheld,
            Voice::Audio(_) if self.is_sending_keys() => Way::Muted,
            Voice::Audio(from) if translation(from, setup.codec).is_some() => Way::Relayed,
            Voice::Audio(from) => Way::Decoded(Rate::of(from).min(Rate::of(setup.codec))),
            Voice::Event(..) if self.playback.is_some() => Way::Withheld,
            Voice::Event(clock, _)
                if is_decoded
                    || self.is_sending_keys()
                    || setup.digits.is_none_or(|it| it.clock_rate != clock) =>
            {
                Way::Decoded(Rate::Narrow)
            }
            Voice::Event(..) => Way::Relayed,
        }
    }

    /// Whether nothing has come of the party for so long.
    pub(super) fn is_quiet(&self, now: Time, time: Duration) -> bool {
        self.heard.is_none_or(|heard| now.since(heard) >= time)
    }

    /// Keeps what this party said to be decoded for a partner.
    pub(super) fn listen(&mut self, now: Time, heard: &Heard, datagram: &[u8], rate: Rate) {
        let (header, payload) = (&heard.packet.header, heard.packet.payload(datagram));
        match heard.voice {
            Voice::Audio(codec) => self.transcoder.hear(now, header, codec, payload, rate),
            Voice::Event(..) => self.transcoder.skip(header),
        }
    }

    /// Presses the keys of a partner again whose events cannot be passed on as they are.
    pub(super) fn press_again(&mut self, heard: &Heard) {
        let Voice::Event(_, digits) = heard.voice else { return };
        for Digit { digit, millis } in digits.into_iter().flatten() {
            // What is refused is no digit, or one of a thousand that wait.
            let _unheard = self.press(digit, millis.min(LONGEST_KEY), KEY_GAP);
        }
    }

    /// Queues a key: as a telephone-event, or as sound where the party knows none.
    fn press(&mut self, digit: char, on_millis: u32, off_millis: u32) -> Result<(), RtpError> {
        let millis = |millis: u32| Duration::from_millis(millis.into());
        match self.rtp.push_digit(digit, millis(on_millis), millis(off_millis)) {
            Err(RtpError::NoTelephoneEvent) if self.in_band.press(digit, on_millis, off_millis) => Ok(()),
            pressed => pressed,
        }
    }

    /// Sends sound of our own making, in one packet of so many milliseconds.
    pub(super) fn say(
        &mut self,
        now: Time,
        sound: &[i16],
        rate: Rate,
        millis: u8,
        around: &mut Surroundings,
    ) {
        let Some(setup) = self.rtp.setup() else { return };
        let codec = setup.codec;
        let mut packet = [0; PACKET_BYTES];
        match self.transcoder.encode(
            Hears::Party,
            sound,
            rate,
            (codec, setup.opus),
            &mut packet[HEADER_LEN..],
        ) {
            Some(bytes) => self.send_own(now, &mut packet[..HEADER_LEN + bytes], codec, millis, around),
            None => self.rtp.pause(now, millis.into()),
        }
    }

    /// Sends sound of which a recording has something else instead.
    pub(super) fn say_aside(
        &mut self,
        now: Time,
        (sound, recorded): (&[i16], &[i16]),
        rate: Rate,
        millis: u8,
        around: &mut Surroundings,
    ) {
        let Some(setup) = self.rtp.setup() else { return };
        let (codec, opus) = (setup.codec, setup.opus);
        let (mut packet, mut taped) = ([0; PACKET_BYTES], [0; PACKET_BYTES]);
        let bytes =
            self.transcoder.encode(Hears::Party, sound, rate, (codec, opus), &mut packet[HEADER_LEN..]);
        let taped_bytes = self.transcoder.encode(Hears::Recording, recorded, rate, (codec, opus), &mut taped);
        let Some(bytes) = bytes else { return self.rtp.pause(now, millis.into()) };
        let Some(header) = self.rtp.play(now, millis.into()) else { return };
        packet[..HEADER_LEN].copy_from_slice(&header.to_bytes());
        if let Some(bytes) = taped_bytes {
            self.record(now, Side::Sent, codec, &header, &taped[..bytes], around);
        }
        self.transmit(&packet[..HEADER_LEN + bytes]);
    }

    /// Whether anything of it is recorded.
    pub(super) fn is_recorded(&self) -> bool {
        !self.recordings.is_empty()
    }

    /// What was agreed last.
    pub(super) fn setup(&self) -> Option<&Setup> {
        self.rtp.setup()
    }

    /// The rate at which a recording keeps all of what its codec has.
    pub(super) fn rate(&self) -> Rate {
        self.rtp.setup().map_or(Rate::Narrow, |setup| Rate::of(setup.codec))
    }

    /// Leaves its partner; who that was.
    pub(super) fn part(&mut self) -> Option<usize> {
        self.in_band.release();
        self.stop_transcoding();
        self.partner.take()
    }

    /// What it says is decoded for nobody, and nothing is encoded for it.
    pub(super) fn stop_transcoding(&mut self) {
        self.transcoder.fall_silent();
    }

    /// Whether the party hears something of its own, before which all others fall silent.
    pub(super) fn is_busy(&self) -> bool {
        self.playback.is_some() || self.is_sending_keys()
    }

    fn is_sending_keys(&self) -> bool {
        self.rtp.is_sending_digits() || self.in_band.is_sending()
    }

    /// Sends a packet of our own whose payload is in its place.
    fn send_own(
        &mut self,
        now: Time,
        packet: &mut [u8],
        codec: Codec,
        millis: u8,
        around: &mut Surroundings,
    ) {
        let Some(header) = self.rtp.play(now, millis.into()) else { return };
        packet[..HEADER_LEN].copy_from_slice(&header.to_bytes());
        self.record(now, Side::Sent, codec, &header, &packet[HEADER_LEN..], around);
        self.transmit(packet);
    }

    /// Sends the partner's packet on, in place.
    pub(super) fn forward(
        &mut self,
        now: Time,
        heard: &Heard,
        datagram: &mut [u8],
        around: &mut Surroundings,
    ) {
        let content = match heard.voice {
            Voice::Audio(_) => Content::Audio,
            Voice::Event(..) => Content::Event,
        };
        let Some(header) = self.rtp.forward(now, &heard.packet.header, content) else { return };
        if let (Voice::Audio(from), Some(to)) = (heard.voice, self.rtp.setup().map(|setup| setup.codec)) {
            if let Some(Some(table)) = translation(from, to) {
                for byte in heard.packet.payload_mut(datagram) {
                    *byte = table[usize::from(*byte)];
                }
            }
            self.record(now, Side::Sent, to, &header, heard.packet.payload(datagram), around);
        }
        self.transmit(heard.packet.rewrite(datagram, header));
    }

    /// Begins a playback in place of the one before.
    pub(super) fn play(&mut self, playback: Playback, around: &Surroundings) {
        self.end_playback(PlayEnd::Stopped, around);
        self.playback = Some(Box::new(playback));
        self.request_next(around);
    }

    /// Goes to another thread, which reads its files for itself.
    pub(super) fn depart(&mut self) {
        self.pacing = Pacing::Resting;
        if let Some(playback) = &mut self.playback {
            playback.forget_request();
        }
    }

    /// Goes on on this thread.
    pub(super) fn arrive(&mut self, around: &Surroundings) {
        self.request_next(around);
    }

    /// Hands a file to the playback that wanted it; whether it is still there.
    pub(super) fn loaded(&mut self, ticket: Ticket, codec: Codec, audio: Audio) -> bool {
        let playback = self.playback.as_mut().filter(|playback| playback.id() == ticket.play);
        playback.map(|playback| playback.loaded(ticket.file, codec, audio)).is_some()
    }

    /// Ends a playback, if it is the current one.
    pub(super) fn stop_play(&mut self, play: PlayId, around: &Surroundings) {
        if self.playback.as_ref().is_some_and(|playback| playback.id() == play) {
            self.end_playback(PlayEnd::Stopped, around);
        }
    }

    /// Ends the playback, if there is one.
    pub(super) fn end_playback(&mut self, end: PlayEnd, around: &Surroundings) {
        if let Some(playback) = self.playback.take() {
            around.tell(Event::PlayEnded { stream: self.id, play: playback.id(), end });
        }
    }

    /// Forwards the party's keys to nobody.
    pub(super) fn keep_keys(&mut self) {
        self.keeps_keys = true;
    }

    /// Queues digits; those that cannot be sent are told.
    pub(super) fn send_digits(&mut self, digits: &str, around: &Surroundings) {
        const TONE: u32 = 100;
        const GAP: u32 = 50;
        for digit in digits.chars() {
            if let Err(cause) = self.press(digit, TONE, GAP) {
                let stream = self.id.0;
                around.tell(Event::Alarm(format!("stream {stream}: digits were not sent: {cause}")));
                return;
            }
        }
    }

    /// Sends what is due of digits or of the playback.
    pub(super) fn beat(&mut self, now: Time, around: &mut Surroundings) -> Beat {
        match self.rtp.digit_tick(now) {
            DigitTick::Packet { header, payload } => {
                let mut packet = [0; HEADER_LEN + 4];
                packet[..HEADER_LEN].copy_from_slice(&header.to_bytes());
                packet[HEADER_LEN..].copy_from_slice(&payload);
                self.transmit(&packet);
                Beat::Next(DIGIT_BEAT)
            }
            DigitTick::Pause => Beat::Next(DIGIT_BEAT),
            DigitTick::Idle if self.in_band.is_sending() => {
                let mut room = [0; DIGIT_MILLIS as usize * InBand::RATE.per_milli()];
                if self.in_band.fill(&mut room) {
                    self.say(now, &room, InBand::RATE, DIGIT_MILLIS, around);
                }
                Beat::Next(DIGIT_BEAT)
            }
            DigitTick::Idle => self.play_frame(now, around),
        }
    }

    /// Tells what is overdue: a digit whose end was lost, and the party's silence.
    pub(super) fn tell_overdue(&mut self, now: Time, around: &Surroundings) {
        let is_deserted = self.keep_browser(now, self.watch != Watch::Off, around);
        if let Some(Digit { digit, millis }) = self.rtp.flush_digit(now) {
            around.tell(Event::Digit { stream: self.id, digit, millis });
        }
        let quiet = match self.watch {
            Watch::Since(since) => now.since(self.heard.map_or(since, |heard| heard.max(since))),
            Watch::Off | Watch::Told => Duration::ZERO,
        };
        if is_deserted || (quiet >= around.silence && !quiet.is_zero()) {
            self.watch = Watch::Told;
            let millis = u32::try_from(quiet.as_millis()).unwrap_or(u32::MAX);
            around.tell(Event::Silent { stream: self.id, millis });
        }
    }

    /// When it is to be looked after next, if nothing comes or goes before.
    pub(super) fn next_look(&self, silence: Duration) -> Time {
        if self.browser.is_some() || self.feedback.is_watching() {
            return Time::ZERO;
        }
        let silent = match self.watch {
            Watch::Since(since) => Some(self.heard.map_or(since, |heard| heard.max(since)) + silence),
            Watch::Off | Watch::Told => None,
        };
        silent.into_iter().chain(self.rtp.next_timeout()).min().unwrap_or(Time::MAX)
    }

    /// Sends the playback's next packet.
    fn play_frame(&mut self, now: Time, around: &mut Surroundings) -> Beat {
        let (Some(setup), Some(playback)) = (self.rtp.setup(), &mut self.playback) else { return Beat::Rest };
        let (codec, ptime) = (setup.codec, setup.ptime.clamp(*PTIME.start(), *PTIME.end()));
        let mut packet = [0; PACKET_BYTES];
        match playback.fill(&mut packet[HEADER_LEN..], codec, ptime) {
            Fill::Frame { bytes, millis } => {
                self.send_own(now, &mut packet[..HEADER_LEN + bytes], codec, millis, around);
                self.request_next(around);
                Beat::Next(Duration::from_millis(millis.into()))
            }
            Fill::Waiting => {
                self.request_next(around);
                Beat::Rest
            }
            Fill::Finished => {
                self.end_playback(PlayEnd::Finished, around);
                Beat::Rest
            }
            Fill::Failed(cause) => {
                self.end_playback(PlayEnd::Failed(cause), around);
                Beat::Rest
            }
        }
    }

    /// Asks for the playback's next file, once it is known what to encode it with.
    fn request_next(&mut self, around: &Surroundings) {
        let (Some(setup), Some(playback)) = (self.rtp.setup(), &mut self.playback) else { return };
        let Some(path) = playback.request(setup.codec) else { return };
        let ticket = Ticket { stream: self.id, play: playback.id(), file: playback.asked() };
        let request = Request { path, codec: setup.codec, thread: around.index, ticket };
        if let Err(refused) = around.requests.try_send(request) {
            let path = match refused {
                TrySendError::Full(request) | TrySendError::Disconnected(request) => request.path,
            };
            let cause = format!("prompt {path}: too many files wait to be read; the disk is too slow");
            playback.loaded(ticket.file, setup.codec, Err(cause));
        }
    }

    /// Notes that the party lives, and binds the socket to its address once that is settled.
    pub(super) fn note_heard(&mut self, now: Time, from: SocketAddr, around: &Surroundings) {
        if self.heard.replace(now).is_none() {
            around.tell(Event::Started { stream: self.id, peer: from });
        }
        if self.watch == Watch::Told {
            self.watch = Watch::Since(now);
        }
        // A browser may move to another address at any time.
        let may_settle = self.link == Link::Open && self.browser.is_none();
        if may_settle && self.rtp.source().is_settled(now) && self.socket.connect(from).is_ok() {
            self.link = Link::Connected;
        }
    }

    fn record(
        &self,
        at: Time,
        side: Side,
        codec: Codec,
        header: &Header,
        payload: &[u8],
        around: &mut Surroundings,
    ) {
        let Header { sequence, timestamp, ssrc, marker, .. } = *header;
        let stamp = Stamp { at, sequence, timestamp, ssrc, marker };
        for Tape { recording, .. } in self.recordings.iter().filter(|tape| tape.hush.is_none()) {
            around.recorder.audio(*recording, side, codec, stamp, payload);
        }
    }

    /// Sends a packet, protected if that was agreed.
    fn transmit(&mut self, packet: &[u8]) {
        self.rtp.sent(packet);
        let target = self.rtp.target();
        if !self.protection.is_on() {
            return self.send(packet, target);
        }
        if self.browser.as_ref().is_some_and(|browser| !browser.consents()) {
            return;
        }
        let mut buffer = [0; DATAGRAM + MAX_OVERHEAD];
        if let Some(sealed) = self.protection.seal(packet, &mut buffer) {
            self.send(sealed, target);
        }
    }

    /// Sends what is no media to where it is wanted.
    pub(super) fn send_to(&self, datagram: &[u8], to: SocketAddr) {
        // What the network does not take is lost, as on the way; the peer asks again.
        let _lost = self.socket.send_to(datagram, to);
    }

    /// Sends a datagram; what the network does not take is lost, as on the way.
    pub(super) fn send(&self, packet: &[u8], target: Option<SocketAddr>) {
        // An ICMP error of an earlier packet is told in place of sending: the second try sends.
        for _ in 0..2 {
            let sent = match (self.link, target) {
                (Link::Connected, _) => self.socket.send(packet),
                (Link::Open, Some(target)) => self.socket.send_to(packet, target),
                (Link::Open, None) => return,
            };
            if !matches!(sent, Err(error) if error.kind() == ErrorKind::ConnectionRefused) {
                return;
            }
        }
    }
}
