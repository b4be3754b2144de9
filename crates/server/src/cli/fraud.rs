//! `fraud`: what clients and their users have used of what their calls by trunks may cost.

use super::Failed;
use super::client;
use super::output::print;
use serde_json::Value;
use std::path::Path;

/// The limits in the order of the columns.
const LIMITS: [&str; 3] = ["calls_per_hour", "minutes_per_hour", "international"];

/// Prints what the node that runs on a state directory says.
pub(super) fn fraud(state: &Path, json: bool) -> Result<(), Failed> {
    let answer = client::get(state, "/fraud")?;
    if json {
        return print(&format!("{answer:#}\n"));
    }
    let rows = answer.as_array().map_or(&[][..], Vec::as_slice);
    if rows.is_empty() {
        return print("no client has fraud limits\n");
    }
    let head = format!(
        "{:<16} {:<16} {:>13} {:>13} {:>13}\n",
        "CLIENT", "USER", "CALLS/H", "MINUTES/H", "ABROAD NOW"
    );
    print(&rows.iter().map(line).fold(head, |table, line| table + &line))
}

/// A client, or a user: what it has used of each limit, and whether it may call no more.
fn line(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or("-");
    let used = LIMITS.map(|limit| {
        let used = row[limit]["used"].as_u64().unwrap_or_default();
        row[limit]["limit"].as_u64().map_or_else(|| used.to_string(), |most| format!("{used}/{most}"))
    });
    let is_used_up = |limit: &&str| {
        let Some(most) = row[*limit]["limit"].as_u64() else { return false };
        row[*limit]["used"].as_u64().unwrap_or_default() >= most
    };
    let note = if LIMITS.iter().any(is_used_up) { "  used up" } else { "" };
    let [calls, minutes, abroad] = used;
    format!("{:<16} {:<16} {calls:>13} {minutes:>13} {abroad:>13}{note}\n", text("client"), text("user"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(user: Option<&str>, calls: (u64, Option<u32>), abroad: (u64, Option<u32>)) -> String {
        let used = |(used, limit): (u64, Option<u32>)| json!({"used": used, "limit": limit});
        let row = json!({
            "client": "acme",
            "user": user,
            "calls_per_hour": used(calls),
            "minutes_per_hour": used((7, None)),
            "international": used(abroad),
        });
        line(&row).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_line_tells_what_is_used_of_each_limit_and_whether_one_is_used_up() {
        assert_eq!(row(None, (12, Some(600)), (0, None)), "acme - 12/600 7 0");
        assert_eq!(row(Some("anna"), (60, Some(60)), (0, Some(2))), "acme anna 60/60 7 0/2 used up");
        assert_eq!(row(Some("anna"), (3, None), (2, Some(2))), "acme anna 3 7 2/2 used up");
    }
}
