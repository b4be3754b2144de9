use crate::Number;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How well the signer knows who calls (RFC 8588 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Attestation {
    /// Full: the caller is its customer, and may use the number.
    A,
    /// Partial: the caller is its customer; whether it may use the number is not known.
    B,
    /// Gateway: the call has come in from a network that says nothing.
    C,
}

impl Attestation {
    /// All of them, the best one first.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::C];

    /// Its letter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }
}

impl fmt::Display for Attestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of who calls, as flows and logs are told it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verstat {
    /// Nobody answers for it: `No-TN-Validation` of 3GPP TS 24.229.
    #[default]
    None,
    /// A signer that is believed does: `TN-Validation-Passed`.
    Passed,
    /// Somebody does who is not believed: `TN-Validation-Failed`.
    Failed,
}

impl Verstat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::Passed, Self::Failed];

    /// As flows have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Passed => "passed",
            Self::Failed => "failed",
        }
    }
}

/// What a signer says of a call: the claims of a PASSporT with the SHAKEN extension (RFC 8225 section 5, RFC 8588).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passport {
    /// How well it knows who calls.
    pub attestation: Attestation,
    /// Who calls.
    pub orig: Number,
    /// Who is called.
    pub dest: Vec<Number>,
    /// When it was made, in seconds since 1970.
    pub issued_at: i64,
    /// Where in the signer's network the call began: a UUID, for whoever traces calls.
    pub origin_id: Box<str>,
}

/// The header of a token. Its fields, as those of the claims, stand in the order of RFC 8225 section 9.
#[derive(Serialize)]
pub(crate) struct Header<'a> {
    pub(crate) alg: &'static str,
    pub(crate) ppt: &'static str,
    pub(crate) typ: &'static str,
    pub(crate) x5u: &'a str,
}

/// The claims as they are written.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    attest: Attestation,
    dest: Dest,
    iat: i64,
    orig: Orig,
    origid: Box<str>,
}

#[derive(Serialize, Deserialize)]
struct Dest {
    tn: Vec<Box<str>>,
}

#[derive(Serialize, Deserialize)]
struct Orig {
    tn: Box<str>,
}

impl From<&Passport> for Claims {
    fn from(passport: &Passport) -> Self {
        Self {
            attest: passport.attestation,
            dest: Dest { tn: passport.dest.iter().map(|number| number.as_str().into()).collect() },
            iat: passport.issued_at,
            orig: Orig { tn: passport.orig.as_str().into() },
            origid: passport.origin_id.clone(),
        }
    }
}

impl Claims {
    /// What they say; `None` where a `tn` is no telephone number.
    pub(crate) fn read(self) -> Option<Passport> {
        Some(Passport {
            attestation: self.attest,
            orig: Number::read(&self.orig.tn)?,
            dest: self.dest.tn.iter().map(|tn| Number::read(tn)).collect::<Option<_>>()?,
            issued_at: self.iat,
            origin_id: self.origid,
        })
    }
}
