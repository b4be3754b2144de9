//! Requests that are too large for a datagram: RFC 3261 section 18.1.1.

use crate::world::{CALLEE, CALLER, World, address, config, contact, header, offer};
use clock::{Duration, Time};
use sip::{Body, Endpoint, EndpointConfig, Event, Flow, Login, Message, Name, NewInvite, Output, Transport};

/// A lone endpoint with listeners for UDP and TCP at one address.
struct Node {
    endpoint: Endpoint,
    now: Time,
    out: Vec<Output>,
}

fn by_both() -> EndpointConfig {
    let shown = [Transport::Udp, Transport::Tcp].map(|transport| ((transport, address(0)), address(0)));
    EndpointConfig { shown: shown.into(), ..config() }
}

fn large() -> Option<Body> {
    Some(Body::sdp(format!("v=0\r\ns={}\r\n", "x".repeat(1_300))))
}

const DATAGRAMS: Flow = Flow::udp(
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 1)), 5060),
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2)), 5060),
);
const STREAM: Flow = Flow { transport: Transport::Tcp, ..DATAGRAMS };

impl Node {
    fn new(config: EndpointConfig) -> Self {
        Self { endpoint: Endpoint::new(config, [1; 32]), now: Time::ZERO, out: Vec::new() }
    }

    fn invite(&mut self, body: Option<Body>) -> sip::InviteId {
        let invite = NewInvite { flow: DATAGRAMS, body, ..World::new(Transport::Udp).new_invite(CALLER) };
        self.endpoint.invite(self.now, invite, &mut self.out)
    }

    /// What was sent since the last call, and by which flow; each names the transport in its Via that it goes by.
    fn sent(&mut self) -> Vec<(Flow, Message)> {
        let sent = std::mem::take(&mut self.out).into_iter().filter_map(|output| match output {
            Output::Send { flow, bytes } => Some((flow, Message::parse(bytes).unwrap())),
            _ => None,
        });
        let sent: Vec<_> = sent.collect();
        for (flow, message) in &sent {
            assert_eq!(message.validate(), Ok(()));
            assert_eq!(message.header_values(Name::Via).count(), 1);
            assert_eq!(message.via().unwrap().transport(), Some(flow.transport));
        }
        sent
    }

    fn only(&mut self) -> (Flow, Message) {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }

    fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.endpoint.handle_timeout(self.now, &mut self.out);
    }

    /// The other end's response to a request, over its connection.
    fn answer(&mut self, request: &Message, status: &str, fields: &str) {
        let copy = |name| format!("{name}: {}\r\n", header(request, Name::parse(name).unwrap()));
        let copied: String = ["Via", "From", "Call-ID", "CSeq"].map(copy).concat();
        let to = header(request, Name::To);
        let to = if to.contains("tag=") { to.to_owned() } else { format!("{to};tag=them") };
        let text = format!("SIP/2.0 {status}\r\n{copied}To: {to}\r\n{fields}Content-Length: 0\r\n\r\n");
        let flow = Flow { connection: 7, ..STREAM };
        self.endpoint.receive(self.now, flow, text.into(), &mut self.out);
    }
}

#[test]
fn a_large_invite_goes_by_tcp_and_what_is_small_in_its_dialog_by_udp() {
    let mut node = Node::new(by_both());
    let id = node.invite(large());
    let (flow, invite) = node.only();
    assert_eq!(flow, STREAM);
    assert_eq!(*invite.body(), large().unwrap().bytes);
    node.wait(1_900);
    assert!(node.sent().is_empty(), "a stream repeats nothing");
    node.answer(&invite, "200 OK", "Contact: <sip:127.0.0.2>\r\n");
    let (flow, ack) = node.only();
    assert_eq!((flow, ack.method().as_str()), (DATAGRAMS, "ACK"));
    node.wait(60_000);
    assert!(node.sent().is_empty(), "and it is not tried by UDP once it has arrived");

    assert!(node.endpoint.reinvite(node.now, id, large(), &mut node.out));
    let (flow, reinvite) = node.only();
    assert_eq!(flow, STREAM);
    node.endpoint.flow_failed(node.now, STREAM, &mut node.out);
    let (flow, again) = node.only();
    assert_eq!((flow, again.via().unwrap().branch()), (DATAGRAMS, reinvite.via().unwrap().branch()));
    node.answer(&again, "200 OK", "Contact: <sip:127.0.0.2>\r\n");
    assert_eq!(node.only().1.method().as_str(), "ACK");
    node.endpoint.bye(node.now, id, None, &mut node.out);
    let (flow, bye) = node.only();
    assert_eq!((flow, bye.method().as_str()), (DATAGRAMS, "BYE"));
    node.answer(&bye, "200 OK", "");
    node.wait(60_000);
    assert_eq!(node.endpoint.alive(), sip::Alive::default());
}

#[test]
fn a_peer_that_names_tcp_is_reached_by_it() {
    let named = "Contact: <sip:127.0.0.2>\r\nRecord-Route: <sip:127.0.0.2;transport=tcp;lr>\r\n";
    for fields in [named, "Contact: <sip:127.0.0.2;transport=tcp>\r\n"] {
        let mut node = Node::new(by_both());
        node.invite(large());
        let (_, invite) = node.only();
        node.answer(&invite, "200 OK", fields);
        assert_eq!(node.only().0, Flow { connection: 7, ..STREAM });
    }
}

#[test]
fn a_server_that_takes_nothing_by_tcp_gets_it_by_udp_and_is_remembered() {
    let mut node = Node::new(by_both());
    for remembered in [false, true] {
        node.invite(large());
        if !remembered {
            assert_eq!(node.only().0, STREAM);
            node.wait(100);
            node.endpoint.flow_failed(node.now, Flow { connection: 9, ..STREAM }, &mut node.out);
        }
        assert_eq!(node.only().0, DATAGRAMS);
        node.wait(500);
        assert_eq!(node.only().0, DATAGRAMS, "Timer A");
        node.wait(1_000);
        let (_, invite) = node.only();
        node.answer(&invite, "486 Busy Here", "");
        assert_eq!(node.only().1.method().as_str(), "ACK");
    }
    node.wait(300_000);
    node.invite(large());
    assert_eq!(node.only().0, STREAM, "it is asked again");
}

#[test]
fn a_server_that_says_nothing_by_tcp_gets_it_by_udp_with_the_same_branch() {
    let mut node = Node::new(by_both());
    node.invite(large());
    let (_, first) = node.only();
    node.wait(1_999);
    assert!(node.sent().is_empty());
    node.wait(1);
    let (flow, second) = node.only();
    assert_eq!(flow, DATAGRAMS);
    assert_eq!(second.via().unwrap().branch(), first.via().unwrap().branch());
    // Late, but it had it after all.
    node.answer(&first, "180 Ringing", "");
    node.wait(30_000);
    assert!(node.sent().is_empty(), "a response ends the retransmissions");
}

#[test]
fn a_call_that_nobody_wants_any_more_is_not_sent_by_udp() {
    for fails in [true, false] {
        let mut node = Node::new(by_both());
        let id = node.invite(large());
        node.sent();
        node.endpoint.cancel(node.now, id, None, &mut node.out);
        assert_eq!(node.endpoint.fall_back(node.now, id, &mut node.out), None);
        node.wait(2_000);
        if fails {
            node.endpoint.flow_failed(node.now, STREAM, &mut node.out);
        } else {
            node.wait(30_000);
        }
        let ended = |out: &Output| matches!(out, Output::Event(Event::Failed { status: 487, .. }));
        assert!(node.out.iter().any(ended));
        assert!(node.sent().is_empty());
        assert_eq!(node.endpoint.alive(), sip::Alive::default());
    }
}

#[test]
fn its_user_may_be_less_patient() {
    let mut node = Node::new(by_both());
    let id = node.invite(large());
    node.sent();
    node.wait(200);
    let fell_back = node.now;
    assert_eq!(node.endpoint.fall_back(node.now, id, &mut node.out), Some(fell_back));
    assert_eq!(node.only().0, DATAGRAMS);
    node.wait(100);
    assert_eq!(node.endpoint.fall_back(node.now, id, &mut node.out), Some(fell_back));
    assert!(node.sent().is_empty(), "once");
    node.wait(32_000);
    let failed = |out: &Output| matches!(out, Output::Event(Event::Failed { status: 408, .. }));
    assert!(node.out.iter().any(failed), "Timer B runs on");
    assert_eq!(node.endpoint.alive(), sip::Alive::default());
}

#[test]
fn its_user_is_told_when_it_fell_back_by_itself() {
    let mut node = Node::new(by_both());
    let id = node.invite(large());
    node.wait(2_000);
    let fell_back = node.now;
    node.sent();
    node.wait(100);
    assert_eq!(node.endpoint.fall_back(node.now, id, &mut node.out), Some(fell_back));
    assert!(node.sent().is_empty());
}

#[test]
fn rfc3261_17_2_3_the_copy_by_udp_is_a_retransmission_also_where_tcp_has_another_port() {
    let mut world = World::new(Transport::Udp);
    let elsewhere = std::net::SocketAddr::new(address(CALLER).ip(), 5_070);
    let shown = [
        ((Transport::Udp, address(CALLER)), address(CALLER)),
        ((Transport::Tcp, address(CALLER)), elsewhere),
    ];
    world.sides[CALLER] = Endpoint::new(EndpointConfig { shown: shown.into(), ..config() }, [1; 32]);
    // Nothing comes back while TCP is tried.
    let mut lost = 0;
    world.fate = Box::new(move |side, _| {
        let is_lost = side == CALLEE && lost == 0;
        lost += u32::from(is_lost);
        if is_lost { Vec::new() } else { vec![crate::world::DELAY] }
    });
    let invite = NewInvite { body: large(), ..world.new_invite(CALLER) };
    let id = world.act(CALLER, |endpoint, now, out| endpoint.invite(now, invite, out));
    let Event::Invite { id: callee, flow, .. } = world.event(CALLEE) else { panic!() };
    assert_eq!(flow.transport, Transport::Tcp);
    world.run(Duration::from_millis(2_500));
    assert_eq!(world.sides[CALLEE].counters().retransmissions, 1);
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.accept(now, callee, &contact(CALLEE), offer(), out);
    });
    assert!(matches!(world.event(CALLER), Event::Answered { .. }));
    assert!(matches!(world.event(CALLEE), Event::Acked { .. }));
    world.hang_up(CALLER, id);
    world.assert_drained();
}

#[test]
fn of_several_listeners_it_goes_by_the_one_that_shows_what_udp_shows() {
    let shown = std::net::SocketAddr::from(([203, 0, 113, 9], 5_060));
    let other = std::net::SocketAddr::from(([203, 0, 113, 9], 5_070));
    let behind = std::net::SocketAddr::from(([127, 0, 0, 1], 5_080));
    let listeners = [
        ((Transport::Udp, address(CALLER)), shown),
        ((Transport::Tcp, address(CALLER)), other),
        ((Transport::Tcp, behind), shown),
    ];
    let mut node = Node::new(EndpointConfig { shown: listeners.into(), ..config() });
    node.invite(large());
    let (flow, invite) = node.only();
    assert_eq!(flow, Flow { local: behind, ..STREAM });
    assert_eq!(invite.via().unwrap().sent_by(), shown.to_string());
}

#[test]
fn what_is_small_is_for_a_phone_or_has_no_listener_goes_by_udp() {
    let mut node = Node::new(by_both());
    node.invite(offer());
    assert_eq!(node.only().0, DATAGRAMS);
    let phone = NewInvite {
        flow: DATAGRAMS,
        is_server: false,
        body: large(),
        ..World::new(Transport::Udp).new_invite(CALLER)
    };
    node.endpoint.invite(node.now, phone, &mut node.out);
    assert_eq!(node.only().0, DATAGRAMS);
    let mut without = Node::new(config());
    without.invite(large());
    assert_eq!(without.only().0, DATAGRAMS);
}

#[test]
fn credentials_may_make_it_large() {
    let mut node = Node::new(by_both());
    let login = Login { username: "u".into(), password: "p".into(), realm: None };
    let body = Some(Body::sdp(format!("v=0\r\ns={}\r\n", "x".repeat(700))));
    let invite = NewInvite {
        flow: DATAGRAMS,
        body,
        login: Some(login),
        ..World::new(Transport::Udp).new_invite(CALLER)
    };
    node.endpoint.invite(node.now, invite, &mut node.out);
    let (flow, invite) = node.only();
    assert_eq!(flow, DATAGRAMS);
    let long = "n".repeat(200);
    node.answer(
        &invite,
        "407 Proxy Authentication Required",
        &format!("Proxy-Authenticate: Digest realm=\"r\", nonce=\"{long}\"\r\n"),
    );
    let sent = node.sent();
    assert_eq!(sent.iter().map(|(flow, _)| *flow).collect::<Vec<_>>(), [DATAGRAMS, STREAM]);
    node.endpoint.flow_failed(node.now, STREAM, &mut node.out);
    let (flow, again) = node.only();
    assert_eq!(flow, DATAGRAMS);
    assert!(again.header(Name::ProxyAuthorization).is_some());
}

#[test]
fn rfc3261_17_1_1_3_a_refusal_is_acknowledged_and_a_cancel_sent_by_the_way_of_the_invite() {
    let mut node = Node::new(by_both());
    let id = node.invite(large());
    let (_, invite) = node.only();
    node.answer(&invite, "180 Ringing", "Contact: <sip:127.0.0.2>\r\n");
    node.endpoint.cancel(node.now, id, None, &mut node.out);
    let (flow, cancel) = node.only();
    assert_eq!((flow, cancel.method().as_str()), (STREAM, "CANCEL"));
    node.answer(&invite, "487 Request Terminated", "");
    let (flow, ack) = node.only();
    assert_eq!((flow, ack.method().as_str()), (STREAM, "ACK"));
}

#[test]
fn two_of_us_speak_by_tcp_where_one_is_large() {
    let mut world = World::new(Transport::Udp);
    for side in [CALLER, CALLEE] {
        let shown = [Transport::Udp, Transport::Tcp].map(|it| ((it, address(side)), address(side)));
        let config = EndpointConfig { shown: shown.into(), ..config() };
        world.sides[side] = Endpoint::new(config, [u8::try_from(side).unwrap(); 32]);
    }
    let invite = NewInvite { body: large(), ..world.new_invite(CALLER) };
    let id = world.act(CALLER, |endpoint, now, out| endpoint.invite(now, invite, out));
    let Event::Invite { id: callee, flow, .. } = world.event(CALLEE) else { panic!() };
    assert_eq!(flow.transport, Transport::Tcp);
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.accept(now, callee, &contact(CALLEE), large(), out);
    });
    assert!(matches!(world.event(CALLER), Event::Answered { .. }));
    assert!(matches!(world.event(CALLEE), Event::Acked { .. }));
    world.hang_up(CALLER, id);
    world.assert_drained();
}
