//! `rooms`: who is in which room of a running node, and what is done with a party of one.

use super::Failed;
use super::client::{fault, get, request};
use super::output::print;
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::Path;

/// What is done with the caller of a contact.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Nobody hears it any more
    Mute {
        /// Its contact, as `ringdown rooms` shows it
        #[arg(value_name = "ID")]
        contact: u64,
    },
    /// It is heard again
    Unmute {
        /// Its contact, as `ringdown rooms` shows it
        #[arg(value_name = "ID")]
        contact: u64,
    },
    /// Takes it out of the room; its flow goes on
    Kick {
        /// Its contact, as `ringdown rooms` shows it
        #[arg(value_name = "ID")]
        contact: u64,
    },
    /// Makes it louder or quieter
    Gain {
        /// Its contact, as `ringdown rooms` shows it
        #[arg(value_name = "ID")]
        contact: u64,
        /// From -20 to 20; 0 is as it comes
        #[arg(value_name = "DECIBELS", allow_hyphen_values = true)]
        decibels: i8,
    },
}

pub(super) fn rooms(state: &Path, action: Option<Action>, json: bool) -> Result<(), Failed> {
    let of = |contact: u64| format!("/rooms/members/{contact}");
    let (contact, method, path, body, done) = match action {
        None => return list(state, json),
        Some(Action::Mute { contact }) => (contact, "POST", of(contact) + "/mute", None, "muted"),
        Some(Action::Unmute { contact }) => (contact, "POST", of(contact) + "/unmute", None, "heard again"),
        Some(Action::Kick { contact }) => (contact, "DELETE", of(contact), None, "taken out"),
        Some(Action::Gain { contact, decibels }) => {
            let body = json!({"decibels": decibels});
            (contact, "POST", of(contact) + "/gain", Some(body), "gain set")
        }
    };
    let (status, answer) = request(state, method, &path, body.as_ref())?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("contact {contact}: {done}\n"))
}

fn list(state: &Path, json: bool) -> Result<(), Failed> {
    let answer = get(state, "/rooms")?;
    if json {
        return print(&format!("{answer:#}\n"));
    }
    let rooms: Vec<_> = answer.as_array().into_iter().flatten().collect();
    if rooms.is_empty() {
        return print("nobody is in a room\n");
    }
    print(&rooms.into_iter().map(lines).collect::<String>())
}

/// A room, and a line for each of its parties.
fn lines(room: &Value) -> String {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let members: Vec<_> = room["members"].as_array().into_iter().flatten().collect();
    let mut lines = format!("{}/{}: {} in it\n", text(room, "client"), text(room, "room"), members.len());
    for member in members {
        let gain = member["gain"].as_i64().unwrap_or_default();
        let notes = [
            (member["speaks"] == true).then(|| "speaks".to_owned()),
            (member["muted"] == true).then(|| "muted".to_owned()),
            (gain != 0).then(|| format!("{gain:+} dB")),
        ];
        let notes: Vec<_> = notes.into_iter().flatten().collect();
        let seconds = format!("{} s", member["seconds"]);
        let (contact, name) = (&member["contact"], text(member, "name"));
        lines += format!("  {contact:>6}  {name:<20} {seconds:>8}  {}", notes.join(", ")).trim_end();
        lines.push('\n');
    }
    lines
}
