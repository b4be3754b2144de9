//! `/voicemail`: what callers have left in mailboxes, its sound, and what is done with it.

use super::super::control::{Control, Request};
use super::answer::{Answer, Asked, Body, Fault};
use super::document::Routes;
use super::floor::Order;
use super::guard::{Access, part};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use events::StoredMessage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use switch::MessageOrder;
use utoipa::{IntoParams, ToSchema};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .under("Voicemail")
        .with(__path_messages, messages)
        .with(__path_audio, audio)
        .with(__path_hear, hear)
        .with(__path_delete, delete)
}

/// A message of a caller.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Voicemail {
    /// Its number.
    message: u64,
    /// `acme/support`.
    mailbox: String,
    /// Who has left it.
    from: Arc<str>,
    /// The contact in which it was left.
    contact: u64,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Its length.
    seconds: u64,
    /// Whether somebody has heard it.
    heard: bool,
    /// Its file on the node's machine.
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

/// The message that a path names, if whoever asks sees its client.
struct Message(StoredMessage);

impl FromRequestParts<Control> for Message {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, Fault> {
        let text = part(parts, "message").await?;
        let number: u64 =
            text.parse().map_err(|_| Fault::bad(format!("`{text}` is no number of a message")))?;
        let Access(account) = Access::from_request_parts(parts, control).await?;
        let found = control.messages().await?.into_iter().find(|it| it.message == number);
        let found = found.filter(|message| account.sees(&message.client));
        found.map(Self).ok_or_else(|| Fault::unknown(format!("there is no message {number}")))
    }
}

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// `support`, or `acme/support`; all without it.
    mailbox: Option<String>,
}

/// Messages in mailboxes
#[utoipa::path(get, path = "/voicemail", params(Which), responses((status = 200, body = Vec<Voicemail>)),
    security(("token" = ["listen"])))]
async fn messages(
    State(control): State<Control>,
    Access(account): Access,
    Asked(Which { mailbox }): Asked<Which>,
) -> Answer<Vec<Voicemail>> {
    let is_asked = |message: &StoredMessage| {
        mailbox.as_deref().is_none_or(|asked| match asked.split_once('/') {
            Some((client, mailbox)) => client == &*message.client && mailbox == &*message.mailbox,
            None => asked == &*message.mailbox,
        })
    };
    let mut messages = control.messages().await?;
    messages.retain(|message| account.sees(&message.client) && is_asked(message));
    Ok(Json(messages.into_iter().map(Voicemail::from).collect()))
}

/// The sound of a message, WAV; who has listened is logged
#[utoipa::path(get, path = "/voicemail/{message}/audio", params(("message" = u64, Path)),
    responses((status = 200, description = "WAV", body = Vec<u8>, content_type = "audio/wav")),
    security(("token" = ["listen"])))]
async fn audio(
    State(control): State<Control>,
    Message(message): Message,
    Access(account): Access,
) -> Result<Response, Fault> {
    let bytes = tokio::fs::read(&message.path).await;
    let bytes = bytes.map_err(|error| Fault::unknown(format!("{}: {error}", message.path)))?;
    let path = format!("/voicemail/{}/audio", message.message);
    let (by, contact) = (Arc::clone(&account.name), Some(message.contact.0));
    control.log_request(Request { by, method: "GET".to_owned(), path, contact }, 200).await?;
    Ok(([(header::CONTENT_TYPE, "audio/wav")], bytes).into_response())
}

/// Whether a message is heard.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Heard {
    /// False lets it count as new again; true if nobody says.
    heard: Option<bool>,
    /// Whom the log names; read from commands on the node's own machine alone, others are who they are.
    by: Option<Arc<str>>,
}

/// The message that was directed.
#[derive(Serialize, ToSchema)]
struct DoneWith {
    message: u64,
}

/// It counts as heard, or as new again
#[utoipa::path(post, path = "/voicemail/{message}/heard", params(("message" = u64, Path)), request_body = Heard,
    responses((status = 200, body = DoneWith)), security(("token" = ["listen"])))]
async fn hear(
    State(control): State<Control>,
    Message(message): Message,
    access: Access,
    Body(Heard { heard, by }): Body<Heard>,
) -> Answer<DoneWith> {
    direct(&control, message.message, (MessageOrder::Hear(heard.unwrap_or(true)), access.by(by))).await
}

/// It is deleted, with its sound
#[utoipa::path(delete, path = "/voicemail/{message}", params(("message" = u64, Path)), request_body = Order,
    responses((status = 200, body = DoneWith)), security(("token" = ["listen"])))]
async fn delete(
    State(control): State<Control>,
    Message(message): Message,
    access: Access,
    Body(Order { by }): Body<Order>,
) -> Answer<DoneWith> {
    direct(&control, message.message, (MessageOrder::Delete, access.by(by))).await
}

async fn direct(control: &Control, message: u64, order: (MessageOrder, Arc<str>)) -> Answer<DoneWith> {
    match control.direct_message(message, order).await? {
        Ok(()) => Ok(Json(DoneWith { message })),
        Err(refused) => Err(Fault::unknown(refused.to_string())),
    }
}
