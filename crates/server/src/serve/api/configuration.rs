//! `/apply`, `/rollback` and `/versions`: what an administrator wrote takes the place of what runs, and goes back again.

use super::super::apply::{Applied, ApplyError, blocking};
use super::super::control::Control;
use super::answer::{Answer, Asked, Body, Fault};
use super::document::Routes;
use super::guard::Access;
use crate::load::LoadError;
use crate::versions::{Version, VersionError, Wish};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use utoipa::{IntoParams, ToSchema};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .under("Configuration")
        .with(__path_apply, apply)
        .with(__path_roll_back, roll_back)
        .with(__path_versions, versions)
}

/// The body of `POST /rollback`.
#[derive(Deserialize, ToSchema)]
struct Back {
    /// To which version; to the one before if it is not named.
    version: Option<u64>,
    #[serde(flatten)]
    #[schema(inline)]
    wish: Wish,
}

/// Reads and checks the files of the configuration, and applies them if they have no fault
///
/// Calls that are up go on with the version that they began with.
#[utoipa::path(post, path = "/apply", request_body = Wish, responses((status = 200, body = Applied),
    (status = 422, description = "It does not check: `diagnostics` has each mistake with its file, line and column",
        body = Object)), security(("token" = ["operate"])))]
async fn apply(State(control): State<Control>, access: Access, Body(wish): Body<Wish>) -> Response {
    answer(control.apply(by(&access, wish)).await)
}

/// Brings the files of a version back, and applies them
#[utoipa::path(post, path = "/rollback", request_body = Back, responses((status = 200, body = Applied),
    (status = 404, description = "There is no such version", body = Object),
    (status = 422, description = "It does not check any more", body = Object),
    (status = 500, description = "The files cannot be written", body = Object)), security(("token" = ["operate"])))]
async fn roll_back(
    State(control): State<Control>,
    access: Access,
    Body(Back { version, wish }): Body<Back>,
) -> Response {
    answer(control.roll_back(version, by(&access, wish)).await)
}

fn by(access: &Access, wish: Wish) -> Wish {
    Wish { by: Some(access.by(wish.by.map(Into::into)).to_string()), ..wish }
}

/// Which versions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The latest so many.
    limit: Option<u32>,
}

/// What was applied when, by whom and why, the oldest first
#[utoipa::path(get, path = "/versions", params(Which), responses((status = 200, body = Vec<Version>),
    (status = 500, description = "They cannot be read", body = Object)), security(("token" = ["inspect"])))]
async fn versions(State(control): State<Control>, Asked(which): Asked<Which>) -> Answer<Vec<Version>> {
    let kept = control.versions().clone();
    let all = blocking(move || kept.all()).await;
    let mut all = all.map_err(|error| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    if let Some(limit) = which.limit {
        let surplus = all.len().saturating_sub(limit as usize);
        all.drain(..surplus);
    }
    Ok(Json(all))
}

fn answer(applied: Result<Applied, ApplyError>) -> Response {
    let refused = |status, error: &dyn fmt::Display, diagnostics: &[dialplan::Diagnostic]| {
        let body = json!({"error": error.to_string(), "diagnostics": diagnostics});
        (status, Json(body)).into_response()
    };
    match applied {
        Ok(applied) => Json(applied).into_response(),
        Err(ApplyError::Gone(gone)) => Fault::from(gone).into_response(),
        Err(ApplyError::Config(error) | ApplyError::Version(VersionError::Load(error))) => {
            let diagnostics = match &error {
                LoadError::Faults(report) => report.diagnostics.as_slice(),
                LoadError::Unreadable { .. } | LoadError::Pem(_) | LoadError::Secret { .. } => &[],
            };
            refused(StatusCode::UNPROCESSABLE_ENTITY, &error, diagnostics)
        }
        Err(ApplyError::Version(error @ (VersionError::Unknown(_) | VersionError::First))) => {
            refused(StatusCode::NOT_FOUND, &error, &[])
        }
        Err(ApplyError::Version(error)) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error, &[]),
    }
}
