use std::fmt;

/// Why something cannot be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unspeakable {
    /// There is nothing to be said.
    Empty,
    /// The number is too large, or an ordinal is below 1.
    Range(i64),
    /// A sign that nothing is recorded for.
    Sign(char),
    /// There is no such day or time of day.
    Moment,
}

impl std::error::Error for Unspeakable {}

impl fmt::Display for Unspeakable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is nothing to be said"),
            Self::Range(value) => write!(f, "{value} is outside of what can be said"),
            Self::Sign(sign) => write!(f, "the sign {sign:?} cannot be said"),
            Self::Moment => f.write_str("there is no such day or time"),
        }
    }
}
