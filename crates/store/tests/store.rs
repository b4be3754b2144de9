//! The store on real files: what was appended is there, after a crash and a restart too.

mod calls;

use calls::Log;
use clock::{Duration, Time};
use events::cdr::Disposition;
use events::{
    AgentActivity, AgentSeat, AgentWish, Callback, CallbackOrder, CallbackOutcome, ContactId, Event, Kind,
    LegId, Reach, Registration, StoredValue, WallClock,
};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use store::{Filter, Origin, Reader, Store, StoreError, Writer};
use tempfile::TempDir;

async fn serve(dir: &Path) -> (Writer, Origin, Log) {
    let mut store = Store::open(dir).await.unwrap();
    let origin = store.origin().await.unwrap();
    let mut writer = store.into_writer(&origin, |line| panic!("unexpected alarm: {line}"));
    let mut log = Log::from(&origin);
    writer.append(log.node_started(origin.wall));
    (writer, origin, log)
}

fn append(writer: &mut Writer, events: &[Event]) {
    for event in events {
        writer.append(event.clone());
    }
}

#[tokio::test]
async fn a_call_can_be_listed_and_traced_once_it_has_ended() {
    let dir = TempDir::new().unwrap();
    let (mut writer, origin, mut log) = serve(dir.path()).await;
    let (first, second) = (log.call(1), log.call_up(2));
    append(&mut writer, &first);
    append(&mut writer, &second);
    writer.flush().await.unwrap();

    let reader = Store::open_read(dir.path()).await.unwrap();
    let calls = reader.calls(10, &Filter::default()).await.unwrap();
    assert_eq!(calls, [events::cdr::fold(&first, origin.wall).unwrap()]);
    assert_eq!(calls[0].disposition, Disposition::Answered);
    assert_eq!(reader.call(ContactId(1)).await.unwrap().as_ref(), Some(&calls[0]));
    assert_eq!(reader.call(ContactId(2)).await.unwrap(), None, "it has not ended");
    assert_eq!(reader.events_of(ContactId(1)).await.unwrap(), first);
    assert_eq!(reader.events_of(ContactId(2)).await.unwrap(), second);
    assert_eq!(reader.wall_of(ContactId(2)).await.unwrap(), Some(origin.wall));
    writer.close().await.unwrap();
}

#[tokio::test]
async fn a_restart_finds_agents_where_they_were_and_a_pause_behind_a_call() {
    let dir = TempDir::new().unwrap();
    let (mut writer, _, mut log) = serve(dir.path()).await;
    let mut change = |agent: &str, state: AgentActivity, phone: Option<&str>| {
        let phone = phone.map(Arc::from);
        writer.append(log.event(None, Kind::AgentChanged { agent: agent.into(), state, phone }));
    };
    change("alice", AgentActivity::Ready, Some("1004"));
    change("alice", AgentActivity::Paused("lunch".into()), Some("1004"));
    change("alice", AgentActivity::Busy, Some("1004"));
    change("alice", AgentActivity::Unreachable, Some("1004"));
    change("bob", AgentActivity::Paused("lunch".into()), Some("bob"));
    change("bob", AgentActivity::Ready, Some("bob"));
    change("bob", AgentActivity::Ringing(ContactId(1)), Some("bob"));
    change("carol", AgentActivity::Ready, Some("carol"));
    change("carol", AgentActivity::LoggedOut, None);
    change("dora", AgentActivity::Talking(ContactId(1)), Some("dora"));
    change("erik", AgentActivity::Talking(ContactId(2)), Some("erik"));
    change("finn", AgentActivity::Ready, Some("finn"));
    let mut wish = |agent: &str, wish| {
        writer.append(log.event(None, Kind::AgentWishes { agent: agent.into(), wish }));
    };
    // In the middle of a call, and for the same state at another phone: nothing shows of it.
    wish("dora", AgentWish::Pause("lunch".into()));
    wish("erik", AgentWish::LogOut);
    wish("finn", AgentWish::LogIn("1009".into()));
    writer.close().await.unwrap();
    let mut store = Store::open(dir.path()).await.unwrap();
    let seat = |agent: &str, is_logged_in, paused: Option<&str>, phone: Option<&str>| AgentSeat {
        agent: agent.into(),
        is_logged_in,
        paused: paused.map(Arc::from),
        phone: phone.map(Arc::from),
    };
    let seats = [
        seat("alice", true, Some("lunch"), Some("1004")),
        seat("bob", true, None, Some("bob")),
        seat("carol", false, None, None),
        seat("dora", true, Some("lunch"), Some("dora")),
        seat("erik", false, None, Some("erik")),
        seat("finn", true, None, Some("1009")),
    ];
    assert_eq!(store.agents().await.unwrap(), seats);
    store.rebuild().await.unwrap();
    assert_eq!(store.agents().await.unwrap(), seats);
}

#[tokio::test]
async fn a_restart_finds_the_contacts_that_are_registered() {
    let dir = TempDir::new().unwrap();
    let (mut writer, _, mut log) = serve(dir.path()).await;
    let reach = Reach {
        transport: "UDP".into(),
        local: "192.0.2.1:5060".parse().unwrap(),
        peer: "192.0.2.9:5070".parse().unwrap(),
        q: 500,
        path: vec!["<sip:192.0.2.9;lr>".to_owned()],
    };
    let mut kept = Vec::new();
    for (contact, expires, is_gone) in
        [("sip:a@h", 60, false), ("sip:a@h", 90, false), ("sip:b@h", 60, false), ("sip:b@h", 0, true)]
    {
        let (user, contact) = ("1000@acme".to_owned(), contact.to_owned());
        let event = log.event(
            None,
            match is_gone {
                true => Kind::Unregistered { user: user.clone(), contact: contact.clone() },
                false => {
                    let (user, contact, reach) =
                        (user.clone(), contact.clone(), Some(Box::new(reach.clone())));
                    Kind::Registered { user, contact, expires, reach }
                }
            },
        );
        let expires_at = event.at + Duration::from_secs(u64::from(expires));
        kept.retain(|it: &Registration| it.contact != contact);
        if !is_gone {
            kept.push(Registration { user, contact, expires_at, reach: Some(reach.clone()) });
        }
        writer.append(event);
    }
    assert_eq!(kept.len(), 1);
    writer.close().await.unwrap();
    let mut store = Store::open(dir.path()).await.unwrap();
    assert_eq!(store.registrations().await.unwrap(), kept);
    store.rebuild().await.unwrap();
    assert_eq!(store.registrations().await.unwrap(), kept);
}

#[tokio::test]
async fn a_restart_finds_those_who_are_to_be_called_back_and_no_others() {
    let dir = TempDir::new().unwrap();
    let (mut writer, _, mut log) = serve(dir.path()).await;
    let order = |number: &str| CallbackOrder {
        client: "acme".into(),
        queue: "support".into(),
        number: number.into(),
        called: "100".into(),
        entered: Time::from_secs(1),
        priority: 3,
        required: vec![vec![("fr".into(), 2)]],
        preferred: vec!["en".into()],
        language: "fr".into(),
    };
    for (contact, number) in [(1, "+1"), (2, "+2"), (3, "+3")] {
        append(&mut writer, &log.call(contact));
        let order = order(number);
        writer.append(log.event(Some(contact), Kind::CallbackKept { order }));
    }
    let failed = Kind::CallbackFailed { offer: 1, reason: "busy".into() };
    writer.append(log.event(Some(1), failed));
    let outcome = CallbackOutcome::Reached(ContactId(4));
    writer.append(log.event(Some(2), Kind::CallbackEnded { outcome }));
    writer.close().await.unwrap();
    let mut store = Store::open(dir.path()).await.unwrap();
    let left = |contact, number| Callback { asked: ContactId(contact), order: order(number) };
    assert_eq!(store.callbacks().await.unwrap(), [left(1, "+1"), left(3, "+3")]);
    store.rebuild().await.unwrap();
    assert_eq!(store.callbacks().await.unwrap(), [left(1, "+1"), left(3, "+3")]);
}

#[tokio::test]
async fn a_restart_finds_what_flows_remember_and_has_forgotten_what_is_over() {
    let dir = TempDir::new().unwrap();
    let (mut writer, _, mut log) = serve(dir.path()).await;
    let mut change = |client: &str, key: &str, value: Option<&str>, until: Option<i64>| {
        let (client, key, value) = (client.into(), key.into(), value.map(Arc::from));
        writer.append(log.event(None, Kind::ValueChanged { client, key, value, until }));
    };
    change("acme", "a", Some("1"), None);
    change("acme", "a", Some("2"), Some(1_000));
    change("acme", "b", Some("x"), None);
    change("acme", "b", None, None);
    change("acme", "c", Some("y"), Some(999));
    change("other", "a", Some("3"), None);
    writer.close().await.unwrap();
    let mut store = Store::open(dir.path()).await.unwrap();
    let value = |client: &str, value: &str, until| StoredValue {
        client: client.into(),
        key: "a".into(),
        value: value.into(),
        until,
    };
    let values = [value("acme", "2", Some(1_000)), value("other", "3", None)];
    assert_eq!(store.values(999).await.unwrap(), values);
    store.rebuild().await.unwrap();
    assert_eq!(store.values(999).await.unwrap(), values);
    assert_eq!(store.values(1_000).await.unwrap(), values[1..]);
}

#[tokio::test]
async fn a_restart_finds_the_messages_of_callers_and_those_that_were_being_left() {
    let dir = TempDir::new().unwrap();
    let (mut writer, first, mut log) = serve(dir.path()).await;
    let path = |message: u64| format!("recordings/acme/voicemail/{message}-1.wav");
    for message in 1..=4 {
        append(&mut writer, &log.call(message));
        let (leg, client, mailbox) = (LegId(message), "acme".into(), "support".into());
        let (from, path) = ("+1555".into(), path(message));
        let begun = Kind::VoicemailStarted { message, leg, client, mailbox, from, path };
        writer.append(log.event(Some(message), begun));
    }
    let began = log.at;
    let left = |message, millis| Kind::VoicemailLeft { message, path: path(message), millis };
    writer.append(log.event(Some(1), left(1, 5_000)));
    writer.append(log.event(Some(2), Kind::VoicemailDropped { message: 2, reason: "too short".into() }));
    writer.append(log.event(Some(3), left(3, 7_000)));
    writer.append(log.event(Some(1), Kind::VoicemailHeard { message: 1, heard: true, by: "alice".into() }));
    writer.append(log.event(Some(3), Kind::VoicemailDeleted { message: 3, by: "alice".into() }));
    writer.close().await.unwrap();
    let mut store = Store::open(dir.path()).await.unwrap();
    let found = store.messages().await.unwrap();
    let [heard, cut] = &found[..] else { panic!("{found:?}") };
    assert_eq!((heard.message, heard.millis, heard.heard), (1, Some(5_000), true));
    assert_eq!((cut.message, cut.millis, cut.heard), (4, None, false));
    assert_eq!(
        (cut.contact, &*cut.client, &*cut.mailbox, &*cut.from),
        (ContactId(4), "acme", "support", "+1555")
    );
    assert_eq!((&cut.path, cut.at), (&path(4), first.wall.moment(began).utc.as_microsecond()));
    store.rebuild().await.unwrap();
    assert_eq!(store.messages().await.unwrap(), found);
}

#[tokio::test]
async fn a_restart_continues_numbers_and_time() {
    let dir = TempDir::new().unwrap();
    let (mut writer, first, mut log) = serve(dir.path()).await;
    assert_eq!((first.first_seq, first.first_contact), (1, 1));
    append(&mut writer, &log.call(1));
    append(&mut writer, &log.call(2));
    let (next_seq, end) = (log.next_seq, log.at);
    writer.close().await.unwrap();

    let mut store = Store::open(dir.path()).await.unwrap();
    let second = store.origin().await.unwrap();
    assert_eq!((second.first_seq, second.first_contact), (next_seq, 3));
    assert!(second.now >= end);
    let began = |origin: &Origin| origin.wall.unix_micros_at_zero();
    assert!(began(&second) >= began(&first) - 1_000_000, "the axis is the same unless the clock was set");
}

#[tokio::test]
async fn a_crash_ends_every_open_contact_once() {
    let dir = TempDir::new().unwrap();
    let (mut writer, _, mut log) = serve(dir.path()).await;
    append(&mut writer, &log.call(1));
    append(&mut writer, &log.call_up(2));
    append(&mut writer, &log.call_up(3));
    writer.flush().await.unwrap();
    let crashed = TempDir::new().unwrap();
    copy_database(dir.path(), crashed.path());

    let mut store = Store::open(crashed.path()).await.unwrap();
    let tail = store.origin().await.unwrap();
    assert_eq!(tail.first_seq, log.next_seq + 6, "two legs and the contact, twice");
    drop(store);
    let again = Store::open(crashed.path()).await.unwrap().origin().await.unwrap();
    assert_eq!(again.first_seq, tail.first_seq, "nothing is closed twice");

    let reader = Reader::open(crashed.path()).await.unwrap();
    let calls = reader.calls(10, &Filter::default()).await.unwrap();
    let ids: Vec<u64> = calls.iter().map(|cdr| cdr.contact.0).collect();
    assert_eq!(ids, [3, 2, 1]);
    for cdr in &calls[..2] {
        assert_eq!(&*cdr.cause.reason, "interrupted");
        assert_eq!(cdr.ended.at, log.at, "at the last moment that the journal knows");
        assert_eq!(cdr.disposition, Disposition::Answered, "they had talked");
        assert!(cdr.legs.iter().all(|leg| &*leg.cause.reason == "interrupted"));
    }
    let events = reader.events_of(ContactId(2)).await.unwrap();
    let ends = events.iter().filter(|event| matches!(event.kind, Kind::ContactEnded { .. }));
    assert_eq!(ends.count(), 1);
    writer.close().await.unwrap();
}

#[test]
fn a_killed_process_keeps_what_was_flushed() {
    let dir = TempDir::new().unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let flushed = runtime().block_on(async {
        let (mut writer, _, mut log) = serve(dir.path()).await;
        append(&mut writer, &log.call(1));
        writer.flush().await.unwrap();
        append(&mut writer, &log.call(2));
        log.next_seq - 25
    });
    // The runtime is gone and its task with it, in the middle of the second call.
    runtime().block_on(async {
        let mut store = Store::open(dir.path()).await.unwrap();
        assert_eq!(store.origin().await.unwrap().first_seq, flushed);
    });
}

#[tokio::test]
async fn a_state_directory_has_one_owner() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let error = Store::open(dir.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("in use by another ringdown"), "{error}");
    drop(store);
    Store::open(dir.path()).await.unwrap();
}

#[tokio::test]
async fn a_path_that_cannot_be_a_state_directory_is_named() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("notes.txt");
    fs::write(&file, "a file").unwrap();
    let error = Store::open(&file).await.unwrap_err();
    assert!(matches!(error, StoreError::NotADirectory { .. }), "{error}");
    let error = Store::open(&file.join("state")).await.unwrap_err();
    assert!(error.to_string().contains("notes.txt/state"), "{error}");
    let error = Store::open_read(dir.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    fs::create_dir(dir.path().join("ringdown.db")).unwrap();
    let error = Store::open(dir.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::NoAccess { .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_and_kept() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("ringdown.db");
    fs::write(&file, "this is not a database, it is a letter".repeat(100)).unwrap();
    let error = Store::open(dir.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(fs::read_to_string(&file).unwrap().starts_with("this is not"), "it is left as it was");
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_what_to_do() {
    let dir = TempDir::new().unwrap();
    drop(Store::open(dir.path()).await.unwrap());
    let mut connection = other_program(dir.path()).await;
    sqlx::query("PRAGMA user_version = 99").execute(&mut connection).await.unwrap();
    drop(connection);
    for error in [Store::open(dir.path()).await.unwrap_err(), Store::open_read(dir.path()).await.unwrap_err()]
    {
        assert!(matches!(error, StoreError::NewerSchema { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("newer ringdown"), "{error}");
    }
}

#[tokio::test]
async fn a_damaged_row_is_told_by_its_path() {
    let dir = TempDir::new().unwrap();
    let (mut writer, _, mut log) = serve(dir.path()).await;
    append(&mut writer, &log.call(1));
    writer.close().await.unwrap();
    let mut connection = other_program(dir.path()).await;
    sqlx::query("UPDATE journal SET events = '[1'").execute(&mut connection).await.unwrap();
    let reader = Reader::open(dir.path()).await.unwrap();
    let error = reader.events_of(ContactId(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("ringdown.db is damaged"), "{error}");
}

#[tokio::test]
async fn numbers_are_found_however_they_are_typed() {
    let dir = TempDir::new().unwrap();
    let (mut writer, _, mut log) = serve(dir.path()).await;
    for contact in 1..=12 {
        append(&mut writer, &log.call(contact));
    }
    writer.flush().await.unwrap();
    let reader = Reader::open(dir.path()).await.unwrap();
    for typed in ["+33140000007", "0033140000007", "0140000007", "01 40 00 00 07"] {
        assert_eq!(reader.find(typed).await.unwrap(), Some(ContactId(7)), "{typed}");
    }
    assert_eq!(reader.find("7").await.unwrap(), Some(ContactId(7)), "an id goes before a number");
    assert_eq!(reader.find("0800123456").await.unwrap(), Some(ContactId(12)), "the latest of them");
    for neither in ["0999", "456", "99999"] {
        assert_eq!(reader.find(neither).await.unwrap(), None, "{neither} is neither an id nor a number");
    }
    assert_eq!(reader.find("23456").await.unwrap(), Some(ContactId(12)), "the end of a number");
    assert_eq!(reader.find("").await.unwrap(), None);

    let number = Filter { number: Some("0140000007".into()), ..Filter::default() };
    assert_eq!(reader.calls(10, &number).await.unwrap().len(), 1);
    let client = Filter { clients: vec!["acme".into()], ..Filter::default() };
    assert_eq!(reader.calls(5, &client).await.unwrap().len(), 5);
    let other = Filter { clients: vec!["other".into()], ..Filter::default() };
    assert_eq!(reader.calls(5, &other).await.unwrap().len(), 0);
    let ninth = reader.call(ContactId(9)).await.unwrap().unwrap();
    let since = Filter { since: Some(ninth.started.utc), ..Filter::default() };
    let found = reader.calls(10, &since).await.unwrap();
    assert_eq!(found.iter().map(|cdr| cdr.contact.0).collect::<Vec<_>>(), [12, 11, 10, 9]);
    writer.close().await.unwrap();
}

#[tokio::test]
async fn a_locked_database_loses_nothing_and_raises_one_alarm() {
    let dir = TempDir::new().unwrap();
    let alarms = Arc::new(Mutex::new(Vec::new()));
    let mut store = Store::open(dir.path()).await.unwrap();
    let origin = store.origin().await.unwrap();
    let heard = alarms.clone();
    let mut writer = store.into_writer(&origin, move |line| heard.lock().unwrap().push(line.to_owned()));
    let mut log = Log::from(&origin);
    writer.append(log.node_started(WallClock::new(0)));
    writer.flush().await.unwrap();

    let mut intruder = other_program(dir.path()).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut intruder).await.unwrap();
    append(&mut writer, &log.call(1));
    for _ in 0..2 {
        let error = writer.flush().await.unwrap_err();
        assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    }
    append(&mut writer, &log.call(2));
    drop(intruder);
    writer.flush().await.unwrap();

    let reader = Reader::open(dir.path()).await.unwrap();
    assert_eq!(reader.calls(10, &Filter::default()).await.unwrap().len(), 2);
    let alarms = alarms.lock().unwrap().clone();
    assert_eq!(alarms.len(), 2, "{alarms:?}");
    assert!(alarms[0].contains("another program holds a lock"), "{alarms:?}");
    assert!(alarms[1].contains("written again"), "{alarms:?}");
    writer.close().await.unwrap();
}

/// Another program's connection to the database.
async fn other_program(dir: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(dir.join("ringdown.db"));
    options.connect().await.unwrap()
}

/// What a crash leaves: the files without the lock and without an orderly end.
fn copy_database(from: &Path, to: &Path) {
    for name in ["ringdown.db", "ringdown.db-wal"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}
