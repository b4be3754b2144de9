//! `listen`: a supervisor is with a call of a running node.

use super::Failed;
use super::client::{fault, request};
use super::output::print;
use clap::ValueEnum;
use serde_json::json;
use std::path::Path;

/// To whom a supervisor speaks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// To nobody
    Listen,
    /// To the agent alone
    Whisper,
    /// To both
    Barge,
    /// The agent is let go, and the supervisor has the call
    TakeOver,
}

impl Mode {
    /// As the API has it.
    const fn name(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Whisper => "whisper",
            Self::Barge => "barge",
            Self::TakeOver => "take_over",
        }
    }
}

/// What is done.
pub(super) enum Order {
    Begin { user: String, mode: Mode },
    Change(Mode),
    End,
}

pub(super) fn listen(state: &Path, contact: u64, order: Order) -> Result<(), Failed> {
    let path = format!("/calls/{contact}/supervise");
    let (method, body, done) = match order {
        Order::Begin { user, mode } => {
            let done = format!("{user} is rung to {}", mode.name().replace('_', " "));
            ("POST", Some(json!({"user": user, "mode": mode.name()})), done)
        }
        Order::Change(mode) => ("PATCH", Some(json!({"mode": mode.name()})), mode.name().replace('_', " ")),
        Order::End => ("DELETE", None, "the supervisor is let go".to_owned()),
    };
    let (status, answer) = request(state, method, &path, body.as_ref())?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("contact {contact}: {done}\n"))
}
