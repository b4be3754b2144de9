//! `/webhooks`: how clients' servers take what they are told.

use super::super::control::Control;
use super::super::hooks::HookState;
use super::answer::{Answer, Fault};
use super::document::Routes;
use super::guard::Access;
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.under("Events").with(__path_webhooks, webhooks).with(__path_send_again, send_again)
}

/// How all webhooks do
#[utoipa::path(get, path = "/webhooks", responses((status = 200, body = Vec<HookState>)),
    security(("token" = ["read_calls"])))]
async fn webhooks(State(control): State<Control>, Access(account): Access) -> Answer<Vec<HookState>> {
    let mut states = control.hooks().states().await;
    states.retain(|state| account.sees(&state.client));
    Ok(Json(states))
}

/// What is sent again.
#[derive(Serialize, ToSchema)]
struct Again {
    /// Deliveries.
    deliveries: u64,
}

/// What a server has not taken for a day, or refused, is sent again
#[utoipa::path(post, path = "/webhooks/{client}/{webhook}/again",
    params(("client" = String, Path), ("webhook" = String, Path)), responses((status = 200, body = Again)),
    security(("token" = ["manage_accounts"])))]
async fn send_again(
    State(control): State<Control>,
    Access(account): Access,
    Path((client, webhook)): Path<(String, String)>,
) -> Answer<Again> {
    let unknown = Fault::unknown(format!("there is no webhook `{client}/{webhook}`"));
    if !account.sees(&client) {
        return Err(unknown);
    }
    let taken = control.hooks().send_again(&client, &webhook).await;
    let taken = taken.map_err(|error| Fault::later(error.to_string()))?;
    taken.map(|deliveries| Json(Again { deliveries })).ok_or(unknown)
}
