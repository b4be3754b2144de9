use crate::header::{Split, unquote};
use std::borrow::Cow;

/// The `;name=value` list behind a URI or a header field value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Params<'a> {
    text: &'a str,
}

impl<'a> Params<'a> {
    /// Reads a list; a leading `;` may be there or not.
    pub const fn new(text: &'a str) -> Self {
        Self { text }
    }

    /// The value of a parameter as written, quotes included; `""` for one without a value. Names are
    /// compared without case; the first of that name counts.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.unwrap_or(""))
    }

    /// The value of a parameter without quotes and escapes.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(unquote)
    }

    /// Whether the parameter is there, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All of them, in order: name, and value as written.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        Split::semicolons(self.text).map(|param| match param.split_once('=') {
            Some((name, value)) => (name.trim_ascii_end(), Some(value.trim_ascii_start())),
            None => (param, None),
        })
    }

    /// As received, from the first `;` on; empty if there are none.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_whatever_the_spaces_case_and_quotes() {
        let params = Params::new(r#"; Tag = 5 ;lr;note="a;b=\"c\"";q=0.7;tag=6"#);
        assert_eq!(params.get("tag"), Some("5"));
        assert_eq!(params.get("lr"), Some(""));
        assert_eq!(params.unquoted("note").as_deref(), Some(r#"a;b="c""#));
        assert_eq!(params.get("q"), Some("0.7"));
        assert!(!params.has("expires"));
        assert_eq!(params.iter().count(), 5);
    }
}
