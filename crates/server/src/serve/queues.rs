//! `/agents`, `/queues` and `/why`: who takes calls and who waits, what is done with an agent, and why it is as it is.

use super::control::Control;
use super::http::unavailable;
use acd::{AgentState, QueueView};
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use clock::{Duration, Time};
use dialplan::AgentAction;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use switch::{AgentOrder, AgentRefused, AgentStatus, CallerOrder, CallerRefused};

/// An agent.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Agent {
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
    pub(super) fn of(AgentStatus { view, phone }: AgentStatus, now: Time) -> Self {
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
}

/// A queue with those who wait.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Queue {
    /// `acme/support`.
    pub(super) queue: Arc<str>,
    /// The longest wait of those that wait.
    pub(super) longest_seconds: u64,
    /// Its agents by what they do.
    pub(super) agents: acd::AgentCounts,
    /// In the order in which they are next.
    pub(super) waiting: Vec<Waiting>,
}

/// A caller that waits.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Waiting {
    contact: u64,
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

impl From<QueueView> for Queue {
    fn from(view: QueueView) -> Self {
        let waiting = view.waiting.into_iter().map(|it| Waiting {
            contact: it.call,
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

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/agents", get(agents))
        .route("/agents/{agent}/login", post(log_in))
        .route("/agents/{agent}/logout", post(log_out))
        .route("/agents/{agent}/pause", post(pause))
        .route("/agents/{agent}/ready", post(ready))
        .route("/agents/{agent}/finish", post(finish))
        .route("/agents/{agent}/extend", post(extend))
        .route("/queues", get(queues))
        .route("/queues/contacts/{contact}/move", post(move_caller))
        .route("/queues/contacts/{contact}/priority", post(prioritise))
        .route("/queues/contacts/{contact}/pull", post(pull))
        .route("/why/contacts/{contact}", get(why_waiting))
        .route("/why/agents/{agent}", get(why_idle))
}

async fn agents(State(control): State<Control>) -> Response {
    match control.agents().await {
        Ok(agents) => Json(agents).into_response(),
        Err(gone) => unavailable(&gone.to_string()),
    }
}

async fn queues(State(control): State<Control>) -> Response {
    match control.queues().await {
        Ok(queues) => Json(queues).into_response(),
        Err(gone) => unavailable(&gone.to_string()),
    }
}

/// What an order may say further.
#[derive(Default, Deserialize)]
struct Detail {
    /// The user at whose phone it logs in.
    phone: Option<Arc<str>>,
    /// Why it pauses.
    reason: Option<Arc<str>>,
    /// How much longer its wrap-up lasts.
    seconds: Option<u64>,
    /// Who wants it, for the log; an operator without a name if nobody says.
    by: Option<Arc<str>>,
    /// The queue to which a caller goes.
    queue: Option<Arc<str>>,
    /// The points of priority that it has.
    points: Option<i32>,
    /// The user that is rung for it.
    user: Option<Arc<str>>,
}

impl Detail {
    fn by(&self) -> Arc<str> {
        self.by.clone().unwrap_or_else(|| "operator".into())
    }
}

type Body = Option<Json<Detail>>;

fn detail(body: Body) -> Detail {
    body.map(|Json(detail)| detail).unwrap_or_default()
}

async fn log_in(State(control): State<Control>, Path(agent): Path<Arc<str>>, body: Body) -> Response {
    let detail = detail(body);
    direct(&control, agent, (AgentOrder::LogIn { phone: detail.phone.clone() }, detail.by())).await
}

async fn log_out(State(control): State<Control>, Path(agent): Path<Arc<str>>, body: Body) -> Response {
    direct(&control, agent, (AgentOrder::Do(AgentAction::LogOut), detail(body).by())).await
}

async fn pause(State(control): State<Control>, Path(agent): Path<Arc<str>>, body: Body) -> Response {
    let detail = detail(body);
    let reason = detail.reason.clone().unwrap_or_else(|| "pause".into());
    direct(&control, agent, (AgentOrder::Do(AgentAction::Pause { reason }), detail.by())).await
}

async fn ready(State(control): State<Control>, Path(agent): Path<Arc<str>>, body: Body) -> Response {
    direct(&control, agent, (AgentOrder::Do(AgentAction::Ready), detail(body).by())).await
}

async fn finish(State(control): State<Control>, Path(agent): Path<Arc<str>>, body: Body) -> Response {
    direct(&control, agent, (AgentOrder::Do(AgentAction::FinishWrapUp), detail(body).by())).await
}

async fn extend(State(control): State<Control>, Path(agent): Path<Arc<str>>, body: Body) -> Response {
    let detail = detail(body);
    let by = Duration::from_secs(detail.seconds.unwrap_or(60));
    direct(&control, agent, (AgentOrder::ExtendWrapUp(by), detail.by())).await
}

async fn move_caller(State(control): State<Control>, Path(contact): Path<u64>, body: Body) -> Response {
    let detail = detail(body);
    let order = detail.queue.clone().map(|queue| CallerOrder::Move { queue });
    direct_caller(&control, contact, (order, "queue"), detail.by()).await
}

async fn prioritise(State(control): State<Control>, Path(contact): Path<u64>, body: Body) -> Response {
    let detail = detail(body);
    let order = detail.points.map(|points| CallerOrder::Prioritise { points });
    direct_caller(&control, contact, (order, "points"), detail.by()).await
}

async fn pull(State(control): State<Control>, Path(contact): Path<u64>, body: Body) -> Response {
    let detail = detail(body);
    let order = detail.user.clone().map(|user| CallerOrder::Pull { user });
    direct_caller(&control, contact, (order, "user"), detail.by()).await
}

async fn direct_caller(
    control: &Control,
    contact: u64,
    (order, needs): (Option<CallerOrder>, &str),
    by: Arc<str>,
) -> Response {
    let Some(order) = order else {
        let error = json!({"error": format!("the body needs `{needs}`")});
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    };
    match control.direct_caller(contact, (order, by)).await {
        Ok(Ok(())) => Json(json!({"contact": contact})).into_response(),
        Ok(Err(refused)) => {
            let status = match refused {
                CallerRefused::NotWaiting | CallerRefused::UnknownQueue | CallerRefused::UnknownUser => {
                    StatusCode::NOT_FOUND
                }
                CallerRefused::Unreachable | CallerRefused::Busy => StatusCode::CONFLICT,
            };
            (status, Json(json!({"error": refused.to_string()}))).into_response()
        }
        Err(gone) => unavailable(&gone.to_string()),
    }
}

async fn direct(control: &Control, agent: Arc<str>, order: (AgentOrder, Arc<str>)) -> Response {
    match control.direct_agent(Arc::clone(&agent), order).await {
        Ok(Ok(())) => Json(json!({"agent": agent})).into_response(),
        Ok(Err(refused)) => {
            let status = match refused {
                AgentRefused::Unknown | AgentRefused::UnknownPhone => StatusCode::NOT_FOUND,
                AgentRefused::NoPhone => StatusCode::BAD_REQUEST,
                AgentRefused::LoggedOut | AgentRefused::InCall | AgentRefused::NoWrapUp => {
                    StatusCode::CONFLICT
                }
            };
            (status, Json(json!({"error": refused.to_string()}))).into_response()
        }
        Err(gone) => unavailable(&gone.to_string()),
    }
}

async fn why_waiting(State(control): State<Control>, Path(contact): Path<u64>) -> Response {
    told(control.why_waiting(contact).await, "that contact waits in no queue")
}

async fn why_idle(State(control): State<Control>, Path(agent): Path<Arc<str>>) -> Response {
    told(control.why_idle(agent).await, "there is no such agent")
}

fn told(found: Result<Option<String>, super::Gone>, none: &str) -> Response {
    match found {
        Ok(Some(why)) => Json(json!({"why": why})).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, Json(json!({"error": none}))).into_response(),
        Err(gone) => unavailable(&gone.to_string()),
    }
}
