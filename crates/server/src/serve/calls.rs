//! `/calls/{contact}`: a supervisor is with a call, and what is done with its recording.

use super::control::Control;
use super::http::unavailable;
use super::inbox::Gone;
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use events::SuperviseMode;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use switch::{RecordOrder, RecordRefused, SuperviseOrder, SuperviseRefused};

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/calls/{contact}/supervise", post(begin).patch(change).delete(end))
        .route("/calls/{contact}/record", post(record))
}

/// The body of `POST /calls/{contact}/supervise`.
#[derive(Deserialize)]
struct NewSupervision {
    user: Arc<str>,
    mode: SuperviseMode,
}

async fn begin(
    State(control): State<Control>,
    Path(contact): Path<u64>,
    Json(NewSupervision { user, mode }): Json<NewSupervision>,
) -> Response {
    supervise(&control, contact, SuperviseOrder::Begin { user, mode }).await
}

/// The body of `PATCH /calls/{contact}/supervise`.
#[derive(Deserialize)]
struct Mode {
    mode: SuperviseMode,
}

async fn change(
    State(control): State<Control>,
    Path(contact): Path<u64>,
    Json(Mode { mode }): Json<Mode>,
) -> Response {
    supervise(&control, contact, SuperviseOrder::Change(mode)).await
}

async fn end(State(control): State<Control>, Path(contact): Path<u64>) -> Response {
    supervise(&control, contact, SuperviseOrder::End).await
}

async fn supervise(control: &Control, contact: u64, order: SuperviseOrder) -> Response {
    let status = |refused: &SuperviseRefused| match refused {
        SuperviseRefused::NoCall | SuperviseRefused::UnknownUser => StatusCode::NOT_FOUND,
        _ => StatusCode::CONFLICT,
    };
    answer(contact, control.supervise(contact, order).await, status)
}

/// The body of `POST /calls/{contact}/record`.
#[derive(Deserialize)]
struct Recording {
    action: Action,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Start,
    Stop,
    Pause,
    Mask,
    Resume,
}

async fn record(
    State(control): State<Control>,
    Path(contact): Path<u64>,
    Json(Recording { action }): Json<Recording>,
) -> Response {
    let order = match action {
        Action::Start => RecordOrder::Start,
        Action::Stop => RecordOrder::Stop,
        Action::Pause => RecordOrder::Pause,
        Action::Mask => RecordOrder::Mask,
        Action::Resume => RecordOrder::Resume,
    };
    let status = |refused: &RecordRefused| match refused {
        RecordRefused::NoCall => StatusCode::NOT_FOUND,
        RecordRefused::Runs | RecordRefused::NoRecording => StatusCode::CONFLICT,
    };
    answer(contact, control.record(contact, order).await, status)
}

/// What is said to an order about a call.
fn answer<E: std::error::Error>(
    contact: u64,
    done: Result<Result<(), E>, Gone>,
    status: impl FnOnce(&E) -> StatusCode,
) -> Response {
    match done {
        Ok(Ok(())) => Json(json!({"contact": contact})).into_response(),
        Ok(Err(refused)) => (status(&refused), Json(json!({"error": refused.to_string()}))).into_response(),
        Err(gone) => unavailable(&gone.to_string()),
    }
}
