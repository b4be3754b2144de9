//! `/calls`: what became of calls, what is done with one that is up, and who listens to it.

use super::super::control::Control;
use super::super::feed::Told;
use super::super::inbox::Gone;
use super::answer::{Answer, Asked, Body, Fault};
use super::document::Routes;
use super::floor::Done;
use super::guard::{Access, Contact};
use crate::access::Role;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use events::cdr::Cdr;
use events::{ContactId, SuperviseMode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::Filter;
use switch::{RecordOrder, RecordRefused, SuperviseOrder, SuperviseRefused};
use utoipa::{IntoParams, ToSchema};

/// The most calls of one answer.
const MAX_CALLS: u32 = 1_000;
/// The most letters of what is noted of a call.
const MAX_NOTE: usize = 64;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .under("Calls")
        .with(__path_calls, calls)
        .with(__path_call, call)
        .with(__path_hang_up, hang_up)
        .with(__path_history, history)
        .with(__path_begin, begin)
        .with(__path_change, change)
        .with(__path_end, end)
        .with(__path_record, record)
        .with(__path_note, note)
}

/// Which calls.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// At most so many.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Of this client alone.
    client: Option<String>,
    /// From or to this number, with or without its country code.
    number: Option<String>,
    /// Begun then or later, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// The page after this one: as `next` of the page before says.
    before: Option<String>,
}

/// A page of calls that have ended, the latest begun first.
#[derive(Serialize, ToSchema)]
struct Calls {
    /// Call detail records.
    #[schema(value_type = Vec<Object>)]
    calls: Vec<Cdr>,
    /// What `before` is for the next page; null if this is the last.
    next: Option<String>,
}

/// Calls that have ended, the latest first
#[utoipa::path(get, path = "/calls", params(Which), responses((status = 200, body = Calls)),
    security(("token" = ["read_calls"])))]
async fn calls(
    State(control): State<Control>,
    access: Access,
    Asked(Which { limit, client, number, since, before }): Asked<Which>,
) -> Answer<Calls> {
    let limit = limit.unwrap_or(100);
    if !(1..=MAX_CALLS).contains(&limit) {
        return Err(Fault::bad(format!("`limit` must be from 1 to {MAX_CALLS}")));
    }
    let before =
        before.map(|text| cursor(&text).ok_or_else(|| Fault::bad("`before` is no `next` of a page")));
    let clients = access.clients(client)?;
    let filter = Filter { since, number, clients, before: before.transpose()? };
    let calls = control.reader().calls(limit, &filter).await?;
    let is_last = calls.len() < limit as usize;
    let next = calls.last().filter(|_| !is_last);
    let next = next.map(|last| format!("{}-{}", last.started.utc.as_microsecond(), last.contact.0));
    Ok(Json(Calls { calls, next }))
}

/// Where a page goes on: the moment and the number of the last call of the one before.
fn cursor(text: &str) -> Option<(Timestamp, ContactId)> {
    let (micros, contact) = text.rsplit_once('-')?;
    let at = Timestamp::from_microsecond(micros.parse().ok()?).ok()?;
    Some((at, ContactId(contact.parse().ok()?)))
}

/// What became of one call
#[utoipa::path(get, path = "/calls/{contact}", params(("contact" = u64, Path)),
    responses((status = 200, description = "Its call detail record", body = Object)),
    security(("token" = ["read_calls"])))]
async fn call(State(control): State<Control>, Contact(contact): Contact) -> Answer<Cdr> {
    let cdr = control.reader().call(ContactId(contact)).await?;
    cdr.map(Json).ok_or_else(|| Fault::unknown(format!("contact {contact} is not known, or has not ended")))
}

/// All events of one call, whether it has ended or not
#[utoipa::path(get, path = "/calls/{contact}/events", params(("contact" = u64, Path)),
    responses((status = 200, body = Vec<Told>)), security(("token" = ["read_calls"])))]
async fn history(State(control): State<Control>, Contact(contact): Contact) -> Answer<Vec<Told>> {
    let reader = control.reader();
    let wall = reader.wall_of(ContactId(contact)).await?;
    let wall = wall.ok_or_else(|| Fault::unknown(format!("there is no contact {contact}")))?;
    let events = reader.events_of(ContactId(contact)).await?;
    Ok(Json(events.iter().map(|event| Told::of(event, wall)).collect()))
}

/// It is hung up
#[utoipa::path(delete, path = "/calls/{contact}", params(("contact" = u64, Path)),
    responses((status = 200, body = Done)), security(("token" = ["direct"])))]
async fn hang_up(State(control): State<Control>, Contact(contact): Contact) -> Answer<Done> {
    if control.hang_up(contact).await? {
        Ok(Json(Done { contact }))
    } else {
        Err(Fault::unknown(format!("contact {contact} is not up")))
    }
}

/// What came of a call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// A word or some, as a client's `billing` names those that are paid for: `sold`.
    #[schema(min_length = 1, max_length = 64)]
    disposition: String,
}

/// What an agent notes of a call, while it is up or afterwards; the last note counts
///
/// An agent's account may do so for the calls that it has taken from a queue.
#[utoipa::path(put, path = "/calls/{contact}/disposition", params(("contact" = u64, Path)),
    request_body = Note, responses((status = 200, body = Done)),
    security(("token" = ["direct"]), ("token" = ["direct_oneself"])))]
async fn note(
    State(control): State<Control>,
    Access(account): Access,
    Contact(contact): Contact,
    Body(Note { disposition }): Body<Note>,
) -> Answer<Done> {
    let unknown = || Fault::unknown(format!("there is no contact {contact}"));
    let is_plain = disposition.chars().count() <= MAX_NOTE && !disposition.chars().any(char::is_control);
    if disposition.trim().is_empty() || !is_plain {
        return Err(Fault::bad(format!("`disposition` is a text of 1 to {MAX_NOTE} characters")));
    }
    let client = control.client_of_contact(contact).await?.ok_or_else(unknown)?;
    if account.role == Role::Agent {
        let visits = control.reader().visits_of(ContactId(contact)).await?;
        let is_own =
            |visit: &figures::Visit| visit.agent().is_some() && visit.agent() == account.agent.as_ref();
        if !visits.iter().any(is_own) {
            return Err(unknown());
        }
    }
    let by = account.agent.as_ref().unwrap_or(&account.name);
    control.note(contact, [client, disposition.trim().into(), Arc::clone(by)]).await?;
    Ok(Json(Done { contact }))
}

/// How a supervisor is with a call.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// Hears both.
    Listen,
    /// Is heard by the agent alone.
    Whisper,
    /// Is heard by both.
    Barge,
    /// Has the call in the agent's place.
    TakeOver,
}

impl From<Mode> for SuperviseMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Listen => Self::Listen,
            Mode::Whisper => Self::Whisper,
            Mode::Barge => Self::Barge,
            Mode::TakeOver => Self::TakeOver,
        }
    }
}

/// A supervisor joins a call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSupervision {
    /// The user of its client whose phone is rung for it.
    user: Arc<str>,
    mode: Mode,
}

/// A supervisor listens in, whispers, barges in or takes over
#[utoipa::path(post, path = "/calls/{contact}/supervise", params(("contact" = u64, Path)),
    request_body = NewSupervision, responses((status = 200, body = Done)), security(("token" = ["listen"])))]
async fn begin(
    State(control): State<Control>,
    Contact(contact): Contact,
    Body(NewSupervision { user, mode }): Body<NewSupervision>,
) -> Answer<Done> {
    supervise(&control, contact, SuperviseOrder::Begin { user, mode: mode.into() }).await
}

/// The body of `PATCH /calls/{contact}/supervise`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OtherMode {
    mode: Mode,
}

/// It does so in another way
#[utoipa::path(patch, path = "/calls/{contact}/supervise", params(("contact" = u64, Path)),
    request_body = OtherMode, responses((status = 200, body = Done)), security(("token" = ["listen"])))]
async fn change(
    State(control): State<Control>,
    Contact(contact): Contact,
    Body(OtherMode { mode }): Body<OtherMode>,
) -> Answer<Done> {
    supervise(&control, contact, SuperviseOrder::Change(mode.into())).await
}

/// It leaves
#[utoipa::path(delete, path = "/calls/{contact}/supervise", params(("contact" = u64, Path)),
    responses((status = 200, body = Done)), security(("token" = ["listen"])))]
async fn end(State(control): State<Control>, Contact(contact): Contact) -> Answer<Done> {
    supervise(&control, contact, SuperviseOrder::End).await
}

async fn supervise(control: &Control, contact: u64, order: SuperviseOrder) -> Answer<Done> {
    let status = |refused: &SuperviseRefused| match refused {
        SuperviseRefused::NoCall | SuperviseRefused::UnknownUser => StatusCode::NOT_FOUND,
        _ => StatusCode::CONFLICT,
    };
    answer(contact, control.supervise(contact, order).await, status)
}

/// What is done with a recording.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Recording {
    action: Action,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Start,
    Stop,
    /// Nothing is written until `resume`.
    Pause,
    /// Silence is written until `resume`.
    Mask,
    Resume,
}

/// Its recording begins, ends, pauses or is masked
#[utoipa::path(post, path = "/calls/{contact}/record", params(("contact" = u64, Path)),
    request_body = Recording, responses((status = 200, body = Done)), security(("token" = ["listen"])))]
async fn record(
    State(control): State<Control>,
    Contact(contact): Contact,
    Body(Recording { action }): Body<Recording>,
) -> Answer<Done> {
    let order = match action {
        Action::Start => RecordOrder::Start,
        Action::Stop => RecordOrder::Stop,
        Action::Pause => RecordOrder::Pause,
        Action::Mask => RecordOrder::Mask,
        Action::Resume => RecordOrder::Resume,
    };
    let status = |refused: &RecordRefused| match refused {
        RecordRefused::NoCall => StatusCode::NOT_FOUND,
        RecordRefused::Runs | RecordRefused::NoRecording | RecordRefused::Never | RecordRefused::Ruled => {
            StatusCode::CONFLICT
        }
    };
    answer(contact, control.record(contact, order).await, status)
}

/// What is said to an order about a call.
fn answer<E: std::error::Error>(
    contact: u64,
    done: Result<Result<(), E>, Gone>,
    status: impl FnOnce(&E) -> StatusCode,
) -> Answer<Done> {
    match done? {
        Ok(()) => Ok(Json(Done { contact })),
        Err(refused) => Err(Fault::new(status(&refused), refused.to_string())),
    }
}
