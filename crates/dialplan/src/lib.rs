//! Everything an administrator writes: node, trunks, clients, numbers, users, hours and flows.
//!
//! Texts come in, a [`Config`] or a [`Report`] of every fault comes out ([`load()`]); a [`Machine`] steps one
//! call through a flow of it. Pure: no file, clock or socket is touched here, so what `ringdown check`
//! accepts on a laptop is what a node runs, and a call can be simulated or replayed exactly.

mod agents;
mod analysis;
mod callbacks;
mod caller_id;
mod client;
mod compile;
mod config;
mod expression;
mod faults;
mod features;
mod fields;
mod flow;
mod fraud;
mod graph;
mod heard;
mod hours;
mod levels;
mod limits;
mod load;
mod lot;
mod machine;
mod mailboxes;
mod media;
mod names;
mod node;
mod number;
mod numbering;
mod program;
mod prompts;
mod queues;
mod recording;
mod report;
mod routing;
mod schema;
mod simulate;
mod source;
mod stir;
mod table;
mod tariff;
mod template;
mod testing;
mod to_agent;
mod types;
mod users;
mod verb;
mod web;
mod webhooks;
mod words;
mod yaml;

pub use agents::Agent;
pub use callbacks::Callbacks;
pub use caller_id::{CallerId, CallerIds, Claim, Diversion, Show};
pub use config::{
    Advertise, Client, ClientIndex, Config, Defence, Destination, Digest, Dns, FlowIndex, Listen, Node,
    RecordingFormat, Recordings, Register, Rtp, SessionTimer, StreamLimits, Tls, Transport, Trunk, TrunkTls,
    User,
};
pub use features::{Feature, Features};
pub use fraud::{Fraud, Spending};
pub use graph::Graph;
pub use heard::{Heard, Told};
pub use limits::{Bound, Limits, TrunkLimits};
pub use load::{load, node_clients};
pub use lot::lot;
pub use machine::{
    AgentAction, BodyKind, CallInfo, CallbackResult, ConferenceResult, DialMode, DialResult, Effect, Enqueue,
    HttpBody, HttpMethod, HttpRequest, HttpResult, KvOrder, KvResult, LeftMessage, Machine, MachineInput,
    MailboxOrder, MailboxResult, MessageResult, NewMessage, QueueResult, Ringback, Site, StepIndex, Target,
    Word,
};
pub use mailboxes::Mailbox;
pub use media::{Encryption, Fax, Media};
pub use number::normalized;
pub use numbering::{Bare, Country, Format, Numbering};
pub use queues::Queue;
pub use recording::{RecordRule, Recording};
pub use report::{Diagnostic, Report};
pub use routing::{Causes, Health, Routing};
pub use schema::CLIENT_SCHEMA;
pub use shaken::{Attestation, Verstat};
pub use simulate::{
    Answer, Ended, Line, Note, Path, Pause, Press, Reply, Script, SimulatedCall, Simulation, Texts, called,
    moment_of,
};
pub use source::{ClientFiles, Input, PromptFile, SourceFile};
pub use stir::{Fetch, Receive, Sign, Stir, TrunkStir};
pub use testing::{Coverage, Difference, FlowCoverage, Missed, Shown, TestCase, load_tests};
pub use to_agent::{AutoAnswer, ToAgent};
pub use web::{Secret, SecretSource, Web};
pub use webhooks::Webhook;
