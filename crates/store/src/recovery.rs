//! What the journal says about a crash, and the projection made anew.

use crate::batch::Batch;
use crate::error::StoreError;
use crate::journal::{BATCH_EVENTS, Journal};
use events::cdr::CdrFold;
use events::{Cause, EndedBy, Event, Kind, LegId, WallClock};

/// Rows of the journal that a rebuild reads at a time.
const PAGE_ROWS: u32 = 1_000;

/// Ends the contacts that the last run left open, at the last moment that the journal knows of.
pub(crate) async fn close_interrupted(journal: &mut Journal) -> Result<(), StoreError> {
    let live = journal.live_contacts().await?;
    if live.is_empty() {
        return Ok(());
    }
    let tail = journal.tail().await?;
    let mut next_seq = tail.last_seq + 1;
    let mut batch = Batch::default();
    for (contact, wall) in live {
        let history = journal.events_of(contact).await?;
        let mut fold = CdrFold::new(wall);
        for event in &history {
            fold.apply(event);
        }
        for kind in closing(&history) {
            let event = Event { seq: next_seq, at: tail.last_at, contact: Some(contact), kind };
            next_seq += 1;
            batch.add(&event, &mut fold);
        }
        if batch.len() >= BATCH_EVENTS / 2 {
            journal.write(&std::mem::take(&mut batch)).await?;
        }
    }
    journal.write(&batch).await
}

/// Makes the tables beside the journal anew.
pub(crate) async fn rebuild(journal: &mut Journal) -> Result<(), StoreError> {
    journal.begin().await?;
    match refill(journal).await {
        Ok(()) => journal.commit().await,
        Err(error) => Err(journal.roll_back(error).await),
    }
}

async fn refill(journal: &mut Journal) -> Result<(), StoreError> {
    journal.execute("DELETE FROM contact").await?;
    journal.execute("DELETE FROM agent").await?;
    journal.execute("DELETE FROM value").await?;
    let mut fold = CdrFold::new(WallClock::new(0));
    let mut after = 0;
    while let Some((last, events)) = journal.page(after, PAGE_ROWS).await? {
        let mut batch = Batch::default();
        for event in &events {
            batch.project(event, &mut fold);
        }
        journal.write_rows(&batch).await?;
        after = last;
    }
    Ok(())
}

/// The events that end every leg which has not ended, and the contact.
fn closing(history: &[Event]) -> Vec<Kind> {
    let mut open: Vec<LegId> = Vec::new();
    for event in history {
        match &event.kind {
            Kind::LegStarted { leg, .. } | Kind::LegJoined { leg, .. } => open.push(*leg),
            Kind::LegEnded { leg, .. } | Kind::LegLeft { leg, .. } => open.retain(|other| other != leg),
            _ => {}
        }
    }
    let cause = Cause { by: EndedBy::Switch, status: None, reason: "interrupted".into() };
    let legs = open.into_iter().map(|leg| Kind::LegEnded { leg, cause: cause.clone() });
    legs.chain([Kind::ContactEnded { cause: cause.clone() }]).collect()
}
