//! What an event costs: CPU of the writer and of SQLite's thread, and bytes on disk.
//!
//! `cargo run --release -p store --example append_cost [CALLS [FLUSH]]` appends the events of that many
//! calls (25 each, 25 in progress at any time) and flushes after so many: 250 are what 100 calls a
//! second bring in a batch's 100 ms, more than 2,000 fill every transaction.

#[path = "../tests/calls/mod.rs"]
mod calls;

use calls::Log;
use events::Event;
use std::collections::VecDeque;
use std::fs;
use store::Store;

/// Calls whose events interleave: a call's events come in bursts, so that a batch has several of each.
const IN_PROGRESS: usize = 25;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse::<u32>());
    let calls = u64::from(numbers.next().unwrap_or(Ok(20_000))?);
    let flush = numbers.next().unwrap_or(Ok(50_000))? as usize;
    let dir = tempfile::TempDir::new()?;
    let mut store = Store::open(dir.path()).await?;
    let origin = store.origin().await?;
    let mut writer = store.into_writer(&origin, |line| eprintln!("alarm: {line}"));
    let mut log = Log::from(&origin);
    writer.append(log.node_started(origin.wall));

    let mut traffic = Traffic { log, up: VecDeque::new(), next: 1, calls };
    let (mut events, mut cpu) = (0, 0);
    loop {
        let round: Vec<Event> = traffic.by_ref().take(flush).collect();
        if round.is_empty() {
            break;
        }
        events += round.len() as u64;
        let before = cpu_nanos()?;
        for event in round {
            writer.append(event);
        }
        writer.flush().await?;
        cpu += cpu_nanos()? - before;
    }
    writer.close().await?;

    let bytes = fs::metadata(dir.path().join("ringdown.db"))?.len();
    let per = |total: u64, count: u64| total as f64 / count as f64;
    println!("{events} events of {calls} calls");
    println!("CPU: {:.2} µs an event, {:.1} µs a call", per(cpu, events) / 1e3, per(cpu, calls) / 1e3);
    println!("disk: {:.0} bytes an event, {:.0} a call", per(bytes, events), per(bytes, calls));
    Ok(())
}

/// The events of many calls, one of each call in turn.
struct Traffic {
    log: Log,
    up: VecDeque<VecDeque<Event>>,
    next: u64,
    calls: u64,
}

impl Iterator for Traffic {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.up.len() < IN_PROGRESS && self.next <= self.calls {
            let mut log = Log { next_seq: 0, at: self.log.at };
            self.up.push_back(log.call(self.next).into());
            self.next += 1;
        }
        let mut call = self.up.pop_front()?;
        let event = call.pop_front()?;
        if !call.is_empty() {
            self.up.push_back(call);
        }
        Some(self.log.event(event.contact.map(|contact| contact.0), event.kind))
    }
}

/// How long this process's threads have run on a CPU.
fn cpu_nanos() -> std::io::Result<u64> {
    let mut nanos = 0;
    for task in fs::read_dir("/proc/self/task")? {
        let schedstat = fs::read_to_string(task?.path().join("schedstat"))?;
        nanos += schedstat.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or(0);
    }
    Ok(nanos)
}
