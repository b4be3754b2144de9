//! What our own descriptions say, and how each follows from the one before.

use crate::crypto::{LocalCrypto, Need, Ours, Protection};
use crate::handshake::Terms;
use crate::session::{Encoding, Format, Formats, Media, Session};
use crate::{Capability, Direction, Handshake, T38};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// What an endpoint without another wish asks for and nearly all send.
const PTIME: u8 = 20;
/// RFC 3551 leaves these payload types to the session.
const DYNAMIC_TYPES: std::ops::RangeInclusive<u8> = 96..=127;
/// Telephone-event has no number of its own; peers that skip `a=rtpmap` take this one for it.
const TELEPHONE_EVENT_TYPE: u8 = 101;

/// The part of a description that changes from one to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    lines: Vec<Line>,
    formats: Vec<LocalFormat>,
    /// Of the audio.
    pub(crate) crypto: Vec<LocalCrypto>,
    /// Likewise.
    pub(crate) handshake: Option<Box<Terms>>,
    pub(crate) direction: Direction,
}

/// An `m=` section. Once written it keeps its place for the session's life (RFC 3264 8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Line {
    Audio {
        profile: Profile,
        rtcp_mux: bool,
    },
    /// In the place of the audio.
    Fax(Box<T38>),
    Refused {
        kind: String,
        protocol: String,
        format: String,
    },
}

/// The RTP profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Profile {
    Avp,
    Avpf,
    /// RFC 3711.
    Savp,
    /// RFC 5124.
    Savpf,
    /// RFC 5764.
    Dtls,
}

/// A format of our description and the payload type on which we receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocalFormat {
    pub(crate) capability: usize,
    pub(crate) payload_type: u8,
}

impl Profile {
    /// The profile of a section that we can agree on: audio over RTP.
    pub(crate) fn of(media: &Media<'_>) -> Option<Self> {
        match (media.kind, media.protocol) {
            ("audio", "RTP/AVP") => Some(Self::Avp),
            ("audio", "RTP/AVPF") => Some(Self::Avpf),
            ("audio", "RTP/SAVP") => Some(Self::Savp),
            ("audio", "RTP/SAVPF") => Some(Self::Savpf),
            ("audio", "UDP/TLS/RTP/SAVPF") => Some(Self::Dtls),
            _ => None,
        }
    }

    /// Whether it stands for encryption.
    pub(crate) const fn is_secure(self) -> bool {
        matches!(self, Self::Savp | Self::Savpf | Self::Dtls)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Avp => "RTP/AVP",
            Self::Avpf => "RTP/AVPF",
            Self::Savp => "RTP/SAVP",
            Self::Savpf => "RTP/SAVPF",
            Self::Dtls => "UDP/TLS/RTP/SAVPF",
        }
    }
}

impl Description {
    /// The first description of a session that we begin.
    pub(crate) fn first_offer(
        capabilities: &[Capability],
        protection: Option<&Protection>,
        direction: Direction,
    ) -> Self {
        let formats = number(capabilities, Vec::new());
        let crypto = protection.map(Protection::offered).unwrap_or_default();
        let handshake = protection.and_then(Protection::offered_handshake);
        Self { lines: vec![Line::new_audio(protection)], formats, crypto, handshake, direction }
    }

    /// A later offer of audio: the sections keep their places and the formats their numbers.
    pub(crate) fn next_offer(
        &self,
        capabilities: &[Capability],
        protection: Option<&Protection>,
        direction: Direction,
    ) -> Self {
        let (mut lines, mut crypto) = (self.lines.clone(), self.crypto.clone());
        let mut handshake = self.handshake.clone().map(|terms| Box::new(terms.offered_again()));
        if let Some(fax) = self.fax() {
            exchange(&mut lines, fax, Line::new_audio(protection), Line::is_refused_audio);
        } else if self.audio().is_none() {
            handshake = protection.and_then(Protection::offered_handshake);
            crypto = protection.map(Protection::offered).unwrap_or_default();
            // The audio was switched off by port 0; its own place may be used again (RFC 3264 8.1).
            match lines.iter_mut().find(|line| line.is_refused_audio()) {
                Some(line) => *line = Line::new_audio(protection),
                None => lines.push(Line::new_audio(protection)),
            }
        }
        Self { lines, formats: number(capabilities, self.formats.clone()), crypto, handshake, direction }
    }

    /// An offer of fax in the place of the audio; `None` if there is neither.
    pub(crate) fn fax_offer(&self, t38: T38, direction: Direction) -> Option<Self> {
        let mut lines = self.lines.clone();
        let place = self.fax().or(self.audio())?;
        exchange(&mut lines, place, Line::Fax(Box::new(t38)), Line::is_refused_fax);
        Some(Self { lines, direction, ..self.clone() })
    }

    /// The answer to `offer` that takes its section `chosen` as fax. Formats and keys are kept for the audio to come.
    pub(crate) fn fax_answer(
        &self,
        offer: &Session<'_>,
        chosen: usize,
        t38: T38,
        direction: Direction,
    ) -> Self {
        let mut lines: Vec<Line> = offer.media.iter().map(Line::refuse).collect();
        if let Some(line) = lines.get_mut(chosen) {
            *line = Line::Fax(Box::new(t38));
        }
        Self { lines, direction, ..self.clone() }
    }

    /// The answer to `offer` that takes its section `chosen`, or none.
    pub(crate) fn answer(
        offer: &Session<'_>,
        chosen: Option<(usize, Profile)>,
        formats: Vec<LocalFormat>,
        ours: Option<Ours>,
        direction: Direction,
    ) -> Self {
        let line = |(index, media): (usize, &Media<'_>)| match chosen {
            Some((chosen, profile)) if chosen == index => Line::Audio { profile, rtcp_mux: media.rtcp_mux },
            _ => Line::refuse(media),
        };
        let lines = offer.media.iter().enumerate().map(line).collect();
        let (crypto, handshake) = match ours {
            Some(Ours::Line(line)) => (vec![line], None),
            Some(Ours::Handshake(terms)) => (Vec::new(), Some(Box::new(terms))),
            None => (Vec::new(), None),
        };
        Self { lines, formats, crypto, handshake, direction }
    }

    /// Which section is the audio.
    pub(crate) fn audio(&self) -> Option<usize> {
        self.lines.iter().position(|line| matches!(line, Line::Audio { .. }))
    }

    /// Which section is the fax.
    pub(crate) fn fax(&self) -> Option<usize> {
        self.lines.iter().position(|line| matches!(line, Line::Fax(_)))
    }

    /// What we say of fax.
    pub(crate) fn t38(&self) -> Option<&T38> {
        self.lines.iter().find_map(|line| match line {
            Line::Fax(t38) => Some(&**t38),
            Line::Audio { .. } | Line::Refused { .. } => None,
        })
    }

    /// The profile of the audio.
    pub(crate) fn profile(&self) -> Option<Profile> {
        self.lines.iter().find_map(|line| match line {
            Line::Audio { profile, .. } => Some(*profile),
            Line::Fax(_) | Line::Refused { .. } => None,
        })
    }

    /// The payload type on which we receive a capability, if the description has it.
    pub(crate) fn payload_type_of(&self, capability: usize) -> Option<u8> {
        self.formats.iter().find(|format| format.capability == capability).map(|format| format.payload_type)
    }

    /// The capability that a payload type of ours stands for.
    pub(crate) fn capability_of(&self, payload_type: u8) -> Option<usize> {
        self.formats.iter().find(|format| format.payload_type == payload_type).map(|format| format.capability)
    }

    /// The sections as they are written, the audio on `port`.
    pub(crate) fn media<'a>(
        &'a self,
        capabilities: &'a [Capability],
        protection: Option<&'a Protection>,
        (address, port): (IpAddr, u16),
    ) -> Vec<Media<'a>> {
        let crypto = |line: &LocalCrypto| protection?.write(*line);
        let section = |line: &'a Line| match line {
            Line::Audio { profile, rtcp_mux } => Media {
                port,
                direction: Some(self.direction),
                ptime: Some(PTIME),
                rtcp_mux: *rtcp_mux,
                crypto: self.crypto.iter().filter_map(crypto).collect(),
                handshake: self.handshake(protection, SocketAddr::new(address, port)),
                ..bare("audio", profile.as_str(), Formats::Rtp(self.rtp_formats(capabilities)))
            },
            Line::Fax(t38) => {
                let (kind, protocol, format) = T38::words();
                // T.38's sections say nothing of their direction, as long as it is both.
                let direction = Some(self.direction).filter(|it| *it != Direction::SendRecv);
                let t38 = Some(t38.clone());
                Media { port, direction, t38, ..bare(kind, protocol, Formats::Other(format)) }
            }
            Line::Refused { kind, protocol, format } => bare(kind, protocol, Formats::Other(format)),
        };
        self.lines.iter().map(section).collect()
    }

    fn handshake<'a>(&'a self, protection: Option<&'a Protection>, candidate: SocketAddr) -> Handshake<'a> {
        let terms = self.handshake.as_ref().zip(protection.and_then(|it| it.handshake.as_ref()));
        terms.map_or_else(Handshake::default, |(terms, local)| Handshake {
            candidate: Some(candidate),
            ..terms.write(local)
        })
    }

    fn rtp_formats<'a>(&self, capabilities: &'a [Capability]) -> Vec<Format<'a>> {
        let format = |local: &LocalFormat| {
            let capability = capabilities.get(local.capability)?;
            Some(Format {
                payload_type: local.payload_type,
                encoding: Some(Encoding {
                    name: &capability.encoding,
                    clock_rate: capability.clock_rate,
                    channels: capability.channels,
                }),
                fmtp: capability.fmtp.as_deref(),
            })
        };
        self.formats.iter().filter_map(format).collect()
    }
}

impl Line {
    fn new_audio(protection: Option<&Protection>) -> Self {
        let profile = match protection {
            Some(protection) if protection.offered_handshake().is_some() => Profile::Dtls,
            Some(Protection { need: Need::Required, .. }) => Profile::Savp,
            _ => Profile::Avp,
        };
        Self::Audio { profile, rtcp_mux: true }
    }

    fn refuse(media: &Media<'_>) -> Self {
        let format = match &media.formats {
            Formats::Rtp(formats) => {
                formats.first().map_or_else(String::new, |format| format.payload_type.to_string())
            }
            Formats::Other(format) => (*format).to_owned(),
        };
        Self::Refused { kind: media.kind.to_owned(), protocol: media.protocol.to_owned(), format }
    }

    fn is_refused_audio(&self) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == "audio")
    }

    fn is_refused_fax(&self) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == "image")
    }

    /// The section in its place, switched off.
    fn switched_off(&self) -> Self {
        let (kind, protocol, format) = match self {
            // Any number will do for what has port 0.
            Self::Audio { profile, .. } => ("audio", profile.as_str(), "0"),
            Self::Fax(_) => T38::words(),
            Self::Refused { .. } => return self.clone(),
        };
        Self::Refused { kind: kind.to_owned(), protocol: protocol.to_owned(), format: format.to_owned() }
    }
}

/// Puts `new` in the place of the section that is on: where a section of its kind was switched off before, or else right
/// there, since it is the same call in another form (RFC 3264 8.3.3).
fn exchange(lines: &mut [Line], on: usize, new: Line, is_its_kind: fn(&Line) -> bool) {
    let place = lines.iter().position(is_its_kind).unwrap_or(on);
    lines[on] = lines[on].switched_off();
    lines[place] = new;
}

/// A section without attributes and with port 0.
fn bare<'a>(kind: &'a str, protocol: &'a str, formats: Formats<'a>) -> Media<'a> {
    Media {
        kind,
        port: 0,
        protocol,
        formats,
        connection: None,
        direction: None,
        ptime: None,
        rtcp_mux: false,
        rtcp: None,
        crypto: Vec::new(),
        handshake: Handshake::default(),
        t38: None,
    }
}

/// Adds the capabilities that `formats` lacks, each on its static number or a free dynamic one.
/// More than the dynamic numbers can hold are left out.
fn number(capabilities: &[Capability], mut formats: Vec<LocalFormat>) -> Vec<LocalFormat> {
    for (index, capability) in capabilities.iter().enumerate() {
        if formats.iter().any(|format| format.capability == index) {
            continue;
        }
        let is_free = |number: &u8| formats.iter().all(|format| format.payload_type != *number);
        let favourite = match capability.static_type {
            None if capability.is_telephone_event() => Some(TELEPHONE_EVENT_TYPE),
            other => other,
        };
        // A codec that comes first must not take the number that peers know telephone-event by.
        let dynamic = || DYNAMIC_TYPES.filter(|number| *number != TELEPHONE_EVENT_TYPE).find(is_free);
        if let Some(payload_type) = favourite.filter(is_free).or_else(dynamic) {
            formats.push(LocalFormat { capability: index, payload_type });
        }
    }
    formats
}
