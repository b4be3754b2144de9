//! SIP without I/O: messages, transactions, dialogs, digest and registrations.
//!
//! Bytes come in, values come out: nothing here opens a socket or reads a clock.

mod build;
mod class;
mod date;
mod dialog;
mod digest;
mod endpoint;
mod error;
mod frame;
mod header;
mod info;
mod locate;
mod message;
mod method;
mod name;
mod refer;
mod registrar;
mod registration;
mod steady;
pub mod stun;
mod subscribe;
mod transaction;
mod transport;
mod uri;

pub use build::{RequestBuilder, ResponseBuilder, reason_phrase};
pub use date::date;
pub use digest::{
    Algorithm, Challenge, Credentials, DigestRequest, Protection, Verdict, Verifier, VerifierConfig, ha1,
    response,
};
pub use endpoint::{
    Address, Admission, Alive, Body, Counters, DialogId, EndReason, Endpoint, EndpointConfig, Event, Events,
    InviteId, Login, NewInvite, NewRequest, Output, RequestId, SentId, Series, SessionTimers, ShownTo,
    SubscriptionId, Why, Wire,
};
pub use error::{Flaw, ParseError};
pub use frame::{Frame, Framer};
pub use header::{NameAddr, Params, Via};
pub use info::{INFO_BODIES, INFO_PACKAGE, pressed_key};
pub use locate::{Answer, Means, Question, Record, RecordKind, Search, Servers, locate};
pub use message::{ACCEPTED_BODIES, Fault, MAX_HEADERS, MAX_MESSAGE, MAX_VALUES, Message};
pub use method::Method;
pub use name::Name;
pub use refer::{Refer, ReferState, Replaces};
pub use registrar::{Binding, KeptBinding, Registrar, RegistrarConfig, Reject};
pub use registration::{Register, Registering, Registration, RegistrationConfig};
pub use subscribe::Subscribe;
pub use transaction::TimerValues;
pub use transport::{Flow, Transport};
pub use uri::{Host, SipUri, TelUri, Uri};
