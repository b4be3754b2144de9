//! Who answers for a caller (STIR/SHAKEN): tokens that come in are verified before a flow begins.

mod certificates;
#[cfg(test)]
mod tests;

pub(crate) use certificates::Certificates;

use crate::core::Core;
use crate::identity::claimed_number;
use crate::inbound::user_part;
use bytes::Bytes;
use dialplan::{Receive, Stir, Trunk, Verstat};
use shaken::{Anchors, Expected, Failure, Number, Passport, Token};
use sip::{Message, Name};
use std::collections::HashMap;
use std::sync::Arc;

/// What the files hold that the node file names.
#[derive(Debug, Default)]
pub struct Credentials {
    /// Whose word counts; without them nobody's.
    pub anchors: Option<Anchors>,
    /// Certificate chains that need not be fetched, PEM, by the URL that tokens name.
    pub certificates: HashMap<Arc<str>, Bytes>,
}

/// What an INVITE says of who answers for its caller.
#[derive(Debug)]
pub(crate) struct Claim {
    said: Result<Said, Failure>,
    /// Whether the call is refused if nobody can be believed.
    is_required: bool,
    /// When it was said, in seconds since 1970: a token does not grow old while its certificate is fetched.
    at: i64,
}

#[derive(Debug)]
struct Said {
    token: Token,
    orig: Number,
    dest: Number,
}

/// What became of a claim.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) found: Result<Passport, Failure>,
    pub(crate) is_required: bool,
}

impl Claim {
    /// What an INVITE from a trunk says, if it matters there.
    pub(crate) fn of(trunk: &Trunk, message: &Message, at: i64) -> Option<Self> {
        let is_required = match trunk.stir.receive {
            Receive::Ignore => return None,
            Receive::Verify => false,
            Receive::Require => true,
        };
        Some(Self { said: said(trunk, message), is_required, at })
    }
}

/// RFC 8224 section 8: who calls is whom the flow sees, and who is called is the number in To, which stays when a call
/// is passed on.
fn said(trunk: &Trunk, message: &Message) -> Result<Said, Failure> {
    let token = Token::find(message.header_values(Name::Identity))?;
    let number = |user: &str| Number::read(&trunk.inbound(user));
    // A caller without a number: nobody could answer for it, and it is not refused a flow for that.
    let orig = claimed_number(trunk, message).and_then(|user| number(&user)).ok_or(Failure::Missing)?;
    let to = message.to().ok().and_then(|to| number(&user_part(to.uri_text())));
    let dest = to.ok_or_else(|| Failure::Invalid("To is no telephone number".into()))?;
    Ok(Said { token, orig, dest })
}

impl Verdict {
    /// As a flow and the log are told.
    pub(crate) fn verstat(&self) -> Verstat {
        match &self.found {
            Ok(_) => Verstat::Passed,
            Err(Failure::Missing) => Verstat::None,
            Err(_) => Verstat::Failed,
        }
    }
}

impl Core {
    /// What a claim is worth; `None` as long as its certificate is being fetched.
    pub(crate) fn judge(&mut self, claim: &Claim, stir: Option<&Stir>) -> Option<Verdict> {
        let found = match (&claim.said, stir) {
            (Err(failure), _) => Err(failure.clone()),
            (Ok(_), None) => Err(Failure::Credential("nobody is trusted".into())),
            (Ok(Said { token, orig, dest }), Some(stir)) => {
                let max_age = u32::try_from(stir.max_age.as_secs()).unwrap_or(u32::MAX);
                let (orig, dest) = (orig.clone(), dest.clone());
                let expected = Expected { orig, dest, now: claim.at, max_age };
                let certificate = self.certificate(token.url(), stir)?;
                certificate.and_then(|certificate| token.verify(&certificate, &expected))
            }
        };
        Some(Verdict { found, is_required: claim.is_required })
    }

    /// The wall clock, in seconds since 1970.
    pub(crate) fn unix_seconds(&self) -> i64 {
        let now = i64::try_from(self.now.micros()).unwrap_or(i64::MAX);
        self.config.unix_micros_at_zero.saturating_add(now).div_euclid(1_000_000)
    }
}
