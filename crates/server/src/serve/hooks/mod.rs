//! Webhooks: clients' servers are told of events, in their order, signed, and each at least once.
//!
//! Each has a task of its own that follows the log from where it has come to, which is kept in the state directory. What a
//! server does not take is tried again, ever more slowly, and after a day put by, so that what follows goes on; what was
//! put by can be sent again.

mod place;
mod send;

use super::feed::Feed;
use super::inbox::{Message, Sender};
use crate::web::{Clients, Means};
use dialplan::{Config, Webhook};
use hickory_resolver::TokioResolver;
use jiff::Timestamp;
use place::Place;
use send::{Delivery, Sent};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

/// Events of one delivery.
const MOST_EVENTS: usize = 100;
/// How long the first wait before another try is; each is twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// How long none is longer than.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// What is not taken for so long is put by.
const GIVE_UP: Duration = Duration::from_secs(86_400);
/// So many times something is sent to a server that says that it is the fault of what is sent.
const REFUSALS: u32 = 5;
/// After so many tries in vain the log has an alarm.
const ALARMED: u32 = 5;

/// How long it waits after its files or the log could not be read or written.
const PAUSE: Duration = Duration::from_secs(60);
/// How often its place is kept while nothing is told.
const KEEP: Duration = Duration::from_secs(10);

/// How a webhook does.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(super) struct HookState {
    /// The client.
    pub(super) client: Arc<str>,
    /// Its name.
    webhook: Arc<str>,
    /// The server.
    server: String,
    /// The last event that it was told, or that it need not be told.
    told: u64,
    /// What became of the last try; null before the first.
    last: Option<String>,
    /// Tries in vain since the last that was taken.
    failures: u32,
    /// Deliveries that were put by.
    put_by: u64,
}

/// The webhooks of a node.
pub(super) struct Hooks {
    feed: Arc<Feed>,
    resolver: TokioResolver,
    runtime: Handle,
    sender: Sender,
    folder: PathBuf,
    running: Mutex<BTreeMap<Name, Running>>,
}

/// Client and webhook.
type Name = (Arc<str>, Arc<str>);

struct Running {
    webhook: Webhook,
    means: Arc<Means>,
    state: Arc<StdMutex<HookState>>,
    task: JoinHandle<()>,
}

/// One webhook at its work.
struct Hook {
    feed: Arc<Feed>,
    resolver: TokioResolver,
    sender: Sender,
    client: Arc<str>,
    webhook: Webhook,
    means: Arc<Means>,
    place: Place,
    state: Arc<StdMutex<HookState>>,
}

impl Hooks {
    /// Those of no client yet.
    pub(super) fn new(
        feed: Arc<Feed>,
        (resolver, runtime): (TokioResolver, Handle),
        sender: Sender,
        state: &std::path::Path,
    ) -> Self {
        let folder = state.join("webhooks");
        Self { feed, resolver, runtime, sender, folder, running: Mutex::default() }
    }

    /// Those of a plan, with what their requests need. Each begins anew where it has come to: what was on its way may be sent
    /// twice.
    pub(super) async fn apply(&self, plan: &Config, means: &Clients) {
        let mut running = self.running.lock().await;
        for (_, hook) in std::mem::take(&mut *running) {
            hook.end().await;
        }
        for client in &plan.clients {
            let Some(means) = means.get(&client.id) else { continue };
            for webhook in &client.webhooks {
                let name = (Arc::clone(&client.id), Arc::clone(&webhook.name));
                let hook = self.start(&name, webhook, means);
                running.insert(name, hook);
            }
        }
    }

    fn start(&self, (client, name): &Name, webhook: &Webhook, means: &Arc<Means>) -> Running {
        let place = Place::new(&self.folder, client, name);
        let state = Arc::new(StdMutex::new(HookState {
            client: Arc::clone(client),
            webhook: Arc::clone(name),
            server: webhook.site.to_string(),
            put_by: place.count_put_by(),
            ..HookState::default()
        }));
        let hook = Hook {
            feed: Arc::clone(&self.feed),
            resolver: self.resolver.clone(),
            sender: self.sender.clone(),
            client: Arc::clone(client),
            webhook: webhook.clone(),
            means: Arc::clone(means),
            place,
            state: Arc::clone(&state),
        };
        let task = self.runtime.spawn(hook.run());
        Running { webhook: webhook.clone(), means: Arc::clone(means), state, task }
    }

    /// How all of them do, by client and name.
    pub(super) async fn states(&self) -> Vec<HookState> {
        self.running.lock().await.values().map(|hook| locked(&hook.state).clone()).collect()
    }

    /// What was put by is sent again; how many deliveries that are. `None` if there is no such webhook.
    ///
    /// # Errors
    /// What the system says.
    pub(super) async fn send_again(&self, client: &str, name: &str) -> io::Result<Option<u64>> {
        let name = (Arc::from(client), Arc::from(name));
        let mut running = self.running.lock().await;
        let Some(hook) = running.remove(&name) else { return Ok(None) };
        let (webhook, means) = (hook.webhook.clone(), Arc::clone(&hook.means));
        hook.end().await;
        let place = Place::new(&self.folder, &name.0, &name.1);
        let taken = block_in_place(|| place.take_up_again());
        let hook = self.start(&name, &webhook, &means);
        running.insert(name, hook);
        taken.map(Some)
    }
}

impl Running {
    /// Ends it: its files are nobody's then.
    async fn end(self) {
        self.task.abort();
        // It was aborted, unless it had ended by itself.
        let _ = self.task.await;
    }
}

fn locked(state: &StdMutex<HookState>) -> MutexGuard<'_, HookState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hook {
    async fn run(self) {
        while let Err(error) = self.follow().await {
            let (client, name) = (&self.client, &self.webhook.name);
            self.alarm(format!("webhook {client}/{name}: {error}; it is tried again in a minute")).await;
            sleep(PAUSE).await;
        }
    }

    /// Tells of what was put by and is to be sent again, and then of what follows.
    async fn follow(&self) -> io::Result<()> {
        for delivery in block_in_place(|| self.place.again())? {
            if !self.deliver(&delivery).await {
                self.put_by(&delivery)?;
            }
            block_in_place(|| self.place.forget_again(&delivery))?;
        }
        let mut grown = self.feed.listen();
        let last = *grown.borrow_and_update();
        let mut told = self.begin(last).await?;
        let mut kept = Instant::now();
        loop {
            let lines = self.feed.after(told).await.map_err(io::Error::other)?;
            let mut events = Vec::new();
            for line in &lines {
                if events.len() == MOST_EVENTS {
                    break;
                }
                let is_own = line.client.as_ref() == Some(&self.client);
                if is_own && self.webhook.kinds.contains(&*line.kind) {
                    events.push(line.json.as_str());
                }
                told = line.seq;
            }
            if !events.is_empty() {
                let delivery = Delivery::new((&self.client, &self.webhook.name), &events, told);
                if !self.deliver(&delivery).await {
                    self.put_by(&delivery)?;
                }
            }
            locked(&self.state).told = told;
            // What was passed over is looked at again after a crash, which costs nothing.
            if !events.is_empty() || kept.elapsed() >= KEEP {
                block_in_place(|| self.place.keep(told))?;
                kept = Instant::now();
            }
            if lines.is_empty() && grown.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// After which event it goes on: where it has come to, or with what happens next if it is new.
    async fn begin(&self, last: u64) -> io::Result<u64> {
        let told = block_in_place(|| self.place.told())?;
        if let Some(told) = told.filter(|told| *told > last) {
            let (client, name) = (&self.client, &self.webhook.name);
            let lost = told - last;
            self.alarm(format!(
                "webhook {client}/{name}: {lost} events that it was told are not in the log any more"
            ))
            .await;
        }
        let told = told.unwrap_or(last).min(last);
        locked(&self.state).told = told;
        block_in_place(|| self.place.keep(told))?;
        Ok(told)
    }

    /// Sends until it is taken; false if it is to be put by.
    async fn deliver(&self, delivery: &Delivery) -> bool {
        let (began, mut wait, mut tries) = (Instant::now(), FIRST_WAIT, 0);
        loop {
            let sent = delivery.send(&self.webhook, &self.means, &self.resolver, Timestamp::now()).await;
            tries += 1;
            {
                let mut state = locked(&self.state);
                state.last = Some(sent.to_string());
                state.failures = if sent.is_taken() { 0 } else { tries };
            }
            if sent.is_taken() {
                return true;
            }
            if tries == ALARMED {
                self.alarm(format!(
                    "webhook {}/{}: {} does not take events {}: {sent}; it is tried for a day",
                    self.client, self.webhook.name, self.webhook.site, delivery.numbers
                ))
                .await;
            }
            let is_refused = matches!(sent, Sent::Refused(_)) && tries >= REFUSALS;
            if is_refused || began.elapsed() >= GIVE_UP {
                return false;
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn put_by(&self, delivery: &Delivery) -> io::Result<()> {
        locked(&self.state).put_by += 1;
        block_in_place(|| self.place.put_by(delivery))
    }

    async fn alarm(&self, text: String) {
        // A node on its way down has no log any more.
        let _ = self.sender.send(Message::Alarm(text)).await;
    }
}
