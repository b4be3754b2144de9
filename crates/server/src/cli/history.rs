//! `calls` and `trace`: what the event log says, beside a running node or without one.

use super::Failed;
use super::output::print;
use events::cdr::Cdr;
use events::{ContactId, Event, Kind, WallClock, ladder};
use std::path::Path;
use store::{Filter, Reader, Store, StoreError};

/// The CDRs that pass a filter.
pub(super) fn calls_since(state: &Path, filter: &Filter) -> Result<Vec<Cdr>, Failed> {
    read(async { Store::open_read(state).await?.calls(u32::MAX, filter).await })
}

pub(super) fn calls(state: &Path, json: bool, limit: u32, filter: &Filter) -> Result<(), Failed> {
    let calls = read(async {
        let reader = Store::open_read(state).await?;
        reader.calls(limit, filter).await
    })?;
    if json {
        return print_json(&calls);
    }
    if calls.is_empty() {
        return print("no calls\n");
    }
    let mut table = format!(
        "{:>8}  {:<19}  {:<16} {:<16} {:<18} {:>6} {:>6}  {}\n",
        "ID", "STARTED (UTC)", "FROM", "TO", "OUTCOME", "WAIT", "TALK", "ENDED BY"
    );
    table.extend(calls.iter().map(row));
    print(&table)
}

fn row(cdr: &Cdr) -> String {
    format!(
        "{:>8}  {:<19}  {:<16} {:<16} {:<18} {:>6} {:>6}  {}\n",
        cdr.contact.0,
        cdr.started.utc.strftime("%Y-%m-%d %H:%M:%S"),
        cdr.from,
        cdr.to,
        cdr.disposition.name().replace('_', " "),
        clock_face(cdr.wait_millis),
        clock_face(cdr.talk_millis),
        cdr.cause.reason,
    )
}

/// Milliseconds as minutes and seconds.
fn clock_face(millis: u64) -> String {
    let seconds = millis / 1_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

pub(super) fn trace(state: &Path, id: &str, json: bool) -> Result<(), Failed> {
    let found = read(async {
        let reader = Store::open_read(state).await?;
        match reader.find(id).await? {
            Some(contact) => history(&reader, contact).await.map(Some),
            None => Ok(None),
        }
    })?;
    let Some((events, wall)) = found else {
        return Err(Failed::because(format!(
            "no call {id} in {}\n  `ringdown calls` lists them",
            state.display()
        )));
    };
    if json { print_json(&events) } else { print(&ladder::render(&events, wall, ladder::DEFAULT_WIDTH)) }
}

/// Tells of each queue that a call was in, whom it was offered to, and why.
pub(super) fn why(state: &Path, id: &str, json: bool) -> Result<(), Failed> {
    let found = read(async {
        let reader = Store::open_read(state).await?;
        match reader.find(id).await? {
            Some(contact) => history(&reader, contact).await.map(|(events, _)| Some((contact, events))),
            None => Ok(None),
        }
    })?;
    let Some((contact, events)) = found else {
        return Err(Failed::because(format!(
            "no call {id} in {}\n  `ringdown calls` lists them",
            state.display()
        )));
    };
    let of_queues: Vec<Event> = events
        .into_iter()
        .filter(|event| {
            let kind = &event.kind;
            matches!(kind, Kind::QueueEntered { .. } | Kind::QueueOffered { .. })
                || matches!(kind, Kind::QueueOfferEnded { .. } | Kind::QueueLeft { .. })
                || matches!(kind, Kind::CallbackKept { .. } | Kind::CallbackTried { .. })
                || matches!(kind, Kind::CallbackFailed { .. } | Kind::CallbackEnded { .. })
                || matches!(kind, Kind::CallsBack { .. } | Kind::CallerDirected { .. })
        })
        .collect();
    if json {
        return print_json(&of_queues);
    }
    if of_queues.is_empty() {
        return print(&format!("contact {} was in no queue\n", contact.0));
    }
    let mut text = events::queues::story(contact, &of_queues);
    let last = of_queues.last().map(|event| &event.kind);
    let has_left = matches!(last, Some(Kind::QueueLeft { .. } | Kind::CallbackEnded { .. }));
    if let Some(why) = (!has_left).then(|| super::queues::why_waiting(state, contact.0)).flatten() {
        text += &format!("Now: {}\n", why.trim_end());
    }
    print(&text)
}

async fn history(reader: &Reader, contact: ContactId) -> Result<(Vec<Event>, WallClock), StoreError> {
    let wall = reader.wall_of(contact).await?.unwrap_or(WallClock::new(0));
    Ok((reader.events_of(contact).await?, wall))
}

/// Runs a query to its end.
pub(super) fn read<T>(query: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failed::because)?.block_on(query).map_err(Failed::because)
}

pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(value).map_err(Failed::because)?;
    print(&format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_a_clock() {
        assert_eq!(clock_face(999), "0:00");
        assert_eq!(clock_face(61_500), "1:01");
        assert_eq!(clock_face(3_600_000), "60:00");
    }
}
