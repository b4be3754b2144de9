//! STIR/SHAKEN: who answers for a caller's number (RFC 8224, 8225, 8588), signed and verified; pure.
//!
//! A carrier signs a **PASSporT**, a JSON Web Token that names caller and callee and how well the carrier knows the one
//! (its *attestation*), and puts it into the Identity header field of an INVITE. [`Token`] finds it there and says where
//! the signer's certificate is; [`Anchors`] make a [`Certificate`] of what is found at that place; the two give a
//! [`Passport`], or the [`Failure`] that RFC 8224 has a response for. A [`Signer`] writes such a field.
//!
//! Nothing here fetches anything or knows the time. Moments are seconds since 1970.

mod authority;
mod certificate;
mod failure;
mod header;
mod number;
mod passport;
mod provider;
mod signer;
mod token;

pub use certificate::{Anchors, Certificate};
pub use failure::Failure;
pub use number::Number;
pub use passport::{Attestation, Passport, Verstat};
pub use signer::{Signer, origin_id};
pub use token::{Expected, Token};

/// Why a PEM file of an administrator cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PemError(pub(crate) String);
