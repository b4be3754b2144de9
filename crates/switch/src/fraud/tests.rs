use super::*;
use dialplan::{ClientFiles, SourceFile};

/// The limits of a client file.
fn fraud(limits: &str) -> Fraud {
    let file = |path: &str, text: String| SourceFile { path: path.into(), text };
    let node = "sip: {listen: [\"udp:10.0.0.1:5060\"]}\nrtp: {ports: 30000-30999, address: 10.0.0.1}\nclients: [acme]\n";
    let client = format!("client: {{fraud: {{country: ES, {limits}}}}}\nflows: {{main: [hangup]}}\n");
    let client = ClientFiles {
        id: "acme".into(),
        path: "acme".into(),
        files: vec![file("acme/acme.yaml", client)],
        prompts: Vec::new(),
    };
    let input = dialplan::Input {
        node: file("node.yaml", node.into()),
        clients: vec![client],
        system_prompts: vec![],
    };
    let plan = dialplan::load(&input).unwrap_or_else(|report| panic!("{report}"));
    plan.client_named("acme").and_then(|client| client.fraud.clone()).expect("limits")
}

fn payers(user: &str) -> Vec<Payer> {
    vec![Payer::Client("acme".into()), Payer::User(user.into())]
}

/// What keeps a call out.
fn call(accounts: &mut Accounts, fraud: &Fraud, second: u64, user: &str, number: &str) -> Option<String> {
    let admitted = accounts.admit(Time::from_secs(second), fraud, &payers(user), number);
    admitted.err().map(|blocked| blocked.reason)
}

#[test]
fn calls_of_any_hour_count_and_leave_it_one_by_one() {
    let fraud = fraud("calls_per_hour: 3, user: {calls_per_hour: 2}");
    let mut accounts = Accounts::default();
    let mut call = |second, user| call(&mut accounts, &fraud, second, user, "911000100");
    assert_eq!(call(0, "alice"), None);
    assert_eq!(call(1_800, "alice"), None);
    assert_eq!(call(1_801, "alice").as_deref(), Some("the user alice has its 2 calls an hour"));
    assert_eq!(call(1_802, "bob"), None, "what was refused does not count");
    assert_eq!(call(1_803, "bob").as_deref(), Some("the client acme has its 3 calls an hour"));
    assert_eq!(call(3_599, "alice").as_deref(), Some("the client acme has its 3 calls an hour"));
    assert_eq!(call(3_600, "alice"), None, "the first is an hour ago");
    assert_eq!(call(3_601, "alice").as_deref(), Some("the client acme has its 3 calls an hour"));
}

#[test]
fn minutes_are_those_of_all_calls_that_are_talked_on() {
    let fraud = fraud("user: {minutes_per_hour: 10}");
    let mut accounts = Accounts::default();
    let mut begin = || accounts.begin(Time::ZERO, &fraud, payers("alice"), "911000100").expect("a bill");
    let mut bills = [begin(), begin()];
    assert_eq!(call(&mut accounts, &fraud, 900, "alice", "911000100"), None, "ringing costs nothing");
    for bill in &mut bills {
        accounts.talk(Time::from_secs(900), bill);
    }
    assert_eq!(call(&mut accounts, &fraud, 1_199, "alice", "911000100"), None);
    let refused = call(&mut accounts, &fraud, 1_200, "alice", "911000100");
    assert_eq!(refused.as_deref(), Some("the user alice has its 10 minutes an hour"));
    assert_eq!(call(&mut accounts, &fraud, 1_200, "bob", "911000100"), None);
    for bill in &bills {
        accounts.end(Time::from_secs(1_200), bill);
    }
    assert_eq!(accounts.up(), (0, 0));
    assert!(call(&mut accounts, &fraud, 4_500, "alice", "911000100").is_some());
    assert_eq!(call(&mut accounts, &fraud, 4_620, "alice", "911000100"), None, "an hour and some later");
}

#[test]
fn international_calls_are_counted_while_they_are_up_and_home_ones_go_on() {
    let fraud = fraud("international: 1");
    let mut accounts = Accounts::default();
    let mut begin = |second, user, number| {
        accounts
            .begin(Time::from_secs(second), &fraud, payers(user), number)
            .map_err(|blocked| blocked.reason)
    };
    let first = begin(1, "alice", "0044 20 1234 5678").expect("a bill");
    let refused = begin(2, "bob", "+4930123456").expect_err("one is up");
    assert_eq!(refused, "the client acme has its 1 international call at once");
    begin(2, "bob", "911000100").expect("a bill");
    accounts.end(Time::from_secs(3), &first);
    let mut begin =
        |second, user, number| accounts.begin(Time::from_secs(second), &fraud, payers(user), number);
    begin(4, "bob", "+4930123456").expect("a bill");
}

#[test]
fn one_who_is_blocked_again_and_again_is_an_alarm_once_an_hour() {
    let fraud = fraud("barred: [\"+882\"]");
    let mut accounts = Accounts::default();
    let mut is_news = |second| {
        let blocked = accounts.admit(Time::from_secs(second), &fraud, &payers("alice"), "+88216000000");
        blocked.expect_err("barred").is_news
    };
    assert_eq!([0, 1, 3_599, 3_600].map(&mut is_news), [true, false, false, true]);
}
