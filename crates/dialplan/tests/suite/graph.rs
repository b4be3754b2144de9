//! Flows as pictures.

use crate::support::{NODE, input};
use dialplan::{Graph, load};

const FLOWS: &str = "\
flows:
  main:
    - answer
    - label: again
    - menu:
        prompt: choose
        keys: {\"1\": {goto: sales}, \"9\": {goto: .again}, \"#\": hangup}
        invalid: {play: invalid}
        max_tries: {goto: later}
  sales:
    - dial: {to: alice, busy: {goto: later}, no_answer: {goto: later}, failed: }
  later:
    - if: {when: call.from == 'a\"<b', then: {goto: main}}
  apart:
    - hangup
users: {alice: {password: a}}
";

fn graph(flow: &str) -> Result<Graph, String> {
    Graph::of(&load(&input(NODE, FLOWS)).unwrap_or_else(|report| panic!("{report}")), flow)
}

#[test]
fn steps_and_branches_that_can_be_reached_are_drawn_with_failures_dashed() {
    let expected = "\
flowchart TD
  n0([\"flow main\"])
  n1[\"answer<br/><small>acme/acme.yaml:3</small>\"]
  n2[\"menu choose<br/><small>acme/acme.yaml:5</small>\"]
  n3[\"play invalid<br/><small>acme/acme.yaml:8</small>\"]
  n4([\"flow later\"])
  n5[\"if call.from == 'a#quot;#lt;b'<br/><small>acme/acme.yaml:13</small>\"]
  n6([\"flow sales\"])
  n7[\"dial alice<br/><small>acme/acme.yaml:11</small>\"]
  n8[\"hangup<br/><small>acme/acme.yaml:7</small>\"]
  n9((\" \"))
  n10((\" \"))
  n11((\" \"))
  n0 --> n1
  n1 --> n2
  n2 -.->|\"invalid\"| n3
  n4 --> n5
  n2 -.->|\"max_tries\"| n4
  n6 --> n7
  n2 -->|\"1\"| n6
  n2 -->|\"9\"| n2
  n2 -->|\"#35;\"| n8
";
    let found = graph("main").expect("a flow").mermaid();
    assert!(found.starts_with(expected), "{found}");
    let rest = [
        "-.->|\"busy, no_answer\"| n4",
        "-.->|\"failed\"|",
        "-->|\"done\"|",
        "n5 -->|\"then\"| n0",
        "n5 -->|\"else\"|",
    ];
    for way in rest {
        assert!(found.contains(way), "{way} is not in\n{found}");
    }
    assert!(!found.contains("apart"), "{found}");
}

#[test]
fn the_picture_has_each_step_once_and_dashes_failures() {
    let svg = graph("acme/main").expect("a flow").svg();
    assert_eq!(svg.matches("class=\"step\"").count(), 6, "{svg}");
    assert_eq!(svg.matches("class=\"flow\"").count(), 3, "{svg}");
    assert_eq!(svg.matches("class=\"way failure\"").count(), 4, "{svg}");
    assert!(svg.contains("<title>acme/acme.yaml:13 if call.from == 'a&quot;&lt;b'</title>"), "{svg}");
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
}

#[test]
fn a_flow_that_is_not_there_is_told_with_the_nearest() {
    assert_eq!(graph("mian").unwrap_err(), "there is no flow mian; did you mean main?");
    assert_eq!(graph("other/main").unwrap_err(), "there is no flow other/main; did you mean main?");
}

#[test]
fn queues_loops_and_sub_flows_have_their_ways_named() {
    let client = "\
agents: {alice: {login: automatic}}
users: {alice: {password: a}}
queues: {support: {agents: all}}
flows:
  main:
    - answer
    - loop: {times: 2, do: {play: welcome}}
    - call: {flow: sub, too_deep: hangup}
    - enqueue: {queue: support, keys: {\"1\": {play: choose}}, no_agents: {play: closed}}
    - play: goodbye
  sub: {inputs: {}, steps: [{play: invalid}]}
";
    let config = load(&input(NODE, client)).unwrap_or_else(|report| panic!("{report}"));
    let found = Graph::of(&config, "main").expect("a flow").mermaid();
    for way in [
        "-->|\"do\"|",
        "-->|\"done\"|",
        "-->|\"returned\"|",
        "-.->|\"too_deep\"|",
        "-->|\"1\"|",
        "-.->|\"no_agents\"|",
    ] {
        assert_eq!(found.matches(way).count(), 1, "{way} in\n{found}");
    }
}
