//! `/agents`, `/queues` and `/why`: who takes calls and who waits, what is done with them, and why it is as it is.

use super::super::control::Control;
use super::answer::{Answer, Body, Fault};
use super::document::Routes;
use super::guard::{Access, AgentName, Contact};
use crate::access::Role;
use acd::AgentState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use clock::{Duration, Time};
use dialplan::AgentAction;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use switch::{AgentOrder, AgentRefused, AgentStatus, CallerOrder, CallerRefused, QueueStatus};
use utoipa::ToSchema;

/// The longest reason of a pause, in characters.
const MAX_REASON: usize = 64;

/// An agent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Agent {
    /// Its name.
    agent: Arc<str>,
    /// `ready`, `paused`, `talking` and so on.
    state: &'static str,
    /// Why it is paused.
    reason: Option<Arc<str>>,
    /// The contact that it is rung for or talks with.
    contact: Option<u64>,
    /// For how long it has been in that state.
    seconds: u64,
    /// Until the end of its wrap-up.
    seconds_left: Option<u64>,
    /// The user whose phone rings for it.
    phone: Option<Arc<str>>,
    /// Offers in a row that it let ring out.
    misses: u32,
    /// Callers of queues that it has had since it logged in.
    handled: u32,
    /// How long it talked with them.
    talked_seconds: u64,
    /// Its queues, `acme/support`.
    queues: Vec<Arc<str>>,
}

impl Agent {
    pub(in crate::serve) fn of(AgentStatus { view, phone }: AgentStatus, now: Time) -> Self {
        let (state, reason, contact, until) = match view.state {
            AgentState::LoggedOut => ("logged_out", None, None, None),
            AgentState::Ready => ("ready", None, None, None),
            AgentState::Paused { reason } => ("paused", Some(reason), None, None),
            AgentState::Ringing { call } => ("ringing", None, Some(call), None),
            AgentState::Reserved { call } => ("reserved", None, Some(call), None),
            AgentState::Talking { call } => ("talking", None, Some(call), None),
            AgentState::Busy => ("busy", None, None, None),
            AgentState::WrapUp { until } => ("wrap_up", None, None, Some(until)),
            AgentState::Unreachable => ("unreachable", None, None, None),
        };
        Self {
            agent: view.agent,
            state,
            reason,
            contact,
            seconds: (now - view.since).as_secs(),
            seconds_left: until.map(|until| (until - now).as_secs()),
            phone,
            misses: view.misses,
            handled: view.handled,
            talked_seconds: view.talked.as_secs(),
            queues: view.queues,
        }
    }

    pub(in crate::serve) fn is(&self, agent: &str) -> bool {
        *self.agent == *agent
    }

    pub(in crate::serve) fn contact(&self) -> Option<u64> {
        self.contact
    }
}

/// A queue with those who wait.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Queue {
    /// `acme/support`.
    pub(super) queue: Arc<str>,
    /// The longest wait of those that wait.
    pub(super) longest_seconds: u64,
    /// Its agents by what they do.
    #[schema(value_type = AgentCounts)]
    pub(super) agents: acd::AgentCounts,
    /// In the order in which they are next.
    pub(super) waiting: Vec<Waiting>,
}

/// How many agents do what.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document alone reads it: acd::AgentCounts is what is written")]
struct AgentCounts {
    logged_out: u32,
    ready: u32,
    paused: u32,
    ringing: u32,
    talking: u32,
    busy: u32,
    wrap_up: u32,
    unreachable: u32,
}

/// A caller that waits.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Waiting {
    contact: u64,
    /// Its number as normalised; null where nobody is on the line.
    from: Option<Arc<str>>,
    position: u32,
    seconds: u64,
    /// How long it will wait yet; null if that is unknown.
    estimate_seconds: Option<u64>,
    priority: i32,
    /// The agents that are rung for it.
    offered: Vec<Arc<str>>,
    /// Whether nobody is on the line: the customer of that contact is called when it is its turn.
    callback: bool,
}

impl From<QueueStatus> for Queue {
    fn from(QueueStatus { view, mut callers }: QueueStatus) -> Self {
        let waiting = view.waiting.into_iter().map(|it| Waiting {
            contact: it.call,
            from: callers.remove(&it.call),
            position: it.position,
            seconds: it.waited.as_secs(),
            estimate_seconds: it.estimate.map(|time| time.as_secs()),
            priority: it.priority,
            offered: it.offered,
            callback: it.callback,
        });
        let (queue, agents) = (view.queue, view.agents);
        Self { queue, longest_seconds: view.longest.as_secs(), agents, waiting: waiting.collect() }
    }
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .under("Floor")
        .with(__path_agents, agents)
        .with(__path_log_in, log_in)
        .with(__path_log_out, log_out)
        .with(__path_pause, pause)
        .with(__path_ready, ready)
        .with(__path_finish, finish)
        .with(__path_extend, extend)
        .with(__path_queues, queues)
        .with(__path_move_caller, move_caller)
        .with(__path_prioritise, prioritise)
        .with(__path_pull, pull)
        .with(__path_why_waiting, why_waiting)
        .with(__path_why_idle, why_idle)
}

/// All agents, by name
///
/// Of the clients that the account sees; an agent sees itself.
#[utoipa::path(get, path = "/agents", responses((status = 200, body = Vec<Agent>)),
    security(("token" = ["watch"]), ("token" = ["direct_oneself"])))]
async fn agents(State(control): State<Control>, access: Access) -> Answer<Vec<Agent>> {
    let mut agents = control.agents().await?;
    agents.retain(|agent| access.sees_agent(&control, &agent.agent));
    Ok(Json(agents))
}

/// All queues, with those who wait
#[utoipa::path(get, path = "/queues", responses((status = 200, body = Vec<Queue>)),
    security(("token" = ["watch"])))]
async fn queues(State(control): State<Control>, Access(account): Access) -> Answer<Vec<Queue>> {
    let mut queues = control.queues().await?;
    queues.retain(|queue| queue.queue.split('/').next().is_some_and(|client| account.sees(client)));
    Ok(Json(queues))
}

/// Who wants something.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// Whom the log names; read from commands on the node's own machine alone, others are who they are.
    pub(super) by: Option<Arc<str>>,
}

/// An agent logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LogIn {
    /// The user at whose phone it sits, if not its own.
    phone: Option<Arc<str>>,
    by: Option<Arc<str>>,
}

/// An agent takes no calls for a while.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pause {
    /// Why, as the figures have it, 64 characters at most; `pause` if nobody says.
    #[schema(max_length = 64)]
    reason: Option<Arc<str>>,
    by: Option<Arc<str>>,
}

/// An agent's wrap-up lasts longer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Extend {
    /// How much longer; a minute if nobody says.
    seconds: Option<u32>,
    by: Option<Arc<str>>,
}

/// The agent that was directed.
#[derive(Serialize, ToSchema)]
struct Directed {
    agent: Arc<str>,
}

/// It takes calls
#[utoipa::path(post, path = "/agents/{agent}/login", params(("agent" = String, Path)), request_body = LogIn,
    responses((status = 200, body = Directed)), security(("token" = ["direct"]), ("token" = ["direct_oneself"])))]
async fn log_in(
    State(control): State<Control>,
    AgentName(agent): AgentName,
    access: Access,
    Body(LogIn { phone, by }): Body<LogIn>,
) -> Answer<Directed> {
    let is_elsewhere = phone.is_some() && phone != control.own_phone_of(&agent);
    if is_elsewhere && access.0.role == Role::Agent {
        let error =
            "an agent logs in at its own phone; at another one by code and PIN, or a supervisor does it";
        return Err(Fault::new(StatusCode::FORBIDDEN, error));
    }
    direct(&control, agent, (AgentOrder::LogIn { phone }, access.by(by))).await
}

/// It takes no calls any more; one that it is in goes on
#[utoipa::path(post, path = "/agents/{agent}/logout", params(("agent" = String, Path)), request_body = Order,
    responses((status = 200, body = Directed)), security(("token" = ["direct"]), ("token" = ["direct_oneself"])))]
async fn log_out(
    State(control): State<Control>,
    AgentName(agent): AgentName,
    access: Access,
    Body(Order { by }): Body<Order>,
) -> Answer<Directed> {
    direct(&control, agent, (AgentOrder::Do(AgentAction::LogOut), access.by(by))).await
}

/// It takes no calls for a while
#[utoipa::path(post, path = "/agents/{agent}/pause", params(("agent" = String, Path)), request_body = Pause,
    responses((status = 200, body = Directed)), security(("token" = ["direct"]), ("token" = ["direct_oneself"])))]
async fn pause(
    State(control): State<Control>,
    AgentName(agent): AgentName,
    access: Access,
    Body(Pause { reason, by }): Body<Pause>,
) -> Answer<Directed> {
    let reason = reason.unwrap_or_else(|| "pause".into());
    if reason.chars().count() > MAX_REASON {
        return Err(Fault::bad(format!("a `reason` has {MAX_REASON} characters at most")));
    }
    direct(&control, agent, (AgentOrder::Do(AgentAction::Pause { reason }), access.by(by))).await
}

/// It takes calls again
#[utoipa::path(post, path = "/agents/{agent}/ready", params(("agent" = String, Path)), request_body = Order,
    responses((status = 200, body = Directed)), security(("token" = ["direct"]), ("token" = ["direct_oneself"])))]
async fn ready(
    State(control): State<Control>,
    AgentName(agent): AgentName,
    access: Access,
    Body(Order { by }): Body<Order>,
) -> Answer<Directed> {
    direct(&control, agent, (AgentOrder::Do(AgentAction::Ready), access.by(by))).await
}

/// Its wrap-up is over
#[utoipa::path(post, path = "/agents/{agent}/finish", params(("agent" = String, Path)), request_body = Order,
    responses((status = 200, body = Directed)), security(("token" = ["direct"]), ("token" = ["direct_oneself"])))]
async fn finish(
    State(control): State<Control>,
    AgentName(agent): AgentName,
    access: Access,
    Body(Order { by }): Body<Order>,
) -> Answer<Directed> {
    direct(&control, agent, (AgentOrder::Do(AgentAction::FinishWrapUp), access.by(by))).await
}

/// Its wrap-up lasts longer
#[utoipa::path(post, path = "/agents/{agent}/extend", params(("agent" = String, Path)), request_body = Extend,
    responses((status = 200, body = Directed)), security(("token" = ["direct"]), ("token" = ["direct_oneself"])))]
async fn extend(
    State(control): State<Control>,
    AgentName(agent): AgentName,
    access: Access,
    Body(Extend { seconds, by }): Body<Extend>,
) -> Answer<Directed> {
    let longer = Duration::from_secs(seconds.unwrap_or(60).into());
    direct(&control, agent, (AgentOrder::ExtendWrapUp(longer), access.by(by))).await
}

async fn direct(control: &Control, agent: Arc<str>, order: (AgentOrder, Arc<str>)) -> Answer<Directed> {
    match control.direct_agent(Arc::clone(&agent), order).await? {
        Ok(()) => Ok(Json(Directed { agent })),
        Err(refused) => Err(match refused {
            AgentRefused::Unknown | AgentRefused::UnknownPhone => Fault::unknown(refused.to_string()),
            AgentRefused::NoPhone => Fault::bad(refused.to_string()),
            AgentRefused::LoggedOut | AgentRefused::InCall | AgentRefused::NoWrapUp => {
                Fault::conflict(refused.to_string())
            }
        }),
    }
}

/// A caller goes to another queue.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Move {
    /// The queue of its client.
    queue: Arc<str>,
    by: Option<Arc<str>>,
}

/// A caller has other points of priority.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Prioritise {
    /// The greater first.
    points: i32,
    by: Option<Arc<str>>,
}

/// A user is rung for a caller.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pull {
    /// The user of its client.
    user: Arc<str>,
    by: Option<Arc<str>>,
}

/// The contact that was directed.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {
    pub(super) contact: u64,
}

/// It waits in another queue of its client, with its time
#[utoipa::path(post, path = "/queues/contacts/{contact}/move", params(("contact" = u64, Path)), request_body = Move,
    responses((status = 200, body = Done)), security(("token" = ["direct"])))]
async fn move_caller(
    State(control): State<Control>,
    Contact(contact): Contact,
    access: Access,
    Body(Move { queue, by }): Body<Move>,
) -> Answer<Done> {
    direct_caller(&control, contact, (CallerOrder::Move { queue }, access.by(by))).await
}

/// It has other points of priority
#[utoipa::path(post, path = "/queues/contacts/{contact}/priority", params(("contact" = u64, Path)),
    request_body = Prioritise, responses((status = 200, body = Done)), security(("token" = ["direct"])))]
async fn prioritise(
    State(control): State<Control>,
    Contact(contact): Contact,
    access: Access,
    Body(Prioritise { points, by }): Body<Prioritise>,
) -> Answer<Done> {
    direct_caller(&control, contact, (CallerOrder::Prioritise { points }, access.by(by))).await
}

/// A user of its client is rung for it at once
#[utoipa::path(post, path = "/queues/contacts/{contact}/pull", params(("contact" = u64, Path)), request_body = Pull,
    responses((status = 200, body = Done)), security(("token" = ["direct"])))]
async fn pull(
    State(control): State<Control>,
    Contact(contact): Contact,
    access: Access,
    Body(Pull { user, by }): Body<Pull>,
) -> Answer<Done> {
    direct_caller(&control, contact, (CallerOrder::Pull { user }, access.by(by))).await
}

async fn direct_caller(control: &Control, contact: u64, order: (CallerOrder, Arc<str>)) -> Answer<Done> {
    match control.direct_caller(contact, order).await? {
        Ok(()) => Ok(Json(Done { contact })),
        Err(refused) => Err(match refused {
            CallerRefused::NotWaiting | CallerRefused::UnknownQueue | CallerRefused::UnknownUser => {
                Fault::unknown(refused.to_string())
            }
            CallerRefused::Unreachable | CallerRefused::Busy => Fault::conflict(refused.to_string()),
        }),
    }
}

/// In sentences.
#[derive(Serialize, ToSchema)]
struct Why {
    why: String,
}

/// Why a contact waits
#[utoipa::path(get, path = "/why/contacts/{contact}", params(("contact" = u64, Path)),
    responses((status = 200, body = Why)), security(("token" = ["watch"])))]
async fn why_waiting(State(control): State<Control>, Contact(contact): Contact) -> Answer<Why> {
    let why = control.why_waiting(contact).await?;
    let why = why.ok_or_else(|| Fault::unknown("that contact waits in no queue"))?;
    Ok(Json(Why { why }))
}

/// Why an agent is offered nothing
#[utoipa::path(get, path = "/why/agents/{agent}", params(("agent" = String, Path)),
    responses((status = 200, body = Why)), security(("token" = ["watch"])))]
async fn why_idle(State(control): State<Control>, AgentName(agent): AgentName) -> Answer<Why> {
    let why = control.why_idle(agent).await?;
    let why = why.ok_or_else(|| Fault::unknown("there is no such agent"))?;
    Ok(Json(Why { why }))
}
