//! Lost messages: the timers of RFC 3261 section 17 and the 2xx of section 13, to the hundredth of a second.

use crate::world::{CALLEE, CALLER, DELAY, World, contact, offer};
use clock::{Duration, Time};
use sip::{Event, Transport, Why};

/// Loses what a side sends whose first line contains `what`, the first `times` times.
fn lose(world: &mut World, side: usize, what: &'static str, times: usize) {
    let mut left = times;
    world.fate = Box::new(move |from, line| {
        if from == side && line.contains(what) && left > 0 {
            left -= 1;
            return vec![];
        }
        vec![DELAY]
    });
}

fn accept(world: &mut World) -> sip::InviteId {
    let Event::Invite { id, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| endpoint.accept(now, id, &contact(CALLEE), offer(), out));
    id
}

#[test]
fn rfc3261_17_1_1_2_an_unanswered_invite_is_sent_seven_times_and_fails_by_timer_b() {
    let mut world = World::new(Transport::Udp);
    lose(&mut world, CALLER, "INVITE", usize::MAX);
    world.invite(CALLER);
    let Event::Failed { status: 408, message: None, .. } = world.event(CALLER) else { panic!() };
    assert_eq!(world.now, Time::from_secs(32));
    let sent = world.sent_by(CALLER);
    let times: Vec<&str> = sent.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(times, ["0.00", "0.50", "1.50", "3.50", "7.50", "15.50", "31.50"]);
    assert!(sent[1..].iter().all(|line| line.ends_with("INVITE*")));
    world.assert_drained();
}

#[test]
fn rfc3261_17_1_1_2_on_a_stream_nothing_is_retransmitted() {
    let mut world = World::new(Transport::Tcp);
    lose(&mut world, CALLER, "INVITE", usize::MAX);
    world.invite(CALLER);
    assert!(matches!(world.event(CALLER), Event::Failed { status: 408, .. }));
    assert_eq!(world.sent_by(CALLER), ["0.00 INVITE"]);
    world.assert_drained();
}

#[test]
fn rfc3261_17_2_1_a_retransmitted_invite_gets_the_last_provisional_again() {
    let mut world = World::new(Transport::Udp);
    lose(&mut world, CALLEE, "100", 1);
    world.invite(CALLER);
    assert!(matches!(world.event(CALLEE), Event::Invite { .. }));
    world.run(Duration::from_secs(1));
    assert_eq!(world.sent_by(CALLER), ["0.00 INVITE", "0.50 INVITE*"]);
    assert_eq!(world.sent_by(CALLEE), ["0.01 100 Trying", "0.51 100 Trying*"]);
    assert_eq!(world.sides[CALLEE].counters().retransmissions, 1);
}

#[test]
fn rfc3261_13_3_1_4_a_2xx_is_repeated_until_its_ack() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut world = World::new(transport);
        lose(&mut world, CALLER, "ACK", 3);
        let caller = world.invite(CALLER);
        accept(&mut world);
        assert!(matches!(world.event(CALLER), Event::Answered { .. }));
        assert!(matches!(world.event(CALLEE), Event::Acked { .. }));
        let answers: Vec<_> = world.sent_by(CALLEE).into_iter().filter(|line| line.contains("200")).collect();
        assert_eq!(answers, ["0.01 200 OK", "0.51 200 OK*", "1.51 200 OK*", "3.51 200 OK*"]);
        let acks: Vec<_> = world.sent_by(CALLER).into_iter().filter(|line| line.contains("ACK")).collect();
        assert_eq!(acks, ["0.02 ACK", "0.52 ACK*", "1.52 ACK*", "3.52 ACK*"]);
        world.hang_up(CALLER, caller);
        world.assert_drained();
    }
}

#[test]
fn rfc3261_13_3_1_4_without_any_ack_the_call_ends_by_bye() {
    let mut world = World::new(Transport::Udp);
    lose(&mut world, CALLER, "ACK", usize::MAX);
    world.invite(CALLER);
    let callee = accept(&mut world);
    assert!(matches!(world.event(CALLER), Event::Answered { .. }));
    let Event::Ended { id, status: None, why: Why::NoAck } = world.event(CALLEE) else { panic!() };
    assert_eq!(id, callee);
    assert_eq!(world.now, Time::from_micros(32_010_000));
    let answers = world.sent_by(CALLEE).into_iter().filter(|line| line.contains("200")).count();
    assert_eq!(answers, 11, "0.5, 1, 2 s apart, then every 4 s for 32 s");
    assert!(matches!(world.event(CALLER), Event::Bye { .. }));
    world.assert_drained();
}

#[test]
fn rfc3261_15_the_called_party_hangs_up_only_after_the_ack() {
    let mut world = World::new(Transport::Udp);
    lose(&mut world, CALLER, "ACK", 1);
    world.invite(CALLER);
    let callee = accept(&mut world);
    world.act(CALLEE, |endpoint, now, out| endpoint.bye(now, callee, Some("Q.850;cause=16"), out));
    assert!(matches!(world.event(CALLER), Event::Answered { .. }));
    let Event::Bye { message, .. } = world.event(CALLER) else { panic!() };
    assert_eq!(message.header(sip::Name::Reason), Some("Q.850;cause=16"));
    assert!(matches!(world.event(CALLEE), Event::Ended { why: Why::ByeAnswered, .. }));
    let sent = world.sent_by(CALLEE);
    assert_eq!(sent.last().unwrap(), "0.53 BYE", "after the ACK to the repeated 200");
    world.assert_drained();
}

#[test]
fn rfc3261_17_2_1_a_refusal_is_repeated_until_its_ack() {
    let mut world = World::new(Transport::Udp);
    lose(&mut world, CALLER, "ACK", 2);
    world.invite(CALLER);
    let Event::Invite { id, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| endpoint.reject(now, id, 603, &[], out));
    assert!(matches!(world.event(CALLER), Event::Failed { status: 603, .. }));
    assert!(matches!(world.event(CALLEE), Event::Ended { why: Why::Rejected, .. }));
    let refusals: Vec<_> = world.sent_by(CALLEE).into_iter().filter(|line| line.contains("603")).collect();
    assert_eq!(refusals, ["0.01 603 Decline", "0.51 603 Decline*", "1.51 603 Decline*"]);
    assert_eq!(world.sent_by(CALLER).into_iter().filter(|line| line.contains("ACK")).count(), 3);
    world.assert_drained();
}

#[test]
fn rfc3261_17_2_1_a_refusal_without_ack_ends_by_timer_h() {
    let mut world = World::new(Transport::Udp);
    lose(&mut world, CALLER, "ACK", usize::MAX);
    world.invite(CALLER);
    let Event::Invite { id, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| endpoint.reject(now, id, 486, &[], out));
    assert!(matches!(world.event(CALLER), Event::Failed { .. }));
    assert!(matches!(world.event(CALLEE), Event::Ended { status: Some(486), why: Why::Rejected, .. }));
    assert_eq!(world.now, Time::from_micros(32_010_000));
    world.assert_drained();
}

#[test]
fn rfc3261_17_1_2_2_a_bye_is_repeated_up_to_t2_and_given_up_by_timer_f() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = world.call();
    lose(&mut world, CALLER, "BYE", usize::MAX);
    world.act(CALLER, |endpoint, now, out| endpoint.bye(now, caller, None, out));
    let Event::Ended { status: None, why: Why::ByeFailed, .. } = world.event(CALLER) else { panic!() };
    let byes: Vec<_> = world.sent_by(CALLER).into_iter().filter(|line| line.contains("BYE")).collect();
    assert_eq!(byes.len(), 11);
    assert_eq!(byes[1..5], ["0.53 BYE*", "1.53 BYE*", "3.53 BYE*", "7.53 BYE*"]);
    assert_eq!(byes[10], "31.53 BYE*");
    world.fate = Box::new(|_, _| vec![DELAY]);
    world.act(CALLEE, |endpoint, now, out| endpoint.bye(now, callee, None, out));
    let Event::Ended { status: Some(481), why: Why::ByeAnswered, .. } = world.event(CALLEE) else { panic!() };
    world.assert_drained();
}

#[test]
fn rfc3261_17_2_2_a_retransmitted_bye_gets_its_200_again() {
    let mut world = World::new(Transport::Udp);
    let (caller, _) = world.call();
    lose(&mut world, CALLEE, "200", 1);
    world.act(CALLER, |endpoint, now, out| endpoint.bye(now, caller, None, out));
    assert!(matches!(world.event(CALLEE), Event::Bye { .. }));
    assert!(matches!(world.event(CALLER), Event::Ended { status: Some(200), .. }));
    assert_eq!(world.sent_by(CALLEE).last().unwrap(), "0.54 200 OK*");
    world.assert_drained();
}
