//! Requests of ours that are no INVITE, within a dialog and outside. RFC 3261 sections 8.1, 12.2.1 and 22.

use crate::world::{CALLEE, CALLER, DELAY, World, address, header, offer};
use clock::Duration;
use sip::{
    Address, Challenge, Event, InviteId, Login, Method, Name, NewRequest, SentId, Series, Transport, Why,
};

fn options(world: &World) -> NewRequest {
    NewRequest {
        flow: world.flow(CALLER),
        method: Method::Options,
        request_uri: format!("sip:{}", address(CALLEE)),
        route: vec!["<sip:127.0.0.2;lr>".into()],
        from: Address { display: None, uri: "sip:ringdown@example.net".into() },
        to: Address { display: None, uri: "sip:example.net".into() },
        series: None,
        headers: vec![("Accept".into(), "application/sdp".into())],
        body: None,
        login: None,
        max_forwards: 70,
    }
}

fn request(world: &mut World, request: NewRequest) -> SentId {
    world.act(CALLER, |endpoint, now, out| endpoint.request(now, request, out))
}

fn within(world: &mut World, side: usize, id: InviteId, method: &Method) -> Option<SentId> {
    world.act(side, |endpoint, now, out| endpoint.request_within(now, id, method, &[], None, out))
}

/// Answers the request that a side has just received.
fn answer(world: &mut World, side: usize, status: u16, headers: &[(&str, &str)]) -> sip::Message {
    let Event::Request { request, message, .. } = world.event(side) else { panic!("a request") };
    world.act(side, |endpoint, now, out| endpoint.respond(now, request, status, headers, None, out));
    message
}

fn response(world: &mut World, side: usize) -> (SentId, u16) {
    let Event::Response { id, status, .. } = world.event(side) else { panic!("a response") };
    (id, status)
}

#[test]
fn rfc3261_8_1_a_request_outside_a_dialog_gets_its_response() {
    let mut world = World::new(Transport::Udp);
    let new = options(&world);
    let id = request(&mut world, new);
    let message = answer(&mut world, CALLEE, 200, &[]);
    assert_eq!(*message.method(), Method::Options);
    assert_eq!(message.header_values(Name::Route).collect::<Vec<_>>(), ["<sip:127.0.0.2;lr>"]);
    assert_eq!(header(&message, Name::Accept), "application/sdp");
    assert!(message.to().unwrap().tag().is_none());
    assert_eq!(response(&mut world, CALLER), (id, 200));
    world.assert_drained();
}

#[test]
fn rfc3261_8_1_3_1_silence_is_408_and_a_failed_flow_503() {
    let mut world = World::new(Transport::Udp);
    world.fate = Box::new(|_, _| vec![]);
    let new = options(&world);
    let id = request(&mut world, new);
    assert_eq!(response(&mut world, CALLER), (id, 408));
    let mut world = World::new(Transport::Tcp);
    let new = options(&world);
    let (id, flow) = (request(&mut world, new), world.flow(CALLER));
    world.act(CALLER, |endpoint, now, out| endpoint.flow_failed(now, flow, out));
    assert_eq!(response(&mut world, CALLER), (id, 503));
}

#[test]
fn rfc3261_10_2_and_22_a_series_keeps_its_call_id_and_a_challenge_takes_the_next_number() {
    let mut world = World::new(Transport::Udp);
    let challenge =
        Challenge::parse("Digest realm=\"carrier\", nonce=\"n\", qop=\"auth\"").unwrap().to_string();
    let login =
        |realm: &str| Some(Login { username: "u".into(), password: "p".into(), realm: Some(realm.into()) });
    let register = NewRequest {
        method: Method::Register,
        series: Some(Series { call_id: "series".into(), cseq: 7 }),
        login: login("carrier"),
        ..options(&world)
    };
    let id = request(&mut world, register.clone());
    let first = answer(&mut world, CALLEE, 401, &[("WWW-Authenticate", &challenge)]);
    assert_eq!((first.call_id(), first.cseq().unwrap().0), ("series", 7));
    let second = answer(&mut world, CALLEE, 200, &[]);
    assert_eq!((second.call_id(), second.cseq().unwrap().0), ("series", 8));
    assert!(header(&second, Name::Authorization).contains("realm=\"carrier\""));
    assert_eq!(response(&mut world, CALLER), (id, 200));
    // The password of one realm is not told to another, nor a refused one twice.
    let id = request(&mut world, NewRequest { login: login("other"), ..register.clone() });
    answer(&mut world, CALLEE, 401, &[("WWW-Authenticate", &challenge)]);
    assert_eq!(response(&mut world, CALLER), (id, 401));
    let id = request(&mut world, register);
    answer(&mut world, CALLEE, 401, &[("WWW-Authenticate", &challenge)]);
    answer(&mut world, CALLEE, 401, &[("WWW-Authenticate", &challenge)]);
    assert_eq!(response(&mut world, CALLER), (id, 401));
    world.assert_drained();
}

#[test]
fn rfc3261_12_2_1_requests_within_a_dialog_go_both_ways_and_may_overlap() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = world.call();
    for (from, to, id) in [(CALLER, CALLEE, caller), (CALLEE, CALLER, callee)] {
        let info = within(&mut world, from, id, &Method::Info).unwrap();
        let refer = within(&mut world, from, id, &Method::Refer).unwrap();
        let message = answer(&mut world, to, 200, &[]);
        assert!(message.header(Name::Contact).is_none(), "INFO refreshes no target");
        assert!(answer(&mut world, to, 202, &[]).header(Name::Contact).is_some());
        assert_eq!([response(&mut world, from), response(&mut world, from)], [(info, 200), (refer, 202)]);
    }
    world.hang_up(CALLER, caller);
    assert_eq!(within(&mut world, CALLER, caller, &Method::Info), None);
    world.assert_drained();
}

#[test]
fn rfc3261_13_2_2_4_an_ack_has_the_number_of_its_invite_though_other_requests_came_between() {
    let mut world = World::new(Transport::Udp);
    let (caller, _) = world.call();
    assert!(world.act(CALLER, |endpoint, now, out| endpoint.reinvite(now, caller, offer(), out)));
    let Event::Reinvite { request, message, .. } = world.event(CALLEE) else { panic!() };
    within(&mut world, CALLER, caller, &Method::Info).unwrap();
    answer(&mut world, CALLEE, 200, &[]);
    assert_eq!(response(&mut world, CALLER).1, 200);
    world.act(CALLEE, |endpoint, now, out| endpoint.respond(now, request, 200, &[], offer(), out));
    assert!(matches!(world.event(CALLER), Event::ReinviteAnswered { .. }));
    let Event::Acked { message: ack, .. } = world.event(CALLEE) else { panic!() };
    assert_eq!(ack.cseq().unwrap().0, message.cseq().unwrap().0);
    world.hang_up(CALLER, caller);
    world.assert_drained();
}

#[test]
fn rfc3261_12_2_1_2_a_peer_that_does_not_know_the_dialog_ends_it() {
    for (method, ends) in [(Method::Info, true), (Method::Options, true), (Method::Refer, false)] {
        let mut world = World::new(Transport::Udp);
        let (caller, callee) = world.call();
        within(&mut world, CALLER, caller, &method).unwrap();
        answer(&mut world, CALLEE, 481, &[]);
        assert_eq!(response(&mut world, CALLER).1, 481);
        if ends {
            let Event::Ended { why: Why::DialogLost, .. } = world.event(CALLER) else { panic!("{method}") };
            assert!(matches!(world.event(CALLEE), Event::Bye { id, .. } if id == callee));
        } else {
            world.hang_up(CALLER, caller);
        }
        world.assert_drained();
    }
}

#[test]
fn rfc3261_12_2_1_2_a_request_within_a_dialog_that_nobody_answers_ends_it() {
    let mut world = World::new(Transport::Udp);
    let (caller, _) = world.call();
    world.fate = Box::new(|_, line| if line.starts_with("INFO") { vec![] } else { vec![DELAY] });
    within(&mut world, CALLER, caller, &Method::Info).unwrap();
    assert_eq!(response(&mut world, CALLER).1, 408);
    assert!(matches!(world.event(CALLER), Event::Ended { status: Some(408), why: Why::DialogLost, .. }));
    assert!(matches!(world.event(CALLEE), Event::Bye { .. }));
    world.assert_drained();
}

#[test]
fn a_session_that_ends_first_leaves_its_requests_their_response() {
    let mut world = World::new(Transport::Udp);
    let (caller, _) = world.call();
    let info = within(&mut world, CALLER, caller, &Method::Info).unwrap();
    let Event::Request { request, .. } = world.event(CALLEE) else { panic!() };
    world.hang_up(CALLER, caller);
    world.act(CALLEE, |endpoint, now, out| endpoint.respond(now, request, 481, &[], None, out));
    world.run(Duration::from_secs(1));
    assert_eq!(response(&mut world, CALLER), (info, 481));
    world.assert_drained();
}
