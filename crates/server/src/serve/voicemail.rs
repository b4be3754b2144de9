//! `/voicemail`: what callers have left in mailboxes, its sound, and what is done with it.

use super::control::Control;
use super::http::unavailable;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use events::StoredMessage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io::ErrorKind;
use std::path::Path as FilePath;
use std::sync::Arc;
use switch::{MessageOrder, MessageRefused};

/// A message of a caller.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Voicemail {
    /// Its number.
    message: u64,
    /// `acme/support`.
    mailbox: String,
    /// Who has left it.
    from: Arc<str>,
    /// The contact in which it was left.
    contact: u64,
    /// When it began.
    at: Timestamp,
    /// Its length.
    seconds: u64,
    /// Whether somebody has heard it.
    heard: bool,
    /// Its file.
    file: String,
}

impl From<StoredMessage> for Voicemail {
    fn from(it: StoredMessage) -> Self {
        Self {
            message: it.message,
            mailbox: format!("{}/{}", it.client, it.mailbox),
            from: it.from,
            contact: it.contact.0,
            at: Timestamp::from_microsecond(it.at).unwrap_or_default(),
            seconds: it.millis.unwrap_or_default().div_ceil(1_000),
            heard: it.heard,
            file: it.path,
        }
    }
}

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/voicemail", get(list))
        .route("/voicemail/{message}", delete(remove))
        .route("/voicemail/{message}/heard", post(hear))
        .route("/voicemail/{message}/audio", get(audio))
}

/// Which messages are asked for.
#[derive(Deserialize)]
struct Asked {
    /// `support`, or `acme/support`; all without it.
    mailbox: Option<String>,
}

async fn list(State(control): State<Control>, Query(asked): Query<Asked>) -> Response {
    let is_asked = |message: &StoredMessage| {
        asked.mailbox.as_deref().is_none_or(|asked| match asked.split_once('/') {
            Some((client, mailbox)) => client == &*message.client && mailbox == &*message.mailbox,
            None => asked == &*message.mailbox,
        })
    };
    match control.messages().await {
        Ok(messages) => {
            let found = messages.into_iter().filter(is_asked).map(Voicemail::from);
            Json(found.collect::<Vec<_>>()).into_response()
        }
        Err(gone) => unavailable(&gone.to_string()),
    }
}

/// What an order may say further.
#[derive(Default, Deserialize)]
struct Detail {
    /// Whether it is heard; false lets it count as new again.
    heard: Option<bool>,
    /// Who wants it, for the log; an operator without a name if nobody says.
    by: Option<Arc<str>>,
}

impl Detail {
    fn by(&self) -> Arc<str> {
        self.by.clone().unwrap_or_else(|| "operator".into())
    }
}

type Body = Option<Json<Detail>>;

async fn hear(State(control): State<Control>, Path(message): Path<u64>, body: Body) -> Response {
    let detail = body.map(|Json(detail)| detail).unwrap_or_default();
    direct(&control, message, (MessageOrder::Hear(detail.heard.unwrap_or(true)), detail.by())).await
}

async fn remove(State(control): State<Control>, Path(message): Path<u64>, body: Body) -> Response {
    let detail = body.map(|Json(detail)| detail).unwrap_or_default();
    direct(&control, message, (MessageOrder::Delete, detail.by())).await
}

async fn direct(control: &Control, message: u64, order: (MessageOrder, Arc<str>)) -> Response {
    match control.direct_message(message, order).await {
        Ok(Ok(())) => Json(json!({"message": message})).into_response(),
        Ok(Err(refused)) => not_found(&refused.to_string()),
        Err(gone) => unavailable(&gone.to_string()),
    }
}

async fn audio(State(control): State<Control>, Path(message): Path<u64>) -> Response {
    let messages = match control.messages().await {
        Ok(messages) => messages,
        Err(gone) => return unavailable(&gone.to_string()),
    };
    let Some(found) = messages.into_iter().find(|it| it.message == message) else {
        return not_found(&MessageRefused::Unknown.to_string());
    };
    match tokio::fs::read(&found.path).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, "audio/wav")], bytes).into_response(),
        Err(error) => not_found(&format!("{}: {error}", found.path)),
    }
}

fn not_found(error: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"error": error}))).into_response()
}

/// Each message with how long its file is in milliseconds, if it is there.
pub(super) fn with_lengths(messages: Vec<StoredMessage>) -> Vec<(StoredMessage, Option<u64>)> {
    let length = |path: &str| {
        let reader = hound::WavReader::open(path).ok()?;
        u64::from(reader.duration()).checked_mul(1_000)?.checked_div(reader.spec().sample_rate.into())
    };
    messages
        .into_iter()
        .map(|message| (length(&message.path), message))
        .map(|(length, it)| (it, length))
        .collect()
}

/// Removes the file of a message that is not kept.
pub(super) fn remove_file(path: &FilePath) {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        // It was never begun.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => tracing::warn!("{} cannot be removed: {error}", path.display()),
    }
}
