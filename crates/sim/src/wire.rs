//! SIP text as the phones write and read it: through `rsip`, so that our parser is never tested by itself.

use bytes::Bytes;
use rsip::headers::untyped::UntypedHeader;
use rsip::headers::{CSeq, CallId, Contact, ContentLength, ContentType, From, MaxForwards, To, Via};
use rsip::message::HasHeaders;
use rsip::{Header, SipMessage};
use std::str::FromStr as _;

/// What a phone reads from a message.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    /// The method of a request.
    pub(crate) method: Option<String>,
    /// The user part of a request's URI.
    pub(crate) number: String,
    /// The status of a response.
    pub(crate) status: Option<u16>,
    pub(crate) vias: Vec<String>,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) call_id: String,
    pub(crate) cseq: u32,
    pub(crate) cseq_method: String,
    pub(crate) contact: Option<String>,
    pub(crate) challenges: Vec<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) expires: Option<u32>,
    pub(crate) min_expires: Option<u32>,
    pub(crate) event: Option<String>,
    pub(crate) subscription_state: Option<String>,
    /// Session-Expires (RFC 4028).
    pub(crate) session_expires: Option<String>,
    /// Whether Supported or Require has 100rel (RFC 3262).
    pub(crate) reliable: bool,
    /// Whether Require has it.
    pub(crate) insists: bool,
    pub(crate) rseq: Option<u32>,
    pub(crate) rack: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Reads a message; `None` if `rsip` cannot.
pub(crate) fn read(bytes: &[u8]) -> Option<Read> {
    let message = SipMessage::try_from(bytes).ok()?;
    let mut read = Read {
        method: None,
        number: String::new(),
        status: None,
        vias: Vec::new(),
        from: String::new(),
        to: String::new(),
        call_id: String::new(),
        cseq: 0,
        cseq_method: String::new(),
        contact: None,
        challenges: Vec::new(),
        authorization: None,
        expires: None,
        min_expires: None,
        event: None,
        subscription_state: None,
        session_expires: None,
        reliable: false,
        insists: false,
        rseq: None,
        rack: None,
        body: message.body().clone(),
    };
    match &message {
        SipMessage::Request(request) => {
            read.method = Some(request.method.to_string());
            read.number = request.uri.user().unwrap_or("").to_owned();
        }
        SipMessage::Response(response) => read.status = Some(response.status_code.code()),
    }
    for header in message.headers().iter() {
        match header {
            Header::Via(value) => read.vias.push(value.value().to_owned()),
            Header::From(value) => read.from = value.value().to_owned(),
            Header::To(value) => read.to = value.value().to_owned(),
            Header::CallId(value) => read.call_id = value.value().to_owned(),
            Header::Contact(value) => read.contact = Some(uri_in(value.value()).to_owned()),
            Header::WwwAuthenticate(value) => read.challenges.push(value.value().to_owned()),
            Header::Authorization(value) => read.authorization = Some(value.value().to_owned()),
            Header::Expires(value) => read.expires = value.value().trim().parse().ok(),
            Header::Event(value) => read.event = Some(value.value().trim().to_owned()),
            Header::Other(name, value) if name.eq_ignore_ascii_case("Subscription-State") => {
                read.subscription_state = Some(value.trim().to_owned());
            }
            Header::MinExpires(value) => read.min_expires = value.value().trim().parse().ok(),
            Header::CSeq(value) => {
                let (number, method) = value.value().split_once(' ')?;
                read.cseq = number.parse().ok()?;
                method.trim().clone_into(&mut read.cseq_method);
            }
            Header::Other(name, value) if name.eq_ignore_ascii_case("Session-Expires") => {
                read.session_expires = Some(value.trim().to_owned());
            }
            Header::Supported(value) => read.reliable |= value.value().contains("100rel"),
            Header::Require(value) if value.value().contains("100rel") => {
                (read.reliable, read.insists) = (true, true);
            }
            Header::Other(name, value) if name.eq_ignore_ascii_case("RSeq") => {
                read.rseq = value.trim().parse().ok();
            }
            Header::Other(name, value) if name.eq_ignore_ascii_case("RAck") => {
                read.rack = Some(value.trim().to_owned());
            }
            _ => {}
        }
    }
    // What lacks these cannot be matched to anything.
    (!read.vias.is_empty() && !read.call_id.is_empty()).then_some(read)
}

/// A request as a phone sends it.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) via: String,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) call_id: &'a str,
    pub(crate) cseq: u32,
    pub(crate) contact: Option<String>,
    pub(crate) more: Vec<Header>,
    pub(crate) sdp: Option<String>,
}

impl Draft<'_> {
    pub(crate) fn write(self) -> Bytes {
        let method = rsip::Method::from_str(self.method).expect("phones use known methods");
        let mut headers: Vec<Header> = vec![
            Via::new(self.via).into(),
            MaxForwards::new("70").into(),
            From::new(self.from).into(),
            To::new(self.to).into(),
            CallId::new(self.call_id).into(),
            CSeq::new(format!("{} {}", self.cseq, self.method)).into(),
        ];
        headers.extend(self.contact.map(|contact| Contact::new(contact).into()));
        headers.extend(self.more);
        let body = push_body(&mut headers, self.sdp);
        let uri = rsip::Uri::try_from(self.uri).expect("phones call URIs that rsip can write");
        let request =
            rsip::Request { method, uri, version: rsip::Version::V2, headers: headers.into(), body };
        Bytes::from(Vec::<u8>::from(request))
    }
}

/// The response of a phone to a request.
pub(crate) fn response(
    request: &Read,
    status: u16,
    to_tag: &str,
    contact: Option<String>,
    sdp: Option<String>,
) -> Bytes {
    response_with(request, status, to_tag, contact, Vec::new(), sdp)
}

/// The same, with more header fields.
pub(crate) fn response_with(
    request: &Read,
    status: u16,
    to_tag: &str,
    contact: Option<String>,
    more: Vec<Header>,
    sdp: Option<String>,
) -> Bytes {
    let to = if tag_of(&request.to).is_none() && status > 100 {
        format!("{};tag={to_tag}", request.to)
    } else {
        request.to.clone()
    };
    let mut headers: Vec<Header> = request.vias.iter().map(|via| Via::new(via.as_str()).into()).collect();
    headers.push(From::new(request.from.as_str()).into());
    headers.push(To::new(to).into());
    headers.push(CallId::new(request.call_id.as_str()).into());
    headers.push(CSeq::new(format!("{} {}", request.cseq, request.cseq_method)).into());
    headers.extend(contact.map(|contact| Contact::new(contact).into()));
    headers.extend(more);
    let body = push_body(&mut headers, sdp);
    let response = rsip::Response {
        status_code: status.into(),
        version: rsip::Version::V2,
        headers: headers.into(),
        body,
    };
    Bytes::from(Vec::<u8>::from(response))
}

fn push_body(headers: &mut Vec<Header>, sdp: Option<String>) -> Vec<u8> {
    let body = sdp.unwrap_or_default().into_bytes();
    if !body.is_empty() {
        let is_fragment = body.starts_with(b"SIP/2.0");
        let content_type = if is_fragment { "message/sipfrag;version=2.0" } else { "application/sdp" };
        headers.push(ContentType::new(content_type).into());
    }
    headers.push(ContentLength::new(body.len().to_string()).into());
    body
}

/// The tag of a From or To.
pub(crate) fn tag_of(value: &str) -> Option<&str> {
    let after = value.rsplit_once('>').map_or(value, |(_, params)| params);
    after.split(';').find_map(|param| param.strip_prefix("tag="))
}

/// The branch of a Via.
pub(crate) fn branch_of(via: &str) -> &str {
    via.split(';').find_map(|param| param.strip_prefix("branch=")).unwrap_or("")
}

/// The URI of a name-addr.
pub(crate) fn uri_in(value: &str) -> &str {
    match (value.find('<'), value.find('>')) {
        (Some(start), Some(end)) if start < end => &value[start + 1..end],
        _ => value.split(';').next().unwrap_or(value),
    }
}

/// The port of the first audio line; `None` without one, or if it is refused.
pub(crate) fn audio_port(sdp: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(sdp).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("m=audio "))?;
    line.split(' ').next()?.parse().ok().filter(|port| *port != 0)
}

/// Whether fax is switched on in a description, or in a message that has one.
pub(crate) fn has_fax(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.lines().any(|line| line.starts_with("m=image ") && !line.starts_with("m=image 0 "))
}
