//! Messages on the wire: read, judged, built, framed, authenticated.

mod addresses;
mod answers;
mod bodies;
mod building;
mod digest;
mod framing;
mod ipv6;
mod numbers;
mod properties;
mod reading;
mod torture;

use bytes::Bytes;
use sip::{Flaw, Message, ParseError};

/// A message of these lines, each ended by CRLF, then the empty line and the body.
fn wire(lines: &[&str], body: &str) -> Bytes {
    let mut text = lines.join("\r\n");
    text.push_str("\r\n\r\n");
    text.push_str(body);
    Bytes::from(text)
}

/// An OPTIONS that is right, with `changes` made to its lines: `Name: value` replaces the line of that
/// name, or is added at the end; `-Name` removes it; a start line replaces the start line.
fn options(changes: &[&str]) -> Bytes {
    let mut lines = vec![
        "OPTIONS sip:desk@pbx.example SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKopt1",
        "Max-Forwards: 70",
        "From: <sip:probe@trunk.example>;tag=77",
        "To: <sip:desk@pbx.example>",
        "Call-ID: probe-1@trunk.example",
        "CSeq: 12 OPTIONS",
        "Content-Length: 0",
    ];
    let name = |line: &str| match line.split_once(' ') {
        Some((word, rest)) if !word.contains(':') && rest.to_ascii_uppercase().contains("SIP/") => {
            "start line".to_owned()
        }
        _ => line.split([':', ' ']).next().unwrap_or("").to_owned(),
    };
    for change in changes {
        let wanted = name(change.trim_start_matches('-'));
        let at = lines.iter().position(|line| name(line) == wanted);
        match (change.strip_prefix('-'), at) {
            (Some(_), at) => drop(lines.remove(at.expect("a line of that name"))),
            (None, Some(at)) => lines[at] = change,
            (None, None) => lines.push(change),
        }
    }
    wire(&lines, "")
}

fn parse(bytes: impl Into<Bytes>) -> Message {
    Message::parse(bytes.into()).expect("a message that can be read")
}

/// The flaw of a message that is SIP, but broken.
fn flaw(bytes: impl Into<Bytes>) -> Flaw {
    match Message::parse(bytes.into()) {
        Err(ParseError::Malformed { flaw, .. }) => flaw,
        other => panic!("not malformed: {other:?}"),
    }
}
