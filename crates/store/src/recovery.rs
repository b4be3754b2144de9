//! What the journal says about a crash, and the projection made anew.

use crate::batch::{Batch, Folds};
use crate::error::StoreError;
use crate::journal::{BATCH_EVENTS, Journal};
use events::cdr::CdrFold;
use events::{Cause, EndedBy, Event, Kind, LegId, WallClock};

/// Rows of the journal that a rebuild reads at a time.
const PAGE_ROWS: u32 = 1_000;

/// Ends the contacts that the last run left open, at the last moment that the journal knows of, and gives the fold of
/// figures that goes on from there.
pub(crate) async fn close_interrupted(journal: &mut Journal) -> Result<figures::Fold, StoreError> {
    let live = journal.live_contacts().await?;
    let tail = journal.tail().await?;
    let last = match journal.figured().await? {
        Some(last) => last,
        None if tail.last_seq == 0 => 0,
        None => {
            rebuild(journal).await?;
            journal.figured().await?.unwrap_or(0)
        }
    };
    let open = journal.open_visits().await?;
    let agents = journal.agents().await?.into_iter().filter(|seat| seat.is_logged_in).map(|seat| seat.agent);
    // All that is open is of the last run, so of one wall clock.
    let wall = live.first().map_or(WallClock::new(0), |(_, wall)| *wall);
    let mut folds = Folds::new(wall, figures::Fold::resume(wall, last, open, agents));
    let mut next_seq = tail.last_seq + 1;
    let mut batch = Batch::default();
    for (contact, wall) in live {
        let history = journal.events_of(contact).await?;
        folds.cdr = CdrFold::new(wall);
        for event in &history {
            folds.cdr.apply(event);
        }
        for kind in closing(&history) {
            let event = Event { seq: next_seq, at: tail.last_at, contact: Some(contact), kind };
            next_seq += 1;
            batch.add(&event, &mut folds);
        }
        if batch.len() >= BATCH_EVENTS / 2 {
            journal.write(&std::mem::take(&mut batch)).await?;
        }
    }
    if !batch.is_empty() {
        journal.write(&batch).await?;
    }
    Ok(folds.figures)
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
    for table in [
        "DELETE FROM contact",
        "DELETE FROM agent",
        "DELETE FROM registration",
        "DELETE FROM callback",
        "DELETE FROM value",
        "DELETE FROM voicemail",
        "DELETE FROM recording",
        "DELETE FROM disposition",
        "DELETE FROM visit",
        "DELETE FROM agent_day",
    ] {
        journal.execute(table).await?;
    }
    let mut folds = Folds::new(WallClock::new(0), figures::Fold::new());
    let (mut after, mut waiting) = (0, Vec::new());
    loop {
        let page = journal.page(after, PAGE_ROWS).await?;
        let is_last = page.is_none();
        // Events of one batch are in several rows: what comes before the next row's first has its turn.
        if let Some((last, events)) = page {
            after = last;
            waiting.extend(events);
        }
        waiting.sort_by_key(|event: &Event| event.seq);
        let ready = if is_last { waiting.len() } else { waiting.partition_point(|event| event.seq <= after) };
        let mut batch = Batch::default();
        for event in waiting.drain(..ready) {
            batch.project(&event, &mut folds);
        }
        if ready > 0 {
            journal.write_rows(&batch).await?;
        }
        if is_last {
            return Ok(());
        }
    }
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
