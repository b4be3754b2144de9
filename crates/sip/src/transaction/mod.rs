//! The four transaction machines of RFC 3261 section 17, each a match table over its figure, and the
//! tables of the transactions that are alive.
//!
//! The machines know no message and no clock: they map a state and an input to a state and a list of
//! [`Action`]s, which [`client::Clients`] and [`server::Servers`] carry out.

pub(crate) mod client;
mod client_invite;
mod client_non_invite;
mod outgoing;
pub(crate) mod server;
mod server_invite;
mod server_non_invite;
mod timer;

pub(crate) use outgoing::{Outgoing, received};
use timer::Timer;
pub use timer::TimerValues;

/// What can happen to a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientInput {
    /// A response matched.
    Response(StatusClass),
    /// A timer fired.
    Timer(Timer),
    /// The transport could not deliver the request.
    TransportError,
}

/// What can happen to a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerInput {
    /// The request came again.
    Request,
    /// An ACK of an INVITE transaction came.
    Ack,
    /// The user sends a response.
    Respond(StatusClass),
    /// A timer fired.
    Timer(Timer),
}

/// What a machine asks of its table, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// Send the message that belongs to this transition for the first time.
    Send,
    /// Send the last message again.
    Repeat,
    /// Build the ACK to a 300–699 (17.1.1.3), keep it as the last message and send it.
    Ack,
    /// Hand the message to the transaction user.
    Pass,
    /// Start a timer at its first value.
    Start(Timer),
    /// Start a repeating timer again at twice the last value, up to what RFC 3261 allows.
    RepeatLater(Timer),
    /// Start a repeating timer again at T2.
    RepeatAtT2(Timer),
    /// Stop a timer.
    Stop(Timer),
    /// Tell the user that no answer came in time.
    Timeout,
    /// Tell the user that the message could not be delivered.
    TransportFailed,
}

/// The distinctions that the machines make among responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusClass {
    /// 100–199.
    Provisional,
    /// 200–299.
    Success,
    /// 300–699.
    Failure,
}

impl StatusClass {
    /// The class of a status code.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            0..=199 => Self::Provisional,
            200..=299 => Self::Success,
            _ => Self::Failure,
        }
    }
}
