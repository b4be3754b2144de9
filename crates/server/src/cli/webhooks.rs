//! `webhooks`: how clients' servers take what they are told.

use super::Failed;
use super::client::{escaped, fault, get, request};
use super::output::print;
use serde_json::Value;
use std::path::Path;

pub(super) fn webhooks(state: &Path, again: Option<String>, json: bool) -> Result<(), Failed> {
    match again {
        Some(name) => send_again(state, &name),
        None => list(state, json),
    }
}

fn list(state: &Path, json: bool) -> Result<(), Failed> {
    let answer = get(state, "/webhooks")?;
    if json {
        return print(&format!("{answer:#}\n"));
    }
    let rows: Vec<_> = answer.as_array().into_iter().flatten().collect();
    if rows.is_empty() {
        return print("no client has webhooks\n");
    }
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |row: &&Value| {
        format!(
            "{:<24} {:<32} {:>8} {:>8} {:>7}  {}\n",
            format!("{}/{}", text(&row["client"]), text(&row["webhook"])),
            text(&row["server"]),
            row["told"],
            row["failures"],
            row["put_by"],
            text(&row["last"])
        )
    };
    let head = format!(
        "{:<24} {:<32} {:>8} {:>8} {:>7}  {}\n",
        "WEBHOOK", "SERVER", "TOLD", "FAILURES", "PUT BY", "LAST"
    );
    print(&(head + &rows.iter().map(line).collect::<String>()))
}

fn send_again(state: &Path, name: &str) -> Result<(), Failed> {
    let (client, webhook) = name
        .split_once('/')
        .ok_or_else(|| Failed::because(format!("`{name}`: write CLIENT/WEBHOOK, acme/crm")))?;
    let path = format!("/webhooks/{}/{}/again", escaped(client), escaped(webhook));
    let (status, answer) = request(state, "POST", &path, None)?;
    if status != 200 {
        return Err(Failed::because(fault(&answer)));
    }
    print(&format!("sent again: {}\n", answer["deliveries"]))
}
