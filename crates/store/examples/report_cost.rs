//! What a report costs: a year of calls of queues, and how long each answer takes.
//!
//! `cargo run --release -p store --example report_cost DIR [CONTACTS]` makes a store of so many contacts in DIR, unless there is
//! one, and asks it. 1,000,000 contacts take some minutes and 4 GB.

use clock::{Duration, Time};
use events::{
    AgentActivity, Cause, ContactId, Direction, EndedBy, Event, Kind, LegId, OfferOutcome, Party,
    QueueOutcome,
};
use figures::{Axis, Counter, Every, Grid, Levels, Selection};
use jiff::tz::TimeZone;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use store::{Origin, Reader, Store};

/// 1 January 2026, in microseconds since 1970.
const NEW_YEAR: i64 = 1_767_225_600_000_000;
const DAY: u64 = 86_400;
const CLIENTS: u64 = 5;
const QUEUES: u64 = 4;
const AGENTS: u64 = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("name a directory")?;
    let contacts = arguments.next().map_or(Ok(1_000_000), |count| count.parse())?;
    let dir = Path::new(&dir);
    if !dir.join("ringdown.db").exists() {
        generate(dir, contacts).await?;
    }
    let reader = Reader::open(dir).await?;
    for (what, axis, name, client, every, days) in [
        ("queues, the year", Axis::Queues, None, None, None, 365),
        ("queues, the year by quarters of an hour", Axis::Queues, None, None, Some(Every::Minutes15), 365),
        ("one queue, the year by days", Axis::Queues, Some("client1/queue2"), None, Some(Every::Day), 365),
        (
            "queues of one client, the year by hours",
            Axis::Queues,
            None,
            Some("client1"),
            Some(Every::Hour),
            365,
        ),
        ("agents, the year", Axis::Agents, None, None, None, 365),
        ("agents, the year by days", Axis::Agents, None, None, Some(Every::Day), 365),
        ("clients, the year", Axis::Clients, None, None, None, 365),
        ("numbers, the year", Axis::Numbers, None, None, None, 365),
        ("trunks, the year", Axis::Trunks, None, None, None, 365),
        ("agents, a day by quarters of an hour", Axis::Agents, None, None, Some(Every::Minutes15), 1),
    ] {
        let from = NEW_YEAR / 1_000;
        let to = from + days * 86_400_000;
        let grid = Grid { zone: TimeZone::get("Europe/Madrid")?, every };
        let (name, client) = (name.map(str::to_owned), client.map(str::to_owned));
        let selection = Selection { axis, name, client, from, to, now: to, grid };
        let (began, busy) = (Instant::now(), cpu_millis()?);
        let (rows, visits) = ask(&reader, &selection).await?;
        let (took, busy) = (began.elapsed().as_millis(), cpu_millis()? - busy);
        println!("{took:>5} ms, CPU {busy:>5} ms  {what}: {visits} visits, {rows} rows");
    }
    Ok(())
}

/// What all threads of this process have computed so far, in milliseconds, to ten of them (proc_pid_stat(5): utime and stime).
fn cpu_millis() -> Result<u64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("a name in parentheses")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks * 10)
}

async fn ask(reader: &Reader, selection: &Selection) -> Result<(usize, u64), Box<dyn std::error::Error>> {
    let levels = Levels::default();
    let mut counter = Counter::new(selection, &levels);
    let (period, mut visits) = ((selection.from, selection.to), 0);
    let each = |visit: &_| {
        visits += 1;
        counter.visit(visit);
    };
    reader.visits(period, selection.client.as_deref(), each).await?;
    if selection.axis == Axis::Agents {
        for (agent, timeline) in reader.timelines(period).await? {
            counter.timeline(&agent, &timeline);
        }
    }
    Ok((counter.report().rows.len(), visits))
}

async fn generate(dir: &Path, contacts: u64) -> Result<(), Box<dyn std::error::Error>> {
    let mut store = Store::open(dir).await?;
    let origin = Origin { now: Time::ZERO, ..store.origin().await? };
    let mut writer = store.into_writer(&origin, |line| eprintln!("alarm: {line}"));
    let mut seq = 1;
    let kind = Kind::NodeStarted { unix_micros: NEW_YEAR, version: "generated".into() };
    writer.append(Event { seq, at: Time::ZERO, contact: None, kind });
    let mut random = Random(1);
    for day in 0..365 {
        let mut events = Vec::new();
        for contact in contacts * day / 365..contacts * (day + 1) / 365 {
            call(contact + 1, Time::from_secs(day * DAY), &mut random, &mut events);
        }
        events.sort_by_key(|(at, ..)| *at);
        for (at, contact, kind) in events {
            seq += 1;
            writer.append(Event { seq, at, contact, kind });
        }
        writer.flush().await?;
    }
    writer.close().await?;
    println!("{seq} events of {contacts} contacts");
    Ok(())
}

/// One call between 8:00 and 20:00: two of three are answered.
fn call(number: u64, day: Time, random: &mut Random, out: &mut Vec<(Time, Option<ContactId>, Kind)>) {
    let (contact, caller, callee) = (Some(ContactId(number)), LegId(2 * number), LegId(2 * number + 1));
    let text = |text: String| -> Arc<str> { text.into() };
    let client = random.below(CLIENTS);
    let queue = text(format!("queue{}", random.below(QUEUES)));
    let agent = text(format!("agent{}", random.below(AGENTS)));
    let cause = || Cause { by: EndedBy::Caller, status: None, reason: "normal".into() };
    let mut at = day + Duration::from_millis(8 * 3_600_000 + random.below(12 * 3_600_000));
    let mut tell = |contact, kind, at| out.push((at, contact, kind));
    let of_agent =
        |state| Kind::AgentChanged { agent: Arc::clone(&agent), state, phone: Some(Arc::clone(&agent)) };
    let started = Kind::ContactStarted {
        source: "carrier".into(),
        client: text(format!("client{client}")),
        from: text(format!("+346{:08}", random.below(100_000_000))),
        to: text(format!("+3491100010{client}")),
        flow: "main".into(),
    };
    tell(contact, started, at);
    let leg = |leg, direction, party| Kind::LegStarted {
        leg,
        direction,
        party,
        uri: "".into(),
        call_id: "".into(),
    };
    tell(contact, leg(caller, Direction::Inbound, Party::Trunk("carrier".into())), at);
    tell(
        contact,
        Kind::QueueEntered { leg: caller, queue: Arc::clone(&queue), priority: 0, waited_millis: 0 },
        at,
    );
    at += Duration::from_millis(random.below(60_000));
    let left = |outcome| Kind::QueueLeft { leg: caller, queue: Arc::clone(&queue), outcome };
    if random.below(3) == 0 {
        tell(contact, left(QueueOutcome::Abandoned), at);
    } else {
        let (offer, ringing) = (number, AgentActivity::Ringing(ContactId(number)));
        let offered = (Arc::clone(&queue), Arc::clone(&agent));
        tell(contact, Kind::QueueOffered { offer, queue: offered.0, agent: offered.1, why: "".into() }, at);
        tell(None, of_agent(ringing), at);
        at += Duration::from_millis(random.below(10_000));
        tell(contact, leg(callee, Direction::Outbound, Party::User(Arc::clone(&agent))), at);
        tell(contact, Kind::LegAnswered { leg: callee, codec: None }, at);
        let outcome = OfferOutcome::Answered;
        tell(contact, Kind::QueueOfferEnded { offer, agent: Arc::clone(&agent), outcome }, at);
        tell(contact, left(QueueOutcome::Answered(Arc::clone(&agent))), at);
        tell(None, of_agent(AgentActivity::Talking(ContactId(number))), at);
        at += Duration::from_millis(30_000 + random.below(300_000));
        tell(contact, Kind::LegEnded { leg: callee, cause: cause() }, at);
        tell(None, of_agent(AgentActivity::WrapUp), at);
        let ready = at + Duration::from_millis(random.below(30_000));
        tell(None, of_agent(AgentActivity::Ready), ready);
    }
    tell(contact, Kind::LegEnded { leg: caller, cause: cause() }, at);
    tell(contact, Kind::ContactEnded { cause: cause() }, at);
}

/// Numbers by a linear congruence (Knuth's MMIX): the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
