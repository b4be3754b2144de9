//! Who asks, and whether they may: what every request goes through before its operation.

use super::super::control::{Control, Request as Logged};
use super::answer::Fault;
use super::idempotency::{self, Answers, Turn};
use super::pace::Pace;
use super::session;
use crate::access::{Account, Right, Role};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The largest body of a request.
pub(super) const MAX_BODY: usize = 16 << 10;
/// The most of a path that the log has.
const MAX_LOGGED: usize = 200;
/// The largest answer to a request that changes something.
const MAX_ANSWER: usize = 1 << 20;

/// What is kept of those who ask.
pub(super) struct Gate {
    accounts: Pace<Arc<str>>,
    /// Who shows no token, by its address.
    strangers: Pace<IpAddr>,
    /// Who changes its password, and so may try what the old one is.
    passwords: Pace<Arc<str>>,
    answers: Answers,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            accounts: Pace::new(400, Duration::from_millis(10)),
            strangers: Pace::new(10, Duration::from_secs(30)),
            passwords: Pace::new(10, Duration::from_secs(30)),
            answers: Answers::default(),
        }
    }
}

/// What an operation needs.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) control: Control,
    pub(super) gate: Arc<Gate>,
    /// Any of them; nothing for what everybody may ask.
    pub(super) rights: Arc<[Right]>,
}

/// Lets a request through to its operation, or says why not.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let admitted = if guard.rights.is_empty() {
        guard.let_stranger_in(request, next).await
    } else {
        guard.let_account_in(request, next).await
    };
    admitted.unwrap_or_else(IntoResponse::into_response)
}

impl Guard {
    /// What is open to everybody. Whoever tries passwords is slowed down; who has the right one is not.
    async fn let_stranger_in(self, request: Request, next: Next) -> Result<Response, Fault> {
        if request.method().is_safe() {
            return Ok(next.run(request).await);
        }
        let source = source(&request);
        self.gate.strangers.take(network(source), Instant::now()).map_err(Fault::too_many)?;
        let logged = logged(&request, source.to_string().into());
        let gate = Arc::clone(&self.gate);
        let response = self.act(logged, None, request, next).await?;
        if response.status().is_success() {
            gate.strangers.give_back(&network(source));
        }
        Ok(response)
    }

    async fn let_account_in(self, mut request: Request, next: Next) -> Result<Response, Fault> {
        let account = Arc::new(self.account(request.headers())?);
        if session::is_shown(request.headers()) {
            session::admit(request.method(), request.headers())?;
        }
        if !self.rights.iter().any(|right| account.may(*right)) {
            let scopes: Vec<_> = self.rights.iter().map(|right| right.scope()).collect();
            let error = format!("`{}` may not: it needs the scope {}", account.name, scopes.join(" or "));
            return Err(Fault::new(StatusCode::FORBIDDEN, error));
        }
        let (name, now) = (&account.name, Instant::now());
        self.gate.accounts.take(Arc::clone(name), now).map_err(Fault::too_many)?;
        request.extensions_mut().insert(Access(Arc::clone(&account)));
        if request.method().is_safe() {
            return Ok(next.run(request).await);
        }
        if request.uri().path() == "/me/password" {
            self.gate.passwords.take(Arc::clone(name), now).map_err(Fault::too_many)?;
        }
        let logged = logged(&request, Arc::clone(name));
        let Some(key) = idempotency::key(request.headers())? else {
            return self.act(logged, None, request, next).await;
        };
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| {
            Fault::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {MAX_BODY} bytes"))
        })?;
        let asked = (&parts.method, &parts.uri, &bytes[..]);
        match self.gate.answers.begin((Arc::clone(name), key), asked, now)? {
            Turn::Done(response) => Ok(response),
            Turn::Do(key) => {
                let request = Request::from_parts(parts, Body::from(bytes));
                self.act(logged, Some(key), request, next).await
            }
        }
    }

    /// Does what changes something, logs it, and keeps its answer by its key. In a task of its own, so that all of that
    /// is done to its end, also if whoever asked hangs up.
    async fn act(
        self,
        mut logged: Logged,
        key: Option<idempotency::Key>,
        mut request: Request,
        next: Next,
    ) -> Result<Response, Fault> {
        let subject = Subject::default();
        request.extensions_mut().insert(subject.clone());
        let (gate, control, kept) = (Arc::clone(&self.gate), self.control, key.clone());
        let done = tokio::spawn(async move {
            let response = next.run(request).await;
            logged.contact = subject.0.get().copied();
            // A node on its way down takes nothing into its log; what was done is done.
            let _ = control.log_request(logged, response.status().as_u16()).await;
            let Some(key) = kept else { return response };
            let (parts, body) = response.into_parts();
            let body: Bytes = to_bytes(body, MAX_ANSWER).await.unwrap_or_default();
            gate.answers.keep(&key, parts.status, &parts.headers, &body);
            Response::from_parts(parts, Body::from(body))
        });
        done.await.map_err(|error| {
            tracing::error!("a request by HTTP has failed: {error}");
            if let Some(key) = key {
                self.gate.answers.forget(&key);
            }
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the node has failed at this; its log says why")
        })
    }

    fn account(&self, headers: &HeaderMap) -> Result<Account, Fault> {
        let token = token_of(headers);
        let found = token.and_then(|token| self.control.account_of(token, Timestamp::now()));
        found.ok_or_else(|| {
            let error = match token {
                None => "show a token: `Authorization: Bearer ringdown_…`",
                Some(_) => "this token lets nobody in, or no longer",
            };
            Fault::new(StatusCode::UNAUTHORIZED, error)
        })
    }
}

/// A request as the log has it.
fn logged(request: &Request, by: Arc<str>) -> Logged {
    let path: String = request.uri().path().chars().take(MAX_LOGGED).collect();
    Logged { by, method: request.method().to_string(), path, contact: None }
}

/// Whom an address stands for: who has one address of IPv6 has its network.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

/// From where a request comes: a proxy on the node's own machine says so for others.
fn source(request: &Request) -> IpAddr {
    let peer: Option<&ConnectInfo<SocketAddr>> = request.extensions().get();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip().to_canonical());
    let told = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    // The last is the one that the proxy itself has written.
    let told = told.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    told.filter(|_| peer.is_loopback()).unwrap_or(peer)
}

/// The token that a request shows, by itself or by the cookie of a page.
pub(super) fn token_of(headers: &HeaderMap) -> Option<&str> {
    if session::is_shown(headers) {
        return session::token_of(headers);
    }
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Who asks.
#[derive(Clone)]
pub(super) struct Access(pub(super) Arc<Account>);

impl Access {
    /// Who wants it, for the log: the account, and on the node's own machine whom the command names.
    pub(super) fn by(&self, named: Option<Arc<str>>) -> Arc<str> {
        let is_node = *self.0 == Account::of_the_node();
        named.filter(|_| is_node).unwrap_or_else(|| Arc::clone(&self.0.name))
    }

    /// The clients whose rows are asked for: the one that is named, or all that it sees, where none is all there are.
    pub(super) fn clients(&self, named: Option<String>) -> Result<Vec<String>, Fault> {
        match named {
            Some(client) if self.0.sees(&client) => Ok(vec![client]),
            Some(client) => Err(Fault::unknown(format!("there is no client `{client}`"))),
            None => Ok(self.0.clients.iter().map(|client| client.to_string()).collect()),
        }
    }

    /// Whether it sees an agent.
    pub(super) fn sees_agent(&self, control: &Control, agent: &str) -> bool {
        if self.0.role == Role::Agent {
            return self.0.agent.as_deref() == Some(agent);
        }
        self.0.sees_all() || control.client_of_agent(agent).is_some_and(|client| self.0.sees(&client))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Fault> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "nobody has asked who asks: tell us of it")
        })
    }
}

/// The contact that a request is about, once it is admitted to that.
#[derive(Clone, Default)]
struct Subject(Arc<OnceLock<u64>>);

/// The contact that a path names, if whoever asks sees its client.
pub(super) struct Contact(pub(super) u64);

impl FromRequestParts<Control> for Contact {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Fault> {
        let text = part(parts, "contact").await?;
        let number: u64 =
            text.parse().map_err(|_| Fault::bad(format!("`{text}` is no number of a contact")))?;
        let Access(account) = Access::from_request_parts(parts, control).await?;
        let is_seen = account.sees_all()
            || control.client_of_contact(number).await?.is_some_and(|client| account.sees(&client));
        if !is_seen {
            return Err(Fault::unknown(format!("there is no contact {number}")));
        }
        if let Some(Subject(subject)) = parts.extensions.get() {
            // A request names one contact.
            let _ = subject.set(number);
        }
        Ok(Self(number))
    }
}

/// The agent that a path names, if whoever asks sees it.
pub(super) struct AgentName(pub(super) Arc<str>);

impl FromRequestParts<Control> for AgentName {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Fault> {
        let name = part(parts, "agent").await?;
        let access = Access::from_request_parts(parts, control).await?;
        if access.sees_agent(control, &name) {
            Ok(Self(name.into()))
        } else {
            Err(Fault::unknown(format!("there is no agent `{name}`")))
        }
    }
}

/// The user that a path names, if whoever asks sees its client, or is the agent who sits at its phone.
pub(super) struct UserName(pub(super) String);

impl FromRequestParts<Control> for UserName {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Fault> {
        let name = part(parts, "user").await?;
        let Access(account) = Access::from_request_parts(parts, control).await?;
        let is_seen = match account.role {
            Role::Agent => {
                let own = control.phone_of(account.agent.as_deref().unwrap_or_default()).await?;
                own.is_some_and(|own| *own == *name)
            }
            _ => account.sees_all() || control.client_of_user(&name).is_some_and(|it| account.sees(&it)),
        };
        if is_seen { Ok(Self(name)) } else { Err(Fault::unknown(format!("there is no user `{name}`"))) }
    }
}

/// A part of the path by its name.
pub(super) async fn part(parts: &mut Parts, name: &str) -> Result<String, Fault> {
    let found = Path::<HashMap<String, String>>::from_request_parts(parts, &()).await;
    let Path(mut found) = found.map_err(|error| Fault::bad(error.body_text()))?;
    found.remove(name).ok_or_else(|| Fault::bad(format!("the path has no `{name}`")))
}
