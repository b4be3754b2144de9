//! Writers of messages: straight into one buffer.

use crate::{Message, Method, Name, Uri};
use bytes::{BufMut, Bytes, BytesMut};
use memchr::memchr2;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;

/// Writes a request.
#[derive(Debug)]
pub struct RequestBuilder {
    buffer: Buffer,
}

/// Writes a response.
#[derive(Debug)]
pub struct ResponseBuilder {
    buffer: Buffer,
}

impl RequestBuilder {
    /// Begins with the request line. Header fields in the URI, `?Route=…`, are left out: none may stand in
    /// a Request-URI, and whoever wrote them has no say in our request (RFC 3261 sections 19.1.1 and 19.1.5).
    pub fn new(method: &Method, uri: &str) -> Self {
        let uri = match Uri::parse(uri) {
            Ok(Uri::Sip(sip)) => sip.without_headers(),
            _ => uri,
        };
        let mut buffer = Buffer::new();
        buffer.push(method.as_str());
        buffer.literal(" ");
        buffer.push(uri);
        buffer.literal(" SIP/2.0\r\n");
        Self { buffer }
    }

    /// Adds a header line. A line end inside `name` or `value` becomes a space, so that nothing can be
    /// smuggled in. Content-Length is [`RequestBuilder::finish`]'s: one given here is left out.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.buffer.header(name.as_ref(), value.as_ref());
        self
    }

    /// Adds the CSeq.
    #[must_use]
    pub fn cseq(mut self, number: u32, method: &Method) -> Self {
        self.buffer.header_display(Name::CSeq, format_args!("{number} {method}"));
        self
    }

    /// Ends the request with its body.
    pub fn finish_with(self, content_type: &str, body: &[u8]) -> Bytes {
        self.buffer.finish(Some((content_type, body)))
    }

    /// Ends a request without a body.
    pub fn finish(self) -> Bytes {
        self.buffer.finish(None)
    }
}

impl ResponseBuilder {
    /// Begins the response to `request`, which came from `source`: the status line, the Via list with
    /// `received` and `rport` on its top hop (RFC 3261 section 18.2.1, RFC 3581 section 4), From, To,
    /// Call-ID, CSeq; the Record-Route list where the response makes a dialog (section 12.1.1); Timestamp
    /// for 100 (section 8.2.6.1). `to_tag` is added to a To that has none. An empty `phrase` means the
    /// usual one.
    pub fn response_to(
        request: &Message,
        source: SocketAddr,
        status: u16,
        phrase: &str,
        to_tag: Option<&str>,
    ) -> Self {
        let mut buffer = Buffer::new();
        buffer.push_display(format_args!("SIP/2.0 {status} "));
        buffer.push(if phrase.is_empty() { reason_phrase(status) } else { phrase });
        buffer.literal(LINE_END);
        for (nth, via) in request.header_values(Name::Via).enumerate() {
            if nth == 0 {
                buffer.top_via(request, via, source);
            } else {
                buffer.header("Via", via);
            }
        }
        if makes_dialog(request.method(), status) {
            for route in request.header_values(Name::RecordRoute) {
                buffer.header("Record-Route", route);
            }
        }
        buffer.copy(request, Name::From);
        let to_tag = to_tag.filter(|_| request.to().is_ok_and(|to| to.tag().is_none()));
        match (request.header(Name::To), to_tag) {
            (Some(to), Some(tag)) => buffer.header_display(Name::To, format_args!("{to};tag={tag}")),
            _ => buffer.copy(request, Name::To),
        }
        buffer.copy(request, Name::CallId);
        buffer.copy(request, Name::CSeq);
        if status == 100 {
            buffer.copy(request, Name::Timestamp);
        }
        Self { buffer }
    }

    /// Adds a header line, as [`RequestBuilder::header`] does.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.buffer.header(name.as_ref(), value.as_ref());
        self
    }

    /// Ends the response with its body.
    pub fn finish_with(self, content_type: &str, body: &[u8]) -> Bytes {
        self.buffer.finish(Some((content_type, body)))
    }

    /// Ends a response without a body.
    pub fn finish(self) -> Bytes {
        self.buffer.finish(None)
    }
}

/// The usual phrase of a status code (RFC 3261 section 21 and its extensions); that of its class if the
/// code is unknown.
pub const fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        199 => "Early Dialog Terminated",
        200 => "OK",
        202 => "Accepted",
        204 => "No Notification",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        305 => "Use Proxy",
        380 => "Alternative Service",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Conditional Request Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        428 => "Use Identity Header",
        433 => "Anonymity Disallowed",
        436 => "Bad Identity Info",
        437 => "Unsupported Credential",
        438 => "Invalid Identity Header",
        469 => "Bad Info Package",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        485 => "Ambiguous",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        493 => "Undecipherable",
        494 => "Security Agreement Required",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        580 => "Precondition Failure",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        607 => "Unwanted",
        608 => "Rejected",
        _ => class_phrase(status),
    }
}

/// What the first digit says (RFC 3261 section 7.2).
const fn class_phrase(status: u16) -> &'static str {
    match status / 100 {
        1 => "Progress",
        2 => "Success",
        3 => "Redirection",
        4 => "Request Failure",
        5 => "Server Failure",
        _ => "Global Failure",
    }
}

/// RFC 3261 section 12.1, RFC 6665 section 4.4.1, RFC 3515.
const fn makes_dialog(method: &Method, status: u16) -> bool {
    let establishes = matches!(method, Method::Invite | Method::Subscribe | Method::Refer | Method::Notify);
    establishes && status > 100 && status < 300
}

const LINE_END: &str = "\r\n";

/// The message so far. Nothing but [`Buffer::literal`] writes a line end.
#[derive(Debug)]
struct Buffer {
    bytes: BytesMut,
}

impl Buffer {
    fn new() -> Self {
        Self { bytes: BytesMut::with_capacity(512) }
    }

    /// Writes text; its line ends become spaces.
    fn push(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while let Some(at) = memchr2(b'\r', b'\n', rest) {
            self.bytes.put_slice(&rest[..at]);
            self.bytes.put_u8(b' ');
            rest = &rest[at + 1..];
        }
        self.bytes.put_slice(rest);
    }

    fn push_display(&mut self, text: fmt::Arguments<'_>) {
        struct Pushed<'a>(&'a mut Buffer);
        impl fmt::Write for Pushed<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.push(text);
                Ok(())
            }
        }
        Pushed(self).write_fmt(text).expect("a buffer grows");
    }

    /// Writes what this file itself says, line ends included.
    fn literal(&mut self, text: &'static str) {
        self.bytes.put_slice(text.as_bytes());
    }

    fn header(&mut self, name: &str, value: &str) {
        let is_length = matches!(name.len(), 1 | 14) && Name::parse(name) == Some(Name::ContentLength);
        if is_length {
            return;
        }
        self.push(name);
        self.literal(": ");
        self.push(value);
        self.literal(LINE_END);
    }

    fn header_display(&mut self, name: Name, value: fmt::Arguments<'_>) {
        self.literal(name.text());
        self.literal(": ");
        self.push_display(value);
        self.literal(LINE_END);
    }

    fn copy(&mut self, message: &Message, name: Name) {
        if let Some(value) = message.header(name) {
            self.header(name.text(), value);
        }
    }

    /// The hop that the request came by, with what it could not know of itself. A `received` or `rport`
    /// value that the client wrote is not believed.
    fn top_via(&mut self, request: &Message, text: &str, source: SocketAddr) {
        let Ok(via) = request.via() else {
            self.header("Via", text);
            return;
        };
        let address = source.ip().to_canonical();
        let wants_port = via.rport().is_some();
        let wants_address = wants_port || via.host().ip() != Some(address);
        if !wants_address {
            self.header("Via", text);
            return;
        }
        let hop = text.split(';').next().unwrap_or(text);
        self.literal("Via: ");
        self.push(hop.trim_ascii_end());
        for (name, value) in via.params().iter() {
            let ours = ["received", "rport"].iter().any(|our| our.eq_ignore_ascii_case(name));
            if ours {
                continue;
            }
            self.literal(";");
            self.push(name);
            if let Some(value) = value {
                self.literal("=");
                self.push(value);
            }
        }
        self.push_display(format_args!(";received={address}"));
        if wants_port {
            self.push_display(format_args!(";rport={}", source.port()));
        }
        self.literal(LINE_END);
    }

    fn finish(mut self, body: Option<(&str, &[u8])>) -> Bytes {
        let (content_type, body) = body.unwrap_or(("", b""));
        if !content_type.is_empty() {
            self.header("Content-Type", content_type);
        }
        self.header_display(Name::ContentLength, format_args!("{}", body.len()));
        self.literal(LINE_END);
        self.bytes.put_slice(body);
        self.bytes.freeze()
    }
}
