use crate::node;
use bytes::Bytes;
use sip::{
    Challenge, Credentials, MAX_HEADERS, MAX_MESSAGE, MAX_VALUES, Message, Method, Name, NameAddr,
    ParseError, Refer, Replaces, RequestBuilder, ResponseBuilder, Uri, Via, pressed_key,
};
use std::net::SocketAddr;

/// The fields that hold addresses, one or a list of them.
const ADDRESSES: [Name; 16] = [
    Name::Contact,
    Name::Diversion,
    Name::From,
    Name::HistoryInfo,
    Name::PAssertedIdentity,
    Name::PPreferredIdentity,
    Name::Path,
    Name::RecordRoute,
    Name::ReferTo,
    Name::ReferredBy,
    Name::RemotePartyId,
    Name::ReplyTo,
    Name::Route,
    Name::ServiceRoute,
    Name::To,
    Name::AlertInfo,
];

/// What the node reads as text of its own grammar.
const TEXTS: [Name; 16] = [
    Name::Accept,
    Name::Allow,
    Name::CallId,
    Name::ContentDisposition,
    Name::ContentEncoding,
    Name::Event,
    Name::Identity,
    Name::MinSe,
    Name::Privacy,
    Name::RAck,
    Name::RSeq,
    Name::Reason,
    Name::Require,
    Name::SessionExpires,
    Name::Supported,
    Name::UserAgent,
];

/// One datagram.
///
/// # Panics
/// If what was read of it contradicts itself; if a copy or a response that is built from it does not read back as the
/// same; or if an endpoint that receives it sends what cannot be read.
pub fn message(input: &[u8]) {
    let bytes = Bytes::copy_from_slice(input);
    match Message::parse(bytes.clone()) {
        Ok(message) => {
            read(&message);
            assert!(message.status().is_none_or(|status| (100..700).contains(&status)));
            copied(&message);
            if message.is_request() && message.validate().is_ok() {
                valid(&message);
            }
            if !message.is_request() {
                node::hears(&message);
            }
        }
        Err(error) => broken(&error),
    }
    node::receives(bytes);
}

/// What is true of a message that lacks something, too.
fn read(message: &Message) {
    for (name, value) in message.headers() {
        assert!(!name.is_empty() && !name.contains(['\r', '\n', ':', ' ']), "{name}");
        assert!(!value.contains('\n') && value.trim_matches([' ', '\t']) == value, "{value:?}");
        assert!(message.header_text(name).is_some(), "{name} is found by its name");
    }
    assert!(message.headers().count() <= MAX_HEADERS);
    assert_eq!(message.is_request(), message.status().is_none());
    assert_eq!(message.is_request(), !message.request_uri().is_empty(), "{:?}", message.start_line());
    for name in TEXTS {
        values(message, name);
    }
    for name in ADDRESSES {
        values(message, name);
        message.addresses(name).flatten().for_each(address);
        assert!(message.address(name).is_err() || message.header(name).is_some());
    }
    values(message, Name::Via);
    message.header_values(Name::Via).filter_map(|value| Via::parse(value).ok()).for_each(hop);
    numbers(message);
    bodies(message);
    digests(message);
    transfers(message);
}

/// The values of a field are what its lines hold, without the commas between them.
fn values(message: &Message, name: Name) {
    let lines = message.headers().filter(|(have, _)| Name::parse(have) == Some(name));
    let written: usize = lines.map(|(_, value)| value.len()).sum();
    let mut length = 0;
    for value in message.header_values(name) {
        assert!(!name.is_list() || (!value.is_empty() && value.trim_ascii() == value), "{value:?}");
        length += value.len();
    }
    assert!(length <= written, "{name}");
}

fn address(address: NameAddr<'_>) {
    assert!(!address.uri_text().is_empty() && address.preference() <= 1_000);
    assert!(address.tag().is_none_or(|tag| !tag.is_empty()));
    for (name, _) in address.params().iter().take(8) {
        assert!(address.params().has(name), "{name}");
    }
    if let Ok(uri) = address.uri() {
        assert_eq!(uri.as_str(), address.uri_text());
        assert!(!matches!(uri, Uri::Tel(_)) || uri.user().is_some());
    }
}

fn hop(via: Via<'_>) {
    assert!(via.branch().is_none_or(|branch| !branch.is_empty()));
    let host = via.host().to_string();
    assert_eq!(sip::Host::parse(&host), Some(via.host()));
    assert!(via.port().is_none() || via.sent_by().contains(':'));
    assert_eq!(via.transport(), sip::Transport::from_token(via.transport_text()));
    assert!(via.received().is_none() || via.params().has("received"));
    assert!(via.rport().is_none() || via.params().has("rport"));
}

fn numbers(message: &Message) {
    if let Ok((number, method)) = message.cseq() {
        assert!(number < 1 << 31 && !method.as_str().is_empty());
        assert!(message.is_request() || *message.method() == method);
    }
    assert!(message.max_forwards().is_none() || message.header(Name::MaxForwards).is_some());
    assert!(message.expires().is_none() || message.header(Name::Expires).is_some());
    assert_eq!(message.call_id(), message.header(Name::CallId).unwrap_or(""));
}

/// A session description is a piece of the body; an INFO's key is one.
fn bodies(message: &Message) {
    if let Some(found) = message.sdp() {
        let body = message.body().as_ptr_range();
        let range = found.as_ptr_range();
        assert!(body.start <= range.start && range.end <= body.end && !found.is_empty());
        // What the description says is another target's business.
        let _ = sdp::Session::parse(&found);
    }
    assert!(!message.has_body_of("application/sdp") || !message.body().is_empty());
    match pressed_key(message) {
        Ok(Some(key)) => assert!("0123456789*#ABCD".contains(key)),
        Ok(None) => assert!(message.body().is_empty()),
        Err(status) => assert!(matches!(status, 400 | 415 | 469)),
    }
}

/// Challenges and credentials mean the same once written again (RFC 7616).
fn digests(message: &Message) {
    for name in [Name::WwwAuthenticate, Name::ProxyAuthenticate] {
        for challenge in message.header_values(name).filter_map(|value| Challenge::parse(value).ok()) {
            assert_eq!(Challenge::parse(&challenge.to_string()).ok().as_ref(), Some(&challenge));
            let answer = Credentials::answer(&challenge, "u", "p", message.method(), "sip:x", "c", 1);
            assert_eq!(Credentials::parse(&answer.to_string()).ok().as_ref(), Some(&answer));
        }
    }
    for name in [Name::Authorization, Name::ProxyAuthorization] {
        for given in message.header_values(name).filter_map(|value| Credentials::parse(value).ok()) {
            assert_eq!(Credentials::parse(&given.to_string()).ok().as_ref(), Some(&given));
            node::judges(message, &given);
        }
    }
}

/// What a transfer names means the same once written again (RFC 3515, RFC 3891).
fn transfers(message: &Message) {
    let reads_back = |replaces: &Replaces| {
        assert_eq!(Replaces::parse(&replaces.to_string()).as_ref(), Some(replaces));
    };
    if let Ok(refer) = Refer::read(message) {
        assert!(message.address(Name::ReferTo).is_ok_and(|to| to.uri().is_ok()));
        refer.replaces.iter().for_each(reads_back);
    }
    if let Ok(Some(replaces)) = Replaces::of(message) {
        reads_back(&replaces);
    }
}

/// The message written out line by line says the same.
fn copied(message: &Message) {
    let is_length = |name: &str| Name::parse(name) == Some(Name::ContentLength);
    let lines: Vec<_> = message.headers().filter(|(name, _)| !is_length(name)).collect();
    let mut text = message.start_line().to_owned();
    for (name, value) in &lines {
        text.extend(["\r\n", name, ": ", value]);
    }
    let length = message.body().len();
    let copy = [format!("{text}\r\nContent-Length: {length}\r\n\r\n").as_bytes(), message.body()].concat();
    if copy.len() > MAX_MESSAGE || lines.len() == MAX_HEADERS {
        return;
    }
    let copy = Message::parse(copy.into()).unwrap_or_else(|error| panic!("{error}: {message:?}"));
    assert_eq!(copy.start_line(), message.start_line());
    assert!(copy.headers().filter(|(name, _)| !is_length(name)).eq(lines.iter().copied()), "{message:?}");
    assert_eq!((copy.body(), copy.method()), (message.body(), message.method()));
    assert_eq!(copy.sdp(), message.sdp());
    // The copy has one Content-Length, however many there were.
    let lengths = message.headers().filter(|(name, _)| is_length(name)).count();
    assert!(lengths > 1 || copy.validate() == message.validate(), "{message:?}");
    if message.is_request() {
        rebuilt(message, &lines);
    }
}

/// So does what the builder makes of its parts.
fn rebuilt(message: &Message, lines: &[(&str, &str)]) {
    let mut builder = RequestBuilder::new(message.method(), message.request_uri());
    for (name, value) in lines {
        builder = builder.header(name, value);
    }
    let built = builder.finish_with("", message.body());
    let Ok(built) = Message::parse(built) else { panic!("a request that was built: {message:?}") };
    assert!(built.headers().take(lines.len()).eq(lines.iter().copied()), "{message:?}");
    assert_eq!((built.body(), built.method()), (message.body(), message.method()));
    let place = |uri: &str| Uri::parse(uri).ok().and_then(|uri| uri.user().map(|user| user.into_owned()));
    assert_eq!(place(built.request_uri()), place(message.request_uri()));
}

/// What [`Message::validate`] promises, and what is answered.
fn valid(request: &Message) {
    let addresses = [request.from(), request.to()];
    assert!(addresses.into_iter().all(|it| it.is_ok_and(|it| it.uri().is_ok())), "{request:?}");
    assert!(request.via().is_ok() && !request.call_id().is_empty());
    assert!(request.cseq().is_ok_and(|(_, method)| method == *request.method()));
    assert!(matches!(Uri::parse(request.request_uri()), Ok(Uri::Sip(_) | Uri::Tel(_))));
    for (status, source) in
        [(100, "192.0.2.9:5060"), (200, "[2001:db8::9]:40000"), (486, "[::ffff:192.0.2.9]:5060")]
    {
        answered(request, status, source.parse().expect("an address"));
    }
    node::registers(request);
}

/// A response reads back as the answer to its request (RFC 3261 sections 8.2.6 and 18.2.1).
fn answered(request: &Message, status: u16, source: SocketAddr) {
    let listed = |name| request.header_values(name).count();
    let built = ResponseBuilder::response_to(request, source, status, "", Some("ours")).finish();
    let answer = match Message::parse(built) {
        Ok(answer) => answer,
        Err(error) => {
            assert!(is_long(request), "{error}: {request:?}");
            return;
        }
    };
    assert_eq!((answer.status(), answer.method()), (Some(status), request.method()));
    for name in [Name::From, Name::CallId, Name::CSeq] {
        assert_eq!(answer.header(name), request.header(name));
    }
    let (ours, theirs) = (answer.to().expect("To was read"), request.to().expect("To was read"));
    assert_eq!((ours.tag(), ours.uri_text()), (theirs.tag().or(Some("ours")), theirs.uri_text()));
    assert_eq!(answer.header_values(Name::Via).count(), listed(Name::Via));
    assert!(answer.header_values(Name::Via).skip(1).eq(request.header_values(Name::Via).skip(1)));
    let routes = answer.header_values(Name::RecordRoute);
    assert!(
        routes.count() == 0
            || answer.header_values(Name::RecordRoute).eq(request.header_values(Name::RecordRoute))
    );
    let (ours, theirs) = (answer.via().expect("Via was read"), request.via().expect("Via was read"));
    assert_eq!((ours.branch(), ours.sent_by()), (theirs.branch(), theirs.sent_by()));
    let address = source.ip().to_canonical();
    assert!(ours.received() == Some(address) || ours.host().ip() == Some(address), "{request:?}");
    assert!(theirs.rport().is_none() || ours.rport() == Some(Some(source.port())), "{request:?}");
}

/// Whether a message lists so much that its answer, with a line for each value, may be longer than what we read.
pub(crate) fn is_long(message: &Message) -> bool {
    let listed = |name| message.header_values(name).count();
    let length: usize = message.headers().map(|(name, value)| name.len() + value.len()).sum();
    listed(Name::Via) + listed(Name::RecordRoute) > MAX_VALUES - 16 || length > MAX_MESSAGE / 2
}

/// What could be read of a broken message can still be looked at and, where it is a request, answered.
fn broken(error: &ParseError) {
    let ParseError::Malformed { message, .. } = error else {
        assert!(error.answer().is_none());
        return;
    };
    read_what_is_left(message);
    let Some((request, fault)) = error.answer() else { return };
    assert!(*request.method() != Method::Ack && request.is_request() && (400..600).contains(&fault.status));
    let source = SocketAddr::from(([192, 0, 2, 9], 5_060));
    let built =
        ResponseBuilder::response_to(request, source, fault.status, fault.phrase, Some("ours")).finish();
    match Message::parse(built) {
        Ok(answer) => assert_eq!(answer.status(), Some(fault.status)),
        // Its CSeq may be what is broken.
        Err(error) => assert!(request.cseq().is_err() || is_long(request), "{error}: {request:?}"),
    }
}

/// As [`read`], without what holds of whole messages alone.
fn read_what_is_left(message: &Message) {
    for name in ADDRESSES {
        message.addresses(name).flatten().for_each(address);
    }
    message.header_values(Name::Via).filter_map(|value| Via::parse(value).ok()).for_each(hop);
    bodies(message);
    digests(message);
    transfers(message);
    assert!(message.headers().count() <= MAX_HEADERS && message.start_line().len() <= MAX_MESSAGE);
}
