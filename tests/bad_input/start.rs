//! Faults that are found before anything is served: one message, and exit status 1.

use acceptance::{Network, Node, Running, Setup};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Starts a node that must not come up, and gives what it said.
fn refused(setup: &Setup, network: Network, state: Option<&Path>) -> String {
    let folder = TempDir::with_prefix("ringdown-").expect("a temporary folder");
    let state = state.map_or_else(|| folder.path().join("state"), Path::to_owned);
    let mut command = Node::command();
    command.arg("serve").arg("--config").arg(setup.write(network, folder.path())).arg("--state").arg(state);
    let mut process = Running::start("ringdown", folder.path(), &mut command);
    let status = process.wait(Duration::from_secs(10));
    assert_eq!(status.code(), Some(1), "{}", process.stderr());
    assert_eq!(process.stdout(), "", "nothing is served");
    process.stderr()
}

fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

#[test]
fn a_missing_prompt_is_named_with_its_place() {
    let flows = "flows:\n  lost:\n    - answer\n    - play: welcom-back\n";
    let said = refused(&Setup::new().flows(flows), Network::claim(), None);
    assert_says(&said, &["more.yaml:4:", "welcom-back", "- play: welcom-back", "hint"]);
}

#[test]
fn every_fault_of_every_file_is_told_at_once() {
    let flows = "flows:\n  lost:\n    - answer\n    - play: welcom-back\n    - goto: nowhere\n";
    let setup = Setup::new().flows(flows).replace("limits: {calls: 20000}", "limits: {calls: many}");
    let said = refused(&setup, Network::claim(), None);
    assert_says(&said, &["more.yaml:4:", "more.yaml:5:", "ringdown.yaml:"]);
}

#[test]
fn overlapping_trunks_are_both_named() {
    let overlap = "loopback: {from: [127.0.0.0/8]}\n  carrier: {from: [127.0.0.0/8]}";
    let setup = Setup::new().replace("loopback: {from: [127.0.0.0/8]}", overlap);
    let said = refused(&setup, Network::claim(), None);
    assert_says(&said, &["ringdown.yaml:12:", "ringdown.yaml:11", "carrier: {from: [127.0.0.0/8]}"]);
}

#[test]
fn a_udp_port_in_use_is_named() {
    let network = Network::claim();
    let port = network.socket(1, 5062);
    let _taken = UdpSocket::bind(port).expect("the test's own network");
    assert_names_port(&refused(&Setup::new(), network, None), port);
}

#[test]
fn a_tcp_port_in_use_is_named() {
    let network = Network::claim();
    let port = network.socket(1, 5062);
    let _taken = TcpListener::bind(port).expect("the test's own network");
    assert_names_port(&refused(&Setup::new(), network, None), port);
}

#[test]
fn an_http_port_in_use_is_named() {
    let network = Network::claim();
    let port = network.socket(1, 8062);
    let _taken = TcpListener::bind(port).expect("the test's own network");
    assert_names_port(&refused(&Setup::new(), network, None), port);
}

fn assert_names_port(said: &str, port: SocketAddr) {
    assert_says(said, &[&port.to_string(), "in use"]);
}

#[test]
fn a_state_directory_that_cannot_be_made_is_named() {
    // Nothing can be made below a device, not even by root.
    let state = Path::new("/dev/null/state");
    let said = refused(&Setup::new(), Network::claim(), Some(state));
    assert_says(&said, &["/dev/null/state"]);
}

#[test]
fn a_state_directory_in_use_is_named() {
    let node = Node::start(&Setup::new());
    let said = refused(&Setup::new(), Network::claim(), Some(&node.state()));
    assert_says(&said, &[&node.state().display().to_string()]);
    node.stop();
}
