//! `/rooms`: who is in which room of a client, and what an operator does with a party of one.

use super::control::Control;
use super::http::unavailable;
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use switch::{MemberState, RoomOrder, RoomRefused, RoomState};

/// A room that somebody is in.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Room {
    /// The client.
    client: Arc<str>,
    /// Its name.
    room: Arc<str>,
    /// Who is in it, in the order in which they came.
    members: Vec<Member>,
}

/// A party of a room.
#[derive(Clone, Debug, Serialize)]
struct Member {
    /// The contact whose caller it is.
    contact: u64,
    /// Its number, or its user.
    name: Arc<str>,
    /// For how long it has been there.
    seconds: u64,
    /// Whether it is heard by nobody.
    muted: bool,
    /// How much louder it is made, in decibels.
    gain: i8,
    /// Whether it was the one who spoke last.
    speaks: bool,
}

impl From<RoomState> for Room {
    fn from(RoomState { client, room, members }: RoomState) -> Self {
        Self { client, room, members: members.into_iter().map(Member::from).collect() }
    }
}

impl From<MemberState> for Member {
    fn from(member: MemberState) -> Self {
        let MemberState { contact, name, present_for, muted, gain, speaks } = member;
        Self { contact: contact.0, name, seconds: present_for.as_secs(), muted, gain, speaks }
    }
}

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/rooms", get(rooms))
        .route("/rooms/members/{contact}", delete(kick))
        .route("/rooms/members/{contact}/mute", post(mute))
        .route("/rooms/members/{contact}/unmute", post(unmute))
        .route("/rooms/members/{contact}/gain", post(gain))
}

async fn rooms(State(control): State<Control>) -> Response {
    match control.rooms().await {
        Ok(rooms) => Json(rooms).into_response(),
        Err(gone) => unavailable(&gone.to_string()),
    }
}

async fn kick(State(control): State<Control>, Path(contact): Path<u64>) -> Response {
    direct(&control, contact, RoomOrder::Kick).await
}

async fn mute(State(control): State<Control>, Path(contact): Path<u64>) -> Response {
    direct(&control, contact, RoomOrder::Mute).await
}

async fn unmute(State(control): State<Control>, Path(contact): Path<u64>) -> Response {
    direct(&control, contact, RoomOrder::Unmute).await
}

/// The body of `POST /rooms/members/{contact}/gain`.
#[derive(Deserialize)]
struct Gain {
    decibels: i8,
}

async fn gain(
    State(control): State<Control>,
    Path(contact): Path<u64>,
    Json(Gain { decibels }): Json<Gain>,
) -> Response {
    direct(&control, contact, RoomOrder::Gain(decibels)).await
}

async fn direct(control: &Control, contact: u64, order: RoomOrder) -> Response {
    match control.direct_room(contact, order).await {
        Ok(Ok(())) => Json(json!({"contact": contact})).into_response(),
        Ok(Err(refused)) => {
            let status = match refused {
                RoomRefused::NotThere => StatusCode::NOT_FOUND,
                RoomRefused::Gain => StatusCode::BAD_REQUEST,
            };
            (status, Json(json!({"error": refused.to_string()}))).into_response()
        }
        Err(gone) => unavailable(&gone.to_string()),
    }
}
