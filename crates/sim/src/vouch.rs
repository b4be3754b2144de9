//! Who answers for callers: a signer, and the places where its certificate is, or is said to be.

use crate::UNIX_SECONDS_AT_ZERO;
use crate::dice::Dice;
use clock::Time;
use rand_chacha::ChaCha12Rng;
use rsip::Header;
use shaken::{Anchors, Attestation, Number, Passport, Signer};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use switch::Credentials;

/// The number whose callers are answered for, and theirs.
pub(crate) const NUMBER: &str = "+34900000001";
const CALLER: &str = "+442012345678";
/// Good until 2100, and nobody's but the simulator's.
const ROOT: &str = include_str!("vouch/root.pem");
const CHAIN: &str = include_str!("vouch/chain.pem");
const KEY: &str = include_str!("vouch/key.pem");
/// Where the chain is; at the last one something else is.
const PLACES: [&str; 3] = ["https://one.test/a.pem", "https://two.test/a.pem", "https://none.test/a.pem"];

static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(|| PLACES.map(signer).into());

fn signer(place: &str) -> Signer {
    Signer::read(KEY.as_bytes(), place).unwrap_or_else(|error| panic!("the simulator's key: {error}"))
}

/// What the plan's files hold.
pub(crate) fn credentials() -> Arc<Credentials> {
    let anchors = Anchors::read(ROOT.as_bytes()).unwrap_or_else(|error| panic!("the root: {error}"));
    // A long address makes the INVITEs that we sign too large for UDP.
    let long_place = format!("https://one.test/{}.pem", "a".repeat(400));
    let signers = HashMap::from([("pbx".into(), signer(&long_place))]);
    Arc::new(Credentials { anchors: Some(anchors), signers, ..Credentials::default() })
}

/// What is found at a place.
pub(crate) fn found(place: &str) -> Vec<u8> {
    if place == PLACES[2] { b"nothing".to_vec() } else { CHAIN.into() }
}

/// The header fields of a call to [`NUMBER`]: most have a good token.
pub(crate) fn fields(rng: &mut ChaCha12Rng, now: Time) -> Vec<Header> {
    let other = |name: &str, value: String| Header::Other(name.to_owned(), value);
    let mut fields = vec![other("P-Asserted-Identity", format!("<tel:{CALLER}>"))];
    if rng.chance(150) {
        return fields;
    }
    let number = |text: &str| Number::read(text).unwrap_or_else(|| panic!("{text} is no number"));
    let now = UNIX_SECONDS_AT_ZERO + i64::try_from(now.micros() / 1_000_000).unwrap_or_default();
    let passport = Passport {
        attestation: rng.pick(&Attestation::ALL),
        orig: number(if rng.chance(100) { NUMBER } else { CALLER }),
        dest: vec![number(NUMBER)],
        issued_at: if rng.chance(100) { now - 100 } else { now },
        origin_id: "sim".into(),
    };
    let signer = rng.pick(&[0, 0, 1, 2]);
    fields.push(other("Identity", SIGNERS[signer].sign(&passport)));
    fields
}
