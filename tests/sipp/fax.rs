//! Fax by T.38 in calls that have begun as audio (ITU-T T.38 annex D), and G.711 where one party has none.

use acceptance::{Node, Setup, Sipp};
use std::time::Duration;

use crate::field;

/// The kinds of events of a contact that tell of fax, in their order.
fn told(node: &Node) -> [usize; 3] {
    ["fax_started", "fax_ended", "fax_refused"].map(|kind| node.events(1, kind).len())
}

#[test]
fn a_callee_asks_for_fax_and_both_have_it_and_audio_again() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer-fax-asks", 5080).start();
    let caller = Sipp::caller(&node, "call-fax-taken", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.calls(1);
    assert_eq!(told(&node), [2, 2, 0]);
    node.stop();
}

#[test]
fn a_caller_asks_for_fax_and_both_have_it_and_audio_again() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer-fax-taken", 5080).start();
    let caller = Sipp::caller(&node, "call-fax-asks", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.calls(1);
    assert_eq!(told(&node), [2, 2, 0]);
    node.stop();
}

#[test]
fn whoever_has_no_fax_goes_on_with_g711_whatever_it_refuses_with() {
    for status in [488, 415, 606] {
        let node = Node::start(&Setup::new());
        let callee = Sipp::callee(&node, "answer-fax-refused", 5080).status(488).start();
        let caller = Sipp::caller(&node, "call-fax-refuses", "uas").status(status).run();
        assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
        let cdr = &node.calls(1)[0];
        assert_eq!(field(cdr, "disposition"), "answered");
        assert_eq!(told(&node), [0, 0, 1]);
        assert_eq!(node.events(1, "fax_refused")[0]["status"], status);
        node.stop();
    }
}

/// It answers an offer of fax with audio, as if it had been asked for that.
#[test]
fn a_party_that_answers_fax_with_audio_has_refused_it() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let caller = Sipp::caller(&node, "call-fax-refused", "uas").status(488).run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.calls(1);
    assert_eq!(told(&node), [0, 0, 1]);
    node.stop();
}

#[test]
fn who_takes_up_again_with_fax_beside_the_audio_holds_no_longer() {
    let node = Node::start(&Setup::new());
    let callee = Sipp::callee(&node, "answer", 5080).start();
    let caller = Sipp::caller(&node, "call-fax-beside", "uas").run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.calls(1);
    assert_eq!(["held", "resumed", "fax_refused"].map(|kind| node.events(1, kind).len()), [1, 1, 1]);
    node.stop();
}

#[test]
fn a_flow_has_no_fax() {
    let node = Node::start(&Setup::new());
    let caller = Sipp::caller(&node, "call-fax-refused", "ivr").status(488).run();
    assert_eq!(caller.successful(), 1);
    node.calls(1);
    assert_eq!(told(&node), [0, 0, 0]);
    node.stop();
}

#[test]
fn a_trunk_that_is_to_have_none_is_not_asked() {
    let setup = Setup::new().replace("{from: [127.0.0.0/8]}", "{from: [127.0.0.0/8], media: {fax: g711}}");
    let node = Node::start(&setup);
    let callee = Sipp::callee(&node, "answer-fax-refused", 5080).status(488).start();
    let caller = Sipp::caller(&node, "call-until-bye", "uas").hold(Duration::from_millis(300)).run();
    assert_eq!((caller.successful(), callee.finish().successful()), (1, 1));
    node.stop();
}
