//! sipsak over UDP and TCP: OPTIONS, and a registration.

use acceptance::{Node, tool};

use crate::setup;

/// Runs sipsak as user 1000; what it printed, and its exit status.
fn sipsak(node: &Node, transport: &str, password: &str, arguments: &[&str]) -> (String, Option<i32>) {
    let mut command = tool("sipsak", "sipsak");
    command.args(["-vv", "-i", "-E", transport, "-u", "1000", "-a", password]).args(arguments);
    let output = command.args(["-s", &format!("sip:1000@{}", node.sip())]).output().expect("sipsak runs");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (said, output.status.code())
}

/// It asks, registers a phone that SIPp plays, and is refused with a wrong password.
fn asks_and_registers(transport: &str) {
    let node =
        Node::start(&setup().flows("numbers: {ring: ring}\nflows: {ring: [{dial: {to: [\"1000\"]}}]}\n"));
    let (said, status) = sipsak(&node, transport, "pw1000", &[]);
    assert!(status == Some(0) && said.contains("SIP/2.0 200 OK"), "{said}");
    let phone = node.network().socket(1, 5090);
    let contact = format!("sip:1000@{phone}");
    let (said, status) = sipsak(&node, transport, "wrong", &["-U", "-x", "300", "-C", &contact]);
    assert!(status == Some(2) && said.contains("authorization failed"), "{said}");
    let (said, status) = sipsak(&node, transport, "pw1000", &["-U", "-x", "300", "-C", &contact]);
    assert_eq!(status, Some(0), "{said}");
    node.stop();
}

#[test]
fn udp() {
    asks_and_registers("udp");
}

#[test]
fn tcp() {
    asks_and_registers("tcp");
}
