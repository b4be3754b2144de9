//! A node's HTTP interface, as a program on another machine asks it.

use crate::Node;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What a node has answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The HTTP status.
    pub status: u16,
    /// The head, in lower case.
    pub head: String,
    /// The body as JSON; a string if it is none.
    pub body: Value,
}

/// Somebody who asks a node.
#[derive(Clone, Debug)]
pub struct Api {
    address: SocketAddr,
    token: Option<String>,
}

impl Node {
    /// Where it serves HTTP.
    pub fn http(&self) -> SocketAddr {
        let text = fs::read_to_string(self.state().join("http.address")).expect("it serves HTTP");
        text.trim().parse().expect("an address")
    }

    /// Asks it as whoever runs it does.
    pub fn as_operator(&self) -> Api {
        let token = fs::read_to_string(self.state().join("http.token")).expect("it lets its operator in");
        Api { address: self.http(), token: Some(token.trim().to_owned()) }
    }

    /// Asks it without a token.
    pub fn as_stranger(&self) -> Api {
        Api { address: self.http(), token: None }
    }

    /// Makes an account of a program, and asks as that.
    ///
    /// # Panics
    /// When it is refused.
    pub fn as_account(&self, account: &Value) -> Api {
        let made = self.as_operator().ask("POST", "/accounts", Some(account));
        assert_eq!(made.status, 200, "{account}: {made:?}");
        let token = made.body["token"].as_str().expect("a token").to_owned();
        Api { address: self.http(), token: Some(token) }
    }
}

impl Api {
    /// The same with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// What it shows.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// What is at a path.
    pub fn get(&self, path: &str) -> Said {
        self.ask("GET", path, None)
    }

    /// Sends JSON to a path.
    pub fn post(&self, path: &str, body: &Value) -> Said {
        self.ask("POST", path, Some(body))
    }

    /// One request.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Said {
        self.ask_with(method, path, body, "")
    }

    /// One request with more lines in its head, each with its end.
    ///
    /// # Panics
    /// When no answer comes, or one that is no HTTP.
    pub fn ask_with(&self, method: &str, path: &str, body: Option<&Value>, head: &str) -> Said {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        let shown =
            self.token.as_ref().map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let (body, kind) = match body {
            Some(body) => (body.to_string(), "Content-Type: application/json\r\n"),
            None => (String::new(), ""),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n{shown}{kind}{head}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("it answers");
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) =
            text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: no HTTP: {text:?}"));
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
        Said { status, head: head.to_lowercase(), body }
    }
}
