//! Recordings of calls, as they are found by number, call and client, and what becomes of them.

mod calls;

use calls::Log;
use events::{ContactId, Kind, LegId};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::path::Path;
use store::{Number, Reader, Recording, Recordings, Store};
use tempfile::TempDir;

/// Four calls: the first has two recordings, the second none, the third one that is held and one that is erased, the fourth is cut
/// off with one.
async fn record(dir: &Path) -> Vec<u64> {
    let mut store = Store::open(dir).await.unwrap();
    let origin = store.origin().await.unwrap();
    let mut writer = store.into_writer(&origin, |line| panic!("unexpected alarm: {line}"));
    let mut log = Log::from(&origin);
    writer.append(log.node_started(origin.wall));
    let mut numbers = Vec::new();
    for contact in 1..=4 {
        if contact == 2 {
            log.call(contact).into_iter().for_each(|event| writer.append(event));
            continue;
        }
        let mut events = log.call_up(contact);
        let mut kinds = Vec::new();
        for file in 1..=2 {
            if file == 2 && contact == 4 {
                continue;
            }
            let path = format!("recordings/acme/{contact}-{file}.wav");
            kinds.push(Kind::RecordingStarted { leg: LegId(2 * contact), path: path.clone(), by: None });
            if contact != 4 {
                // The second file's name was taken.
                let path = path.replace("-2.", "-2-1.");
                kinds.push(Kind::RecordingEnded { path, millis: 1_000 * file, error: None });
            }
        }
        for kind in kinds {
            let event = log.event(Some(contact), kind);
            if matches!(event.kind, Kind::RecordingStarted { .. }) {
                numbers.push(event.seq);
            }
            events.push(event);
        }
        if contact != 4 {
            let cause = calls::cause(events::EndedBy::Caller);
            events.push(log.event(Some(contact), Kind::ContactEnded { cause }));
        }
        events.into_iter().for_each(|event| writer.append(event));
    }
    let [_, second, third, fourth, _] = numbers[..] else { panic!("{numbers:?}") };
    let by = || "carol".into();
    for (contact, kind) in [
        (1, Kind::RecordingSealed { recording: second, path: "recordings/acme/1-2.wav.sealed".into() }),
        (3, Kind::RecordingHeld { recording: third, why: Some("a claim".into()), by: by() }),
        (3, Kind::RecordingHeld { recording: fourth, why: Some("a mistake".into()), by: by() }),
        (3, Kind::RecordingHeld { recording: fourth, why: None, by: by() }),
        (3, Kind::RecordingErased { recording: fourth, sha256: None, why: "asked".into(), by: Some(by()) }),
    ] {
        writer.append(log.event(Some(contact), kind));
    }
    writer.close().await.unwrap();
    numbers
}

async fn all(dir: &Path, which: &Recordings) -> Vec<Recording> {
    Reader::open(dir).await.unwrap().recordings(100, which).await.unwrap()
}

fn numbers(recordings: &[Recording]) -> Vec<u64> {
    recordings.iter().map(|recording| recording.recording).collect()
}

#[tokio::test]
async fn they_are_found_by_number_call_and_client() {
    let dir = TempDir::new().unwrap();
    let known = record(dir.path()).await;
    let dir = dir.path();
    // The last call is cut off at the next start, as after a kill -9.
    drop(Store::open(dir).await.unwrap());
    let found = all(dir, &Recordings::default()).await;
    assert_eq!(numbers(&found), known.iter().rev().copied().collect::<Vec<_>>());
    let [cut, erased, held, sealed, plain] = &found[..] else { panic!("{found:?}") };
    assert_eq!((cut.millis, &*cut.path), (None, "recordings/acme/4-1.wav"));
    assert_eq!((erased.erased.is_some(), &erased.held), (true, &None));
    assert_eq!((held.erased, held.held.as_deref()), (None, Some("a claim")));
    assert_eq!((sealed.sealed, &*sealed.path), (true, "recordings/acme/1-2.wav.sealed"));
    assert_eq!((plain.sealed, plain.millis, plain.contact), (false, Some(1_000), ContactId(1)));
    assert_eq!((erased.millis, &*erased.path), (Some(2_000), "recordings/acme/3-2-1.wav"));
    assert_eq!((plain.from.as_deref(), &*plain.client), (Some("+33140000001"), "acme"));

    let of = |number| Recordings { number: Some(number), ..Recordings::default() };
    assert_eq!(numbers(&all(dir, &of(Number::Ending("140000003".into()))).await), [known[3], known[2]]);
    assert_eq!(numbers(&all(dir, &of(Number::Exactly("+33140000003".into()))).await), [known[3], known[2]]);
    assert_eq!(numbers(&all(dir, &of(Number::Exactly("140000003".into()))).await), [0; 0]);
    let which = Recordings { contact: Some(ContactId(3)), kept: true, ..Recordings::default() };
    assert_eq!(numbers(&all(dir, &which).await), [known[2]]);
    let which = Recordings { clients: vec!["other".into()], ..Recordings::default() };
    assert_eq!(numbers(&all(dir, &which).await), [0; 0]);
    let which = Recordings { before: Some(known[1]), ..Recordings::default() };
    assert_eq!(numbers(&all(dir, &which).await), [known[0]]);

    let reader = Reader::open(dir).await.unwrap();
    assert_eq!(reader.recording(known[1]).await.unwrap().as_ref(), Some(sealed));
    assert_eq!(reader.recording(1).await.unwrap(), None);
    assert_eq!(
        numbers(&reader.open_recordings(&["acme"], 0, 10).await.unwrap()),
        [known[0], known[2], known[4]]
    );
    assert_eq!(numbers(&reader.open_recordings(&["acme", "other"], known[2], 1).await.unwrap()), [known[2]]);
    assert_eq!(numbers(&reader.open_recordings(&["other"], 0, 10).await.unwrap()), [0; 0]);
    assert_eq!(numbers(&reader.cut_recordings().await.unwrap()), [known[4]]);
    let old = async |from, until| numbers(&reader.old_recordings("acme", (from, until), 10).await.unwrap());
    assert_eq!(old(plain.at, held.at).await, [known[0], known[1]]);
    assert_eq!(old(sealed.at, cut.at).await, [known[1]], "what is held, erased or runs is not among them");
    assert_eq!(numbers(&reader.old_recordings("other", (plain.at, cut.at), 10).await.unwrap()), [0; 0]);
}

#[tokio::test]
async fn the_table_is_the_same_made_anew_and_made_of_a_former_schema() {
    let dir = TempDir::new().unwrap();
    record(dir.path()).await;
    let mut store = Store::open(dir.path()).await.unwrap();
    let before = all(dir.path(), &Recordings::default()).await;
    store.rebuild().await.unwrap();
    assert_eq!(all(dir.path(), &Recordings::default()).await, before);
    drop(store);

    let options = SqliteConnectOptions::new().filename(dir.path().join("ringdown.db"));
    let mut connection = options.connect().await.unwrap();
    let old = "DROP TABLE recording; DROP TABLE disposition; PRAGMA user_version = 7;";
    sqlx::raw_sql(old).execute(&mut connection).await.unwrap();
    drop(connection);
    drop(Store::open(dir.path()).await.unwrap());
    let moved = all(dir.path(), &Recordings::default()).await;
    let kept = |it: &Recording| (it.recording, it.contact, it.at, it.millis);
    assert_eq!(moved.iter().map(kept).collect::<Vec<_>>(), before.iter().map(kept).collect::<Vec<_>>());
    assert_eq!(moved[1].path, "recordings/acme/3-2-1.wav");
}
