use crate::header::text::{closing_quote, cut, cut_before, quotes_are_closed, unquote};
use crate::{Name, Params, ParseError, Uri};
use std::borrow::Cow;

/// An address with its display name and parameters: From, To, Contact, Route, Refer-To and their like
/// (RFC 3261 section 20.10).
#[derive(Clone, Copy, Debug)]
pub struct NameAddr<'a> {
    display: &'a str,
    uri: &'a str,
    params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads the value of the header field `name`.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] with `name`: no URI, a quote or bracket left open, or a URI that needs
    /// brackets and has none. The URI itself is read by [`NameAddr::uri`].
    pub fn parse(name: Name, value: &'a str) -> Result<Self, ParseError> {
        Self::read(value.trim_ascii()).ok_or(ParseError::Invalid(name))
    }

    fn read(value: &'a str) -> Option<Self> {
        let (display, rest) = match value.strip_prefix('"') {
            Some(quoted) => {
                let (display, rest) = value.split_at(closing_quote(quoted.as_bytes())? + 2);
                (display, rest.trim_ascii_start())
            }
            None => match cut_before(value, b'<') {
                (_, "") => return Self::read_bare(value),
                (display, rest) => (display.trim_ascii_end(), rest),
            },
        };
        let unquoted_separator = !display.starts_with('"') && display.contains(['"', ',', ';', '>']);
        let (uri, params) = cut(rest.strip_prefix('<')?, b'>')?;
        let params = params.trim_ascii_start();
        let well_formed = !unquoted_separator
            && !uri.is_empty()
            && !uri.contains([' ', '\t', '<', '"'])
            && (params.is_empty() || params.starts_with(';'))
            && quotes_are_closed(params);
        well_formed.then_some(Self { display, uri, params: Params::new(params) })
    }

    /// Without brackets every parameter is the header field's, and a URI with `?` or `,` is not allowed.
    fn read_bare(value: &'a str) -> Option<Self> {
        let (uri, params) = cut_before(value, b';');
        let uri = uri.trim_ascii_end();
        let well_formed =
            !uri.is_empty() && !uri.contains([' ', '\t', ',', '?', '"', '>']) && quotes_are_closed(params);
        well_formed.then_some(Self { display: "", uri, params: Params::new(params) })
    }

    /// The display name without quotes and escapes; empty if there is none.
    pub fn display(&self) -> Cow<'a, str> {
        unquote(self.display)
    }

    /// The `q` of a Contact in thousandths: 0 to 1000, the most where there is none.
    pub fn preference(&self) -> u16 {
        self.param("q").and_then(thousandths).unwrap_or(1000)
    }

    /// The URI.
    ///
    /// # Errors
    /// [`ParseError::Uri`] if it cannot be read.
    pub fn uri(&self) -> Result<Uri<'a>, ParseError> {
        Uri::parse(self.uri)
    }

    /// The URI as received, without brackets.
    pub const fn uri_text(&self) -> &'a str {
        self.uri
    }

    /// The header field's parameters (not the URI's).
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The value of one parameter as written.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// The tag of a From or To; `None` if absent or empty.
    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }
}

/// A `q` value, `0.7`, in thousandths; `None` if it is none.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || fraction.len() > 3 || !digits(fraction) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    let value = if whole == "1" { 1000 + fraction } else { fraction };
    (value <= 1000).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<NameAddr<'_>, ParseError> {
        NameAddr::parse(Name::To, value)
    }

    #[test]
    fn display_uri_and_parameters_are_told_apart() {
        let addr = parse(r#""Smith, \"J\" <x>" <sip:j@h;lr?a=b> ; tag=9;x="<;>""#).unwrap();
        assert_eq!(addr.display(), r#"Smith, "J" <x>"#);
        assert_eq!(addr.uri_text(), "sip:j@h;lr?a=b");
        assert_eq!(addr.tag(), Some("9"));
        assert_eq!(addr.param("x"), Some(r#""<;>""#));
    }

    #[test]
    fn rfc_3261_section_20_10_without_brackets_parameters_are_the_fields() {
        let addr = parse("sip:j@h;tag=7").unwrap();
        assert_eq!((addr.uri_text(), addr.tag()), ("sip:j@h", Some("7")));
        assert!(parse("sip:j@h?Route=%3Csip:x%3E").is_err(), "RFC 4475 regbadct");
    }

    #[test]
    fn rfc3261_25_1_qvalue() {
        let cases = [
            ("1", Some(1000)),
            ("0.7", Some(700)),
            ("0.125", Some(125)),
            ("1.000", Some(1000)),
            ("0.", Some(0)),
        ];
        for (text, value) in cases {
            assert_eq!(thousandths(text), value, "{text}");
        }
        for text in ["", "1.1", "2", "0.1234", "-1", "0.x"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
    }

    #[test]
    fn a_display_name_may_touch_the_bracket_and_need_not_be_ascii() {
        assert_eq!(parse("caller<sip:j@h>").unwrap().display(), "caller");
        assert_eq!(parse("Jürgen Groß <sip:j@h>").unwrap().display(), "Jürgen Groß");
        assert_eq!(parse(r#""" <sip:j@h>"#).unwrap().display(), "");
    }

    #[test]
    fn rfc_4475_broken_addresses_are_refused() {
        let broken = [
            "",
            "\"open <sip:j@h>",
            "<sip:j@h",
            "< sip:j@h >",
            "<>",
            "Bell, Alexander <sip:j@h>",
            "\"x\" sip:j@h",
            "<sip:j@h> tag=1",
            "a b",
        ];
        for value in broken {
            assert!(matches!(parse(value), Err(ParseError::Invalid(Name::To))), "{value}");
        }
    }
}
