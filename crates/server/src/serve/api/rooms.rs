//! `/rooms`: who is in which room of a client, and what an operator does with a party of one.

use super::super::control::Control;
use super::answer::{Answer, Body, Fault};
use super::document::Routes;
use super::floor::Done;
use super::guard::{Access, Contact};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use switch::{MemberState, RoomOrder, RoomRefused, RoomState};
use utoipa::ToSchema;

/// A room that somebody is in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Room {
    /// The client.
    client: Arc<str>,
    /// Its name.
    room: Arc<str>,
    /// Who is in it, in the order in which they came.
    members: Vec<Member>,
}

/// A party of a room.
#[derive(Clone, Debug, Serialize, ToSchema)]
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

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .under("Rooms")
        .with(__path_rooms, rooms)
        .with(__path_kick, kick)
        .with(__path_mute, mute)
        .with(__path_unmute, unmute)
        .with(__path_gain, gain)
}

/// The rooms that somebody is in
#[utoipa::path(get, path = "/rooms", responses((status = 200, body = Vec<Room>)),
    security(("token" = ["watch"])))]
async fn rooms(State(control): State<Control>, Access(account): Access) -> Answer<Vec<Room>> {
    let mut rooms = control.rooms().await?;
    rooms.retain(|room| account.sees(&room.client));
    Ok(Json(rooms))
}

/// It has to leave
#[utoipa::path(delete, path = "/rooms/members/{contact}", params(("contact" = u64, Path)),
    responses((status = 200, body = Done)), security(("token" = ["direct"])))]
async fn kick(State(control): State<Control>, Contact(contact): Contact) -> Answer<Done> {
    direct(&control, contact, RoomOrder::Kick).await
}

/// Nobody hears it any more
#[utoipa::path(post, path = "/rooms/members/{contact}/mute", params(("contact" = u64, Path)),
    responses((status = 200, body = Done)), security(("token" = ["direct"])))]
async fn mute(State(control): State<Control>, Contact(contact): Contact) -> Answer<Done> {
    direct(&control, contact, RoomOrder::Mute).await
}

/// It is heard again
#[utoipa::path(post, path = "/rooms/members/{contact}/unmute", params(("contact" = u64, Path)),
    responses((status = 200, body = Done)), security(("token" = ["direct"])))]
async fn unmute(State(control): State<Control>, Contact(contact): Contact) -> Answer<Done> {
    direct(&control, contact, RoomOrder::Unmute).await
}

/// How much louder somebody is made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Gain {
    decibels: i8,
}

/// It is made louder, or softer
#[utoipa::path(post, path = "/rooms/members/{contact}/gain", params(("contact" = u64, Path)), request_body = Gain,
    responses((status = 200, body = Done)), security(("token" = ["direct"])))]
async fn gain(
    State(control): State<Control>,
    Contact(contact): Contact,
    Body(Gain { decibels }): Body<Gain>,
) -> Answer<Done> {
    direct(&control, contact, RoomOrder::Gain(decibels)).await
}

async fn direct(control: &Control, contact: u64, order: RoomOrder) -> Answer<Done> {
    match control.direct_room(contact, order).await? {
        Ok(()) => Ok(Json(Done { contact })),
        Err(refused) => Err(match refused {
            RoomRefused::NotThere => Fault::unknown(refused.to_string()),
            RoomRefused::Gain => Fault::bad(refused.to_string()),
        }),
    }
}
