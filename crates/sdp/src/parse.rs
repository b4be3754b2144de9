use crate::session::{Encoding, Format, Formats, Media, Origin, Rtcp, Session};
use crate::{Crypto, Direction, Handshake, SdpError, T38};
use std::net::IpAddr;

const MAX_BYTES: usize = 65_535;
/// A browser's offer with its candidates has a few hundred.
const MAX_LINES: usize = 1_024;
const MAX_MEDIA: usize = 16;
const MAX_FORMATS: usize = 64;
/// The words of an `m=` line are echoed in answers and kept for later offers.
const MAX_WORD: usize = 64;

/// See [`Session::parse`].
pub(crate) fn session(text: &[u8]) -> Result<Session<'_>, SdpError> {
    if text.len() > MAX_BYTES {
        return Err(SdpError::TooMany { what: "bytes", limit: MAX_BYTES });
    }
    if !text.starts_with(b"v=") {
        return Err(SdpError::NotSdp);
    }
    let mut session = Session {
        origin: None,
        name: "-",
        connection: None,
        direction: None,
        handshake: Handshake::default(),
        media: Vec::new(),
    };
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if index == MAX_LINES {
            return Err(SdpError::TooMany { what: "lines", limit: MAX_LINES });
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let [kind, b'=', value @ ..] = line else { continue };
        match (kind, std::str::from_utf8(value)) {
            (b'm', Ok(value)) => add_media(&mut session.media, value, index + 1)?,
            (b'm', Err(_)) => return Err(SdpError::Malformed { line: index + 1 }),
            (kind, Ok(value)) => match session.media.last_mut() {
                Some(media) => media_line(media, *kind, value),
                None => session_line(&mut session, *kind, value),
            },
            // A name in Latin-1 is no reason to refuse a call.
            (_, Err(_)) => {}
        }
    }
    Ok(session)
}

fn session_line<'a>(session: &mut Session<'a>, kind: u8, value: &'a str) {
    match kind {
        b'o' => session.origin = origin(value),
        b's' if !value.is_empty() => session.name = value,
        b'c' => session.connection = session.connection.or_else(|| connection(value)),
        b'a' => {
            let (name, rest) = value.split_once(':').unwrap_or((value, ""));
            if !session.handshake.read(name, rest) {
                session.direction = Direction::from_attribute(value).or(session.direction);
            }
        }
        _ => {}
    }
}

fn media_line<'a>(media: &mut Media<'a>, kind: u8, value: &'a str) {
    match kind {
        b'c' => media.connection = media.connection.or_else(|| connection(value)),
        b'a' => attribute(media, value),
        _ => {}
    }
}

fn attribute<'a>(media: &mut Media<'a>, line: &'a str) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    match name {
        "rtpmap" => {
            if let Some((format, value)) = format_attribute(media, value) {
                format.encoding = encoding(value).or(format.encoding);
            }
        }
        "fmtp" => {
            if let Some((format, value)) = format_attribute(media, value) {
                format.fmtp = Some(value);
            }
        }
        "ptime" => media.ptime = value.trim().parse().ok().filter(|ptime| *ptime > 0),
        "rtcp-mux" => media.rtcp_mux = true,
        "rtcp" => media.rtcp = rtcp(value),
        "crypto" => Crypto::read(value, &mut media.crypto),
        _ if media.handshake.read(name, value) => {}
        _ if media.t38.as_mut().is_some_and(|t38| t38.read(name, value)) => {}
        _ => media.direction = Direction::from_attribute(name).or(media.direction),
    }
}

/// Splits `<payload type> <value>` and finds the format that it is about.
fn format_attribute<'m, 'a>(
    media: &'m mut Media<'a>,
    value: &'a str,
) -> Option<(&'m mut Format<'a>, &'a str)> {
    let Formats::Rtp(formats) = &mut media.formats else { return None };
    let (number, rest) = value.trim().split_once(' ')?;
    let payload_type: u8 = number.parse().ok()?;
    let format = formats.iter_mut().find(|format| format.payload_type == payload_type)?;
    Some((format, rest.trim()))
}

fn add_media<'a>(sections: &mut Vec<Media<'a>>, value: &'a str, line: usize) -> Result<(), SdpError> {
    if sections.len() == MAX_MEDIA {
        return Err(SdpError::TooMany { what: "media", limit: MAX_MEDIA });
    }
    let mut media = media(value, line)?;
    media.t38 = T38::is_of(&media).then(Box::default);
    sections.push(media);
    Ok(())
}

fn media(value: &str, line: usize) -> Result<Media<'_>, SdpError> {
    let malformed = SdpError::Malformed { line };
    let (kind, rest) = word(value).ok_or(malformed.clone())?;
    let (port, rest) = word(rest).ok_or(malformed.clone())?;
    let (protocol, formats) = word(rest).ok_or(malformed.clone())?;
    // `49170/2` is a range of ports; one stream uses the first.
    let port = port.split_once('/').map_or(port, |(first, _)| first);
    let port = port.parse().map_err(|_| malformed.clone())?;
    let (first, _) = word(formats).ok_or(malformed)?;
    let payload_types = if protocol.contains("RTP/") { payload_types(formats)? } else { Vec::new() };
    let formats = if payload_types.is_empty() { Formats::Other(first) } else { Formats::Rtp(payload_types) };
    Ok(Media {
        kind,
        port,
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
    })
}

/// Words that are no payload type are passed over, and so is a payload type's second mention.
fn payload_types(text: &str) -> Result<Vec<Format<'_>>, SdpError> {
    let mut formats: Vec<Format<'_>> = Vec::new();
    for payload_type in text.split_ascii_whitespace().filter_map(|word| word.parse::<u8>().ok()) {
        if payload_type > 127 || formats.iter().any(|format| format.payload_type == payload_type) {
            continue;
        }
        if formats.len() == MAX_FORMATS {
            return Err(SdpError::TooMany { what: "formats", limit: MAX_FORMATS });
        }
        formats.push(Format { payload_type, encoding: None, fmtp: None });
    }
    Ok(formats)
}

/// The next word and what follows it; `None` if there is none or it could not be echoed.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let end = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let echoable = (1..=MAX_WORD).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_graphic());
    echoable.then_some((word, rest))
}

fn origin(value: &str) -> Option<Origin<'_>> {
    let mut words = value.split_ascii_whitespace();
    let username = words.next()?;
    let session_id = words.next()?.parse().ok()?;
    let version = words.next()?.parse().ok()?;
    let address = words.nth(2)?.parse().ok()?;
    Some(Origin { username, session_id, version, address })
}

/// `IN IP4 192.0.2.1/127/3`. The address itself says its family, whatever the word before it says.
fn connection(value: &str) -> Option<IpAddr> {
    let address = value.split_ascii_whitespace().nth(2)?;
    address.split('/').next()?.parse().ok()
}

fn encoding(value: &str) -> Option<Encoding<'_>> {
    let mut parts = value.split('/');
    let name = parts.next()?.trim();
    let clock_rate = parts.next()?.trim().parse().ok()?;
    let channels = match parts.next() {
        Some(channels) => channels.trim().parse().ok()?,
        None => 1,
    };
    Some(Encoding { name, clock_rate, channels })
}

/// `53020` or `53020 IN IP4 192.0.2.1` (RFC 3605).
fn rtcp(value: &str) -> Option<Rtcp> {
    let mut words = value.split_ascii_whitespace();
    let port = words.next()?.parse().ok()?;
    Some(Rtcp { port, address: words.nth(2).and_then(|address| address.parse().ok()) })
}
