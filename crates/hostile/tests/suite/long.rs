//! The work is linear in the length of the input: nobody can send one message that costs as much as thousands.
//!
//! Each family is an input at one length and at eight times that length. Linear work then costs eight times as much,
//! quadratic work sixty-four times. What is measured is the processor time of the thread, and all of several attempts have
//! to fail, so that a busy machine fails nothing.

use crate::Check;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Octets of the shorter input.
const SHORT: usize = 7_000;
/// How much longer the longer one is: nearly the most that a message may have.
const FACTOR: usize = 8;
/// What the longer input may cost, in costs of the shorter one.
const MOST: f64 = 24.0;
const ATTEMPTS: usize = 5;
/// Calls of which the cheapest counts.
const CALLS: usize = 7;
const LONG_ENOUGH: Duration = Duration::from_millis(300);

/// A name, the check, and the input of about so many octets.
type Family = (&'static str, Check, fn(usize) -> Vec<u8>);

/// `head`, `piece(0)`, `piece(1)`, … to about `length` octets, `tail`.
fn grown(head: &str, piece: impl Fn(usize) -> String, tail: &str, length: usize) -> String {
    let mut text = head.to_owned();
    let mut nth = 0;
    while text.len() < length {
        text.push_str(&piece(nth));
        nth += 1;
    }
    text + tail
}

const START: &str = "INVITE sip:a@192.0.2.1 SIP/2.0\r\n";
const FIELDS: &str =
    "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:a@b>\r\n";
const VIA: &str = "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n";

/// An INVITE with one field that has grown.
fn invite(field: &str, piece: impl Fn(usize) -> String, end: &str, length: usize) -> Vec<u8> {
    let via = if field.starts_with("Via") { "" } else { VIA };
    grown(&format!("{START}{via}{FIELDS}{field}"), piece, &format!("{end}\r\n\r\n"), length).into_bytes()
}

/// A response with one field that has grown.
fn response(status: &str, field: &str, piece: impl Fn(usize) -> String, length: usize) -> Vec<u8> {
    grown(&format!("SIP/2.0 {status}\r\n{VIA}{FIELDS}{field}"), piece, "\r\n\r\n", length).into_bytes()
}

/// An INVITE with a body that has grown.
fn with_body(content_type: &str, body: &str) -> Vec<u8> {
    format!(
        "{START}{VIA}{FIELDS}Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A hundred header lines, together so long.
fn lines(name: &str, length: usize) -> Vec<u8> {
    let value = "x".repeat(length / 100);
    let field = |nth: usize| format!("{name}{nth}: {value}\r\n");
    let fields: String = (0..100).map(field).collect();
    format!("{START}{VIA}{FIELDS}{fields}\r\n").into_bytes()
}

/// Two URIs with parameters, or header fields, in opposite orders.
fn opposed(first: char, between: char, length: usize) -> Vec<u8> {
    let one = |nth: usize| format!("p{nth}={nth}");
    let count = length / 22;
    let up: Vec<String> = (0..count).map(one).collect();
    let down: Vec<String> = (0..count).rev().map(one).collect();
    let between = between.to_string();
    format!("sip:a@h{first}{}\nsip:a@h{first}{}", up.join(&between), down.join(&between)).into_bytes()
}

const MESSAGES: [Family; 19] = [
    ("parameters of a URI", hostile::message, |n| {
        invite("Refer-To: <sip:a@b", |i| format!(";p{i}={i}"), ">", n)
    }),
    ("parameters of a Contact", hostile::message, |n| {
        invite("Contact: <sip:a@b>", |i| format!(";p{i}={i}"), "", n)
    }),
    ("header fields of a URI", hostile::message, |n| {
        invite("Refer-To: <sip:a@b?x=", |i| format!("&p{i}=%20"), ">", n)
    }),
    ("parameters of a Via", hostile::message, |n| {
        invite("Via: SIP/2.0/UDP h", |i| format!(";p{i}={i}"), "", n)
    }),
    ("Vias", hostile::message, |n| invite("Via: SIP/2.0/UDP h", |i| format!(",SIP/2.0/UDP h{i}"), "", n)),
    ("Contacts", hostile::message, |n| invite("Contact: sip:a", |i| format!(",sip:a{i}"), "", n)),
    ("routes", hostile::message, |n| {
        invite("Record-Route: <sip:a;lr>", |i| format!(",<sip:a{i};lr>"), "", n)
    }),
    ("extensions", hostile::message, |n| invite("Require: x", |i| format!(",x{i}"), "", n)),
    ("empty values", hostile::message, |n| invite("Contact: sip:a", |_| ",".into(), "", n)),
    ("header lines", hostile::message, |n| lines("X-", n)),
    ("header lines of one name", hostile::message, |n| lines("Contact: sip:", n)),
    ("folds", hostile::message, |n| invite("Subject: x", |_| "\r\n  y".into(), "", n)),
    ("folds of nothing", hostile::message, |n| invite("Subject: x", |_| "\r\n \t ".into(), "", n)),
    ("octets that are no UTF-8", hostile::message, |n| {
        let mut bytes = invite("Subject: ", |_| "\u{e9}".into(), "", n);
        bytes.iter_mut().filter(|octet| **octet == 0xa9).for_each(|octet| *octet = b'x');
        bytes
    }),
    ("quotes", hostile::message, |n| invite("Contact: ", |_| "\"a\\\"b\"".into(), " <sip:a@b>", n)),
    ("open quotes", hostile::message, |n| invite("Contact: <sip:a@b>;x=", |_| "\",".into(), "\"", n)),
    ("escapes", hostile::message, |n| invite("Contact: <sip:", |_| "%20".into(), "@b>", n)),
    ("brackets", hostile::message, |n| invite("Contact: <sip:a@b>", |_| ",<".into(), "", n)),
    ("credentials", hostile::message, |n| {
        let field =
            "Authorization: Digest username=\"u\",realm=\"r\",nonce=\"n\",uri=\"sip:x\",response=\"0\"";
        invite(field, |i| format!(",p{i}=\"\\{i}\""), "", n)
    }),
];

/// Answers to a call and a registration of ours.
const RESPONSES: [Family; 4] = [
    ("challenges", hostile::message, |n| {
        let field = |i| format!(", Digest realm=\"r{i}\", nonce=\"n\"");
        response("401 Unauthorized", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"", field, n)
    }),
    ("lines of challenges", hostile::message, |n| {
        let opaque = "x".repeat(n / 100);
        let field = |_| format!("\r\nWWW-Authenticate: Digest realm=\"r\",nonce=\"n\",opaque=\"{opaque}\"");
        response("401 Unauthorized", "Server: x", field, n)
    }),
    ("routes of an answer", hostile::message, |n| {
        response("200 OK", "Record-Route: <sip:a;lr>", |i| format!(",<sip:a{i};lr>"), n)
    }),
    ("contacts of an answer", hostile::message, |n| {
        response("200 OK", "Contact: <sip:a>", |i| format!(",<sip:a{i}>;expires=9"), n)
    }),
];

const BODIES: [Family; 4] = [
    ("parts", hostile::message, |n| {
        with_body("multipart/mixed;boundary=b", &grown("", |_| "--b\r\n\r\n\r\n".into(), "--b--", n))
    }),
    ("parts that are none", hostile::message, |n| {
        with_body("multipart/mixed;boundary=b", &grown("--b\r\n", |_| "\r\n--bb".into(), "", n))
    }),
    ("parts within parts", hostile::message, |n| {
        let begin = "Content-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\n";
        with_body("multipart/mixed;boundary=b", &grown("--b\r\n", |_| begin.into(), "", n))
    }),
    ("header fields of a part", hostile::message, |n| {
        let body = grown("--b\r\n", |_| "Content-Type: text/plain\r\n x\r\n".into(), "\r\n", n);
        with_body("multipart/alternative;boundary=b", &body)
    }),
];

const URIS: [Family; 4] = [
    ("parameters of two URIs", hostile::uri, |n| opposed(';', ';', n)),
    ("header fields of two URIs", hostile::uri, |n| opposed('?', '&', n)),
    ("a user", hostile::uri, |n| grown("sip:", |_| "%41".into(), "@h", n).into_bytes()),
    ("a host", hostile::uri, |n| grown("sip:a@", |_| "a.".into(), "a", n).into_bytes()),
];

const AUDIO: &str = "v=0\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 0";

const DESCRIPTIONS: [Family; 6] = [
    ("sections", hostile::sdp, |n| {
        let format = "x".repeat(n / 16);
        grown(AUDIO, |_| format!("\nm=audio 4 RTP/AVP 9\na=rtpmap:9 {format}/8000"), "\n", n).into_bytes()
    }),
    ("payload types", hostile::sdp, |n| grown(AUDIO, |i| format!(" {}", i % 64), "\n", n).into_bytes()),
    ("attributes", hostile::sdp, |n| {
        let value = "x".repeat(n / 1_000);
        grown(AUDIO, |i| format!("\na=rtpmap:{} {value}/8000", i % 64), "\n", n).into_bytes()
    }),
    ("parameters of a format", hostile::sdp, |n| {
        grown(&format!("{AUDIO}\na=fmtp:0 "), |i| format!("p{i}={i};"), "\n", n).into_bytes()
    }),
    ("unknown attributes", hostile::sdp, |n| {
        let value = "x".repeat(n / 1_000);
        grown(AUDIO, |i| format!("\na=candidate:{i}{value}"), "\n", n).into_bytes()
    }),
    ("words", hostile::sdp, |n| grown("v=0\nm=audio 4000 RTP/AVP 0", |_| " x".into(), "\n", n).into_bytes()),
];

/// The first octets let the framer take up to 65,535 bytes a message, all in one piece, and also octet by octet.
const STREAMS: [Family; 5] = [
    ("tiny messages", hostile::frames, |n| {
        grown("\x03", |_| "A B SIP/2.0\nl:0\n\n".into(), "", n).into_bytes()
    }),
    ("pings", hostile::frames, |n| grown("\x03", |_| "\r\n\r\n".into(), "", n).into_bytes()),
    ("line feeds", hostile::frames, |n| grown("\x03", |_| "\n".into(), "", n).into_bytes()),
    ("header fields that do not end", hostile::frames, |n| {
        grown("\x03A B SIP/2.0", |_| "\nx:y".into(), "", n).into_bytes()
    }),
    ("a body that does not come", hostile::frames, |n| {
        grown("\x03A B SIP/2.0\nl:65000\n\n", |_| "\r\n".into(), "", n).into_bytes()
    }),
];

/// Processor time that this thread has taken.
fn taken() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).expect("a time"),
        u32::try_from(time.tv_nsec).expect("nanoseconds"),
    )
}

/// The processor time of the cheapest of several calls, of fewer where they take long.
fn cost(check: Check, input: &[u8]) -> Duration {
    let first = taken();
    let mut cheapest = Duration::MAX;
    for _ in 0..CALLS {
        let begun = taken();
        check(input);
        cheapest = cheapest.min(taken() - begun);
        if taken() - first > LONG_ENOUGH {
            break;
        }
    }
    cheapest
}

fn work_is_linear(families: &[Family]) {
    for (name, check, of_length) in families {
        let (short, long) = (of_length(SHORT), of_length(SHORT * FACTOR));
        assert!(long.len() > short.len() * FACTOR / 2 && long.len() <= 65_535, "{name}: {}", long.len());
        let ratio = || cost(*check, &long).as_secs_f64() / cost(*check, &short).as_secs_f64();
        let mut ratios = Vec::new();
        while ratios.len() < ATTEMPTS && ratios.last().is_none_or(|last| *last >= MOST) {
            ratios.push(ratio());
        }
        let linear = ratios.iter().any(|ratio| *ratio < MOST);
        assert!(linear, "{name}: {FACTOR} times the length costs {ratios:.1?} times as much");
    }
}

#[test]
fn a_message_costs_what_its_length_costs() {
    work_is_linear(&MESSAGES);
}

#[test]
fn a_response_costs_what_its_length_costs() {
    work_is_linear(&RESPONSES);
}

#[test]
fn a_body_costs_what_its_length_costs() {
    work_is_linear(&BODIES);
}

#[test]
fn a_uri_costs_what_its_length_costs() {
    work_is_linear(&URIS);
}

#[test]
fn a_description_costs_what_its_length_costs() {
    work_is_linear(&DESCRIPTIONS);
}

#[test]
fn a_stream_costs_what_its_length_costs() {
    work_is_linear(&STREAMS);
}
