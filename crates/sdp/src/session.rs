use crate::{Crypto, Direction, Handshake, SdpError, T38, parse};
use std::fmt;
use std::net::IpAddr;

/// A session description, borrowed from its text. `Display` writes it with CRLF line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session<'a> {
    /// `o=`; `None` if it is missing or not understood, since nothing here needs the peer's.
    pub origin: Option<Origin<'a>>,
    /// `s=`; `-` if it is missing.
    pub name: &'a str,
    /// The session's `c=`; `None` if there is none or it names no IP address.
    pub connection: Option<IpAddr>,
    /// The session's direction attribute.
    pub direction: Option<Direction>,
    /// What it says of DTLS and ICE for all its sections.
    pub handshake: Handshake<'a>,
    /// The `m=` sections in their order.
    pub media: Vec<Media<'a>>,
}

/// The `o=` line (RFC 8866 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The user name, `-` for none.
    pub username: &'a str,
    /// The session's number.
    pub session_id: u64,
    /// Grows with each change of the description.
    pub version: u64,
    /// Who wrote it.
    pub address: IpAddr,
}

/// One `m=` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// `audio`, `video`, `image`, …
    pub kind: &'a str,
    /// The RTP port; 0 refuses the media.
    pub port: u16,
    /// The transport protocol: `RTP/AVP`, …
    pub protocol: &'a str,
    /// What can be sent.
    pub formats: Formats<'a>,
    /// The section's own `c=`, the first if there are several; `None` as in [`Session::connection`].
    pub connection: Option<IpAddr>,
    /// The section's own direction attribute.
    pub direction: Option<Direction>,
    /// Milliseconds a packet that the writer wants to receive, 1 to 255; anything else is ignored.
    pub ptime: Option<u8>,
    /// Whether RTCP may share the RTP port (RFC 5761).
    pub rtcp_mux: bool,
    /// Where RTCP goes, if the writer says (RFC 3605).
    pub rtcp: Option<Rtcp>,
    /// Keys for encrypted media, the writer's favourite first.
    pub crypto: Vec<Crypto<'a>>,
    /// What it says of DTLS and ICE.
    pub handshake: Handshake<'a>,
    /// What it says of fax, if it is T.38 over UDPTL.
    pub t38: Option<Box<T38>>,
}

/// The formats of an `m=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Formats<'a> {
    /// RTP payload types, at least one, in the writer's order of preference.
    Rtp(Vec<Format<'a>>),
    /// Anything else: the first format's name, which is enough to refuse the media.
    Other(&'a str),
}

/// One RTP payload type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format<'a> {
    /// 0 to 127.
    pub payload_type: u8,
    /// Its `a=rtpmap`; a static payload type may go without.
    pub encoding: Option<Encoding<'a>>,
    /// Its `a=fmtp` parameters.
    pub fmtp: Option<&'a str>,
}

/// The value of `a=rtpmap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding<'a> {
    /// The encoding name.
    pub name: &'a str,
    /// Timestamp units a second.
    pub clock_rate: u32,
    /// Audio channels, 1 if not said.
    pub channels: u8,
}

/// The value of `a=rtcp` (RFC 3605).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtcp {
    /// The RTCP port.
    pub port: u16,
    /// The RTCP address, if it is not that of the media.
    pub address: Option<IpAddr>,
}

impl<'a> Session<'a> {
    /// Reads a description. Tolerant: lines end with CRLF or LF, lines that nothing here needs may
    /// be missing, unknown or unreadable.
    ///
    /// # Errors
    /// [`SdpError::NotSdp`], [`SdpError::Malformed`] for an unreadable `m=` line, and
    /// [`SdpError::TooMany`].
    pub fn parse(text: &'a [u8]) -> Result<Self, SdpError> {
        parse::session(text)
    }

    /// The address that a section's media goes to: its own `c=`, else the session's.
    pub fn address_of(&self, media: &Media<'_>) -> Option<IpAddr> {
        media.connection.or(self.connection)
    }

    /// A section's direction: its own, else the session's, else both ways (RFC 8866 6.7).
    pub fn direction_of(&self, media: &Media<'_>) -> Direction {
        media.direction.or(self.direction).unwrap_or(Direction::SendRecv)
    }
}

impl fmt::Display for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=0\r\n")?;
        if let Some(o) = &self.origin {
            write!(f, "o={} {} {} IN {}\r\n", o.username, o.session_id, o.version, Address(o.address))?;
        }
        write!(f, "s={}\r\n", self.name)?;
        write_connection(f, self.connection)?;
        f.write_str("t=0 0\r\n")?;
        write_direction(f, self.direction)?;
        self.handshake.fmt(f)?;
        if let Some(media) = self.media.iter().find(|media| media.handshake.candidate.is_some()) {
            // Of several sections one is taken: a bundle of one (RFC 9143).
            f.write_str("a=ice-lite\r\n")?;
            media.handshake.mid.as_ref().map_or(Ok(()), |mid| write!(f, "a=group:BUNDLE {mid}\r\n"))?;
        }
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

impl fmt::Display for Media<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {} {}", self.kind, self.port, self.protocol)?;
        match &self.formats {
            Formats::Rtp(formats) => formats.iter().try_for_each(|x| write!(f, " {}", x.payload_type))?,
            Formats::Other(text) => write!(f, " {text}")?,
        }
        f.write_str("\r\n")?;
        write_connection(f, self.connection)?;
        if let Formats::Rtp(formats) = &self.formats {
            formats.iter().try_for_each(|format| format.write_attributes(f))?;
        }
        if let Some(ptime) = self.ptime {
            write!(f, "a=ptime:{ptime}\r\n")?;
        }
        write_direction(f, self.direction)?;
        if let Some(rtcp) = &self.rtcp {
            write!(f, "a=rtcp:{}", rtcp.port)?;
            rtcp.address.map_or(Ok(()), |address| write!(f, " IN {}", Address(address)))?;
            f.write_str("\r\n")?;
        }
        if self.rtcp_mux {
            f.write_str("a=rtcp-mux\r\n")?;
        }
        self.crypto.iter().try_for_each(|line| write!(f, "{line}\r\n"))?;
        self.handshake.fmt(f)?;
        self.t38.as_ref().map_or(Ok(()), |t38| t38.fmt(f))
    }
}

impl Format<'_> {
    fn write_attributes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(encoding) = &self.encoding {
            write!(f, "a=rtpmap:{} {}/{}", self.payload_type, encoding.name, encoding.clock_rate)?;
            if encoding.channels != 1 {
                write!(f, "/{}", encoding.channels)?;
            }
            f.write_str("\r\n")?;
        }
        match self.fmtp {
            Some(fmtp) => write!(f, "a=fmtp:{} {fmtp}\r\n", self.payload_type),
            None => Ok(()),
        }
    }
}

struct Address(IpAddr);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(v4) => write!(f, "IP4 {v4}"),
            IpAddr::V6(v6) => write!(f, "IP6 {v6}"),
        }
    }
}

fn write_connection(f: &mut fmt::Formatter<'_>, address: Option<IpAddr>) -> fmt::Result {
    address.map_or(Ok(()), |address| write!(f, "c=IN {}\r\n", Address(address)))
}

fn write_direction(f: &mut fmt::Formatter<'_>, direction: Option<Direction>) -> fmt::Result {
    direction.map_or(Ok(()), |direction| write!(f, "a={}\r\n", direction.as_str()))
}
