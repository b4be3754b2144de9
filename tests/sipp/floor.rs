//! A floor of agents: callbacks, what phones of agents are told, and a crash under load.
//!
//! `FLOOR_AGENTS=50 cargo nextest run -p acceptance --test sipp floor` has fifty agents; without it there are ten.

use acceptance::{Node, Setup, Sipp, SippRun, until, until_some};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// The load profile's one trunk.
const LOOPBACK: &str = "loopback: {from: [127.0.0.0/8]}";

/// Where phones of agents are, all of them at one SIPp.
const PHONES: u16 = 5090;
/// Where customers are called back.
const CUSTOMERS: u16 = 5091;

/// How many agents there are.
fn agents() -> usize {
    std::env::var("FLOOR_AGENTS").ok().map_or(10, |count| count.parse().expect("a number of agents"))
}

/// A node with so many agents in one queue, which calls back by the trunk `carrier`.
fn floor(agents: usize, queue: &str) -> Setup {
    let carrier = format!(
        "{LOOPBACK}\n  carrier: {{to: \"sip:127.0.0.1:{CUSTOMERS}\", health: off, limits: {{calls: 50}}}}"
    );
    let last = 999 + agents;
    Setup::new().replace(LOOPBACK, &carrier).flows(&format!(
        "\
numbers: {{floor: floor, back1: back1, back2: back2}}
agents: {{1000-{last}: {{login: automatic}}}}
queues:
  floor: {{agents: all, callback: {{trunk: carrier, flow: called-back, ring: 5s, tries: 20, again: 1s}}, {queue}}}
flows:
  floor: [answer, record, {{enqueue: floor}}]
  back1: [answer, {{callback: {{queue: floor, number: \"'+34600000001'\"}}}}]
  back2: [answer, {{callback: {{queue: floor, number: \"'+34600000002'\"}}}}]
  called-back: [answer, {{enqueue: floor}}]
"
    ))
}

/// Registers the phones of all agents.
fn register(node: &Node, agents: usize) {
    let users = (1000..1000 + agents)
        .map(|user| format!("{user};[authentication username={user} password=pw{user}]\n"))
        .collect::<String>();
    let file = node.folder().join("users.csv");
    fs::write(&file, format!("SEQUENTIAL\n{users}")).expect("a temporary folder");
    let calls = u32::try_from(agents).expect("few agents");
    let phone = PHONES.to_string();
    let options = ["-inf", file.to_str().expect("a path"), "-key", "phone", &phone, "-r", "20"];
    let local = node.network().socket(2, 5070);
    let registered = Sipp::caller(node, "register-many", "1000").at(local).calls(calls).with(&options).run();
    assert_eq!(registered.successful(), calls);
}

/// The phones of all agents: `scenario` for so many calls.
fn phones(node: &Node, scenario: &str, calls: usize, hold: Duration) -> SippRun {
    let local = node.network().socket(2, PHONES);
    let calls = u32::try_from(calls).expect("few calls");
    Sipp::callee(node, scenario, PHONES).at(local).calls(calls).hold(hold).start()
}

/// Callers, some fifty a second.
fn callers(node: &Node, count: usize, port: u16) -> SippRun {
    let calls = u32::try_from(count).expect("few callers");
    let local = node.network().socket(2, port);
    Sipp::caller(node, "call-until-bye", "floor").at(local).calls(calls).with(&["-r", "50"]).start()
}

fn json(node: &Node, arguments: &[&str]) -> Value {
    let shown = node.ask(&[arguments, &["--json"]].concat());
    assert!(shown.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&shown.stderr));
    serde_json::from_slice(&shown.stdout).expect("JSON")
}

fn said(node: &Node, arguments: &[&str]) -> String {
    let output = node.ask(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// How many agents are in each state.
fn states(node: &Node) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for agent in json(node, &["agents"]).as_array().expect("agents") {
        *states.entry(agent["state"].as_str().expect("a state").to_owned()).or_default() += 1;
    }
    states
}

/// The contacts that wait, and whether nobody is on the line.
fn waiting(node: &Node) -> Vec<(u64, bool)> {
    let queues = json(node, &["queues"]);
    let waiting = queues[0]["waiting"].as_array().expect("those who wait");
    waiting.iter().map(|it| (it["contact"].as_u64().unwrap_or(0), it["callback"] == true)).collect()
}

#[test]
fn a_customer_is_called_back_after_a_crash_and_comes_to_the_agent_that_was_kept() {
    let queue = "display: Floor, auto_answer: [call-info, answer-mode], whisper: menu";
    let node = Node::start(&floor(1, queue));
    let asks = Sipp::caller(&node, "call-until-bye", "back1").run();
    assert_eq!(asks.successful(), 1);
    // The same number once more changes nothing.
    assert_eq!(Sipp::caller(&node, "call-until-bye", "back1").run().successful(), 1);
    assert_eq!(waiting(&node), [(1, true)]);
    assert!(said(&node, &["queues"]).contains("to be called back"));
    assert_eq!(node.calls(2)[0]["callbacks"][0]["asked"]["number"], "+34600000001");
    let node = node.crash_and_start_again();
    until(Duration::from_secs(5), "the callback is there again", || waiting(&node) == [(1, true)]);
    // The first attempt finds nobody, the second does.
    register(&node, 1);
    until(Duration::from_secs(10), "an attempt has failed", || !node.events(1, "callback_failed").is_empty());
    let customers = Sipp::callee(&node, "answer", CUSTOMERS).start();
    // Longer than the whisper.
    let phones = phones(&node, "answer-bye", 1, Duration::from_secs(6));
    let made = until_some(Duration::from_secs(20), "the customer has spoken with the agent", || {
        let calls = json(&node, &["calls"]);
        calls.as_array()?.iter().find(|cdr| cdr["disposition"] == "answered").cloned()
    });
    let seen = phones.messages();
    for field in [
        "From: \"Floor +34600000001\"",
        "X-Queue: floor",
        "X-Client: client",
        "X-Called: back1",
        "Call-Info: <sip:ringdown.invalid>;answer-after=0",
        "Answer-Mode: Auto",
    ] {
        assert!(seen.contains(field), "{field}: {seen}");
    }
    assert!(customers.messages().contains("INVITE sip:+34600000001@"), "{}", customers.messages());
    assert_eq!((phones.finish().successful(), customers.finish().successful()), (1, 1));
    assert_eq!((&made["from"], &made["to"]), (&"+34600000001".into(), &"back1".into()), "{made:#}");
    assert_eq!(made["callbacks"][0]["made"]["asked"], 1, "{made:#}");
    assert_eq!(made["queues"][0]["outcome"]["answered"], "1000", "{made:#}");
    let why = said(&node, &["why", "1"]);
    for line in ["is to be called back at +34600000001", "in vain: ", "1000 is kept", "was reached"] {
        assert!(why.contains(line), "{line}: {why}");
    }
    assert_eq!(waiting(&node), []);
    node.stop();
}

#[test]
fn a_supervisor_moves_prioritises_and_pulls_callers_and_the_log_says_who() {
    let more = "ring: 10s}\n  other: {agents: all, max_wait: 60s";
    let node = Node::start(&floor(1, more));
    register(&node, 1);
    said(&node, &["agents", "pause", "1000", "--reason", "lunch", "--by", "carol"]);
    let first = callers(&node, 1, 5080);
    until(Duration::from_secs(5), "the first waits", || waiting(&node) == [(1, false)]);
    let second = callers(&node, 1, 5081);
    until(Duration::from_secs(5), "the second waits", || waiting(&node) == [(1, false), (2, false)]);
    said(&node, &["queues", "priority", "2", "10", "--by", "carol"]);
    assert_eq!(waiting(&node), [(2, false), (1, false)]);
    said(&node, &["queues", "move", "1", "other", "--by", "carol"]);
    let queues = json(&node, &["queues"]);
    assert_eq!(queues[1]["waiting"][0]["contact"], 1, "{queues}");
    let refused = |arguments: &[&str], why: &str| {
        let error = node.ask(arguments).stderr;
        let error = String::from_utf8_lossy(&error);
        assert!(error.contains(why), "{error}");
    };
    refused(&["queues", "move", "1", "nowhere"], "no such queue");
    refused(&["queues", "pull", "1", "1500"], "cannot be reached");
    refused(&["queues", "priority", "9", "1"], "waits in no queue");
    // An agent's own phone takes the caller, pause or not.
    let phones = phones(&node, "answer-bye", 2, Duration::from_millis(300));
    said(&node, &["queues", "pull", "1", "1000", "--by", "carol"]);
    assert_eq!(first.finish().successful(), 1);
    said(&node, &["agents", "ready", "1000"]);
    assert_eq!((second.finish().successful(), phones.finish().successful()), (1, 2));
    let calls = node.calls(2);
    let pulled = calls.iter().find(|cdr| cdr["contact"] == 1).expect("the first");
    let outcomes: Vec<_> =
        pulled["queues"].as_array().expect("stays").iter().map(|stay| stay["outcome"].clone()).collect();
    assert_eq!(outcomes, ["moved", "picked_up"], "{pulled:#}");
    assert_eq!(pulled["disposition"], "answered");
    let why = said(&node, &["why", "1"]);
    for line in ["carol wants: move to other", "carol wants: pull to 1000"] {
        assert!(why.contains(line), "{line}: {why}");
    }
    node.stop();
}

#[test]
fn callers_are_served_in_their_order_by_agents_who_have_one_call_at_a_time() {
    let agents = agents();
    let node = Node::start(&floor(agents, "ring: 10s"));
    register(&node, agents);
    assert_eq!(states(&node).get("ready"), Some(&agents));
    let begun = Instant::now();
    let phones = phones(&node, "answer-bye", 3 * agents, Duration::from_millis(500));
    let callers = callers(&node, 3 * agents, 5080);
    assert_eq!(callers.finish().failed(), 0);
    assert_eq!(phones.finish().failed(), 0);
    eprintln!(
        "{} callers, {agents} agents: served within {:.1} s",
        3 * agents,
        begun.elapsed().as_secs_f64()
    );
    let micros = |moment: &Value| moment["at"].as_u64().expect("a time");
    let mut served: Vec<_> = node
        .calls(3 * agents)
        .iter()
        .map(|cdr| {
            let stay = &cdr["queues"][0];
            let agent = stay["outcome"]["answered"].as_str().expect("an agent").to_owned();
            let bridged = micros(&cdr["bridged"]);
            let ended = bridged + cdr["talk_millis"].as_u64().expect("a time") * 1_000;
            (micros(&stay["entered"]), bridged, ended, agent)
        })
        .collect();
    served.sort();
    // Nobody is connected long before one who came earlier: phones take different times to answer.
    for (earlier, later) in served.iter().zip(served.iter().skip(1)) {
        assert!(later.1 + 1_000_000 > earlier.1, "{earlier:?} had to let {later:?} go first");
    }
    let mut talks: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for (_, bridged, ended, agent) in &served {
        talks.entry(agent).or_default().push((*bridged, *ended));
    }
    assert_eq!(talks.len(), agents, "all agents have had calls");
    for (agent, mut talks) in talks {
        talks.sort_unstable();
        let overlap = talks.windows(2).any(|pair| pair[1].0 < pair[0].1);
        assert!(!overlap, "{agent} has had two calls at once: {talks:?}");
    }
    node.stop();
}

#[test]
fn a_crash_under_load_leaves_agents_callbacks_and_recordings_as_they_were() {
    let agents = agents();
    let (talking, waits) = (agents - 2, 4);
    let node = Node::start(&floor(agents, "ring: 10s"));
    register(&node, agents);
    said(&node, &["agents", "pause", "1000", "--reason", "lunch"]);
    said(&node, &["agents", "logout", "1001"]);
    let phones_before = phones(&node, "answer", talking, Duration::ZERO);
    let callers_before = callers(&node, talking + waits, 5080);
    until(Duration::from_secs(20), "all agents talk and some wait", || {
        states(&node).get("talking") == Some(&talking) && waiting(&node).len() == waits
    });
    for number in ["back1", "back2"] {
        let local = node.network().socket(2, 5082);
        let asks = Sipp::caller(&node, "call-until-bye", number).at(local).run();
        assert_eq!(asks.successful(), 1);
    }
    let first = u64::try_from(talking + waits).expect("few") + 1;
    until(Duration::from_secs(5), "the log has the callbacks", || {
        [first, first + 1].iter().all(|contact| !node.events(*contact, "callback_kept").is_empty())
    });
    let recordings = node.state().join("recordings/client");
    let is_spoken = || {
        let files = fs::read_dir(&recordings).into_iter().flatten().flatten();
        let long = files.filter(|file| file.metadata().is_ok_and(|it| it.len() > 16_000));
        long.count() == talking + waits
    };
    until(Duration::from_secs(20), "every recording has a second", is_spoken);
    let crashed = Instant::now();
    let node = node.crash_and_start_again();
    let back = until_some(Duration::from_secs(5), "the queue is back", || {
        (waiting(&node) == [(first, true), (first + 1, true)]).then(|| crashed.elapsed())
    });
    eprintln!("{talking} talks, {waits} waiting, 2 callbacks: back after {:.1} s", back.as_secs_f64());
    assert!(back < Duration::from_secs(5), "{back:?}");
    let after = states(&node);
    assert_eq!(after.get("logged_out"), Some(&1), "{after:?}");
    drop((phones_before, callers_before));
    let calls = node.calls(talking + waits + 2);
    let interrupted: Vec<_> = calls.iter().filter(|cdr| cdr["cause"]["reason"] == "interrupted").collect();
    assert_eq!(interrupted.len(), talking + waits);
    for cdr in interrupted {
        let path = cdr["recordings"][0]["path"].as_str().expect("a recording");
        let length = hound::WavReader::open(path).expect("it can be played").duration();
        assert!(length >= 4_000, "{path}: {length} samples");
    }
    // Who registers again goes on where it was, and the callbacks are first.
    let customers = Sipp::callee(&node, "answer", CUSTOMERS).calls(2).start();
    let phones = phones(&node, "answer-bye", 2, Duration::from_millis(300));
    register(&node, agents);
    assert_eq!((phones.finish().successful(), customers.finish().successful()), (2, 2));
    until(Duration::from_secs(10), "all are as they were", || {
        let now = states(&node);
        now.get("ready") == Some(&talking)
            && now.get("paused") == Some(&1)
            && now.get("logged_out") == Some(&1)
    });
    node.stop();
}
