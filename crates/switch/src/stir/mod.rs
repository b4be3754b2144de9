//! Who answers for a caller (STIR/SHAKEN): tokens that come in are verified before a flow begins, and the node answers
//! for its own calls.

mod certificates;
#[cfg(test)]
mod tests;

pub(crate) use certificates::Certificates;

use crate::core::Core;
use crate::identity::claimed_number;
use crate::inbound::user_part;
use bytes::Bytes;
use dialplan::{Attestation, Receive, Stir, Trunk, Verstat};
use shaken::{Anchors, Expected, Failure, Number, Passport, Signer, Token};
use sip::{Message, Name};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// What the files hold that the node file names.
#[derive(Debug, Default)]
pub struct Credentials {
    /// Whose word counts; without them nobody's.
    pub anchors: Option<Anchors>,
    /// Certificate chains that need not be fetched, PEM, by the URL that tokens name.
    pub certificates: HashMap<Arc<str>, Bytes>,
    /// What calls to a trunk are signed with, by its name.
    pub signers: HashMap<Arc<str>, Signer>,
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

/// A call to a trunk, by numbers as the dialplan has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    /// Who is told to call.
    pub(crate) orig: &'a str,
    /// Whether that number is the client's.
    pub(crate) is_owned: bool,
    pub(crate) dest: &'a str,
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

    /// The header fields by which the node answers for a call; none where the trunk does not want it, or a number is none.
    ///
    /// For a caller whose call is passed on it never answers in full: the number is not the client's.
    pub(crate) fn answer_for(
        &self,
        node: &str,
        trunk: &Trunk,
        call: &Outgoing<'_>,
    ) -> Vec<(Cow<'static, str>, String)> {
        let signer = self.certificates.credentials.signers.get(&trunk.name);
        let (Some(sign), Some(signer)) = (&trunk.stir.sign, signer) else { return Vec::new() };
        let number = |text: &str| Number::read(&trunk.inbound(text));
        let (Some(orig), Some(dest)) = (number(call.orig), number(call.dest)) else { return Vec::new() };
        let attestation =
            if call.is_owned { sign.attestation(&orig) } else { sign.attest.max(Attestation::B) };
        let issued_at = self.unix_seconds();
        let origin_id = shaken::origin_id(&[node, &trunk.name]);
        let passport = Passport { attestation, orig, dest: vec![dest], issued_at, origin_id };
        vec![("Date".into(), sip::date(issued_at)), ("Identity".into(), signer.sign(&passport))]
    }

    /// The wall clock, in seconds since 1970.
    pub(crate) fn unix_seconds(&self) -> i64 {
        self.unix_micros().div_euclid(1_000_000)
    }

    /// Likewise in microseconds.
    pub(crate) fn unix_micros(&self) -> i64 {
        let now = i64::try_from(self.now.micros()).unwrap_or(i64::MAX);
        self.config.unix_micros_at_zero.saturating_add(now)
    }
}
