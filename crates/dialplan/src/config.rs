use crate::agents::Agent;
use crate::caller_id::{CallerIds, Owned};
use crate::features::{Feature, Features};
use crate::fraud::Fraud;
use crate::limits::{Limits, TrunkLimits};
use crate::mailboxes::Mailbox;
use crate::media::Media;
use crate::number;
use crate::numbering::Numbering;
use crate::program::Program;
use crate::queues::Queue;
use crate::recording::{OfNumbers, RecordRule, Recording};
use crate::routing::Routing;
use crate::stir::{Stir, TrunkStir};
use crate::users::Users;
use crate::web::{Secret, Web};
use crate::webhooks::Webhook;
use clock::Duration;
use ipnet::IpNet;
use jiff::tz::TimeZone;
use rtp::Codec;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Which client of [`Config::clients`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientIndex(pub(crate) usize);

/// Which flow of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FlowIndex(pub(crate) usize);

/// A configuration that passed every check. Held in an `Arc`: a call keeps the one that it began with.
#[derive(Debug)]
pub struct Config {
    /// What belongs to the machine: addresses, ports, trunks.
    pub node: Node,
    /// The client companies, in the order of the node file.
    pub clients: Vec<Client>,
    /// Who takes the calls of queues, over all clients.
    pub agents: Vec<Agent>,
    pub(crate) agents_by_name: HashMap<Arc<str>, usize>,
    /// The queues of all clients.
    pub queues: Vec<Queue>,
    /// The mailboxes of all clients.
    pub mailboxes: Vec<Mailbox>,
    /// Playable prompts of [`Input::system_prompts`](crate::Input::system_prompts): name to path.
    pub(crate) system_prompts: HashMap<String, Arc<str>>,
    pub(crate) users: Users,
    /// Whether anybody says which calls are recorded.
    pub(crate) has_record_rules: bool,
    /// By [`number::key`].
    pub(crate) numbers: HashMap<String, (ClientIndex, FlowIndex)>,
    /// What numbers of others begin with that users may call, as [`number::normalized`] has them.
    pub(crate) prefixes: Vec<(Box<str>, ClientIndex, FlowIndex)>,
}

impl Config {
    /// The path of a system prompt, `ringback`, `hold`, `dial-tone`, `error-tone` or `beep`: what the switch plays by itself.
    pub fn system_prompt(&self, name: &str) -> Option<Arc<str>> {
        self.system_prompts.get(name).cloned()
    }

    /// Whether a client, number, queue or agent says which calls are recorded.
    pub fn has_record_rules(&self) -> bool {
        self.has_record_rules
    }

    /// What queues and agents there are, for [`acd::Acd::configure`].
    pub fn acd(&self) -> acd::Plan {
        acd::Plan {
            queues: self.queues.iter().map(|queue| queue.plan.clone()).collect(),
            agents: self.agents.iter().map(Agent::plan).collect(),
        }
    }

    /// A queue of a client.
    pub fn queue(&self, client: &str, name: &str) -> Option<&Queue> {
        self.queues.iter().find(|queue| &*queue.name == name && &*self.client(queue.client).id == client)
    }

    /// A mailbox of a client.
    pub fn mailbox(&self, client: &str, name: &str) -> Option<&Mailbox> {
        let mut mailboxes = self.mailboxes.iter();
        mailboxes.find(|it| &*it.name == name && &*self.client(it.client).id == client)
    }

    /// The agent of that name.
    pub fn agent(&self, name: &str) -> Option<&Agent> {
        self.agents.get(*self.agents_by_name.get(name)?)
    }

    /// The trunk that a source address belongs to: the one with the longest prefix.
    pub fn trunk_for(&self, source: IpAddr) -> Option<&Trunk> {
        let networks = self.node.trunks.iter().flat_map(|t| t.networks.iter().map(move |n| (n, t)));
        let source = source.to_canonical();
        networks.filter(|(n, _)| n.contains(&source)).max_by_key(|(n, _)| n.prefix_len()).map(|(_, t)| t)
    }

    /// The client of that folder.
    pub fn client_named(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| &*client.id == id)
    }

    /// The trunk of that name.
    pub fn trunk(&self, name: &str) -> Option<&Trunk> {
        self.node.trunks.iter().find(|trunk| &*trunk.name == name)
    }

    /// The client and flow of a dialled number or name. A trunk that is bound to a client reaches only that
    /// client's numbers; `None` for `trunk` is a call from a registered user.
    pub fn number(&self, trunk: Option<&Trunk>, dialled: &str) -> Option<(ClientIndex, FlowIndex)> {
        let (client, flow) = *self.numbers.get(&number::key(dialled))?;
        let admitted = trunk.and_then(|trunk| trunk.client).is_none_or(|only| only == client);
        admitted.then_some((client, flow))
    }

    /// The flow that a call of a client's user gets: that of a number of the client, or of the longest prefix that the
    /// number begins with.
    pub fn called_by_user(&self, client: ClientIndex, dialled: &str) -> Option<FlowIndex> {
        let own = self.number(None, dialled).filter(|(of, _)| *of == client).map(|(_, flow)| flow);
        own.or_else(|| self.outside(client, dialled))
    }

    /// Whether that is a client's number, or begins with a pickup code. Numbers of others that users may call are not: among
    /// them is all that toll fraud dials.
    pub fn is_number(&self, dialled: &str) -> bool {
        let mut codes = self.clients.iter().filter_map(|client| client.features.code(Feature::Pickup));
        self.number(None, dialled).is_some() || codes.any(|code| dialled.starts_with(code))
    }

    /// The flow of a number that is nobody's here.
    fn outside(&self, client: ClientIndex, dialled: &str) -> Option<FlowIndex> {
        let number = number::cleaned(dialled.trim()).map(|_| number::normalized(dialled))?;
        let fitting =
            self.prefixes.iter().filter(|(prefix, of, _)| *of == client && number.starts_with(&**prefix));
        fitting.max_by_key(|(prefix, ..)| prefix.len()).map(|(.., flow)| *flow)
    }

    /// Where a number leads that is dialled within a client: to a flow of the client's own numbers, to one of its
    /// users by name, or to the flow of a number outside.
    pub fn destination(&self, client: &str, dialled: &str) -> Option<Destination> {
        let client = ClientIndex(self.clients.iter().position(|it| &*it.id == client)?);
        if let Some((_, flow)) = self.number(None, dialled).filter(|(of, _)| *of == client) {
            return Some(Destination::Flow(client, flow));
        }
        let user = self.user(dialled).filter(|user| user.client == client);
        let outside = || Some(Destination::Flow(client, self.outside(client, dialled)?));
        user.map(|user| Destination::User(user.name)).or_else(outside)
    }

    /// The user of that name, over all clients: the node has one digest realm.
    pub fn user(&self, name: &str) -> Option<User> {
        self.users.find(name)
    }

    /// A client; every index that this configuration gave out has one.
    pub fn client(&self, index: ClientIndex) -> &Client {
        &self.clients[index.0]
    }
}

/// Where a number leads, see [`Config::destination`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A flow of this client.
    Flow(ClientIndex, FlowIndex),
    /// A user by name.
    User(Arc<str>),
}

/// What belongs to the machine rather than to a client.
#[derive(Debug)]
pub struct Node {
    /// Its name in logs.
    pub name: Arc<str>,
    /// Where SIP is served.
    pub listen: Vec<Listen>,
    /// The certificate that listeners over TLS show.
    pub tls: Option<Tls>,
    /// The digest realm; the node's name unless `sip.realm` says otherwise.
    pub realm: Arc<str>,
    /// What phones are challenged with, the preferred one first; MD5 alone unless `sip.digest` says otherwise.
    pub digest: Vec<Digest>,
    /// How long a session lives without a sign of its other end.
    pub session_timer: SessionTimer,
    /// What connections over TCP, TLS and WebSocket are granted.
    pub streams: StreamLimits,
    /// Where media is served.
    pub rtp: Rtp,
    /// Where the HTTP API is served, if at all.
    pub http: Option<SocketAddr>,
    /// Where recordings go, and as what.
    pub recordings: Recordings,
    /// What the node admits.
    pub limits: Limits,
    /// How it meets strangers.
    pub defence: Defence,
    /// Who is asked where names lead.
    pub dns: Dns,
    /// Whose word counts for callers, if anybody's.
    pub stir: Option<Stir>,
    /// Who may call without registering.
    pub trunks: Vec<Trunk>,
}

/// A digest algorithm of RFC 8760.
///
/// MD5 alone is the default: phones that know nothing else (baresip 1.0, SIPp 3.6) give up on a response that
/// offers SHA-256 too, instead of passing it over as RFC 8760 section 2.4 wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// What every phone speaks.
    Md5,
    /// What RFC 8760 wants to be preferred.
    Sha256,
}

/// The intervals of RFC 4028; `sip.session_timer` changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    /// After which a session that is not refreshed ends; half an hour.
    pub expires: Duration,
    /// A peer that wants to refresh more often is refused with 422; 90 seconds.
    pub min: Duration,
}

impl Default for SessionTimer {
    fn default() -> Self {
        Self { expires: Duration::from_secs(1_800), min: Duration::from_secs(90) }
    }
}

/// What connections over TCP, TLS and WebSocket are granted; `sip.streams` changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// After which one that says nothing more is closed; 65 minutes: an hour's registration and some.
    pub idle: Duration,
    /// After which one that was accepted and has brought no whole message is closed; 30 seconds.
    pub first_message: Duration,
    /// Within which a message that has begun has to end; 20 seconds.
    pub message: Duration,
    /// The largest message, in bytes; 65,535 as over UDP.
    pub largest: u32,
    /// Those that one address, or IPv6 network of 64 bits, may have open at once; `None`: all of them.
    pub per_source: Option<u32>,
    /// Those that may be open at once, of all that were accepted; 8,192.
    pub connections: u32,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(3_900),
            first_message: Duration::from_secs(30),
            message: Duration::from_secs(20),
            largest: 65_535,
            per_source: None,
            connections: 8_192,
        }
    }
}

/// One SIP listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// How.
    pub transport: Transport,
    /// The address to bind.
    pub address: SocketAddr,
    /// What is written in Via and Contact where the node is behind NAT.
    pub advertise: Option<SocketAddr>,
}

/// Where a certificate and its key are, as the node file names them: relative to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// PEM: the certificate, and then those that lead to a root.
    pub certificate: Arc<str>,
    /// PEM: the private key.
    pub key: Arc<str>,
}

/// A SIP transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// RFC 3261 section 18 over datagrams.
    Udp,
    /// RFC 3261 section 18 over streams.
    Tcp,
    /// The same over TLS.
    Tls,
    /// RFC 7118: WebSocket.
    Ws,
    /// The same over TLS.
    Wss,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss];

    /// As it is written in the node file: `udp`, `tcp`, `tls`, `ws`, `wss`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The transport of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|transport| transport.name() == name)
    }

    /// Whether the node shows a certificate.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }
}

/// Where media is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtp {
    /// RTP takes the even ones; each port's RTCP is the next.
    pub ports: RangeInclusive<u16>,
    /// The address to bind.
    pub address: IpAddr,
    /// What is written in SDP where the node is behind NAT.
    pub advertise: Option<IpAddr>,
    /// Media threads; one a core by default.
    pub threads: Option<usize>,
    /// What is spoken, the best first; with a trunk, unless it has its own.
    pub codecs: Arc<[Codec]>,
}

/// Where recordings go, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recordings {
    /// The folder, relative to the state directory.
    pub folder: String,
    /// What their files are.
    pub format: RecordingFormat,
}

impl Default for Recordings {
    fn default() -> Self {
        Self { folder: "recordings".to_owned(), format: RecordingFormat::Wav }
    }
}

/// What a recording's file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingFormat {
    /// 16-bit samples: 115 MB an hour, 230 of a wideband call.
    Wav,
    /// Opus in Ogg: 22 MB an hour.
    Opus,
}

impl RecordingFormat {
    /// The ending of its files' names, and its name in the node file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Opus => "opus",
        }
    }
}

/// How a node meets those whom it does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defence {
    /// Networks that are neither limited nor banned, besides those of trunks: edge proxies, monitoring.
    pub trusted: Vec<IpNet>,
    /// Requests a second of all strangers together.
    pub strangers: u32,
    /// What scanners call themselves, besides the usual names; in lower case.
    pub scanners: Vec<Arc<str>>,
    /// How long a first ban lasts.
    pub first_ban: Duration,
    /// How long a ban lasts at most.
    pub longest_ban: Duration,
}

impl Default for Defence {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            strangers: 500,
            scanners: Vec::new(),
            first_ban: Duration::from_secs(60),
            longest_ban: Duration::from_secs(3_600),
        }
    }
}

/// Who is asked where names lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// Instead of those of the system.
    pub servers: Vec<SocketAddr>,
}

/// A carrier or PBX, known by its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// Its key under `trunks`.
    pub name: Arc<str>,
    /// Where its calls come from.
    pub networks: Vec<IpNet>,
    /// Where calls are sent, SIP URIs, the first one first; the registrar where nothing else is said. Without one the
    /// trunk is inbound only.
    pub to: Vec<Arc<str>>,
    /// What it is told of the node's addresses, where that is not what the listeners and `rtp` say.
    pub advertise: Option<Advertise>,
    /// How its servers are met over TLS.
    pub tls: TrunkTls,
    /// How calls find their way there.
    pub routing: Routing,
    /// Where the node registers, so that the trunk finds it.
    pub register: Option<Register>,
    /// How it writes numbers; `None`: as the dialplan does.
    pub numbers: Option<Numbering>,
    /// How it says who calls, and how it is told.
    pub caller_id: CallerIds,
    /// What is spoken with it instead of the node's codecs.
    pub codecs: Option<Arc<[Codec]>>,
    /// Calls that it may carry.
    pub limits: TrunkLimits,
    /// Who answers for callers.
    pub stir: TrunkStir,
    /// What is asked of its media.
    pub media: Media,
    /// Whether it calls elsewhere itself, by REFER, when one of its callers is handed on to a number by way of it.
    pub releases: bool,
    /// The only client whose numbers it reaches.
    pub client: Option<ClientIndex>,
}

/// What a trunk is told of the node's addresses: by a VPN it reaches others than the public Internet does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertise {
    /// In Contact, Via and the From of calls without a domain.
    pub sip: IpAddr,
    /// There too; the port of the listener where nothing is said.
    pub port: Option<u16>,
    /// In session descriptions.
    pub media: IpAddr,
}

/// How a trunk's servers are met over TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrunkTls {
    /// PEM, relative to the node file: who certifies them, instead of the usual roots.
    pub roots: Option<Arc<str>>,
    /// The name that their certificate has to have, instead of the host of the URI that leads to them.
    pub name: Option<Arc<str>>,
    /// What they are shown, if they ask.
    pub identity: Option<Tls>,
}

impl Trunk {
    /// A trunk of which nothing is said.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            networks: Vec::new(),
            to: Vec::new(),
            advertise: None,
            tls: TrunkTls::default(),
            routing: Routing::default(),
            register: None,
            numbers: None,
            caller_id: CallerIds::default(),
            codecs: None,
            limits: TrunkLimits::default(),
            stir: TrunkStir::default(),
            media: Media::default(),
            releases: false,
            client: None,
        }
    }

    /// What it writes, the user part of a URI, as the dialplan has numbers.
    pub fn inbound<'u>(&self, user: &'u str) -> Cow<'u, str> {
        self.numbers.as_ref().map_or(Cow::Borrowed(user), |numbers| numbers.inbound(user).into())
    }

    /// A number to be called, as the user part of a URI for it.
    pub fn called<'n>(&self, number: &'n str) -> Cow<'n, str> {
        self.numbers.as_ref().map_or(Cow::Borrowed(number), |numbers| numbers.called(number).into())
    }

    /// The number of a call to it, in E.164 if it is one, out of the user part of the URI that it was sent.
    pub fn sent<'u>(&self, user: &'u str) -> Cow<'u, str> {
        self.numbers.as_ref().map_or(Cow::Borrowed(user), |numbers| numbers.sent(user).into())
    }

    /// A caller's number, as the user part of a URI for it.
    pub fn calling<'n>(&self, number: &'n str) -> Cow<'n, str> {
        self.numbers.as_ref().map_or(Cow::Borrowed(number), |numbers| numbers.calling(number).into())
    }
}

/// A registration of the node's own. Its credentials answer the challenges to the calls over the trunk, too.
#[derive(Clone, PartialEq, Eq)]
pub struct Register {
    /// Where, a SIP URI without a user.
    pub registrar: Arc<str>,
    /// The user part of the address-of-record.
    pub user: String,
    /// The user of digest; `user` where nothing else is said.
    pub auth_user: String,
    /// The password in clear, since digest needs it.
    pub secret: String,
    /// The only realm whose challenges are answered.
    pub realm: Option<String>,
    /// The expiry to ask for.
    pub expires: Duration,
}

impl fmt::Debug for Register {
    /// Without the secret: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registrar, user, expires, .. } = self;
        f.debug_struct("Register")
            .field("registrar", registrar)
            .field("user", user)
            .field("expires", expires)
            .finish_non_exhaustive()
    }
}

/// A client company.
#[derive(Debug)]
pub struct Client {
    /// Its folder's name.
    pub id: Arc<str>,
    /// For people.
    pub name: Arc<str>,
    /// Language of its prompts, `en`.
    pub language: Arc<str>,
    /// Where its clocks are, by which its figures have their hours and days.
    pub zone: TimeZone,
    pub(crate) program: Program,
    pub(crate) owned: Owned,
    /// What its calls out may cost.
    pub fraud: Option<Fraud>,
    /// What its users may do by keys.
    pub features: Features,
    /// What is asked of its users' media.
    pub media: Media,
    /// Which of its calls are recorded, and how that is kept.
    pub recording: Recording,
    pub(crate) record_rules: OfNumbers,
    /// Its folder, as the shell named it.
    pub folder: Arc<str>,
    /// Whom its flows may ask by HTTP, if anybody.
    pub web: Option<Web>,
    /// What its requests may show and nobody else.
    pub secrets: Vec<Secret>,
    /// Who is told of its events.
    pub webhooks: Vec<Webhook>,
    /// What it pays, if that is said.
    pub tariff: Option<billing::Tariff>,
}

impl Client {
    /// The name of a flow of this client.
    pub fn flow(&self, index: FlowIndex) -> &Arc<str> {
        &self.program.flows[index.0].name
    }

    /// What is said of recording calls to a number that is called within the client: one of its own, or one outside.
    pub fn record_rule(&self, dialled: &str) -> Option<RecordRule> {
        self.record_rules.find(dialled)
    }

    /// Whether a number is the client's, so that its calls may show it.
    pub fn owns(&self, number: &str) -> bool {
        self.owned.holds(number)
    }

    /// The number that its calls show where nothing else is said: `caller_id` of the client, or the first telephone number
    /// by which it is called.
    pub fn caller_id(&self) -> Option<&Arc<str>> {
        self.owned.usual.as_ref()
    }
}

/// Who may register and be dialled.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Whose agent this is.
    pub client: ClientIndex,
    /// The user part of its address of record.
    pub name: Arc<str>,
    /// For people.
    pub display_name: Option<Arc<str>>,
    /// In clear, since digest needs it (RFC 8760).
    pub password: String,
    /// The number that its calls show, if it is not the client's usual one.
    pub caller_id: Option<Arc<str>>,
}

impl fmt::Debug for User {
    /// Without the password: debug output ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("client", &self.client).field("name", &self.name).finish_non_exhaustive()
    }
}
