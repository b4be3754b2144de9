use super::inbox::{Gone, Message, Sender, TestCall};
use super::queues::{Agent, Queue};
use super::rooms::Room;
use crate::report::Settings;
use crate::tls::Shown;
use crate::versions::Versions;
use dialplan::{Config, Limits, Listen, Node, Rtp, StreamLimits};
use events::{ContactId, StoredMessage};
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use store::{Reader, StoreError};
use switch::{
    AgentOrder, AgentRefused, Ban, CallerOrder, CallerRefused, MessageOrder, MessageRefused, RecordOrder,
    RecordRefused, RoomOrder, RoomRefused, Snapshot, Spent, SuperviseOrder, SuperviseRefused,
    TestCallRefused, TransferOrder, TransferRefused, TrunkState,
};
use tokio::sync::{Mutex, oneshot};

/// What signals, HTTP and the demo ask of a running node.
#[derive(Clone)]
pub struct Control {
    pub(super) inbox: Sender,
    pub(super) shared: Arc<Shared>,
}

/// Where a node reads and writes.
pub(super) struct Paths {
    pub(super) node_file: PathBuf,
    pub(super) prompts: PathBuf,
    pub(super) state: PathBuf,
}

pub(super) struct Shared {
    pub(super) paths: Paths,
    pub(super) versions: Versions,
    name: Arc<str>,
    /// The certificate, where a listener shows one.
    pub(super) shown: Option<Arc<Shown>>,
    started: Instant,
    pub(super) fixed: Fixed,
    /// What the plan says of reports.
    pub(super) reports: std::sync::Mutex<Settings>,
    /// One at a time: the later one must win.
    pub(super) reloading: Mutex<()>,
}

/// What a node keeps from its start to its end.
pub(super) struct Fixed {
    listen: Vec<Listen>,
    streams: StreamLimits,
    rtp: Rtp,
    http: Option<SocketAddr>,
    recordings: dialplan::Recordings,
    limits: Limits,
}

/// The counts of a running node.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The node's name.
    pub node: Arc<str>,
    /// The program's version.
    pub version: &'static str,
    /// Seconds since it began to serve.
    pub uptime_seconds: u64,
    /// Version of the configuration that new calls get.
    pub config_version: u64,
    /// Whether new calls are refused.
    pub draining: bool,
    /// Contacts that have not ended.
    pub contacts: usize,
    /// Legs that have not ended.
    pub legs: usize,
    /// Open media streams.
    pub streams: usize,
    /// Recordings under way.
    pub recordings: usize,
    /// Registered contacts.
    pub registrations: usize,
    /// Subscriptions of phones: to users, to their messages, to transfers.
    pub subscriptions: usize,
    /// SIP transactions under way.
    pub transactions: usize,
    /// RTP ports bound and free.
    pub ports_ready: usize,
    /// Sources that are banned.
    pub bans: usize,
    /// SIP messages dropped unread since the start: of banned sources, or beyond a rate.
    pub dropped: u64,
    /// Requests that got 503 since the start because the node was overloaded.
    pub shed: u64,
}

/// A trunk as it is at present.
#[derive(Clone, Debug, Serialize)]
pub struct Trunk {
    /// Its name.
    pub name: Arc<str>,
    /// Calls from it.
    pub calls_in: u32,
    /// Calls to it.
    pub calls_out: u32,
    /// Calls that it may carry.
    pub limits: TrunkLimits,
    /// Our registration there, if it has one.
    pub registration: Option<TrunkRegistration>,
    /// The servers that its `to` leads to.
    pub targets: Vec<TrunkTarget>,
    /// Those of them that have answered a call by 503 with Retry-After.
    pub resting: Vec<TrunkRest>,
}

/// The limits of a trunk, as its node file has them.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TrunkLimits {
    /// Both directions.
    #[serde(flatten)]
    pub total: Bound,
    /// Calls from it.
    #[serde(rename = "in")]
    pub inbound: Bound,
    /// Calls to it.
    #[serde(rename = "out")]
    pub outbound: Bound,
}

/// Calls that are admitted; without bound where there is none.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bound {
    /// At once.
    pub calls: Option<u32>,
    /// New ones a second.
    pub per_second: Option<u32>,
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
#[derive(Clone, Debug, Serialize)]
pub struct TrunkRegistration {
    /// Where, a SIP URI.
    pub registrar: Arc<str>,
    /// As whom.
    pub user: String,
    /// For how many seconds the registrar has our contact.
    pub registered_seconds: Option<u64>,
    /// The status of the last answer; 408 for none.
    pub last_status: Option<u16>,
    /// In how many seconds REGISTER is sent next.
    pub next_try_seconds: Option<u64>,
    /// Whether it has refused us for good.
    pub refused: bool,
}

/// A server of a trunk.
#[derive(Clone, Debug, Serialize)]
pub struct TrunkTarget {
    /// Its transport and address.
    pub address: String,
    /// Whether it is taken for alive.
    pub up: bool,
    /// The status of the last answer to OPTIONS; 408 for none.
    pub last_status: Option<u16>,
    /// In how many seconds it is asked next.
    pub next_try_seconds: u64,
}

/// A server of a trunk that wants no call for a while.
#[derive(Clone, Debug, Serialize)]
pub struct TrunkRest {
    /// Its transport and address.
    pub address: String,
    /// For how many seconds more.
    pub seconds: u64,
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
#[derive(Clone, Debug, Serialize)]
pub struct FraudUse {
    /// The client.
    pub client: Arc<str>,
    /// One of its users; without one, all its calls together.
    pub user: Option<Arc<str>>,
    /// Calls begun within the last hour.
    pub calls_per_hour: Used,
    /// Whole minutes talked within the last hour.
    pub minutes_per_hour: Used,
    /// Calls to other countries that are up.
    pub international: Used,
}

/// How much of a limit.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Used {
    /// What has been used.
    pub used: u64,
    /// What may be; without bound where there is none.
    pub limit: Option<u32>,
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
#[derive(Clone, Debug, Serialize)]
pub struct Banned {
    /// The address, or an IPv6 network of 64 bits.
    pub address: String,
    /// What it was banned for.
    pub reason: &'static str,
    /// How often in a row.
    pub times: u32,
    /// For how many seconds yet.
    pub seconds_left: u64,
    /// Messages of it that were dropped.
    pub dropped: u64,
}

/// A call was not transferred.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// It cannot be.
    #[error(transparent)]
    Refused(#[from] TransferRefused),
    /// The node is on its way down.
    #[error(transparent)]
    Gone(#[from] Gone),
}

/// A test call was not placed.
#[derive(Debug, thiserror::Error)]
pub enum TestCallError {
    /// It cannot be.
    #[error(transparent)]
    Refused(#[from] TestCallRefused),
    /// The node is on its way down.
    #[error(transparent)]
    Gone(#[from] Gone),
}

impl Control {
    pub(super) fn new(inbox: Sender, paths: Paths, plan: &Config, shown: Option<Arc<Shown>>) -> Self {
        let shared = Shared {
            versions: Versions::new(&paths.state, &paths.node_file),
            paths,
            name: plan.node.name.clone(),
            shown,
            started: Instant::now(),
            fixed: Fixed::of(&plan.node),
            reports: std::sync::Mutex::new(Settings::of(plan)),
            reloading: Mutex::new(()),
        };
        Self { inbox, shared: Arc::new(shared) }
    }

    /// What the plan says of reports.
    pub(super) fn report_settings(&self) -> Settings {
        self.shared.reports.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Reads the event log.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.shared.paths.state).await
    }

    /// Counts what is there.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub async fn status(&self) -> Result<Status, Gone> {
        let (answer, snapshot) = oneshot::channel();
        self.inbox.send(Message::Snapshot(answer)).await?;
        Ok(self.shared.status(&snapshot.await.map_err(|_| Gone)?))
    }

    /// The sources that are banned, by address.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub async fn bans(&self) -> Result<Vec<Banned>, Gone> {
        let (answer, bans) = oneshot::channel();
        self.inbox.send(Message::Bans(answer)).await?;
        Ok(bans.await.map_err(|_| Gone)?.into_iter().map(Banned::from).collect())
    }

    /// What clients with fraud limits have used, by name, each followed by those of its users that have used anything.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub async fn fraud(&self) -> Result<Vec<FraudUse>, Gone> {
        let (answer, spent) = oneshot::channel();
        self.inbox.send(Message::Fraud(answer)).await?;
        Ok(spent.await.map_err(|_| Gone)?.into_iter().map(FraudUse::from).collect())
    }

    /// The trunks, in the order of the node file.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub async fn trunks(&self) -> Result<Vec<Trunk>, Gone> {
        let (answer, trunks) = oneshot::channel();
        self.inbox.send(Message::Trunks(answer)).await?;
        Ok(trunks.await.map_err(|_| Gone)?.into_iter().map(Trunk::from).collect())
    }

    /// Lifts the ban of an address, and says whether there was one.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub async fn lift_ban(&self, address: IpAddr) -> Result<bool, Gone> {
        let (answer, lifted) = oneshot::channel();
        self.inbox.send(Message::LiftBan(address, answer)).await?;
        lifted.await.map_err(|_| Gone)
    }

    /// The rooms that somebody is in, by client and name.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn rooms(&self) -> Result<Vec<Room>, Gone> {
        let (answer, rooms) = oneshot::channel();
        self.inbox.send(Message::Rooms(answer)).await?;
        Ok(rooms.await.map_err(|_| Gone)?.into_iter().map(Room::from).collect())
    }

    /// All agents, by name.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down; so below.
    pub(super) async fn agents(&self) -> Result<Vec<Agent>, Gone> {
        let (answer, agents) = oneshot::channel();
        self.inbox.send(Message::Agents(answer)).await?;
        let (agents, now) = agents.await.map_err(|_| Gone)?;
        Ok(agents.into_iter().map(|agent| Agent::of(agent, now)).collect())
    }

    /// All queues, with those who wait.
    pub(super) async fn queues(&self) -> Result<Vec<Queue>, Gone> {
        let (answer, queues) = oneshot::channel();
        self.inbox.send(Message::Queues(answer)).await?;
        Ok(queues.await.map_err(|_| Gone)?.into_iter().map(Queue::from).collect())
    }

    /// Does something with an agent; why not, if it is refused.
    pub(super) async fn direct_agent(
        &self,
        agent: Arc<str>,
        order: (AgentOrder, Arc<str>),
    ) -> Result<Result<(), AgentRefused>, Gone> {
        let (answer, done) = oneshot::channel();
        self.inbox.send(Message::DirectAgent(agent, order, answer)).await?;
        done.await.map_err(|_| Gone)
    }

    /// Does something with a caller that waits; why not, if it is refused.
    pub(super) async fn direct_caller(
        &self,
        contact: u64,
        order: (CallerOrder, Arc<str>),
    ) -> Result<Result<(), CallerRefused>, Gone> {
        let (answer, done) = oneshot::channel();
        self.inbox.send(Message::DirectCaller(ContactId(contact), order, answer)).await?;
        done.await.map_err(|_| Gone)
    }

    /// Why a contact waits, if it does.
    pub(super) async fn why_waiting(&self, contact: u64) -> Result<Option<String>, Gone> {
        let (answer, why) = oneshot::channel();
        self.inbox.send(Message::WhyWaiting(ContactId(contact), answer)).await?;
        why.await.map_err(|_| Gone)
    }

    /// Why an agent is offered nothing, if there is such an agent.
    pub(super) async fn why_idle(&self, agent: Arc<str>) -> Result<Option<String>, Gone> {
        let (answer, why) = oneshot::channel();
        self.inbox.send(Message::WhyIdle(agent, answer)).await?;
        why.await.map_err(|_| Gone)
    }

    /// Does something with the caller of a contact in its room; why not, if it is refused.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn direct_room(
        &self,
        contact: u64,
        order: RoomOrder,
    ) -> Result<Result<(), RoomRefused>, Gone> {
        let (answer, done) = oneshot::channel();
        self.inbox.send(Message::DirectRoom(ContactId(contact), order, answer)).await?;
        done.await.map_err(|_| Gone)
    }

    /// The messages that callers have left, by client, mailbox and number.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down; so below.
    pub(super) async fn messages(&self) -> Result<Vec<StoredMessage>, Gone> {
        let (answer, messages) = oneshot::channel();
        self.inbox.send(Message::Voicemail(answer)).await?;
        messages.await.map_err(|_| Gone)
    }

    /// Does something with a message; why not, if it is refused.
    pub(super) async fn direct_message(
        &self,
        message: u64,
        order: (MessageOrder, Arc<str>),
    ) -> Result<Result<(), MessageRefused>, Gone> {
        let (answer, done) = oneshot::channel();
        self.inbox.send(Message::DirectVoicemail(message, order, answer)).await?;
        done.await.map_err(|_| Gone)
    }

    /// Does something with the recording of a contact; why not, if it is refused.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn record(
        &self,
        contact: u64,
        order: RecordOrder,
    ) -> Result<Result<(), RecordRefused>, Gone> {
        let (answer, done) = oneshot::channel();
        self.inbox.send(Message::Record(ContactId(contact), order, answer)).await?;
        done.await.map_err(|_| Gone)
    }

    /// Lets a user supervise a call, or changes or ends that; why not, if it is refused.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn supervise(
        &self,
        contact: u64,
        order: SuperviseOrder,
    ) -> Result<Result<(), SuperviseRefused>, Gone> {
        let (answer, done) = oneshot::channel();
        self.inbox.send(Message::Supervise(ContactId(contact), order, answer)).await?;
        done.await.map_err(|_| Gone)
    }

    /// Transfers the call of a user, or goes on with its transfer; the contact's number.
    ///
    /// # Errors
    /// [`TransferError`] says why not.
    pub async fn transfer(&self, user: &str, order: TransferOrder) -> Result<u64, TransferError> {
        let (answer, done) = oneshot::channel();
        self.inbox.send(Message::Transfer(user.to_owned(), order, answer)).await?;
        Ok(done.await.map_err(|_| Gone)??.0)
    }

    /// Calls a number of a client by a trunk, to see whether it comes back in; the contact's number.
    ///
    /// # Errors
    /// [`TestCallError`] says why not.
    pub async fn test_call(&self, trunk: String, number: String) -> Result<u64, TestCallError> {
        let (answer, placed) = oneshot::channel();
        self.inbox.send(Message::TestCall(TestCall { trunk, number }, answer)).await?;
        Ok(placed.await.map_err(|_| Gone)??.0)
    }

    /// Asks the signalling thread to end every call and then itself.
    pub(super) async fn shut_down(&self) -> Result<(), Gone> {
        self.inbox.send(Message::Shutdown).await
    }
}

impl From<Ban> for Banned {
    fn from(ban: Ban) -> Self {
        let Ban { address, reason, times, left, dropped } = ban;
        Self { address, reason, times, seconds_left: left.as_secs(), dropped }
    }
}

impl Shared {
    fn status(&self, snapshot: &Snapshot) -> Status {
        Status {
            node: self.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: self.started.elapsed().as_secs(),
            config_version: snapshot.plan_version,
            draining: snapshot.draining,
            contacts: snapshot.contacts,
            legs: snapshot.legs,
            streams: snapshot.streams,
            recordings: snapshot.recordings,
            registrations: snapshot.registrations,
            subscriptions: snapshot.subscriptions,
            transactions: snapshot.transactions,
            ports_ready: snapshot.ports_ready,
            bans: snapshot.bans,
            dropped: snapshot.dropped,
            shed: snapshot.shed,
        }
    }
}

impl Fixed {
    fn of(node: &Node) -> Self {
        Self {
            listen: node.listen.clone(),
            streams: node.streams,
            rtp: node.rtp.clone(),
            http: node.http,
            recordings: node.recordings.clone(),
            limits: node.limits.clone(),
        }
    }

    /// Puts what a running node keeps in the place of what was written; the names of what differs.
    pub(super) fn keep(&self, node: &mut Node) -> Vec<&'static str> {
        let written = Self::of(node);
        node.listen.clone_from(&self.listen);
        node.streams = self.streams;
        node.rtp = self.rtp.clone();
        node.http = self.http;
        node.recordings.clone_from(&self.recordings);
        node.limits = self.limits.clone();
        let differs = [
            ("sip.listen", written.listen != self.listen),
            ("sip.streams", written.streams != self.streams),
            ("rtp", written.rtp != self.rtp),
            ("http", written.http != self.http),
            ("recordings", written.recordings != self.recordings),
            ("limits", written.limits != self.limits),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}
