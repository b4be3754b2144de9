use crate::class;
use memchr::memchr;
use std::borrow::Cow;

/// Whether `text` is one of RFC 3261 section 25.1's tokens.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && class::all(text, class::TOKEN)
}

/// `text` before and behind the first `separator`. On texts as short as header fields this takes a fraction
/// of what the standard library's pattern searches take.
pub(crate) fn cut(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = memchr(separator, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// `text` before the first `separator`, and the rest from it on; the rest is empty if there is none.
pub(crate) fn cut_before(text: &str, separator: u8) -> (&str, &str) {
    text.split_at(memchr(separator, text.as_bytes()).unwrap_or(text.len()))
}

/// The parts of `text` between the separators that stand outside quoted strings and, when `angles` is
/// set, outside `<>`. Parts are trimmed; empty ones are left out. A quote that is never closed runs to
/// the end.
#[derive(Clone, Debug)]
pub(crate) struct Split<'a> {
    rest: &'a str,
    separator: u8,
    angles: bool,
}

impl<'a> Split<'a> {
    /// Values of a header field that is a list.
    pub(crate) const fn commas(text: &'a str) -> Self {
        Self { rest: text, separator: b',', angles: true }
    }

    /// Parameters.
    pub(crate) const fn semicolons(text: &'a str) -> Self {
        Self { rest: text, separator: b';', angles: false }
    }

    /// Parameters of a challenge or of credentials, which hold no `<>`.
    pub(crate) const fn auth_params(text: &'a str) -> Self {
        Self { rest: text, separator: b',', angles: false }
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while !self.rest.is_empty() {
            let at = find_outside(self.rest.as_bytes(), self.separator, self.angles);
            let (part, rest) = match at {
                Some(at) => (&self.rest[..at], &self.rest[at + 1..]),
                None => (self.rest, ""),
            };
            self.rest = rest;
            let part = part.trim_ascii();
            if !part.is_empty() {
                return Some(part);
            }
        }
        None
    }
}

/// The first `separator` outside quotes and, when `angles` is set, outside `<>`.
fn find_outside(text: &[u8], separator: u8, angles: bool) -> Option<usize> {
    let first = memchr(separator, text)?;
    if !text[..first].iter().any(|byte| matches!(byte, b'"' | b'<')) {
        return Some(first);
    }
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    for (at, &byte) in text.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted {
            escaped = byte == b'\\';
            quoted = byte != b'"';
        } else if byte == b'"' {
            quoted = true;
        } else if angles && byte == b'<' {
            bracketed = true;
        } else if byte == b'>' {
            bracketed = false;
        } else if byte == separator && !bracketed {
            return Some(at);
        }
    }
    None
}

/// Where the quoted string ends whose first quote stood before `quoted`.
pub(crate) fn closing_quote(quoted: &[u8]) -> Option<usize> {
    let mut escaped = false;
    quoted.iter().position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// Whether what is appended to `text` stands outside quotes.
pub(crate) fn quotes_are_closed(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(open) = memchr(b'"', rest) {
        let quoted = &rest[open + 1..];
        let Some(close) = closing_quote(quoted) else { return false };
        rest = &quoted[close + 1..];
    }
    true
}

/// A quoted string without its quotes and escapes; other text as it stands.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"') else { return Cow::Borrowed(text) };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commas(text: &str) -> Vec<&str> {
        Split::commas(text).collect()
    }

    #[test]
    fn commas_inside_quotes_and_brackets_part_nothing() {
        assert_eq!(
            commas(r#""a,\" b" <sip:x,y@h>;q=1 , sip:z@h,, "#),
            [r#""a,\" b" <sip:x,y@h>;q=1"#, "sip:z@h"]
        );
        assert_eq!(commas(r#""never closed, <sip:a@h>"#), [r#""never closed, <sip:a@h>"#]);
        assert!(commas("").is_empty());
    }

    #[test]
    fn quoted_pairs_are_resolved() {
        assert_eq!(unquote(r#""a \"b\" \\ c""#), r#"a "b" \ c"#);
        assert_eq!(unquote("plain"), "plain");
        assert_eq!(unquote(r#""ends in a backslash\"#), "ends in a backslash");
    }

    #[test]
    fn rfc_4475_tokens_are_wider_than_words() {
        assert!(is_token("!interesting-Method0123456789_*+`.%indeed'~"));
        assert!(!is_token("a b") && !is_token("") && !is_token("a@b"));
    }
}
