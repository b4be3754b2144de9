//! The configuration that the world is served by: every way of ringing, and flows that wait for keys.

use crate::vouch;
use dialplan::{ClientFiles, Config, Input, PromptFile, SourceFile};
use std::sync::Arc;

/// Numbers that callers dial; the last has no flow.
pub(crate) const NUMBERS: &[&str] = &[
    "direct",
    "desk",
    "team",
    "team",
    "first",
    "hunt",
    "menu",
    "menu",
    "record",
    "loop",
    "digits",
    "out",
    "up",
    "up",
    "named",
    "busy",
    "meet",
    "meet",
    "meet",
    "lecture",
    "line",
    "line",
    "back",
    "back",
    "all",
    "desk-of-agent",
    "asks",
    "asks",
    "voice",
    "voice",
    "listen",
    "nowhere",
    OUTSIDE,
    "*8alice",
    "*8bob",
    vouch::NUMBER,
    vouch::NUMBER,
    vouch::NUMBER,
    vouch::NUMBER,
];

/// Calls that the node may have at once.
pub(crate) const CALLS: usize = 12;
/// Requests a second of all strangers together.
pub(crate) const STRANGERS: usize = 50;
/// Calls that the trunk `pbx` may have at once, both directions.
pub(crate) const PBX_CALLS: usize = 2;

/// Messages that the mailbox holds.
pub(crate) const MESSAGES: usize = 3;
/// Its users.
pub(crate) const LISTENERS: [&str; 2] = ["alice", "bob"];

/// A number whose calls are all recorded once they are answered, and one whose calls never are.
pub(crate) const ALWAYS_RECORDED: &str = "menu";
pub(crate) const NEVER_RECORDED: &str = "lecture";

/// A number of somebody else: users may call it, and transfer to it.
pub(crate) const OUTSIDE: &str = "+34911999999";

/// The number in another country, of which there may be one call at once.
pub(crate) const ABROAD: &str = "+494712";
pub(crate) const CALLS_ABROAD: usize = 1;

const NODE: &str = r#"
node: {name: sim}
sip: {listen: ["udp:10.0.0.1:5060", "tcp:10.0.0.1:5060", "ws:10.0.0.1:8060"], session_timer: {expires: 90s, min: 90s}}
rtp: {ports: 30000-30999, address: 10.0.0.1}
defence: {strangers: 50}
stir: {trust: roots.pem}
limits: {calls: 12, register_expires: {min: 30, max: 300}, subscriptions: 9, subscribe_expires: {min: 20, max: 200}}
trunks:
  carrier: {from: [10.0.1.1/32], to: "sip:10.0.1.1:5060", transfer: refer, stir: {receive: verify}, media: {encryption: optional, keys_in_clear: true}}
  pbx: {from: [10.0.1.2/32], to: "sip:10.0.1.2:5060", limits: {calls: 2}, health: {every: 5s, down_after: 2, up_after: 1}, stir: {sign: {key: k.pem, certificate: "https://one.test/a.pem", attest: B}}}
  uplink: {register: {registrar: "sip:uplink.test", user: "5551", secret: 'pw "5551"', expires: 60s}}
clients: [sim, other]
"#;

/// Another company on the same node: what happens in one is not seen in the other.
const OTHER: &str = "client: {name: Other}\nusers:\n  dave: {password: pw-dave}\n";

const CLIENT: &str = r##"
client: {name: Sim, http: {hosts: [api.test]}, on_hangup: gone, media: {encryption: optional, keys_in_clear: true}, features: {transfer: "*1", consult: "*2", complete: "*3", cancel: "*0", pickup: "*8"}, fraud: {country: ES, international: 1, user: {calls_per_hour: 3}}}
numbers:
  direct: direct
  desk: desk
  team: team
  first: first
  hunt: hunt
  menu: {flow: menu, record: always}
  record: record
  loop: loop
  digits: digits
  out: out
  up: up
  named: named
  busy: busy
  meet: meet
  lecture: {flow: lecture, record: never}
  line: line
  back: back
  all: all
  desk-of-agent: desk-of-agent
  asks: asks
  voice: voice
  listen: listen
  "11": team
  "12": menu
  "+*": outside
  "+34900000001": vouched
users:
  alice: {password: pw-alice}
  bob: {password: pw-bob}
  carol: {password: pw-carol}
  "20": {password: pw-20}
agents:
  alice: {login: automatic, skills: {fr: 3}, record: always}
  bob: {login: automatic}
  carol: {login: automatic, skills: [fr]}
  "20": {pin: "4711"}
queues:
  line: {agents: [alice, bob, carol], record: 50%, ring: 8s, wrap_up: 5s, misses: 2, max_wait: 40s, max_length: 3, retry: {no_answer: 3s, busy: 3s, declined: 3s, unreachable: 3s}, announce: {prompts: welcome, say: [position, wait], first: 3s, every: 7s}, returning: 20s, callback: {trunk: [carrier, pbx], flow: called-back, ring: 8s, tries: 2, again: 10s}, whisper: {prompts: welcome, say: wait}, display: Line, auto_answer: true}
  all: {strategy: ring-all, record: never, agents: [alice, {agent: bob, tier: 2}, carol, "20"], next_tier: 4s, ring: 6s, wrap_up: 2s, music: welcome, join_unless: [logged_out], no_agents_wait: 5s, leave_if: [logged_out, unreachable]}
mailboxes:
  desk: {users: [alice, bob], pin: "4711", greeting: welcome, max: 5s, min: 1s, silence: 2s, keep: 60s, limit: 3}
flows:
  line:
    - answer
    - enqueue: {queue: line, keys: {"1": {goto: menu}, "2": {goto: line}, "3": {goto: back}}, full: {goto: all}, timeout: {goto: sorry}, no_agents: {goto: sorry}, done: {goto: menu}}
  back:
    - answer
    - callback: {queue: line, number: "call.from.startsWith('+') ? call.from : '+34911000123'", duplicate: {play: choose}, failed: {goto: sorry}}
    - play: welcome
    - percent: {30: {goto: line}}
  called-back:
    - answer
    - play: welcome
    - enqueue: {queue: line, keys: {"1": {goto: menu}, "3": {goto: back}}, timeout: {goto: sorry}, no_agents: {goto: sorry}}
  all:
    - answer
    - record
    - enqueue: {queue: all, skills: [[fr, en]], priority: 3, last_agent: "'carol'", last_agent_wait: 3s, keys: {"9": {goto: line}}}
    - goto: sorry
  desk-of-agent:
    - answer
    - agent: {do: ready, failed: [{agent: {do: login, failed: {goto: sorry}}}]}
    - agent: {do: pause, reason: lunch}
    - agent: ready
    - play: welcome
  asks:
    on_hangup: [{kv: {add: gone, keep: 20s}}, {http: {url: "https://api.test/gone", method: DELETE, wait: false}}]
    steps:
      - http: {url: "https://api.test/{call.from}", within: 3s, extract: {to: {at: /to, default: "direct"}}, status: {"404": {reject: not_found}, 5xx: {reject: busy}}, invalid: {goto: direct}}
      - answer
      - record
      - http: {url: "https://api.test/calls", method: POST, json: {from: call.from}, within: 6s, filler: {prompts: welcome, after: 500ms}, timeout: {goto: sorry}, failed: {play: sorry}}
      - kv: {get: gone, into: gone, type: int, default: 0}
      - if: {when: gone > 3, then: {kv: {delete: gone}}}
      - switch: {on: to, cases: {menu: {goto: menu}, direct: {goto: team}}}
      - http: {url: "https://api.test/{to}", retries: 3, within: 10s, filler: none}
  voice:
    on_error: {goto: sorry}
    steps:
      - answer
      - record
      - voicemail: {mailbox: desk, too_short: {goto: menu}, full: {goto: listen}}
      - play: welcome
      - voicemail: {mailbox: desk, greeting: none, beep: false, end: "1", failed: {goto: listen}}
      - goto: menu
  listen:
    - answer
    - mailbox: {mailbox: desk, refused: [{mailbox: {mailbox: desk, pin: "'4711'", refused: {goto: sorry}}}]}
    - mailbox: {mailbox: desk, pin: "'1234'", refused: {goto: menu}}
  # Nobody answers before the callee does: failures go back to the caller as they are.
  direct:
    - dial: {to: [alice], timeout: 20s}
  desk:
    - dial: {to: ["sip:desk@10.0.3.1:5060"], timeout: 15s}
  out:
    - dial: {to: [{number: "4711", trunk: [pbx, uplink]}], timeout: 15s, ringback: tone, busy: {goto: direct}}
  outside:
    - dial: {to: [{number: dialled, trunk: [pbx, carrier]}], timeout: 15s}
  named:
    - dial: {to: ["sip:desk@desk.test"], timeout: 15s, no_answer: {goto: sorry}}
  up:
    - dial: {to: [{number: "+494712", trunk: uplink}], timeout: 15s, failed: {goto: sorry}}
  team:
    - dial: {to: [alice, bob, carol, "sip:desk@10.0.3.1:5060"], timeout: 12s, ringback: welcome, busy: {goto: sorry}, no_answer: {goto: sorry}}
  first:
    - answer
    - dial: {to: [bob, "sip:desk@10.0.3.1:5060"], timeout: 10s, busy: {goto: sorry}, no_answer: {goto: team}, failed: {goto: sorry}}
    - play: welcome
  hunt:
    on_error: {goto: sorry}
    on_hangup: {set: {ended: 2}}
    steps:
      - answer
      - record
      - dial: {to: [alice, bob, carol], mode: sequential, timeout: 6s, no_answer: {goto: menu}}
      - goto: sorry
  menu:
    - answer
    - menu:
        prompt: choose
        timeout: 3s
        tries: 2
        keys:
          "1": {goto: team}
          "2": {goto: hunt}
          "3": [{play: welcome}, hangup]
          "9": {goto: menu}
        invalid: {play: welcome}
        max_tries: {goto: sorry}
  record:
    - percent: {70: [ring, {pause: 500ms}, {early_media: welcome}]}
    - answer
    - record
    - play: [welcome, choose]
    - record: stop
    - record
    - record: pause
    - play: welcome
    - record: mask
    - dial: {to: [bob, carol], timeout: 8s}
    - record: resume
    - record
    - percent: {30: [{record: refused}, record, {play: choose}, {record: allowed}]}
    - record
    - tone: {name: busy, for: 3s}
    - beep
  loop:
    - answer
    - play: {prompts: [welcome], times: forever}
  digits:
    - answer
    - record
    - gather: {into: pin, prompt: choose, min: 2, max: 4, secret: true, timeout: 3s, digit_timeout: 2s, tries: 2, max_tries: {goto: sorry}}
    - call: {flow: typed, with: {short: 2}, into: account}
    - if: {when: account == "12", then: [{goto: direct}], else: [{play: welcome}]}
  gone:
    - percent: {50: {set: {ended: 1}}}
  typed:
    inputs: {short: int}
    steps:
      - gather: {into: account, prompt: choose, min: 2, max: 4, timeout: 3s, digit_timeout: 2s, tries: 2, max_tries: {goto: sorry}}
      - if: {when: size(account) == short, then: {return: account}}
      - call: {flow: typed, with: {short: short + 1}, into: account, too_deep: {goto: sorry}}
      - return: account
  busy:
    - reject: busy
  meet:
    - answer
    - record
    - conference: {room: meet, max: 3, music: welcome, enter: choose, leave: choose, mute: "5", keys: {"1": {goto: menu}, "9": {goto: team}}, full: {goto: lecture}}
    - play: sorry
  lecture:
    - answer
    - conference: {room_from: "'lecture'", muted: true, mute: "5", keys: {"1": {goto: meet}}, ended: {goto: meet}}
  vouched:
    - switch: {on: call.verstat, cases: {passed: {goto: direct}, failed: {goto: menu}}}
    - goto: out
  sorry:
    - answer
    - loop: {times: 2, do: [{pause: 200ms}]}
    - play: sorry
    - pin: {prompt: choose, is: "'1'", timeout: 1s, tries: 1}
    - confirm: {prompt: welcome, choice: choose, timeout: 1s, tries: 1, yes: {goto: menu}}
"##;

/// A plan, with or without the prompts that the switch plays by itself; a reduced one has neither carol nor
/// the number `desk`, and less room.
pub(crate) fn load(with_system_prompts: bool, reduced: bool) -> Arc<Config> {
    let (mut node, mut client) = (NODE.to_owned(), CLIENT.to_owned());
    if reduced {
        node = node.replace("calls: 12", "calls: 5");
        client = client
            .replace("  carol: {password: pw-carol}\n", "")
            .replace("  desk: desk\n", "")
            .replace("bob, carol", "bob")
            .replace("  carol: {login: automatic, skills: [fr]}\n", "")
            .replace(", carol, \"20\"]", ", \"20\"]");
    }
    let files = |id: &str, text: String, prompts: Vec<PromptFile>| ClientFiles {
        id: id.into(),
        path: id.into(),
        files: vec![SourceFile { path: format!("{id}/{id}.yaml"), text }],
        prompts,
    };
    let prompt = |name: &str| PromptFile { name: name.into(), path: format!("{name}.wav"), error: None };
    // What queues say of place and wait is the client's own here, so that plans without the system's prompts have it.
    let spoken = [
        spoken::Kind::Cardinal,
        spoken::Kind::Duration,
        spoken::Kind::Phone,
        spoken::Kind::Date,
        spoken::Kind::Time,
    ]
    .map(|kind| {
        let words = spoken::inventory(kind, spoken::Language::English);
        words.iter().map(|word| prompt(&word.to_string())).collect::<Vec<_>>()
    });
    let told = ["position", "in-the-queue", "expected-wait"].map(prompt).into_iter();
    let own = ["welcome", "choose", "sorry", "busy-tone", "beep"].map(prompt).into_iter();
    let around = [
        "new-messages",
        "message-from",
        "mailbox-keys",
        "message-deleted",
        "no-messages",
        "no-more-messages",
    ];
    let own = own.chain(around.map(prompt)).chain(told).chain(spoken.into_iter().flatten()).collect();
    let input = Input {
        node: SourceFile { path: "ringdown.yaml".into(), text: node },
        clients: vec![files("sim", client, own), files("other", OTHER.to_owned(), Vec::new())],
        system_prompts: if with_system_prompts {
            ["ringback", "hold", "dial-tone", "error-tone", "beep", "silence"].map(prompt).into()
        } else {
            Vec::new()
        },
    };
    match dialplan::load(&input) {
        Ok(config) => Arc::new(config),
        Err(report) => panic!("the plan of the simulator does not check:\n{report}"),
    }
}
