//! The tables beside the journal are folds of it: made anew, they are the same.

mod calls;

use calls::{Log, cause, leg_started};
use events::cdr::Cdr;
use events::{
    AgentActivity, ContactId, Direction, EndedBy, Event, Kind, LegId, OfferOutcome, Party, QueueOutcome,
};
use figures::{State, Timeline, Visit};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use store::{Filter, Reader, Store};
use tempfile::TempDir;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn batches_and_rebuilds_give_the_same_calls(
        cuts in prop::collection::vec(0usize..400, 0..12),
        interleave in 1usize..6,
        unfinished in 0u64..3,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = TempDir::new().unwrap();
            let expected = serve(dir.path(), &cuts, interleave, unfinished).await;
            let mut store = Store::open(dir.path()).await.unwrap();
            let live = calls_of(dir.path()).await;
            prop_assert_eq!(&live[unfinished as usize..], &expected[..]);
            store.rebuild().await.unwrap();
            prop_assert_eq!(calls_of(dir.path()).await, live);
            Ok(())
        })?;
    }

    #[test]
    fn figures_are_the_same_after_a_crash_a_rebuild_and_another_version(
        cuts in prop::collection::vec(0usize..150, 0..8),
        killed_after in 1usize..150,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = TempDir::new().unwrap();
            wait_in_queues(dir.path(), &cuts, killed_after).await;
            // The next process closes what was open.
            let mut store = Store::open(dir.path()).await.unwrap();
            let origin = store.origin().await.unwrap();
            let mut writer = store.into_writer(&origin, |line| panic!("unexpected alarm: {line}"));
            let mut log = Log::from(&origin);
            writer.append(log.node_started(origin.wall));
            writer.close().await.unwrap();
            let live = figures_of(dir.path()).await;
            prop_assert!(live.0.iter().all(|visit| !visit.is_open()), "{:?}", live.0);
            prop_assert!(live.1.values().all(|it| it.changes.last().is_some_and(|(_, last)| *last == State::LoggedOut)));
            Store::open(dir.path()).await.unwrap().rebuild().await.unwrap();
            prop_assert_eq!(&figures_of(dir.path()).await, &live);
            // Rows of another version are not read, but made anew.
            execute(dir.path(), "UPDATE projection SET version = 0").await;
            execute(dir.path(), "DELETE FROM visit").await;
            Store::open(dir.path()).await.unwrap();
            prop_assert_eq!(&figures_of(dir.path()).await, &live);
            Ok(())
        })?;
    }
}

type Figures = (Vec<Visit>, BTreeMap<Arc<str>, Timeline>);

/// Twelve callers of a queue, three at a time; the process is killed after so many events.
async fn wait_in_queues(dir: &Path, cuts: &[usize], killed_after: usize) {
    let mut store = Store::open(dir).await.unwrap();
    let origin = store.origin().await.unwrap();
    let mut writer = store.into_writer(&origin, |line| panic!("unexpected alarm: {line}"));
    let mut log = Log::from(&origin);
    writer.append(log.node_started(origin.wall));
    let calls: Vec<Vec<Event>> = (1..=12).map(|contact| queued(&mut log.clone(), contact)).collect();
    let length = calls[0].len();
    let steps = calls
        .chunks(3)
        .flat_map(|group| (0..length).flat_map(move |step| group.iter().map(move |it| &it[step])));
    for (appended, event) in steps.take(killed_after).enumerate() {
        writer.append(log.event(event.contact.map(|contact| contact.0), event.kind.clone()));
        if cuts.contains(&appended) {
            writer.flush().await.unwrap();
        }
    }
    // What was flushed is there after a kill, and nothing ends the contacts that are up.
    writer.close().await.unwrap();
}

/// A caller waits in a queue, alice takes it, and writes up.
fn queued(log: &mut Log, contact: u64) -> Vec<Event> {
    let (caller, agent) = (LegId(2 * contact), LegId(2 * contact + 1));
    let (queue, alice): (Arc<str>, Arc<str>) = ("support".into(), "alice".into());
    let of_agent = |state| Kind::AgentChanged { agent: "alice".into(), state, phone: Some("alice".into()) };
    let (offer, id) = (contact, ContactId(contact));
    let answered = QueueOutcome::Answered(Arc::clone(&alice));
    let [entered, left] = [(); 2].map(|()| Arc::clone(&queue));
    [
        Kind::ContactStarted {
            source: "carrier".into(),
            client: "acme".into(),
            from: format!("+33140{contact:06}").into(),
            to: "+33800123456".into(),
            flow: "main".into(),
        },
        leg_started(caller, Direction::Inbound, Party::Trunk("carrier".into())),
        Kind::LegAnswered { leg: caller, codec: None },
        Kind::QueueEntered { leg: caller, queue: entered, priority: 0, waited_millis: 0 },
        Kind::QueueOffered { offer, queue, agent: Arc::clone(&alice), why: "free".into() },
        of_agent(AgentActivity::Ringing(id)),
        leg_started(agent, Direction::Outbound, Party::User("alice".into())),
        Kind::LegAnswered { leg: agent, codec: None },
        Kind::QueueOfferEnded { offer, agent: alice, outcome: OfferOutcome::Answered },
        Kind::QueueLeft { leg: caller, queue: left, outcome: answered },
        of_agent(AgentActivity::Talking(id)),
        Kind::Held { leg: agent },
        Kind::Resumed { leg: agent },
        Kind::LegEnded { leg: caller, cause: cause(EndedBy::Caller) },
        Kind::LegEnded { leg: agent, cause: cause(EndedBy::Caller) },
        of_agent(AgentActivity::WrapUp),
        Kind::ContactEnded { cause: cause(EndedBy::Caller) },
        of_agent(AgentActivity::Ready),
    ]
    .into_iter()
    .map(|kind| {
        let is_of_agent = matches!(kind, Kind::AgentChanged { .. });
        log.event((!is_of_agent).then_some(contact), kind)
    })
    .collect()
}

async fn figures_of(dir: &Path) -> Figures {
    let reader = Reader::open(dir).await.unwrap();
    let all = (i64::MIN / 2, i64::MAX / 2);
    let mut visits = Vec::new();
    reader.visits(all, None, |visit| visits.push(visit.clone())).await.unwrap();
    (visits, reader.timelines(all).await.unwrap())
}

async fn execute(dir: &Path, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join("ringdown.db"));
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
}

/// Sixteen calls, some of them interleaved and the last ones unfinished, flushed at the cuts; the
/// CDRs of the finished ones, the latest first.
async fn serve(dir: &Path, cuts: &[usize], interleave: usize, unfinished: u64) -> Vec<Cdr> {
    let mut store = Store::open(dir).await.unwrap();
    let origin = store.origin().await.unwrap();
    let mut writer = store.into_writer(&origin, |line| panic!("unexpected alarm: {line}"));
    let mut log = Log::from(&origin);
    writer.append(log.node_started(origin.wall));
    let finished = 16 - unfinished;
    let mut calls: Vec<Vec<Event>> = (1..=finished).map(|contact| log.call(contact)).collect();
    calls.extend((finished + 1..=16).map(|contact| log.call_up(contact)));
    let mut numbered = Log::from(&origin);
    numbered.next_seq = 2;
    let mut expected: Vec<Vec<Event>> = Vec::new();
    let mut appended = 0;
    for group in calls.chunks(interleave) {
        let mut done = vec![Vec::new(); group.len()];
        for step in 0..25 {
            for (call, done) in group.iter().zip(&mut done) {
                let Some(event) = call.get(step) else { continue };
                let event = numbered.event(event.contact.map(|contact| contact.0), event.kind.clone());
                done.push(event.clone());
                writer.append(event);
                appended += 1;
                if cuts.contains(&appended) {
                    writer.flush().await.unwrap();
                }
            }
        }
        expected.extend(done);
    }
    writer.close().await.unwrap();
    expected.iter().rev().filter_map(|events| events::cdr::fold(events, origin.wall)).collect()
}

async fn calls_of(dir: &Path) -> Vec<Cdr> {
    let reader = Reader::open(dir).await.unwrap();
    reader.calls(100, &Filter::default()).await.unwrap()
}
