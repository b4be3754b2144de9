//! `http`: what is sent, what is made of answers, and what is heard meanwhile.

use crate::call::{Call, flow};
use crate::support::{NODE, input};
use dialplan::{HttpResult, Machine, MachineInput, Reply, Script, SimulatedCall, Simulation, load};
use std::sync::Arc;

const MAY: &str = "client: {http: {hosts: [api.example.com]}}\nsecrets: {shop: {env: SHOP}}\n";

/// An answered call at these steps, the first of which stands in line 6.
fn answered(steps: &str) -> Call {
    let mut call = Call::new(&format!("{MAY}{}", flow(&format!("- answer\n{steps}"))));
    assert_eq!(call.next(), "5 answer | answered");
    call.input(MachineInput::Answered);
    call
}

fn reply(call: &mut Call, number: u32, status: u16, body: &str) -> String {
    let result = HttpResult::Answered { status, body: body.into() };
    call.input(MachineInput::HttpEnded { number, result });
    call.next()
}

#[test]
fn values_are_encoded_for_the_place_in_which_they_stand() {
    let mut call = answered(
        "- set: {id: \"'a/b?&=é\\\" ..'\", n: 3}\n\
         - http: {url: \"https://api.example.com/o/{id}?n={n + 1}\", wait: false}\n\
         - http: {url: \"https://api.example.com\", method: POST, form: {k y: id, s: secret.shop}, wait: false}\n\
         - http: {url: \"https://api.example.com?x\", method: PUT, json: {id: id, l: [n, 1.5, {t: true}], s: secret.shop}, \
         headers: {Authorization: \"Bearer {secret.shop}\", X-N: \"{n}-{n}\"}, retries: 0, wait: false}\n- hangup\n",
    );
    let encoded = "a%2Fb%3F%26%3D%C3%A9%22%20..";
    let steps = call.next();
    let asked: Vec<&str> = steps.split(" | ").filter(|it| it.starts_with("tell")).collect();
    assert_eq!(asked[0], format!("tell#0 GET https://api.example.com/o/{encoded}?n=4 1 more"));
    assert_eq!(asked[1], format!("tell#1 POST https://api.example.com/ k%20y={encoded}&s={{secret.shop}}"));
    assert_eq!(
        asked[2],
        "tell#2 PUT https://api.example.com/?x {\"id\":\"a/b?&=é\\\" ..\",\"l\":[3,1.5,{\"t\":true}],\"s\":\"{secret.shop}\"} \
         Authorization: [(Bearer ), Secret(shop)] X-N: [(3), (-), (3)]"
    );
    assert!(call.is_over(), "nobody waits for what is only told");
}

#[test]
fn a_value_that_would_lead_elsewhere_or_begin_a_header_is_not_sent() {
    let step = |value: &str, rest: &str| {
        let mut call = answered(&format!(
            "- set: {{v: \"{value}\"}}\n- http: {{url: \"https://api.example.com/{{v}}/x\"{rest}, failed: {{play: closed}}}}\n"
        ));
        call.next().rsplit(" | ").next().map(str::to_owned)
    };
    assert_eq!(step("'..'", "").as_deref(), Some("play#0 closed"));
    assert_eq!(step("'a\\\\nB: c'", ", headers: {X: \"{v}\"}").as_deref(), Some("play#0 closed"));
    assert_eq!(step("'a\\\\nB: c'", "").map(|it| it.contains("a%0AB%3A%20c")), Some(true));
}

#[test]
fn an_answer_fills_variables_by_their_types_and_leads_on() {
    let steps = "- http: {url: \"https://api.example.com/\", extract: {state: /order/state, n: {at: /n, type: int, default: 7}}, \
                 status: {\"404\": {play: closed}, 4xx: {play: invalid}}, invalid: {play: goodbye}, timeout: {play: choose}}\n\
                 - say: {number: n}\n- if: {when: state == 'sent', then: hangup}\n";
    let of = |result: HttpResult| {
        let mut call = answered(steps);
        assert_eq!(
            call.next(),
            "6 http GET https://api.example.com/ | ask#0 GET https://api.example.com/ 1 more"
        );
        call.input(MachineInput::HttpEnded { number: 0, result });
        call.next()
    };
    let answer = |status, body: &str| of(HttpResult::Answered { status, body: body.into() });
    assert_eq!(
        answer(200, "{\"order\":{\"state\":\"sent\"},\"n\":3}"),
        "http:ok | 7 say number | play#0 en/3"
    );
    // An order number is a text, and a field that is missing or null has its default.
    assert_eq!(
        answer(201, "{\"order\":{\"state\":4711},\"n\":null}"),
        "http:ok | 7 say number | play#0 en/7"
    );
    for body in [
        "{\"order\":{}}",
        "{\"order\":{\"state\":true}}",
        "{\"order\":{\"state\":\"\"},\"n\":\"3\"}",
        "",
        "[",
        "null",
    ] {
        assert!(answer(200, body).starts_with("http:invalid | 6 play goodbye"), "{body}");
    }
    assert!(answer(404, "").starts_with("http:404 | 6 play closed"));
    assert!(answer(410, "").starts_with("http:4xx | 6 play invalid"));
    assert!(of(HttpResult::TimedOut).starts_with("http:timeout | 6 play choose"));
    // What has no branch goes on with what the variables are by default.
    assert_eq!(answer(500, ""), "http:failed | 7 say number | play#0 en/7");
    assert_eq!(of(HttpResult::Failed), "http:failed | 7 say number | play#0 en/7");
}

#[test]
fn a_caller_hears_the_filler_after_a_while_and_then_music_until_the_answer() {
    let mut call = answered(
        "- http: {url: \"https://api.example.com/\", filler: {prompts: welcome, after: 2s}}\n- hangup\n",
    );
    call.next();
    call.pass(1_999);
    assert_eq!(call.next(), "");
    call.pass(1);
    assert_eq!(call.next(), "play#0 welcome");
    call.played(0);
    assert_eq!(call.next(), "play#1 hold forever");
    // Keys are kept, and the answer to another request is none.
    call.keys("1");
    assert_eq!(reply(&mut call, 1, 200, ""), "");
    assert_eq!(reply(&mut call, 0, 200, ""), "stop#1 | http:ok | 7 hangup | hang up");
}

#[test]
fn who_is_not_answered_or_wants_no_filler_hears_none() {
    let mut call = answered("- http: {url: \"https://api.example.com/\", filler: none}\n");
    call.pass(60_000);
    assert!(!call.next().contains("play"));
    let mut call =
        Call::new(&format!("{MAY}{}", flow("- http: {url: \"https://api.example.com/\"}\n- reject: busy")));
    call.pass(60_000);
    assert!(!call.next().contains("play"));
    assert_eq!(reply(&mut call, 0, 200, ""), "http:ok | 6 reject busy | reject 486 Busy Here");
}

#[test]
fn who_hangs_up_is_not_waited_for_and_what_is_only_told_goes_out_all_the_same() {
    let client = format!(
        "{}flows:\n  main:\n    on_hangup: {{http: {{url: \"https://api.example.com/gone\", method: POST, idempotent: true, wait: false}}}}\n    \
         steps: [answer, {{http: {{url: \"https://api.example.com/\"}}}}]\nnumbers: {{100: main}}\n",
        MAY
    );
    let mut call = Call::new(&client);
    call.input(MachineInput::Answered);
    call.next();
    call.input(MachineInput::HungUp);
    let told = call.next();
    let (before, key) = told.split_once(" Idempotency-Key: [(").expect("a key");
    assert_eq!(
        before,
        "nobody asks#0 | 5 http POST https://api.example.com/gone | tell#1 POST https://api.example.com/gone"
    );
    assert!(key.trim_end_matches(")]").len() == 32 && call.is_over(), "{key}");
    assert_eq!(reply(&mut call, 0, 200, ""), "");
}

/// The way of a call to number 100, its servers answering so.
fn simulated(steps: &str, replies: &[&str]) -> String {
    let client = format!("{MAY}{}", flow(steps));
    let config = Arc::new(load(&input(NODE, &client)).unwrap_or_else(|report| panic!("{report}")));
    let to = config.number(None, "100").expect("number 100");
    let call = SimulatedCall {
        number: "100".into(),
        from: "+34600111222".into(),
        source: "carrier".into(),
        diverted_by: String::new(),
        verstat: dialplan::Verstat::None,
        attestation: None,
        at: 0,
        seed: 0,
    };
    let replies =
        replies.iter().map(|it| it.parse::<Reply>().unwrap_or_else(|error| panic!("{error}"))).collect();
    let script = Script { replies, ..Script::default() };
    let path = Simulation::new(&config, to, &call, script, &|_| clock::Duration::from_secs(2)).run(&[]);
    let texts = dialplan::Texts::default();
    path.lines.iter().map(|line| line.text(17, &texts)).chain([path.end()]).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_simulated_call_shows_what_is_asked_and_answered() {
    let steps = "- answer\n- http: {url: \"https://api.example.com/{call.to}\", extract: {state: /state}, filler: welcome, timeout: {play: closed}}\n\
                 - if: {when: state == 'sent', then: {play: goodbye}}";
    let sent = simulated(steps, &["200:{\"state\":\"sent\"}"]);
    assert!(
        sent.contains("asks GET https://api.example.com/100: 200, → ok") && sent.contains("hears goodbye"),
        "{sent}"
    );
    let late = simulated(steps, &["timeout"]);
    assert!(
        late.contains("asks GET https://api.example.com/100: timeout, hears welcome, → timeout"),
        "{late}"
    );
    assert!(late.contains("hears closed") && !late.contains("hold"), "{late}");
    assert!(simulated(steps, &[]).contains("→ failed"), "an answer without a state");
}

#[test]
fn a_machine_that_is_shown_tells_no_secret() {
    // The pure core has only the name: no value could be told.
    let config =
        load(&input(NODE, &format!("{MAY}{}", flow("- hangup")))).unwrap_or_else(|report| panic!("{report}"));
    let secrets = &config.clients[0].secrets;
    assert_eq!(format!("{secrets:?}"), "[Secret { name: \"shop\", source: Env(\"SHOP\") }]");
    let _: fn(&Machine) -> bool = Machine::is_over;
}
