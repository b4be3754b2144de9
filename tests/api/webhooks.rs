//! Webhooks: a client's server is told of events, signed, in their order, each at least once, also over a crash.

use acceptance::{Node, Setup, Sipp, until_some};
use ring::hmac;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// What a client's server has got.
#[derive(Debug)]
struct Got {
    signature: String,
    delivery: String,
    body: String,
    status: u16,
}

impl Got {
    fn events(&self) -> Vec<Value> {
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        body["events"].as_array().expect("events").clone()
    }

    /// Whether it is signed by a secret.
    fn is_signed_by(&self, secret: &str) -> bool {
        let (time, signature) = self.signature.split_once(",v1=").expect("two parts");
        let time = time.strip_prefix("t=").expect("a time");
        let signature: Vec<u8> = (0..signature.len() / 2)
            .map(|at| u8::from_str_radix(&signature[2 * at..2 * at + 2], 16).expect("hexadecimal digits"))
            .collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        hmac::verify(&key, format!("{time}.{}", self.body).as_bytes(), &signature).is_ok()
    }
}

/// A client's server, which answers with these statuses one after the other, and with the last of them for ever.
fn server(address: SocketAddr, statuses: &'static [u16]) -> Receiver<Got> {
    let listener = TcpListener::bind(address).expect("a free port");
    let (got, received) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") {
                let before = head.len();
                if stream.read_line(&mut head).expect("it sends a head") == 0 {
                    break;
                }
                if let Some(text) = head[before..].to_lowercase().strip_prefix("content-length: ") {
                    length = text.trim().parse().expect("a length");
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("it sends a body");
            let status = statuses[number.min(statuses.len() - 1)];
            let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).expect("it reads");
            let field = |name: &str| {
                let line = head.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().to_owned()
            };
            let (signature, delivery) = (field("ringdown-signature: "), field("ringdown-delivery: "));
            let body = String::from_utf8(body).expect("JSON is UTF-8");
            // A test that has ended listens no more.
            if got.send(Got { signature, delivery, body, status }).is_err() {
                return;
            }
        }
    });
    received
}

/// The load profile's client, which is told of its calls at port 9000 of its network.
fn setup() -> Setup {
    Setup::new()
        .replace_in_client(
            "client: {name: Load, language: en}",
            "\
client: {name: Load, language: en, http: {hosts: [\"127.0.0.1:9000\"], internal: [127.0.0.0/8]}}
secrets: {crm: {file: crm-secret}}
webhooks: {crm: {url: \"http://127.0.0.1:9000/ringdown\", secret: crm, events: [contact_ended]}}",
        )
        .file("client/crm-secret", "known to two\n")
}

#[test]
fn a_server_is_told_of_each_call_once_it_takes_it_and_over_a_crash() {
    let node = Node::start(&setup());
    let received = server(node.network().socket(1, 9000), &[503, 200]);
    assert_eq!(Sipp::caller(&node, "call", "ivr").calls(2).run().successful(), 2);
    let next =
        |what: &str| received.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| panic!("{what}"));
    let refused = next("the first try");
    assert_eq!(refused.status, 503);
    let mut told: Vec<Value> = Vec::new();
    let again = next("the second try");
    assert_eq!((&again.body, &again.delivery), (&refused.body, &refused.delivery), "the same is sent again");
    assert_ne!(again.delivery, "");
    for got in [&refused, &again] {
        assert!(got.is_signed_by("known to two") && !got.is_signed_by("known to nobody"), "{got:?}");
    }
    told.extend(again.events());
    while told.len() < 2 {
        told.extend(next("both calls").events());
    }
    // What comes while the node is away is told when it is back.
    let node = node.crash_and_start_again();
    assert_eq!(Sipp::caller(&node, "call", "ivr").calls(1).run().successful(), 1);
    while !told.iter().any(|event| event["contact"] == 3) {
        told.extend(next("the third call").events());
    }
    assert!(told.iter().all(|event| event["what"]["kind"] == "contact_ended"), "{told:#?}");
    let mut contacts: Vec<_> = told.iter().filter_map(|event| event["contact"].as_u64()).collect();
    assert!(
        contacts.is_sorted() || contacts.len() > 3,
        "in their order, unless something is told again: {contacts:?}"
    );
    contacts.sort_unstable();
    contacts.dedup();
    assert_eq!(contacts, [1, 2, 3]);
    let state = node.as_operator().get("/webhooks").body;
    assert_eq!((&state[0]["client"], &state[0]["webhook"]), (&json!("client"), &json!("crm")), "{state}");
}

#[test]
fn what_a_server_refuses_is_put_by_and_sent_again_when_somebody_wants_it() {
    let node = Node::start(&setup());
    let received = server(node.network().socket(1, 9000), &[400, 400, 400, 400, 400, 200]);
    assert_eq!(Sipp::caller(&node, "call", "ivr").calls(1).run().successful(), 1);
    let operator = node.as_operator();
    until_some(Duration::from_secs(40), "it is put by", || {
        (operator.get("/webhooks").body[0]["put_by"] == 1).then_some(())
    });
    assert_eq!(received.try_iter().count(), 5, "five times it is sent");
    until_some(Duration::from_secs(10), "an alarm tells of it", || {
        operator.get("/events?kinds=alarm").body.to_string().contains("does not take events").then_some(())
    });
    let asked = node.ask(&["webhooks", "--again", "client/crm"]);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let again = received.recv_timeout(Duration::from_secs(20)).expect("it is sent again");
    assert_eq!((again.status, again.events()[0]["contact"].as_u64()), (200, Some(1)));
    until_some(Duration::from_secs(10), "nothing is put by any more", || {
        (operator.get("/webhooks").body[0]["put_by"] == 0).then_some(())
    });
}
