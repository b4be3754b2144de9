//! `/status`, `/trunks`, `/fraud`, `/bans`, `/transfers` and `/test-calls`: the node, and what an operator does with it.

use super::super::control::{Control, Status, TestCallError, TransferError};
use super::answer::{Answer, Body, Fault};
use super::document::Routes;
use super::floor::Done;
use super::guard::{Access, UserName};
use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use switch::{Ban, Spent, TestCallRefused, TransferOrder, TransferRefused, TrunkState};
use utoipa::ToSchema;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .under("Node")
        .with(__path_health, health)
        .with(__path_status, status)
        .with(__path_trunks, trunks)
        .with(__path_fraud, fraud)
        .with(__path_bans, bans)
        .with(__path_lift_ban, lift_ban)
        .with(__path_test_call, test_call)
        .under("Calls")
        .with(__path_begin_transfer, begin_transfer)
        .with(__path_complete_transfer, complete_transfer)
        .with(__path_cancel_transfer, cancel_transfer)
}

/// A trunk as it is at present.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Trunk {
    /// Its name.
    pub(super) name: Arc<str>,
    /// Calls from it.
    pub(super) calls_in: u32,
    /// Calls to it.
    pub(super) calls_out: u32,
    /// Calls that it may carry.
    pub(super) limits: TrunkLimits,
    /// Our registration there, if it has one.
    pub(super) registration: Option<TrunkRegistration>,
    /// The servers that its `to` leads to.
    pub(super) targets: Vec<TrunkTarget>,
    /// Those of them that have answered a call by 503 with Retry-After.
    pub(super) resting: Vec<TrunkRest>,
}

/// The limits of a trunk, as its node file has them.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct TrunkLimits {
    /// Both directions.
    #[serde(flatten)]
    pub(super) total: Bound,
    /// Calls from it.
    #[serde(rename = "in")]
    pub(super) inbound: Bound,
    /// Calls to it.
    #[serde(rename = "out")]
    pub(super) outbound: Bound,
}

/// Calls that are admitted; without bound where there is none.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Bound {
    /// At once.
    pub(super) calls: Option<u32>,
    /// New ones a second.
    pub(super) per_second: Option<u32>,
}

impl From<dialplan::Bound> for Bound {
    fn from(dialplan::Bound { calls, per_second }: dialplan::Bound) -> Self {
        Self { calls, per_second }
    }
}

impl From<dialplan::TrunkLimits> for TrunkLimits {
    fn from(limits: dialplan::TrunkLimits) -> Self {
        Self { total: limits.total.into(), inbound: limits.inbound.into(), outbound: limits.outbound.into() }
    }
}

/// A registration of ours.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct TrunkRegistration {
    /// Where, a SIP URI.
    pub(super) registrar: Arc<str>,
    /// As whom.
    pub(super) user: String,
    /// For how many seconds the registrar has our contact.
    pub(super) registered_seconds: Option<u64>,
    /// The status of the last answer; 408 for none.
    pub(super) last_status: Option<u16>,
    /// In how many seconds REGISTER is sent next.
    pub(super) next_try_seconds: Option<u64>,
    /// Whether it has refused us for good.
    pub(super) refused: bool,
}

/// A server of a trunk.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct TrunkTarget {
    /// Its transport and address.
    pub(super) address: String,
    /// Whether it is taken for alive.
    pub(super) up: bool,
    /// The status of the last answer to OPTIONS; 408 for none.
    pub(super) last_status: Option<u16>,
    /// In how many seconds it is asked next.
    pub(super) next_try_seconds: u64,
}

/// A server of a trunk that wants no call for a while.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct TrunkRest {
    /// Its transport and address.
    pub(super) address: String,
    /// For how many seconds more.
    pub(super) seconds: u64,
}

impl From<TrunkState> for Trunk {
    fn from(state: TrunkState) -> Self {
        let registration = state.registration.map(|it| TrunkRegistration {
            registrar: it.registrar,
            user: it.user,
            registered_seconds: it.registered_for.map(|left| left.as_secs()),
            last_status: it.last_status,
            next_try_seconds: it.next_try.map(|left| left.as_secs()),
            refused: it.refused,
        });
        let place = |transport: sip::Transport, address| format!("{}:{address}", transport.uri_token());
        let target = |it: switch::TargetState| TrunkTarget {
            address: place(it.transport, it.address),
            up: it.up,
            last_status: it.last_status,
            next_try_seconds: it.next_try.as_secs(),
        };
        let targets = state.targets.into_iter().map(target).collect();
        let rest = |it: switch::RestState| TrunkRest {
            address: place(it.transport, it.address),
            seconds: it.left.as_secs(),
        };
        let resting = state.resting.into_iter().map(rest).collect();
        Self {
            name: state.name,
            calls_in: state.calls_in,
            calls_out: state.calls_out,
            limits: state.limits.into(),
            registration,
            targets,
            resting,
        }
    }
}

/// What a client, or one of its users, has used of its fraud limits.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct FraudUse {
    /// The client.
    pub(super) client: Arc<str>,
    /// One of its users; without one, all its calls together.
    pub(super) user: Option<Arc<str>>,
    /// Calls begun within the last hour.
    pub(super) calls_per_hour: Used,
    /// Whole minutes talked within the last hour.
    pub(super) minutes_per_hour: Used,
    /// Calls to other countries that are up.
    pub(super) international: Used,
}

/// How much of a limit.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Used {
    /// What has been used.
    pub(super) used: u64,
    /// What may be; without bound where there is none.
    pub(super) limit: Option<u32>,
}

impl From<Spent> for FraudUse {
    fn from(Spent { client, user, calls, minutes, international, limits }: Spent) -> Self {
        let of = |used, limit| Used { used, limit };
        Self {
            client,
            user,
            calls_per_hour: of(calls, limits.calls_per_hour),
            minutes_per_hour: of(minutes, limits.minutes_per_hour),
            international: of(international.into(), limits.international),
        }
    }
}

/// A banned source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Banned {
    /// The address, or an IPv6 network of 64 bits.
    pub(super) address: String,
    /// What it was banned for.
    pub(super) reason: &'static str,
    /// How often in a row.
    pub(super) times: u32,
    /// For how many seconds yet.
    pub(super) seconds_left: u64,
    /// Messages of it that were dropped.
    pub(super) dropped: u64,
}

impl From<Ban> for Banned {
    fn from(ban: Ban) -> Self {
        let Ban { address, reason, times, left, dropped } = ban;
        Self { address, reason, times, seconds_left: left.as_secs(), dropped }
    }
}

/// That the node serves.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// Whether the node serves
#[utoipa::path(get, path = "/health", responses((status = 200, body = Health)), security(()))]
async fn health(State(control): State<Control>) -> Answer<Health> {
    control.status().await?;
    Ok(Json(Health { status: "ok" }))
}

/// The counts of the node
#[utoipa::path(get, path = "/status", responses((status = 200, body = Status)), security(("token" = ["inspect"])))]
async fn status(State(control): State<Control>) -> Answer<Status> {
    Ok(Json(control.status().await?))
}

/// The trunks, their registrations and their servers
#[utoipa::path(get, path = "/trunks", responses((status = 200, body = Vec<Trunk>)),
    security(("token" = ["inspect"])))]
async fn trunks(State(control): State<Control>) -> Answer<Vec<Trunk>> {
    Ok(Json(control.trunks().await?))
}

/// What clients and users have used of their fraud limits
#[utoipa::path(get, path = "/fraud", responses((status = 200, body = Vec<FraudUse>)),
    security(("token" = ["report"])))]
async fn fraud(State(control): State<Control>, Access(account): Access) -> Answer<Vec<FraudUse>> {
    let mut used = control.fraud().await?;
    used.retain(|used| account.sees(&used.client));
    Ok(Json(used))
}

/// The sources that are banned
#[utoipa::path(get, path = "/bans", responses((status = 200, body = Vec<Banned>)), security(("token" = ["inspect"])))]
async fn bans(State(control): State<Control>) -> Answer<Vec<Banned>> {
    Ok(Json(control.bans().await?))
}

/// The address whose ban was lifted.
#[derive(Serialize, ToSchema)]
struct Lifted {
    lifted: String,
}

/// A ban is lifted
#[utoipa::path(delete, path = "/bans/{address}", params(("address" = String, Path)),
    responses((status = 200, body = Lifted)), security(("token" = ["operate"])))]
async fn lift_ban(State(control): State<Control>, Path(address): Path<String>) -> Answer<Lifted> {
    let ip: IpAddr = address.parse().map_err(|_| Fault::bad(format!("`{address}` is not an IP address")))?;
    if control.lift_ban(ip).await? {
        Ok(Json(Lifted { lifted: address }))
    } else {
        Err(Fault::unknown(format!("{address} is not banned")))
    }
}

/// Somebody is to have a user's call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTransfer {
    /// A number or a user of its client.
    to: String,
    /// Whether the user speaks with the target first.
    #[serde(default)]
    consult: bool,
}

/// A user's call goes to somebody else
#[utoipa::path(post, path = "/transfers/{user}", params(("user" = String, Path)), request_body = NewTransfer,
    responses((status = 200, body = Done)), security(("token" = ["direct"]), ("token" = ["direct_oneself"])))]
async fn begin_transfer(
    State(control): State<Control>,
    UserName(user): UserName,
    Body(NewTransfer { to, consult }): Body<NewTransfer>,
) -> Answer<Done> {
    transfer(&control, &user, TransferOrder::Begin { to: to.into(), consult }).await
}

/// Whom the user has consulted gets the call
#[utoipa::path(post, path = "/transfers/{user}/complete", params(("user" = String, Path)),
    responses((status = 200, body = Done)), security(("token" = ["direct"]), ("token" = ["direct_oneself"])))]
async fn complete_transfer(State(control): State<Control>, UserName(user): UserName) -> Answer<Done> {
    transfer(&control, &user, TransferOrder::Complete).await
}

/// The user has its call again
#[utoipa::path(delete, path = "/transfers/{user}", params(("user" = String, Path)),
    responses((status = 200, body = Done)), security(("token" = ["direct"]), ("token" = ["direct_oneself"])))]
async fn cancel_transfer(State(control): State<Control>, UserName(user): UserName) -> Answer<Done> {
    transfer(&control, &user, TransferOrder::Cancel).await
}

async fn transfer(control: &Control, user: &str, order: TransferOrder) -> Answer<Done> {
    match control.transfer(user, order).await {
        Ok(contact) => Ok(Json(Done { contact })),
        Err(TransferError::Gone(gone)) => Err(gone.into()),
        Err(TransferError::Refused(refused)) => Err(match refused {
            TransferRefused::UnknownTarget => Fault::unknown(refused.to_string()),
            _ => Fault::conflict(refused.to_string()),
        }),
    }
}

/// A call that tests a trunk.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTestCall {
    trunk: String,
    /// A number of a client: the call is to come back in.
    number: String,
}

/// A number of one's own is called by a trunk, to see whether it comes back in
#[utoipa::path(post, path = "/test-calls", request_body = NewTestCall, responses((status = 200, body = Done),
    (status = 404, description = "There is no such trunk or number", body = Object)),
    security(("token" = ["operate"])))]
async fn test_call(
    State(control): State<Control>,
    Body(NewTestCall { trunk, number }): Body<NewTestCall>,
) -> Answer<Done> {
    match control.test_call(trunk, number).await {
        Ok(contact) => Ok(Json(Done { contact })),
        Err(TestCallError::Gone(gone)) => Err(gone.into()),
        Err(TestCallError::Refused(refused)) => Err(match refused {
            TestCallRefused::Locating => Fault::later(refused.to_string()),
            TestCallRefused::UnknownTrunk | TestCallRefused::UnknownNumber => {
                Fault::unknown(refused.to_string())
            }
            _ => Fault::conflict(refused.to_string()),
        }),
    }
}
