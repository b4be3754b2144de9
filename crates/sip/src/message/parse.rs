//! From bytes to a [`Message`]: one pass over the lines, then the start line and Content-Length.

use super::{Field, Message, Span, Start, digits};
use crate::class;
use crate::header::is_token;
use crate::{Flaw, Method, Name, ParseError};
use bytes::Bytes;
use memchr::{memchr, memchr2};
use std::sync::Arc;

/// The largest message that is taken, in bytes.
pub const MAX_MESSAGE: usize = 65_535;

/// The most header lines of a message.
pub const MAX_HEADERS: usize = 128;

/// Empty lines before a start line that are passed over (RFC 3261 section 7.5).
const LINE_ENDS: &[u8] = b"\r\n";

impl Message {
    /// Reads one datagram, or one message that the [`Framer`](crate::Framer) cut out of a stream.
    ///
    /// Line feeds alone end lines too. Without Content-Length the body is all that follows the header
    /// fields; what exceeds Content-Length is cut off (RFC 3261 section 18.3).
    ///
    /// # Errors
    /// [`ParseError::Empty`], [`ParseError::NotSip`], [`ParseError::TooLarge`], or
    /// [`ParseError::Malformed`] with what could be read.
    pub fn parse(datagram: Bytes) -> Result<Self, ParseError> {
        if datagram.len() > MAX_MESSAGE {
            return Err(ParseError::TooLarge { limit: MAX_MESSAGE });
        }
        let lead = datagram.iter().take_while(|byte| LINE_ENDS.contains(byte)).count();
        let bytes = &datagram[lead..];
        if bytes.is_empty() {
            return Err(ParseError::Empty);
        }
        let index = Index::of(bytes);
        let rest = datagram.slice(lead + index.end..);
        match std::str::from_utf8(&bytes[..index.end]) {
            Ok(text) if !index.folded => assemble(text, &index, rest),
            _ => {
                let text = normalise(&bytes[..index.end]);
                if text.len() > MAX_MESSAGE {
                    return Err(ParseError::TooLarge { limit: MAX_MESSAGE });
                }
                let mut again = Index::of(text.as_bytes());
                again.flaw = index.flaw.or(again.flaw);
                assemble(&text, &again, rest)
            }
        }
    }
}

/// Where the lines of a header block are.
struct Index {
    fields: [Field; MAX_HEADERS],
    count: usize,
    start_line: Span,
    /// Behind the empty line.
    end: usize,
    folded: bool,
    flaw: Option<Flaw>,
}

impl Index {
    /// Of at most [`MAX_MESSAGE`] bytes.
    fn of(bytes: &[u8]) -> Self {
        let mut index = Self {
            fields: [Field::default(); MAX_HEADERS],
            count: 0,
            start_line: Span::default(),
            end: bytes.len(),
            folded: false,
            flaw: None,
        };
        let (mut at, mut number, mut carriage_returns) = (0, 0, 0);
        loop {
            let Some(length) = memchr(b'\n', &bytes[at..]) else {
                index.note(Flaw::NoEmptyLine);
                index.line(bytes, at, bytes.len(), number + 1);
                break;
            };
            let ends_in_return = length > 0 && bytes[at + length - 1] == b'\r';
            carriage_returns += usize::from(ends_in_return);
            let end = at + length - usize::from(ends_in_return);
            number += 1;
            if end == at {
                index.end = at + length + 1;
                break;
            }
            if !index.line(bytes, at, end, number) {
                break;
            }
            at += length + 1;
        }
        if count_returns(&bytes[..index.end]) != carriage_returns {
            index.note(Flaw::BareCarriageReturn);
        }
        index
    }

    /// Takes one line without its end; whether there may be more.
    fn line(&mut self, bytes: &[u8], start: usize, end: usize, number: usize) -> bool {
        if number == 1 {
            self.start_line = Span::new(start, end);
            return true;
        }
        if start == end {
            return true;
        }
        if matches!(bytes[start], b' ' | b'\t') {
            self.folded = true;
            return true;
        }
        if self.count == MAX_HEADERS {
            self.note(Flaw::TooManyHeaders);
            return false;
        }
        match Field::read(bytes, start, end) {
            Some(field) => {
                self.fields[self.count] = field;
                self.count += 1;
            }
            None => self.note(Flaw::HeaderLine(number)),
        }
        true
    }

    /// The first flaw is the one that is told.
    fn note(&mut self, flaw: Flaw) {
        self.flaw.get_or_insert(flaw);
    }
}

/// Sums in octets, so that the compiler may take sixteen at a time.
fn count_returns(bytes: &[u8]) -> usize {
    let in_chunk = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(*byte == b'\r')).sum::<u8>();
    bytes.chunks(255).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

impl Field {
    /// `name: value` in `bytes[start..end]`.
    fn read(bytes: &[u8], start: usize, end: usize) -> Option<Self> {
        let line = &bytes[start..end];
        let name_length = line.iter().position(|octet| !class::is(*octet, class::TOKEN))?;
        let gap = line[name_length..].iter().position(|octet| !matches!(octet, b' ' | b'\t'))?;
        let colon = start + name_length + gap;
        if name_length == 0 || bytes[colon] != b':' {
            return None;
        }
        let name = Span::new(start, start + name_length);
        Some(Self { known: Name::of(name.of(bytes)), name, value: Span::trimmed(bytes, colon + 1, end) })
    }
}

impl Span {
    /// Of offsets that fit, because a message is at most [`MAX_MESSAGE`] bytes long.
    fn new(start: usize, end: usize) -> Self {
        let narrow = |at: usize| u16::try_from(at).expect("a message is at most 65,535 bytes");
        Self { start: narrow(start), end: narrow(end) }
    }

    /// Without spaces and tabs at either end.
    fn trimmed(bytes: &[u8], mut start: usize, mut end: usize) -> Self {
        while start < end && matches!(bytes[start], b' ' | b'\t') {
            start += 1;
        }
        while start < end && matches!(bytes[end - 1], b' ' | b'\t') {
            end -= 1;
        }
        Self::new(start, end)
    }

    /// Of the text that was indexed.
    pub(super) fn text(self, text: &str) -> &str {
        &text[usize::from(self.start)..usize::from(self.end)]
    }

    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[usize::from(self.start)..usize::from(self.end)]
    }
}

/// A header block in UTF-8 with its folded lines joined (RFC 3261 section 7.3.1). Octets that are no
/// UTF-8 become the ISO 8859-1 characters of their value.
fn normalise(block: &[u8]) -> String {
    let mut text = String::with_capacity(block.len() + 16);
    for chunk in block.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|&octet| char::from(octet)));
    }
    let mut joined = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let continues = line.starts_with([' ', '\t']) && line.trim_ascii() != "";
        if continues && !joined.is_empty() {
            let kept = joined.trim_ascii_end().len();
            joined.truncate(kept);
            joined.push(' ');
            joined.push_str(line.trim_start_matches([' ', '\t']));
        } else if line.trim_ascii() != "" || line.trim_end_matches(['\r', '\n']).is_empty() {
            joined.push_str(line);
        }
    }
    joined
}

/// Puts a message together from its header block, which [`Index::of`] has indexed, and what follows it.
fn assemble(text: &str, index: &Index, rest: Bytes) -> Result<Message, ParseError> {
    let fields: Arc<[Field]> = index.fields[..index.count].into();
    let mut flaw = index.flaw.clone();
    let start = start_line(text, &fields, index.start_line, &mut flaw)?;
    let body = match content_length(text, &fields) {
        Ok(None) => rest,
        Ok(Some(declared)) if declared <= rest.len() => rest.slice(..declared),
        Ok(Some(declared)) => {
            flaw.get_or_insert(Flaw::BodyTooShort { declared, present: rest.len() });
            rest
        }
        Err(bad) => {
            flaw.get_or_insert(bad);
            rest
        }
    };
    let message = Message { text: text.into(), fields, start, body };
    match flaw {
        None => Ok(message),
        Some(flaw) => Err(ParseError::Malformed { flaw, message: Box::new(message) }),
    }
}

/// A request line or a status line (RFC 3261 sections 7.1 and 7.2).
fn start_line(
    text: &str,
    fields: &[Field],
    line: Span,
    flaw: &mut Option<Flaw>,
) -> Result<Start, ParseError> {
    let bytes = text.as_bytes();
    let full = line.text(text);
    if full.as_bytes().get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) {
        return status_line(text, full, fields, line, flaw);
    }
    let trimmed = full.trim_ascii_end();
    let first = trimmed.find(' ').ok_or(ParseError::NotSip)?;
    let last = trimmed.rfind(' ').ok_or(ParseError::NotSip)?;
    let version = trimmed.as_bytes()[last + 1..].get(..4).ok_or(ParseError::NotSip)?;
    if !version.eq_ignore_ascii_case(b"SIP/") || !is_token(&full[..first]) {
        return Err(ParseError::NotSip);
    }
    let offset = usize::from(line.start);
    let uri = Span::trimmed(bytes, offset + first, offset + last);
    let uri_is_plain = !uri.of(bytes).iter().any(|byte| matches!(byte, b' ' | b'\t'));
    let single_spaces = usize::from(uri.end - uri.start) + first + 1 == last;
    if trimmed.len() != full.len() || uri.start >= uri.end || !uri_is_plain || !single_spaces {
        flaw.get_or_insert(Flaw::StartLine);
    }
    let version = Span::new(offset + last + 1, offset + trimmed.len());
    Ok(Start::Request { line, method: Method::from(&full[..first]), uri, version })
}

fn status_line(
    text: &str,
    full: &str,
    fields: &[Field],
    line: Span,
    flaw: &mut Option<Flaw>,
) -> Result<Start, ParseError> {
    let offset = usize::from(line.start);
    let (version, rest) = full.split_once(' ').ok_or(ParseError::NotSip)?;
    let code = rest.split(' ').next().unwrap_or("");
    let status = digits(code).filter(|_| code.len() == 3).and_then(|code| u16::try_from(code).ok());
    let status =
        status.filter(|status| (100..700).contains(status) && version.eq_ignore_ascii_case("SIP/2.0"));
    if status.is_none() {
        flaw.get_or_insert(Flaw::StartLine);
    }
    let reason =
        Span::trimmed(text.as_bytes(), offset + version.len() + 1 + code.len(), usize::from(line.end));
    let method = fields
        .iter()
        .find(|field| field.known == Some(Name::CSeq))
        .and_then(|field| cseq(field.value.text(text)));
    if method.is_none() {
        flaw.get_or_insert(Flaw::ResponseWithoutCSeq);
    }
    let method = method.map_or_else(|| Method::Other("".into()), |(_, method)| method);
    Ok(Start::Response { line, method, status: status.unwrap_or(0), reason })
}

/// Content-Length, if given; several must agree, since a proxy before us may have taken another.
fn content_length(text: &str, fields: &[Field]) -> Result<Option<usize>, Flaw> {
    let mut declared = None;
    for field in fields.iter().filter(|field| field.known == Some(Name::ContentLength)) {
        let length = digits(field.value.text(text)).and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(Flaw::ContentLength)?;
        if declared.is_some_and(|before| before != length) {
            return Err(Flaw::ContentLength);
        }
        declared = Some(length);
    }
    Ok(declared)
}

/// The Content-Length that a whole header block declares; `None` if it declares none that can be read.
pub(crate) fn declared_length(head: &[u8]) -> Option<usize> {
    let index = Index::of(head);
    match std::str::from_utf8(head) {
        Ok(text) if !index.folded => content_length(text, &index.fields[..index.count]).ok()?,
        _ => {
            let text = Some(normalise(head)).filter(|text| text.len() <= MAX_MESSAGE)?;
            let index = Index::of(text.as_bytes());
            content_length(&text, &index.fields[..index.count]).ok()?
        }
    }
}

/// `number method`, the number below 2³¹.
pub(super) fn cseq(value: &str) -> Option<(u32, Method)> {
    let gap = memchr2(b' ', b'\t', value.as_bytes())?;
    let (number, method) = value.split_at(gap);
    let number = digits(number).and_then(|number| u32::try_from(number).ok()).filter(|n| *n < 1 << 31)?;
    let method = method.trim_ascii();
    is_token(method).then(|| (number, Method::from(method)))
}
