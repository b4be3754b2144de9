use std::borrow::Cow;

/// Why nobody can be believed to answer for a caller's number, as RFC 8224 section 6.2.2 has responses for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no Identity header field of a kind that is understood.
    #[error("nobody answers for the caller")]
    Missing,
    /// The token was made too long ago, or in the future: a replay, or a clock that is wrong.
    #[error("made {0} s before now")]
    Stale(i64),
    /// The certificate cannot be had.
    #[error("no certificate: {0}")]
    Unreachable(Cow<'static, str>),
    /// The certificate says nothing that can be believed.
    #[error("certificate: {0}")]
    Credential(Cow<'static, str>),
    /// The token is no PASSporT, is not that of this call, or its signature is wrong.
    #[error("{0}")]
    Invalid(Cow<'static, str>),
}

impl Failure {
    /// The status of the response.
    pub fn status(&self) -> u16 {
        match self {
            Self::Stale(_) => 403,
            Self::Missing => 428,
            Self::Unreachable(_) => 436,
            Self::Credential(_) => 437,
            Self::Invalid(_) => 438,
        }
    }

    /// The reason phrase that RFC 8224 wants.
    pub fn phrase(&self) -> &'static str {
        match self {
            Self::Stale(_) => "Stale Date",
            Self::Missing => "Use Identity Header",
            Self::Unreachable(_) => "Bad Identity Info",
            Self::Credential(_) => "Unsupported Credential",
            Self::Invalid(_) => "Invalid Identity Header",
        }
    }
}
