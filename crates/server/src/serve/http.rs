//! The node's HTTP interface: `/health`, `/status`, `/trunks`, `/fraud`, `/bans`, `/rooms`, `/calls`, `/agents`, `/queues`, `/why`, `/reports`, `/metrics`, `/voicemail`, `/transfers`, `/test-calls`, `/apply`, `/rollback` and `/versions`.

use super::calls;
use super::control::{Control, TestCallError, TransferError};
use super::error::ServeError;
use super::{apply, metrics, queues, reports, rooms, voicemail};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use switch::{TestCallRefused, TransferOrder, TransferRefused};
use tokio::runtime::Runtime;

/// Binds the listener.
///
/// # Errors
/// [`ServeError::Bind`] names the address.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).map_err(|error| ServeError::Bind { what: "HTTP", address, error })
}

/// Serves until the runtime ends, on the address that is returned.
///
/// # Errors
/// What the operating system says.
pub(super) fn serve(runtime: &Runtime, listener: TcpListener, control: Control) -> io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let _entered = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let routes = Router::new()
        .route("/health", get(health))
        .route("/status", get(status))
        .route("/trunks", get(trunks))
        .route("/fraud", get(fraud))
        .route("/bans", get(bans))
        .route("/bans/{address}", delete(lift_ban))
        .merge(rooms::routes())
        .merge(queues::routes())
        .merge(calls::routes())
        .merge(reports::routes())
        .merge(metrics::routes())
        .merge(voicemail::routes())
        .route("/transfers/{user}", post(begin_transfer).delete(cancel_transfer))
        .route("/transfers/{user}/complete", post(complete_transfer))
        .route("/test-calls", post(test_call))
        .merge(apply::routes())
        .with_state(control);
    runtime.spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            tracing::error!("HTTP has ended: {error}");
        }
    });
    Ok(address)
}

async fn health(State(control): State<Control>) -> Response {
    match control.status().await {
        Ok(_) => Json(json!({"status": "ok"})).into_response(),
        Err(gone) => unavailable(&gone.to_string()),
    }
}

async fn status(State(control): State<Control>) -> Response {
    match control.status().await {
        Ok(status) => Json(status).into_response(),
        Err(gone) => unavailable(&gone.to_string()),
    }
}

async fn trunks(State(control): State<Control>) -> Response {
    match control.trunks().await {
        Ok(trunks) => Json(trunks).into_response(),
        Err(gone) => unavailable(&gone.to_string()),
    }
}

async fn fraud(State(control): State<Control>) -> Response {
    match control.fraud().await {
        Ok(fraud) => Json(fraud).into_response(),
        Err(gone) => unavailable(&gone.to_string()),
    }
}

async fn bans(State(control): State<Control>) -> Response {
    match control.bans().await {
        Ok(bans) => Json(bans).into_response(),
        Err(gone) => unavailable(&gone.to_string()),
    }
}

async fn lift_ban(State(control): State<Control>, Path(address): Path<String>) -> Response {
    let Ok(ip) = address.parse::<IpAddr>() else {
        let error = json!({"error": format!("`{address}` is not an IP address")});
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    };
    match control.lift_ban(ip).await {
        Ok(true) => Json(json!({"lifted": address})).into_response(),
        Ok(false) => {
            let error = json!({"error": format!("{address} is not banned")});
            (StatusCode::NOT_FOUND, Json(error)).into_response()
        }
        Err(gone) => unavailable(&gone.to_string()),
    }
}

/// The body of `POST /transfers/{user}`.
#[derive(Deserialize)]
struct NewTransfer {
    to: String,
    #[serde(default)]
    consult: bool,
}

async fn begin_transfer(
    State(control): State<Control>,
    Path(user): Path<String>,
    Json(NewTransfer { to, consult }): Json<NewTransfer>,
) -> Response {
    transfer(&control, &user, TransferOrder::Begin { to: to.into(), consult }).await
}

async fn complete_transfer(State(control): State<Control>, Path(user): Path<String>) -> Response {
    transfer(&control, &user, TransferOrder::Complete).await
}

async fn cancel_transfer(State(control): State<Control>, Path(user): Path<String>) -> Response {
    transfer(&control, &user, TransferOrder::Cancel).await
}

async fn transfer(control: &Control, user: &str, order: TransferOrder) -> Response {
    match control.transfer(user, order).await {
        Ok(contact) => Json(json!({"contact": contact})).into_response(),
        Err(TransferError::Gone(gone)) => unavailable(&gone.to_string()),
        Err(TransferError::Refused(refused)) => {
            let status = match refused {
                TransferRefused::UnknownTarget => StatusCode::NOT_FOUND,
                _ => StatusCode::CONFLICT,
            };
            (status, Json(json!({"error": refused.to_string()}))).into_response()
        }
    }
}

/// The body of `POST /test-calls`.
#[derive(Deserialize)]
struct NewTestCall {
    trunk: String,
    number: String,
}

async fn test_call(
    State(control): State<Control>,
    Json(NewTestCall { trunk, number }): Json<NewTestCall>,
) -> Response {
    match control.test_call(trunk, number).await {
        Ok(contact) => Json(json!({"contact": contact})).into_response(),
        Err(TestCallError::Gone(gone)) => unavailable(&gone.to_string()),
        Err(TestCallError::Refused(TestCallRefused::Locating)) => {
            unavailable(&TestCallRefused::Locating.to_string())
        }
        Err(TestCallError::Refused(refused)) => {
            let status = match refused {
                TestCallRefused::UnknownTrunk | TestCallRefused::UnknownNumber => StatusCode::NOT_FOUND,
                _ => StatusCode::CONFLICT,
            };
            (status, Json(json!({"error": refused.to_string()}))).into_response()
        }
    }
}

pub(super) fn unavailable(error: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"error": error}))).into_response()
}
