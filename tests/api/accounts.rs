//! Who is let in, and for what.

use crate::operations::{Operation, operations};
use acceptance::{Api, Node, Setup, until_some};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// A node with one agent.
fn node() -> Node {
    Node::start(&Setup::new().flows("agents: {1000: {}}\nqueues: {floor: {agents: all}}\n"))
}

/// What stands for the parts of paths: nothing of that name exists but the agent and its user.
const PARTS: [(&str, &str); 10] = [
    ("contact", "99"),
    ("agent", "1000"),
    ("user", "1000"),
    ("name", "nobody"),
    ("address", "192.0.2.1"),
    ("axis", "queues"),
    ("client", "client"),
    ("webhook", "crm"),
    ("message", "99"),
    ("recording", "99"),
];

fn ask(api: &Api, operation: &Operation) -> u16 {
    api.ask(&operation.method, &operation.path_with(&PARTS), None).status
}

#[test]
fn each_operation_lets_in_whom_its_scopes_say_and_nobody_else() {
    let node = node();
    let document = node.as_stranger().get("/openapi.json").body;
    let all = operations(&document);
    let (mut admitted, mut refused) = (0, 0);
    for operation in all.iter().filter(|operation| !operation.scopes.is_empty()) {
        let stranger = ask(&node.as_stranger(), operation);
        assert_eq!(stranger, 401, "{operation:?} without a token");
        let guessed = node.as_stranger().with_token(&format!("ringdown_{}", "0".repeat(64)));
        assert_eq!(ask(&guessed, operation), 401, "{operation:?} with a token of nobody");
    }
    for role in ["operator", "administrator", "supervisor", "agent", "auditor", "integrator"] {
        let mut account = json!({"name": role.to_owned() + "-1", "role": role});
        if matches!(role, "administrator" | "agent") {
            account["clients"] = json!(["client"]);
        }
        if role == "agent" {
            account["agent"] = json!("1000");
        }
        let api = node.as_account(&account);
        let scopes: BTreeSet<String> =
            serde_json::from_value(api.get("/me").body["scopes"].clone()).expect("a list of scopes");
        for operation in all.iter().filter(|operation| !operation.scopes.is_empty()) {
            let status = ask(&api, operation);
            if operation.scopes.iter().any(|scope| scopes.contains(scope)) {
                assert!(!matches!(status, 401 | 403), "{role}: {operation:?}: {status}");
                admitted += 1;
            } else {
                assert_eq!(status, 403, "{role}: {operation:?}");
                refused += 1;
            }
        }
    }
    assert!(admitted > 100 && refused > 80, "{admitted} let in, {refused} not");
}

#[test]
fn somebody_logs_in_and_out_and_passwords_cannot_be_tried_without_end() {
    let node = node();
    let (operator, stranger) = (node.as_operator(), node.as_stranger());
    let carol = json!({"name": "carol", "role": "supervisor", "password": "carol's own password"});
    let made = operator.post("/accounts", &carol);
    assert_eq!((made.status, &made.body["token"]), (200, &Value::Null), "{made:?}");
    let log_in = |password: &str| stranger.post("/login", &json!({"name": "carol", "password": password}));
    let let_in = log_in("carol's own password");
    assert_eq!(let_in.status, 200, "{let_in:?}");
    let session = stranger.with_token(let_in.body["token"].as_str().expect("a token"));
    assert_eq!(session.get("/me").body["name"], "carol");
    assert_eq!(session.post("/logout", &json!({})).status, 200);
    assert_eq!(session.get("/me").status, 401);
    let tried: Vec<u16> = (0..12).map(|guess| log_in(&format!("password number {guess}")).status).collect();
    assert_eq!(tried[..10], [401; 10], "ten mistakes are anybody's");
    assert_eq!(tried[10..], [429; 2], "then it takes its time");
    until_some(Duration::from_secs(10), "the tries are logged", || {
        let events = operator.get("/events?kinds=requested&limit=1000").body["events"].take();
        let tries = events
            .as_array()?
            .iter()
            .filter(|it| it["what"]["path"] == "/login" && it["what"]["status"] == 401);
        (tries.count() == 10).then_some(())
    });
    let told = log_in("carol's own password");
    assert!(told.status == 429 && told.head.contains("retry-after: "), "{told:?}");
    assert_eq!(operator.ask("DELETE", "/accounts/carol", None).status, 200);
}

#[test]
fn an_agent_directs_itself_alone() {
    let setup = Setup::new().flows("agents: {1000: {}, 1001: {}}\nqueues: {floor: {agents: all}}\n");
    let node = Node::start(&setup);
    let account = json!({"name": "anna", "role": "agent", "agent": "1000", "clients": ["client"]});
    let agent = node.as_account(&account);
    assert_eq!(agent.post("/agents/1000/login", &json!({})).status, 200);
    assert_eq!(agent.post("/agents/1000/pause", &json!({"reason": "lunch"})).status, 200);
    assert_eq!(
        agent.post("/agents/1000/login", &json!({"phone": "1001"})).status,
        403,
        "that is another one's"
    );
    assert_eq!(agent.post("/agents/1001/login", &json!({})).status, 404);
    assert_eq!(agent.post("/transfers/1001", &json!({"to": "uas"})).status, 404);
    assert_eq!(agent.post("/transfers/1000", &json!({"to": "uas"})).status, 409, "its phone is in no call");
    let seen = agent.get("/agents").body;
    let names: Vec<_> = seen.as_array().expect("a list").iter().map(|it| &it["agent"]).collect();
    assert_eq!(names, ["1000"]);
    let paused = until_some(Duration::from_secs(10), "it is logged", || {
        let events = node.as_operator().get("/events?kinds=requested").body["events"].take();
        events.as_array()?.iter().find(|it| it["what"]["path"] == "/agents/1000/pause").cloned()
    });
    assert_eq!((&paused["what"]["by"], &paused["what"]["status"]), (&json!("anna"), &json!(200)));
}

#[test]
fn what_is_asked_twice_by_one_key_is_done_once() {
    let node = node();
    let operator = node.as_operator();
    let key = "Idempotency-Key: 5f0c\r\n";
    let account = json!({"name": "program", "role": "integrator"});
    let made = operator.ask_with("POST", "/accounts", Some(&account), key);
    let again = operator.ask_with("POST", "/accounts", Some(&account), key);
    assert_eq!((made.status, &made.body), (200, &again.body), "the same token is told again");
    assert!(again.head.contains("idempotent-replayed: true") && !made.head.contains("replayed"), "{again:?}");
    assert_eq!(
        operator.ask_with("POST", "/accounts", Some(&account), "").status,
        409,
        "without a key it is another"
    );
    let other = json!({"name": "another", "role": "integrator"});
    assert_eq!(operator.ask_with("POST", "/accounts", Some(&other), key).status, 422);
    let accounts = operator.get("/accounts").body;
    assert_eq!(accounts.as_array().expect("a list").len(), 1, "{accounts}");
}

#[test]
fn what_cannot_be_understood_gets_one_clear_error() {
    let node = node();
    let operator = node.as_operator();
    let pause = "/agents/1000/pause";
    let said = |body: &Value| {
        let said = operator.post(pause, body);
        (said.status, said.body["error"].as_str().unwrap_or_default().to_owned())
    };
    let (status, error) = said(&json!({"raeson": "lunch"}));
    assert!(status == 400 && error.contains("unknown field `raeson`"), "{status}: {error}");
    let (status, error) = said(&json!({"reason": 7}));
    assert!(status == 400 && error.contains("invalid type"), "{status}: {error}");
    let large = said(&json!({"reason": "x".repeat(20_000)}));
    assert_eq!(large.0, 413, "{large:?}");
    assert_eq!(
        operator.ask_with("POST", pause, None, "Content-Type: text/plain\r\n").status,
        409,
        "it is logged out"
    );
    assert_eq!(operator.get("/calls?limit=0").status, 400);
    assert_eq!(operator.get("/calls?limti=5").status, 400);
    assert_eq!(operator.get("/calls/abc").status, 400);
    assert_eq!(operator.get("/nothing").status, 404);
    assert_eq!(operator.ask("DELETE", "/queues", None).status, 405);
}
