//! Session timers (RFC 4028) and UPDATE (RFC 3311).

use crate::world::{CALLEE, CALLER, DELAY, World, config, contact, header, offer};
use clock::Duration;
use sip::{
    Body, Endpoint, EndpointConfig, Event, InviteId, Message, Method, Name, SessionTimers, Transport, Why,
};

/// A world whose callee takes these methods and whose sides have these intervals.
fn world(allow: &'static str, caller: SessionTimers, callee: SessionTimers) -> World {
    world_by(Transport::Udp, allow, caller, callee)
}

fn world_by(
    transport: Transport,
    allow: &'static str,
    caller: SessionTimers,
    callee: SessionTimers,
) -> World {
    let mut world = World::new(transport);
    let side = |session_timers, seed| {
        Endpoint::new(EndpointConfig { allow, session_timers, ..config() }, [seed; 32])
    };
    world.sides = [side(caller, 1), side(callee, 2)];
    world
}

const WITH_UPDATE: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE";
const WITHOUT_UPDATE: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS";
const USUAL: SessionTimers = SessionTimers { expires: 1_800, min: 90 };

/// What a stranger's phone sends: an INVITE with these header lines.
fn invite(lines: &str) -> String {
    format!(
        "INVITE sip:callee@127.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKfirst\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=theirs\r\nTo: <sip:callee@b>\r\nCall-ID: stranger\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:127.0.0.1>\r\n{lines}Content-Length: 0\r\n\r\n"
    )
}

/// A stranger's request within the dialog that `answer` made.
fn within(answer: &Message, method: &str, cseq: u32, lines: &str, body: &str) -> String {
    format!(
        "{method} sip:callee@127.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK{cseq}{method}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=theirs\r\nTo: {}\r\nCall-ID: stranger\r\nCSeq: {cseq} {method}\r\n\
         Contact: <sip:127.0.0.1>\r\n{lines}Content-Length: {}\r\n\r\n{body}",
        header(answer, Name::To),
        body.len()
    )
}

/// A stranger calls and is answered; the 200 that it got. Nothing that is sent to it arrives anywhere.
fn stranger(lines: &str) -> (World, InviteId, Message) {
    stranger_by(Transport::Udp, lines)
}

fn stranger_by(transport: Transport, lines: &str) -> (World, InviteId, Message) {
    let mut world = world_by(transport, WITH_UPDATE, USUAL, USUAL);
    world.fate = Box::new(|_, _| vec![]);
    world.inject(CALLEE, invite(lines));
    let Event::Invite { id, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| endpoint.accept(now, id, &contact(CALLEE), offer(), out));
    let answer = world.last_sent(CALLEE).clone();
    world.inject(CALLEE, within(&answer, "ACK", 1, "", ""));
    assert!(matches!(world.event(CALLEE), Event::Acked { .. }));
    (world, id, answer)
}

fn expires(message: &Message) -> Option<&str> {
    message.header(Name::SessionExpires)
}

#[test]
fn rfc4028_7_1_an_invite_asks_for_a_timer_and_says_that_it_knows_them() {
    let mut world = world(WITH_UPDATE, USUAL, USUAL);
    world.invite(CALLER);
    let Event::Invite { message, .. } = world.event(CALLEE) else { panic!() };
    assert_eq!((expires(&message), message.header(Name::MinSe)), (Some("1800"), Some("90")));
    assert!(message.header_values(Name::Supported).any(|it| it == "timer"));
}

#[test]
fn rfc4028_9_the_answer_settles_the_interval_and_who_refreshes() {
    let cases = [
        ("Supported: timer\r\n", Some("1800;refresher=uac"), true),
        ("Supported: timer\r\nSession-Expires: 600\r\n", Some("600;refresher=uac"), true),
        ("Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n", Some("600;refresher=uas"), false),
        ("k: timer\r\nx: 7200;refresher=uac\r\n", Some("1800;refresher=uac"), true),
        ("Supported: timer\r\nSession-Expires: 7200\r\nMin-SE: 3600\r\n", Some("3600;refresher=uac"), true),
        // A proxy asks, and the caller knows nothing of timers.
        ("Session-Expires: 600\r\n", Some("600;refresher=uas"), false),
        ("Session-Expires: 40\r\n", Some("40;refresher=uas"), false),
        ("", None, false),
        ("Supported: timer\r\nSession-Expires: soon\r\n", Some("1800;refresher=uac"), true),
        ("Supported: timer\r\nSession-Expires: 99999999999999\r\n", Some("1800;refresher=uac"), true),
    ];
    for (lines, wanted, required) in cases {
        let (_, _, answer) = stranger(lines);
        assert_eq!(expires(&answer), wanted, "{lines}");
        assert_eq!(answer.header(Name::Require), required.then_some("timer"), "{lines}");
    }
}

#[test]
fn rfc4028_9_too_short_an_interval_gets_422_unless_its_sender_does_not_know_422() {
    let mut world = world(WITH_UPDATE, USUAL, USUAL);
    world.inject(CALLEE, invite("Supported: timer\r\nSession-Expires: 89\r\n"));
    let refusal = world.last_sent(CALLEE);
    assert_eq!((refusal.status(), header(refusal, Name::MinSe)), (Some(422), "90"));
    world.assert_drained();
}

#[test]
fn rfc4028_7_3_a_422_is_answered_by_the_interval_that_it_asks_for() {
    let short = SessionTimers { expires: 100, min: 90 };
    let mut world = world(WITH_UPDATE, short, SessionTimers { expires: 1_800, min: 300 });
    let (caller, _) = world.call();
    let invites: Vec<_> =
        world.sent.iter().filter(|(_, it)| *it.method() == Method::Invite && it.is_request()).collect();
    assert_eq!(invites.len(), 2);
    assert_eq!((expires(&invites[1].1), invites[1].1.header(Name::MinSe)), (Some("300"), Some("300")));
    assert_eq!(invites[1].1.cseq().unwrap().0, 2);
    world.hang_up(CALLER, caller);
    world.assert_drained();
}

#[test]
fn rfc4028_7_3_a_peer_that_is_never_content_is_asked_twice_and_no_more() {
    let mut world = World::new(Transport::Udp);
    let caller = world.invite(CALLER);
    for least in ["2000", "3000"] {
        let invite = world.last_sent(CALLER).clone();
        let refusal = sip::ResponseBuilder::response_to(&invite, world.flow(CALLER).peer, 422, "", Some("t"));
        world.inject(CALLER, refusal.header("Min-SE", least).finish());
    }
    assert!(
        world
            .events
            .iter()
            .any(|(_, it)| matches!(it, Event::Failed { id, status: 422, .. } if *id == caller))
    );
}

#[test]
fn rfc4028_7_4_the_refresher_sends_update_at_half_of_the_interval_and_the_session_lives_on() {
    let mut world = world(WITH_UPDATE, USUAL, USUAL);
    let (caller, _) = world.call();
    world.run(Duration::from_secs(7_300));
    assert!(world.events.is_empty(), "{:?}", world.events);
    let updates: Vec<_> = world.sent.iter().filter(|(_, it)| *it.method() == Method::Update).collect();
    assert_eq!(updates.iter().filter(|(_, it)| it.is_request()).count(), 8, "every 900 s");
    assert!(updates.iter().all(|(_, it)| expires(it).is_some() && it.header(Name::Contact).is_some()));
    assert!(updates.iter().all(|(side, it)| it.is_request() == (*side == CALLER)), "the caller refreshes");
    world.hang_up(CALLER, caller);
    world.assert_drained();
}

#[test]
fn rfc4028_7_4_a_peer_without_update_gets_a_reinvite_with_the_users_description() {
    let mut world = world(WITHOUT_UPDATE, USUAL, USUAL);
    let (caller, _) = world.call();
    for _ in 0..3 {
        world.run(Duration::from_secs(600));
        let Event::RefreshDue { id } = world.event(CALLER) else { panic!() };
        assert!(world.act(CALLER, |endpoint, now, out| endpoint.reinvite(now, id, offer(), out)));
        let Event::Reinvite { request, message, .. } = world.event(CALLEE) else { panic!() };
        assert_eq!(expires(&message), Some("1800;refresher=uac"));
        world.act(CALLEE, |endpoint, now, out| endpoint.respond(now, request, 200, &[], offer(), out));
        let Event::ReinviteAnswered { message, .. } = world.event(CALLER) else { panic!() };
        assert_eq!(expires(&message), Some("1800;refresher=uac"));
        assert!(matches!(world.event(CALLEE), Event::Acked { .. }));
    }
    world.hang_up(CALLER, caller);
    world.assert_drained();
}

#[test]
fn rfc4028_10_a_session_that_the_peer_does_not_refresh_ends_by_bye() {
    let (mut world, id, _) = stranger("Supported: timer\r\nSession-Expires: 300\r\n");
    let answered = world.now;
    let Event::Ended { id: ended, status: None, why: Why::SessionExpired } = world.event(CALLEE) else {
        panic!()
    };
    assert_eq!((ended, (world.now - answered).as_secs()), (id, 268), "32 s before the time");
    let bye = world.last_sent(CALLEE);
    assert_eq!(*bye.method(), Method::Bye);
    assert!(header(bye, Name::Reason).starts_with("SIP;cause=408"));
    world.assert_drained();
}

#[test]
fn rfc3311_5_2_an_update_without_a_description_refreshes_and_moves_the_target() {
    let (mut world, id, answer) = stranger("Supported: timer\r\nSession-Expires: 300\r\n");
    world.run(Duration::from_secs(200));
    world.inject(
        CALLEE,
        within(&answer, "UPDATE", 2, "Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n", ""),
    );
    let update = world.last_sent(CALLEE);
    assert_eq!((update.status(), expires(update)), (Some(200), Some("300;refresher=uac")));
    assert_eq!(header(update, Name::Contact), contact(CALLEE));
    world.run(Duration::from_secs(260));
    assert!(world.events.is_empty(), "it began anew");
    world.inject(CALLEE, within(&answer, "UPDATE", 3, "Supported: timer\r\nSession-Expires: 30\r\n", ""));
    assert_eq!(world.last_sent(CALLEE).status(), Some(422));
    assert!(
        matches!(world.event(CALLEE), Event::Ended { id: ended, why: Why::SessionExpired, .. } if ended == id)
    );
}

#[test]
fn rfc3311_5_2_an_update_with_an_offer_is_the_users_unless_another_is_under_way() {
    let (mut world, id, answer) = stranger("");
    let sdp = "Content-Type: application/sdp\r\n";
    world.inject(CALLEE, within(&answer, "UPDATE", 2, sdp, "v=0\r\n"));
    let Event::Request { request, invite, message, .. } = world.event(CALLEE) else { panic!() };
    assert_eq!((invite, message.has_body_of("application/sdp")), (Some(id), true));
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.respond(now, request, 200, &[], Some(Body::sdp("v=0\r\n")), out)
    });
    assert!(world.last_sent(CALLEE).has_body_of("application/sdp"));
    assert!(world.act(CALLEE, |endpoint, now, out| endpoint.reinvite(now, id, offer(), out)));
    world.inject(CALLEE, within(&answer, "UPDATE", 3, sdp, "v=0\r\n"));
    assert_eq!(world.last_sent(CALLEE).status(), Some(491));
    let mut world = stranger("").0;
    world.inject(CALLEE, within(&answer, "INVITE", 2, sdp, "v=0\r\n"));
    assert!(matches!(world.event(CALLEE), Event::Reinvite { .. }));
    world.inject(CALLEE, within(&answer, "UPDATE", 3, sdp, "v=0\r\n"));
    let refusal = world.last_sent(CALLEE);
    assert_eq!(refusal.status(), Some(500));
    assert!(refusal.header(Name::RetryAfter).is_some());
}

#[test]
fn a_peer_without_session_timers_is_asked_by_options_whether_it_lives() {
    for answers in [true, false] {
        let (mut world, id, answer) = stranger("");
        assert_eq!(expires(&answer), None);
        world.run(Duration::from_secs(901));
        let probe = world.last_sent(CALLEE).clone();
        assert_eq!((probe.method(), probe.call_id()), (&Method::Options, "stranger"));
        if answers {
            // Whatever it says of OPTIONS, it knows the dialog.
            let no =
                sip::ResponseBuilder::response_to(&probe, world.flow(CALLEE).peer, 405, "", None).finish();
            world.inject(CALLEE, no);
            world.run(Duration::from_secs(800));
            assert!(world.events.is_empty());
        } else {
            let Event::Ended { id: ended, why: Why::DialogLost, .. } = world.event(CALLEE) else { panic!() };
            assert_eq!(ended, id);
            assert!((world.now.micros() / 1_000_000) < 940);
            world.assert_drained();
        }
    }
}

/// A peer over TCP that cannot be reached so often when it is asked whether it lives; how often it was asked.
fn unreachable(world: &mut World, times: u32) -> u32 {
    world.run(Duration::from_secs(901));
    let mut asked = 0;
    while world.events.is_empty() && asked < times {
        assert_eq!(*world.last_sent(CALLEE).method(), Method::Options);
        let flow = world.flow(CALLEE);
        world.act(CALLEE, |endpoint, now, out| endpoint.flow_failed(now, flow, out));
        asked += 1;
        let before = world.sent_by(CALLEE).len();
        while world.events.is_empty() && world.sent_by(CALLEE).len() == before {
            world.run(Duration::from_secs(1));
        }
    }
    asked
}

#[test]
fn a_peer_without_session_timers_that_cannot_be_reached_any_more_is_given_up() {
    let (mut world, id, _) = stranger_by(Transport::Tcp, "");
    assert!((3..20).contains(&unreachable(&mut world, 100)));
    let ended = world.event(CALLEE);
    assert!(matches!(ended, Event::Ended { id: it, why: Why::SessionExpired, .. } if it == id), "{ended:?}");
    assert!(world.now.micros() < 1_800_000_000);
    // A connection that was cut says nothing of the peer behind it.
    let (mut world, ..) = stranger_by(Transport::Tcp, "");
    assert_eq!(unreachable(&mut world, 2), 2);
    let probe = world.last_sent(CALLEE).clone();
    let ok = sip::ResponseBuilder::response_to(&probe, world.flow(CALLEE).peer, 200, "", None).finish();
    world.inject(CALLEE, ok);
    world.run(Duration::from_secs(870));
    assert!(world.events.is_empty(), "it lives");
}

#[test]
fn rfc4028_7_4_a_refresh_that_is_refused_for_now_is_tried_again_and_a_lost_dialog_ends() {
    let mut world = world(WITH_UPDATE, USUAL, USUAL);
    let (caller, _) = world.call();
    world.fate = Box::new(|side, _| if side == CALLER { vec![] } else { vec![DELAY] });
    world.run(Duration::from_secs(901));
    for status in [491, 500, 481] {
        let update = world.last_sent(CALLER).clone();
        assert_eq!(*update.method(), Method::Update);
        let answer =
            sip::ResponseBuilder::response_to(&update, world.flow(CALLER).peer, status, "", None).finish();
        world.inject(CALLER, answer);
        if status != 481 {
            assert!(world.events.is_empty());
            world.run(Duration::from_secs(6));
        }
    }
    assert!(matches!(world.event(CALLER), Event::Ended { id, why: Why::DialogLost, .. } if id == caller));
}

#[test]
fn rfc4028_7_4_an_invite_under_way_that_is_refused_has_refreshed_nothing() {
    for allow in [WITH_UPDATE, WITHOUT_UPDATE] {
        let mut world = world(allow, USUAL, USUAL);
        let (_, callee) = world.call();
        world.run(Duration::from_secs(895));
        assert!(world.act(CALLEE, |endpoint, now, out| endpoint.reinvite(now, callee, offer(), out)));
        let Event::Reinvite { request, .. } = world.event(CALLER) else { panic!() };
        world.run(Duration::from_secs(10));
        world.act(CALLER, |endpoint, now, out| endpoint.respond(now, request, 488, &[], None, out));
        assert!(matches!(world.event(CALLEE), Event::ReinviteFailed { status: 488, .. }));
        if allow == WITH_UPDATE {
            world.run(Duration::from_secs(1_000));
            assert!(world.events.is_empty(), "{:?}", world.events);
        } else {
            assert!(matches!(world.event(CALLER), Event::RefreshDue { .. }));
            // The user could not: it is reminded.
            assert!(matches!(world.event(CALLER), Event::RefreshDue { .. }));
        }
    }
}

#[test]
fn rfc4028_7_4_a_peer_that_says_405_to_update_is_refreshed_by_reinvite_from_then_on() {
    let mut world = world(WITH_UPDATE, USUAL, USUAL);
    let (caller, _) = world.call();
    world.fate = Box::new(|side, _| if side == CALLER { vec![] } else { vec![DELAY] });
    world.run(Duration::from_secs(901));
    let update = world.last_sent(CALLER).clone();
    let answer = sip::ResponseBuilder::response_to(&update, world.flow(CALLER).peer, 405, "", None).finish();
    world.inject(CALLER, answer);
    assert!(matches!(world.event(CALLER), Event::RefreshDue { id } if id == caller));
}
