//! SIP over TCP, TLS and WebSocket: a task for each connection, a table of them on the signalling thread.
//!
//! Reuse follows RFC 5923's spirit: what goes to a peer goes by the connection that it came by, or by any
//! other to the same peer; only then a new one is opened, over TCP or TLS. Whom we reach by WebSocket has connected before.

mod bytes;
mod door;
mod websocket;

use super::error::ServeError;
use super::inbox::{Message, Sender};
use crate::tls::{Greeting, Outbound};
use ::bytes::Bytes;
use dialplan::StreamLimits;
use door::Door;
use sip::{Flow, Transport};
use socket2::{SockRef, TcpKeepalive};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use switch::TlsPeer;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

/// Messages that may wait for a slow peer; one more and the connection is given up.
const WRITE_QUEUE: usize = 256;
/// When to give up opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// When to give up on a TLS or WebSocket handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// When to give up writing to a peer that does not read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// When the system probes a silent peer.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// RFC 5626 4.4.1: the answer to a double CRLF.
const PONG: &[u8] = b"\r\n";

/// What a connection's task tells the signalling thread.
#[derive(Debug)]
pub(super) enum StreamEvent {
    /// A peer has connected; what is queued goes out to it.
    Accepted(Flow, mpsc::Sender<Bytes>),
    /// A whole message.
    Received(Flow, Bytes),
    /// The connection is no more (or never was).
    Closed(Flow),
    /// It never was, since there was no TLS handshake, for this reason.
    Distrusted(Flow, String),
}

/// The signalling thread's table of connections.
pub(super) struct Streams {
    runtime: Handle,
    inbox: Sender,
    numbers: Arc<AtomicU64>,
    connections: HashMap<u64, Connection>,
    by_peer: HashMap<Ends, u64>,
    outbound: Outbound,
    limits: StreamLimits,
    door: Arc<Door>,
    /// Why there was no handshake with peers of ours.
    distrusted: HashMap<Ends, String>,
}

/// What a message for any connection between them goes by: our address, the peer's, and its domain.
type Ends = (SocketAddr, SocketAddr, u32);

struct Connection {
    queue: mpsc::Sender<Bytes>,
    /// Opened by us: requests may be under way that name no connection.
    opened: bool,
}

/// A listener that is bound but does not accept yet.
pub(super) struct StreamListener {
    listener: std::net::TcpListener,
    kind: Kind,
}

/// What is spoken on a listener.
#[derive(Clone)]
struct Kind {
    transport: Transport,
    local: SocketAddr,
    /// For TLS and secure WebSocket.
    tls: Option<TlsAcceptor>,
}

/// One connection from its first byte on: whose it is, what goes out on it, and who hears of it.
struct Carrier {
    flow: Flow,
    patience: Patience,
    queued: mpsc::Receiver<Bytes>,
    /// Where answers to signs of life are queued.
    pongs: mpsc::WeakSender<Bytes>,
    inbox: Sender,
}

/// The flow cannot carry the message.
#[derive(Debug)]
pub(super) struct Unsent;

impl StreamListener {
    /// Binds a listener; `tls` is for TLS and secure WebSocket.
    ///
    /// # Errors
    /// [`ServeError::Bind`] names the address.
    pub(super) fn bind(
        transport: Transport,
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
    ) -> Result<Self, ServeError> {
        let what = match transport {
            Transport::Udp | Transport::Tcp => "SIP over TCP",
            Transport::Tls => "SIP over TLS",
            Transport::Ws | Transport::Wss => "SIP over WebSocket",
        };
        let failed = |error| ServeError::Bind { what, address, error };
        let listener = listen(address).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, kind: Kind { transport, local, tls } })
    }
}

impl Streams {
    /// No connections yet; `inbox` hears of them.
    pub(super) fn new(runtime: Handle, inbox: Sender, outbound: Outbound, limits: StreamLimits) -> Self {
        Self {
            runtime,
            inbox,
            numbers: Arc::new(AtomicU64::new(1)),
            connections: HashMap::new(),
            by_peer: HashMap::new(),
            outbound,
            limits,
            door: Arc::new(Door::new(limits)),
            distrusted: HashMap::new(),
        }
    }

    /// Meets peers in this way from now on.
    pub(super) fn apply(&mut self, outbound: Outbound) {
        self.outbound = outbound;
        self.distrusted.clear();
    }

    /// Whether it has not been said yet that there is no handshake with a peer for this reason.
    pub(super) fn is_news(&mut self, flow: Flow, why: &str) -> bool {
        self.distrusted.insert(ends(&flow), why.to_owned()).is_none_or(|before| before != why)
    }

    /// Accepts connections from now on.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn accept(&self, listener: StreamListener) -> io::Result<()> {
        let StreamListener { listener, kind } = listener;
        let _entered = self.runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let entrance = (self.limits, Arc::clone(&self.door));
        self.runtime.spawn(accept(listener, kind, entrance, self.numbers.clone(), self.inbox.clone()));
        Ok(())
    }

    /// Notes a connection that was accepted.
    pub(super) fn accepted(&mut self, flow: Flow, queue: mpsc::Sender<Bytes>) {
        self.connections.insert(flow.connection, Connection { queue, opened: false });
        self.by_peer.insert(ends(&flow), flow.connection);
    }

    /// Forgets a connection that has ended; the flows that have failed by it.
    pub(super) fn closed(&mut self, flow: Flow) -> impl Iterator<Item = Flow> + use<> {
        let known = self.connections.remove(&flow.connection);
        let key = ends(&flow);
        if self.by_peer.get(&key) == Some(&flow.connection) {
            self.by_peer.remove(&key);
        }
        let any = known.as_ref().is_some_and(|it| it.opened).then_some(Flow { connection: 0, ..flow });
        known.map(|_| flow).into_iter().chain(any)
    }

    /// Queues a message on the connection that `flow` names, or on any to its peer, opening one if needed. `peer`: whom its
    /// domain means.
    ///
    /// # Errors
    /// [`Unsent`] if the named connection is gone or its peer does not read.
    pub(super) fn send(&mut self, flow: &Flow, bytes: Bytes, peer: Option<&TlsPeer>) -> Result<(), Unsent> {
        let number = match flow.connection {
            0 => self.by_peer.get(&ends(flow)).copied(),
            number => Some(number),
        };
        let connection = number.and_then(|number| Some((number, self.connections.get(&number)?)));
        match connection {
            Some((number, connection)) => connection.queue.try_send(bytes).map_err(|_| {
                self.connections.remove(&number);
                Unsent
            }),
            None if flow.connection != 0 => Err(Unsent),
            None => match flow.transport {
                Transport::Tcp => self.open(flow, bytes, None),
                Transport::Tls => {
                    let greeting = peer.and_then(|peer| self.outbound.greeting(peer)).ok_or(Unsent)?;
                    self.open(flow, bytes, Some(greeting))
                }
                Transport::Udp | Transport::Ws | Transport::Wss => Err(Unsent),
            },
        }
    }

    fn open(&mut self, flow: &Flow, first: Bytes, greeting: Option<Greeting>) -> Result<(), Unsent> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (queue, queued) = mpsc::channel(WRITE_QUEUE);
        queue.try_send(first).map_err(|_| Unsent)?;
        let flow = Flow { connection: number, ..*flow };
        let patience = Patience::with_known(Instant::now(), self.limits);
        let (pongs, inbox) = (queue.downgrade(), self.inbox.clone());
        self.runtime.spawn(open(Carrier { flow, patience, queued, pongs, inbox }, greeting));
        self.connections.insert(number, Connection { queue, opened: true });
        self.by_peer.insert(ends(&flow), number);
        Ok(())
    }
}

const fn ends(flow: &Flow) -> Ends {
    (flow.local, flow.peer, flow.domain)
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart must not wait for the old connections' TIME_WAIT; two listeners still exclude each other.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(1_024)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

async fn accept(
    listener: TcpListener,
    kind: Kind,
    (limits, door): (StreamLimits, Arc<Door>),
    numbers: Arc<AtomicU64>,
    inbox: Sender,
) {
    let Kind { transport, local, .. } = kind;
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("SIP over {transport} on {local}: cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(guest) = door.admit(peer.ip()) else {
            tracing::debug!("connection of {peer} refused: too many are open");
            continue;
        };
        let connection = numbers.fetch_add(1, Ordering::Relaxed);
        let flow = Flow { transport, local, peer, connection, domain: 0 };
        let (inbox, tls) = (inbox.clone(), kind.tls.clone());
        tokio::spawn(async move {
            let _guest = guest;
            if let Err(error) = serve(stream, flow, tls, (limits, inbox)).await {
                tracing::debug!("connection of {peer}: no handshake: {error}");
            }
        });
    }
}

/// Shakes hands as the transport wants it, and then carries messages.
async fn serve(
    stream: TcpStream,
    flow: Flow,
    tls: Option<TlsAcceptor>,
    (limits, inbox): (StreamLimits, Sender),
) -> io::Result<()> {
    settle(&stream, flow);
    match (flow.transport, tls) {
        (Transport::Ws, _) => {
            let socket = timeout(HANDSHAKE_TIMEOUT, websocket::accept(stream, limits)).await??;
            websocket::carry(socket, accepted(flow, limits, inbox).await?).await;
        }
        (Transport::Wss, Some(tls)) => {
            let shaken = async { websocket::accept(tls.accept(stream).await?, limits).await };
            let socket = timeout(HANDSHAKE_TIMEOUT, shaken).await??;
            websocket::carry(socket, accepted(flow, limits, inbox).await?).await;
        }
        (_, Some(tls)) => {
            let stream = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await??;
            bytes::carry(tokio::io::split(stream), accepted(flow, limits, inbox).await?).await;
        }
        (_, None) => bytes::carry(stream.into_split(), accepted(flow, limits, inbox).await?).await,
    }
    Ok(())
}

/// Tells the signalling thread of a connection that can carry messages.
async fn accepted(flow: Flow, limits: StreamLimits, inbox: Sender) -> io::Result<Carrier> {
    let (queue, queued) = mpsc::channel(WRITE_QUEUE);
    let pongs = queue.downgrade();
    inbox.send(Message::Stream(StreamEvent::Accepted(flow, queue))).await.map_err(io::Error::other)?;
    Ok(Carrier { flow, patience: Patience::with_stranger(Instant::now(), limits), queued, pongs, inbox })
}

async fn open(carrier: Carrier, greeting: Option<Greeting>) {
    let flow = carrier.flow;
    let stream = match timeout(CONNECT_TIMEOUT, connect(flow)).await {
        Ok(Ok(stream)) => stream,
        failed => {
            tracing::debug!("no connection to {}: {failed:?}", flow.peer);
            return carrier.closed().await;
        }
    };
    settle(&stream, flow);
    let Some(Greeting { connector, name }) = greeting else {
        return bytes::carry(stream.into_split(), carrier).await;
    };
    match timeout(HANDSHAKE_TIMEOUT, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => bytes::carry(tokio::io::split(stream), carrier).await,
        Ok(Err(error)) => carrier.distrusted(error.to_string()).await,
        Err(_) => carrier.distrusted(format!("no handshake in {} s", HANDSHAKE_TIMEOUT.as_secs())).await,
    }
}

async fn connect(flow: Flow) -> io::Result<TcpStream> {
    let socket = if flow.peer.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(flow.local.ip(), 0))?;
    socket.connect(flow.peer).await
}

/// Small messages go out at once, and the system finds out whether a silent peer is there.
fn settle(stream: &TcpStream, flow: Flow) {
    let settings = SockRef::from(stream);
    let kept = settings.set_tcp_nodelay(true);
    let kept = kept.and(settings.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE)));
    if let Err(error) = kept {
        tracing::debug!("connection of {}: {error}", flow.peer);
    }
}

impl Carrier {
    /// A whole message has come.
    async fn received(&mut self, bytes: Bytes) -> io::Result<()> {
        self.patience.known = true;
        let received = Message::Stream(StreamEvent::Received(self.flow, bytes));
        self.inbox.send(received).await.map_err(io::Error::other)
    }

    /// The peer asks whether we live.
    fn pong(&self) {
        if let Some(queue) = self.pongs.upgrade() {
            // A full queue means that the peer does not read: it needs no pong.
            let _ = queue.try_send(Bytes::from_static(PONG));
        }
    }

    /// There was no handshake.
    async fn distrusted(&self, why: String) {
        // As with a connection that is closed.
        let _ = self.inbox.send(Message::Stream(StreamEvent::Distrusted(self.flow, why))).await;
    }

    /// The connection is no more.
    async fn closed(&self) {
        // Gone only when the signalling thread has ended, and then nobody needs to know.
        let _ = self.inbox.send(Message::Stream(StreamEvent::Closed(self.flow))).await;
    }
}

/// How long a peer may take. One that has not shown yet that it speaks SIP gets no more time by anything
/// else that it sends.
#[derive(Debug)]
struct Patience {
    until: Instant,
    /// It has sent a whole message, or we have called it.
    known: bool,
    limits: StreamLimits,
}

impl Patience {
    fn with_stranger(now: Instant, limits: StreamLimits) -> Self {
        Self { until: now + limits.first_message, known: false, limits }
    }

    fn with_known(now: Instant, limits: StreamLimits) -> Self {
        Self { until: now + limits.idle, known: true, limits }
    }

    /// Nothing has begun.
    fn wait_for_more(&mut self, now: Instant) {
        self.wait(now + self.limits.idle);
    }

    /// A message has begun.
    fn wait_for_rest(&mut self, now: Instant) {
        self.wait(now + self.limits.message);
    }

    fn wait(&mut self, until: Instant) {
        if self.known {
            self.until = until;
        }
    }
}

#[cfg(test)]
mod greetings;
#[cfg(test)]
mod handshakes;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::inbox::{Inbox, inbox};
    use std::io::{Read, Write};
    use std::path::Path;

    const LIMIT: Duration = Duration::from_secs(10);
    const REQUEST: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n";

    pub(super) struct World {
        pub(super) runtime: tokio::runtime::Runtime,
        poll: mio::Poll,
        inbox: Inbox,
        pub(super) streams: Streams,
    }

    impl World {
        pub(super) fn new() -> Self {
            Self::with(StreamLimits::default())
        }

        pub(super) fn with(limits: StreamLimits) -> Self {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            let runtime = runtime.expect("a runtime");
            let poll = mio::Poll::new().expect("poll");
            let waker = mio::Waker::new(poll.registry(), mio::Token(0)).expect("waker");
            let (inbox, sender, _) = inbox(waker);
            let usual = Outbound::load(Path::new(""), &[]).expect("no files");
            let streams = Streams::new(runtime.handle().clone(), sender, usual, limits);
            Self { runtime, poll, inbox, streams }
        }

        pub(super) fn next(&mut self) -> StreamEvent {
            let mut events = mio::Events::with_capacity(1);
            loop {
                self.inbox.answer_bell();
                if let Some(Message::Stream(event)) = self.inbox.next_message() {
                    return event;
                }
                self.poll.poll(&mut events, Some(LIMIT)).expect("poll");
                assert!(!events.is_empty(), "nothing came");
            }
        }
    }

    fn to(peer: SocketAddr) -> Flow {
        let local = SocketAddr::from(([127, 0, 0, 1], 5060));
        Flow { transport: Transport::Tcp, local, peer, connection: 0, domain: 0 }
    }

    fn peer() -> (std::net::TcpListener, Flow) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
        let flow = to(listener.local_addr().expect("bound"));
        (listener, flow)
    }

    #[test]
    fn a_peer_without_a_connection_gets_one_which_later_messages_use_too() {
        let mut world = World::new();
        let (listener, flow) = peer();
        world.streams.send(&flow, Bytes::from_static(REQUEST), None).expect("queued");
        world.streams.send(&flow, Bytes::from_static(REQUEST), None).expect("queued");
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut both = vec![0; REQUEST.len() * 2];
        stream.read_exact(&mut both).expect("both messages on it");
        stream.write_all(REQUEST).expect("sent");
        let StreamEvent::Received(named, bytes) = world.next() else { panic!("no message") };
        assert_eq!(bytes, REQUEST);
        assert_eq!(Flow { connection: 0, ..named }, flow);
        world.streams.send(&named, Bytes::from_static(REQUEST), None).expect("queued");
        stream.read_exact(&mut both[..REQUEST.len()]).expect("the named connection is the same");
    }

    #[test]
    fn rfc3261_18_4_the_end_of_a_connection_fails_it_and_what_was_sent_without_naming_it() {
        let mut world = World::new();
        let (listener, flow) = peer();
        world.streams.send(&flow, Bytes::from_static(REQUEST), None).expect("queued");
        drop(listener.accept().expect("a connection"));
        let StreamEvent::Closed(closed) = world.next() else { panic!("not closed") };
        assert_eq!(world.streams.closed(closed).collect::<Vec<_>>(), [closed, flow]);
        assert!(world.streams.send(&closed, Bytes::from_static(REQUEST), None).is_err(), "it is gone");
        assert_eq!(world.streams.closed(closed).count(), 0, "told once");
    }

    #[test]
    fn a_refused_connection_fails_the_flow() {
        let mut world = World::new();
        let (listener, flow) = peer();
        drop(listener);
        world.streams.send(&flow, Bytes::from_static(REQUEST), None).expect("queued");
        let StreamEvent::Closed(closed) = world.next() else { panic!("not closed") };
        assert!(world.streams.closed(closed).any(|failed| failed == flow));
    }

    #[test]
    fn a_peer_that_does_not_read_is_given_up_when_its_queue_is_full() {
        let mut world = World::new();
        let (listener, flow) = peer();
        let big = Bytes::from(vec![b'x'; 65_535]);
        let refused = (0..WRITE_QUEUE * 40).any(|_| world.streams.send(&flow, big.clone(), None).is_err());
        assert!(refused, "the queue is bounded");
        drop(listener);
        world.runtime.shutdown_background();
    }

    #[test]
    fn only_a_whole_message_makes_a_connection_last() {
        let (now, seconds) = (Instant::now(), Duration::from_secs);
        let limits = StreamLimits {
            idle: seconds(500),
            first_message: seconds(3),
            message: seconds(2),
            ..StreamLimits::default()
        };
        let mut stranger = Patience::with_stranger(now, limits);
        stranger.wait_for_more(now);
        assert_eq!(stranger.until, now + seconds(3));
        stranger.known = true;
        stranger.wait_for_rest(now);
        assert_eq!(stranger.until, now + seconds(2));
        stranger.wait_for_more(now);
        assert_eq!(stranger.until, now + seconds(500));
        assert_eq!(Patience::with_known(now, limits).until, now + seconds(500));
    }

    #[test]
    fn connections_beyond_the_limits_of_the_node_file_are_closed_and_large_messages_end_one() {
        let limits =
            StreamLimits { largest: 4_096, per_source: Some(2), connections: 3, ..StreamLimits::default() };
        let mut world = World::with(limits);
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = StreamListener::bind(Transport::Tcp, any, None).expect("bound");
        let address = listener.kind.local;
        world.streams.accept(listener).expect("accepts");
        let mut phones = [0; 2].map(|_| std::net::TcpStream::connect(address).expect("connected"));
        for _ in 0..2 {
            let StreamEvent::Accepted(flow, queue) = world.next() else { panic!("not accepted") };
            world.streams.accepted(flow, queue);
        }
        let mut third = std::net::TcpStream::connect(address).expect("the system takes it");
        assert_eq!(third.read(&mut [0]).expect("an end"), 0, "and the node closes it");
        let large = [REQUEST[..24].to_vec(), b"X: ".to_vec(), vec![b'x'; 4_096]].concat();
        phones[0].write_all(&large).expect("sent");
        let StreamEvent::Closed(closed) = world.next() else { panic!("not closed") };
        assert_eq!(closed.peer, phones[0].local_addr().expect("bound"));
        assert_eq!(world.streams.closed(closed).count(), 1);
        let deadline = std::time::Instant::now() + LIMIT;
        loop {
            // Its place is free once its task has ended.
            let mut next = std::net::TcpStream::connect(address).expect("the system takes it");
            next.set_read_timeout(Some(Duration::from_millis(100))).expect("set");
            if next.read(&mut [0]).is_err() {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "the place is never free");
        }
        assert!(matches!(world.next(), StreamEvent::Accepted(..)));
    }
}
