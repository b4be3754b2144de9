//! A running node: the sockets, threads and files around the pure switch.

mod address;
mod api;
mod apply;
mod backlog;
mod control;
mod dns;
mod error;
mod feed;
mod fetch;
mod hooks;
mod icmp;
mod inbox;
mod journal;
mod limits;
mod outgoing;
mod recordings;
mod requests;
mod signalling;
mod stream;
mod udp;
mod validity;
mod voicemail;

pub use address::http_address;
pub(crate) use address::http_token;
pub use apply::{Applied, ApplyError};
pub use control::{Control, Status, TestCallError, TransferError};
pub(crate) use dns::{look_up, resolver};
pub use error::ServeError;
pub use inbox::Gone;
pub(crate) use outgoing::is_public;

use crate::access::{Accounts, Token};
use crate::axis::Axis;
use crate::load::Files;
use crate::stir::Material;
use crate::tls::Shown;
use crate::versions::Wish;
use crate::{embedded, load, random};
use address::AddressFile;
use control::{Interface, Paths, Plan};
use dialplan::Node;
use dns::Resolver;
use feed::Feed;
use fetch::Fetcher;
use hooks::Hooks;
use inbox::MediaSender;
use journal::Journal;
use recordings::Keeper;
use requests::Requests;
use signalling::Signalling;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use store::Reader;
use stream::{StreamListener, Streams};
use switch::{Input, Switch, SwitchConfig};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use udp::Datagrams;

/// When a stream without packets is reported.
const SILENCE: Duration = Duration::from_secs(30);

/// After how long a party that says nothing while it is sent media is told of.
const ONE_WAY: Duration = Duration::from_secs(5);

/// Bound RTP sockets kept ahead of the calls, a media thread: a burst that comes while it is away.
const READY_PORTS: usize = 512;
/// No more than this part of a small range is bound ahead: others on this machine may need ports too.
const READY_SHARE: usize = 8;
/// When to give up on the first RTP port.
const PORTS_LIMIT: Duration = Duration::from_secs(5);
/// How long the last events before a failure may take to be written.
const LAST_EVENTS: Duration = Duration::from_millis(500);
/// Threads for streams, HTTP and the event log.
const TASK_THREADS: usize = 2;
/// The waker's token; the UDP listeners have theirs from 0.
const WAKE: mio::Token = mio::Token(usize::MAX);

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The node file.
    pub config: PathBuf,
    /// The state directory: event log and recordings. Made if it is missing.
    pub state: PathBuf,
}

/// A node that serves.
pub struct Server {
    runtime: Runtime,
    control: Control,
    address_file: Option<AddressFile>,
    signalling: JoinHandle<Journal>,
    /// Resolves when the signalling thread has ended, by a panic as well.
    ended: oneshot::Receiver<()>,
}

impl Server {
    /// Checks the configuration, binds every socket and serves.
    ///
    /// # Errors
    /// The first thing that stands in the way; nothing is left running then.
    pub fn start(options: Options) -> Result<Self, ServeError> {
        limits::raise_open_files();
        let prompts = options.state.join(load::PROMPTS);
        let plan = load::load_node(&options.config, &prompts)?;
        let Files { stir: Material { credentials, fetch }, outbound, web } =
            load::files(&options.config, &plan)?;
        let recordings = options.state.join(&plan.node.recordings.folder);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(TASK_THREADS)
            .thread_name("tasks")
            .enable_all()
            .build()
            .map_err(ServeError::system("start the task threads"))?;
        let shown = load::identity(&options.config, &plan)?.map(Shown::new);
        let acceptor = shown.as_ref().map(Shown::acceptor);
        let sockets = Sockets::bind(&plan.node, acceptor.as_ref())?;
        make_directory(&options.state)?;
        let (journal, origin, remembered) = runtime.block_on(Journal::open(&options.state))?;
        let axis = Axis::starting_at(origin.now);
        let accounts = Accounts::open(&options.state)?;
        let token = Token::make().map_err(ServeError::system("read /dev/urandom"))?;
        prepare_files(&recordings, &prompts)?;
        let poll = mio::Poll::new().map_err(ServeError::system("make an epoll"))?;
        let waker = mio::Waker::new(poll.registry(), WAKE).map_err(ServeError::system("make a waker"))?;
        let (mut inbox, sender, media_sender) = inbox::inbox(waker);
        let identity = secure::Identity::generate()?;
        let fingerprint = Some(identity.fingerprint().clone());
        let engine = start_engine(&plan.node, identity, media_sender)?;
        // Whoever calls as soon as the node serves finds a port.
        let backlog = inbox.wait_for_ports(PORTS_LIMIT).map_err(ServeError::Ports)?;
        let Sockets { mut datagrams, listeners, http } = sockets;
        datagrams.register(poll.registry()).map_err(ServeError::system("register the UDP listeners"))?;
        let streams = Streams::new(runtime.handle().clone(), sender.clone(), outbound, plan.node.streams);
        for listener in listeners {
            streams.accept(listener).map_err(ServeError::system("accept connections"))?;
        }
        let resolver = Resolver::new(&plan.node.dns, runtime.handle().clone(), sender.clone())?;
        let names = resolver.names();
        let fetcher = Fetcher::new(fetch, resolver.names(), runtime.handle().clone(), sender.clone());
        let requests = Requests::new(web.clone(), resolver.names(), runtime.handle().clone(), sender.clone());
        if let Some(shown) = &shown {
            runtime.spawn(validity::watch(Arc::clone(shown), sender.clone()));
        }
        let paths = Paths { node_file: options.config, prompts, state: options.state.clone() };
        let plan = Arc::new(plan);
        let known_plan = Plan::new(Arc::clone(&plan));
        let reader = runtime.block_on(Reader::open(&options.state))?;
        let feed = {
            let _entered = runtime.enter();
            let began = (origin.first_seq, origin.wall);
            Feed::follow(reader.clone(), known_plan.clone(), began, journal.written())
        };
        let hooks =
            Hooks::new(Arc::clone(&feed), (names, runtime.handle().clone()), sender.clone(), &options.state);
        runtime.block_on(hooks.apply(&plan, &web));
        let keeper = Keeper::new(reader.clone(), known_plan.clone(), sender.clone(), &options.state);
        let keeper = Arc::new(keeper);
        runtime.spawn(Arc::clone(&keeper).run(journal.written()));
        let interface = Interface { accounts, token: token.clone(), reader, feed, hooks, keeper };
        let control = Control::new(sender, (paths, shown), known_plan, interface);
        let plan_version = control.begin_version();
        let config = SwitchConfig {
            seed: random::seed().map_err(ServeError::system("read /dev/urandom"))?,
            unix_micros_at_zero: origin.wall.unix_micros_at_zero(),
            first_seq: origin.first_seq,
            first_contact: origin.first_contact,
            recordings,
            version: env!("CARGO_PKG_VERSION"),
            plan_version,
            fingerprint,
        };
        let switch = Switch::new(config, plan);
        let backlog = backlog.into_iter().map(Input::Media);
        // Whose phone is registered is known before who takes calls.
        let known = [
            Input::Credentials(credentials),
            Input::Registrations(remembered.registrations),
            Input::Agents(remembered.agents),
            Input::Callbacks(remembered.callbacks),
            Input::Values(remembered.values),
            Input::Messages(voicemail::with_lengths(remembered.messages)),
        ];
        let backlog = known.into_iter().chain(backlog).collect();
        let thread = Signalling {
            switch,
            axis,
            poll,
            inbox,
            datagrams,
            streams,
            resolver,
            fetcher,
            requests,
            engine,
            tasks: runtime.handle().clone(),
            journal,
            backlog,
        };
        let (ending, ended) = oneshot::channel();
        let signalling = std::thread::Builder::new()
            .name("signalling".to_owned())
            .spawn(move || {
                let _ending = ending;
                thread.run()
            })
            .map_err(ServeError::system("start the signalling thread"))?;
        let address_file = if let Some(listener) = http {
            let address =
                api::serve(&runtime, listener, control.clone()).map_err(ServeError::system("serve HTTP"))?;
            Some(AddressFile::write(&options.state, address, &token)?)
        } else {
            None
        };
        Ok(Self { runtime, control, address_file, signalling, ended })
    }

    /// How others ask this node for something.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Serves until SIGTERM or SIGINT, reloading on SIGHUP; then [`Server::shut_down`]. `ready` is called once
    /// signals are caught: what is sent from then on does not kill the process.
    ///
    /// # Errors
    /// What [`Server::shut_down`] says, or that signals cannot be waited for.
    pub fn run_until_signal(mut self, ready: impl FnOnce()) -> Result<(), ServeError> {
        let signal = until_signal(self.control.clone(), &mut self.ended, ready);
        self.runtime.block_on(signal).map_err(ServeError::system("wait for signals"))?;
        self.shut_down()
    }

    /// Hangs up every call, finishes the recordings and writes the event log to its end.
    ///
    /// # Errors
    /// The event log could not be written to its end, or the signalling thread has failed.
    pub fn shut_down(self) -> Result<(), ServeError> {
        drop(self.address_file);
        // Gone already if the thread has ended by itself, which only a panic makes it do: join tells.
        let _ = self.runtime.block_on(self.control.shut_down());
        let journal = match self.signalling.join() {
            Ok(journal) => journal,
            Err(panic) => {
                // The journal ended with the thread: its task writes what led here by itself.
                self.runtime.block_on(async { tokio::time::sleep(LAST_EVENTS).await });
                return Err(ServeError::failed(&*panic));
            }
        };
        self.runtime.block_on(journal.close())?;
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    }
}

/// Everything bound before anything is started.
struct Sockets {
    datagrams: Datagrams,
    listeners: Vec<StreamListener>,
    http: Option<TcpListener>,
}

impl Sockets {
    fn bind(node: &Node, tls: Option<&TlsAcceptor>) -> Result<Self, ServeError> {
        let (datagrams, streams): (Vec<_>, Vec<_>) =
            node.listen.iter().partition(|it| it.transport == dialplan::Transport::Udp);
        let datagrams = Datagrams::bind(datagrams.into_iter().map(|it| it.address))?;
        let listeners = streams
            .into_iter()
            .map(|it| {
                let tls = tls.filter(|_| it.transport.is_secure()).cloned();
                StreamListener::bind(switch::transport(it.transport), it.address, tls)
            })
            .collect::<Result<_, _>>()?;
        let http = node.http.map(api::bind).transpose()?;
        Ok(Self { datagrams, listeners, http })
    }
}

async fn until_signal(
    control: Control,
    ended: &mut oneshot::Receiver<()>,
    ready: impl FnOnce(),
) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    ready();
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = &mut *ended => return Ok(()),
            _ = hangup.recv() => match control.apply(Wish { by: Some("SIGHUP".to_owned()), why: None }).await {
                Ok(applied) => tracing::info!("{applied}"),
                Err(error) => tracing::error!("nothing applied: {error}"),
            },
        }
    }
}

fn start_engine(
    node: &Node,
    identity: secure::Identity,
    events: MediaSender,
) -> Result<media::Engine, ServeError> {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = node.rtp.threads.unwrap_or_else(cores);
    // Every other port is RTP's.
    let share = node.rtp.ports.len() / 2 / threads.max(1);
    let config = media::EngineConfig {
        threads,
        address: node.rtp.address,
        ports: node.rtp.ports.clone(),
        silence: SILENCE,
        one_way: ONE_WAY,
        ready: READY_PORTS.min(share / READY_SHARE).max(1),
        identity: Some(identity),
    };
    Ok(media::Engine::start(config, move |event| events.send(event))?)
}

fn make_directory(path: &Path) -> Result<(), ServeError> {
    std::fs::create_dir_all(path).map_err(ServeError::state(path))
}

/// Mends what a killed process was recording, so that it plays to its last second, and writes the system's
/// prompts. The state directory must be this process's own by now.
fn prepare_files(recordings: &Path, prompts: &Path) -> Result<(), ServeError> {
    make_directory(recordings)?;
    let media::Repair { mended, skipped } = media::repair(recordings);
    for path in mended {
        tracing::info!("mended the recording {}", path.display());
    }
    for (path, error) in skipped {
        tracing::warn!("{}: not checked for a recording that was cut off: {error}", path.display());
    }
    embedded::write(embedded::SYSTEM_PROMPTS, prompts).map_err(ServeError::state(prompts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signalling_thread_that_fails_ends_the_node_and_says_why() {
        let home = tempfile::tempdir().expect("a directory");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("bound").port();
        let node = format!(
            "node: {{name: test}}\nsip: {{listen: [\"udp:127.0.0.1:{port}\"]}}\n\
             rtp: {{ports: 24000-25999, address: 127.0.0.1, threads: 1}}\nclients: [client]\n"
        );
        std::fs::create_dir(home.path().join("client")).expect("made");
        let client = "client: {name: Test}\nnumbers: {wait: wait}\nflows: {wait: [answer, hangup]}\n";
        std::fs::write(home.path().join("client/client.yaml"), client).expect("written");
        let config = home.path().join("ringdown.yaml");
        std::fs::write(&config, node).expect("written");
        let mut server = Server::start(Options { config, state: home.path().join("state") }).expect("serves");
        let (ending, ended) = oneshot::channel();
        server.ended = ended;
        server.signalling = std::thread::spawn(move || {
            drop(ending);
            panic!("a call in two places");
        });
        let error = server.run_until_signal(|| {}).expect_err("it has failed").to_string();
        assert!(error.contains("a call in two places"), "{error}");
    }
}
