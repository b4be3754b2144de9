//! `/reports`: figures out of the event log, as `ringdown report` has them.

use super::super::control::Control;
use super::answer::{Asked as Query, Fault};
use super::document::Routes;
use super::guard::{Access, part};
use crate::report::{Contacts, Question, answer, csv, explain, explain_all, json};
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use figures::Axis;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.under("Figures").with(__path_figures, figures).with(__path_report, report)
}

/// Which figure.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// This one alone.
    name: Option<String>,
}

/// Each figure by name, with its formula
#[utoipa::path(get, path = "/reports/figures", params(Which),
    responses((status = 200, description = "A text", body = String, content_type = "text/plain"),
        (status = 404, description = "There is no such figure", body = Object)),
    security(("token" = ["report"])))]
async fn figures(Query(Which { name }): Query<Which>) -> Result<String, Fault> {
    let Some(name) = name else { return Ok(explain_all()) };
    explain(&name).ok_or_else(|| Fault::unknown(format!("there is no figure `{name}`")))
}

/// What is counted.
struct Counted(Axis);

impl FromRequestParts<Control> for Counted {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _control: &Control) -> Result<Self, Fault> {
        let axis = part(parts, "axis").await?;
        match axis.as_str() {
            "queues" => Ok(Self(Axis::Queues)),
            "agents" => Ok(Self(Axis::Agents)),
            "clients" => Ok(Self(Axis::Clients)),
            "numbers" => Ok(Self(Axis::Numbers)),
            "trunks" => Ok(Self(Axis::Trunks)),
            other => Err(Fault::unknown(format!("there is no report of `{other}`"))),
        }
    }
}

/// What the report is of, and the form of the answer.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Form {
    /// `json`, or `csv`.
    format: Option<String>,
    /// Of this queue, agent, client, number or trunk alone.
    name: Option<String>,
    /// The figure whose contacts are listed instead.
    contacts: Option<String>,
    /// Of calls of this client alone.
    client: Option<String>,
}

/// Figures of queues, agents, clients, numbers or trunks, by intervals
///
/// An account that sees certain clients alone has to name one of them.
#[utoipa::path(get, path = "/reports/{axis}", params(("axis" = String, Path), Form, Question),
    responses((status = 200, description = "The report, or the contacts behind a figure",
        content((Object = "application/json"), (String = "text/csv")))),
    security(("token" = ["report"])))]
async fn report(
    State(control): State<Control>,
    Counted(axis): Counted,
    Access(account): Access,
    Query(form): Query<Form>,
    Query(mut question): Query<Question>,
) -> Result<Response, Fault> {
    question.client = match form.client {
        Some(client) if account.sees(&client) => Some(client),
        Some(client) => return Err(Fault::unknown(format!("there is no client `{client}`"))),
        None if account.sees_all() => None,
        None => match &account.clients[..] {
            [only] => Some(only.to_string()),
            _ => return Err(Fault::bad("name one of your clients: `client`")),
        },
    };
    if !matches!(form.format.as_deref(), None | Some("json" | "csv")) {
        return Err(Fault::bad("`format` is `json` or `csv`"));
    }
    let now = Timestamp::now().as_millisecond();
    let asked = question.understand((axis, form.name), &control.report_settings(), now);
    let asked = asked.map_err(Fault::bad)?;
    let reader = control.reader();
    if let Some(figure) = form.contacts {
        let behind = Contacts::of(&figure).map_err(Fault::unknown)?;
        return Ok(Json(behind.list(reader, &asked).await?).into_response());
    }
    let counted = answer(reader, &asked).await?;
    Ok(match form.format.as_deref() {
        Some("csv") => {
            ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv(&asked, &counted)).into_response()
        }
        _ => Json(json(&asked, &counted)).into_response(),
    })
}
