//! What flows remember: the plan's flows only count, so that each count is one more than the one before, if that is not over.

use events::{Event, Kind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Counts by client and key, each with when it is over, in microseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Values(BTreeMap<(Arc<str>, Arc<str>), (i64, i64)>);

impl Values {
    /// Takes an event; `unix_micros` is the wall clock.
    pub(super) fn observe(&mut self, event: &Event, unix_micros: i64) -> Result<(), String> {
        let Kind::ValueChanged { client, key, value, until } = &event.kind else { return Ok(()) };
        let place = (Arc::clone(client), Arc::clone(key));
        let before = self.0.remove(&place).filter(|(_, until)| unix_micros < *until);
        let (Some(value), Some(until)) = (value, until) else { return Ok(()) };
        let due = before.map_or(0, |(count, _)| count) + 1;
        if **value != *due.to_string() {
            return Err(format!("{key} of {client} is {value} where {due} was due"));
        }
        self.0.insert(place, (due, *until));
        Ok(())
    }
}
