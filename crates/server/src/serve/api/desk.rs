//! What an agent's desk needs: the phone that is its own, and whose call it has.

use super::super::control::Control;
use super::answer::{Answer, Fault};
use super::document::Routes;
use super::guard::{Access, AgentName};
use axum::Json;
use axum::extract::State;
use events::{ContactId, Event, Kind, QueueOutcome, WallClock};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.under("Desk").with(__path_phone, phone).with(__path_caller, caller)
}

/// How a page is the phone of an agent.
#[derive(Serialize, ToSchema)]
struct Phone {
    /// The user that it registers as.
    user: Arc<str>,
    /// For people.
    display_name: Option<Arc<str>>,
    /// The realm of the digest.
    realm: Arc<str>,
    /// MD5 of user, realm and password (RFC 7616 3.4.2): all that a phone needs to answer a challenge. It is no good for another
    /// realm, and says nothing of the password.
    ha1: String,
    /// `wss`, or `ws` where the node has no other.
    transport: &'static str,
    /// Where it listens for that.
    port: u16,
}

/// What one's own phone registers with, in a page
#[utoipa::path(post, path = "/me/phone", responses((status = 200, body = Phone),
    (status = 404, description = "The account is no agent's, or its agent has no phone", body = Object)),
    security(("token" = ["direct_oneself"])))]
async fn phone(State(control): State<Control>, Access(account): Access) -> Answer<Phone> {
    let agent = account.agent.as_deref();
    let agent = agent.ok_or_else(|| Fault::unknown(format!("`{}` is no agent's account", account.name)))?;
    let none = || Fault::unknown(format!("the agent `{agent}` has no phone of its own"));
    let user = control.own_phone_of(agent).ok_or_else(none)?;
    let (user, realm) = control.credentials_of(&user).ok_or_else(none)?;
    let places = control.phone_ports();
    let &(transport, port) = places.first().ok_or_else(|| {
        Fault::conflict("the node listens for no phone in a page: `sip.listen` needs `wss:ADDRESS:PORT`")
    })?;
    let ha1 = sip::ha1(sip::Algorithm::Md5, &user.name, &realm, &user.password);
    Ok(Json(Phone { user: user.name, display_name: user.display_name, realm, ha1, transport, port }))
}

/// Whom an agent is rung for, or talks with.
#[derive(Serialize, ToSchema)]
struct Caller {
    contact: u64,
    client: Arc<str>,
    /// The queue that it comes from, within the client; null if it comes from none.
    queue: Option<Arc<str>>,
    /// The caller as normalised.
    from: Arc<str>,
    /// The number called.
    to: Arc<str>,
    /// The flow that answered it.
    flow: Arc<str>,
    /// Since when it has waited for an agent.
    #[schema(value_type = Option<String>, format = DateTime)]
    waits_since: Option<Timestamp>,
    /// Until when.
    #[schema(value_type = Option<String>, format = DateTime)]
    answered: Option<Timestamp>,
}

impl Caller {
    /// What the history of a contact says of its caller; nothing before it has begun.
    fn of(contact: u64, history: &[Event], wall: WallClock) -> Option<Self> {
        let mut found: Option<Self> = None;
        for event in history {
            match (&event.kind, &mut found) {
                (Kind::ContactStarted { client, from, to, flow, .. }, _) => {
                    let [client, from, to, flow] = [client, from, to, flow].map(Arc::clone);
                    let (queue, waits_since, answered) = (None, None, None);
                    found = Some(Self { contact, client, queue, from, to, flow, waits_since, answered });
                }
                (Kind::QueueEntered { queue, waited_millis, .. }, Some(caller)) => {
                    let before = clock::Duration::from_millis(*waited_millis);
                    caller.queue = Some(Arc::clone(queue));
                    caller.waits_since = wall.moment(event.at).utc.checked_sub(before).ok();
                    caller.answered = None;
                }
                (
                    Kind::QueueLeft { outcome: QueueOutcome::Answered(_) | QueueOutcome::PickedUp, .. },
                    Some(caller),
                ) => caller.answered = Some(wall.moment(event.at).utc),
                _ => {}
            }
        }
        found
    }
}

/// Whom it is rung for, or talks with
#[utoipa::path(get, path = "/agents/{agent}/contact", params(("agent" = String, Path)),
    responses((status = 200, body = Caller)), security(("token" = ["watch"]), ("token" = ["direct_oneself"])))]
async fn caller(State(control): State<Control>, AgentName(agent): AgentName) -> Answer<Caller> {
    let none = || Fault::unknown(format!("the agent `{agent}` has no call"));
    let contact = control.contact_of(&agent).await?.ok_or_else(none)?;
    let reader = control.reader();
    let wall = reader.wall_of(ContactId(contact)).await?.ok_or_else(none)?;
    let history = reader.events_of(ContactId(contact)).await?;
    Caller::of(contact, &history, wall).map(Json).ok_or_else(none)
}
