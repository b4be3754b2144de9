//! Tokens and passwords: how they are made, kept and recognised.

use super::book::AccessError;
use crate::hex::hex;
use crate::random;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, io};

/// What tokens begin with, so that a scanner of secrets finds one that was put where it does not belong.
const PREFIX: &str = "ringdown_";
/// The shortest password that is taken (NIST SP 800-63B 3.1.1.2, as the only factor).
pub(super) const MIN_PASSWORD: usize = 12;

/// A token as its owner has it: `ringdown_` and 64 hexadecimal digits.
#[derive(Clone)]
pub(crate) struct Token(String);

/// A token as it is kept: SHA-256 in hexadecimal digits. It has 256 random bits, so that there is nothing to guess.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Seal(String);

/// A password as it is kept: argon2id in PHC's string format.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Hash(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn make() -> io::Result<Self> {
        Ok(Self(PREFIX.to_owned() + &hex(&random::seed()?)))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is what somebody has shown.
    pub(crate) fn is(&self, shown: &str) -> bool {
        // Digests are compared, so that the time tells nothing of the token.
        Seal::of(&self.0) == Seal::of(shown)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Seal {
    pub(super) fn of(token: &str) -> Self {
        Self(hex(&Sha256::digest(token.as_bytes())))
    }
}

impl Hash {
    /// Takes about 20 ms and 19 MiB, on purpose.
    ///
    /// # Errors
    /// The password is too short, or the system has no randomness.
    pub(super) fn of(password: &str) -> Result<Self, AccessError> {
        if password.chars().count() < MIN_PASSWORD {
            return Err(AccessError::ShortPassword);
        }
        let salt = random::seed().map_err(AccessError::Random)?;
        let hash: Result<PasswordHash, _> =
            Argon2::default().hash_password_with_salt(password.as_bytes(), &salt[..16]);
        Ok(Self(hash.expect("16 bytes are a salt of argon2").to_string()))
    }

    pub(super) fn is_of(&self, password: &str) -> bool {
        let hash = PasswordHash::new(&self.0);
        hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_seal_and_no_other_is() {
        let (token, other) = (Token::make().expect("random"), Token::make().expect("random"));
        assert_eq!(Seal::of(token.reveal()), Seal::of(token.reveal()));
        assert_ne!(Seal::of(token.reveal()), Seal::of(other.reveal()));
        assert!(token.is(token.reveal()) && !token.is(other.reveal()) && !token.is(""));
        assert!(!format!("{token:?}").contains(&token.reveal()[9..]));
    }

    #[test]
    fn a_password_is_known_by_its_hash_which_has_its_own_salt() {
        let (hash, again) =
            (Hash::of("twelve chars").expect("long"), Hash::of("twelve chars").expect("long"));
        assert_ne!(hash.0, again.0);
        assert!(hash.0.starts_with("$argon2id$v=19$"), "{}", hash.0);
        assert!(hash.is_of("twelve chars") && !hash.is_of("Twelve chars"));
        assert!(matches!(Hash::of("elevenchars"), Err(AccessError::ShortPassword)));
    }
}
