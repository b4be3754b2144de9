//! `voicemail`: what callers have left in mailboxes, and what is done with it.

use super::Failed;
use super::client::{escaped, fault, get, request};
use super::output::print;
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::Path;

/// What is done with a message.
#[derive(Clone, Copy, Subcommand)]
pub(super) enum Action {
    /// It counts as heard
    Heard {
        /// Its number
        message: u64,
    },
    /// It counts as new again
    New {
        /// Its number
        message: u64,
    },
    /// It is not kept, nor is its file
    Delete {
        /// Its number
        message: u64,
    },
}

pub(super) fn direct(state: &Path, action: Action, by: &str) -> Result<(), Failed> {
    let (method, message, path, body, done) = match action {
        Action::Heard { message } => {
            ("POST", message, "/heard", json!({"heard": true, "by": by}), "is heard")
        }
        Action::New { message } => {
            ("POST", message, "/heard", json!({"heard": false, "by": by}), "is new again")
        }
        Action::Delete { message } => ("DELETE", message, "", json!({"by": by}), "is deleted"),
    };
    let (status, answer) = request(state, method, &format!("/voicemail/{message}{path}"), Some(&body))?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("message {message} {done}\n"))
}

pub(super) fn list(state: &Path, mailbox: Option<&str>, json: bool) -> Result<(), Failed> {
    let path = mailbox.map_or("/voicemail".to_owned(), |it| format!("/voicemail?mailbox={}", escaped(it)));
    let answer = get(state, &path)?;
    if json {
        return print(&format!("{answer:#}\n"));
    }
    let messages: Vec<_> = answer.as_array().into_iter().flatten().collect();
    if messages.is_empty() {
        return print("there are no messages\n");
    }
    let head = format!(
        "{:>8} {:<20} {:<18} {:<20} {:>7}  {:<5} {}\n",
        "MESSAGE", "MAILBOX", "FROM", "AT", "LENGTH", "", "FILE"
    );
    print(&(head + &messages.into_iter().map(line).collect::<String>()))
}

fn line(message: &Value) -> String {
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    // Seconds are enough: `2026-11-30T16:20:05`.
    let at: String = text("at").chars().take(19).collect();
    let heard = if message["heard"] == true { "" } else { "new" };
    let seconds = message["seconds"].as_u64().unwrap_or_default();
    format!(
        "{:>8} {:<20} {:<18} {:<20} {:>7}  {:<5} {}\n",
        message["message"],
        text("mailbox"),
        text("from"),
        at.replace('T', " "),
        format!("{}:{:02}", seconds / 60, seconds % 60),
        heard,
        text("file"),
    )
}
