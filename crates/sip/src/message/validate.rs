//! What RFC 3261 sections 8.1.1, 8.2 and 16.3 demand of a request before anything acts on it.

use super::{Message, Start, digits};
use crate::{Method, Name, ParseError, Uri, Via};

/// The most values of a list such as Via or Route, over all its lines.
pub const MAX_VALUES: usize = 128;

/// Why a request is refused: the status and phrase to answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// 400 to 699.
    pub status: u16,
    /// The reason phrase; it names what is wrong.
    pub phrase: &'static str,
}

impl Fault {
    const fn bad(phrase: &'static str) -> Self {
        Self { status: 400, phrase }
    }
}

impl Message {
    /// Checks a request. A response is not checked: it is matched, or dropped.
    ///
    /// # Errors
    /// 505 for a SIP version that is not 2.0; 416 for a Request-URI of a scheme other than `sip`, `sips`
    /// and `tel`; 483 where Max-Forwards is 0 and the request would have to be passed on; 400 for a header
    /// field that is missing, repeated, malformed or out of range, that contradicts another, or that lists
    /// more than [`MAX_VALUES`].
    /// A missing Max-Forwards is let pass (section 16.3).
    pub fn validate(&self) -> Result<(), Fault> {
        let Start::Request { version, .. } = self.start else { return Ok(()) };
        if !self.at(version).eq_ignore_ascii_case("SIP/2.0") {
            return Err(Fault { status: 505, phrase: "Version Not Supported" });
        }
        self.check_single_fields()?;
        self.check_list_lengths()?;
        self.check_addresses()?;
        self.check_numbers()?;
        self.check_request_uri()?;
        self.check_hops()
    }

    fn check_single_fields(&self) -> Result<(), Fault> {
        let mut seen = 0_u128;
        for name in self.fields.iter().filter_map(|field| field.known).filter(|name| name.must_be_single()) {
            let bit = 1 << name as u8;
            if seen & bit != 0 {
                return Err(Fault::bad(repeated_phrase(name)));
            }
            seen |= bit;
        }
        Ok(())
    }

    fn check_list_lengths(&self) -> Result<(), Fault> {
        let lists = [Name::Via, Name::Contact, Name::Route, Name::RecordRoute, Name::Path];
        if lists.iter().any(|name| self.header_values(*name).nth(MAX_VALUES).is_some()) {
            return Err(Fault::bad("Too Many Header Values"));
        }
        Ok(())
    }

    fn check_addresses(&self) -> Result<(), Fault> {
        let bad = |error: ParseError, name| match error {
            ParseError::Missing(_) => Fault::bad(missing_phrase(name)),
            _ => Fault::bad(malformed_phrase(name)),
        };
        let mut hops = self.header_values(Name::Via).map(Via::parse).peekable();
        if hops.peek().is_none() {
            return Err(Fault::bad(missing_phrase(Name::Via)));
        }
        if hops.any(|hop| hop.is_err()) {
            return Err(Fault::bad(malformed_phrase(Name::Via)));
        }
        for name in [Name::From, Name::To] {
            let address = self.address(name).map_err(|error| bad(error, name))?;
            let uri = address.uri().map_err(|error| bad(error, name))?;
            // Ours could not take its place: whoever reads the response finds the empty one first.
            if name == Name::To && address.tag().is_none() && address.params().has("tag") {
                return Err(Fault::bad(malformed_phrase(name)));
            }
            // Nobody else can be registered (RFC 3261 section 10.2).
            if name == Name::To && *self.method() == Method::Register && matches!(uri, Uri::Other(_)) {
                return Err(Fault::bad("To Names No SIP User"));
            }
        }
        if self.call_id().is_empty() {
            return Err(Fault::bad(missing_phrase(Name::CallId)));
        }
        if self.header(Name::Contact).is_some_and(|value| value != "*") {
            for contact in self.contacts() {
                contact.and_then(|contact| contact.uri()).map_err(|error| bad(error, Name::Contact))?;
            }
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), Fault> {
        let (_, method) = self.cseq().map_err(|error| match error {
            ParseError::Missing(_) => Fault::bad(missing_phrase(Name::CSeq)),
            _ => Fault::bad(malformed_phrase(Name::CSeq)),
        })?;
        if method != *self.method() {
            return Err(Fault::bad("CSeq Method Differs From Request"));
        }
        if self.header(Name::MaxForwards).is_some() && self.max_forwards().is_none() {
            return Err(Fault::bad(malformed_phrase(Name::MaxForwards)));
        }
        if self.header(Name::Expires).is_some_and(|value| digits(value).is_none()) {
            return Err(Fault::bad(malformed_phrase(Name::Expires)));
        }
        Ok(())
    }

    fn check_request_uri(&self) -> Result<(), Fault> {
        match Uri::parse(self.request_uri()) {
            Ok(Uri::Sip(_) | Uri::Tel(_)) => Ok(()),
            Ok(Uri::Other(_)) => Err(Fault { status: 416, phrase: "Unsupported URI Scheme" }),
            Err(_) => Err(Fault::bad("Malformed Request-URI")),
        }
    }

    /// Requests that end here whoever they are for may arrive with no hops left.
    fn check_hops(&self) -> Result<(), Fault> {
        let ends_here = matches!(
            self.method(),
            Method::Ack | Method::Cancel | Method::Bye | Method::Options | Method::Register
        );
        let in_dialog = self.to().is_ok_and(|to| to.tag().is_some());
        if self.max_forwards() == Some(0) && !ends_here && !in_dialog {
            return Err(Fault { status: 483, phrase: "Too Many Hops" });
        }
        Ok(())
    }
}

const fn missing_phrase(name: Name) -> &'static str {
    match name {
        Name::Via => "Missing Via",
        Name::From => "Missing From",
        Name::To => "Missing To",
        Name::CallId => "Missing Call-ID",
        Name::CSeq => "Missing CSeq",
        _ => "Missing Header Field",
    }
}

const fn malformed_phrase(name: Name) -> &'static str {
    match name {
        Name::Via => "Malformed Via",
        Name::From => "Malformed From",
        Name::To => "Malformed To",
        Name::Contact => "Malformed Contact",
        Name::CSeq => "Malformed CSeq",
        Name::MaxForwards => "Malformed Max-Forwards",
        Name::Expires => "Malformed Expires",
        _ => "Malformed Header Field",
    }
}

const fn repeated_phrase(name: Name) -> &'static str {
    match name {
        Name::From => "Repeated From",
        Name::To => "Repeated To",
        Name::CallId => "Repeated Call-ID",
        Name::CSeq => "Repeated CSeq",
        Name::MaxForwards => "Repeated Max-Forwards",
        Name::ContentLength => "Repeated Content-Length",
        _ => "Repeated Header Field",
    }
}
