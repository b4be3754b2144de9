//! The pages, and whom their cookie lets in.

use acceptance::{Api, Node, Said, Setup};
use serde_json::json;
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;

/// What a page of the node puts beside its requests.
const OWN: &str = "Origin: http://node\r\nX-Ringdown: 1\r\n";
const PASSWORD: &str = "a password of carol's";

/// A node with two agents, of which `carol` may direct one.
fn node() -> Node {
    let node = Node::start(
        &Setup::new().wss().flows("agents: {1000: {}, 1001: {}}\nqueues: {floor: {agents: all}}\n"),
    );
    let carol = json!({"name": "carol", "role": "agent", "agent": "1000", "clients": ["client"], "password": PASSWORD});
    assert_eq!(node.as_operator().post("/accounts", &carol).status, 200);
    node
}

/// The line of a request that shows the cookie of who has logged in.
fn log_in(stranger: &Api) -> String {
    let credentials = json!({"name": "carol", "password": PASSWORD});
    let said = stranger.ask_with("POST", "/session", Some(&credentials), OWN);
    assert_eq!((said.status, &said.body["account"]["name"]), (200, &json!("carol")), "{said:?}");
    assert!(said.body["token"].is_null(), "no script sees the token: {said:?}");
    let cookie = said.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    // The name `node` is not loopback.
    for part in ["; httponly", "; samesite=strict", "; secure", "; path=/", "; max-age=4"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let (pair, _) = cookie.split_once(';').expect("attributes");
    format!("Cookie: other=1; {pair}\r\n")
}

#[test]
fn a_page_is_let_in_by_its_cookie_and_no_other_sites_page_is() {
    let node = node();
    let stranger = node.as_stranger();
    let credentials = json!({"name": "carol", "password": PASSWORD});
    assert_eq!(stranger.post("/session", &credentials).status, 403, "it comes from no page");
    let cookie = log_in(&stranger);
    let ask = |method: &str, path: &str, head: &str| {
        stranger.ask_with(method, path, None, &format!("{cookie}{head}"))
    };
    assert_eq!(ask("GET", "/me", "").body["name"], "carol");
    assert_eq!(ask("POST", "/agents/1000/login", OWN).status, 200);
    for head in [
        "",
        "X-Ringdown: 1\r\n",
        "Origin: http://node\r\n",
        "Origin: http://evil.example\r\nX-Ringdown: 1\r\n",
        "Origin: null\r\nX-Ringdown: 1\r\n",
        "Origin: http://node\r\nX-Ringdown: 1\r\nSec-Fetch-Site: cross-site\r\n",
    ] {
        let said = ask("POST", "/agents/1000/logout", head);
        assert_eq!(said.status, 403, "{head}: {said:?}");
    }
    assert_eq!(ask("GET", "/agents", "").body[0]["state"], "unreachable", "it is logged in still");
    assert_eq!(ask("POST", "/agents/1001/login", OWN).status, 404, "it is another one's");
    let out = ask("POST", "/logout", OWN);
    assert!(out.status == 200 && out.head.contains("set-cookie: ringdown_session=; max-age=0"), "{out:?}");
    assert_eq!(ask("GET", "/me", "").status, 401);
}

/// The answer to a page that wants to be told of events.
fn listen(node: &Node, cookie: &str, origin: Option<&str>) -> Option<u16> {
    let stream = TcpStream::connect(node.http()).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let mut request = format!("ws://{}/events/stream", node.http()).into_client_request().expect("a request");
    let cookie = cookie.trim().strip_prefix("Cookie: ").expect("a line");
    request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().expect("a header"));
    }
    match tungstenite::client(request, stream) {
        Ok(_) => None,
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(said))) => {
            Some(said.status().as_u16())
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_websocket_by_cookie_says_which_page_it_comes_from() {
    let node = node();
    let cookie = log_in(&node.as_stranger());
    let own = format!("http://{}", node.http());
    assert_eq!(listen(&node, &cookie, Some(&own)), None);
    assert_eq!(listen(&node, &cookie, Some("http://evil.example")), Some(403));
    assert_eq!(listen(&node, &cookie, None), Some(403));
}

#[test]
fn an_agents_phone_has_what_it_registers_with_and_nobody_elses_has() {
    let node = node();
    let stranger = node.as_stranger();
    let cookie = log_in(&stranger);
    let said = stranger.ask_with("POST", "/me/phone", None, &format!("{cookie}{OWN}"));
    let own = |name: &str| said.body[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (said.status, own("user"), own("transport")),
        (200, "1000".to_owned(), "wss".to_owned()),
        "{said:?}"
    );
    assert_eq!(own("ha1").len(), 32);
    assert!(!said.body.to_string().contains("pw1000"), "the password is not told: {said:?}");
    let watcher = node.as_account(&json!({"name": "dave", "role": "supervisor"}));
    assert_eq!(watcher.post("/me/phone", &json!({})).status, 404);
    assert_eq!(node.as_operator().get("/agents/1000/contact").status, 404, "it has no call");
}

#[test]
fn pages_tell_browsers_to_let_nothing_else_in() {
    let node = node();
    let stranger = node.as_stranger();
    let page = stranger.get("/floor");
    let has = |said: &Said, line: &str| assert!(said.head.contains(line), "{line}: {}", said.head);
    assert_eq!(page.status, 200, "{page:?}");
    for line in [
        "content-security-policy: default-src 'self'; connect-src 'self' ws://node wss://node wss://node:5064;",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-cache",
        "content-type: text/html; charset=utf-8",
    ] {
        has(&page, line);
    }
    let text = page.body.as_str().expect("text");
    let script = text.split('"').find(|part| part.ends_with(".js")).expect("a script");
    let script = stranger.get(script);
    has(&script, "cache-control: public, max-age=31536000, immutable");
    has(&script, "content-type: text/javascript");
    let tag = page.head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
    let again = stranger.ask_with("GET", "/floor", None, &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((again.status, again.body.as_str()), (304, Some("")), "{again:?}");
    assert_eq!(stranger.get("/assets/nothing.js").status, 404);
    assert_eq!(stranger.get("/assets/..%2findex.html").status, 404);
}
