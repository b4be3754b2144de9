//! `/events`: the numbered event log, page by page, and as it grows by WebSocket, from any number on.

use super::super::control::Control;
use super::super::feed::{Feed, Line, Told};
use super::answer::{Answer, Asked, Fault};
use super::document::Routes;
use super::guard::{Access, token_of};
use crate::access::{Account, Role};
use axum::Json;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use utoipa::{IntoParams, ToSchema};

/// Counts up when what is told of an event changes so that who reads it must know.
const SCHEMA: u32 = 1;
/// The most events of one answer.
const MAX_EVENTS: usize = 1_000;
/// How often a silent connection is asked whether it is there; an answer must come before the next.
const PING: Duration = Duration::from_secs(20);
/// How long a listener may take what is sent to it.
const SEND: Duration = Duration::from_secs(20);

pub(super) fn routes(routes: Routes) -> Routes {
    routes.under("Events").with(__path_events, events).with(__path_stream, stream)
}

/// Which events.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Those after this number: the last that is known. The stream begins with what happens next if it is not given, a
    /// page with the first event.
    after: Option<u64>,
    /// Of this contact alone.
    contact: Option<u64>,
    /// Of these kinds alone, separated by commas: `contact_started,contact_ended`.
    kinds: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// A page of events.
#[derive(Serialize, ToSchema)]
struct Events {
    /// Counts up when what is told of an event changes so that who reads it must know.
    schema: u32,
    #[schema(value_type = Vec<Told>)]
    events: Vec<Box<RawValue>>,
    /// What `after` is for the next page. Events that are passed over count too, so that it grows also where `events` is
    /// empty.
    next: u64,
    /// The number of the last event of the log.
    last: u64,
}

/// Which of the events that pass by somebody is told.
struct Filter {
    account: Arc<Account>,
    contact: Option<u64>,
    kinds: BTreeSet<String>,
}

impl Filter {
    fn new(account: Arc<Account>, which: &Which) -> Self {
        let kinds = which.kinds.as_deref().unwrap_or_default().split(',').map(str::trim);
        let kinds = kinds.filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
        Self { account, contact: which.contact, kinds }
    }

    fn passes(&self, line: &Line) -> bool {
        let is_seen = match self.account.role {
            Role::Agent => self.account.agent.is_some() && line.agent == self.account.agent,
            _ => self.account.sees_all() || line.client.as_deref().is_some_and(|it| self.account.sees(it)),
        };
        let is_contact = self.contact.is_none_or(|contact| line.contact.is_some_and(|it| it.0 == contact));
        is_seen && is_contact && (self.kinds.is_empty() || self.kinds.contains(&line.kind))
    }
}

/// The event log, page by page
#[utoipa::path(get, path = "/events", params(Which), responses((status = 200, body = Events)),
    security(("token" = ["read_calls"])))]
async fn events(
    State(control): State<Control>,
    Access(account): Access,
    Asked(which): Asked<Which>,
) -> Answer<Events> {
    let limit = which.limit.map_or(100, |limit| limit as usize);
    if !(1..=MAX_EVENTS).contains(&limit) {
        return Err(Fault::bad(format!("`limit` must be from 1 to {MAX_EVENTS}")));
    }
    let feed = control.feed();
    let filter = Filter::new(account, &which);
    let last = *feed.listen().borrow();
    let (mut next, mut found) = (which.after.unwrap_or(0), Vec::new());
    // One page of the store, whatever passes: no answer takes long, and `next` says where to go on.
    for line in feed.after(next).await? {
        if found.len() == limit {
            break;
        }
        next = line.seq;
        if filter.passes(&line) {
            found.push(RawValue::from_string(line.json.clone()).expect("it was written as JSON"));
        }
    }
    Ok(Json(Events { schema: SCHEMA, events: found, next, last }))
}

/// The event log as it grows, by WebSocket
///
/// The first message is `{"schema": 1, "after": N}`; each that follows is an event. Whoever has lost its connection comes
/// again with `after`, the number of the last event that it has had, and misses nothing. An agent is told of its own state
/// alone (`agent_changed`), from what happens next on.
#[utoipa::path(get, path = "/events/stream", params(Which),
    responses((status = 101, description = "The connection is a WebSocket"),
        (status = 426, description = "It is no WebSocket that was asked for")),
    security(("token" = ["read_calls"]), ("token" = ["direct_oneself"])))]
async fn stream(
    State(control): State<Control>,
    Access(account): Access,
    Asked(which): Asked<Which>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refused) => {
            let error = format!("this is a WebSocket: {}", refused.body_text());
            return Fault::new(axum::http::StatusCode::UPGRADE_REQUIRED, error).into_response();
        }
    };
    let filter = Filter::new(account, &which);
    let token = token_of(&headers).unwrap_or_default().to_owned();
    // To look for the few events of one agent in all of the log is more than an agent may ask for.
    let after = which.after.filter(|_| filter.account.role != Role::Agent);
    let listener = Listener { feed: control.feed(), filter, control, token };
    upgrade.max_message_size(4 << 10).on_upgrade(move |socket| listener.tell(socket, after))
}

/// Somebody who is told of events.
struct Listener {
    feed: Arc<Feed>,
    filter: Filter,
    control: Control,
    token: String,
}

impl Listener {
    /// Tells it until it goes, takes too long, or may not be told any more.
    async fn tell(self, socket: WebSocket, after: Option<u64>) {
        let mut grown = self.feed.listen();
        let mut next = after.unwrap_or(*grown.borrow_and_update());
        let (mut to, mut from) = socket.split();
        let hello = format!("{{\"schema\":{SCHEMA},\"after\":{next}}}");
        if to.send(Message::Text(hello.into())).await.is_err() {
            return;
        }
        let mut ping = interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_there = true;
        loop {
            match self.feed.after(next).await {
                Ok(lines) if !lines.is_empty() => {
                    next = lines.last().map_or(next, |line| line.seq);
                    if !self.pass_on(&lines, &mut to).await {
                        return;
                    }
                    // Whoever reads on from long ago is looked at meanwhile, too.
                    if !self.is_let_in() {
                        return close(&mut to, 1008, "this token lets nobody in any more".to_owned()).await;
                    }
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    let reason = error.to_string().chars().take(100).collect::<String>();
                    return close(&mut to, 1011, reason).await;
                }
            }
            tokio::select! {
                more = grown.changed() => if more.is_err() { return },
                said = from.next() => match said {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => is_there = true,
                },
                _ = ping.tick() => {
                    if !self.is_let_in() {
                        return close(&mut to, 1008, "this token lets nobody in any more".to_owned()).await;
                    }
                    let asked = std::mem::replace(&mut is_there, false);
                    if !asked || to.send(Message::Ping(Vec::new().into())).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Whether it has taken them in time.
    async fn pass_on(&self, lines: &[Arc<Line>], to: &mut SplitSink<WebSocket, Message>) -> bool {
        let told = async {
            for line in lines.iter().filter(|line| self.filter.passes(line)) {
                to.feed(Message::Text(line.json.as_str().into())).await?;
            }
            to.flush().await
        };
        matches!(timeout(SEND, told).await, Ok(Ok(())))
    }

    /// Whether its token still lets in whom it did.
    fn is_let_in(&self) -> bool {
        self.control
            .account_of(&self.token, Timestamp::now())
            .is_some_and(|account| account == *self.filter.account)
    }
}

/// It is on its way out, whether it hears why or not.
async fn close(to: &mut SplitSink<WebSocket, Message>, code: u16, reason: String) {
    let _ = to.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
}
