//! Calls on a virtual clock with a script in the place of people, as `ringdown simulate` and `test` run them.

use crate::call::flow;
use crate::support::{NODE, input};
use clock::Duration;
use dialplan::{
    Answer, Path, Press, Script, SimulatedCall, Simulation, Texts, Verstat, called, load, moment_of,
};
use std::sync::Arc;

fn call(number: &str) -> SimulatedCall {
    SimulatedCall {
        number: number.into(),
        from: "+34600111222".into(),
        source: "carrier".into(),
        diverted_by: String::new(),
        verstat: Verstat::None,
        attestation: None,
        at: 1_795_449_600_000_000,
        seed: 0,
    }
}

/// A call to number 100 of a client with one flow; every prompt lasts two seconds.
fn run(steps: &str, keys: &[&str], script: Script) -> Path {
    let config = Arc::new(load(&input(NODE, &flow(steps))).unwrap_or_else(|report| panic!("{report}")));
    let to = called(&config, "100", "carrier").expect("a number");
    let presses: Vec<Press> = keys.iter().map(|keys| keys.parse().expect("keys")).collect();
    let length = |_: &str| Duration::from_secs(2);
    Simulation::new(&config, to, &call("100"), script, &length).run(&presses)
}

/// The same as text, without the file and the flow.
fn way(steps: &str, keys: &[&str], script: Script) -> Vec<String> {
    let path = run(steps, keys, script);
    let lines = path.lines.iter().map(|line| line.text(0, &Texts::default()));
    let lines = lines.map(|text| text.replace("acme/acme.yaml:", "").replace("  main: ", " "));
    lines.chain([path.end()]).map(|text| text.trim().to_owned()).collect()
}

fn answers(of: &[(&str, &[&str])]) -> Script {
    let parsed = |words: &[&str]| words.iter().map(|word| word.parse().expect("an answer")).collect();
    let answers = of.iter().map(|(target, words)| ((*target).to_owned(), parsed(words))).collect();
    Script { answers, ..Script::default() }
}

const MENU: &str = "\
- answer
- menu:
    prompt: choose
    keys: {\"1\": {play: welcome}, \"22\": hangup}
    invalid: {play: invalid}
    no_input: {play: closed}
    tries: 4
- dial: [alice, bob]";

#[test]
fn each_step_has_its_line_with_time_and_place_and_what_came_of_it() {
    let found = way(MENU, &["-", "7", "1"], Script::default());
    let expected = [
        "0:00.0  3 answer   the caller is answered",
        "0:00.0  4 menu choose   hears choose, → no_input",
        "0:07.0  8 play closed   hears closed",
        "0:09.0  4 menu choose   hears choose, presses 7, → invalid",
        "0:12.0  7 play invalid   hears invalid",
        "0:14.0  4 menu choose   hears choose, presses 1, → 1",
        "0:17.0  6 play welcome   hears welcome",
        "0:19.0  10 dial alice,bob   rings alice: answered, rings bob: too late, they speak for 30 s, → done",
        "0:54.0  the flow hangs up",
    ];
    assert_eq!(found, expected);
}

#[test]
fn who_presses_nothing_more_runs_out_of_tries_and_who_hangs_up_is_gone() {
    let found = way(MENU, &[], Script::default());
    assert_eq!(found.last().map(String::as_str), Some("0:34.0  the flow hangs up"), "{found:#?}");
    let found = way(MENU, &["22"], Script::default());
    assert_eq!(found[1], "0:00.0  4 menu choose   hears choose, presses 22, → 22");
    let found = way(MENU, &["hangup"], Script::default());
    assert_eq!(
        found[1..],
        ["0:00.0  4 menu choose   hears choose, the caller hangs up", "0:02.0  the caller hangs up"]
    );
    let found = way(MENU, &[], Script { hangs_up: Some(Duration::from_secs(8)), ..Script::default() });
    assert_eq!(found[2], "0:07.0  8 play closed   hears closed, the caller hangs up");
    assert_eq!(found[3..], ["0:08.0  the caller hangs up"]);
}

#[test]
fn targets_are_rung_as_the_step_says_and_give_its_branch() {
    let dial = |mode: &str| {
        format!(
            "- dial: {{to: [alice, bob], mode: {mode}, timeout: 20s, busy: {{reject: busy}}, no_answer: hangup}}"
        )
    };
    let last = |mode: &str, script: &[(&str, &[&str])]| way(&dial(mode), &[], answers(script)).join(" | ");
    assert_eq!(
        last("parallel", &[("alice", &["busy"]), ("bob", &["no-answer"])]),
        "0:00.0  3 dial alice,bob   rings alice: busy, rings bob: no answer, → busy | 0:20.0  3 reject busy | 0:20.0  the \
         call is refused: 486 Busy Here"
    );
    assert_eq!(
        last("sequential", &[("alice", &["no-answer"]), ("bob", &["answered:60s"])]),
        "0:00.0  3 dial alice,bob   rings alice: no answer, rings bob: answered, they speak for 60 s, → done | 1:25.0  \
         the flow hangs up"
    );
    assert_eq!(
        last("sequential", &[("alice", &["answered:1s"])]),
        "0:00.0  3 dial alice,bob   rings alice: answered, they speak for 1 s, → done | 0:06.0  the flow hangs up"
    );
    assert_eq!(
        last("parallel", &[("alice", &["failed:604"]), ("bob", &["failed:503"])]),
        "0:00.0  3 dial alice,bob   rings alice: failed, rings bob: failed, → failed | 0:01.0  the call is refused: 503 \
         Service Unavailable"
    );
}

#[test]
fn answers_are_taken_in_turn_and_the_last_one_stays() {
    let again = "- label: top\n- dial: {to: alice, busy: {goto: .top}, no_answer: {goto: .top}}\n- hangup";
    let path = run(again, &[], answers(&[("alice", &["busy", "no-answer", "busy", "failed:410"])]));
    assert_eq!(path.rung().count(), 4);
    assert_eq!(path.end(), "  0:33.0  the call is refused: 410 Gone");
    let path = run(again, &[], answers(&[("alice", &["no-answer"])]));
    assert_eq!(path.end(), " 60:00.0  the caller hangs up");
}

#[test]
fn prompts_recordings_and_rooms_break_as_the_script_says() {
    let broken = Script { broken: ["choose".to_owned()].into(), ..Script::default() };
    let steps = "- answer\n- play: {prompts: [welcome, choose, closed], error: {play: goodbye}}";
    let path = run(steps, &[], broken);
    assert_eq!(path.heard().map(|it| &**it).collect::<Vec<_>>(), ["welcome", "goodbye"]);

    let script = Script { recording_breaks: Some(Duration::from_secs(1)), ..Script::default() };
    let found = way("- answer\n- record: {failed: {play: closed}}\n- play: [welcome, choose]", &[], script);
    let expected = [
        "0:00.0  4 record   the recording begins",
        "0:00.0  5 play welcome,choose   hears welcome",
        "0:01.0  4 record   → failed",
        "0:01.0  4 play closed   hears closed",
        "0:03.0  the flow hangs up",
    ];
    assert_eq!(found[1..], expected);

    let room = "- answer\n- conference: {room: board, mute: \"*6\", keys: {\"*0\": {play: goodbye}}, full: {play: closed}}";
    let found = way(room, &[], answers(&[("board", &["full"])]));
    assert_eq!(found[1], "0:00.0  4 conference board   is in the room board, → full");
    let found = way(room, &["*6", "*0"], Script::default());
    assert_eq!(
        found[1],
        "0:00.0  4 conference board   is in the room board, → mute, is muted, or heard again, → *0, leaves the room"
    );
    let found = way(room, &[], Script::default());
    assert_eq!(found[2..], ["1:00.0  the caller hangs up"]);
    let found = way("- answer\n- play: {prompts: welcome, times: forever}", &[], Script::default());
    assert_eq!(found[1], "0:00.0  4 play welcome   hears welcome, the caller hangs up");
}

#[test]
fn a_number_that_is_nobodys_is_told_with_the_nearest() {
    let config = load(&input(NODE, &flow("- hangup"))).unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(called(&config, "101", "carrier"), Err("101 is no number here; did you mean 100?".to_owned()));
    assert_eq!(called(&config, "sales", "alice"), Err("sales is no number here; there are 100".to_owned()));
}

#[test]
fn a_moment_is_of_the_first_calendars_zone_unless_it_has_an_offset() {
    let client = "hours: {office: {zone: Europe/Madrid, open: {mon: [09:00-10:00]}}}\n".to_owned()
        + &flow("- hours: {calendar: office, closed: hangup}");
    let config = load(&input(NODE, &client)).unwrap_or_else(|report| panic!("{report}"));
    let (client, _) = called(&config, "100", "carrier").expect("a number");
    // date -u -d '2026-12-25 09:00' +%s
    let expected = Ok(1_798_189_200_000_000);
    assert_eq!(moment_of(&config, client, "2026-12-25T10:00"), expected);
    assert_eq!(moment_of(&config, client, "2026-12-25T11:00+02:00"), expected);
    assert!(moment_of(&config, client, "at noon").is_err_and(|error| error.contains("2026-12-25T10:00")));
}

#[test]
fn words_that_are_no_answer_and_no_key_are_refused() {
    for word in ["bussy", "failed", "failed:99", "answered:5", "ended", ""] {
        assert!(word.parse::<Answer>().is_err(), "{word}");
    }
    for word in ["12a", "1 2", "hang"] {
        assert!(word.parse::<Press>().is_err(), "{word}");
    }
}

#[test]
fn texts_of_prompts_are_read_in_both_ways_of_writing_them() {
    let text = "welcome: Good day.\nagent: {text: Hello., pitch: 1.2}\nother: [1]\n".to_owned();
    let texts = Texts::read(&dialplan::SourceFile { path: "texts.yaml".into(), text });
    assert_eq!(
        ["welcome", "agent", "other"].map(|it| texts.of(it)),
        [Some("Good day."), Some("Hello."), None]
    );
}

/// The way of a call to number 100 of a client that is written whole, as [`way`].
fn way_of(client: &str, script: Script) -> (Vec<String>, Path) {
    let config = Arc::new(load(&input(NODE, client)).unwrap_or_else(|report| panic!("{report}")));
    let to = called(&config, "100", "carrier").expect("a number");
    let length = |_: &str| Duration::from_secs(2);
    let path = Simulation::new(&config, to, &call("100"), script, &length).run(&[]);
    let lines = path.lines.iter().map(|line| line.text(0, &Texts::default()));
    let lines = lines.chain([path.end()]).map(|text| text.replace("acme/acme.yaml:", "").trim().to_owned());
    (lines.collect(), path)
}

const QUEUE: &str = "\
numbers: {100: main}
users: {alice: {password: a}}
agents: {alice: {phone: alice}}
queues: {support: {agents: [alice], max_wait: 3m, no_agents_wait: 20s}}
flows:
  main:
    - answer
    - enqueue: {queue: support, full: {play: closed}, no_agents: {play: goodbye}, timeout: {play: invalid}, done: {play: welcome}}
";

#[test]
fn an_agent_has_whoever_waits_in_a_queue_unless_the_script_says_why_none_does() {
    let queue = |answer: &[&str], hangs_up: Option<u64>| {
        let script = answers(&[("support", answer)]);
        let script = Script { hangs_up: hangs_up.map(Duration::from_secs), ..script };
        let (lines, path) = way_of(QUEUE, script);
        assert_eq!(path.queues().map(|it| &**it).collect::<Vec<_>>(), ["support"]);
        (
            lines[1].strip_prefix("0:00.0  8  main: enqueue support   ").expect("the queue").to_owned(),
            path.end(),
        )
    };
    let waits = |what: &str, end: &str| (format!("waits in the queue support, {what}"), end.to_owned());
    assert_eq!(
        queue(&[], None),
        waits("an agent has it after 10 s, they speak for 30 s, → done", "  0:42.0  the flow hangs up")
    );
    assert_eq!(
        queue(&["answered:2m"], None),
        waits("an agent has it after 10 s, they speak for 120 s, → done", "  2:12.0  the flow hangs up")
    );
    assert_eq!(queue(&["full"], None), waits("→ full", "  0:02.0  the flow hangs up"));
    assert_eq!(queue(&["no_agents"], None), waits("→ no_agents", "  0:22.0  the flow hangs up"));
    assert_eq!(queue(&["timeout"], None), waits("→ timeout", "  3:02.0  the flow hangs up"));
    assert_eq!(queue(&[], Some(8)), waits("the caller hangs up", "  0:08.0  the caller hangs up"));
    let talks = "an agent has it after 10 s, they speak for 30 s, the caller hangs up";
    assert_eq!(queue(&[], Some(15)), waits(talks, "  0:15.0  the caller hangs up"));
}

#[test]
fn keys_lead_out_of_a_queue_before_an_agent_has_the_caller() {
    let config = QUEUE.replace("queue: support", "queue: support, keys: {\"1\": {play: choose}}");
    let config = Arc::new(load(&input(NODE, &config)).unwrap_or_else(|report| panic!("{report}")));
    let to = called(&config, "100", "carrier").expect("a number");
    let length = |_: &str| Duration::from_secs(2);
    let simulation = Simulation::new(&config, to, &call("100"), Script::default(), &length);
    let path = simulation.run(&[Press::Keys("1".to_owned())]);
    let line = path.lines[1].text(0, &Texts::default());
    assert!(line.ends_with("waits in the queue support, → 1, leaves the queue"), "{line}");
    assert_eq!(path.end(), "  0:03.0  the flow hangs up");
}

#[test]
fn agents_may_do_what_they_want_unless_the_script_refuses_it() {
    let login = "- agent: {do: login, failed: {reject: forbidden}}\n- hangup";
    let found = way(login, &[], Script::default());
    assert_eq!(found[0], "0:00.0  3 agent login   the agent logs in");
    let found = way(login, &[], answers(&[("agent", &["refused"])]));
    assert_eq!(found[0], "0:00.0  3 agent login   the agent logs in: refused, → failed");
    assert_eq!(found.last().map(String::as_str), Some("0:00.0  the call is refused: 403 Forbidden"));
}

#[test]
fn what_is_done_for_errors_and_after_the_end_is_on_the_way() {
    let client = "\
numbers: {100: main}
flows:
  main:
    steps: [answer, {play: choose}, {call: greet}, hangup]
    on_error: [{play: closed}]
    on_hangup: [{set: {done: true}}]
  greet: {inputs: {}, steps: [{play: welcome}, return]}
";
    let (lines, path) = way_of(client, Script::default());
    let expected = [
        "0:00.0  4  main: answer   the caller is answered",
        "0:00.0  4  main: play choose   hears choose",
        "0:02.0  4  main: call greet",
        "0:02.0  7  greet: play welcome   hears welcome",
        "0:04.0  7  greet: return",
        "0:04.0  4  main: call greet   → returned",
        "0:04.0  4  main: hangup",
        "0:04.0  6  main: set done",
        "0:04.0  the flow hangs up",
    ];
    assert_eq!(lines, expected);
    assert_eq!(path.variables, [("done".into(), "true".to_owned())]);
    let broken = Script { broken: ["choose".to_owned()].into(), ..Script::default() };
    let (lines, _) = way_of(client, broken);
    let expected = [
        "0:00.0  4  main: play choose   choose cannot be played, → error, → on_error",
        "0:00.0  5  main: play closed   hears closed",
        "0:02.0  6  main: set done",
        "0:02.0  the flow hangs up",
    ];
    assert_eq!(lines[1..], expected);
    let (lines, _) = way_of(client, Script { hangs_up: Some(Duration::from_secs(1)), ..Script::default() });
    let expected = [
        "0:00.0  4  main: play choose   hears choose, the caller hangs up",
        "0:01.0  6  main: set done",
        "0:01.0  the caller hangs up",
    ];
    assert_eq!(lines[1..], expected);
}

#[test]
fn what_comes_before_the_answer_and_what_no_record_keeps_is_told() {
    let steps = "\
- ring
- early_media: welcome
- answer
- record
- record: pause
- tone: {name: busy, for: 60s}
- record: resume
- pause: 2s";
    let expected = [
        "0:00.0  3 ring   hears ringing",
        "0:00.0  4 early_media welcome   is not answered yet, hears welcome",
        "0:02.0  5 answer   the caller is answered",
        "0:02.0  6 record   the recording begins",
        "0:02.0  7 record pause   the recording passes over this",
        "0:02.0  8 tone busy   hears busy-tone",
        "1:02.0  9 record resume   the recording goes on",
        "1:02.0  10 pause 2s",
        "1:04.0  the flow hangs up",
    ];
    assert_eq!(way(steps, &[], Script::default()), expected);
}

#[test]
fn a_calls_seed_says_which_share_it_is_of() {
    let client = flow("- percent: {50: {reject: busy}, 40: {reject: gone}}\n- hangup");
    let config = Arc::new(load(&input(NODE, &client)).unwrap_or_else(|report| panic!("{report}")));
    let to = called(&config, "100", "carrier").expect("a number");
    let length = |_: &str| Duration::ZERO;
    let end = |seed| {
        let call = SimulatedCall { seed, ..call("100") };
        Simulation::new(&config, to, &call, Script::default(), &length).run(&[]).end()
    };
    let ends: std::collections::BTreeSet<String> = (0..200).map(end).collect();
    assert_eq!(ends.len(), 3, "{ends:?}");
    assert_eq!(end(5), end(5));
}

#[test]
fn what_is_said_is_heard_word_by_word_in_its_language() {
    let steps = "- answer\n- say: {number: 121}\n- say: {digits: call.language, error: {play: closed}}";
    let expected = [
        "0:00.0  3 answer   the caller is answered",
        "0:00.0  4 say number   hears en/100, hears en/21",
        "0:04.0  5 say digits   → error",
        "0:04.0  5 play closed   hears closed",
        "0:06.0  the flow hangs up",
    ];
    assert_eq!(way(steps, &[], Script::default()), expected);
}

const CALLBACK: &str = "\
numbers: {100: main}
users: {alice: {password: a}}
agents: {alice: {phone: alice}}
queues: {support: {agents: [alice], callback: {trunk: [carrier, backup], flow: called-back, ring: 20s}}}
flows:
  main:
    - answer
    - callback: {queue: support, duplicate: {play: closed}, failed: {play: invalid}}
  called-back:
    - answer
    - enqueue: support
";

#[test]
fn whoever_asks_for_it_is_to_be_called_back_unless_the_script_says_why_not() {
    let callback = |answer: &[&str]| {
        let (lines, _) = way_of(CALLBACK, answers(&[("callback", answer)]));
        lines[1].strip_prefix("0:00.0  8  main: callback support   ").expect("the step").to_owned()
    };
    let asks = "is to be called back at +34600111222 from the queue support";
    assert_eq!(callback(&[]), format!("{asks}, → kept"));
    assert_eq!(callback(&["duplicate"]), format!("{asks}: refused, → duplicate"));
    assert_eq!(callback(&["refused"]), format!("{asks}: refused, → failed"));
    let config = load(&input(NODE, CALLBACK)).unwrap_or_else(|report| panic!("{report}"));
    let queue = config.queue("acme", "support").expect("the queue");
    let callbacks = queue.callbacks.as_ref().expect("it calls back");
    assert_eq!(callbacks.trunks.iter().map(|it| &**it).collect::<Vec<_>>(), ["carrier", "backup"]);
    // The agent is kept for what is said after the answer, too.
    assert_eq!(
        (callbacks.ring, queue.plan.callback.ring),
        (Duration::from_secs(20), Duration::from_secs(50))
    );
}
