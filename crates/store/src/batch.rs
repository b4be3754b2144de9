//! Events on their way to the database, as rows.

use crate::agents::AgentRow;
use crate::callbacks::CallbackRow;
use crate::dispositions::DispositionRow;
use crate::recordings::RecordingRow;
use crate::registrations::RegistrationRow;
use crate::values::ValueRow;
use crate::voicemail::VoicemailRow;
use clock::Time;
use events::cdr::{Cdr, CdrFold};
use events::{ContactId, Event, Kind, Moment, WallClock};
use figures::{Changes, Millis, Visit};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What the events of one contact in one batch usually take.
const CHUNK_BYTES: usize = 1_000;

/// What a visit usually takes.
const VISIT_BYTES: usize = 100;

/// A day, in milliseconds.
pub(crate) const DAY: Millis = 86_400_000;

/// What the tables beside the journal are folded by.
#[derive(Debug)]
pub(crate) struct Folds {
    pub(crate) cdr: CdrFold,
    pub(crate) figures: figures::Fold,
}

/// Rows that go into one transaction.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// In the order of their first events.
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) contacts: Vec<ContactRow>,
    /// In the order of their events.
    pub(crate) agents: Vec<AgentRow>,
    /// In the order of their events.
    pub(crate) callbacks: Vec<CallbackRow>,
    /// Likewise.
    pub(crate) registrations: Vec<RegistrationRow>,
    /// Likewise.
    pub(crate) values: Vec<ValueRow>,
    /// Likewise.
    pub(crate) voicemail: Vec<VoicemailRow>,
    /// Likewise.
    pub(crate) recordings: Vec<RecordingRow>,
    /// Likewise.
    pub(crate) dispositions: Vec<DispositionRow>,
    pub(crate) visits: Vec<Visit>,
    /// What is appended to an agent's day.
    pub(crate) days: BTreeMap<(Arc<str>, Millis), Vec<u8>>,
    /// The moment of its last event, in milliseconds since 1970.
    pub(crate) last: Millis,
    events: usize,
    open: HashMap<Option<ContactId>, usize>,
    rows: HashMap<ContactId, usize>,
    /// Where a visit is among those.
    visited: HashMap<u64, usize>,
}

/// A row of the journal.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    pub(crate) last_at: Time,
    pub(crate) contact: Option<ContactId>,
    json: Vec<u8>,
}

/// A row of the table of contacts.
#[derive(Debug)]
pub(crate) struct ContactRow {
    pub(crate) contact: ContactId,
    pub(crate) started: Moment,
    pub(crate) caller: String,
    pub(crate) called: String,
    pub(crate) client: String,
    pub(crate) cdr: Option<String>,
}

impl Batch {
    /// Adds the next event of the log, and the row of the contact that begins or ends by it.
    pub(crate) fn add(&mut self, event: &Event, folds: &mut Folds) {
        self.add_to_journal(event);
        self.project(event, folds);
    }

    /// Adds only what the tables beside the journal need of an event that the journal has already.
    pub(crate) fn project(&mut self, event: &Event, folds: &mut Folds) {
        self.agents.extend(AgentRow::of(event));
        self.values.extend(ValueRow::of(event));
        self.callbacks.extend(CallbackRow::of(event));
        self.registrations.extend(RegistrationRow::of(event));
        let cdr = folds.cdr.apply(event);
        self.voicemail.extend(VoicemailRow::of(event, folds.cdr.wall()));
        self.recordings.extend(RecordingRow::of(event, folds.cdr.wall()));
        self.dispositions.extend(DispositionRow::of(event, folds.cdr.wall()));
        self.add_figures(event, cdr.as_ref(), &mut folds.figures);
        match (&event.kind, event.contact) {
            (Kind::ContactStarted { client, from, to, .. }, Some(contact)) => {
                let started = folds.cdr.wall().moment(event.at);
                self.add_row(ContactRow::new(contact, started, [from, to, client]));
            }
            _ => {
                if let Some(cdr) = cdr {
                    self.add_row(ContactRow::ended(&cdr));
                }
            }
        }
    }

    fn add_figures(&mut self, event: &Event, cdr: Option<&Cdr>, fold: &mut figures::Fold) {
        let mut changes = Changes::default();
        fold.apply(event, cdr, &mut changes);
        self.last = fold.last();
        for visit in changes.visits {
            match self.visited.get(&visit.id) {
                Some(index) => self.visits[*index] = visit,
                None => {
                    self.visited.insert(visit.id, self.visits.len());
                    self.visits.push(visit);
                }
            }
        }
        for change in changes.transitions {
            let day = (Arc::clone(&change.agent), change.at.div_euclid(DAY));
            figures::pack_change(&change, self.days.entry(day).or_default());
        }
    }

    /// How many events it holds.
    pub(crate) fn len(&self) -> usize {
        self.events
    }

    /// The number of the last event of its rows of the journal.
    pub(crate) fn last_seq(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.last_seq).max().unwrap_or(0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events == 0
    }

    fn add_to_journal(&mut self, event: &Event) {
        self.events += 1;
        let index = *self.open.entry(event.contact).or_insert_with(|| {
            self.chunks.push(Chunk::new(event));
            self.chunks.len() - 1
        });
        self.chunks[index].push(event);
    }

    fn add_row(&mut self, row: ContactRow) {
        match self.rows.get(&row.contact) {
            Some(index) => self.contacts[*index] = row,
            None => {
                self.rows.insert(row.contact, self.contacts.len());
                self.contacts.push(row);
            }
        }
    }
}

impl Folds {
    /// Those of a log that begins, or that goes on in a process that begins to serve under `wall`.
    pub(crate) fn new(wall: WallClock, figures: figures::Fold) -> Self {
        Self { cdr: CdrFold::new(wall), figures }
    }
}

/// A visit as its row has it.
pub(crate) fn pack(visit: &Visit) -> Vec<u8> {
    let mut packed = Vec::with_capacity(VISIT_BYTES);
    figures::pack(visit, &mut packed);
    packed
}

impl Chunk {
    fn new(event: &Event) -> Self {
        let (seq, at) = (event.seq, event.at);
        Self {
            first_seq: seq,
            last_seq: seq,
            last_at: at,
            contact: event.contact,
            json: Vec::with_capacity(CHUNK_BYTES),
        }
    }

    fn push(&mut self, event: &Event) {
        match self.json.pop() {
            Some(_bracket) => self.json.push(b','),
            None => self.json.push(b'['),
        }
        let stored = (event.seq, event.at, &event.kind);
        serde_json::to_writer(&mut self.json, &stored).expect("an event is plain data: it has a JSON form");
        self.json.push(b']');
        self.last_seq = event.seq;
        self.last_at = event.at;
    }

    /// The events as a JSON array of `[seq, at, kind]`.
    pub(crate) fn json(&self) -> &str {
        std::str::from_utf8(&self.json).expect("serde_json writes UTF-8")
    }
}

/// The events of a row of the journal.
pub(crate) fn parse_chunk(
    contact: Option<ContactId>,
    json: &str,
) -> Result<impl Iterator<Item = Event>, serde_json::Error> {
    let stored: Vec<(u64, Time, Kind)> = serde_json::from_str(json)?;
    Ok(stored.into_iter().map(move |(seq, at, kind)| Event { seq, at, contact, kind }))
}

impl ContactRow {
    fn new(contact: ContactId, started: Moment, [from, to, client]: [&str; 3]) -> Self {
        let (caller, called) = (search_key(from), search_key(to));
        Self { contact, started, caller, called, client: client.to_owned(), cdr: None }
    }

    fn ended(cdr: &Cdr) -> Self {
        let json = serde_json::to_string(cdr).expect("a CDR is plain data: it has a JSON form");
        let row = Self::new(cdr.contact, cdr.started, [&cdr.from, &cdr.to, &cdr.client]);
        Self { cdr: Some(json), ..row }
    }
}

/// A number as it is searched for: letters and digits in lower case, the last first.
///
/// Reversed, the end of a number is a prefix of the key, which an index finds; people type numbers
/// with and without country code.
pub(crate) fn search_key(number: &str) -> String {
    number.chars().rev().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
