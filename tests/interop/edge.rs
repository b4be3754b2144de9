//! Kamailio as an edge proxy: phones reach the node through it, by Path (RFC 3327) and Record-Route with loose routing.

use acceptance::{
    Baresip, Habit, Kamailio, Node, Recorded, Sipp, agents_speech, assert_same, callers_speech, until,
};
use std::time::Duration;

use crate::{field, only_call, setup};

/// A node, and its edge proxy that reaches it by `way`.
fn with_edge(way: &str) -> (Node, Kamailio) {
    let trusted = "defence: {trusted: [127.0.0.5/32]}\nclients:";
    let node = Node::start(&setup().replace("clients:", trusted).tls());
    let edge = Kamailio::start(&node, "edge", 5, &[("@PLACE@", &node.place(way))]);
    (node, edge)
}

fn phone(node: &Node, edge: &Kamailio, user: u16, port: u16) -> Baresip {
    let microphone = if user == 1000 { callers_speech() } else { agents_speech() };
    Baresip::register_as(node, Habit::behind(edge.address()), user, port, "PCMU", &microphone)
}

/// Who sends a request to the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Node,
    Phones,
}

/// The edge has seen `count` requests of a method, and all of them came along the route set.
fn assert_routed(edge: &Kamailio, node: &Node, from: From, method: &str, count: usize) {
    let nodes = format!(" from {} by ", node.sip().ip());
    let seen = || -> Vec<String> {
        let of_method = edge.saw().into_iter().filter(|line| line.starts_with(&format!("{method} ")));
        of_method.filter(|line| line.contains(&nodes) == (from == From::Node)).collect()
    };
    let what = format!("{count} {method} of {from:?} at the edge");
    until(Duration::from_secs(10), &what, || seen().len() >= count);
    let routed = format!("route <sip:{}", edge.address().ip());
    let seen = seen();
    assert!(seen.len() == count && seen.iter().all(|line| line.contains(&routed)), "{what}: {seen:#?}");
}

/// The node has sent all its requests to the edge by one transport.
fn assert_all_by(way: &str, edge: &Kamailio, node: &Node) {
    let nodes = format!(" from {} by ", node.sip().ip());
    let from_node: Vec<_> = edge.saw().into_iter().filter(|line| line.contains(&nodes)).collect();
    let by_way = format!("{nodes}{way} ");
    assert!(!from_node.is_empty() && from_node.iter().all(|line| line.contains(&by_way)), "{from_node:#?}");
}

fn is_called(way: &str) {
    let (node, edge) = with_edge(way);
    let mut agent = phone(&node, &edge, 1001, 0);
    let caller = Sipp::caller(&node, "call", "agent").hold(Duration::from_secs(1)).run();
    assert_eq!(caller.successful(), 1);
    agent.event("CALL_CLOSED");
    for method in ["INVITE", "ACK", "BYE"] {
        assert_routed(&edge, &node, From::Node, method, 1);
    }
    assert_all_by(way, &edge, &node);
    let cdr = only_call(node);
    assert_eq!([field(&cdr, "disposition"), field(&cdr["cause"], "by")], ["answered", "caller"]);
}

#[test]
fn rfc3327_a_phone_is_called_along_the_path_of_its_registration_over_udp() {
    is_called("udp");
}

#[test]
fn rfc3327_a_phone_is_called_along_the_path_of_its_registration_over_tcp() {
    is_called("tcp");
}

#[test]
fn rfc3327_a_phone_is_called_along_the_path_of_its_registration_over_tls() {
    is_called("tls");
}

/// Two phones behind the edge talk; the agent holds, takes the call up again, and hangs up.
fn talk(way: &str) {
    let (node, edge) = with_edge(way);
    let mut agent = phone(&node, &edge, 1001, 0);
    let mut caller = phone(&node, &edge, 1000, 20);
    caller.dial(&format!("sip:agent@{}", node.sip()));
    caller.listen(2.0);
    agent.command("hold", "");
    until(Duration::from_secs(5), "hold in the history", || !node.events(1, "held").is_empty());
    agent.command("resume", "");
    until(Duration::from_secs(5), "resume in the history", || !node.events(1, "resumed").is_empty());
    agent.hears(3.5);
    agent.command("hangup", "");
    caller.event("CALL_CLOSED");
    let heard = caller.recorded(Recorded::Heard).last(2.5).compare(&agents_speech());
    assert_same("the caller heard the agent", &heard, 2);
    // To the agent: one INVITE. From the phones: the call without and with credentials, the hold and the resumption.
    assert_routed(&edge, &node, From::Node, "INVITE", 1);
    assert_routed(&edge, &node, From::Phones, "INVITE", 4);
    assert_routed(&edge, &node, From::Phones, "ACK", 4);
    assert_routed(&edge, &node, From::Phones, "BYE", 1);
    assert_routed(&edge, &node, From::Node, "BYE", 1);
    assert_all_by(way, &edge, &node);
    assert_eq!(field(&only_call(node)["legs"][1]["cause"], "by"), "callee");
}

#[test]
fn rfc3261_12_2_calls_and_holds_of_phones_go_along_the_route_set_over_udp() {
    talk("udp");
}

#[test]
fn rfc3261_12_2_calls_and_holds_of_phones_go_along_the_route_set_over_tcp() {
    talk("tcp");
}

#[test]
fn rfc3261_12_2_calls_and_holds_of_phones_go_along_the_route_set_over_tls() {
    talk("tls");
}

#[test]
fn a_phone_behind_the_edge_presses_a_key_and_transfers_by_refer() {
    let (node, edge) = with_edge("udp");
    let mut next = phone(&node, &edge, 1002, 10);
    let mut agent = phone(&node, &edge, 1001, 0);
    let mut caller = phone(&node, &edge, 1000, 20);
    caller.dial(&format!("sip:keys@{}", node.sip()));
    caller.command("sndcode", "5");
    agent.event("CALL_ESTABLISHED");
    agent.command("transfer", &format!("sip:1002@{}", node.sip()));
    agent.event("CALL_CLOSED");
    next.event("CALL_ESTABLISHED");
    caller.command("hangup", "");
    next.event("CALL_CLOSED");
    assert_routed(&edge, &node, From::Phones, "REFER", 1);
    assert_eq!(node.events(1, "digit")[0]["digit"], "5");
    let cdr = only_call(node);
    assert_eq!(cdr["transfers"][0]["outcome"], "done", "{cdr:#}");
}

/// The edge ends and comes back: its TCP connections are gone, the Path and the route set are not.
#[test]
fn phones_and_calls_outlive_the_edge() {
    let (node, mut edge) = with_edge("tcp");
    let mut agent = phone(&node, &edge, 1001, 0);
    let call = || Sipp::caller(&node, "call", "agent").hold(Duration::from_secs(4)).start();
    let caller = call();
    agent.event("CALL_ESTABLISHED");
    edge.restart();
    assert_eq!(caller.finish().successful(), 1);
    agent.event("CALL_CLOSED");
    assert_routed(&edge, &node, From::Node, "BYE", 1);
    assert_eq!(call().finish().successful(), 1);
    agent.event("CALL_CLOSED");
    assert_routed(&edge, &node, From::Node, "INVITE", 1);
    assert!(node.calls(2).iter().all(|cdr| field(cdr, "disposition") == "answered"));
    node.stop();
}
