use super::Cdr;
use super::draft::Draft;
use crate::{ContactId, Event, Kind, WallClock};
use std::collections::HashMap;

/// The CDR of one contact from its events in order; others among them are passed over.
///
/// The contact is that of the first `ContactStarted`. `None` while it has not ended.
pub fn fold(events: &[Event], wall: WallClock) -> Option<Cdr> {
    let first = events.iter().find(|event| matches!(event.kind, Kind::ContactStarted { .. }))?;
    let mut fold = CdrFold::new(wall);
    events.iter().filter(|event| event.contact == first.contact).find_map(|event| fold.apply(event))
}

/// Folds the whole log, event by event; each contact's CDR comes out at its end.
///
/// Keeps a draft a live contact and nothing of one that has ended: events after a `ContactEnded`
/// change nothing.
#[derive(Clone, Debug)]
pub struct CdrFold {
    wall: WallClock,
    live: HashMap<ContactId, Box<Draft>>,
}

impl CdrFold {
    /// A fold that begins under `wall`; each `NodeStarted` it meets replaces it.
    pub fn new(wall: WallClock) -> Self {
        Self { wall, live: HashMap::new() }
    }

    /// Takes the next event; the CDR if it is a contact's end.
    pub fn apply(&mut self, event: &Event) -> Option<Cdr> {
        let Some(contact) = event.contact else {
            if let Kind::NodeStarted { unix_micros, .. } = event.kind {
                self.wall = WallClock::from_start(event.at, unix_micros);
            }
            return None;
        };
        match &event.kind {
            Kind::ContactStarted { source, client, from, to, flow } => {
                let draft =
                    || Box::new(Draft::new(event.at, [source, client, from, to, flow].map(Clone::clone)));
                self.live.entry(contact).or_insert_with(draft);
                None
            }
            Kind::ContactEnded { cause } => {
                let draft = self.live.remove(&contact)?;
                Some(draft.finish(contact, event.at, cause.clone(), self.wall))
            }
            kind => {
                if let Some(draft) = self.live.get_mut(&contact) {
                    draft.apply(event.at, kind);
                }
                None
            }
        }
    }

    /// The wall clock in force.
    pub fn wall(&self) -> WallClock {
        self.wall
    }

    /// How many contacts have begun and not ended.
    pub fn live(&self) -> usize {
        self.live.len()
    }
}
