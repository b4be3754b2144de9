//! Asks one server of a trunk by OPTIONS (RFC 3261 section 11), from a socket of doctor's own.

use crate::hex::hex;
use crate::random;
use crate::tls::Outbound;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rustls::CertificateError;
use sip::{Frame, Framer, MAX_MESSAGE, Message, Method, Name, RequestBuilder, Transport};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use switch::TlsPeer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

/// When to give up on a connection, on a handshake, and on the answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// When a datagram is sent again: T1, doubled (RFC 3261 section 17.1.2.2).
const AGAIN: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_millis(1_000), Duration::from_millis(2_500)];

/// Whom to ask, and as whom.
pub(super) struct Question<'a> {
    pub(super) server: (Transport, SocketAddr),
    /// The URI of the trunk that led there.
    pub(super) uri: &'a str,
    /// The address to send from: the listener's.
    pub(super) from: IpAddr,
    /// The address that the listener tells others.
    pub(super) advertised: IpAddr,
    /// How its certificate is judged.
    pub(super) outbound: &'a Outbound,
    pub(super) peer: TlsPeer,
}

/// What it has answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) reason: String,
    /// When it came, and how long after the question.
    pub(super) at: Timestamp,
    pub(super) took: SignedDuration,
    /// Where the question came from, as it says; `None` if that is what the Via had (RFC 3261 section 18.2.1).
    pub(super) received: Option<IpAddr>,
    pub(super) date: Option<Timestamp>,
    pub(super) sdp: Option<Bytes>,
    /// When its certificate is over.
    pub(super) certificate_ends: Option<Timestamp>,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nobody holds the port: ICMP or a reset says so.
    Refused,
    /// Nothing came.
    Silent,
    /// There was no TLS handshake, for this reason.
    NoHandshake(String),
    /// Something else, as the system says it.
    System(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut => Self::Silent,
            _ => Self::System(error.to_string()),
        }
    }
}

/// Asks, and waits for the final response.
pub(super) async fn ask(question: &Question<'_>) -> Result<Answer, Trouble> {
    let (transport, peer) = question.server;
    let from = SocketAddr::new(question.from, 0);
    if transport == Transport::Udp {
        let socket = UdpSocket::bind(from).await?;
        socket.connect(peer).await?;
        return ask_by_datagrams(question, &socket).await;
    }
    let socket = if from.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(from)?;
    let stream = timeout(PATIENCE, socket.connect(peer)).await.map_err(|_| Trouble::Silent)??;
    let local = stream.local_addr()?;
    if transport != Transport::Tls {
        return ask_by_stream(question, local, stream).await;
    }
    let (stream, certificate_ends) = greet(question, stream).await?;
    Ok(Answer { certificate_ends, ..ask_by_stream(question, local, stream).await? })
}

/// Shakes hands as the node does.
async fn greet(
    question: &Question<'_>,
    stream: TcpStream,
) -> Result<(tokio_rustls::client::TlsStream<TcpStream>, Option<Timestamp>), Trouble> {
    let no_name = || Trouble::NoHandshake(format!("no certificate can name {}", question.peer.host));
    let greeting = question.outbound.greeting(&question.peer).ok_or_else(no_name)?;
    let name = greeting.name.to_str().into_owned();
    let met = timeout(PATIENCE, greeting.connector.connect(greeting.name, stream)).await;
    let met =
        met.map_err(|_| Trouble::NoHandshake("it says nothing: is that port one for TLS?".to_owned()))?;
    let stream = met.map_err(|error| Trouble::NoHandshake(in_words(&error, &name)))?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let ends = chain.iter().filter_map(crate::tls::end_of).min();
    Ok((stream, ends))
}

/// Why there was no handshake, for an operator.
fn in_words(error: &io::Error, name: &str) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate is over".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet: is this clock right?".to_owned()
            }
            CertificateError::UnknownIssuer => {
                "nobody who is believed has certified it: `tls: {roots: …}` of the trunk names others"
                    .to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("its certificate does not name {name}: `tls: {{name: …}}` of the trunk names another")
            }
            other => format!("its certificate is not believed: {other}"),
        },
        Some(rustls::Error::AlertReceived(alert)) => format!("it ended the handshake: {alert:?}"),
        Some(rustls::Error::InvalidMessage(_)) => "that is no TLS: is the port right?".to_owned(),
        _ => error.to_string(),
    }
}

/// The request that is sent from `local`. The Via has the advertised address, so that whoever sees another one says so.
fn options(question: &Question<'_>, local: SocketAddr, id: &str) -> Bytes {
    let (shown, token) = (SocketAddr::new(question.advertised, local.port()), question.server.0.via_token());
    RequestBuilder::new(&Method::Options, question.uri)
        .header("Via", format!("SIP/2.0/{token} {shown};rport;branch=z9hG4bK{id}"))
        .header("Max-Forwards", "70")
        .header("From", format!("<sip:doctor@{shown}>;tag={id}"))
        .header("To", format!("<{}>", question.uri))
        .header("Call-ID", id)
        .cseq(1, &Method::Options)
        .header("Contact", format!("<sip:doctor@{shown}>"))
        .header("Accept", "application/sdp")
        .header("User-Agent", concat!("Ringdown doctor ", env!("CARGO_PKG_VERSION")))
        .finish()
}

/// What nobody else's request is named.
fn new_id() -> io::Result<String> {
    Ok(hex(&random::seed()?[..12]))
}

async fn ask_by_datagrams(question: &Question<'_>, socket: &UdpSocket) -> Result<Answer, Trouble> {
    let id = new_id()?;
    let request = options(question, socket.local_addr()?, &id);
    let begun = Instant::now();
    let mut buffer = vec![0; MAX_MESSAGE];
    socket.send(&request).await?;
    for (wait, is_last) in AGAIN.into_iter().map(|wait| (wait, false)).chain([(PATIENCE, true)]) {
        let until = begun + wait;
        while let Ok(received) = timeout_at(until, socket.recv(&mut buffer)).await {
            let message = Bytes::copy_from_slice(&buffer[..received?]);
            if let Some(answer) = read(message, &id, begun) {
                return Ok(answer);
            }
        }
        if !is_last {
            socket.send(&request).await?;
        }
    }
    Err(Trouble::Silent)
}

async fn ask_by_stream(
    question: &Question<'_>,
    local: SocketAddr,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<Answer, Trouble> {
    let id = new_id()?;
    let begun = Instant::now();
    let mut framer = Framer::new(MAX_MESSAGE);
    let mut buffer = vec![0; 4_096];
    let until = begun + PATIENCE;
    timeout_at(until, stream.write_all(&options(question, local, &id)))
        .await
        .map_err(|_| Trouble::Silent)??;
    loop {
        let length = timeout_at(until, stream.read(&mut buffer)).await.map_err(|_| Trouble::Silent)??;
        if length == 0 {
            return Err(Trouble::System("it closes the connection without an answer".to_owned()));
        }
        framer.feed(&buffer[..length]);
        while let Some(frame) = framer.next().map_err(|error| Trouble::System(error.to_string()))? {
            if let Frame::Message(bytes) = frame
                && let Some(answer) = read(bytes, &id, begun)
            {
                return Ok(answer);
            }
        }
    }
}

/// The final response to the request of that name, if that is what has come.
fn read(bytes: Bytes, id: &str, begun: Instant) -> Option<Answer> {
    let message = Message::parse(bytes).ok()?;
    let status = message.status().filter(|status| *status >= 200 && message.call_id() == id)?;
    let date = message.header(Name::Date).and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    Some(Answer {
        status,
        reason: message.reason().to_owned(),
        at: Timestamp::now(),
        took: SignedDuration::try_from(begun.elapsed()).unwrap_or_default(),
        received: message.via().ok().and_then(|via| via.received()),
        date: date.map(|date| date.timestamp()),
        sdp: message.sdp(),
        certificate_ends: None,
    })
}
