//! The life of a node: calls, the end, and the log that it leaves.

use crate::running::{Files, LIMIT, text, until};
use nix::sys::signal::Signal;
use serde_json::Value;
use server::phone::{Phone, PhoneConfig, PhoneEvent};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Instant;

fn caller(files: &Files) -> Phone {
    phone(files, "caller", None)
}

fn phone(files: &Files, user: &str, password: Option<&str>) -> Phone {
    let config = PhoneConfig {
        user: user.to_owned(),
        password: password.map(str::to_owned),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        server: files.sip,
    };
    Phone::start(config).expect("sockets")
}

fn expect(phone: &Phone, wanted: &PhoneEvent) {
    let deadline = Instant::now() + LIMIT;
    let event = phone.next_event(deadline);
    assert_eq!(event.as_ref(), Some(wanted));
}

/// A caller in the flow, who hears it.
fn connected(files: &Files) -> Phone {
    let phone = caller(files);
    phone.call("wait");
    expect(&phone, &PhoneEvent::Up);
    until("a second of the prompt is heard", || (phone.heard().samples().len() > 8_000).then_some(()));
    phone
}

fn calls(files: &Files) -> Vec<Value> {
    let asked = files.run(&["calls", "--json"]);
    assert!(asked.status.success(), "{}", text(&asked.stderr));
    serde_json::from_slice(&asked.stdout).expect("JSON")
}

#[test]
fn sigterm_hangs_up_finishes_the_recording_and_closes_the_log() {
    let files = Files::new();
    let mut node = files.serve();
    let phone = connected(&files);
    node.signal(Signal::SIGTERM);
    expect(&phone, &PhoneEvent::HungUp);
    assert_eq!(node.wait().code(), Some(0), "{}", files.stderr());
    let calls = calls(&files);
    let [call] = calls.as_slice() else { panic!("one call: {calls:#?}") };
    assert_eq!((&call["to"], &call["disposition"]), (&"wait".into(), &"failed".into()), "{call:#}");
    assert_eq!(call["cause"]["by"], "switch", "{call:#}");
    let recording = &call["recordings"][0];
    assert!(recording["millis"].as_u64().is_some_and(|millis| millis > 900), "{call:#}");
    let path = files.home.path().join(recording["path"].as_str().expect("a path"));
    assert!(hound::WavReader::open(path).expect("a WAV").duration() > 7_000);
    assert!(!files.home.path().join("state/http.address").exists());
}

#[test]
fn a_restart_goes_on_in_the_same_log() {
    let files = Files::new();
    for round in 1..=2 {
        let mut node = files.serve();
        let phone = connected(&files);
        phone.hang_up();
        expect(&phone, &PhoneEvent::Ended);
        node.signal(Signal::SIGTERM);
        assert_eq!(node.wait().code(), Some(0));
        assert_eq!(calls(&files).len(), round);
    }
    let traced = files.run(&["trace", "2", "--json"]);
    let events: Vec<Value> = serde_json::from_slice(&traced.stdout).expect("JSON");
    assert_eq!(events.first().map(|event| &event["kind"]["kind"]), Some(&"contact_started".into()));
    assert_eq!(events.last().map(|event| &event["kind"]["kind"]), Some(&"contact_ended".into()));
    let ladder = text(&files.run(&["trace", "2"]).stdout);
    assert!(ladder.contains("INVITE") && ladder.contains("client.yaml:6 answer"), "{ladder}");
}

#[test]
fn a_reload_does_not_touch_a_call_that_is_up() {
    let files = Files::new();
    let mut node = files.serve();
    let phone = connected(&files);
    files.edit("client/client.yaml", "{wait: wait}", "{other: wait}");
    assert!(files.run(&["reload"]).status.success());
    let heard = phone.heard().samples().len();
    until("the prompt goes on", || (phone.heard().samples().len() > heard + 8_000).then_some(()));
    let late = caller(&files);
    late.call("wait");
    expect(&late, &PhoneEvent::Failed(404));
    phone.hang_up();
    expect(&phone, &PhoneEvent::Ended);
    node.signal(Signal::SIGINT);
    assert_eq!(node.wait().code(), Some(0));
}

#[test]
fn rfc3261_10_a_phone_registers_and_takes_its_registration_back() {
    let files = Files::new();
    let _node = files.serve();
    let registrations = || {
        let asked = files.run(&["status", "--json"]);
        serde_json::from_slice::<Value>(&asked.stdout).expect("JSON")["registrations"].clone()
    };
    let anna = phone(&files, "anna", Some("anna-secret"));
    anna.register(60);
    expect(&anna, &PhoneEvent::Registered);
    assert_eq!(registrations(), 1);
    let intruder = phone(&files, "anna", Some("guessed"));
    intruder.register(60);
    expect(&intruder, &PhoneEvent::NotRegistered(Some(401)));
    assert_eq!(registrations(), 1);
    anna.register(0);
    expect(&anna, &PhoneEvent::Registered);
    assert_eq!(registrations(), 0);
}

#[test]
fn what_is_no_sip_does_not_disturb_a_call() {
    let files = Files::new();
    let _node = files.serve();
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for bytes in [&b""[..], b"\0", b"GET / HTTP/1.1\r\n\r\n", b"INVITE sip:wait", &[0xff; 60_000]] {
        stranger.send_to(bytes, files.sip).expect("sent");
    }
    let phone = connected(&files);
    phone.hang_up();
    expect(&phone, &PhoneEvent::Ended);
}
