//! The node's HTTP interface: operations with their rights, the document that describes them, and who may ask.

mod accounts;
mod answer;
mod calls;
mod configuration;
mod desk;
mod document;
mod events;
mod floor;
mod guard;
mod idempotency;
mod invoices;
mod metrics;
mod node;
mod pace;
mod pages;
mod recordings;
mod reports;
mod rooms;
mod session;
mod voicemail;
mod webhooks;

pub(super) use floor::{Agent, Queue};
pub(super) use node::{Banned, FraudUse, Trunk};
pub(super) use rooms::Room;

use super::control::Control;
use super::error::ServeError;
use axum::extract::DefaultBodyLimit;
use document::Routes;
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
    let (router, _document) = operations(Routes::new(control.clone())).finish();
    let router = pages::routes(router).layer(DefaultBodyLimit::max(guard::MAX_BODY)).with_state(control);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    runtime.spawn(async move {
        if let Err(error) = axum::serve(listener, service).await {
            tracing::error!("HTTP has ended: {error}");
        }
    });
    Ok(address)
}

/// All of them.
fn operations(routes: Routes) -> Routes {
    let routes = floor::routes(calls::routes(rooms::routes(routes)));
    let routes = events::routes(invoices::routes(reports::routes(metrics::routes(node::routes(routes)))));
    let routes = desk::routes(recordings::routes(routes));
    accounts::routes(configuration::routes(voicemail::routes(webhooks::routes(routes))))
}
