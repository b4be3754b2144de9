//! The media engine: RTP sockets on threads of its own, prompts and recordings.
//!
//! The engine obeys [`rtp::control::Command`]s and tells [`rtp::control::Event`]s. It has N media
//! threads, each with its own sockets and streams, one thread that reads prompt files and one that
//! writes recordings. A media thread sleeps until a packet comes or one of its own is due, and then
//! looks at its sockets once a millisecond as long as packets come, so that under load it works on many
//! together. It receives a packet, routes it and sends it, and on that path nothing allocates, locks or
//! logs.
//!
//! Packets of a bridge go on as they come, without a jitter buffer, unless the parties' codecs differ; what is
//! not of an agreed payload type does not, comfort noise (RFC 3389) included, whose pauses the receiver fills
//! by itself.
//!
//! RTCP goes by the RTP port where the peer agrees (RFC 5761), else by the port after it, which is opened only
//! then. What it says is counted; the end of a source (BYE) changes nothing, since the signalling ends calls.

mod clock;
mod engine;
mod mailbox;
mod playback;
mod ports;
mod prompts;
mod recorder;
mod thread;

pub use engine::{Engine, EngineConfig};
pub use prompts::MAX_PROMPT_SAMPLES;
pub use prompts::read_prompt;
pub use recorder::{Repair, repair};

use std::io;
use thiserror::Error;

/// Why the engine could not start.
#[derive(Debug, Error)]
pub enum MediaError {
    /// The port range holds no even port, or fewer than one a thread.
    #[error("RTP port range {first}–{last} has {even} even ports for {threads} media threads; widen it")]
    PortRange {
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
        /// How many even ports it holds.
        even: usize,
        /// How many threads want some.
        threads: usize,
    },
    /// No thread was asked for, or more than a [`rtp::control::LocalPort`] can name.
    #[error("{0} media threads asked for; between 1 and 1024 are possible")]
    Threads(usize),
    /// The address is not one of this machine's.
    #[error("cannot bind RTP sockets to {address}: {source}; use an address of this machine")]
    Address {
        /// The address as configured.
        address: std::net::IpAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The system refused a thread, an epoll or an event descriptor.
    #[error("cannot start the media engine: {0}; check the limits on threads and open files")]
    System(#[from] io::Error),
}
