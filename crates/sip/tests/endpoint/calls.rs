//! The ordinary course of a call.

use crate::world::{CALLEE, CALLER, World, contact, header, offer};
use clock::Duration;
use sip::{Event, Name, Transport, Why};

#[test]
fn rfc3261_4_invite_ringing_answer_ack_bye() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut world = World::new(transport);
        let caller = world.invite(CALLER);
        let Event::Invite { id: callee, message, flow, user: None } = world.event(CALLEE) else { panic!() };
        assert_eq!(flow, world.flow(CALLEE));
        assert_eq!(message.from().unwrap().display(), "A \"quoted\" name");
        assert_eq!(message.header_text("x-ringdown"), Some("1"));
        world.act(CALLEE, |endpoint, now, out| {
            endpoint.progress(now, callee, 180, &contact(CALLEE), None, out);
        });
        let Event::Progress { message: ringing, .. } = world.event(CALLER) else { panic!() };
        assert_eq!(ringing.status(), Some(180));
        world.act(CALLEE, |endpoint, now, out| {
            endpoint.accept(now, callee, &contact(CALLEE), offer(), out);
        });
        let Event::Answered { id, message: answer } = world.event(CALLER) else { panic!() };
        assert_eq!(id, caller);
        assert_eq!(header(&answer, Name::To), header(&ringing, Name::To), "one To tag for all responses");
        assert!(answer.has_body_of("application/sdp"));
        let Event::Acked { id, .. } = world.event(CALLEE) else { panic!() };
        assert_eq!(id, callee);
        world.run(Duration::from_secs(60));
        world.hang_up(CALLER, caller);
        assert_eq!(
            world.sent_by(CALLER),
            ["0.00 INVITE", "0.03 ACK", "60.04 BYE"],
            "nothing is retransmitted on a good network"
        );
        assert_eq!(
            world.sent_by(CALLEE),
            ["0.01 100 Trying", "0.01 180 Ringing", "0.02 200 OK", "60.05 200 OK"]
        );
        world.assert_drained();
    }
}

#[test]
fn rfc3261_15_the_called_party_may_hang_up_too() {
    let mut world = World::new(Transport::Udp);
    let (_, callee) = world.call();
    world.hang_up(CALLEE, callee);
    world.assert_drained();
}

#[test]
fn rfc3261_15_1_2_both_hang_up_at_once() {
    let mut world = World::new(Transport::Udp);
    let (caller, callee) = world.call();
    world.act(CALLER, |endpoint, now, out| endpoint.bye(now, caller, None, out));
    world.act(CALLEE, |endpoint, now, out| endpoint.bye(now, callee, None, out));
    assert!(matches!(world.event(CALLEE), Event::Bye { id, .. } if id == callee));
    assert!(matches!(world.event(CALLER), Event::Bye { id, .. } if id == caller));
    world.assert_drained();
}

#[test]
fn rfc3261_13_3_1_3_a_refused_call_fails_with_its_status() {
    let mut world = World::new(Transport::Udp);
    let caller = world.invite(CALLER);
    let Event::Invite { id: callee, .. } = world.event(CALLEE) else { panic!() };
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.reject(now, callee, 486, &[("Reason", "Q.850;cause=17")], out);
    });
    let Event::Failed { id, status: 486, message: Some(message) } = world.event(CALLER) else { panic!() };
    assert_eq!(id, caller);
    assert_eq!(header(&message, Name::Reason), "Q.850;cause=17");
    let Event::Ended { id, status: Some(486), why: Why::Rejected } = world.event(CALLEE) else { panic!() };
    assert_eq!(id, callee);
    world.assert_drained();
}
