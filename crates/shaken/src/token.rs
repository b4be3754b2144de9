use crate::header::Identity;
use crate::passport::Claims;
use crate::{Certificate, Failure, Number, Passport, provider};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation};

/// The one that is understood: SHAKEN (RFC 8588).
const EXTENSION: &str = "shaken";
/// The longest token that is looked at, in bytes; those of SHAKEN have some 500.
const LONGEST: usize = 8_192;

/// A PASSporT as an INVITE carries it. Nothing of it is believed before [`Token::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    text: Box<str>,
    url: Box<str>,
}

/// What a token must say of its call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Who calls, as whoever is called sees it.
    pub orig: Number,
    /// Who is called: the number in To (RFC 8224 section 8).
    pub dest: Number,
    /// Seconds since 1970.
    pub now: i64,
    /// How many seconds ago it may have been made, or how far it may lie in the future; RFC 8224 recommends 60.
    pub max_age: u32,
}

impl Token {
    /// The token among the values of the Identity header fields of a request. Fields of other extensions are passed over
    /// (RFC 8224 section 6.2).
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is none, and [`Failure::Invalid`] if one is malformed or in the compact form, which
    /// RFC 8588 rules out.
    pub fn find<'m>(fields: impl Iterator<Item = &'m str>) -> Result<Self, Failure> {
        let mut failure = Failure::Missing;
        for field in fields {
            let Some(it) = Identity::parse(field) else {
                failure = invalid("an Identity header field is malformed");
                continue;
            };
            if it.ppt == Some(EXTENSION) {
                return Self::read(&it);
            }
        }
        Err(failure)
    }

    fn read(it: &Identity<'_>) -> Result<Self, Failure> {
        if it.token.len() > LONGEST {
            return Err(invalid("the token is too long"));
        }
        if it.alg.is_some_and(|alg| alg != "ES256") {
            return Err(invalid("the algorithm is not ES256"));
        }
        let header = header(it.token)?;
        // RFC 8225 section 8.1 and RFC 7515 section 4.1.11: what is critical here is unknown.
        if header.typ.as_deref() != Some("passport") || header.crit.is_some() {
            return Err(invalid("the token is no PASSporT"));
        }
        if header.extras.get::<String>("ppt").ok().flatten().as_deref() != Some(EXTENSION) {
            return Err(invalid("the token is of another kind than its field says"));
        }
        if header.x5u.as_deref() != Some(it.info) {
            return Err(invalid("token and field name different certificates"));
        }
        if !it.info.starts_with("https://") {
            return Err(Failure::Unreachable("it is not at https://…".into()));
        }
        Ok(Self { text: it.token.into(), url: it.info.into() })
    }

    /// Where the certificate is, an `https` URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the signer says, if it is believed: by `certificate`, of this call, now.
    ///
    /// # Errors
    /// The signature is not the certificate's, the claims are not those of SHAKEN or of another call, the token is not
    /// fresh, or the certificate is out of its time or has no authority over the caller's number.
    pub fn verify(&self, certificate: &Certificate, expected: &Expected) -> Result<Passport, Failure> {
        provider::install();
        let mut validation = Validation::new(Algorithm::ES256);
        // A PASSporT has none of these claims; its own are checked below, by the time that was given.
        validation.required_spec_claims.clear();
        (validation.validate_exp, validation.validate_aud) = (false, false);
        let claims = jsonwebtoken::decode::<Claims>(self.text.as_bytes(), &certificate.key, &validation);
        let claims = claims.map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => invalid("the signature is wrong"),
            _ => invalid("the token has not the claims of SHAKEN"),
        })?;
        let passport = claims.claims.read().ok_or_else(|| invalid("a `tn` is no telephone number"))?;
        let age = expected.now.saturating_sub(passport.issued_at);
        if age.unsigned_abs() > u64::from(expected.max_age) {
            return Err(Failure::Stale(age));
        }
        if !certificate.valid.contains(&expected.now) {
            return Err(Failure::Credential("is out of its time".into()));
        }
        if !certificate.authority.covers(&passport.orig) {
            return Err(Failure::Credential("is for other numbers than the caller's".into()));
        }
        if passport.orig != expected.orig {
            return Err(invalid(format!("the token is of a call from {}", passport.orig)));
        }
        if !passport.dest.contains(&expected.dest) {
            return Err(invalid("the token is of a call to somebody else"));
        }
        Ok(passport)
    }
}

/// The header of a token of three parts; the compact form has an empty one.
fn header(token: &str) -> Result<Header, Failure> {
    jsonwebtoken::decode_header(token)
        .ok()
        .filter(|header| header.alg == Algorithm::ES256)
        .ok_or_else(|| invalid("the token is malformed"))
}

fn invalid(why: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::Invalid(why.into())
}
