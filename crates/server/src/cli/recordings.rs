//! `recordings`: what was recorded of calls, its sound, what is kept and what is erased.

use super::Failed;
use super::client::{escaped, fault, get, patient_request, request, save};
use super::output::print;
use crate::vault;
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What is done with recordings.
#[derive(Clone, Subcommand)]
pub(super) enum Action {
    /// Writes the sound of one to a file
    Get {
        /// Its number
        recording: u64,
        /// Where to; in this folder, under its number, without it
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// It is kept until it is released: a legal hold
    Hold {
        /// Its number
        recording: u64,
        /// Why, for the log
        #[arg(long)]
        why: String,
    },
    /// It is held no longer
    Release {
        /// Its number
        recording: u64,
    },
    /// Erases one, those of a number, or all of a client, with its key
    #[command(after_help = "Examples:\n  ringdown recordings erase 4711 --why \"wrong number\"\n  \
                      ringdown recordings erase --client acme --number +34911000100 --why \"asked by letter\" \
                      --certificate acme-1.json\n  \
                      ringdown recordings erase --client acme --all --why \"contract ended\" --certificate acme.json")]
    Erase {
        /// The number of one
        #[arg(conflicts_with_all = ["client", "number", "all"], required_unless_present = "client")]
        recording: Option<u64>,
        /// Whose
        #[arg(long)]
        client: Option<String>,
        /// Of calls from or to this number, as calls have it
        #[arg(long, conflicts_with = "all", requires = "client")]
        number: Option<String>,
        /// All of the client; nobody can read a copy of what was encrypted after that
        #[arg(long, requires = "client")]
        all: bool,
        /// Why, for the log and the certificate
        #[arg(long)]
        why: String,
        /// Where the certificate goes; the node keeps one in any case
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
    },
    /// Looks at the signature of a certificate
    Verify {
        /// The certificate
        certificate: PathBuf,
    },
}

/// Which are listed.
#[derive(clap::Args)]
pub(super) struct Which {
    /// Of calls from or to this number, with or without its country code
    #[arg(long)]
    number: Option<String>,
    /// Of this call
    #[arg(long)]
    contact: Option<u64>,
    /// Of this client
    #[arg(long)]
    client: Option<String>,
    /// Also those that are erased
    #[arg(long)]
    erased: bool,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub(super) fn direct(state: &Path, action: Action, by: &str) -> Result<(), Failed> {
    let told = |method: &str, path: &str, body: &Value, done: &str| {
        let (status, answer) = request(state, method, path, Some(body))?;
        if status != 200 {
            return Err(Failed::because(fault(&answer)));
        }
        print(&format!("{done}\n"))
    };
    match action {
        Action::Get { recording, output } => fetch(state, recording, output),
        Action::Hold { recording, why } => {
            let (path, body) = (format!("/recordings/{recording}/hold"), json!({"why": why, "by": by}));
            told("PUT", &path, &body, &format!("recording {recording} is held"))
        }
        Action::Release { recording } => {
            let (path, body) = (format!("/recordings/{recording}/hold"), json!({"by": by}));
            told("DELETE", &path, &body, &format!("recording {recording} is held no longer"))
        }
        Action::Erase { recording: Some(recording), why, .. } => {
            let (path, body) = (format!("/recordings/{recording}"), json!({"why": why, "by": by}));
            told("DELETE", &path, &body, &format!("recording {recording} is erased"))
        }
        Action::Erase { client, number, all, why, certificate, .. } => {
            let body = json!({"client": client, "number": number, "all": all, "why": why, "by": by});
            erase_all(state, &body, certificate.as_deref())
        }
        Action::Verify { certificate } => verify(&certificate),
    }
}

fn fetch(state: &Path, recording: u64, output: Option<PathBuf>) -> Result<(), Failed> {
    let known = get(state, &format!("/recordings/{recording}"))?;
    let ending = if known["file"].as_str().unwrap_or_default().contains(".opus") { "opus" } else { "wav" };
    let output = output.unwrap_or_else(|| PathBuf::from(format!("{recording}.{ending}")));
    let bytes = save(state, &format!("/recordings/{recording}/audio"), &output)?;
    print(&format!("{bytes} bytes in {}\n", output.display()))
}

fn erase_all(state: &Path, body: &Value, certificate: Option<&Path>) -> Result<(), Failed> {
    let (status, answer) = patient_request(state, "POST", "/recordings/erase", body)?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    let said = &answer["certificate"];
    let count = |name: &str| said[name].as_array().map_or(0, Vec::len);
    let mut text =
        format!("{} recordings and {} messages are erased\n", count("recordings"), count("messages"));
    if count("held") > 0 {
        text += &format!("{} recordings are held, and there still\n", count("held"));
    }
    if count("failed") > 0 {
        text += &format!("{} recordings could not be removed: the node's log says why\n", count("failed"));
    }
    if said["key_destroyed"] == true {
        text += "the client's key is destroyed\n";
    }
    if let Some(path) = certificate {
        let written = std::fs::write(path, format!("{answer:#}\n"));
        written.map_err(|error| Failed::because(format!("{}: {error}", path.display())))?;
        text += &format!("the certificate is {}\n", path.display());
    }
    print(&text)
}

fn verify(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Failed::because(format!("{}: {error}", path.display())))?;
    let verified = vault::verify(&text);
    let (said, key) = verified.map_err(|error| Failed::because(format!("{}: {error}", path.display())))?;
    print(&format!(
        "signed by the node `{}` with the key {key}\n{}: {} recordings and {} messages of {} were erased at {} by {}: {}\n",
        said.node,
        said.client,
        said.recordings.len(),
        said.messages.len(),
        said.number.as_deref().unwrap_or("all calls"),
        said.issued,
        said.by,
        said.why,
    ))
}

pub(super) fn list(state: &Path, which: &Which, json: bool) -> Result<(), Failed> {
    let Which { number, contact, client, erased, limit } = which;
    let mut path = format!("/recordings?limit={limit}&erased={erased}");
    for (name, value) in [("number", number), ("client", client)] {
        if let Some(value) = value {
            path += &format!("&{name}={}", escaped(value));
        }
    }
    if let Some(contact) = contact {
        path += &format!("&contact={contact}");
    }
    let answer = get(state, &path)?;
    if json {
        return print(&format!("{answer:#}\n"));
    }
    let recordings: Vec<_> = answer["recordings"].as_array().into_iter().flatten().collect();
    if recordings.is_empty() {
        return print("there are no recordings\n");
    }
    let head = format!(
        "{:>9} {:>8} {:<12} {:<16} {:<16} {:<20} {:>7}  {:<10} {}\n",
        "RECORDING", "CONTACT", "CLIENT", "FROM", "TO", "AT", "LENGTH", "", "FILE"
    );
    print(&(head + &recordings.into_iter().map(line).collect::<String>()))
}

fn line(recording: &Value) -> String {
    let text = |name: &str| recording[name].as_str().unwrap_or_default();
    // Seconds are enough: `2026-11-30T16:20:05`.
    let at: String = text("at").chars().take(19).collect();
    let length = recording["seconds"].as_u64().map(|it| format!("{}:{:02}", it / 60, it % 60));
    let state = match recording {
        it if !it["erased"].is_null() => "erased",
        it if !it["held"].is_null() => "held",
        it if it["encrypted"] == true => "encrypted",
        _ => "",
    };
    format!(
        "{:>9} {:>8} {:<12} {:<16} {:<16} {:<20} {:>7}  {:<10} {}\n",
        recording["recording"],
        recording["contact"],
        text("client"),
        text("from"),
        text("to"),
        at.replace('T', " "),
        length.as_deref().unwrap_or("runs"),
        state,
        text("file"),
    )
}
