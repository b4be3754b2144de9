//! `/reports`: figures out of the event log, as `ringdown report` has them.

use super::control::Control;
use super::http::unavailable;
use crate::report::{Contacts, Question, answer, csv, explain, explain_all, json};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use figures::Axis;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json as value;
use std::collections::HashMap;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/reports/figures", get(figures)).route("/reports/{axis}", get(report))
}

/// What is asked besides by the query: the answer's form.
#[derive(Default, Deserialize)]
struct Form {
    /// `json` or `csv`.
    format: Option<String>,
    name: Option<String>,
    /// The figure whose contacts are listed instead.
    contacts: Option<String>,
}

/// Each figure by name, with its formula.
async fn figures(Query(asked): Query<HashMap<String, String>>) -> Response {
    let Some(name) = asked.get("name") else { return explain_all().into_response() };
    match explain(name) {
        Some(text) => text.into_response(),
        None => wrong(StatusCode::NOT_FOUND, &format!("there is no figure `{name}`")),
    }
}

async fn report(
    State(control): State<Control>,
    Path(axis): Path<String>,
    Query(form): Query<Form>,
    Query(question): Query<Question>,
) -> Response {
    let axis = match axis.as_str() {
        "queues" => Axis::Queues,
        "agents" => Axis::Agents,
        "clients" => Axis::Clients,
        "numbers" => Axis::Numbers,
        "trunks" => Axis::Trunks,
        other => return wrong(StatusCode::NOT_FOUND, &format!("there is no report of `{other}`")),
    };
    let now = Timestamp::now().as_millisecond();
    let asked = match question.understand((axis, form.name), &control.report_settings(), now) {
        Ok(asked) => asked,
        Err(error) => return wrong(StatusCode::BAD_REQUEST, &error),
    };
    let reader = match control.reader().await {
        Ok(reader) => reader,
        Err(error) => return unavailable(&error.to_string()),
    };
    if let Some(figure) = form.contacts {
        let behind = match Contacts::of(&figure) {
            Ok(behind) => behind,
            Err(error) => return wrong(StatusCode::NOT_FOUND, &error),
        };
        return match behind.list(&reader, &asked).await {
            Ok(visits) => Json(visits).into_response(),
            Err(error) => unavailable(&error.to_string()),
        };
    }
    match answer(&reader, &asked).await {
        Ok(counted) if form.format.as_deref() == Some("csv") => {
            ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv(&asked, &counted)).into_response()
        }
        Ok(counted) => Json(json(&asked, &counted)).into_response(),
        Err(error) => unavailable(&error.to_string()),
    }
}

fn wrong(status: StatusCode, error: &str) -> Response {
    (status, Json(value!({"error": error}))).into_response()
}
