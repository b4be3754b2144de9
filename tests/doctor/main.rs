//! `ringdown doctor` on nodes that something is wrong with.

mod loop_call;
mod peer;

use acceptance::{Network, Node, Setup};
use peer::{Peer, Says};
use serde_json::Value;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The load profile's one trunk, and another one at a port of host 2.
const LOOPBACK: &str = "loopback: {from: [127.0.0.0/8]}";

fn with_carrier(to: &str, more: &str) -> Setup {
    let carrier = format!("{LOOPBACK}\n  carrier: {{to: \"{to}\"{more}}}");
    Setup::new().replace(LOOPBACK, &carrier)
}

/// A node file that no node serves.
struct Patient {
    network: Network,
    folder: TempDir,
}

/// What doctor has found, and whether its exit status was good.
struct Found {
    is_well: bool,
    findings: Vec<Value>,
}

impl Patient {
    fn new(setup: &Setup) -> Self {
        let network = Network::claim();
        let folder = TempDir::with_prefix("ringdown-").expect("a temporary folder");
        setup.write(network, folder.path());
        Self { network, folder }
    }

    fn ask(&self) -> Command {
        ask(&self.folder.path().join("ringdown.yaml"), &self.folder.path().join("state"))
    }

    fn examine(&self) -> Found {
        examine(self.ask())
    }
}

fn ask(config: &Path, state: &Path) -> Command {
    let mut command = Node::command();
    command.arg("doctor").arg("--config").arg(config).arg("--state").arg(state);
    command
}

fn examine(mut doctor: Command) -> Found {
    let output = doctor.arg("--json").output().expect("ringdown runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{error}: {said}{}", String::from_utf8_lossy(&output.stderr)));
    let findings = report["findings"].as_array().expect("findings").clone();
    assert_eq!(report["ok"], output.status.success(), "{report:#}");
    Found { is_well: output.status.success(), findings }
}

impl Found {
    /// The one finding of an area that speaks of something.
    fn of(&self, area: &str, what: &str) -> &Value {
        let found: Vec<_> = self
            .findings
            .iter()
            .filter(|it| it["area"] == area && it["what"].as_str().is_some_and(|it| it.contains(what)))
            .collect();
        assert_eq!(found.len(), 1, "{what} in {area}: {:#}", Value::from(self.findings.clone()));
        found[0]
    }

    /// All that is a fault.
    fn faults(&self) -> Vec<&Value> {
        self.findings.iter().filter(|it| it["level"] == "fault").collect()
    }
}

fn advice(finding: &Value) -> &str {
    finding["advice"].as_str().expect("what to do")
}

#[test]
fn a_node_that_could_serve_and_a_trunk_that_answers_have_no_fault() {
    let patient = Patient::new(&with_carrier("sip:127.0.0.2:5090", ""));
    let _peer = Peer::answers(patient.network.socket(2, 5090), Says::default());
    let found = patient.examine();
    assert!(found.is_well, "{:#?}", found.faults());
    for (area, what) in [
        ("ports", "udp"),
        ("ports", "tcp"),
        ("trunk", "carrier: udp"),
        ("address", "carrier: it sees us at"),
        ("clock", "carrier: its Date and this clock agree"),
        ("trunk", "loopback: its calls come from"),
        ("disk", "state directory"),
    ] {
        assert_eq!(found.of(area, what)["level"], "ok", "{what}");
    }
    // The load profile asks for 20,000 calls at once.
    assert_eq!(found.of("ports", "rtp 30000-49999 has room for 5000 calls")["level"], "warning");
}

#[test]
fn rfc3581_4_an_advertised_address_that_a_trunk_does_not_see_is_a_fault() {
    let patient = Patient::new(&with_carrier("sip:127.0.0.2:5090", ""));
    let says = Says { received: Some("9.9.9.9"), ..Says::default() };
    let _peer = Peer::answers(patient.network.socket(2, 5090), says);
    let found = patient.examine();
    assert!(!found.is_well);
    let wrong = found.of("address", "carrier: it sees us at 9.9.9.9");
    assert_eq!(wrong["level"], "fault");
    assert!(advice(wrong).contains("advertise: \"9.9.9.9:5062\""), "{wrong:#}");
    assert!(advice(wrong).contains("`advertise: 9.9.9.9` in `rtp`"), "{wrong:#}");
}

#[test]
fn rfc3261_20_17_a_trunk_whose_date_is_an_hour_off_is_a_fault() {
    let patient = Patient::new(&with_carrier("sip:127.0.0.2:5090", ""));
    let says = Says { seconds_ahead: 3_600, ..Says::default() };
    let _peer = Peer::answers(patient.network.socket(2, 5090), says);
    let found = patient.examine();
    assert!(!found.is_well);
    assert_eq!(found.of("clock", "carrier: this clock is 60 min behind its Date")["level"], "fault");
}

#[test]
fn a_port_that_nobody_holds_and_a_server_that_says_nothing_are_told_apart() {
    for transport in ["udp", "tcp"] {
        let patient = Patient::new(&with_carrier(&format!("sip:127.0.0.2:5090;transport={transport}"), ""));
        let found = patient.examine();
        assert!(!found.is_well);
        assert_eq!(found.of("trunk", "refuses: nobody holds that port")["level"], "fault", "{transport}");
    }
    let patient = Patient::new(&with_carrier("sip:127.0.0.2:5090", ""));
    let _deaf = UdpSocket::bind(patient.network.socket(2, 5090)).expect("a port");
    assert_eq!(patient.examine().of("trunk", "does not answer")["level"], "fault");
}

#[test]
fn a_trunk_whose_health_is_off_may_say_nothing() {
    let patient = Patient::new(&with_carrier("sip:127.0.0.2:5090", ", health: off"));
    let _deaf = UdpSocket::bind(patient.network.socket(2, 5090)).expect("a port");
    let found = patient.examine();
    assert!(found.is_well, "{:#?}", found.faults());
    assert_eq!(found.of("trunk", "does not answer OPTIONS")["level"], "warning");
}

#[test]
fn rfc3263_4_a_name_that_leads_nowhere_is_a_fault_of_the_dns() {
    let node = Node::start(&with_carrier("sip:carrier.test", "").zone("other.test A 127.0.0.1"));
    let found = examine(ask(&node.folder().join("ringdown.yaml"), &node.state()));
    assert!(!found.is_well);
    assert_eq!(found.of("dns", "sip:carrier.test leads nowhere")["level"], "fault");
    node.stop();
}

#[test]
fn a_certificate_that_is_over_is_a_fault_and_the_listener_is_none() {
    let mut params = rcgen::CertificateParams::new(["pbx.example".to_owned()]).expect("a name");
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    let key = rcgen::KeyPair::generate().expect("a key");
    let made = params.self_signed(&key).expect("a certificate");
    let setup = Setup::new().tls().file("cert.pem", &made.pem()).file("key.pem", &key.serialize_pem());
    let found = Patient::new(&setup).examine();
    assert_eq!(found.faults().len(), 1, "{:#?}", found.faults());
    assert_eq!(found.of("certificate", "is over since 2020-01-01")["level"], "fault");
}

#[test]
fn rfc5922_7_a_trunk_whose_certificate_nobody_has_certified_is_told_in_words() {
    // Itself by TLS: its certificate is signed by nobody.
    let node = Node::start(&with_carrier("sip:127.0.0.1:5063;transport=tls", ", health: off").tls());
    let found = examine(ask(&node.folder().join("ringdown.yaml"), &node.state()));
    let refused = found.of("certificate", "carrier: tls");
    assert!(
        refused["what"].as_str().is_some_and(|it| it.contains("nobody who is believed has certified it"))
    );
    assert_eq!(refused["level"], "fault");
    node.stop();
}

#[test]
fn rfc5922_7_a_certificate_that_is_believed_has_its_end_told() {
    let trusting = ", tls: {roots: cert.pem, name: pbx.example}";
    let node = Node::start(&with_carrier("sip:127.0.0.1:5063;transport=tls", trusting).tls());
    let found = examine(ask(&node.folder().join("ringdown.yaml"), &node.state()));
    assert!(found.is_well, "{:#?}", found.faults());
    assert_eq!(found.of("certificate", "carrier: that of")["level"], "ok");
    assert_eq!(found.of("trunk", "carrier: tls")["level"], "ok");
    node.stop();
}

#[test]
fn a_running_node_holds_its_ports_by_right_and_another_program_does_not() {
    let node = Node::start(&Setup::new());
    let found = examine(ask(&node.folder().join("ringdown.yaml"), &node.state()));
    assert!(found.is_well, "{:#?}", found.faults());
    assert_eq!(found.of("ports", "udp")["level"], "ok");
    node.stop();
    let patient = Patient::new(&Setup::new());
    let _squatter = UdpSocket::bind(patient.network.socket(1, 5062)).expect("a port");
    let found = patient.examine();
    assert!(!found.is_well);
    let held = found.of("ports", "udp");
    assert_eq!(held["level"], "fault");
    let who = format!("process {}", std::process::id());
    assert!(held["what"].as_str().is_some_and(|what| what.contains(&who)), "{held:#}");
}

#[test]
fn people_read_one_line_a_check_and_what_to_do_below_it() {
    let patient = Patient::new(&with_carrier("sip:127.0.0.2:5090", ""));
    let output = patient.ask().output().expect("ringdown runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    let place = patient.network.socket(2, 5090);
    let line = format!("  FAULT    trunk        carrier: udp {place} refuses: nobody holds that port\n");
    let at = said.find(&line).unwrap_or_else(|| panic!("{said}"));
    assert!(said[at + line.len()..].trim_start().starts_with("→ are address, port"), "{said}");
    assert!(said.trim_end().lines().last().is_some_and(|last| last.starts_with("1 fault")), "{said}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_node_file_with_a_mistake_is_told_as_check_tells_it() {
    let patient = Patient::new(&Setup::new().replace("ports: 30000-49999", "ports: 30000"));
    let found = patient.examine();
    assert!(!found.is_well);
    assert!(
        found.of("files", "is not a range of ports")["what"]
            .as_str()
            .is_some_and(|it| it.contains("ringdown.yaml:"))
    );
}
