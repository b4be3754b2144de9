//! `accounts`: who may ask the node for what.

use super::Failed;
use super::client::{escaped, fault, get, request};
use super::output::print;
use crate::access::Role;
use clap::{Args, Subcommand};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

/// What is done with an account.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Makes one: a program's, whose token is printed once, or a person's with a password
    #[command(
        after_help = "Examples:\n  ringdown accounts add wallboard --role supervisor --client acme\n  \
                      ringdown accounts add carol --role supervisor --password      # asks for it\n  \
                      ringdown accounts add alice --role agent --agent alice --client acme --password < secret\n  \
                      ringdown accounts add monitor --role auditor                  # for Prometheus"
    )]
    Add(New),
    /// Ends one: nothing lets it in any more
    Remove {
        /// Its name
        name: String,
    },
}

/// The account that is made.
#[derive(Args)]
pub(super) struct New {
    /// Letters, digits and `. - _ @`
    name: String,
    /// What it may
    #[arg(long)]
    role: Role,
    /// A client whose rows it sees, again for each; all if there are none
    #[arg(long = "client", value_name = "CLIENT")]
    clients: Vec<String>,
    /// Which agent of queues it is
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// After how many days it ends
    #[arg(long, value_name = "DAYS")]
    days: Option<u32>,
    /// Somebody logs in by password, which is asked for, or read as one line
    #[arg(long)]
    password: bool,
}

pub(super) fn accounts(state: &Path, action: Option<Action>, json: bool) -> Result<(), Failed> {
    match action {
        None => list(state, json),
        Some(Action::Add(new)) => add(state, new, json),
        Some(Action::Remove { name }) => remove(state, &name),
    }
}

fn list(state: &Path, json: bool) -> Result<(), Failed> {
    let answer = get(state, "/accounts")?;
    if json {
        return print(&format!("{answer:#}\n"));
    }
    let rows: Vec<_> = answer.as_array().into_iter().flatten().collect();
    if rows.is_empty() {
        return print("no accounts; `ringdown accounts add --help` says how to make one\n");
    }
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |row: &&Value| {
        let clients: Vec<_> = row["clients"].as_array().into_iter().flatten().map(text).collect();
        let clients = if clients.is_empty() { "all".to_owned() } else { clients.join(", ") };
        format!(
            "{:<24} {:<14} {:<16} {:<20}  {clients}\n",
            text(&row["name"]),
            text(&row["role"]),
            text(&row["agent"]),
            text(&row["expires"])
        )
    };
    let head = format!("{:<24} {:<14} {:<16} {:<20}  {}\n", "NAME", "ROLE", "AGENT", "ENDS", "CLIENTS");
    print(&(head + &rows.iter().map(line).collect::<String>()))
}

fn add(state: &Path, new: New, json: bool) -> Result<(), Failed> {
    let New { name, role, clients, agent, days, password } = new;
    let password = if password { Some(read_password()?) } else { None };
    let body = json!({
        "name": name, "role": role, "clients": clients, "agent": agent, "days": days, "password": password,
    });
    let (status, answer) = request(state, "POST", "/accounts", Some(&body))?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    if json {
        return print(&format!("{answer:#}\n"));
    }
    match answer["token"].as_str() {
        Some(token) => print(&format!(
            "{token}\n\nThis is told once. A program sends it as `Authorization: Bearer {}…`\n",
            &token[..13]
        )),
        None => print(&format!("{name} logs in by name and password at POST /login\n")),
    }
}

fn remove(state: &Path, name: &str) -> Result<(), Failed> {
    let (status, answer) = request(state, "DELETE", &format!("/accounts/{}", escaped(name)), None)?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("nothing lets {name} in any more\n"))
}

/// One line from standard input; on a terminal it is asked for, and not shown.
fn read_password() -> Result<String, Failed> {
    let input = std::io::stdin();
    let hidden = if input.is_terminal() { Some(tcgetattr(&input).map_err(Failed::because)?) } else { None };
    if let Some(shown) = &hidden {
        let mut silent = shown.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&input, SetArg::TCSAFLUSH, &silent).map_err(Failed::because)?;
        eprint!("password: ");
        std::io::stderr().flush().map_err(Failed::because)?;
    }
    let mut line = String::new();
    let read = input.lock().read_line(&mut line);
    if let Some(shown) = &hidden {
        tcsetattr(&input, SetArg::TCSAFLUSH, shown).map_err(Failed::because)?;
        eprintln!();
    }
    read.map_err(Failed::because)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
