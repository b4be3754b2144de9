//! `/invoices`: what a client's month comes to, as `ringdown invoice` has it.

use super::super::control::Control;
use super::answer::{Asked, Fault};
use super::document::Routes;
use super::guard::Access;
use crate::access::Account;
use crate::invoice::{Bill, csv, json};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.under("Figures").with(__path_invoice, invoice)
}

/// Which month, and the form of the answer.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// By the client's clock, `2026-10`; the one that is now without it.
    month: Option<String>,
    /// `json`, `csv` or `pdf`; as `Accept` says without it.
    format: Option<String>,
    /// With all that stands behind each line.
    contacts: Option<bool>,
}

#[derive(Clone, Copy)]
enum Form {
    Json,
    Csv,
    Pdf,
}

/// A draft of a client's invoice for a month
///
/// What anything costs who serves the client, only an operator of the whole node is told.
#[utoipa::path(get, path = "/invoices/{client}", params(("client" = String, Path), Which),
    responses((status = 200, description = "The draft",
        content((Object = "application/json"), (String = "text/csv"), (String = "application/pdf"))),
        (status = 404, description = "There is no such client, or nothing is agreed with it", body = Object)),
    security(("token" = ["billing"])))]
async fn invoice(
    State(control): State<Control>,
    Access(account): Access,
    Path(client): Path<String>,
    headers: HeaderMap,
    Asked(Which { month, format, contacts }): Asked<Which>,
) -> Result<Response, Fault> {
    if !account.sees(&client) {
        return Err(Fault::unknown(format!("there is no client `{client}`")));
    }
    let form = form(format.as_deref(), &headers)?;
    if let Some(month) = &month {
        month
            .parse::<billing::Month>()
            .map_err(|hint| Fault::bad(format!("`{month}` is no month: {hint}")))?;
    }
    let (plan, now) = (control.plan(), Timestamp::now().as_millisecond());
    let bill = Bill::of(&plan, &client, month.as_deref(), now).map_err(Fault::unknown)?;
    let mut draft = bill.draft(control.reader()).await?;
    if !sees_costs(&account) {
        draft = draft.for_client();
    }
    if contacts != Some(true) {
        draft = draft.without_items();
    }
    let heading = bill.heading();
    Ok(match form {
        Form::Json => Json(json(&draft, &heading)).into_response(),
        Form::Csv => typed("text/csv; charset=utf-8", csv(&draft, heading.zone).into_bytes()),
        Form::Pdf => typed("application/pdf", billing::pdf(&draft, &heading)),
    })
}

/// Costs and margin are the affair of who runs the node, and of no client.
fn sees_costs(account: &Account) -> bool {
    account.role == crate::access::Role::Operator && account.sees_all()
}

fn form(format: Option<&str>, headers: &HeaderMap) -> Result<Form, Fault> {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    match format {
        Some("json") => Ok(Form::Json),
        Some("csv") => Ok(Form::Csv),
        Some("pdf") => Ok(Form::Pdf),
        Some(_) => Err(Fault::bad("`format` is `json`, `csv` or `pdf`")),
        None if accept.contains("application/pdf") => Ok(Form::Pdf),
        None if accept.contains("text/csv") => Ok(Form::Csv),
        None => Ok(Form::Json),
    }
}

fn typed(kind: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}
