//! The event log as it grows, for any number of listeners: read from the disk once, and written as text once, however
//! many there are.
//!
//! A listener is told what is on disk alone, so that no number ever stands for two events. Whoever falls behind what is
//! kept here reads from the store, as does who begins long ago: nobody is told of anything twice, or misses anything.

use super::control::Plan;
use events::{ContactId, Event, Kind, WallClock};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Reader, StoreError};
use tokio::sync::{OnceCell, watch};
use utoipa::ToSchema;

/// Events that are kept for those who listen: some seconds of a busy node.
const KEPT: usize = 20_000;
/// Events that are read from the store at once.
const PAGE: u64 = 1_000;
/// And no more of their text.
const KEPT_BYTES: usize = 32 << 20;
/// Contacts whose client is remembered.
const CONTACTS: usize = 20_000;

/// An event.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Told {
    /// Its number: counted from 1 without a gap, over restarts too.
    seq: u64,
    /// When, in microseconds since the log began.
    at: u64,
    /// When, by the wall clock.
    #[schema(value_type = String, format = DateTime)]
    utc: Timestamp,
    /// The contact that it is of; null for what is of the node.
    contact: Option<u64>,
    /// What happened: `kind`, and what belongs to it.
    #[schema(value_type = Object)]
    what: Value,
}

impl Told {
    pub(super) fn of(event: &Event, wall: WallClock) -> Self {
        Self {
            seq: event.seq,
            at: event.at.micros(),
            utc: wall.moment(event.at).utc,
            contact: event.contact.map(|contact| contact.0),
            what: serde_json::to_value(&event.kind).expect("an event is plain data: it has a JSON form"),
        }
    }

    pub(super) fn kind(&self) -> &str {
        self.what["kind"].as_str().unwrap_or_default()
    }
}

/// An event that is ready to be told.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) contact: Option<ContactId>,
    /// Whose event it is; `None` for what is of the node.
    pub(super) client: Option<Arc<str>>,
    /// The agent whose state it tells.
    pub(super) agent: Option<Arc<str>>,
    /// What happened, as `kind` has it.
    pub(super) kind: String,
    /// A [`Told`] as JSON.
    pub(super) json: String,
}

/// What all listeners share.
pub(super) struct Feed {
    reader: Reader,
    plan: Plan,
    /// The first event of this run, and its wall clock.
    began: (u64, WallClock),
    /// The starts of earlier runs, with theirs.
    starts: OnceCell<Vec<(u64, WallClock)>>,
    recent: Mutex<Recent>,
    /// The last event that listeners can have.
    last: watch::Sender<u64>,
}

#[derive(Default)]
struct Recent {
    lines: VecDeque<Arc<Line>>,
    clients: HashMap<ContactId, Arc<str>>,
    /// How many bytes the lines have.
    bytes: usize,
}

impl Feed {
    /// One that follows a log, by what says how far it is written, from a task of the current runtime.
    pub(super) fn follow(
        reader: Reader,
        plan: Plan,
        began: (u64, WallClock),
        written: watch::Receiver<u64>,
    ) -> Arc<Self> {
        let (last, _) = watch::channel(*written.borrow());
        let feed =
            Arc::new(Self { reader, plan, began, starts: OnceCell::new(), recent: Mutex::default(), last });
        tokio::spawn(Arc::clone(&feed).keep_up(written));
        feed
    }

    /// How far the log goes, as it grows. Whoever has this counts as a listener.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// The events that follow `after`, up to a page; none if there are none yet.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) async fn after(&self, after: u64) -> Result<Vec<Arc<Line>>, StoreError> {
        let last = *self.last.borrow();
        let mut after = after;
        while after < last {
            if let Some(lines) = self.recent_after(after) {
                return Ok(lines);
            }
            let end = last.min(after + PAGE);
            let lines = self.read(after + 1, end).await?;
            if !lines.is_empty() {
                return Ok(lines);
            }
            // Events that were lost with a full disk have left a gap.
            after = end;
        }
        Ok(Vec::new())
    }

    /// What follows from what is kept, if that goes back so far.
    fn recent_after(&self, after: u64) -> Option<Vec<Arc<Line>>> {
        let recent = self.lock();
        if recent.lines.front()?.seq > after + 1 || recent.lines.back()?.seq <= after {
            return None;
        }
        let skipped = recent.lines.partition_point(|line| line.seq <= after);
        let page = usize::try_from(PAGE).expect("it is small");
        Some(recent.lines.iter().skip(skipped).take(page).cloned().collect())
    }

    async fn keep_up(self: Arc<Self>, mut written: watch::Receiver<u64>) {
        while written.changed().await.is_ok() {
            let to = *written.borrow_and_update();
            if self.last.receiver_count() == 0 {
                // Nobody listens: whoever comes later reads what it wants from the store.
                self.lock().clear();
            } else if let Err(error) = self.take_up(to).await {
                tracing::warn!("the event log cannot be read for those who listen: {error}");
                self.lock().clear();
            }
            self.last.send_replace(to);
        }
    }

    async fn take_up(&self, to: u64) -> Result<(), StoreError> {
        let mut after = self.lock().lines.back().map_or(*self.last.borrow(), |line| line.seq);
        while after < to {
            let lines = self.read(after + 1, to.min(after + PAGE)).await?;
            // Where events were lost with a full disk, a page may be empty.
            after = to.min(after + PAGE);
            let mut recent = self.lock();
            lines.into_iter().for_each(|line| recent.push(line));
        }
        Ok(())
    }

    async fn read(&self, first: u64, last: u64) -> Result<Vec<Arc<Line>>, StoreError> {
        let events = self.reader.events(first, last).await?;
        let mut wall = self.wall_at(first).await?;
        let mut lines = Vec::with_capacity(events.len());
        for event in events {
            if let Kind::NodeStarted { unix_micros, .. } = event.kind {
                wall = WallClock::from_start(event.at, unix_micros);
            }
            let client = self.client_of(&event).await?;
            let told = Told::of(&event, wall);
            let kind = told.kind().to_owned();
            let json = serde_json::to_string(&told).expect("an event is plain data: it has a JSON form");
            let agent = match event.kind {
                Kind::AgentChanged { agent, .. } => Some(agent),
                _ => None,
            };
            lines.push(Arc::new(Line { seq: event.seq, contact: event.contact, client, agent, kind, json }));
        }
        Ok(lines)
    }

    /// Those of earlier runs are looked for once, when somebody first reads so far back.
    async fn wall_at(&self, seq: u64) -> Result<WallClock, StoreError> {
        let (first, wall) = self.began;
        if seq >= first {
            return Ok(wall);
        }
        let starts = self.starts.get_or_try_init(|| self.reader.starts()).await?;
        let before = starts.partition_point(|(start, _)| *start <= seq);
        Ok(before.checked_sub(1).map_or(WallClock::new(0), |index| starts[index].1))
    }

    async fn client_of(&self, event: &Event) -> Result<Option<Arc<str>>, StoreError> {
        let Some(contact) = event.contact else { return Ok(self.client_named(&event.kind)) };
        if let Kind::ContactStarted { client, .. } = &event.kind {
            self.lock().remember(contact, Arc::from(&**client));
        }
        if let Some(client) = self.lock().clients.get(&contact) {
            return Ok(Some(Arc::clone(client)));
        }
        let client: Option<Arc<str>> = self.reader.client_of(contact).await?.map(Arc::from);
        if let Some(client) = &client {
            self.lock().remember(contact, Arc::clone(client));
        }
        Ok(client)
    }

    /// The client that an event of no contact is of, where it names one, or an agent or user of one.
    fn client_named(&self, kind: &Kind) -> Option<Arc<str>> {
        let named = serde_json::to_value(kind).expect("plain data");
        let text = |field: &str| named.get(field).and_then(Value::as_str);
        let of_queue = || text("queue")?.split_once('/').map(|(client, _)| client);
        let of_user = || text("user")?.split_once('@').map(|(_, client)| client);
        let client = text("client").or_else(of_queue).or_else(of_user).map(Arc::from);
        client.or_else(|| self.plan.client_of_agent(text("agent")?))
    }

    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn push(&mut self, line: Arc<Line>) {
        self.bytes += line.json.len();
        self.lines.push_back(line);
        while self.lines.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.json.len();
        }
    }

    fn clear(&mut self) {
        self.lines.clear();
        self.bytes = 0;
    }

    fn remember(&mut self, contact: ContactId, client: Arc<str>) {
        if self.clients.len() >= CONTACTS {
            self.clients.clear();
        }
        self.clients.insert(contact, client);
    }
}
