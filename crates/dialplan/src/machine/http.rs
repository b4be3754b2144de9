//! What flows ask by HTTP, and what they are told.

use clock::Duration;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A request as it is to be sent. It shows no secret: only whoever sends it knows their values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// How.
    pub method: HttpMethod,
    /// Whom.
    pub site: Site,
    /// The path and the query, encoded.
    pub path: Arc<str>,
    /// Besides those that belong to the connection and the body.
    pub headers: Vec<(Arc<str>, Vec<Word>)>,
    /// What is sent.
    pub body: Option<HttpBody>,
    /// How long a connection may take.
    pub connect: Duration,
    /// How long all of it may take, with every attempt.
    pub within: Duration,
    /// How often it may be sent again, where there was no answer or one that says to come back.
    pub retries: u8,
}

/// A server, as its host is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Site {
    /// Whether by TLS.
    pub is_secure: bool,
    /// The name, or the address; one of IPv6 in brackets.
    pub host: Arc<str>,
    /// Where it listens.
    pub port: u16,
}

/// A method of RFC 9110 section 9, or PATCH of RFC 5789.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HttpMethod {
    /// Asks.
    Get,
    /// Asks for the header alone.
    Head,
    /// Does something, each time again.
    Post,
    /// Puts something in its place.
    Put,
    /// Changes something.
    Patch,
    /// Takes something away.
    Delete,
}

/// A piece of a text that is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// As it stands.
    Text(Arc<str>),
    /// The value of the client's secret of that name, encoded as its place wants it.
    Secret(Arc<str>),
}

/// What a request brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpBody {
    /// How values stand in it.
    pub kind: BodyKind,
    /// One after the other.
    pub words: Vec<Word>,
}

/// How values stand in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyKind {
    /// As texts of JSON (RFC 8259), in quotes.
    Json,
    /// As fields of a form (`application/x-www-form-urlencoded`).
    Form,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HttpResult {
    /// It was answered.
    Answered {
        /// 200–599.
        status: u16,
        /// What came with it.
        body: Arc<str>,
    },
    /// Not in time.
    TimedOut,
    /// It could not be asked, or its answer could not be read.
    Failed,
}

impl HttpMethod {
    pub(crate) const ALL: [(&str, Self); 6] = [
        ("GET", Self::Get),
        ("HEAD", Self::Head),
        ("POST", Self::Post),
        ("PUT", Self::Put),
        ("PATCH", Self::Patch),
        ("DELETE", Self::Delete),
    ];

    /// `GET`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }

    /// Whether it does no more when it is done twice (RFC 9110 section 9.2.2).
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }
}

impl Site {
    /// The port where nothing else is said.
    pub(crate) const fn usual_port(is_secure: bool) -> u16 {
        if is_secure { 443 } else { 80 }
    }

    /// As it stands in a URL and in the field Host: without the port where that is the usual one.
    pub fn authority(&self) -> String {
        if self.port == Self::usual_port(self.is_secure) {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Site {
    /// `https://api.example.com`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl fmt::Display for HttpRequest {
    /// In a line, with the names of secrets: `POST https://api.example.com/orders {"order":"4711"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method.name(), self.site, self.path)?;
        let Some(body) = &self.body else { return Ok(()) };
        f.write_str(" ")?;
        for word in &body.words {
            match (word, body.kind) {
                (Word::Text(text), _) => f.write_str(text)?,
                (Word::Secret(name), BodyKind::Json) => write!(f, "\"{{secret.{name}}}\"")?,
                (Word::Secret(name), BodyKind::Form) => write!(f, "{{secret.{name}}}")?,
            }
        }
        Ok(())
    }
}
