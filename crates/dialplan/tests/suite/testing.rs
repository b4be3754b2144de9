//! Tests of flows: what they tell of a way that is not as expected, and which branches they take.

use crate::support::{NODE, input};
use clock::Duration;
use dialplan::{Config, Coverage, SourceFile, TestCase, load, load_tests};
use std::sync::Arc;

const CLIENT: &str = "\
numbers: {100: main}
users: {alice: {password: a}, bob: {password: b}}
hours:
  office: {zone: Europe/Madrid, open: {mon-fri: [09:00-18:00]}, closed: [2026-12-25]}
flows:
  main:
    - hours: {calendar: office, closed: {reject: unavailable}}
    - answer
    - gather: {into: account, prompt: choose, max: 4, max_tries: hangup}
    - if: {when: account == '1234', then: {goto: vip}}
    - dial: {to: alice, busy: {play: closed}, no_answer: }
  vip:
    - menu:
        prompt: welcome
        keys: {\"1\": {switch: {on: account == '1', cases: {\"true\": hangup, \"false\": {dial: bob}}}}, \"2\": hangup}
  unused:
    - hangup
";

fn plan(tests: &str) -> (Arc<Config>, Vec<TestCase>) {
    let input = input(NODE, CLIENT);
    let config = load(&input).unwrap_or_else(|report| panic!("{report}"));
    let files =
        [SourceFile { path: "acme/main.test.yaml".into(), text: format!("call: 100\ntests:\n{tests}") }];
    let cases =
        load_tests(&config, &input.clients[0], &[], &files).unwrap_or_else(|report| panic!("{report}"));
    (Arc::new(config), cases)
}

fn length(_: &str) -> Duration {
    Duration::from_secs(2)
}

/// The differences of one test.
fn differences(test: &str) -> String {
    let (config, cases) = plan(&format!("  one: {test}\n"));
    let path = cases[0].run(&config, &length);
    cases[0].differences(&path).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_test_passes_when_all_that_it_says_is_so() {
    let way = "keys: [\"1234\", \"1\"], answers: {bob: busy}";
    let expect = "heard: [choose, welcome], dials: [bob], flows: [main, vip], variables: {account: 1234}, ends: hangup";
    assert_eq!(differences(&format!("{{{way}, expect: {{{expect}}}}}")), "");
    assert_eq!(differences("{call: {at: 2026-11-22T12:00}, expect: {heard: [], ends: reject 480}}"), "");
    assert_eq!(differences("{hangs_up: 3s, expect: {ends: caller, variables: {account: \"\"}}}"), "");
    let (_, cases) = plan("  one: {expect: {ends: hangup}}\n");
    assert_eq!((cases[0].name.as_str(), cases[0].line), ("one", 3));
}

#[test]
fn each_expectation_fails_by_itself_with_the_lines_that_differ() {
    let found =
        differences("{keys: [\"1234\", \"2\"], expect: {heard: [welcome, choose, closed], ends: hangup}}");
    assert_eq!(found, "heard:\n  - welcome\n    choose\n  - closed\n  + welcome");
    let found = differences("{keys: [\"1\"], answers: {alice: busy}, expect: {dials: [alice, bob]}}");
    assert_eq!(found, "dials:\n    alice\n  - bob");
    let found = differences("{keys: [\"1\"], expect: {flows: [main, vip]}}");
    assert_eq!(found, "flows:\n    main\n  - vip");
    let found = differences("{keys: [\"0042\"], expect: {variables: {account: 42}}}");
    assert_eq!(found, "variables:\n  - account: 42\n  + account: 0042");
    let found = differences("{keys: [hangup], expect: {ends: reject 486}}");
    assert_eq!(found, "ends:\n  - reject 486\n  + caller");
}

/// `flow taken/branches`, and then what was missed.
fn coverage(tests: &str) -> Vec<String> {
    let (config, cases) = plan(tests);
    let mut coverage = Coverage::default();
    for case in &cases {
        let path = case.run(&config, &length);
        assert_eq!(case.differences(&path), [], "{}", case.name);
        coverage.add(&path);
    }
    let mut lines = Vec::new();
    for flow in coverage.of(config.client(cases[0].client())) {
        lines.push(format!("{} {}/{}", flow.flow, flow.taken, flow.branches));
        let branch = |it: &Option<Arc<str>>| it.as_ref().map_or("-".to_owned(), ToString::to_string);
        lines.extend(
            flow.missed
                .iter()
                .map(|it| format!("{}:{} {} {}", it.file, it.line, it.step, branch(&it.branch))),
        );
    }
    lines
}

#[test]
fn branches_that_no_test_takes_are_told_with_their_place() {
    let found = coverage("  one: {keys: [\"1\"], answers: {alice: no-answer}, expect: {ends: hangup}}\n");
    let expected = [
        "main 5/10",
        "acme/acme.yaml:7 hours office closed",
        "acme/acme.yaml:9 gather account max_tries",
        "acme/acme.yaml:10 if account == '1234' then",
        "acme/acme.yaml:11 dial alice busy",
        "acme/acme.yaml:11 dial alice done",
        "vip 0/6",
        "acme/acme.yaml:13 menu welcome -",
        "acme/acme.yaml:15 menu welcome 1",
        "acme/acme.yaml:15 switch account == '1' true",
        "acme/acme.yaml:15 switch account == '1' false",
        "acme/acme.yaml:15 menu welcome 2",
        "acme/acme.yaml:15 dial bob done",
        "unused 0/1",
        "acme/acme.yaml:17 hangup -",
    ];
    let (mut found, mut expected) = (found, expected.map(str::to_owned).to_vec());
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_holiday_is_a_closed_day_where_it_has_no_branch_of_its_own() {
    let closed = |at: &str| format!("  one: {{call: {{at: {at}}}, expect: {{ends: reject 480}}}}\n");
    let missed =
        |at: &str| coverage(&closed(at)).contains(&"acme/acme.yaml:7 hours office closed".to_owned());
    assert_eq!([missed("2026-12-25T12:00"), missed("2026-11-22T12:00")], [false, false]);
    let open = "  one: {keys: [hangup], expect: {ends: caller}}\n";
    assert!(coverage(open).contains(&"acme/acme.yaml:7 hours office closed".to_owned()));
}

#[test]
fn branches_of_the_newer_verbs_are_told_and_taken() {
    let client = "\
numbers: {100: main}
users: {alice: {password: a}}
agents: {alice: {phone: alice}}
queues: {support: {agents: [alice]}}
flows:
  main:
    steps:
      - answer
      - pin: {prompt: choose, is: \"'1'\", max_tries: hangup}
      - loop: {times: 2, do: {play: welcome}}
      - percent: {60: {call: greet}, 40: {call: {flow: leave, error: hangup}}}
      - confirm: {prompt: choose, no: {goto: out}}
      - enqueue: {queue: support, keys: {\"1\": hangup}, full: hangup}
    on_error: [{play: closed}]
    on_hangup: [{set: {done: true}}]
  greet: {inputs: {}, steps: [{play: welcome}]}
  leave: {inputs: {}, steps: [hangup]}
  out: [{agent: {do: pause, failed: hangup}}]
";
    let input = input(NODE, client);
    let config = Arc::new(load(&input).unwrap_or_else(|report| panic!("{report}")));
    let covered = |tests: &str| {
        let text = format!("call: 100\ntests:\n{tests}");
        let files = [SourceFile { path: "acme/main.test.yaml".into(), text }];
        let cases = load_tests(&config, &input.clients[0], &[], &files);
        let cases = cases.unwrap_or_else(|report| panic!("{report}"));
        let mut coverage = Coverage::default();
        for case in &cases {
            let path = case.run(&config, &length);
            assert_eq!(case.differences(&path), [], "{}", case.name);
            coverage.add(&path);
        }
        let flows = coverage.of(config.client(cases[0].client()));
        let missed = |it: &dialplan::Missed| format!("{} {}", it.step, it.branch.as_deref().unwrap_or("-"));
        let mut missed: Vec<String> = flows.iter().flat_map(|flow| flow.missed.iter().map(missed)).collect();
        missed.sort();
        (flows.iter().map(|flow| flow.branches).sum::<usize>(), missed)
    };
    let (all, missed) = covered("  one: {hangs_up: 1s, expect: {ends: caller, variables: {done: true}}}\n");
    let expected = [
        "agent pause failed",
        "agent pause -",
        "call greet returned",
        "call leave error",
        "confirm choose no",
        "confirm choose yes",
        "enqueue support 1",
        "enqueue support done",
        "enqueue support full",
        "hangup -",
        "loop 2 do",
        "loop 2 done",
        "percent 60/40 40",
        "percent 60/40 60",
        "pin choose max_tries",
        "pin choose right",
        "play closed on_error",
        "play welcome -",
    ];
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!((all, missed), (expected.len() + 2, expected));
}
