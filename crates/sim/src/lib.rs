//! A seeded world around the pure switch: a bad network, scripted phones and trunks, a pretended media
//! engine, and checkers that look after every step. The same seed gives the same events, byte for byte.

mod check;
mod dice;
mod media;
mod network;
mod phone;
mod plan;
mod streams;
mod vouch;
mod wire;
mod world;

pub use check::Tally;
pub use world::{Outcome, World};

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The wall clock at the beginning of every seed, in seconds since 1970.
const UNIX_SECONDS_AT_ZERO: i64 = 1_700_000_000;

/// Runs one seed.
///
/// # Errors
/// What must not be; a panic of the switch or of the simulator is such a thing.
pub fn run(seed: u64, trace: bool) -> Result<Outcome, String> {
    catch_unwind(AssertUnwindSafe(|| World::new(seed, trace).run())).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(format!(
            "panic: {}",
            text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
        ))
    })
}
