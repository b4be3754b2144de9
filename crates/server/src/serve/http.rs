//! The node's HTTP interface: `/health`, `/status` and `/reload`.

use super::control::{Control, ReloadError};
use super::error::ServeError;
use crate::load::LoadError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::io;
use std::net::{SocketAddr, TcpListener};
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
        .route("/reload", post(reload))
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

async fn reload(State(control): State<Control>) -> Response {
    match control.reload().await {
        Ok(reloaded) => Json(reloaded).into_response(),
        Err(ReloadError::Gone(gone)) => unavailable(&gone.to_string()),
        Err(ReloadError::Config(error)) => {
            let diagnostics = match &error {
                LoadError::Faults(report) => report.diagnostics.as_slice(),
                LoadError::Unreadable { .. } => &[],
            };
            let body = json!({"error": error.to_string(), "diagnostics": diagnostics});
            (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
        }
    }
}

fn unavailable(error: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"error": error}))).into_response()
}
