//! TLS and WebSocket as clients see them.

use super::tests::World;
use super::{StreamEvent, StreamListener};
use crate::tls::{Identity, Shown};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use sip::{Flow, Transport};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const REQUEST: &str = "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n";
const ANSWER: &str = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A certificate for `pbx.example`, and what trusts it.
fn identity() -> (Identity, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["pbx.example".to_owned()]).expect("made");
    let home = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: String| std::fs::write(home.path().join(name), text).expect("written");
    write("cert.pem", made.cert.pem());
    write("key.pem", made.signing_key.serialize_pem());
    let tls = dialplan::Tls { certificate: "cert.pem".into(), key: "key.pem".into() };
    (Identity::load(home.path(), &tls).expect("they fit"), made.cert.der().clone())
}

/// Serves one listener; its address.
fn listen(world: &World, transport: Transport, shown: Option<&Arc<Shown>>) -> SocketAddr {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = StreamListener::bind(transport, any, shown.map(Shown::acceptor)).expect("bound");
    let address = listener.kind.local;
    world.streams.accept(listener).expect("accepts");
    address
}

/// Connects as a client that trusts one certificate.
async fn secure(
    to: SocketAddr,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("pbx.example").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(to).await?).await
}

/// The flow of a connection that was accepted, noted as the signalling thread does.
fn accepted(world: &mut World) -> Flow {
    let StreamEvent::Accepted(flow, queue) = world.next() else { panic!("not accepted") };
    world.streams.accepted(flow, queue);
    flow
}

fn received(world: &mut World) -> (Flow, Bytes) {
    let StreamEvent::Received(flow, bytes) = world.next() else { panic!("no message") };
    (flow, bytes)
}

#[test]
fn rfc3261_26_2_1_messages_run_over_tls_and_a_new_certificate_is_for_new_connections() {
    let mut world = World::new();
    let (first, trusted) = identity();
    let shown = Shown::new(first);
    let address = listen(&world, Transport::Tls, Some(&shown));
    let runtime = world.runtime.handle().clone();
    let mut phone = runtime.block_on(secure(address, &trusted)).expect("a handshake");
    let flow = accepted(&mut world);
    assert_eq!((flow.transport, flow.local), (Transport::Tls, address));
    let (second, newly_trusted) = identity();
    shown.replace(second);
    runtime.block_on(phone.write_all(REQUEST.as_bytes())).expect("sent");
    assert_eq!(received(&mut world), (flow, Bytes::from_static(REQUEST.as_bytes())));
    world.streams.send(&flow, Bytes::from_static(ANSWER.as_bytes()), None).expect("queued");
    let mut answer = vec![0; ANSWER.len()];
    runtime.block_on(phone.read_exact(&mut answer)).expect("the connection lives on");
    assert_eq!(answer, ANSWER.as_bytes());
    assert!(runtime.block_on(secure(address, &trusted)).is_err(), "the old one is not shown any more");
    runtime.block_on(secure(address, &newly_trusted)).expect("the new one is");
}

#[test]
fn what_is_no_tls_gets_nowhere() {
    let mut world = World::new();
    let (identity, trusted) = identity();
    let address = listen(&world, Transport::Tls, Some(&Shown::new(identity)));
    let runtime = world.runtime.handle().clone();
    let rest = runtime.block_on(async {
        let mut stranger = TcpStream::connect(address).await.expect("connected");
        stranger.write_all(REQUEST.as_bytes()).await.expect("sent");
        let mut rest = Vec::new();
        // An alert, and the end; or the end alone.
        let _ = stranger.read_to_end(&mut rest).await;
        rest
    });
    assert!(!rest.starts_with(b"SIP"));
    runtime.block_on(secure(address, &trusted)).expect("others are served");
    assert!(matches!(world.next(), StreamEvent::Accepted(..)), "the first that is heard of");
}

type Socket<S> = WebSocketStream<S>;

/// Upgrades a connection to WebSocket, with this protocol.
async fn upgrade<S>(stream: S, protocol: &'static str) -> Result<Socket<S>, Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut request = "ws://pbx.example/".into_client_request().expect("a request");
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(protocol));
    client_async(request, stream).await.map(|(socket, _)| socket)
}

#[test]
fn rfc7118_5_each_websocket_message_is_a_sip_message_and_crlf_is_a_sign_of_life() {
    let mut world = World::new();
    let address = listen(&world, Transport::Ws, None);
    let runtime = world.runtime.handle().clone();
    let mut browser = runtime
        .block_on(async { upgrade(TcpStream::connect(address).await.expect("connected"), "foo, sip").await })
        .expect("upgraded");
    let flow = accepted(&mut world);
    assert_eq!(flow.transport, Transport::Ws);
    for message in [Message::text(REQUEST), Message::binary(REQUEST.as_bytes())] {
        runtime.block_on(browser.send(message)).expect("sent");
        assert_eq!(received(&mut world), (flow, Bytes::from_static(REQUEST.as_bytes())));
    }
    world.streams.send(&flow, Bytes::from_static(ANSWER.as_bytes()), None).expect("queued");
    let answer = runtime.block_on(browser.next()).expect("open").expect("read");
    assert_eq!(answer, Message::text(ANSWER));
    world.streams.send(&flow, Bytes::from_static(b"SIP/2.0 200 \xff"), None).expect("queued");
    let answer = runtime.block_on(browser.next()).expect("open").expect("read");
    assert_eq!(answer, Message::binary(&b"SIP/2.0 200 \xff"[..]), "what is no UTF-8 is no text");
    runtime.block_on(browser.send(Message::text("\r\n\r\n"))).expect("sent");
    assert_eq!(runtime.block_on(browser.next()).expect("open").expect("read"), Message::text("\r\n"));
    runtime.block_on(browser.close(None)).expect("closed");
    let StreamEvent::Closed(closed) = world.next() else { panic!("not closed") };
    assert_eq!(closed, flow);
}

#[test]
fn rfc7118_4_1_a_client_that_does_not_name_the_protocol_is_refused() {
    let world = World::new();
    let address = listen(&world, Transport::Ws, None);
    let refused = world
        .runtime
        .block_on(async { upgrade(TcpStream::connect(address).await.expect("connected"), "chat").await });
    let Err(Error::Http(response)) = refused else { panic!("{refused:?}") };
    assert_eq!(response.status(), 400);
}

#[test]
fn a_message_that_is_too_large_ends_the_connection() {
    let mut world = World::new();
    let address = listen(&world, Transport::Ws, None);
    let runtime = world.runtime.handle().clone();
    let mut browser = runtime
        .block_on(async { upgrade(TcpStream::connect(address).await.expect("connected"), "sip").await })
        .expect("upgraded");
    let flow = accepted(&mut world);
    // The node may close while this is on its way.
    let _ = runtime.block_on(browser.send(Message::binary(vec![b'x'; 65_535 + 1])));
    let StreamEvent::Closed(closed) = world.next() else { panic!("not closed") };
    assert_eq!(closed, flow);
}

#[test]
fn websocket_runs_over_tls_too() {
    let mut world = World::new();
    let (identity, trusted) = identity();
    let address = listen(&world, Transport::Wss, Some(&Shown::new(identity)));
    let runtime = world.runtime.handle().clone();
    let mut browser = runtime
        .block_on(async { upgrade(secure(address, &trusted).await.expect("a handshake"), "sip").await })
        .expect("upgraded");
    let flow = accepted(&mut world);
    runtime.block_on(browser.send(Message::text(REQUEST))).expect("sent");
    assert_eq!(received(&mut world), (flow, Bytes::from_static(REQUEST.as_bytes())));
}
