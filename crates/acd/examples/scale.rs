//! What an assignment costs: `cargo run --release -p acd --example scale` prints a table, with 100 queues, agents of 50
//! different sets of skills in 5 queues each, and two callers waiting for each agent, of 20 different wants.

use acd::{
    Acd, AgentChange, AgentPlan, Entry, Input, Member, Need, Outcome, Output, Plan, QueuePlan, Strategy,
    Tiers, Wants,
};
use clock::{Duration, Time};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;

const QUEUES: u64 = 100;
const SKILLS: [&str; 5] = ["fr", "de", "en", "sales", "claims"];
const ROUNDS: usize = 20_000;

struct Office {
    random: ChaCha12Rng,
    acd: Acd,
    now: Time,
    agents: Vec<Arc<str>>,
    next_call: u64,
    talking: Vec<Arc<str>>,
}

impl Office {
    fn new(size: u64) -> Self {
        let mut random = ChaCha12Rng::seed_from_u64(size);
        let mut below = |n: u64| random.next_u64() % n;
        let strategies = [
            Strategy::LongestIdle,
            Strategy::FewestCalls,
            Strategy::LeastTalk,
            Strategy::RoundRobin,
            Strategy::Linear,
            Strategy::TopDown,
            Strategy::Random,
            Strategy::Weighted,
        ];
        let mut queues: Vec<QueuePlan> = (0..QUEUES).map(|n| QueuePlan::new(format!("acme/{n}"))).collect();
        for (queue, strategy) in queues.iter_mut().zip(strategies.iter().cycle()) {
            queue.strategy = *strategy;
            queue.tiers = Tiers { next_after: Duration::from_secs(20) };
            queue.relax = vec![(Duration::from_secs(60), 2)];
        }
        let mut agents = Vec::new();
        for n in 0..size {
            let name: Arc<str> = format!("agent{n}").into();
            let kind = n % 50;
            let skills = SKILLS
                .iter()
                .zip(0..)
                .map(|(skill, place)| (Arc::from(*skill), 1 + ((kind >> place) % 5) as u8));
            agents.push(AgentPlan { name: Arc::clone(&name), skills: skills.collect() });
            for _ in 0..5 {
                let queue = &mut queues[below(QUEUES) as usize];
                let (tier, weight) = (1 + below(3) as u8, 1 + below(5) as u32);
                queue.members.push(Member { agent: Arc::clone(&name), tier, weight });
            }
        }
        let names: Vec<Arc<str>> = agents.iter().map(|agent| Arc::clone(&agent.name)).collect();
        let mut acd = Acd::new([9; 32]);
        acd.configure(Time::ZERO, Plan { queues, agents }, &mut Vec::new());
        for agent in &names {
            let login = Input::Agent { agent: Arc::clone(agent), change: AgentChange::LogIn };
            acd.handle(Time::ZERO, login, &mut Vec::new());
        }
        Self { random, acd, now: Time::ZERO, agents: names, next_call: 0, talking: Vec::new() }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random.next_u64() % n
    }

    fn caller(&mut self) -> Input {
        self.next_call += 1;
        let kind = self.below(20) as usize;
        let need = |n: usize, level: usize| vec![Need { skill: SKILLS[n % 5].into(), level: level as u8 }];
        let required = match kind / 5 {
            0 => vec![],
            1 => vec![need(kind, 2)],
            2 => vec![need(kind, 3)],
            _ => vec![need(kind, 2), need(kind + 1, 2)],
        };
        let preferred = if kind.is_multiple_of(2) { vec![SKILLS[kind % 5].into()] } else { vec![] };
        Input::Enter(Entry {
            call: self.next_call,
            queue: format!("acme/{}", self.below(QUEUES)).into(),
            entered: self.now,
            priority: self.below(3) as i32,
            wants: Wants { required, preferred },
            last_agent: None,
            number: None,
            callback: false,
        })
    }

    /// Something happens; how much of the processor's time it took, in microseconds, and whom it was assigned to. Agents answer at once.
    fn does(&mut self, input: Input) -> (f64, bool) {
        let mut out = Vec::new();
        let began = clock_gettime(ClockId::ThreadCPUTime);
        self.acd.handle(self.now, input, &mut out);
        let ended = clock_gettime(ClockId::ThreadCPUTime);
        let took = (ended.tv_sec - began.tv_sec) as f64 * 1e6 + (ended.tv_nsec - began.tv_nsec) as f64 / 1e3;
        let mut assigned = false;
        for output in out {
            if let Output::Offer { offer, agent, .. } = output {
                assigned = true;
                self.talking.push(agent);
                let answered = Input::OfferEnded { offer, outcome: Outcome::Answered };
                self.acd.handle(self.now, answered, &mut Vec::new());
            }
        }
        (took, assigned)
    }

    fn passes(&mut self, micros: u64) {
        self.now += Duration::from_micros(micros);
        self.does(Input::Timeout);
    }

    fn talk_ends(&mut self) -> Input {
        let n = self.below(self.talking.len() as u64) as usize;
        Input::TalkEnded { agent: self.talking.swap_remove(n) }
    }
}

/// Median, 99th and 99.9th percentile.
fn tell(size: usize, waiting: usize, what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "| {size} | {waiting} | {what} | {:.1} | {:.1} | {:.1} | {:.1} |",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}

fn measure(size: u64) {
    let mut office = Office::new(size);
    let mut times = Vec::new();
    // Callers find agents who are free: half of them, on average, as many come as go.
    while times.len() < ROUNDS {
        office.passes(1000);
        let caller = office.caller();
        let (took, assigned) = office.does(caller);
        if assigned {
            times.push(took);
        }
        if office.talking.len() * 2 > office.agents.len() {
            let ends = office.talk_ends();
            office.does(ends);
        }
    }
    tell(office.agents.len(), waiting(&office), "a caller comes, half of the agents are free", times);
    // Agents find callers who wait.
    while waiting(&office) < 2 * office.agents.len() {
        for _ in 0..100 {
            office.passes(1000);
            let caller = office.caller();
            office.does(caller);
        }
    }
    let mut times = Vec::new();
    while times.len() < ROUNDS {
        office.passes(1000);
        let ends = office.talk_ends();
        let (took, assigned) = office.does(ends);
        if assigned {
            times.push(took);
        }
        let caller = office.caller();
        office.does(caller);
    }
    tell(office.agents.len(), waiting(&office), "an agent is free, callers wait", times);
}

fn waiting(office: &Office) -> usize {
    office.acd.queues(office.now).iter().map(|queue| queue.waiting.len()).sum()
}

fn main() {
    println!("| agents | waiting | what happens | p50, µs | p99, µs | p99.9, µs | worst, µs |");
    println!("| ---: | ---: | --- | ---: | ---: | ---: | ---: |");
    for size in [1_000, 3_000, 10_000, 30_000] {
        measure(size);
    }
}
