//! The request of an `http` step: where, how and with what.

use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Value};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{BodyKind, HttpBody, HttpMethod, HttpRequest, Site, Turn, Word};
use crate::template::{Part, Template};
use crate::verb::Step;
use crate::web;
use crate::yaml::{self, Node};
use clock::Duration;
use std::fmt::Write as _;
use std::sync::Arc;

/// A caller waits no longer.
const LONGEST: Duration = Duration::from_secs(60);
const USUALLY_WITHIN: Duration = Duration::from_secs(5);
const USUALLY_CONNECTS: Duration = Duration::from_secs(2);
const MOST_RETRIES: u32 = 3;
/// Those of the connection and the body.
const OWN_HEADERS: [&str; 7] =
    ["host", "content-length", "content-type", "transfer-encoding", "connection", "te", "upgrade"];
const IDEMPOTENCY: &str = "Idempotency-Key";

#[derive(Debug)]
pub(super) struct Request {
    method: HttpMethod,
    site: Site,
    path: Template,
    /// The URL as it is written, for the log.
    url: String,
    headers: Vec<(Arc<str>, Template)>,
    body: Option<(BodyKind, Body)>,
    connect: Duration,
    within: Duration,
    retries: u8,
    /// Whether the server is told by a key which requests are the same.
    has_key: bool,
}

/// What is sent.
#[derive(Debug)]
enum Body {
    Value(Part),
    List(Vec<Body>),
    Map(Vec<(String, Body)>),
}

impl Request {
    pub(super) fn parse(
        step: &Step<'_>,
        fields: &Fields<'_>,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<Self> {
        let url = fields.require("url", compiler.faults).and_then(|node| self::url(node, compiler));
        let method = fields.get("method").map_or(Some(HttpMethod::Get), |node| self::method(node, compiler));
        let headers = headers(fields.get("headers"), compiler);
        let body = body(fields, compiler);
        let mut length = |name: &str, usual: Duration| {
            let node = fields.get(name);
            node.and_then(|it| it.duration_up_to(&format!("`{name}`"), LONGEST, compiler.faults))
                .unwrap_or(usual)
        };
        let within = length("within", USUALLY_WITHIN);
        let connect = length("connect", USUALLY_CONNECTS.min(within));
        let has_key = fields.get("idempotent").and_then(|it| it.flag("`idempotent`", compiler.faults));
        let (method, has_key) = (method?, has_key.unwrap_or(false));
        let retries = fields.get("retries").and_then(|node| {
            let count = node.number("`retries`", 0, MOST_RETRIES, compiler.faults)?;
            if count > 0 && !method.is_idempotent() && !has_key {
                let hint = "write `idempotent: true` if the server knows requests by their Idempotency-Key";
                let message = format!("a {} that is sent twice may be done twice", method.name());
                compiler.faults.hinted(node.span, message, hint);
            }
            u8::try_from(count).ok()
        });
        if body.is_some() && matches!(method, HttpMethod::Get | HttpMethod::Head) {
            let message = format!("a {} brings nothing", method.name());
            compiler.faults.hinted(step.at, message, "write method: POST");
        }
        let (site, path, url) = url?;
        let usually = u8::from(method.is_idempotent());
        Some(Self {
            method,
            site,
            path,
            url,
            headers,
            body,
            connect,
            within,
            retries: retries.unwrap_or(usually),
            has_key,
        })
    }

    /// What the log says of it: the values that stand in it are nobody's affair there.
    pub(super) fn shown(&self) -> String {
        const LONGEST: usize = 80;
        format!("{} {}", self.method.name(), self.url).chars().take(LONGEST).collect()
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        self.path.check(scope, faults);
        self.headers.iter().for_each(|(_, template)| template.check(scope, faults));
        if let Some((_, body)) = &self.body {
            body.check(scope, faults);
        }
    }

    /// As it is to be sent now; `None` where a value cannot be reckoned, or must not stand where it would.
    pub(super) fn write(&self, turn: &mut Turn<'_>) -> Option<HttpRequest> {
        let mut path = String::new();
        for part in &self.path.parts {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Value(value) => segment(&turn.value(value).ok()?.to_string(), &mut path)?,
                Part::Secret(_) => return None,
            }
        }
        let mut headers = Vec::new();
        for (name, template) in &self.headers {
            headers.push((Arc::clone(name), header(template, turn)?));
        }
        if self.has_key {
            let key = (0..4).fold(String::new(), |key, _| format!("{key}{:08x}", turn.lot(u32::MAX)));
            headers.push((IDEMPOTENCY.into(), vec![Word::Text(key.into())]));
        }
        let body = match &self.body {
            Some((kind, body)) => Some(HttpBody { kind: *kind, words: body.write(*kind, turn)? }),
            None => None,
        };
        Some(HttpRequest {
            method: self.method,
            site: self.site.clone(),
            path: path.into(),
            headers,
            body,
            connect: self.connect,
            within: self.within,
            retries: self.retries,
        })
    }
}

fn method(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<HttpMethod> {
    let text = node.text("`method`", compiler.faults)?;
    let found = HttpMethod::ALL.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        compiler.faults.unknown(
            node.span,
            "unknown method {}",
            text,
            HttpMethod::ALL.into_iter().map(|(it, _)| it),
        );
    }
    found.map(|(_, method)| *method)
}

/// Who is asked is written out and on the client's list: no caller chooses it.
fn url(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<(Site, Template, String)> {
    let text = node.text("`url`", compiler.faults)?;
    let example = "https://api.example.com/orders/{order}";
    let (is_secure, rest) = web::scheme(text, node.span, example, compiler.faults)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('{') {
        let hint =
            "write the server out, and let values stand behind it; `switch` chooses among several steps";
        compiler.faults.hinted(node.span, "no value may say which server is asked", hint);
        return None;
    }
    let authority = authority.to_ascii_lowercase();
    let site = compiler.site(&authority, is_secure, node.span)?;
    let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && !b"#\"<>\\^`|".contains(&b));
    let template = Template::read(node, text, text.len() - path.len(), compiler)?;
    for part in &template.parts {
        let message = match part {
            Part::Text(text) if !is_plain(text) => format!("`{text}` cannot stand in a URL"),
            Part::Secret(name) => format!("`secret.{name}` would be read by whoever logs the URL"),
            _ => continue,
        };
        let hint = "blanks and the like are written as %20; secrets belong into `headers`";
        compiler.faults.hinted(node.span, message, hint);
    }
    let template = if path.starts_with('/') { template } else { template.behind("/") };
    Some((site, template, text.to_owned()))
}

fn headers(node: Option<&Node>, compiler: &mut Compiler<'_, '_>) -> Vec<(Arc<str>, Template)> {
    let mut headers = Vec::new();
    for (key, node) in node.map_or(&[][..], |node| node.entries("`headers`", compiler.faults)) {
        let name = key.text.as_str();
        let is_token = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if name.is_empty() || !is_token || OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            let hint = "Host, Content-Type and the like are written by themselves";
            compiler.faults.hinted(key.span, format!("`{name}` cannot be a header here"), hint);
            continue;
        }
        let Some(text) = node.text("a header", compiler.faults) else { continue };
        headers.extend(Template::read(node, text, 0, compiler).map(|template| (name.into(), template)));
    }
    headers
}

/// A header's value; none may begin another one.
fn header(template: &Template, turn: &Turn<'_>) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    for part in &template.parts {
        let text: Arc<str> = match part {
            Part::Secret(name) => {
                words.push(Word::Secret(Arc::clone(name)));
                continue;
            }
            Part::Text(text) => text.as_str().into(),
            Part::Value(value) => turn.value(value).ok()?.to_string().into(),
        };
        if !text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return None;
        }
        words.push(Word::Text(text));
    }
    Some(words)
}

fn body(fields: &Fields<'_>, compiler: &mut Compiler<'_, '_>) -> Option<(BodyKind, Body)> {
    if let (Some(_), Some((key, _))) = (fields.get("json"), fields.entry("form")) {
        compiler.faults.error(key.span, "a request brings `json` or `form`");
    }
    if let Some(node) = fields.get("json") {
        return Body::read(node, compiler).map(|body| (BodyKind::Json, body));
    }
    let mut form = Vec::new();
    for (key, node) in fields.get("form")?.entries("`form`", compiler.faults) {
        form.extend(Body::leaf(node, compiler).map(|value| (key.text.clone(), value)));
    }
    Some((BodyKind::Form, Body::Map(form)))
}

impl Body {
    fn read(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<Self> {
        match &node.value {
            yaml::Value::List(items) => {
                Some(Self::List(items.iter().filter_map(|item| Self::read(item, compiler)).collect()))
            }
            yaml::Value::Map(entries) => {
                let one =
                    |(key, node): &(yaml::Key, Node)| Some((key.text.clone(), Self::read(node, compiler)?));
                Some(Self::Map(entries.iter().filter_map(one).collect()))
            }
            _ => Self::leaf(node, compiler),
        }
    }

    fn leaf(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<Self> {
        if let yaml::Value::Scalar { text, .. } = &node.value
            && text.starts_with("secret.")
        {
            return Part::read(text, node.span, None, compiler).map(Self::Value);
        }
        Expression::parse(node, "a value", compiler.faults).map(|it| Self::Value(Part::Value(it)))
    }

    fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        match self {
            Self::Value(Part::Value(value)) => {
                value.check(scope, faults);
            }
            Self::Value(_) => {}
            Self::List(items) => items.iter().for_each(|item| item.check(scope, faults)),
            Self::Map(entries) => entries.iter().for_each(|(_, item)| item.check(scope, faults)),
        }
    }

    fn write(&self, kind: BodyKind, turn: &Turn<'_>) -> Option<Vec<Word>> {
        let mut writer = Writer::default();
        match (kind, self) {
            (BodyKind::Json, body) => writer.json(body, turn)?,
            (BodyKind::Form, Self::Map(entries)) => writer.form(entries, turn)?,
            (BodyKind::Form, _) => {}
        }
        Some(writer.end())
    }
}

/// Pieces of a body, as few as can be.
#[derive(Default)]
struct Writer {
    words: Vec<Word>,
    text: String,
}

impl Writer {
    fn json(&mut self, body: &Body, turn: &Turn<'_>) -> Option<()> {
        match body {
            Body::Value(Part::Secret(name)) => self.secret(name),
            Body::Value(Part::Text(text)) => self.text.push_str(&quoted(text)),
            Body::Value(Part::Value(value)) => self.text.push_str(&json_of(&turn.value(value).ok()?)),
            Body::List(items) => {
                self.text.push('[');
                for (place, item) in items.iter().enumerate() {
                    self.text.push_str(if place > 0 { "," } else { "" });
                    self.json(item, turn)?;
                }
                self.text.push(']');
            }
            Body::Map(entries) => {
                self.text.push('{');
                for (place, (key, item)) in entries.iter().enumerate() {
                    self.text.push_str(if place > 0 { "," } else { "" });
                    self.text.push_str(&quoted(key));
                    self.text.push(':');
                    self.json(item, turn)?;
                }
                self.text.push('}');
            }
        }
        Some(())
    }

    fn form(&mut self, entries: &[(String, Body)], turn: &Turn<'_>) -> Option<()> {
        for (place, (key, item)) in entries.iter().enumerate() {
            self.text.push_str(if place > 0 { "&" } else { "" });
            encode(key, &mut self.text);
            self.text.push('=');
            match item {
                Body::Value(Part::Secret(name)) => self.secret(name),
                Body::Value(Part::Value(value)) => {
                    encode(&turn.value(value).ok()?.to_string(), &mut self.text)
                }
                _ => {}
            }
        }
        Some(())
    }

    fn secret(&mut self, name: &Arc<str>) {
        self.flush();
        self.words.push(Word::Secret(Arc::clone(name)));
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.words.push(Word::Text(std::mem::take(&mut self.text).into()));
        }
    }

    fn end(mut self) -> Vec<Word> {
        self.flush();
        self.words
    }
}

fn json_of(value: &Value) -> String {
    match value {
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(number) => serde_json::Value::from(*number).to_string(),
        Value::Text(text) => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A value in a path or query. One of dots alone would lead elsewhere (RFC 3986 section 5.2.4).
fn segment(value: &str, path: &mut String) -> Option<()> {
    let leads_elsewhere = !value.is_empty() && value.bytes().all(|b| b == b'.');
    encode(value, path);
    (!leads_elsewhere).then_some(())
}

/// Everything but the unreserved characters of RFC 3986 section 2.3 is encoded.
fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
