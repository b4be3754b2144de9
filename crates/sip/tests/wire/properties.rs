//! What holds for every input.

use crate::{options, wire};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use sip::{
    Algorithm, Challenge, Credentials, Frame, Framer, MAX_VALUES, Message, Method, Name, NameAddr, Params,
    ParseError, RequestBuilder, ResponseBuilder, Uri, Via,
};

fn samples() -> Vec<Bytes> {
    let invite = [
        "INVITE sip:+4930123@192.0.2.1;user=phone SIP/2.0",
        "v: SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bK1, SIP/2.0/TCP [2001:db8::1];received=192.0.2.9",
        "Record-Route: <sip:p.example;lr>",
        "f: \"A \\\"q\\\"\" <sip:a@h.example>;tag=1",
        "t: <tel:+4930123>",
        "i: c1",
        "CSeq: 1 INVITE",
        "m: <sip:a@10.0.0.9>;q=0.5,",
        "  <sips:b@h.example:5061>",
        "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"0\", \
         qop=auth, nc=00000001, cnonce=\"c\"",
        "Subject: gr\u{fc}\u{df}e",
        "c: application/sdp",
        "l: 5",
    ];
    let busy = [
        "SIP/2.0 401 Unauthorized",
        "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1",
        "From: <sip:a@h.example>;tag=1",
        "To: <sip:b@h.example>;tag=2",
        "Call-ID: c1",
        "CSeq: 1 REGISTER",
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"",
        "Content-Length: 0",
    ];
    vec![wire(&invite, "v=0\r\n"), wire(&busy, ""), options(&[])]
}

/// A sample with a few octets replaced, inserted, removed or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![any::<u8>(), prop::sample::select(b"\r\n \t:;,\"<>\\@[]%=/0".to_vec())];
    let edit = (any::<prop::sample::Index>(), 0..4_u8, octet, 1..40_usize);
    (prop::sample::select(samples()), vec(edit, 1..8)).prop_map(|(sample, edits)| {
        let mut bytes = sample.to_vec();
        for (index, kind, octet, length) in edits {
            let at = index.index(bytes.len().max(1)).min(bytes.len());
            let end = (at + length).min(bytes.len());
            match kind {
                0 if at < bytes.len() => bytes[at] = octet,
                1 => bytes.insert(at, octet),
                2 => drop(bytes.drain(at..end)),
                _ => {
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
            }
        }
        bytes
    })
}

/// Reads all that can be read of a message; how much that was is of no interest.
fn read_all(message: &Message) -> usize {
    let headers: usize = message.headers().map(|(name, value)| name.len() + value.len()).sum();
    let lists = [Name::Via, Name::Contact, Name::Route, Name::Supported, Name::WwwAuthenticate];
    let values: usize = lists.iter().flat_map(|name| message.header_values(*name)).map(str::len).sum();
    let contacts = message.contacts().filter_map(Result::ok);
    let parts: usize = contacts.map(|c| c.display().len() + c.params().iter().count()).sum();
    let hops = message.header_values(Name::Via).filter_map(|via| Via::parse(via).ok());
    let noted = hops.filter(|via| via.received().is_some() || via.rport().is_some()).count();
    let addresses = [message.from(), message.to()].into_iter().flatten();
    let users = addresses.filter_map(|a| a.uri().ok()?.user().map(|user| user.len())).sum::<usize>();
    headers + values + parts + noted + users + message.start_line().len() + message.reason().len()
}

/// Where a response can be built, it reads back as an answer to the request.
fn answer_reads_back(request: &Message, status: u16) -> Result<(), TestCaseError> {
    let hops = request.header_values(Name::Via).count();
    if !request.is_request() || request.cseq().is_err() || hops > MAX_VALUES / 2 {
        return Ok(());
    }
    let source = "198.51.100.9:40000".parse().expect("an address");
    let built = ResponseBuilder::response_to(request, source, status, "", Some("t")).finish();
    let response = Message::parse(built);
    prop_assert!(response.is_ok(), "{response:?}");
    let response = response.expect("checked above");
    prop_assert_eq!(response.status(), Some(status));
    let written = |value: Option<&str>| value.map(|value| value.replace('\r', " ").trim_ascii().to_owned());
    prop_assert_eq!(written(response.header(Name::CallId)), written(request.header(Name::CallId)));
    prop_assert_eq!(response.cseq().ok(), request.cseq().ok());
    prop_assert_eq!(response.header_values(Name::Via).count(), hops);
    if let (Ok(theirs), Ok(ours)) = (request.via(), response.via()) {
        prop_assert_eq!(written(theirs.branch()), written(ours.branch()));
    }
    Ok(())
}

/// All frames that come out of a stream delivered in `chunks`, and whether it ended in order.
fn frames<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<Frame>, bool) {
    let mut framer = Framer::default();
    let mut frames = Vec::new();
    for chunk in chunks {
        framer.feed(chunk);
        loop {
            match framer.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return (frames, false),
            }
        }
    }
    (frames, true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_judged_without_panic(bytes in vec(any::<u8>(), 0..600)) {
        if let Ok(message) = Message::parse(bytes.into()) {
            prop_assert!(read_all(&message) > 0);
        }
    }

    #[test]
    fn mutated_messages_are_read_and_answered(bytes in mutated()) {
        match Message::parse(bytes.into()) {
            Ok(message) => {
                prop_assert!(read_all(&message) > 0);
                if message.validate().is_ok() {
                    answer_reads_back(&message, 200)?;
                }
            }
            Err(error) => {
                if let ParseError::Malformed { message, .. } = &error {
                    prop_assert!(read_all(message) > 0);
                }
                if let Some((request, fault)) = error.answer() {
                    answer_reads_back(request, fault.status)?;
                }
            }
        }
    }

    #[test]
    fn a_stream_is_cut_the_same_however_it_arrives(
        messages in vec(prop_oneof![mutated(), Just(b"\r\n\r\n".to_vec()), Just(options(&[]).to_vec())], 1..5),
        size in 1..50_usize,
    ) {
        let stream = messages.concat();
        let whole = frames(std::iter::once(&stream[..]));
        prop_assert_eq!(&whole, &frames(stream.chunks(size)));
        prop_assert_eq!(&whole, &frames(stream.chunks(1)));
    }

    #[test]
    fn what_is_built_reads_back(headers in vec(("X-[A-Za-z]{1,9}", any::<String>()), 0..9), body in vec(any::<u8>(), 0..99)) {
        let mut builder = RequestBuilder::new(&Method::Info, "sip:a@h.example");
        for (name, value) in &headers {
            builder = builder.header(name, value);
        }
        let message = Message::parse(builder.finish_with("text/plain", &body));
        prop_assert!(message.is_ok(), "{message:?}");
        let message = message.expect("checked above");
        let read: Vec<_> = message.headers().take(headers.len()).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let blank = |value: &str| value.replace(['\r', '\n'], " ").trim_matches([' ', '\t']).to_owned();
        let written: Vec<_> = headers.iter().map(|(name, value)| (name.clone(), blank(value))).collect();
        prop_assert_eq!(read, written);
        prop_assert_eq!(message.headers().count(), headers.len() + 2);
        prop_assert_eq!(&message.body()[..], &body[..]);
    }

    #[test]
    fn values_of_any_text_are_judged_without_panic(text in "[ -~\u{e9}\t\\\\\"<>;:,@%=\\[\\]]{0,60}") {
        if let Ok(address) = NameAddr::parse(Name::To, &text) {
            prop_assert!(text.contains(address.uri_text()));
        }
        if let Ok(uri) = Uri::parse(&text) {
            prop_assert_eq!(uri.to_string(), text.clone());
            prop_assert!(uri == uri, "19.1.4: equal to itself");
        }
        if let Ok(via) = Via::parse(&text) {
            prop_assert!(text.contains(via.sent_by()));
        }
        prop_assert!(Params::new(&text).iter().count() <= text.len());
        let value = ["Digest ", &text].concat();
        let realm = Challenge::parse(&value).map_or(0, |challenge| challenge.realm.len());
        prop_assert!(realm <= text.len());
    }

    #[test]
    fn credentials_survive_the_wire(username in "\\PC{0,20}", realm in "\\PC{0,20}", nonce in "\\PC{0,20}", count in any::<u32>(), qop_auth in any::<bool>()) {
        let challenge = Challenge { realm, nonce, opaque: Some(username.clone()), algorithm: Algorithm::Sha256, qop_auth, stale: qop_auth };
        prop_assert_eq!(Challenge::parse(&challenge.to_string()).ok(), Some(challenge.clone()));
        let given = Credentials::answer(&challenge, &username, "pw", &Method::Invite, "sip:x", "c", count);
        prop_assert_eq!(Credentials::parse(&given.to_string()).ok(), Some(given));
    }
}
