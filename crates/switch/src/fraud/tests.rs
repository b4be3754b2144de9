use super::*;
use dialplan::{ClientFiles, SourceFile};

/// The limits of a client file.
fn fraud(limits: &str) -> Fraud {
    plan(limits).client_named("acme").and_then(|client| client.fraud.clone()).expect("limits")
}

/// A plan with a client that has these limits, and one that has none.
fn plan(limits: &str) -> Config {
    let file = |path: &str, text: String| SourceFile { path: path.into(), text };
    let node = "sip: {listen: [\"udp:10.0.0.1:5060\"]}\nrtp: {ports: 30000-30999, address: 10.0.0.1}\nclients: [acme, free]\n";
    let client = |id: &str, text: String| ClientFiles {
        id: id.into(),
        path: id.into(),
        files: vec![file(&format!("{id}/{id}.yaml"), text + "flows: {main: [hangup]}\n")],
        prompts: Vec::new(),
    };
    let users = "users: {alice: {password: a}, bob: {password: b}, carol: {password: c}}\n";
    let limited = format!("client: {{fraud: {{country: ES, {limits}}}}}\n{users}");
    let input = dialplan::Input {
        node: file("node.yaml", node.into()),
        clients: vec![client("acme", limited), client("free", String::new())],
        system_prompts: vec![],
    };
    dialplan::load(&input).unwrap_or_else(|report| panic!("{report}"))
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

#[test]
fn what_was_spent_is_told_of_limited_clients_and_of_users_that_called() {
    let plan = plan("calls_per_hour: 9, user: {minutes_per_hour: 10, international: 2}");
    let fraud = plan.client_named("acme").and_then(|client| client.fraud.as_ref()).expect("limits");
    let mut accounts = Accounts::default();
    let told = |accounts: &Accounts, second| -> Vec<_> {
        let spent = accounts.spent(Time::from_secs(second), &plan).into_iter();
        spent
            .map(|it| {
                let who = it.user.unwrap_or(it.client).to_string();
                (who, it.calls, it.minutes, it.international)
            })
            .collect()
    };
    let row = |who: &str, calls, minutes, abroad| (who.to_owned(), calls, minutes, abroad);
    assert_eq!(told(&accounts, 0), [row("acme", 0, 0, 0)]);
    for user in ["bob", "alice"] {
        assert_eq!(call(&mut accounts, fraud, 60, user, "0033123456789"), None);
    }
    let mut bill =
        accounts.begin(Time::from_secs(60), fraud, payers("bob"), "0033123456789").expect("a bill");
    accounts.talk(Time::from_secs(60), &mut bill);
    let all = [row("acme", 2, 5, 1), row("alice", 1, 0, 0), row("bob", 1, 5, 1)];
    assert_eq!(told(&accounts, 419), all);
    assert_eq!(told(&accounts, 419), all, "telling changes nothing");
    accounts.end(Time::from_secs(419), &bill);
    assert_eq!(
        told(&accounts, 3_720),
        [row("acme", 0, 4, 0), row("bob", 0, 4, 0)],
        "alice's call is an hour ago"
    );
    let limits = accounts.spent(Time::from_secs(3_720), &plan)[1].limits;
    assert_eq!(
        (limits.calls_per_hour, limits.minutes_per_hour, limits.international),
        (None, Some(10), Some(2))
    );
}
