//! `say`, and prompts in the language of the call.

use crate::call::{Call, flow};
use crate::support::{NODE, input};
use clock::Duration;
use dialplan::{AutoAnswer, ClientFiles, MachineInput, PromptFile, Told, load};

/// What a call with these steps says, where its client speaks English and German.
fn said(steps: &str) -> String {
    let client = flow(&format!("- answer\n{steps}")) + "client: {languages: [en, de]}\n";
    let mut call = Call::new(&client);
    call.input(MachineInput::Answered);
    let done = call.next();
    done.trim_start_matches("3 answer | answered | ").to_owned()
}

#[test]
fn each_kind_is_a_play_of_its_words() {
    for (step, expected) in [
        ("{number: 1 + 120}", "say number | play#0 en/100,en/21"),
        ("{ordinal: 3}", "say ordinal | play#0 en/ordinal-3"),
        ("{digits: \"'0' + '1'\"}", "say digits | play#0 en/0,en/1"),
        ("{spell: \"'Ab1'\"}", "say spell | play#0 en/letter-a,en/letter-b,en/1"),
        ("{phone: \"'+34 911'\"}", "say phone | play#0 en/plus,en/3,en/4,en/pause,en/9,en/1,en/1"),
        ("{date: \"'2026-12-24'\"}", "say date | play#0 en/month-12,en/ordinal-24,en/20,en/26"),
        ("{time: \"'14:05'\"}", "say time | play#0 en/2,en/oh,en/5,en/pm"),
        ("{duration: 61}", "say duration | play#0 en/1,en/minute,en/and,en/1,en/second"),
        ("{money: 12.5, currency: USD}", "say money | play#0 en/12,en/dollars,en/and,en/50,en/cents"),
        ("{money: -1, currency: GBP}", "say money | play#0 en/minus,en/1,en/pound"),
    ] {
        assert_eq!(said(&format!("- say: {step}")), format!("4 {expected}"));
    }
}

#[test]
fn the_language_is_that_of_the_step_or_of_the_call() {
    assert_eq!(said("- say: {number: 1, gender: feminine, language: de}"), "4 say number | play#0 de/1f");
    let steps = "- set: {call.language: \"'de'\"}\n- say: {number: 21}";
    assert_eq!(said(steps), "4 set call.language | 5 say number | play#0 de/21");
}

#[test]
fn a_language_that_the_client_has_not_changes_nothing() {
    let steps = "- set: {call.language: call.from}\n- say: {spell: call.language}";
    assert_eq!(said(steps), "4 set call.language | set:error | 5 say spell | play#0 en/letter-e,en/letter-n");
}

#[test]
fn what_cannot_be_said_takes_the_error_branch_or_goes_on() {
    let long = "1".repeat(201);
    for step in [
        "{date: \"'2026-02-29'\"".to_owned(),
        "{date: \"'24.12.2026'\"".to_owned(),
        "{time: \"'9:05'\"".to_owned(),
        "{ordinal: 0".to_owned(),
        "{digits: \"'1a'\"".to_owned(),
        format!("{{digits: \"'{long}'\""),
        "{duration: 1 / 0".to_owned(),
        "{number: 1000000000001".to_owned(),
        "{money: 1.0e300, currency: EUR".to_owned(),
    ] {
        let said = said(&format!("- say: {step}, error: {{play: invalid}}}}"));
        assert!(said.ends_with("| say:error | 4 play invalid | play#0 invalid"), "{step}: {said}");
    }
    assert_eq!(said("- say: {digits: \"''\"}\n- hangup"), "4 say digits | say:error | 5 hangup | hang up");
}

#[test]
fn it_goes_on_behind_the_last_word() {
    let mut call = Call::answered("- say: {number: 7, error: {play: closed}}\n- play: goodbye");
    assert_eq!(call.next(), "4 say number | play#0 en/7");
    call.played(0);
    assert_eq!(call.next(), "5 play goodbye | play#1 goodbye");
    let mut call = Call::answered("- say: {number: 7, error: {play: closed}}\n- play: goodbye");
    call.input(MachineInput::PlayEnded { play: 0, failed: Some("gone".into()) });
    assert_eq!(call.next(), "4 say number | play#0 en/7 | say:error | 4 play closed | play#1 closed");
}

/// The files that two plays of a call have, first in English, then in German.
fn heard(own: &[&str], system: &[&str]) -> Result<Vec<String>, String> {
    let steps = "- answer\n- play: hello\n- set: {call.language: \"'de'\"}\n- menu: {prompt: hello, keys: {\"1\": hangup}}";
    let client = flow(steps) + "client: {language: en, languages: [de]}\n";
    let file = |folder: &'static str| {
        move |name: &&str| PromptFile { name: (*name).into(), path: format!("{folder}/{name}"), error: None }
    };
    let mut all = input(NODE, &client);
    let client = ClientFiles { prompts: own.iter().map(file("own")).collect(), ..all.clients[0].clone() };
    all.clients = vec![client];
    all.system_prompts = system.iter().map(file("system")).collect();
    load(&all).map_err(|report| report.to_string())?;
    let mut call = Call::of(&all, 1_795_449_600, 7);
    call.input(MachineInput::Answered);
    call.played(0);
    let plays = call.next();
    let files = plays.split(" | ").filter_map(|part| part.strip_prefix("play#"));
    Ok(files.filter_map(|part| part.split_once(' ')).map(|(_, file)| file.to_owned()).collect())
}

#[test]
fn a_prompt_of_the_client_comes_before_the_systems_and_one_of_the_language_before_that_of_all() {
    let files = |own: &[&str], system: &[&str]| heard(own, system).expect("it checks");
    let all = ["hello", "de/hello", "en/hello"];
    assert_eq!(files(&all, &all), ["own/en/hello", "own/de/hello"]);
    assert_eq!(files(&["hello", "de/hello"], &all), ["own/hello", "own/de/hello"]);
    assert_eq!(files(&["hello"], &all), ["own/hello", "own/hello"]);
    assert_eq!(files(&["en/hello"], &["de/hello"]), ["own/en/hello", "system/de/hello"]);
    assert_eq!(files(&[], &["hello", "en/hello"]), ["system/en/hello", "system/hello"]);
}

#[test]
fn a_prompt_that_one_language_lacks_is_an_error() {
    let report = heard(&["en/hello"], &[]).expect_err("German has none");
    assert!(report.contains("there is no prompt `hello` in `de`"), "{report}");
    assert!(report.contains("put it at acme/prompts/de/hello.wav"), "{report}");
}

#[test]
fn a_sub_flow_speaks_and_changes_the_language_of_its_call() {
    let client = "client: {languages: [en, de]}
numbers: {100: main}
flows:
  main:
    - answer
    - set: {call.language: \"'de'\"}
    - call: greet
    - say: {spell: call.language}
  greet:
    inputs: {}
    steps:
      - say: {number: 1}
      - set: {call.language: \"'en'\"}
";
    let mut call = Call::new(client);
    call.input(MachineInput::Answered);
    assert!(call.next().ends_with("12 say number | play#0 de/1"));
    call.played(0);
    let heard = call.next();
    assert!(heard.ends_with("8 say spell | play#1 en/letter-e,en/letter-n"), "{heard}");
}

#[test]
fn without_a_branch_it_goes_to_the_handler_of_last_resort() {
    let client = "client: {on_error: sorry}
numbers: {100: main}
flows:
  main:
    - answer
    - say: {date: \"'24.12.2026'\"}
  sorry: [{play: closed}]
";
    let mut call = Call::new(client);
    call.input(MachineInput::Answered);
    let heard = call.next();
    assert!(heard.ends_with("say:error | flow:on_error | 7 play closed | play#0 closed"), "{heard}");
}

/// The queue of a client that speaks German, and English too.
fn queue(announce: &str) -> dialplan::Queue {
    let client = format!(
        "client: {{language: de, languages: [en]}}
numbers: {{100: main}}
users: {{alice: {{password: a}}}}
agents: {{alice: {{}}}}
queues: {{support: {{agents: all, music: waiting, announce: {{{announce}, every: 60s}}}}}}
flows: {{main: [answer, {{enqueue: support}}]}}
"
    );
    let mut all = input(NODE, &client);
    let own = |name: &str| PromptFile { name: name.into(), path: format!("own/{name}"), error: None };
    all.clients[0].prompts.extend(["de/waiting", "waiting"].map(own));
    let config = load(&all).unwrap_or_else(|report| panic!("{report}"));
    config.queue("acme", "support").expect("the queue").clone()
}

/// What is told in a language.
fn announced(queue: &dialplan::Queue, language: &str, position: u32, wait: Option<u64>) -> String {
    let told = Told { position: Some(position), wait: wait.map(Duration::from_secs) };
    queue.heard(language).expect("it is heard").announcement(told).join(",").replace(".wav", "")
}

#[test]
fn a_queue_plays_what_the_client_has_in_the_language_of_the_call() {
    let queue = queue("prompts: waiting");
    for (language, file) in [("de", "own/de/waiting"), ("en", "own/waiting"), ("fr", "own/de/waiting")] {
        let heard = queue.heard(language).expect("it is heard");
        assert_eq!((heard.music.as_deref(), &*announced(&queue, language, 1, None)), (Some(file), file));
    }
}

#[test]
fn a_queue_tells_position_and_wait_in_the_language_of_the_call() {
    let queue = queue("prompts: waiting, say: [position, wait], position_up_to: 30, wait_up_to: 10m");
    let told = |language: &str, position, wait| announced(&queue, language, position, wait);
    let german = "own/de/waiting,de/position,de/21,de/in-the-queue,de/expected-wait,de/3,de/minutes";
    assert_eq!(told("de", 21, Some(121)), german);
    let english = "own/waiting,en/position,en/1,en/in-the-queue,en/expected-wait,en/1,en/minute";
    assert_eq!(told("en", 1, Some(60)), english);
    assert_eq!(told("en", 1, Some(0)), english, "less than a minute is one");
    assert_eq!(told("en", 30, None), "own/waiting,en/position,en/30,en/in-the-queue", "it is unknown");
    assert_eq!(told("en", 31, Some(601)), "own/waiting", "so much is told to nobody");
}

#[test]
fn keys_of_a_pin_are_secret_and_the_words_of_a_value_are_known_as_such() {
    let at = |step: &str| Call::answered(&format!("- {step}")).secrets();
    assert_eq!(at("pin: {prompt: choose, is: \"'4711'\"}"), (true, false));
    assert_eq!(at("gather: {into: typed, prompt: choose, secret: true}"), (true, false));
    assert_eq!(at("gather: {into: typed, prompt: choose}"), (false, false));
    assert_eq!(at("say: {digits: call.to}"), (false, true));
    assert_eq!(at("confirm: {prompt: choose, read: call.to, no: hangup}"), (false, true));
    assert_eq!(at("confirm: {prompt: choose, no: hangup}"), (false, false));
    assert_eq!(at("play: welcome"), (false, false));
}

#[test]
fn an_agent_is_told_the_queue_and_how_long_the_caller_has_waited() {
    let client = "client: {language: de, languages: [en]}
numbers: {100: main}
users: {alice: {password: a}}
agents: {alice: {auto_answer: false}}
queues: {support: {agents: all, whisper: {prompts: welcome, say: wait}, display: ACME, auto_answer: [call-info, answer-mode]}}
flows: {main: [answer, {enqueue: support}]}
";
    let config = load(&input(NODE, client)).unwrap_or_else(|report| panic!("{report}"));
    let queue = config.queue("acme", "support").expect("the queue");
    let whisper = queue.to_agent.whisper.as_ref().expect("a whisper");
    let told = |wait: u64| {
        let told = Told { position: None, wait: Some(Duration::from_secs(wait)) };
        whisper.announcement(told).join(",").replace("acme/prompts/", "").replace(".wav", "")
    };
    assert_eq!(told(59), "welcome,de/59,de/seconds");
    assert_eq!(told(179), "welcome,de/2,de/minutes");
    assert_eq!(queue.to_agent.auto_answer, [AutoAnswer::CallInfo, AutoAnswer::AnswerMode]);
    assert_eq!(config.agents[0].auto_answer.as_deref(), Some(&[][..]), "the agent's word goes before");
}
