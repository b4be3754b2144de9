use std::fmt;

/// E.164 has fifteen digits at most; a longer one is nobody's number.
const LONGEST: usize = 15;

/// A telephone number in the canonical form of RFC 8224 section 8.3: digits alone, without `+`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

impl Number {
    /// Reads a number, with or without `+` and visual separators (RFC 3966 section 5.1.1); `None` for a name, or for
    /// more than fifteen digits.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let digits: String = text.chars().filter(|c| !"-.() ".contains(*c)).collect();
        let fits = (1..=LONGEST).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self(digits.into()))
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8224_8_3_a_number_is_its_digits() {
        for text in ["+12155551212", "12155551212", "+1 (215) 555-1212", "1.215.555.1212"] {
            assert_eq!(Number::read(text).as_ref().map(Number::as_str), Some("12155551212"), "{text}");
        }
        for text in ["", "+", "alice", "12155551212x", "1234567890123456", "++1"] {
            assert_eq!(Number::read(text), None, "{text}");
        }
    }
}
