//! A received message: parsed once into ranges, read on demand.

mod body;
mod parse;
mod validate;

pub use body::ACCEPTED_BODIES;
pub(crate) use body::BodyFault;
pub(crate) use parse::declared_length;
pub use parse::{MAX_HEADERS, MAX_MESSAGE};
pub use validate::{Fault, MAX_VALUES};

use crate::header::Split;
use crate::{Method, Name, NameAddr, ParseError, Via};
use bytes::Bytes;
use clock::Duration;
use std::fmt;
use std::sync::Arc;

/// A SIP request or response. Cloning it copies no text.
///
/// The header block is held as text: lines that were folded are whole again, and octets that are no UTF-8
/// are read as ISO 8859-1, so one odd display name does not cost the call.
#[derive(Clone)]
pub struct Message {
    text: Arc<str>,
    fields: Arc<[Field]>,
    start: Start,
    body: Bytes,
}

#[derive(Clone)]
enum Start {
    Request { line: Span, method: Method, uri: Span, version: Span },
    Response { line: Span, method: Method, status: u16, reason: Span },
}

/// Offsets into the text, which is at most [`MAX_MESSAGE`] bytes long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    start: u16,
    end: u16,
}

/// One header line.
#[derive(Clone, Copy, Debug, Default)]
struct Field {
    known: Option<Name>,
    name: Span,
    value: Span,
}

impl Message {
    /// Whether it is a request.
    pub const fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The method of a request; that of the CSeq for a response.
    pub const fn method(&self) -> &Method {
        match &self.start {
            Start::Request { method, .. } | Start::Response { method, .. } => method,
        }
    }

    /// The Request-URI as received; empty for a response.
    pub fn request_uri(&self) -> &str {
        match self.start {
            Start::Request { uri, .. } => self.at(uri),
            Start::Response { .. } => "",
        }
    }

    /// The status code of a response, 100 to 699.
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }

    /// The reason phrase of a response; empty for a request.
    pub fn reason(&self) -> &str {
        match self.start {
            Start::Request { .. } => "",
            Start::Response { reason, .. } => self.at(reason),
        }
    }

    /// The first line.
    pub fn start_line(&self) -> &str {
        match self.start {
            Start::Request { line, .. } | Start::Response { line, .. } => self.at(line),
        }
    }

    /// The first line of that name: the whole value, commas and all.
    pub fn header(&self, name: Name) -> Option<&str> {
        self.lines(name).next()
    }

    /// All values of that name over all its lines, parted at commas where the grammar allows lists.
    pub fn header_values(&self, name: Name) -> impl Iterator<Item = &str> {
        self.lines(name).flat_map(move |line| {
            let (list, single) = if name.is_list() { (line, None) } else { ("", Some(line)) };
            Split::commas(list).chain(single)
        })
    }

    /// The first line of a name by its text, in any case; compact forms count for their long ones.
    pub fn header_text(&self, name: &str) -> Option<&str> {
        match Name::parse(name) {
            Some(known) => self.header(known),
            None => self.headers().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value),
        }
    }

    /// Every header line in order: name as received, value.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|field| (self.at(field.name), self.at(field.value)))
    }

    /// The body; empty if there is none.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The top Via.
    ///
    /// # Errors
    /// Missing or unreadable.
    pub fn via(&self) -> Result<Via<'_>, ParseError> {
        self.first(Name::Via).ok_or(ParseError::Missing(Name::Via)).and_then(Via::parse)
    }

    /// The From.
    ///
    /// # Errors
    /// Missing or unreadable.
    pub fn from(&self) -> Result<NameAddr<'_>, ParseError> {
        self.address(Name::From)
    }

    /// The To.
    ///
    /// # Errors
    /// Missing or unreadable.
    pub fn to(&self) -> Result<NameAddr<'_>, ParseError> {
        self.address(Name::To)
    }

    /// The one address of a field such as From, To, Refer-To or Referred-By; the first of a list.
    ///
    /// # Errors
    /// Missing or unreadable.
    pub fn address(&self, name: Name) -> Result<NameAddr<'_>, ParseError> {
        NameAddr::parse(name, self.first(name).ok_or(ParseError::Missing(name))?)
    }

    /// All addresses of a list field: Contact, Route, Record-Route, Path, P-Asserted-Identity, …
    pub fn addresses(&self, name: Name) -> impl Iterator<Item = Result<NameAddr<'_>, ParseError>> {
        self.header_values(name).map(move |value| NameAddr::parse(name, value))
    }

    /// All Contacts. The `*` of a REGISTER is no address: look for it with [`Message::header`].
    pub fn contacts(&self) -> impl Iterator<Item = Result<NameAddr<'_>, ParseError>> {
        self.addresses(Name::Contact)
    }

    /// The Call-ID; empty if it is missing.
    pub fn call_id(&self) -> &str {
        self.header(Name::CallId).unwrap_or("")
    }

    /// The CSeq.
    ///
    /// # Errors
    /// Missing, unreadable, or a number of 2³¹ or more (RFC 3261 section 8.1.1.5).
    pub fn cseq(&self) -> Result<(u32, Method), ParseError> {
        let value = self.header(Name::CSeq).ok_or(ParseError::Missing(Name::CSeq))?;
        parse::cseq(value).ok_or(ParseError::Invalid(Name::CSeq))
    }

    /// Max-Forwards: `None` if it is absent or no number from 0 to 255 (which
    /// [`Message::validate`] refuses).
    pub fn max_forwards(&self) -> Option<u8> {
        digits(self.header(Name::MaxForwards)?).and_then(|number| u8::try_from(number).ok())
    }

    /// Expires in seconds; `None` if it is absent or no number; what exceeds 32 bits counts as 2³²−1.
    pub fn expires(&self) -> Option<u32> {
        digits(self.header(Name::Expires)?).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// Retry-After (RFC 3261 section 20.33) without its comment and parameters; `None` if it is absent or begins with no
    /// number.
    pub fn retry_after(&self) -> Option<Duration> {
        leading_digits(self.header(Name::RetryAfter)?).map(Duration::from_secs)
    }

    /// The Content-Type as written.
    pub fn content_type(&self) -> Option<&str> {
        self.header(Name::ContentType)
    }

    /// Whether the body is of a media type such as `application/sdp`, whatever its parameters.
    pub fn has_body_of(&self, media_type: &str) -> bool {
        let written = self.content_type().and_then(|value| value.split(';').next()).unwrap_or("");
        !self.body.is_empty() && written.trim_ascii().eq_ignore_ascii_case(media_type)
    }

    fn first(&self, name: Name) -> Option<&str> {
        if name.is_list() {
            self.lines(name).find_map(|line| Split::commas(line).next())
        } else {
            self.header(name)
        }
    }

    fn lines(&self, name: Name) -> impl Iterator<Item = &str> {
        let of_name = self.fields.iter().filter(move |field| field.known == Some(name));
        of_name.map(|field| self.at(field.value))
    }

    fn at(&self, span: Span) -> &str {
        span.text(&self.text)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?}, {} bytes of body)", &*self.text, self.body.len())
    }
}

/// A number of decimal digits alone; what exceeds 64 bits counts as 2⁶⁴−1.
pub(crate) fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The number that a text begins with: `120;duration=60`, `18 (in maintenance)`.
pub(crate) fn leading_digits(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    digits(text.get(..end)?)
}
