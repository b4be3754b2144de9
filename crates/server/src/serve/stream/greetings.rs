//! TLS connections that we open, against listeners of ours.

use super::tests::World;
use super::{StreamEvent, StreamListener};
use crate::tls::{Identity, Outbound, Shown};
use bytes::Bytes;
use dialplan::{Tls, Trunk, TrunkTls};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use sip::{Flow, Transport};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use switch::TlsPeer;
use tokio_rustls::TlsAcceptor;

const REQUEST: Bytes = Bytes::from_static(b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n");

/// A self-signed certificate, `NAME.pem` and `NAME.key` in a folder.
fn certify(home: &Path, name: &str) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("made");
    std::fs::write(home.join(format!("{name}.pem")), made.cert.pem()).expect("written");
    std::fs::write(home.join(format!("{name}.key")), made.signing_key.serialize_pem()).expect("written");
    made.cert.der().clone()
}

fn files(name: &str) -> Tls {
    Tls { certificate: format!("{name}.pem").into(), key: format!("{name}.key").into() }
}

/// A TLS listener of the world; its address.
fn listen(world: &World, acceptor: TlsAcceptor) -> SocketAddr {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = StreamListener::bind(Transport::Tls, any, Some(acceptor)).expect("bound");
    let address = listener.kind.local;
    world.streams.accept(listener).expect("accepts");
    address
}

/// Sends by TLS to a host at an address, as a trunk does or as nobody in particular; what comes of it.
fn send(world: &mut World, address: SocketAddr, host: &str, trunk: Option<&str>) -> Result<Flow, String> {
    let local = SocketAddr::from(([127, 0, 0, 1], 5061));
    let flow = Flow { transport: Transport::Tls, local, peer: address, connection: 0, domain: 7 };
    let peer = TlsPeer { host: host.into(), trunk: trunk.map(Arc::from) };
    world.streams.send(&flow, REQUEST, Some(&peer)).expect("queued");
    loop {
        match world.next() {
            StreamEvent::Received(flow, bytes) => {
                assert_eq!(bytes, REQUEST);
                return Ok(flow);
            }
            StreamEvent::Distrusted(refused, why) => {
                let any = Flow { connection: 0, ..refused };
                assert_eq!(world.streams.closed(refused).collect::<Vec<_>>(), [refused, any]);
                return Err(why);
            }
            StreamEvent::Closed(opened) if opened.domain == 7 => {
                world.streams.closed(opened).for_each(drop);
                return Err("closed".into());
            }
            StreamEvent::Accepted(flow, queue) => world.streams.accepted(flow, queue),
            StreamEvent::Closed(_) => {}
        }
    }
}

fn trunk(tls: TrunkTls) -> Trunk {
    Trunk { tls, ..Trunk::named("carrier") }
}

#[test]
fn rfc5922_7_1_what_we_open_leads_to_the_domain_of_the_uri_or_nowhere() {
    let home = tempfile::tempdir().expect("a directory");
    let home = home.path();
    certify(home, "sip.example");
    let mut world = World::new();
    let shown = Shown::new(Identity::load(home, &files("sip.example")).expect("they fit"));
    let address = listen(&world, shown.acceptor());
    let tls = TrunkTls { roots: Some("sip.example.pem".into()), ..TrunkTls::default() };
    world.streams.apply(Outbound::load(home, &[trunk(tls.clone())]).expect("read"));

    let flow = send(&mut world, address, "sip.example", Some("carrier")).expect("trusted");
    assert_eq!((flow.local, flow.domain), (address, 0), "as the other end sees it");
    // One more goes by the same connection.
    assert_eq!(send(&mut world, address, "sip.example", Some("carrier")), Ok(flow));

    let mut fresh = World::new();
    let address = listen(&fresh, shown.acceptor());
    fresh.streams.apply(Outbound::load(home, &[trunk(tls.clone())]).expect("read"));
    let why = send(&mut fresh, address, "other.example", Some("carrier")).expect_err("another name");
    assert!(why.contains("not valid for name"), "{why}");
    let why = send(&mut fresh, address, "sip.example", None).expect_err("an unusual root");
    assert!(why.contains("UnknownIssuer"), "{why}");
    let tls = TrunkTls { name: Some("sip.example".into()), ..tls };
    fresh.streams.apply(Outbound::load(home, &[trunk(tls)]).expect("read"));
    send(&mut fresh, address, "192.0.2.1", Some("carrier")).expect("the name that the trunk says");
}

#[test]
fn a_trunk_that_asks_is_shown_our_certificate() {
    let home = tempfile::tempdir().expect("a directory");
    let home = home.path();
    let (_, ours) = (certify(home, "sip.example"), certify(home, "node.example"));
    let mut trusted = RootCertStore::empty();
    trusted.add(ours).expect("a certificate");
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), Arc::clone(&provider));
    let identity = Identity::load(home, &files("sip.example")).expect("they fit");
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_cert_resolver(Shown::new(identity));
    let mut world = World::new();
    let address = listen(&world, TlsAcceptor::from(Arc::new(config)));

    let tls = TrunkTls { roots: Some("sip.example.pem".into()), ..TrunkTls::default() };
    world.streams.apply(Outbound::load(home, &[trunk(tls.clone())]).expect("read"));
    send(&mut world, address, "sip.example", Some("carrier")).expect_err("nothing to show");
    let tls = TrunkTls { identity: Some(files("node.example")), ..tls };
    world.streams.apply(Outbound::load(home, &[trunk(tls)]).expect("read"));
    send(&mut world, address, "sip.example", Some("carrier")).expect("shown");
}

#[test]
fn why_a_peer_is_not_trusted_is_news_once() {
    let mut world = World::new();
    let peer = SocketAddr::from(([192, 0, 2, 1], 5061));
    let flow = Flow { transport: Transport::Tls, domain: 1, ..Flow::udp(peer, peer) };
    let said = ["expired", "expired", "unknown issuer"].map(|why| world.streams.is_news(flow, why));
    assert_eq!(said, [true, false, true]);
}
