//! The table of contacts is a fold of the journal: made anew, it is the same.

mod calls;

use calls::Log;
use events::Event;
use events::cdr::Cdr;
use proptest::prelude::*;
use std::path::Path;
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
