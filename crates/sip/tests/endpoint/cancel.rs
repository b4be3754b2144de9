//! CANCEL and all that it crosses: RFC 3261 sections 9.1, 9.2 and 13.2.2.4.

use crate::world::{CALLEE, CALLER, DELAY, World, contact, offer};
use clock::Duration;
use sip::{Event, InviteId, Transport};

const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

fn cancel(world: &mut World, id: InviteId) {
    world.act(CALLER, |endpoint, now, out| endpoint.cancel(now, id, Some(ELSEWHERE), out));
}

fn ringing_call(world: &mut World) -> (InviteId, InviteId) {
    let caller = world.invite(CALLER);
    let Event::Invite { id: callee, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.progress(now, callee, 180, &contact(CALLEE), None, out);
    });
    assert!(matches!(world.event(CALLER), Event::Progress { .. }));
    (caller, callee)
}

#[test]
fn rfc3261_9_1_a_ringing_call_is_cancelled_with_its_reason() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut world = World::new(transport);
        let (caller, callee) = ringing_call(&mut world);
        cancel(&mut world, caller);
        cancel(&mut world, caller);
        let Event::Cancelled { id, reason } = world.event(CALLEE) else { panic!() };
        assert_eq!((id, reason.as_deref()), (callee, Some(ELSEWHERE)));
        let Event::Failed { id, status: 487, .. } = world.event(CALLER) else { panic!() };
        assert_eq!(id, caller);
        assert_eq!(world.sent_by(CALLER), ["0.00 INVITE", "0.02 CANCEL", "0.04 ACK"]);
        world.assert_drained();
    }
}

#[test]
fn rfc3261_9_1_cancel_waits_for_the_first_provisional_response() {
    let mut world = World::new(Transport::Udp);
    let caller = world.invite(CALLER);
    cancel(&mut world, caller);
    assert_eq!(world.sent_by(CALLER), ["0.00 INVITE"]);
    assert!(matches!(world.event(CALLEE), Event::Invite { .. }));
    assert!(matches!(world.event(CALLEE), Event::Cancelled { .. }));
    assert!(matches!(world.event(CALLER), Event::Failed { status: 487, .. }));
    assert_eq!(world.sent_by(CALLER)[1], "0.02 CANCEL", "the 100 Trying has let it go");
    world.assert_drained();
}

#[test]
fn rfc3261_9_1_a_2xx_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = ringing_call(&mut world);
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.accept(now, callee, &contact(CALLEE), offer(), out);
    });
    cancel(&mut world, caller);
    assert!(matches!(world.event(CALLEE), Event::Acked { .. }));
    assert!(matches!(world.event(CALLEE), Event::Bye { id, .. } if id == callee));
    let Event::Failed { id, status: 487, message: None } = world.event(CALLER) else { panic!() };
    assert_eq!(id, caller);
    let sent = world.sent_by(CALLER);
    assert_eq!(sent, ["0.00 INVITE", "0.02 CANCEL", "0.03 ACK", "0.03 BYE"]);
    world.assert_drained();
}

#[test]
fn rfc3261_9_1_a_2xx_that_comes_before_any_provisional_ends_by_bye_without_cancel() {
    let mut world = World::new(Transport::Udp);
    world.fate = Box::new(|_, line| if line.contains("100") { vec![] } else { vec![DELAY] });
    let caller = world.invite(CALLER);
    cancel(&mut world, caller);
    let Event::Invite { id: callee, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.accept(now, callee, &contact(CALLEE), offer(), out);
    });
    assert!(matches!(world.event(CALLEE), Event::Acked { .. }));
    let Event::Bye { message, .. } = world.event(CALLEE) else { panic!() };
    assert_eq!(message.header(sip::Name::Reason), Some(ELSEWHERE));
    assert!(matches!(world.event(CALLER), Event::Failed { status: 487, .. }));
    assert!(world.sent_by(CALLER).iter().all(|line| !line.contains("CANCEL")));
    world.assert_drained();
}

#[test]
fn rfc3261_9_2_cancel_after_the_answer_changes_nothing() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = ringing_call(&mut world);
    cancel(&mut world, caller);
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.reject(now, callee, 486, &[], out);
    });
    let Event::Failed { status: 486, .. } = world.event(CALLER) else { panic!("the peer's own answer") };
    assert!(matches!(world.event(CALLEE), Event::Ended { status: Some(486), .. }));
    assert!(world.sent_by(CALLEE).contains(&"0.03 200 OK".to_owned()), "the CANCEL itself is answered");
    world.assert_drained();
}

#[test]
fn rfc3261_9_1_an_invite_that_stays_unanswered_after_its_cancel_is_given_up() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = ringing_call(&mut world);
    world.fate = Box::new(|_, _| vec![]);
    cancel(&mut world, caller);
    let Event::Failed { id, status: 487, message: None } = world.event(CALLER) else { panic!() };
    assert_eq!(id, caller);
    assert_eq!(world.now.micros(), 32_020_000, "64*T1 after the CANCEL");
    world.act(CALLEE, |endpoint, now, out| endpoint.reject(now, callee, 480, &[], out));
    assert!(matches!(world.event(CALLEE), Event::Ended { .. }));
    world.assert_drained();
}

#[test]
fn cancelling_an_answered_call_hangs_it_up() {
    let mut world = World::new(Transport::Udp);
    let (caller, _) = world.call();
    cancel(&mut world, caller);
    let Event::Bye { message, .. } = world.event(CALLEE) else { panic!() };
    assert_eq!(message.header(sip::Name::Reason), Some(ELSEWHERE));
    assert!(matches!(world.event(CALLER), Event::Ended { .. }));
    world.assert_drained();
}

#[test]
fn rfc3261_13_3_1_1_a_provisional_response_is_repeated_every_minute() {
    let mut world = World::new(Transport::Udp);
    let (caller, _) = ringing_call(&mut world);
    world.run(Duration::from_secs(125));
    let ringing = world.sent_by(CALLEE).into_iter().filter(|line| line.contains("180")).collect::<Vec<_>>();
    assert_eq!(ringing, ["0.01 180 Ringing", "60.01 180 Ringing*", "120.01 180 Ringing*"]);
    let repeats = std::mem::take(&mut world.events);
    assert_eq!(repeats.len(), 2);
    cancel(&mut world, caller);
    assert!(matches!(world.event(CALLEE), Event::Cancelled { .. }));
    assert!(matches!(world.event(CALLER), Event::Failed { .. }));
    world.assert_drained();
}
