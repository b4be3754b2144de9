//! Flows that ask servers by HTTP.

use acceptance::{Node, Setup, Sipp};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

const TOKEN: &str = "tok-7f3a91";

/// A web server at the node's third address that knows order 4711 alone, and what it is asked: the first line and the
/// Authorization of each request.
fn shop(node: &Node) -> Receiver<[String; 2]> {
    let listener = TcpListener::bind(node.network().socket(3, 8080)).expect("a socket");
    let (sender, seen) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            let fields: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
            let found =
                fields.into_iter().find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
            let (status, body) = match first.contains("/orders/4711 ") {
                true => ("200 OK", "{\"state\":\"sent\"}"),
                false => ("404 Not Found", "{}"),
            };
            let length = body.len();
            // Whoever asked may have gone; the test may be over.
            let _ = write!(&stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = sender.send([first, found.unwrap_or_default()]);
        }
    });
    seen
}

fn asking(internal: &str) -> Setup {
    let flows = "secrets: {shop: {file: shop-token}}\nnumbers: {\"4711\": order, \"4712\": order}\nflows:\n  order:\n    \
         - http: {url: \"http://127.0.0.3:8080/orders/{call.to}\", headers: {Authorization: \"Bearer {secret.shop}\"}, \
         extract: {state: /state}, status: {\"404\": {reject: not_found}}, failed: {reject: 500}}\n    \
         - if: {when: state == 'sent', then: {reject: busy}}\n    - reject: 603\n";
    Setup::new().file("client/shop-token", &format!("{TOKEN}\n")).flows(flows).replace_in_client(
        "client: {",
        &format!("client: {{http: {{hosts: [\"127.0.0.3:8080\"], internal: [{internal}]}}, "),
    )
}

fn refused(node: &Node, number: &str, status: u16) {
    assert_eq!(Sipp::caller(node, "call-refused", number).status(status).run().successful(), 1);
}

#[test]
fn a_flow_goes_on_by_what_a_server_answers_and_the_log_has_no_secret() {
    let node = Node::start(&asking("127.0.0.0/8"));
    refused(&node, "4711", 500);
    let seen = shop(&node);
    refused(&node, "4711", 486);
    refused(&node, "4712", 404);
    let asked: Vec<_> = seen.try_iter().collect();
    assert_eq!(asked[0], ["GET /orders/4711 HTTP/1.1".to_owned(), format!("authorization: Bearer {TOKEN}")]);
    assert_eq!(asked[1][0], "GET /orders/4712 HTTP/1.1");
    assert_eq!(node.calls(3).len(), 3);
    let ended = (1..4).flat_map(|contact| node.events(contact, "http_ended"));
    let told: Vec<_> = ended.map(|it| (it["status"].as_u64(), it["attempts"].as_u64())).collect();
    assert_eq!(told, [(None, Some(2)), (Some(200), Some(1)), (Some(404), Some(1))]);
    for entry in fs::read_dir(node.state()).expect("the state").flatten() {
        let Ok(bytes) = fs::read(entry.path()) else { continue };
        let has_it = bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes());
        assert!(!has_it, "{} has the secret", entry.path().display());
    }
    node.stop();
}

#[test]
fn a_private_address_is_not_asked_unless_the_client_says_so() {
    let node = Node::start(&asking("10.0.0.0/8"));
    let seen = shop(&node);
    refused(&node, "4711", 500);
    assert!(seen.try_recv().is_err(), "it was asked");
    assert_eq!(node.calls(1).len(), 1);
    let why = node.events(1, "http_ended")[0]["error"].to_string();
    assert!(why.contains("no public address"), "{why}");
    node.stop();
}
