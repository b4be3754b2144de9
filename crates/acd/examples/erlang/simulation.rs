//! The queue itself, with callers and agents who do as theory assumes.

use acd::erlang::Figures;
use acd::{
    Acd, AgentChange, AgentPlan, Entry, Input, Member, Outcome, Output, Plan, QueuePlan, Skills, Wants,
};
use clock::{Duration, Time, Timers};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::HashMap;
use std::sync::Arc;

/// How many parts a run has of which each gives one measurement.
const PARTS: u32 = 32;

/// Student's t for 99 % and 31 degrees of freedom.
const T: f64 = 2.744;

/// A mean call.
const CALL: f64 = 180.0;

/// Figures with half of their 99 % confidence intervals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) mean: Figures,
    pub(crate) plus_minus: Figures,
    pub(crate) callers: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives,
    HangsUp(u64),
    CallEnds(u32),
}

#[derive(Default)]
struct Part {
    callers: u64,
    waited: u64,
    wait: f64,
    abandoned: u64,
}

struct Run {
    random: ChaCha12Rng,
    now: Time,
    acd: Acd,
    events: Timers<Event>,
    /// When each caller who waits arrived, and in which part.
    waiting: HashMap<u64, (Time, usize)>,
    numbers: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
    parts: Vec<Part>,
    next: u64,
    between: f64,
    patience: Option<f64>,
}

/// Runs so many agents at that load, with callers whose mean patience is `patience` call lengths or endless; `longer` times as
/// long as it must be.
pub(crate) fn run(seed: u64, agents: u32, load: f64, patience: Option<f64>, longer: u64) -> Measured {
    let names: Vec<Arc<str>> = (0..agents).map(|n| Arc::from(format!("agent{n}"))).collect();
    let mut queue = QueuePlan::new("queue");
    queue.members =
        names.iter().map(|agent| Member { agent: Arc::clone(agent), tier: 1, weight: 1 }).collect();
    let planned = names.iter().map(|name| AgentPlan { name: Arc::clone(name), skills: Skills::new() });
    let mut acd = Acd::new([0; 32]);
    acd.configure(Time::ZERO, Plan { queues: vec![queue], agents: planned.collect() }, &mut Vec::new());
    for agent in &names {
        let login = Input::Agent { agent: Arc::clone(agent), change: AgentChange::LogIn };
        acd.handle(Time::ZERO, login, &mut Vec::new());
    }
    let mut run = Run {
        random: ChaCha12Rng::seed_from_u64(seed),
        now: Time::ZERO,
        acd,
        events: Timers::new(),
        waiting: HashMap::new(),
        numbers: names.iter().cloned().zip(0..).collect(),
        names,
        parts: (0..=PARTS).map(|_| Part::default()).collect(),
        next: 0,
        between: CALL / (f64::from(agents) * load),
        patience: patience.map(|patience| patience * CALL),
    };
    // A part is many times as long as the queue takes to forget its length (Morse 1955), so that parts are independent.
    let memory = if patience.is_some() { 1.0 } else { (1.0 - load.sqrt()).powi(-2) };
    let part = (20.0 * memory).max(40.0 * f64::from(agents)).max(2000.0) as u64;
    run.callers(part * longer);
    run.measured()
}

impl Run {
    fn exponential(&mut self, mean: f64) -> Duration {
        // From (0, 1], with 53 bits.
        let uniform = ((self.random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        Duration::from_secs_f64(-uniform.ln() * mean)
    }

    fn callers(&mut self, part: u64) {
        self.events.set(Event::Arrives, Time::ZERO);
        let all = part * u64::from(PARTS + 1);
        while let Some(at) = self.events.next() {
            self.now = at;
            let mut out = Vec::new();
            match self.events.pop_due(at) {
                Some(Event::Arrives) => {
                    self.arrives((self.next / part) as usize, &mut out);
                    if self.next < all {
                        let next = at + self.exponential(self.between);
                        self.events.set(Event::Arrives, next);
                    }
                }
                Some(Event::HangsUp(call)) => {
                    let (_, part) = self.ends_waiting(call);
                    self.parts[part].abandoned += 1;
                    self.acd.handle(at, Input::Abandon { call }, &mut out);
                }
                Some(Event::CallEnds(agent)) => {
                    let agent = Arc::clone(&self.names[agent as usize]);
                    self.acd.handle(at, Input::TalkEnded { agent }, &mut out);
                }
                None => {}
            }
            self.answer(out);
        }
    }

    fn arrives(&mut self, part: usize, out: &mut Vec<Output>) {
        let call = self.next;
        self.next += 1;
        self.parts[part].callers += 1;
        self.waiting.insert(call, (self.now, part));
        if let Some(patience) = self.patience {
            let until = self.now + self.exponential(patience);
            self.events.set(Event::HangsUp(call), until);
        }
        let entry = Entry {
            call,
            queue: "queue".into(),
            entered: self.now,
            priority: 0,
            wants: Wants::default(),
            last_agent: None,
            number: None,
            callback: false,
        };
        self.acd.handle(self.now, Input::Enter(entry), out);
    }

    fn ends_waiting(&mut self, call: u64) -> (Time, usize) {
        self.events.cancel(Event::HangsUp(call));
        let (since, part) = self.waiting.remove(&call).expect("whoever is offered or hangs up waits");
        let waited = self.now - since;
        self.parts[part].waited += u64::from(!waited.is_zero());
        self.parts[part].wait += waited.as_secs_f64() / CALL;
        (since, part)
    }

    /// Every agent answers at once.
    fn answer(&mut self, out: Vec<Output>) {
        for output in out {
            if let Output::Offer { offer, call, agent, .. } = output {
                self.ends_waiting(call);
                let until = self.now + self.exponential(CALL);
                self.events.set(Event::CallEnds(self.numbers[&agent]), until);
                let answered = Input::OfferEnded { offer, outcome: Outcome::Answered };
                let mut more = Vec::new();
                self.acd.handle(self.now, answered, &mut more);
                self.answer(more);
            }
        }
    }

    fn measured(&self) -> Measured {
        // The first part begins with an empty queue.
        let parts = &self.parts[1..];
        let interval = |figure: &dyn Fn(&Part) -> f64| {
            let values: Vec<f64> = parts.iter().map(|part| figure(part) / part.callers as f64).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            let n = values.len() as f64;
            (mean, T * (squares / (n - 1.0) / n).sqrt())
        };
        let waits = interval(&|part| part.waited as f64);
        let wait = interval(&|part| part.wait);
        let abandons = interval(&|part| part.abandoned as f64);
        Measured {
            mean: Figures { waits: waits.0, mean_wait: wait.0, abandons: abandons.0 },
            plus_minus: Figures { waits: waits.1, mean_wait: wait.1, abandons: abandons.1 },
            callers: parts.iter().map(|part| part.callers).sum(),
        }
    }
}
