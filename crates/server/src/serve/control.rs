use super::api::{Agent, Banned, FraudUse, Queue, Room, Trunk};
use super::feed::Feed;
use super::hooks::Hooks;
use super::inbox::{Gone, Message, Sender, TestCall};
use super::recordings::Keeper;
use crate::access::{Account, Accounts, Token};
use crate::report::Settings;
use crate::tls::Shown;
use crate::versions::Versions;
use dialplan::{Config, Limits, Listen, Node, Rtp, StreamLimits, Transport, User};
use events::{ContactId, StoredMessage};
use jiff::Timestamp;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use store::{Reader, StoreError};
use switch::{
    AgentOrder, AgentRefused, CallerOrder, CallerRefused, MessageOrder, MessageRefused, RecordOrder,
    RecordRefused, RoomOrder, RoomRefused, Snapshot, SuperviseOrder, SuperviseRefused, TestCallRefused,
    TransferOrder, TransferRefused,
};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use utoipa::ToSchema;

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
    pub(super) plan: Plan,
    reader: Reader,
    feed: Arc<Feed>,
    pub(super) hooks: Hooks,
    keeper: Arc<Keeper>,
    accounts: Arc<Accounts>,
    /// Shown by commands on the node's own machine, which have it from the state directory.
    token: Token,
    /// Passwords are looked at one at a time: each takes memory and time, and calls go first.
    hashing: Arc<Mutex<()>>,
    /// One at a time: the later one must win.
    pub(super) reloading: Mutex<()>,
}

/// What runs at present, for whoever has to know whose an agent or a user is.
#[derive(Clone)]
pub(super) struct Plan(Arc<std::sync::Mutex<Arc<Config>>>);

impl Plan {
    pub(super) fn new(plan: Arc<Config>) -> Self {
        Self(Arc::new(std::sync::Mutex::new(plan)))
    }

    pub(super) fn replace(&self, plan: Arc<Config>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    pub(super) fn get(&self) -> Arc<Config> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn client_of_agent(&self, agent: &str) -> Option<Arc<str>> {
        let plan = self.get();
        let agent = plan.agent(agent)?;
        Some(Arc::clone(&plan.client(agent.client).id))
    }
}

/// What others ask a node by.
pub(super) struct Interface {
    pub(super) accounts: Accounts,
    pub(super) token: Token,
    pub(super) reader: Reader,
    pub(super) feed: Arc<Feed>,
    pub(super) hooks: Hooks,
    pub(super) keeper: Arc<Keeper>,
}

/// A request that has changed something, as the log tells of it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) by: Arc<str>,
    pub(super) method: String,
    pub(super) path: String,
    /// The contact that it was about.
    pub(super) contact: Option<u64>,
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
#[derive(Clone, Debug, Serialize, ToSchema)]
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

/// Nobody knows whose a contact is.
#[derive(Debug, thiserror::Error)]
pub(super) enum ContactError {
    /// What the store says.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node is on its way down.
    #[error(transparent)]
    Gone(#[from] Gone),
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
    pub(super) fn new(
        inbox: Sender,
        (paths, shown): (Paths, Option<Arc<Shown>>),
        plan: Plan,
        interface: Interface,
    ) -> Self {
        let Interface { accounts, token, reader, feed, hooks, keeper } = interface;
        let node = &plan.get().node;
        let shared = Shared {
            versions: Versions::new(&paths.state, &paths.node_file),
            paths,
            name: node.name.clone(),
            shown,
            started: Instant::now(),
            fixed: Fixed::of(node),
            plan,
            reader,
            feed,
            hooks,
            keeper,
            accounts: Arc::new(accounts),
            token,
            hashing: Arc::default(),
            reloading: Mutex::new(()),
        };
        Self { inbox, shared: Arc::new(shared) }
    }

    /// What runs.
    pub(super) fn plan(&self) -> Arc<Config> {
        self.shared.plan.get()
    }

    /// What the plan says of reports.
    pub(super) fn report_settings(&self) -> Settings {
        Settings::of(&self.shared.plan.get())
    }

    /// Reads the event log.
    pub(super) fn reader(&self) -> &Reader {
        &self.shared.reader
    }

    /// The event log as it grows.
    pub(super) fn feed(&self) -> Arc<Feed> {
        Arc::clone(&self.shared.feed)
    }

    /// Who is told of events.
    pub(super) fn hooks(&self) -> &Hooks {
        &self.shared.hooks
    }

    /// Who keeps the recordings.
    pub(super) fn keeper(&self) -> &Arc<Keeper> {
        &self.shared.keeper
    }

    /// The node's name.
    pub(super) fn node_name(&self) -> Arc<str> {
        Arc::clone(&self.shared.name)
    }

    /// The versions of the configuration.
    pub(super) fn versions(&self) -> &Versions {
        &self.shared.versions
    }

    pub(super) fn accounts(&self) -> Arc<Accounts> {
        Arc::clone(&self.shared.accounts)
    }

    /// The turn of whoever wants a password looked at; it is to go with that, wherever it is done.
    pub(super) async fn hashing(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.shared.hashing).lock_owned().await
    }

    /// Whom a token lets in at that moment.
    pub(super) fn account_of(&self, token: &str, now: Timestamp) -> Option<Account> {
        if self.shared.token.is(token) {
            return Some(Account::of_the_node());
        }
        self.shared.accounts.of_token(token, now)
    }

    pub(super) fn has_client(&self, client: &str) -> bool {
        self.shared.plan.get().clients.iter().any(|it| *it.id == *client)
    }

    pub(super) fn client_of_agent(&self, agent: &str) -> Option<Arc<str>> {
        self.shared.plan.client_of_agent(agent)
    }

    /// The phone that the configuration gives an agent.
    pub(super) fn own_phone_of(&self, agent: &str) -> Option<Arc<str>> {
        self.shared.plan.get().agent(agent)?.phone.clone()
    }

    /// A user with its password, and the realm that it is good for.
    pub(super) fn credentials_of(&self, user: &str) -> Option<(User, Arc<str>)> {
        let plan = self.shared.plan.get();
        Some((plan.user(user)?, Arc::clone(&plan.node.realm)))
    }

    /// Where phones in pages connect to, by scheme and port: TLS first.
    pub(super) fn phone_ports(&self) -> Vec<(&'static str, u16)> {
        let of = |transport| {
            let listen = self.shared.fixed.listen.iter().filter(move |it| it.transport == transport);
            listen.map(move |it| (transport.name(), it.address.port()))
        };
        of(Transport::Wss).chain(of(Transport::Ws)).collect()
    }

    pub(super) fn client_of_user(&self, user: &str) -> Option<Arc<str>> {
        let plan = self.shared.plan.get();
        let user = plan.user(user)?;
        Some(Arc::clone(&plan.client(user.client).id))
    }

    /// The client of a contact, whether it has ended or not.
    ///
    /// # Errors
    /// The store cannot be read, or the node shuts down.
    pub(super) async fn client_of_contact(&self, contact: u64) -> Result<Option<Arc<str>>, ContactError> {
        let (answer, client) = oneshot::channel();
        self.inbox.send(Message::ClientOf(ContactId(contact), answer)).await?;
        match client.await.map_err(|_| Gone)? {
            Some(client) => Ok(Some(client)),
            None => Ok(self.shared.reader.client_of(ContactId(contact)).await?.map(Arc::from)),
        }
    }

    /// The user whose phone rings for an agent.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn phone_of(&self, agent: &str) -> Result<Option<Arc<str>>, Gone> {
        let (answer, phone) = oneshot::channel();
        self.inbox.send(Message::PhoneOf(agent.into(), answer)).await?;
        phone.await.map_err(|_| Gone)
    }

    /// Puts a request that has changed something into the log, with the HTTP status that it got.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn log_request(&self, request: Request, status: u16) -> Result<(), Gone> {
        self.inbox.send(Message::Requested(request, status)).await
    }

    /// Logs what was noted of a contact of a client, and by whom.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn note(&self, contact: u64, noted: [Arc<str>; 3]) -> Result<(), Gone> {
        self.inbox.send(Message::Disposition(ContactId(contact), noted)).await
    }

    /// Ends a contact; whether it was up.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn hang_up(&self, contact: u64) -> Result<bool, Gone> {
        let (answer, was_up) = oneshot::channel();
        self.inbox.send(Message::Hangup(ContactId(contact), answer)).await?;
        was_up.await.map_err(|_| Gone)
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
    pub(super) async fn bans(&self) -> Result<Vec<Banned>, Gone> {
        let (answer, bans) = oneshot::channel();
        self.inbox.send(Message::Bans(answer)).await?;
        Ok(bans.await.map_err(|_| Gone)?.into_iter().map(Banned::from).collect())
    }

    /// What clients with fraud limits have used, by name, each followed by those of its users that have used anything.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn fraud(&self) -> Result<Vec<FraudUse>, Gone> {
        let (answer, spent) = oneshot::channel();
        self.inbox.send(Message::Fraud(answer)).await?;
        Ok(spent.await.map_err(|_| Gone)?.into_iter().map(FraudUse::from).collect())
    }

    /// The trunks, in the order of the node file.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn trunks(&self) -> Result<Vec<Trunk>, Gone> {
        let (answer, trunks) = oneshot::channel();
        self.inbox.send(Message::Trunks(answer)).await?;
        Ok(trunks.await.map_err(|_| Gone)?.into_iter().map(Trunk::from).collect())
    }

    /// Lifts the ban of an address, and says whether there was one.
    ///
    /// # Errors
    /// [`Gone`] while the node shuts down.
    pub(super) async fn lift_ban(&self, address: IpAddr) -> Result<bool, Gone> {
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

    /// The contact that an agent is rung for or talks with.
    pub(super) async fn contact_of(&self, agent: &str) -> Result<Option<u64>, Gone> {
        Ok(self.agents().await?.iter().find(|it| it.is(agent)).and_then(Agent::contact))
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
