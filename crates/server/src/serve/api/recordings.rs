//! `/recordings`: what was recorded of calls, its sound, and what is kept or erased of it.

use super::super::control::{Control, Request};
use super::super::recordings::{EraseError, Outcome, Wanted};
use super::answer::{Answer, Asked, Body, Fault};
use super::document::Routes;
use super::guard::{Access, part};
use crate::vault::{Erased, Signed, Sound};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use events::{ContactId, StoredMessage};
use futures_util::stream::unfold;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use store::{Number, Recordings};
use switch::MessageOrder;
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

/// The most recordings of one answer.
const MOST: u32 = 1_000;
/// The longest reason.
const LONGEST_REASON: usize = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .under("Recordings")
        .with(__path_recordings, recordings)
        .with(__path_recording, recording)
        .with(__path_audio, audio)
        .with(__path_hold, hold)
        .with(__path_release, release)
        .with(__path_erase, erase)
        .with(__path_erase_all, erase_all)
}

/// A recording of a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Recording)]
struct Shown {
    /// Its number.
    recording: u64,
    /// Of which call.
    contact: u64,
    /// Whose call that is.
    client: String,
    /// The caller's number; null while the call is up.
    from: Option<String>,
    /// The number called; null while the call is up.
    to: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Its length; null while it runs.
    seconds: Option<u64>,
    /// Its file on the node's machine.
    file: String,
    /// Whether the file is ciphertext.
    encrypted: bool,
    /// Why it is kept, whatever else is wanted; null if it is not held.
    held: Option<String>,
    /// When it was erased; null if it is there.
    #[schema(value_type = Option<String>, format = DateTime)]
    erased: Option<Timestamp>,
}

impl From<store::Recording> for Shown {
    fn from(it: store::Recording) -> Self {
        Self {
            recording: it.recording,
            contact: it.contact.0,
            client: it.client,
            from: it.from,
            to: it.to,
            at: it.at,
            seconds: it.millis.map(|millis| millis.div_ceil(1_000)),
            file: it.path,
            encrypted: it.sealed,
            held: it.held,
            erased: it.erased,
        }
    }
}

/// A page of recordings, the latest begun first.
#[derive(Serialize, ToSchema)]
struct RecordingsPage {
    recordings: Vec<Shown>,
    /// What `before` is for the next page; null if this is the last.
    next: Option<u64>,
}

/// The recording that a path names, if whoever asks sees its client.
struct Known(store::Recording);

impl FromRequestParts<Control> for Known {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Fault> {
        let text = part(parts, "recording").await?;
        let number: u64 =
            text.parse().map_err(|_| Fault::bad(format!("`{text}` is no number of a recording")))?;
        let Access(account) = Access::from_request_parts(parts, control).await?;
        let found = control.reader().recording(number).await?;
        let found = found.filter(|recording| account.sees(&recording.client));
        found.map(Self).ok_or_else(|| Fault::unknown(format!("there is no recording {number}")))
    }
}

/// Which recordings.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// At most so many.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Of this client alone.
    client: Option<String>,
    /// Of calls from or to this number, with or without its country code.
    number: Option<String>,
    /// Of this call.
    contact: Option<u64>,
    /// Also those that are erased.
    erased: Option<bool>,
    /// The page after this one: as `next` of the page before says.
    before: Option<u64>,
}

/// Recordings, the latest first
#[utoipa::path(get, path = "/recordings", params(Which), responses((status = 200, body = RecordingsPage)),
    security(("token" = ["listen"])))]
async fn recordings(
    State(control): State<Control>,
    access: Access,
    Asked(Which { limit, client, number, contact, erased, before }): Asked<Which>,
) -> Answer<RecordingsPage> {
    let limit = limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(Fault::bad(format!("`limit` must be from 1 to {MOST}")));
    }
    let clients = access.clients(client)?;
    let which = Recordings {
        number: number.map(Number::Ending),
        contact: contact.map(ContactId),
        clients,
        kept: !erased.unwrap_or(false),
        before,
    };
    let found = control.reader().recordings(limit, &which).await?;
    let is_last = found.len() < limit as usize;
    let next = found.last().filter(|_| !is_last).map(|last| last.recording);
    Ok(Json(RecordingsPage { recordings: found.into_iter().map(Shown::from).collect(), next }))
}

/// One recording
#[utoipa::path(get, path = "/recordings/{recording}", params(("recording" = u64, Path)),
    responses((status = 200, body = Shown)), security(("token" = ["listen"])))]
async fn recording(Known(recording): Known) -> Answer<Shown> {
    Ok(Json(recording.into()))
}

/// Its sound, WAV or Opus in Ogg; who has listened is logged
#[utoipa::path(get, path = "/recordings/{recording}/audio", params(("recording" = u64, Path)),
    responses((status = 200, content((Vec<u8> = "audio/wav"), (Vec<u8> = "audio/ogg"))),
        (status = 409, description = "It runs, or it is erased", body = super::answer::FaultBody)),
    security(("token" = ["listen"])))]
async fn audio(
    State(control): State<Control>,
    Known(recording): Known,
    Access(account): Access,
) -> Result<Response, Fault> {
    if let Some(erased) = recording.erased {
        return Err(Fault::conflict(format!("it was erased at {erased}")));
    }
    if recording.millis.is_none() {
        return Err(Fault::conflict("it runs: ask again when the call is over"));
    }
    let path = format!("/recordings/{}/audio", recording.recording);
    let (by, contact) = (Arc::clone(&account.name), Some(recording.contact.0));
    let name = recording.path.clone();
    let vault = control.keeper().vault().clone();
    // The first piece tells whether it can be read at all.
    let begun = move || {
        let (mut sound, length) = vault.open(&recording)?;
        let first = sound.next_piece()?;
        io::Result::Ok((sound, first, length))
    };
    let begun = spawn_blocking(begun).await.map_err(|error| Fault::later(error.to_string()))?;
    let (sound, first, length) = begun.map_err(|error| Fault::unknown(format!("{name}: {error}")))?;
    control.log_request(Request { by, method: "GET".to_owned(), path, contact }, 200).await?;
    let kind = if name.contains(".opus") { "audio/ogg" } else { "audio/wav" };
    let pieces = unfold((Some(sound), first), next_piece);
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    Ok((headers, axum::body::Body::from_stream(pieces)).into_response())
}

/// A piece that is there already, or the next of a sound.
async fn next_piece(
    (sound, ready): (Option<Sound>, Option<Vec<u8>>),
) -> Option<(io::Result<Bytes>, (Option<Sound>, Option<Vec<u8>>))> {
    if let Some(piece) = ready {
        return Some((Ok(piece.into()), (sound, None)));
    }
    let mut sound = sound?;
    let read = spawn_blocking(move || (sound.next_piece(), sound)).await;
    match read {
        Ok((Ok(piece), sound)) => piece.map(|piece| (Ok(piece.into()), (Some(sound), None))),
        Ok((Err(error), _)) => Some((Err(error), (None, None))),
        Err(error) => Some((Err(io::Error::other(error)), (None, None))),
    }
}

/// Why something is done, and who wants it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// Why, for the log: up to 200 letters.
    why: String,
    /// Whom the log names; read from commands on the node's own machine alone, others are who they are.
    by: Option<Arc<str>>,
}

/// Who wants it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Whose {
    /// Whom the log names; read from commands on the node's own machine alone, others are who they are.
    by: Option<Arc<str>>,
}

/// The recording that was directed.
#[derive(Serialize, ToSchema)]
struct RecordingDone {
    recording: u64,
}

/// It is kept until it is released, whatever else is wanted: a legal hold
#[utoipa::path(put, path = "/recordings/{recording}/hold", params(("recording" = u64, Path)), request_body = Reason,
    responses((status = 200, body = RecordingDone)), security(("token" = ["erase"])))]
async fn hold(
    State(control): State<Control>,
    Known(recording): Known,
    access: Access,
    Body(Reason { why, by }): Body<Reason>,
) -> Answer<RecordingDone> {
    let why = Some(reason(&why)?);
    set_hold(&control, recording, why, access.by(by)).await
}

/// It is kept no longer than its client keeps recordings
#[utoipa::path(delete, path = "/recordings/{recording}/hold", params(("recording" = u64, Path)), request_body = Whose,
    responses((status = 200, body = RecordingDone)), security(("token" = ["erase"])))]
async fn release(
    State(control): State<Control>,
    Known(recording): Known,
    access: Access,
    Body(Whose { by }): Body<Whose>,
) -> Answer<RecordingDone> {
    set_hold(&control, recording, None, access.by(by)).await
}

async fn set_hold(
    control: &Control,
    recording: store::Recording,
    why: Option<Arc<str>>,
    by: Arc<str>,
) -> Answer<RecordingDone> {
    if recording.erased.is_some() || !control.keeper().hold(&recording, why, by).await? {
        return Err(Fault::conflict("it is erased"));
    }
    Ok(Json(RecordingDone { recording: recording.recording }))
}

/// It is erased, unless it is held
#[utoipa::path(delete, path = "/recordings/{recording}", params(("recording" = u64, Path)), request_body = Reason,
    responses((status = 200, body = RecordingDone)), security(("token" = ["erase"])))]
async fn erase(
    State(control): State<Control>,
    Known(recording): Known,
    access: Access,
    Body(Reason { why, by }): Body<Reason>,
) -> Answer<RecordingDone> {
    let why = reason(&why)?;
    match control.keeper().erase(&recording, &why, Some(&access.by(by))).await? {
        Outcome::Erased(_) => Ok(Json(RecordingDone { recording: recording.recording })),
        Outcome::Gone => Err(Fault::conflict("it is erased")),
        Outcome::Runs => Err(Fault::conflict("it runs: end it first")),
        Outcome::Held => {
            let why = recording.held.as_deref().unwrap_or("since just now");
            Err(Fault::conflict(format!("it is held: {why}")))
        }
    }
}

/// What is to be erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Erasure {
    /// Whose calls.
    client: String,
    /// Calls from or to this number, as the calls have it: `+34911000100`.
    number: Option<String>,
    /// Instead of a number: all of the client, and its key.
    #[serde(default)]
    all: bool,
    /// Why, for the log and the certificate: up to 200 letters.
    why: String,
    /// Whom the log names; read from commands on the node's own machine alone, others are who they are.
    by: Option<Arc<str>>,
}

/// What is of a number, or all of a client, is erased, and a certificate says so
#[utoipa::path(post, path = "/recordings/erase", request_body = Erasure, responses((status = 200, body = Signed)),
    security(("token" = ["erase"])))]
async fn erase_all(
    State(control): State<Control>,
    access: Access,
    Body(Erasure { client, number, all, why, by }): Body<Erasure>,
) -> Answer<Signed> {
    let why = reason(&why)?;
    if all == number.is_some() {
        return Err(Fault::bad("name a `number`, or say `all`"));
    }
    // One that is in no plan any more may have left something.
    let is_known = control.has_client(&client) || control.keeper().knows(&client).await?;
    if !access.0.sees(&client) || !is_known {
        return Err(Fault::unknown(format!("there is no client `{client}`")));
    }
    let by = access.by(by);
    let number = number.as_deref().map(dialplan::normalized);
    let is_wanted = |message: &StoredMessage| {
        let is_of = |number: &str| digits(&message.from).eq(digits(number));
        *message.client == *client && number.as_deref().is_none_or(is_of)
    };
    let mut messages = control.messages().await?;
    messages.retain(is_wanted);
    // What is held has to be released first, and then everything is done or nothing.
    if all && let held @ 1.. = control.keeper().held(&client).await? {
        return Err(EraseError::Held(held, client).into());
    }
    let mut gone = Vec::new();
    for message in messages {
        gone.extend(erase_message(&control, message, &by).await?);
    }
    let wanted = Wanted { client, number, why, by };
    Ok(Json(control.keeper().erase_all(control.node_name(), wanted, gone).await?))
}

/// Erases a message; nothing if somebody else has deleted it meanwhile.
async fn erase_message(
    control: &Control,
    message: StoredMessage,
    by: &Arc<str>,
) -> Result<Option<Erased>, Fault> {
    // Its hash is taken before the switch has the file removed.
    let sha256 = control.keeper().remove(PathBuf::from(&message.path)).await?;
    let deleted = control.direct_message(message.message, (MessageOrder::Delete, Arc::clone(by))).await?;
    Ok(deleted.ok().map(|()| Erased {
        number: message.message,
        contact: message.contact.0,
        at: Timestamp::from_microsecond(message.at).unwrap_or_default(),
        millis: message.millis,
        sha256,
    }))
}

/// What numbers are compared by: carriers send `+` or leave it out as they please.
fn digits(number: &str) -> impl Iterator<Item = char> {
    number.chars().filter(|c| c.is_alphanumeric())
}

fn reason(why: &str) -> Result<Arc<str>, Fault> {
    let why = why.trim();
    let fits = !why.is_empty() && why.chars().count() <= LONGEST_REASON && !why.contains(char::is_control);
    fits.then(|| why.into()).ok_or_else(|| Fault::bad("`why` is a sentence of up to 200 letters"))
}

impl From<EraseError> for Fault {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Held(..) => Self::conflict(error.to_string()),
            EraseError::Store(_) | EraseError::Gone(_) | EraseError::File(..) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
        }
    }
}
