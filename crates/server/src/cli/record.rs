//! `record`: what is done with the recording of a call of a running node.

use super::Failed;
use super::client::{fault, request};
use super::output::print;
use clap::ValueEnum;
use serde_json::json;
use std::path::Path;

/// What is done with a recording.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Action {
    /// Records from here, in a file of its own
    Start,
    /// Ends the recording
    Stop,
    /// Passes over what is said; it takes no time in the file
    Pause,
    /// Passes over what is said; there is silence in its place
    Mask,
    /// Goes on after a pause or a mask
    Resume,
}

pub(super) fn record(state: &Path, contact: u64, action: Action) -> Result<(), Failed> {
    let (name, done) = match action {
        Action::Start => ("start", "recorded from here"),
        Action::Stop => ("stop", "recorded no more"),
        Action::Pause => ("pause", "the recording pauses"),
        Action::Mask => ("mask", "the recording is silent"),
        Action::Resume => ("resume", "the recording goes on"),
    };
    let path = format!("/calls/{contact}/record");
    let (status, answer) = request(state, "POST", &path, Some(&json!({"action": name})))?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("contact {contact}: {done}\n"))
}
