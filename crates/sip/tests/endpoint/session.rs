//! Within a dialog: re-INVITE, glare, order of requests, requests passed up. RFC 3261 sections 12.2, 14, 15.

use crate::world::{CALLEE, CALLER, DELAY, World, contact, header, offer};
use clock::{Duration, Time};
use sip::{Body, Event, InviteId, Method, Name, Transport, Why};

fn reinvite(world: &mut World, side: usize, id: InviteId) -> bool {
    world.act(side, |endpoint, now, out| endpoint.reinvite(now, id, offer(), out))
}

#[test]
fn rfc3261_14_a_reinvite_is_offered_answered_and_acknowledged_both_ways() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = world.call();
    for (from, to, id) in [(CALLER, CALLEE, caller), (CALLEE, CALLER, callee)] {
        assert!(reinvite(&mut world, from, id));
        assert!(!reinvite(&mut world, from, id), "one at a time");
        let Event::Reinvite { request, message, .. } = world.event(to) else { panic!() };
        assert!(message.has_body_of("application/sdp"));
        world.act(to, |endpoint, now, out| endpoint.respond(now, request, 200, &[], offer(), out));
        let Event::ReinviteAnswered { message, .. } = world.event(from) else { panic!() };
        assert_eq!(header(&message, Name::Contact), contact(to));
        assert!(matches!(world.event(to), Event::Acked { .. }));
    }
    world.hang_up(CALLER, caller);
    world.assert_drained();
}

#[test]
fn rfc3261_14_1_a_refused_reinvite_leaves_the_session() {
    let mut world = World::new(Transport::Udp);
    let (caller, _) = world.call();
    assert!(reinvite(&mut world, CALLER, caller));
    let Event::Reinvite { request, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| endpoint.respond(now, request, 488, &[], None, out));
    assert!(matches!(world.event(CALLER), Event::ReinviteFailed { status: 488, .. }));
    world.hang_up(CALLER, caller);
    world.assert_drained();
}

/// Seed 5667 of the simulator.
#[test]
fn rfc3261_13_2_2_4_a_copy_of_the_2xx_to_a_reinvite_is_acknowledged_after_our_bye_too() {
    let mut world = World::new(Transport::Udp);
    let (caller, _) = world.call();
    assert!(reinvite(&mut world, CALLER, caller));
    let Event::Reinvite { request, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| endpoint.respond(now, request, 200, &[], offer(), out));
    let answer = world.raw.last().cloned().expect("the 200");
    let Event::ReinviteAnswered { .. } = world.event(CALLER) else { panic!() };
    world.act(CALLER, |endpoint, now, out| endpoint.bye(now, caller, None, out));
    world.inject(CALLER, answer);
    let acks = world.sent_by(CALLER).into_iter().filter(|line| line.ends_with("ACK*")).count();
    assert_eq!(acks, 1, "{:?}", world.sent_by(CALLER));
}

#[test]
fn rfc3261_14_1_glare_is_refused_with_491_and_tried_again_in_turn() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = world.call();
    let start = world.now;
    assert!(reinvite(&mut world, CALLER, caller));
    assert!(reinvite(&mut world, CALLEE, callee));
    let mut answered = 0;
    while answered < 2 {
        assert!(world.step(start + Duration::from_secs(10)));
        for (side, event) in std::mem::take(&mut world.events) {
            match event {
                Event::Reinvite { request, .. } => {
                    let after = (world.now - start).as_millis();
                    // The called party does not own the Call-ID: it tries first, within 2 s.
                    assert_eq!(side == CALLER, after <= 2_100, "{after} ms");
                    world.act(side, |endpoint, now, out| {
                        endpoint.respond(now, request, 200, &[], offer(), out);
                    });
                }
                Event::ReinviteAnswered { .. } => answered += 1,
                Event::Acked { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    let refusals = world.sent.iter().filter(|(_, message)| message.status() == Some(491)).count();
    assert_eq!(refusals, 2);
    world.run(Duration::from_secs(1));
    world.events.clear();
    world.hang_up(CALLER, caller);
    world.assert_drained();
}

#[test]
fn rfc3261_14_2_a_second_reinvite_before_the_first_is_answered_gets_500_with_retry_after() {
    let mut world = World::new(Transport::Udp);
    let (caller, _) = world.call();
    assert!(reinvite(&mut world, CALLER, caller));
    let Event::Reinvite { request, message, .. } = world.event(CALLEE) else { panic!() };
    let (cseq, _) = message.cseq().unwrap();
    let second = raw(&message, "z9hG4bKsecond", cseq + 1);
    world.inject(CALLEE, second);
    let refusal = world.last_sent(CALLEE);
    assert_eq!(refusal.status(), Some(500));
    assert!(header(refusal, Name::RetryAfter).parse::<u32>().unwrap() < 10);
    world.act(CALLEE, |endpoint, now, out| endpoint.respond(now, request, 200, &[], offer(), out));
    assert!(matches!(world.event(CALLER), Event::ReinviteAnswered { .. }));
}

#[test]
fn rfc3261_12_2_1_2_a_dialog_that_the_peer_has_lost_ends() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = world.call();
    world.fate = Box::new(|side, _| if side == CALLEE { vec![] } else { vec![DELAY] });
    world.act(CALLEE, |endpoint, now, out| endpoint.bye(now, callee, None, out));
    world.run(Duration::from_secs(40));
    assert!(matches!(world.event(CALLEE), Event::Ended { why: Why::ByeFailed, .. }));
    world.fate = Box::new(|_, _| vec![DELAY]);
    assert!(reinvite(&mut world, CALLER, caller));
    let Event::Ended { status: Some(481), why: Why::DialogLost, .. } = world.event(CALLER) else { panic!() };
    assert_eq!(*world.last_sent(CALLER).method(), Method::Bye);
    world.assert_drained();
}

#[test]
fn rfc3261_12_2_1_2_a_reinvite_that_nobody_answers_ends_the_dialog() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = world.call();
    world.fate = Box::new(|_, line| if line.starts_with("INVITE") { vec![] } else { vec![DELAY] });
    assert!(reinvite(&mut world, CALLER, caller));
    let Event::Ended { status: Some(408), why: Why::DialogLost, .. } = world.event(CALLER) else { panic!() };
    assert!(matches!(world.event(CALLEE), Event::Bye { id, .. } if id == callee));
    world.assert_drained();
}

#[test]
fn rfc3261_15_1_2_a_bye_answers_the_pending_reinvite_with_487() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = world.call();
    assert!(reinvite(&mut world, CALLER, caller));
    assert!(matches!(world.event(CALLEE), Event::Reinvite { .. }));
    world.act(CALLER, |endpoint, now, out| endpoint.bye(now, caller, None, out));
    assert!(matches!(world.event(CALLEE), Event::Bye { id, .. } if id == callee));
    assert!(matches!(world.event(CALLER), Event::Ended { id, .. } if id == caller));
    assert!(world.sent_by(CALLEE).iter().any(|line| line.contains("487")));
    world.assert_drained();
}

#[test]
fn rfc3261_15_hanging_up_with_the_peers_reinvite_pending_refuses_it() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = world.call();
    assert!(reinvite(&mut world, CALLER, caller));
    let Event::Reinvite { request, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| endpoint.bye(now, callee, None, out));
    world.act(CALLEE, |endpoint, now, out| endpoint.respond(now, request, 200, &[], offer(), out));
    assert!(matches!(world.event(CALLER), Event::ReinviteFailed { status: 487, .. }));
    assert!(matches!(world.event(CALLER), Event::Bye { .. }));
    assert!(matches!(world.event(CALLEE), Event::Ended { why: Why::ByeAnswered, .. }));
    world.assert_drained();
}

#[test]
fn rfc3261_13_2_2_4_an_offer_in_the_2xx_is_answered_in_the_ack() {
    let mut world = World::new(Transport::Udp);
    let mut invite = world.new_invite(CALLER);
    invite.body = None;
    let caller = world.act(CALLER, |endpoint, now, out| endpoint.invite(now, invite, out));
    let Event::Invite { id: callee, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| endpoint.accept(now, callee, &contact(CALLEE), offer(), out));
    assert!(matches!(world.event(CALLER), Event::Answered { .. }));
    world.run(Duration::from_secs(1));
    assert!(world.sent_by(CALLER).iter().all(|line| !line.contains("ACK")), "the answer is the user's");
    let answer = Body::sdp("v=0\r\ns=answer\r\n");
    world.act(CALLER, |endpoint, _, out| endpoint.acknowledge(caller, Some(answer.clone()), out));
    let Event::Acked { message, .. } = world.event(CALLEE) else { panic!() };
    assert_eq!(*message.body(), answer.bytes);
    let repeats = world.sides[CALLER].counters().retransmissions;
    assert_eq!(repeats, 1, "the 200 that came again was not taken for a fork");
    world.hang_up(CALLER, caller);
    world.assert_drained();
}

#[test]
fn rfc3261_12_2_2_requests_out_of_order_get_500_and_strangers_481() {
    let mut world = World::new(Transport::Udp);
    let (_, callee) = world.call();
    let ack = world.sent.iter().find(|(_, message)| *message.method() == Method::Ack).unwrap().1.clone();
    let info = |cseq, call_id: &str, branch| {
        let text = format!(
            "INFO sip:callee@127.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch={branch}\r\n\
             Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} INFO\r\n\
             Content-Length: 0\r\n\r\n",
            header(&ack, Name::From),
            header(&ack, Name::To)
        );
        text
    };
    let call_id = ack.call_id().to_owned();
    world.inject(CALLEE, info(1, &call_id, "z9hG4bKold"));
    assert_eq!(world.last_sent(CALLEE).status(), Some(500));
    world.inject(CALLEE, info(9, "another", "z9hG4bKother"));
    assert_eq!(world.last_sent(CALLEE).status(), Some(481));
    world.inject(CALLEE, info(9, &call_id, "z9hG4bKnew"));
    let Event::Request { request, invite: Some(_), .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.respond(now, request, 408, &[], None, out);
        endpoint.respond(now, request, 200, &[], None, out);
        endpoint.respond(now, request, 500, &[], None, out);
    });
    assert_eq!(world.last_sent(CALLEE).status(), Some(200), "RFC 4320: no 408; and one final response only");
    world.hang_up(CALLEE, callee);
    world.assert_drained();
}

#[test]
fn rfc3261_12_2_2_a_copy_of_a_reinvite_that_crosses_our_bye_is_refused_alike() {
    let mut world = World::new(Transport::Udp);
    let (_, callee) = world.call();
    let ack = world.sent.iter().find(|(_, message)| *message.method() == Method::Ack).unwrap().1.clone();
    let reinvite = format!(
        "INVITE sip:callee@127.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKagain\r\n\
         Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 2 INVITE\r\n\
         Contact: <sip:127.0.0.1>\r\nContent-Length: 0\r\n\r\n",
        header(&ack, Name::From),
        header(&ack, Name::To),
        ack.call_id()
    );
    world.act(CALLEE, |endpoint, now, out| endpoint.bye(now, callee, None, out));
    for _ in 0..2 {
        world.inject(CALLEE, reinvite.clone());
        assert_eq!(world.last_sent(CALLEE).status(), Some(481));
    }
    assert!(matches!(world.event(CALLER), Event::Bye { .. }));
    assert!(matches!(world.event(CALLEE), Event::Ended { status: Some(200), .. }));
    world.assert_drained();
}

#[test]
fn rfc3261_15_the_caller_may_end_a_ringing_call_by_bye() {
    let mut world = World::new(Transport::Udp);
    world.invite(CALLER);
    let Event::Invite { message, .. } = world.event(CALLEE) else { panic!() };
    world.run(Duration::from_millis(20));
    let trying = world.last_sent(CALLEE).clone();
    assert_eq!(trying.status(), Some(100));
    assert!(trying.to().unwrap().tag().is_none(), "100 makes no dialog");
    let Event::Invite { id, .. } = ringing(&mut world) else { panic!() };
    let ringing = world.last_sent(CALLEE).clone();
    let bye = format!(
        "BYE sip:callee@127.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKbye\r\n\
         Max-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n",
        header(&message, Name::From),
        header(&ringing, Name::To),
        message.call_id()
    );
    world.inject(CALLEE, bye);
    assert!(matches!(world.event(CALLEE), Event::Bye { id: ended, .. } if ended == id));
    assert!(matches!(world.event(CALLER), Event::Failed { status: 487, .. }));
    world.assert_drained();
}

#[test]
fn a_session_outlives_the_stream_that_it_began_on() {
    let mut world = World::new(Transport::Tcp);
    let (caller, _) = world.call();
    let flow = world.flow(CALLER);
    world.act(CALLER, |endpoint, now, out| endpoint.flow_failed(now, flow, out));
    assert!(world.events.is_empty());
    world.hang_up(CALLER, caller);
    world.assert_drained();
}

#[test]
fn rfc3261_17_1_4_a_flow_that_fails_ends_what_waits_on_it_with_503() {
    let mut world = World::new(Transport::Udp);
    world.fate = Box::new(|_, _| vec![]);
    let caller = world.invite(CALLER);
    let (flow, other) = (world.flow(CALLER), world.flow(CALLEE));
    world.act(CALLER, |endpoint, now, out| endpoint.flow_failed(now, other, out));
    assert!(world.events.is_empty(), "another flow");
    world.act(CALLER, |endpoint, now, out| endpoint.flow_failed(now, flow, out));
    let Event::Failed { id, status: 503, message: None } = world.event(CALLER) else { panic!() };
    assert_eq!((id, world.now), (caller, Time::ZERO));
    world.assert_drained();
}

#[test]
fn a_returned_datagram_ends_neither_what_rings_nor_a_bye() {
    let mut world = World::new(Transport::Udp);
    let flow = world.flow(CALLER);
    let caller = world.invite(CALLER);
    let Event::Invite { id: callee, .. } = world.event(CALLEE) else { panic!() };
    ringing(&mut world);
    world.act(CALLER, |endpoint, now, out| endpoint.flow_failed(now, flow, out));
    assert!(world.events.is_empty(), "it rings on");
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.accept(now, callee, &contact(CALLEE), None, out);
    });
    assert!(matches!(world.event(CALLER), Event::Answered { .. }));
    assert!(matches!(world.event(CALLEE), Event::Acked { .. }));
    world.fate = Box::new(|_, line| if line.starts_with("BYE") { vec![] } else { vec![DELAY] });
    world.act(CALLER, |endpoint, now, out| endpoint.bye(now, caller, None, out));
    world.act(CALLER, |endpoint, now, out| endpoint.flow_failed(now, flow, out));
    assert!(world.events.is_empty(), "the BYE is repeated until Timer F");
    world.fate = Box::new(|_, _| vec![DELAY]);
    assert!(matches!(world.event(CALLEE), Event::Bye { .. }));
    assert!(matches!(world.event(CALLER), Event::Ended { status: Some(200), .. }));
    world.assert_drained();
}

#[test]
fn a_stream_that_closes_ends_what_rings_on_it() {
    let mut world = World::new(Transport::Tcp);
    let caller = world.invite(CALLER);
    let Event::Invite { id: callee, .. } = world.event(CALLEE) else { panic!() };
    ringing(&mut world);
    let flow = world.flow(CALLER);
    world.act(CALLER, |endpoint, now, out| endpoint.flow_failed(now, flow, out));
    assert!(matches!(world.event(CALLER), Event::Failed { id, status: 503, .. } if id == caller));
    world.act(CALLEE, |endpoint, now, out| endpoint.reject(now, callee, 480, &[], out));
    assert!(matches!(world.event(CALLEE), Event::Ended { .. }));
    world.assert_drained();
}

fn ringing(world: &mut World) -> Event {
    let id = InviteId(1);
    world.act(CALLEE, |endpoint, now, out| endpoint.progress(now, id, 180, &contact(CALLEE), None, out));
    let Event::Progress { message, .. } = world.event(CALLER) else { panic!() };
    Event::Invite { id, flow: world.flow(CALLEE), message, user: None }
}

/// A request again, under another branch and number.
fn raw(request: &sip::Message, branch: &str, cseq: u32) -> String {
    format!(
        "{} {} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch={branch}\r\nMax-Forwards: 70\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {}\r\nContact: <sip:127.0.0.1>\r\n\
         Content-Length: 0\r\n\r\n",
        request.method(),
        request.request_uri(),
        header(request, Name::From),
        header(request, Name::To),
        request.call_id(),
        request.method()
    )
}
