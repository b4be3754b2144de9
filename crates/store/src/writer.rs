use crate::Store;
use crate::batch::{Batch, Folds};
use crate::database::Lock;
use crate::error::StoreError;
use crate::journal::{BATCH_EVENTS, Journal};
use events::{Event, Kind, WallClock};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};

/// Events that wait in memory while the disk cannot take them: some 8,000 calls, about 60 MB.
pub(crate) const QUEUE_EVENTS: usize = 200_000;

/// How long the first event of a batch waits for others.
const GATHER: Duration = Duration::from_millis(100);

/// How long a batch that could not be written waits for the next attempt.
const RETRY: Duration = Duration::from_secs(1);

/// Gets one line when writing begins to fail, one when it works again, and one if it has ended for good.
pub(crate) type Alarm = Arc<dyn Fn(&str) + Send + Sync>;

/// Appends events to the journal without ever waiting for the disk.
///
/// A task writes them in batches, 100 ms after the first at the latest. While the disk cannot take
/// them they wait in memory, up to a bound; beyond it they are counted, and an `Alarm` event in
/// their place says so once writing works again.
pub struct Writer {
    entries: Sender<Entry>,
    commands: Sender<Command>,
    outlet: Outlet,
    alarm: Alarm,
    path: PathBuf,
    written: watch::Receiver<u64>,
}

/// How the queue took the last event.
#[derive(Debug)]
enum Outlet {
    Open,
    /// It was full.
    Full(Lost),
    /// Its task has ended, and the alarm has been raised.
    Gone,
}

/// What goes through the queue.
#[derive(Debug)]
enum Entry {
    Event(Event),
    Lost(Lost),
}

/// A run of events that found the queue full.
#[derive(Debug)]
struct Lost {
    /// The first of them: its number and time are used again by the alarm that tells of them all.
    first: Event,
    last_seq: u64,
}

#[derive(Debug)]
enum Command {
    Flush(oneshot::Sender<Result<(), StoreError>>),
    Close(oneshot::Sender<Result<(), StoreError>>),
}

impl Writer {
    pub(crate) fn start(
        store: Store,
        (wall, last_seq): (WallClock, u64),
        queue: usize,
        alarm: Alarm,
    ) -> Self {
        let Store { journal, lock, figures } = store;
        let path = journal.path().to_owned();
        let (entries, receiver) = mpsc::channel(queue);
        let (commands, orders) = mpsc::channel(1);
        let (written, last) = watch::channel(last_seq);
        let task = Task {
            journal,
            _lock: lock,
            folds: Folds::new(wall, figures),
            batch: Batch::default(),
            state: State::Idle,
            entries: receiver,
            alarm: alarm.clone(),
            written,
        };
        tokio::spawn(task.run(orders));
        Self { entries, commands, outlet: Outlet::Open, alarm, path, written: last }
    }

    /// The number of the last event that is on disk, as it grows: what is told to others no crash takes back.
    pub fn written(&self) -> watch::Receiver<u64> {
        self.written.clone()
    }

    /// Appends the next event. Never waits.
    pub fn append(&mut self, event: Event) {
        self.outlet = match std::mem::replace(&mut self.outlet, Outlet::Open) {
            Outlet::Open => self.offer(event),
            Outlet::Full(lost) => match self.entries.try_reserve() {
                Ok(room) => {
                    room.send(Entry::Lost(lost));
                    self.offer(event)
                }
                Err(TrySendError::Full(())) => Outlet::Full(Lost { last_seq: event.seq, ..lost }),
                Err(TrySendError::Closed(())) => self.end(),
            },
            Outlet::Gone => Outlet::Gone,
        };
    }

    fn offer(&self, event: Event) -> Outlet {
        match self.entries.try_reserve() {
            Ok(room) => {
                room.send(Entry::Event(event));
                Outlet::Open
            }
            Err(TrySendError::Full(())) => Outlet::Full(Lost { last_seq: event.seq, first: event }),
            Err(TrySendError::Closed(())) => self.end(),
        }
    }

    fn end(&self) -> Outlet {
        (self.alarm)(&format!("{}; restart the node", self.gone()));
        Outlet::Gone
    }

    /// Writes everything that was appended before.
    ///
    /// # Errors
    /// Why it cannot be written now; it is kept and tried again.
    pub async fn flush(&mut self) -> Result<(), StoreError> {
        self.order(Command::Flush).await?;
        let Outlet::Full(lost) = std::mem::replace(&mut self.outlet, Outlet::Open) else { return Ok(()) };
        // The queue has just been emptied and nobody else appends.
        self.entries.send(Entry::Lost(lost)).await.map_err(|_| self.gone())?;
        self.order(Command::Flush).await
    }

    /// Writes everything that was appended and gives the state directory free.
    ///
    /// # Errors
    /// Why it could not be written; those events are lost.
    pub async fn close(mut self) -> Result<(), StoreError> {
        let written = self.flush().await;
        let closed = self.order(Command::Close).await;
        written.and(closed)
    }

    async fn order(
        &mut self,
        command: fn(oneshot::Sender<Result<(), StoreError>>) -> Command,
    ) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| self.gone())?;
        answer.await.map_err(|_| self.gone())?
    }

    fn gone(&self) -> StoreError {
        StoreError::WriterGone { path: self.path.clone() }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outlet, path, .. } = self;
        f.debug_struct("Writer").field("outlet", outlet).field("path", path).finish_non_exhaustive()
    }
}

/// The end of the queue that knows the disk.
struct Task {
    journal: Journal,
    _lock: Lock,
    folds: Folds,
    batch: Batch,
    state: State,
    entries: Receiver<Entry>,
    alarm: Alarm,
    written: watch::Sender<u64>,
}

/// What the task waits for.
#[derive(Clone, Copy, Debug)]
enum State {
    /// The next event.
    Idle,
    /// More of them, until then.
    Gathering(Instant),
    /// The next attempt to write.
    Failing(Instant),
}

impl Task {
    async fn run(mut self, mut orders: Receiver<Command>) {
        loop {
            tokio::select! {
                biased;
                command = orders.recv() => match command {
                    Some(Command::Flush(reply)) => {
                        let written = self.write_queue().await;
                        // Whoever asked may have stopped waiting.
                        let _ = reply.send(written);
                    }
                    Some(Command::Close(reply)) => {
                        let written = self.write_queue().await;
                        drop(self);
                        let _ = reply.send(written);
                        return;
                    }
                    // The writer was dropped; a failure has raised its alarm already.
                    None => {
                        let _ = self.write_queue().await;
                        return;
                    }
                },
                entry = self.entries.recv(), if matches!(self.state, State::Idle) => {
                    if let Some(entry) = entry {
                        self.take(entry);
                        self.state = State::Gathering(Instant::now() + GATHER);
                    }
                }
                () = due(self.state) => {
                    // A failure raises the alarm and is tried again.
                    let _ = self.write_queue().await;
                }
            }
        }
    }

    /// Writes what waits in the queue, batch by batch.
    async fn write_queue(&mut self) -> Result<(), StoreError> {
        loop {
            while self.batch.len() < BATCH_EVENTS
                && let Ok(entry) = self.entries.try_recv()
            {
                self.take(entry);
            }
            if self.batch.is_empty() {
                return Ok(());
            }
            self.write_batch().await?;
        }
    }

    async fn write_batch(&mut self) -> Result<(), StoreError> {
        let failing = matches!(self.state, State::Failing(_));
        match self.journal.write(&self.batch).await {
            Ok(()) => {
                let last = self.batch.last_seq();
                self.written.send_replace(last);
                self.batch = Batch::default();
                self.state = State::Idle;
                if failing {
                    (self.alarm)("the event log is written again; what waited in memory is on disk");
                }
                Ok(())
            }
            Err(error) => {
                self.state = State::Failing(Instant::now() + RETRY);
                if !failing {
                    (self.alarm)(&format!("the event log cannot be written, events wait in memory: {error}"));
                }
                Err(error)
            }
        }
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Event(event) => self.batch.add(&event, &mut self.folds),
            Entry::Lost(Lost { first, last_seq }) => {
                let text = format!(
                    "events {} to {last_seq} were lost: the event log could not be written and memory for them ran out",
                    first.seq
                );
                (self.alarm)(&text);
                let event = Event { contact: None, kind: Kind::Alarm { text }, ..first };
                self.batch.add(&event, &mut self.folds);
            }
        }
    }
}

async fn due(state: State) {
    match state {
        State::Idle => std::future::pending().await,
        State::Gathering(at) | State::Failing(at) => sleep_until(at).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clock::Time;
    use events::{ContactId, LegId};
    use sqlx::sqlite::SqliteConnection;
    use std::path::Path;
    use std::sync::Mutex;
    use tempfile::TempDir;

    /// What an administrator heard.
    type Heard = Arc<Mutex<Vec<String>>>;

    async fn writer(dir: &Path, queue: usize) -> (Writer, Heard) {
        let store = Store::open(dir).await.unwrap();
        let heard = Heard::default();
        let alarms = heard.clone();
        let alarm = Arc::new(move |line: &str| alarms.lock().unwrap().push(line.to_owned()));
        (Writer::start(store, (WallClock::new(0), 0), queue, alarm), heard)
    }

    fn event(seq: u64) -> Event {
        let kind = Kind::Held { leg: LegId(seq) };
        Event { seq, at: Time::from_millis(seq), contact: Some(ContactId(1)), kind }
    }

    /// Another program that holds the write lock until it is dropped.
    async fn intruder(dir: &Path) -> SqliteConnection {
        let mut connection = crate::database::open(dir).await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
        connection
    }

    async fn all_events(dir: &Path) -> Vec<Event> {
        let connection = crate::database::open(dir).await.unwrap();
        let mut journal = Journal::new(connection, crate::database::file(dir));
        let (mut events, mut after) = (Vec::new(), 0);
        while let Some((last, page)) = journal.page(after, 100).await.unwrap() {
            events.extend(page);
            after = last;
        }
        events.sort_by_key(|event| event.seq);
        events
    }

    #[tokio::test]
    async fn what_finds_no_room_is_told_in_its_place() {
        let dir = TempDir::new().unwrap();
        let (mut writer, heard) = writer(dir.path(), 10).await;
        writer.append(event(1));
        writer.flush().await.unwrap();
        let lock = intruder(dir.path()).await;
        // The failed attempt takes what is queued into its batch; then ten fit and the rest do not.
        writer.append(event(2));
        assert!(matches!(writer.flush().await, Err(StoreError::Busy { .. })));
        (3..=40).for_each(|seq| writer.append(event(seq)));
        drop(lock);
        writer.flush().await.unwrap();
        writer.append(event(41));
        writer.close().await.unwrap();

        let events = all_events(dir.path()).await;
        let written: Vec<u64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(written, (1..=13).chain([41]).collect::<Vec<_>>());
        let Kind::Alarm { text } = &events[12].kind else { panic!("{:?}", events[12]) };
        assert!(text.starts_with("events 13 to 40 were lost"), "{text}");
        assert_eq!(events[12].contact, None);
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard.len(), 3, "{heard:?}");
        assert!(heard[2].contains("13 to 40"), "{heard:?}");
    }

    #[tokio::test]
    async fn a_full_disk_keeps_what_it_cannot_take() {
        let dir = TempDir::new().unwrap();
        let connection = crate::database::open(dir.path()).await.unwrap();
        let mut journal = Journal::new(connection, crate::database::file(dir.path()));
        let mut fold = Folds::new(WallClock::new(0), figures::Fold::new());
        let mut batch = Batch::default();
        (1..=1_000).for_each(|seq| batch.add(&event(seq), &mut fold));
        journal.execute("PRAGMA max_page_count = 12").await.unwrap();
        for _ in 0..2 {
            let error = journal.write(&batch).await.unwrap_err();
            assert!(matches!(error, StoreError::Full { .. }), "{error}");
            assert!(error.to_string().contains("ringdown.db: the disk is full"), "{error}");
        }
        assert_eq!(all_events(dir.path()).await.len(), 0, "all of a batch or nothing");
        journal.execute("PRAGMA max_page_count = 100000").await.unwrap();
        journal.write(&batch).await.unwrap();
        assert_eq!(all_events(dir.path()).await.len(), 1_000);
    }

    #[tokio::test]
    async fn a_disk_that_stays_full_is_said_when_the_writer_closes() {
        let dir = TempDir::new().unwrap();
        let mut store = Store::open(dir.path()).await.unwrap();
        store.journal.execute("PRAGMA max_page_count = 12").await.unwrap();
        let mut writer = Writer::start(store, (WallClock::new(0), 0), 5_000, Arc::new(|_| {}));
        (1..=5_000).for_each(|seq| writer.append(event(seq)));
        assert!(matches!(writer.flush().await, Err(StoreError::Full { .. })));
        assert!(matches!(writer.close().await, Err(StoreError::Full { .. })));
        Store::open(dir.path()).await.expect("the directory is free again");
    }

    #[test]
    fn the_end_of_its_task_is_told_once() {
        let dir = TempDir::new().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut writer, heard) = runtime.block_on(writer(dir.path(), 10));
        drop(runtime);
        (1..=3).for_each(|seq| writer.append(event(seq)));
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert!(heard[0].contains("the writer of the event log has ended"), "{heard:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_written_without_being_asked() {
        let dir = TempDir::new().unwrap();
        let (mut writer, _) = writer(dir.path(), 100).await;
        writer.append(event(1));
        // Virtual time passes whenever every task waits; SQLite's thread is waited for in real time.
        for _ in 0..1_000 {
            tokio::time::advance(GATHER).await;
            if all_events(dir.path()).await.len() == 1 {
                return writer.close().await.unwrap();
            }
        }
        panic!("it was never written");
    }
}
