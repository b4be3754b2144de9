//! What the acceptance tests share: a running Ringdown, and the real parties that call it.
//!
//! Each test has a loopback network of its own (`127.A.B.0/24`), so tests run beside one another on the same
//! ports. Everything a test starts is ended, by its process id, when the test ends.

mod api;
mod baresip;
mod browser;
mod carrier;
mod kamailio;
mod linphone;
mod network;
mod node;
mod pages;
mod process;
mod sipp;
mod sound;
mod speech;
mod wait;
mod zone;

pub use api::{Api, Said};
pub use baresip::{Baresip, Habit, Recorded};
pub use browser::{Browser, Manner};
pub use carrier::{Carrier, unix_seconds};
pub use kamailio::Kamailio;
pub use linphone::Linphone;
pub use network::Network;
pub use node::{Node, Setup};
pub use pages::Pages;
pub use process::{Running, tool};
pub use sipp::{Sipp, SippRun, Statistics};
pub use sound::{Heard, Sound};
pub use speech::{agents_speech, assert_same, callers_speech, speech};
pub use wait::{until, until_some};

use std::path::PathBuf;

/// The top of the repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
