//! The event log as it grows, by WebSocket.

use acceptance::{Api, Node, Setup, Sipp, until_some};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// Somebody who listens.
struct Listener(WebSocket<TcpStream>);

impl Listener {
    fn new(node: &Node, api: &Api, query: &str) -> Self {
        let stream = TcpStream::connect(node.http()).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        let url = format!("ws://{}/events/stream{query}", node.http());
        let mut request = url.into_client_request().expect("a request");
        let token = format!("Bearer {}", api.token().expect("a token"));
        request.headers_mut().insert("authorization", token.parse().expect("a header"));
        let (socket, _) =
            tungstenite::client(request, stream).unwrap_or_else(|error| panic!("{query}: {error}"));
        Self(socket)
    }

    /// The next message; `None` if the connection is over.
    fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.read().ok()? {
                Message::Text(text) => return Some(serde_json::from_str(&text).expect("JSON")),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}

fn numbers(events: &[Value]) -> Vec<u64> {
    events.iter().filter_map(|event| event["seq"].as_u64()).collect()
}

#[test]
fn whoever_comes_again_with_the_last_number_misses_nothing_and_has_nothing_twice() {
    let node = Node::start(&Setup::new());
    let operator = node.as_operator();
    let mut listener = Listener::new(&node, &operator, "?after=0");
    assert_eq!(listener.next().expect("a beginning"), json!({"schema": 1, "after": 0}));
    let calls = || Sipp::caller(&node, "call", "ivr").calls(3).run();
    assert_eq!(calls().successful(), 3);
    let mut had = Vec::new();
    while had.iter().filter(|event: &&Value| event["what"]["kind"] == "contact_ended").count() < 2 {
        had.push(listener.next().expect("it goes on"));
    }
    drop(listener);
    let last = had.last().expect("some")["seq"].as_u64().expect("a number");
    let node = node.crash_and_start_again();
    let operator = node.as_operator();
    let mut listener = Listener::new(&node, &operator, &format!("?after={last}"));
    assert_eq!(listener.next().expect("a beginning")["after"], last);
    assert_eq!(Sipp::caller(&node, "call", "ivr").calls(2).run().successful(), 2);
    while had.iter().filter(|event| event["what"]["kind"] == "contact_ended").count() < 5 {
        had.push(listener.next().expect("it goes on"));
    }
    let seqs = numbers(&had);
    let expected: Vec<u64> = (1..=seqs[seqs.len() - 1]).collect();
    assert_eq!(seqs, expected, "each number once, over a crash");
    // Page by page the same is told.
    let mut paged = Vec::new();
    let mut after = 0;
    while paged.len() < had.len() {
        let page = operator.get(&format!("/events?after={after}&limit=7")).body;
        after = page["next"].as_u64().expect("where to go on");
        paged.extend(page["events"].as_array().expect("events").clone());
    }
    assert_eq!(paged[..had.len()], had[..]);
}

#[test]
fn who_listens_to_a_contact_or_to_kinds_is_told_of_these_alone() {
    let node = Node::start(&Setup::new());
    let operator = node.as_operator();
    let mut kinds = Listener::new(&node, &operator, "?kinds=contact_started,contact_ended");
    let mut second = Listener::new(&node, &operator, "?contact=2&after=0");
    for listener in [&mut kinds, &mut second] {
        assert_eq!(listener.next().expect("a beginning")["schema"], 1);
    }
    assert_eq!(Sipp::caller(&node, "call", "ivr").calls(2).run().successful(), 2);
    let told: Vec<Value> =
        (0..4).map(|_| kinds.next().expect("it goes on")["what"]["kind"].clone()).collect();
    assert!(told.iter().all(|kind| kind == "contact_started" || kind == "contact_ended"), "{told:?}");
    loop {
        let event = second.next().expect("it goes on");
        assert_eq!(event["contact"], 2, "{event}");
        if event["what"]["kind"] == "contact_ended" {
            break;
        }
    }
}

#[test]
fn many_who_listen_slow_no_call_down_and_one_who_does_not_read_is_let_go() {
    let node = Node::start(&Setup::new());
    let operator = node.as_operator();
    // One that never reads: what is for it fills its socket, and it is let go without anybody waiting for it.
    let _deaf = Listener::new(&node, &operator, "?after=0");
    let mut listeners: Vec<_> =
        (0..50).map(|_| Listener::new(&node, &operator, "?kinds=contact_ended")).collect();
    for listener in &mut listeners {
        assert_eq!(listener.next().expect("a beginning")["schema"], 1);
    }
    let calls = 20;
    assert_eq!(Sipp::caller(&node, "call", "ivr").calls(calls).run().successful(), calls);
    for listener in &mut listeners {
        for _ in 0..calls {
            assert_eq!(listener.next().expect("it goes on")["what"]["kind"], "contact_ended");
        }
    }
    until_some(Duration::from_secs(10), "all calls are over", || {
        (operator.get("/status").body["contacts"] == 0).then_some(())
    });
}

#[test]
fn an_agent_is_told_of_its_own_state_alone_and_of_nothing_before() {
    let node =
        Node::start(&Setup::new().flows("agents: {1000: {}, 1001: {}}\nqueues: {floor: {agents: all}}\n"));
    let operator = node.as_operator();
    let log_in = |agent: &str| {
        let said = operator.post(&format!("/agents/{agent}/login"), &json!({}));
        assert_eq!(said.status, 200, "{said:?}");
    };
    log_in("1000");
    until_some(Duration::from_secs(10), "the log has that", || {
        let events = operator.get("/events?after=0").body["events"].to_string();
        events.contains("agent_changed").then_some(())
    });
    let anna = json!({"name": "anna", "role": "agent", "agent": "1000", "clients": ["client"]});
    let mut listener = Listener::new(&node, &node.as_account(&anna), "?after=0");
    let begun = listener.next().expect("a beginning")["after"].as_u64().expect("a number");
    log_in("1001");
    assert_eq!(Sipp::caller(&node, "call", "ivr").run().successful(), 1);
    let said = operator.post("/agents/1000/logout", &json!({}));
    assert_eq!(said.status, 200, "{said:?}");
    let told = listener.next().expect("that it is logged out");
    assert_eq!((&told["what"]["kind"], &told["what"]["agent"]), (&json!("agent_changed"), &json!("1000")));
    assert!(told["seq"].as_u64().is_some_and(|seq| seq > begun), "{told}");
}
