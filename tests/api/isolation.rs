//! An account of one client sees nothing of another's, whatever it asks for.

use crate::operations::operations;
use acceptance::{Node, Setup, Sipp, until_some};
use serde_json::{Value, json};
use std::time::Duration;

/// The client that must not be seen has these names, of which the other one knows nothing.
const MARKS: [&str; 5] = ["client/secretqueue", "secretagent", "secretuser", "secretroom", "+34911555"];

const SECRETS: &str = "\
numbers: {\"+34911555000\": wait, meet: meet}
users: {secretuser: {password: pw}}
agents: {secretagent: {phone: secretuser}}
queues: {secretqueue: {agents: all}}
flows:
  wait: [answer, record, {enqueue: secretqueue}]
  meet: [answer, {conference: secretroom}]
";

const OTHER: &str = "\
client: {name: Other}
users: {otheruser: {password: pw}}
agents: {otheragent: {phone: otheruser}}
queues: {otherqueue: {agents: all}}
flows: {wait: [answer, {enqueue: otherqueue}]}
numbers: {\"+34911777000\": wait}
";

/// A body for an operation, so that it does not fail at that.
fn body(path: &str) -> Option<Value> {
    let end = path.rsplit('/').next().unwrap_or_default();
    let body = match end {
        "move" => json!({"queue": "otherqueue"}),
        "priority" => json!({"points": 5}),
        "pull" => json!({"user": "otheruser"}),
        "supervise" => json!({"user": "otheruser", "mode": "listen"}),
        "record" => json!({"action": "start"}),
        "erase" => json!({"client": "client", "all": true, "why": "spite"}),
        "hold" => json!({"why": "spite"}),
        _ if path == "/recordings/{recording}" => json!({"why": "spite"}),
        "disposition" => json!({"disposition": "sold"}),
        "gain" => json!({"decibels": 3}),
        "accounts" => json!({"name": "spy", "role": "supervisor", "clients": ["client"]}),
        _ if path.starts_with("/transfers/") => json!({"to": "otheruser"}),
        _ => return None,
    };
    Some(body)
}

#[test]
fn an_account_of_one_client_never_sees_another_ones_rows() {
    let setup = Setup::new()
        .replace("clients: [client]", "clients: [client, other]")
        .file("other/client.yaml", OTHER)
        .flows(SECRETS);
    let node = Node::start(&setup);
    let waiting = Sipp::caller(&node, "call-until-bye", "+34911555000").start();
    let operator = node.as_operator();
    let waits = until_some(Duration::from_secs(10), "somebody waits", || {
        let queues = operator.get("/queues").body;
        queues.as_array()?.iter().find_map(|queue| queue["waiting"][0]["contact"].as_u64())
    });
    let meeting = Sipp::caller(&node, "call-until-bye", "meet").at(node.network().socket(3, 5060)).start();
    let meets = until_some(Duration::from_secs(10), "somebody is in the room", || {
        operator.get("/rooms").body[0]["members"][0]["contact"].as_u64()
    });
    until_some(Duration::from_secs(10), "the log has both", || {
        let all = [waits, meets].iter().all(|it| operator.get(&format!("/calls/{it}/events")).status == 200);
        all.then_some(())
    });
    let recording = until_some(Duration::from_secs(10), "a recording", || {
        operator.get("/recordings").body["recordings"][0]["recording"].as_u64()
    });
    let recording = recording.to_string();
    let other = node.as_account(&json!({"name": "other-1", "role": "administrator", "clients": ["other"]}));
    // What is of the other client itself is seen.
    assert_eq!(other.get("/queues").body[0]["queue"], "other/otherqueue");
    assert_eq!(other.get("/agents").body[0]["agent"], "otheragent");
    let (mut seen, mut asked) = (0, 0);
    for operation in operations(&node.as_stranger().get("/openapi.json").body) {
        if operation.scopes.is_empty() {
            continue;
        }
        for contact in [waits, meets].map(|contact| contact.to_string()) {
            let parts = [
                ("contact", contact.as_str()),
                ("agent", "secretagent"),
                ("user", "secretuser"),
                ("name", "client-1"),
                ("address", "192.0.2.1"),
                ("axis", "queues"),
                ("client", "client"),
                ("webhook", "crm"),
                ("message", "99"),
                ("recording", &recording),
            ];
            let path = operation.path_with(&parts);
            let said = other.ask(&operation.method, &path, body(&operation.path).as_ref());
            asked += 1;
            let text = said.body.to_string();
            let names = MARKS.iter().any(|mark| text.contains(mark) && said.status == 200);
            assert!(!names, "{} {path} shows another client's: {text}", operation.method);
            let is_about = ["{contact}", "{agent}", "{user}", "{recording}"]
                .iter()
                .any(|part| operation.path.contains(part));
            if is_about {
                assert!(matches!(said.status, 403 | 404), "{} {path}: {said:?}", operation.method);
            }
            if operation.method == "GET" {
                let whole = operator.get(&path).body.to_string();
                seen += usize::from(MARKS.iter().any(|mark| whole.contains(mark)));
            }
        }
    }
    assert!(asked > 80 && seen >= 12, "the operator is shown {seen} of {asked} answers with the names");
    // Nothing of all that has reached the calls.
    let queues = operator.get("/queues").body;
    let still =
        queues.as_array().expect("a list").iter().any(|queue| queue["waiting"][0]["contact"] == waits);
    assert!(still, "{queues}");
    let kept = operator.get(&format!("/recordings/{recording}")).body;
    assert!(kept["held"].is_null() && kept["erased"].is_null(), "{kept}");
    let reports = other.get("/reports/queues?client=client");
    assert_eq!(reports.status, 404, "{reports:?}");
    drop((waiting, meeting));
}
