//! What a message carries: its body or the parts of a multipart one (RFC 2046 section 5.1, RFC 5621).

use super::Message;
use crate::header::{Split, cut_before};
use crate::{Fault, Name, Params};
use bytes::Bytes;
use memchr::{memchr, memmem};
use std::borrow::Cow;

/// Parts that are looked at, over all levels.
const MAX_PARTS: usize = 64;
/// Multipart bodies within multipart bodies.
const MAX_DEPTH: usize = 4;
/// Octets of a boundary (RFC 2046 section 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// The media type of a session description.
const SDP: &str = "application/sdp";

/// The media types that a session may be described by, as Accept lists them.
pub const ACCEPTED_BODIES: &str =
    "application/sdp, multipart/mixed, multipart/alternative, multipart/related";

/// Why a body cannot be used, and the header field of the answer that says what can.
pub(crate) type BodyFault = (Fault, Option<(Name, &'static str)>);

/// A body, or one part of a multipart body, with what its header fields say of it.
#[derive(Clone, Copy, Debug, Default)]
struct Entity<'a> {
    content_type: &'a str,
    disposition: &'a str,
    /// The values of Content-Encoding and of MIME's Content-Transfer-Encoding.
    encodings: [&'a str; 2],
    body: &'a [u8],
}

/// The parts of a multipart body. Lines may end in line feeds alone; without a last delimiter the last part
/// runs to the end.
struct Parts<'a> {
    rest: Option<&'a [u8]>,
    delimiter: memmem::Finder<'static>,
}

impl Message {
    /// The session description (`application/sdp`) that the message carries as its body or in a multipart
    /// one: the first that can be read of parts that belong together, the last of alternatives (RFC 2046
    /// section 5.1.4). `None` also for one with another purpose than the session, such as early media
    /// (RFC 3959), or in an encoding.
    ///
    /// A body without Content-Type counts if it begins like one. Copies nothing.
    pub fn sdp(&self) -> Option<Bytes> {
        let found = self.entity().session(&mut { MAX_PARTS }, 0)?;
        Some(self.body.slice_ref(found))
    }

    /// Whether a request that sets up or changes a session can be served with the body that it has and the
    /// one that its answer will have (RFC 3261 section 8.2.3).
    ///
    /// In a multipart body that has a session description, other parts are insisted on only where they say
    /// `handling=required` themselves: gateways add parts for their own kind and say nothing.
    ///
    /// # Errors
    /// 415 with the header field that says what would do; 400 for a multipart body without parts; 406 if
    /// the request's Accept leaves no session description.
    pub(crate) fn check_session_body(&self) -> Result<(), BodyFault> {
        let accepted = |value: &str| {
            let range = cut_before(value, b';').0.trim_ascii();
            [SDP, "application/*", "*/*"].iter().any(|fits| range.eq_ignore_ascii_case(fits))
        };
        if self.header(Name::Accept).is_some() && !self.header_values(Name::Accept).any(accepted) {
            return Err((Fault { status: 406, phrase: "" }, None));
        }
        let entity = self.entity();
        if entity.body.is_empty() || entity.is_optional() {
            return Ok(());
        }
        if !entity.is_plain() {
            return Err((Fault { status: 415, phrase: "" }, Some((Name::AcceptEncoding, "identity"))));
        }
        if entity.parts().is_some_and(|mut parts| parts.next().is_none()) {
            return Err((Fault { status: 400, phrase: "Multipart Body Without Parts" }, None));
        }
        if entity.needs_more(self.sdp().is_some(), &mut { MAX_PARTS }, 0) {
            return Err((Fault { status: 415, phrase: "" }, Some((Name::Accept, ACCEPTED_BODIES))));
        }
        Ok(())
    }

    /// Whether a request that can do nothing with a body can be served all the same.
    ///
    /// # Errors
    /// 415, and that nothing would do.
    pub(crate) fn check_no_body(&self) -> Result<(), BodyFault> {
        let entity = self.entity();
        let fits = entity.body.is_empty() || entity.is_optional();
        if fits { Ok(()) } else { Err((Fault { status: 415, phrase: "" }, Some((Name::Accept, "")))) }
    }

    fn entity(&self) -> Entity<'_> {
        let implied = if self.body.starts_with(b"v=") { SDP } else { "" };
        Entity {
            content_type: self.content_type().unwrap_or(implied),
            disposition: self.header(Name::ContentDisposition).unwrap_or(""),
            encodings: [self.header(Name::ContentEncoding).unwrap_or(""), ""],
            body: &self.body,
        }
    }
}

impl<'a> Entity<'a> {
    /// A part as it stands between two delimiters.
    fn of_part(part: &'a [u8]) -> Self {
        let mut entity = Self::default();
        let mut rest = part;
        while let Some((line, after)) = header_line(rest) {
            rest = after;
            if line.is_empty() {
                break;
            }
            entity.take_field(line);
        }
        entity.body = rest;
        entity
    }

    fn take_field(&mut self, line: &'a [u8]) {
        let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(':')) else {
            return;
        };
        let (name, value) = (name.trim_ascii_end(), value.trim_ascii());
        match Name::parse(name) {
            Some(Name::ContentType) => self.content_type = value,
            Some(Name::ContentDisposition) => self.disposition = value,
            Some(Name::ContentEncoding) => self.encodings[0] = value,
            None if name.eq_ignore_ascii_case("Content-Transfer-Encoding") => self.encodings[1] = value,
            _ => {}
        }
    }

    /// What it is, without parameters; text if nothing is said (RFC 2045 section 5.2).
    fn media_type(&self) -> &'a str {
        match cut_before(self.content_type, b';').0.trim_ascii() {
            "" => "text/plain",
            written => written,
        }
    }

    /// Whether it may be passed over (RFC 3261 section 20.11).
    fn is_optional(&self) -> bool {
        self.handling().is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
    }

    fn is_required(&self) -> bool {
        self.handling().is_some_and(|handling| handling.eq_ignore_ascii_case("required"))
    }

    fn handling(&self) -> Option<Cow<'a, str>> {
        Params::new(cut_before(self.disposition, b';').1).unquoted("handling")
    }

    /// Whether its octets stand as they are.
    fn is_plain(&self) -> bool {
        let plain = ["identity", "7bit", "8bit", "binary"];
        let mut encodings = self.encodings.iter().flat_map(|value| Split::commas(value));
        encodings.all(|encoding| plain.iter().any(|plain| plain.eq_ignore_ascii_case(encoding)))
    }

    /// Which kind of multipart body it is, `mixed` or another; `None` for any other body.
    fn multipart(&self) -> Option<&'a str> {
        let (kind, subtype) = self.media_type().split_once('/')?;
        kind.trim_ascii().eq_ignore_ascii_case("multipart").then(|| subtype.trim_ascii())
    }

    /// Whether its parts say the same, the best last (RFC 2046 section 5.1.4).
    fn is_choice(&self) -> bool {
        self.multipart().is_some_and(|kind| kind.eq_ignore_ascii_case("alternative"))
    }

    /// The parts of a multipart body; `None` for any other.
    fn parts(&self) -> Option<Parts<'a>> {
        self.multipart()?;
        let boundary = Params::new(cut_before(self.content_type, b';').1).unquoted("boundary");
        let boundary = boundary.as_deref().unwrap_or("");
        // Without a boundary that can be read there are no parts.
        let readable = (1..=MAX_BOUNDARY).contains(&boundary.len());
        let delimiter = memmem::Finder::new(&format!("--{boundary}")).into_owned();
        let mut parts = Parts { rest: readable.then_some(self.body), delimiter };
        parts.skip_preamble();
        Some(parts)
    }

    /// Whether it is no multipart body but a session description.
    fn is_session(&self) -> bool {
        let purpose = cut_before(self.disposition, b';').0.trim_ascii();
        self.media_type().eq_ignore_ascii_case(SDP)
            && (purpose.is_empty() || purpose.eq_ignore_ascii_case("session"))
            && self.is_plain()
            && !self.body.is_empty()
    }

    /// The session description in it. `budget` is how many parts may still be looked at.
    fn session(&self, budget: &mut usize, depth: usize) -> Option<&'a [u8]> {
        if self.is_session() {
            return Some(self.body);
        }
        if depth == MAX_DEPTH || !self.is_plain() {
            return None;
        }
        let mut found = None;
        for part in self.parts()? {
            let Some(left) = budget.checked_sub(1) else { break };
            *budget = left;
            found = part.session(budget, depth + 1).or(found);
            if found.is_some() && !self.is_choice() {
                break;
            }
        }
        found
    }

    /// Whether it, or a part of it, must be understood and is not.
    fn needs_more(&self, has_session: bool, budget: &mut usize, depth: usize) -> bool {
        if self.is_optional() {
            return false;
        }
        let Some(mut parts) = self.parts() else {
            return !self.is_session() && (!has_session || self.is_required());
        };
        // Of alternatives one is enough.
        if depth == MAX_DEPTH || (self.is_choice() && has_session) {
            return !has_session;
        }
        parts.any(|part| {
            let looked_at = *budget > 0;
            *budget = budget.saturating_sub(1);
            looked_at && part.needs_more(has_session, budget, depth + 1)
        })
    }
}

impl<'a> Parts<'a> {
    /// Goes behind the first delimiter.
    fn skip_preamble(&mut self) {
        self.rest = self.rest.and_then(|rest| self.delimit(rest)).and_then(|(_, rest)| rest);
    }

    /// What stands before the next delimiter line, and what stands behind it if it is not the last.
    fn delimit(&self, text: &'a [u8]) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        for at in self.delimiter.find_iter(text) {
            let before = &text[..at];
            if !(before.is_empty() || before.ends_with(b"\n")) {
                continue;
            }
            // The line end before a delimiter belongs to it.
            let part = before.strip_suffix(b"\n").unwrap_or(before);
            let part = part.strip_suffix(b"\r").unwrap_or(part);
            let behind = &text[at + self.delimiter.needle().len()..];
            if behind.starts_with(b"--") {
                return Some((part, None));
            }
            let padding = behind.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
            match behind[padding..] {
                [] => return Some((part, None)),
                [b'\n', ref next @ ..] => return Some((part, Some(next))),
                // A longer boundary that begins alike.
                _ => {}
            }
        }
        None
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Entity<'a>;

    fn next(&mut self) -> Option<Entity<'a>> {
        let text = self.rest.take()?;
        let (part, rest) = self.delimit(text).unwrap_or((text, None));
        self.rest = rest;
        Some(Entity::of_part(part))
    }
}

/// One header line of a part with its folds, and what follows it; the line is empty at the end of the header.
/// `None` at the end of the part.
fn header_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let line_end = |from: usize| memchr(b'\n', &text[from..]).map_or(text.len(), |length| from + length + 1);
    let mut end = line_end(0);
    if !text[..end].trim_ascii().is_empty() {
        while matches!(text.get(end), Some(b' ' | b'\t')) {
            end = line_end(end);
        }
    }
    (!text.is_empty()).then(|| (text[..end].trim_ascii(), &text[end..]))
}
