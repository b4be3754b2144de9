//! The value of an Identity header field (RFC 8224 section 4).

/// Its parts as they stand there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Identity<'a> {
    pub(crate) token: &'a str,
    /// Where the certificate is.
    pub(crate) info: &'a str,
    pub(crate) alg: Option<&'a str>,
    pub(crate) ppt: Option<&'a str>,
}

impl<'a> Identity<'a> {
    /// `TOKEN;info=<URI>;alg=ES256;ppt=shaken`, the parameters in any order, quoted or not; `None` without a token or
    /// `info`.
    pub(crate) fn parse(value: &'a str) -> Option<Self> {
        let (token, mut rest) = value.split_once(';')?;
        let (mut info, mut alg, mut ppt) = (None, None, None);
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=')?;
            let (text, next) = parameter(after.trim_start())?;
            match name.trim() {
                name if name.eq_ignore_ascii_case("info") => info = Some(text),
                name if name.eq_ignore_ascii_case("alg") => alg = Some(text),
                name if name.eq_ignore_ascii_case("ppt") => ppt = Some(text),
                _ => {}
            }
            rest = next;
        }
        let token = token.trim();
        (!token.is_empty()).then_some(Self { token, info: info?, alg, ppt })
    }
}

/// The value that `text` begins with, and what follows behind the next `;`.
fn parameter(text: &str) -> Option<(&str, &str)> {
    let close = match text.bytes().next()? {
        b'<' => '>',
        b'"' => '"',
        _ => {
            let (value, rest) = text.split_once(';').unwrap_or((text, ""));
            return Some((value.trim(), rest));
        }
    };
    let (value, rest) = text[1..].split_once(close)?;
    let rest = rest.trim_start();
    if rest.is_empty() { Some((value, "")) } else { Some((value, rest.strip_prefix(';')?)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc8224_4_a_field_has_a_token_and_the_place_of_a_certificate() {
        let full =
            Identity { token: "a.b.c", info: "https://h/x;y", alg: Some("ES256"), ppt: Some("shaken") };
        for text in [
            "a.b.c;info=<https://h/x;y>;alg=ES256;ppt=shaken",
            "a.b.c ; ppt = \"shaken\" ; Alg=ES256 ; INFO = <https://h/x;y>",
            "a.b.c;other=\"=;\";info=<https://h/x;y>;alg=ES256;ppt=shaken",
        ] {
            assert_eq!(Identity::parse(text).as_ref(), Some(&full), "{text}");
        }
        let bare = Identity { token: "a.b.c", info: "https://h", alg: None, ppt: None };
        assert_eq!(Identity::parse("a.b.c;info=<https://h>"), Some(bare));
        // GHSA-mrq5-74j5-f5cr: a field without a semicolon.
        for text in [
            "",
            ";",
            "a.b.c",
            "a.b.c;",
            "a.b.c;info",
            "a.b.c;info=<https://h",
            ";info=<https://h>",
            "a;info=<h>x",
        ] {
            assert_eq!(Identity::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[a.;=<>\" info]{0,40}") {
            if let Some(it) = Identity::parse(&text) {
                prop_assert!(!it.token.is_empty());
            }
        }
    }
}
