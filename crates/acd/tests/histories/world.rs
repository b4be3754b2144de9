//! A history: what it does next is drawn, what it sees is checked.

use crate::plans::{AGENTS, SKILLS, plan};
use crate::rules::{self, Person, Waiting};
use crate::tally::Tally;
use acd::{
    Acd, AgentChange, AgentState, AgentView, Choice, Entry, Exit, Input, Member, Need, Outcome, Output, Plan,
    QueuePlan, Score, Strategy, Verdict, Wants,
};
use clock::{Duration, Time};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An offer: call, agent, end, and whether the caller is being called back.
type Up = (u64, Arc<str>, Time, bool);

pub(crate) struct World {
    seed: u64,
    random: ChaCha12Rng,
    now: Time,
    plan: Plan,
    acd: Acd,
    /// Read back from what was written of the other at some step, and told the same ever since.
    twin: Acd,
    next_call: u64,
    /// Of a hundred things, so many are arrivals.
    arrivals: u64,
    waiting: BTreeMap<u64, Waiting>,
    ended: BTreeSet<u64>,
    offers: BTreeMap<u64, Up>,
    talks: BTreeMap<Arc<str>, Time>,
    people: BTreeMap<Arc<str>, Person>,
    states: BTreeMap<Arc<str>, AgentState>,
    handled: BTreeMap<Arc<str>, (u32, Duration)>,
    /// By queue and tier, the agent that was offered last.
    last: BTreeMap<(Arc<str>, u8), Arc<str>>,
    told: BTreeMap<u64, (Duration, u32, usize)>,
    pub(crate) tally: Tally,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let plan = plan(&mut random);
        let (mut acd, mut twin) = (Acd::new([1; 32]), Acd::new([1; 32]));
        acd.configure(Time::ZERO, plan.clone(), &mut Vec::new());
        twin.configure(Time::ZERO, plan.clone(), &mut Vec::new());
        let people = plan.agents.iter().map(|agent| (Arc::clone(&agent.name), Person::default())).collect();
        Self {
            seed,
            random,
            now: Time::ZERO,
            plan,
            acd,
            twin,
            next_call: 1,
            arrivals: 35,
            waiting: BTreeMap::new(),
            ended: BTreeSet::new(),
            offers: BTreeMap::new(),
            talks: BTreeMap::new(),
            people,
            states: BTreeMap::new(),
            handled: BTreeMap::new(),
            last: BTreeMap::new(),
            told: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random.next_u64() % n
    }

    /// One thing happens, after all that was due until then.
    pub(crate) fn step(&mut self) {
        let target = self.now + Duration::from_millis(self.below(4000));
        while let Some(due) = self.acd.next_timeout()
            && due <= target
        {
            assert!(due >= self.now, "seed {}: a deadline of the past", self.seed);
            self.now = due;
            self.does(Input::Timeout);
        }
        self.now = target;
        if self.below(100) < self.arrivals {
            return self.someone_enters();
        }
        match self.below(65) {
            0..25 => self.an_offer_ends(),
            25..45 => self.a_talk_ends(),
            45..55 => self.an_agent_changes(),
            55..61 => self.a_caller_goes(),
            61..63 => self.read_back(),
            63 => self.replan(),
            _ => self.does(Input::Timeout),
        }
    }

    /// Nobody does anything any more: all offers end by themselves.
    pub(crate) fn close(&mut self) {
        let agents: Vec<Arc<str>> = self.people.keys().cloned().collect();
        self.now += Duration::from_secs(100);
        self.does(Input::Timeout);
        for agent in agents {
            self.does(Input::Agent { agent, change: AgentChange::LogOut });
        }
        assert!(self.offers.is_empty(), "seed {}: offers without an end", self.seed);
    }

    fn someone_enters(&mut self) {
        if self.waiting.len() > 40 {
            return;
        }
        let call = self.next_call;
        self.next_call += 1;
        let queue = self.below(self.plan.queues.len() as u64) as usize;
        let ago = if self.below(5) == 0 { self.below(60) } else { 0 };
        let entered = Time::from_micros(self.now.micros().saturating_sub(ago * 1_000_000));
        let callback = self.below(6) == 0;
        let priority = self.below(4) as i32;
        let wants = self.wants();
        let held = self.below(3) == 0;
        let agent: Arc<str> = Arc::from(format!("agent{}", self.below(AGENTS)));
        let wait = Duration::from_secs(self.below(40));
        let number = callback.then(|| Arc::from(format!("+34{call}")));
        let mut caller = Waiting {
            queue,
            entered,
            priority,
            wants: wants.clone(),
            held: None,
            rests_until: self.now,
            callback,
        };
        let fresh = Waiting { entered: self.now, ..caller.clone() };
        let of_queue = self.is_member(queue, &agent);
        if held && of_queue && self.people[&agent].staffed() && self.skilled(&fresh, &agent) {
            caller.held = Some((Arc::clone(&agent), self.now + wait));
        }
        self.waiting.insert(call, caller);
        let queue = Arc::clone(&self.plan.queues[queue].name);
        let last_agent = held.then_some((agent, wait));
        self.does(Input::Enter(Entry {
            call,
            queue,
            entered,
            priority,
            wants,
            last_agent,
            number,
            callback,
        }));
    }

    fn wants(&mut self) -> Wants {
        let mut wants = Wants::default();
        for _ in 0..self.below(3) {
            let n = 1 + self.below(2);
            let need = |world: &mut Self| Need {
                skill: SKILLS[world.below(3) as usize].into(),
                level: 1 + world.below(4) as u8,
            };
            wants.required.push((0..n).map(|_| need(self)).collect());
        }
        if self.below(2) == 0 {
            wants.preferred.push(SKILLS[self.below(3) as usize].into());
        }
        wants
    }

    fn an_offer_ends(&mut self) {
        let Some((offer, (call, .., callback))) = self.any_offer() else {
            return;
        };
        if callback {
            let failed = self.below(3) == 0;
            if failed {
                let again = self.plan_of(call).callback.again;
                if let Some(caller) = self.waiting.get_mut(&call) {
                    (caller.rests_until, caller.held) = (self.now + again, None);
                }
                return self.does(Input::CallBackFailed { offer });
            }
            if let Some(caller) = self.waiting.get_mut(&call) {
                (caller.callback, caller.held) = (false, None);
            }
            self.tally.count("called back");
            return self.does(Input::CalledBack { offer, call });
        }
        let outcome = match self.below(8) {
            0 => Outcome::NoAnswer,
            1 => [Outcome::Busy, Outcome::Declined, Outcome::Unreachable][self.below(3) as usize],
            _ => Outcome::Answered,
        };
        if let Some((call, agent, ..)) = self.offers.remove(&offer) {
            if outcome == Outcome::Answered {
                self.tally.count("answered");
                self.waiting.remove(&call);
                self.ended.insert(call);
                self.talks.insert(Arc::clone(&agent), self.now);
                self.handled.entry(agent).or_default().0 += 1;
            } else {
                self.tally.count("missed");
                self.unhold(call);
            }
        }
        self.does(Input::OfferEnded { offer, outcome });
    }

    fn any_offer(&mut self) -> Option<(u64, Up)> {
        let n = self.below(self.offers.len().max(1) as u64) as usize;
        self.offers.iter().nth(n).map(|(number, offer)| (*number, offer.clone()))
    }

    fn a_talk_ends(&mut self) {
        let n = self.below(self.talks.len().max(1) as u64) as usize;
        let Some((agent, began)) = self.talks.iter().nth(n).map(|(agent, began)| (Arc::clone(agent), *began))
        else {
            return;
        };
        self.talks.remove(&agent);
        self.handled.entry(Arc::clone(&agent)).or_default().1 += self.now - began;
        self.tally.count("talked");
        self.does(Input::TalkEnded { agent });
    }

    fn an_agent_changes(&mut self) {
        let agent: Arc<str> = Arc::from(format!("agent{}", self.below(AGENTS)));
        let draw = self.below(24);
        let on = self.below(3) > 0;
        let Some(person) = self.people.get_mut(&agent) else {
            return;
        };
        let change = match draw {
            0..6 | 20..24 => {
                if !person.logged_in {
                    self.handled.insert(Arc::clone(&agent), (0, Duration::ZERO));
                }
                person.logged_in = true;
                AgentChange::LogIn
            }
            6 => {
                (person.logged_in, person.paused) = (false, false);
                AgentChange::LogOut
            }
            7 => {
                person.paused = true;
                AgentChange::Pause { reason: "lunch".into() }
            }
            8..11 | 16..20 => {
                person.paused = false;
                AgentChange::Ready
            }
            11 | 12 => {
                person.unreachable = !on;
                AgentChange::Reachable(on)
            }
            13 => AgentChange::Busy(!on),
            14 => AgentChange::ExtendWrapUp(Duration::from_secs(20)),
            _ => AgentChange::FinishWrapUp,
        };
        if !person.staffed() {
            self.nobody_is_held_for(&agent);
        }
        self.does(Input::Agent { agent, change });
    }

    fn nobody_is_held_for(&mut self, agent: &Arc<str>) {
        for caller in self.waiting.values_mut() {
            caller.held.take_if(|(held, _)| held == agent);
        }
    }

    fn unhold(&mut self, call: u64) {
        if let Some(caller) = self.waiting.get_mut(&call) {
            caller.held = None;
        }
    }

    fn a_caller_goes(&mut self) {
        let n = self.below(self.waiting.len().max(1) as u64) as usize;
        let Some(call) = self.waiting.keys().nth(n).copied() else {
            return;
        };
        match self.below(4) {
            0 => {
                let queue = self.below(self.plan.queues.len() as u64) as usize;
                if let Some(caller) = self.waiting.get_mut(&call) {
                    (caller.queue, caller.held) = (queue, None);
                }
                self.told.remove(&call);
                self.tally.count("moved");
                self.does(Input::Move { call, queue: Arc::clone(&self.plan.queues[queue].name) });
            }
            1 => {
                let priority = self.below(8) as i32;
                if let Some(caller) = self.waiting.get_mut(&call) {
                    caller.priority = priority;
                }
                self.does(Input::Prioritise { call, priority });
            }
            _ => {
                self.waiting.remove(&call);
                self.ended.insert(call);
                self.tally.count("abandoned");
                self.does(Input::Abandon { call });
            }
        }
    }

    /// What was written of one is read as the other.
    fn read_back(&mut self) {
        let written = serde_json::to_string(&self.acd).expect("it is written");
        self.twin = serde_json::from_str(&written).expect("it is read");
        self.tally.count("read back");
    }

    /// Queues and agents stay, what is written of them changes.
    fn replan(&mut self) {
        self.plan = plan(&mut self.random);
        let (mut out, mut other) = (Vec::new(), Vec::new());
        self.acd.configure(self.now, self.plan.clone(), &mut out);
        self.twin.configure(self.now, self.plan.clone(), &mut other);
        // Who has left a queue has no turn there that others would wait for.
        self.last.clear();
        self.told.clear();
        self.arrivals = [4, 8, 12, 16, 40][self.below(5) as usize];
        let (plan, people) = (&self.plan, &self.people);
        for caller in self.waiting.values_mut() {
            let members = &plan.queues[caller.queue].members;
            let stays = |agent: &Arc<str>| {
                people[agent].staffed() && members.iter().any(|member| member.agent == *agent)
            };
            caller.held.take_if(|(agent, _)| !stays(agent));
        }
        self.tally.count("new plan");
        self.see(&out, &other, &BTreeSet::new());
    }

    fn does(&mut self, input: Input) {
        let (mut out, mut other) = (Vec::new(), Vec::new());
        let mut kept = BTreeSet::new();
        if let Input::CalledBack { offer, .. } = input
            && let Some((call, ..)) = self.offers.remove(&offer)
        {
            kept.insert(call);
        }
        if let Input::CallBackFailed { offer } = input {
            self.offers.remove(&offer);
        }
        self.acd.handle(self.now, input.clone(), &mut out);
        self.twin.handle(self.now, input, &mut other);
        self.see(&out, &other, &kept);
    }

    fn plan_of(&self, call: u64) -> &QueuePlan {
        &self.plan.queues[self.waiting[&call].queue]
    }

    fn see(&mut self, out: &[Output], other: &[Output], kept: &BTreeSet<u64>) {
        assert_eq!(out, other, "seed {}: what was read back goes on otherwise", self.seed);
        for output in out {
            self.take(output, kept);
        }
        let views: BTreeMap<Arc<str>, AgentView> =
            self.acd.agents(self.now).into_iter().map(|view| (Arc::clone(&view.agent), view)).collect();
        self.check_agents(&views);
        self.check_nobody_waits_beside_an_idle_agent(&views);
        for output in out {
            if let Output::Offer { call, agent, why, .. } | Output::CallBack { call, agent, why, .. } = output
            {
                self.check_order(*call, agent, why, kept);
            }
        }
        assert!(self.acd.next_timeout().is_none_or(|due| due > self.now), "seed {}: it spins", self.seed);
    }

    /// Keeps account of one output, and checks it against what was before.
    fn take(&mut self, output: &Output, kept: &BTreeSet<u64>) {
        let seed = self.seed;
        match output {
            Output::Offer { offer, call, agent, until, why }
            | Output::CallBack { offer, call, agent, until, why } => {
                let back = matches!(output, Output::CallBack { .. });
                self.tally.count(if back { "callback" } else { "offer" });
                let caller = self.waiting.get(call);
                assert_eq!(caller.map(|caller| caller.callback), Some(back), "seed {seed}: {output:?}");
                let taken = self.offers.values().any(|(_, other, ..)| other == agent);
                assert!(!taken && !self.talks.contains_key(agent), "seed {seed}: a second thing for {agent}");
                // Who was kept for a callback is offered it, whoever else is free.
                if !kept.contains(call) {
                    self.check_choice(*call, why);
                }
                self.last.insert((Arc::clone(&why.queue), why.score.tier), Arc::clone(agent));
                self.offers.insert(*offer, (*call, Arc::clone(agent), *until, back));
            }
            Output::Withdraw { offer, call, agent, because } => {
                self.tally.count("withdrawn");
                let gone = self.offers.remove(offer);
                assert_eq!(
                    gone.as_ref().map(|(call, agent, ..)| (call, agent)),
                    Some((call, agent)),
                    "seed {seed}"
                );
                self.unhold(*call);
                if let (Some((.., true)), acd::Withdrawn::Lease, Some(caller)) =
                    (gone, because, self.waiting.get_mut(call))
                {
                    caller.rests_until = self.now + self.plan.queues[caller.queue].callback.again;
                }
            }
            Output::Exit { call, why } => {
                self.tally.count("exit");
                assert!(
                    self.waiting.remove(call).is_some() && self.ended.insert(*call),
                    "seed {seed}: {call} ends twice"
                );
                assert!(*why != Exit::UnknownQueue, "seed {seed}: all queues are known");
            }
            Output::Announce { call, position, estimate } => {
                self.tally.count("announced");
                self.check_estimate(*call, *position, *estimate);
            }
            Output::Agent { agent, state, why } => {
                if matches!(why, acd::AgentWhy::Misses(_)) {
                    self.people.get_mut(agent).expect("an agent of ours").paused = true;
                    self.nobody_is_held_for(agent);
                }
                self.states.insert(Arc::clone(agent), state.clone());
            }
        }
    }

    fn check_agents(&self, views: &BTreeMap<Arc<str>, AgentView>) {
        for (name, view) in views {
            let told = self.states.get(name).unwrap_or(&AgentState::LoggedOut);
            assert_eq!(told, &view.state, "seed {}: what was said of {name} is not so", self.seed);
            let handled = self.handled.get(name).copied().unwrap_or_default();
            assert_eq!(handled, (view.handled, view.talked), "seed {}: the figures of {name}", self.seed);
            let talks = matches!(view.state, AgentState::Talking { .. });
            assert_eq!(talks, self.talks.contains_key(name), "seed {}: {name} talks", self.seed);
            let offered = matches!(view.state, AgentState::Ringing { .. } | AgentState::Reserved { .. });
            let ours = self.offers.values().find(|(_, agent, ..)| agent == name);
            assert_eq!(offered, ours.is_some(), "seed {}: {name} rings", self.seed);
            assert!(
                ours.is_none_or(|(_, _, until, _)| *until + Duration::from_secs(1) > self.now),
                "seed {}",
                self.seed
            );
        }
        let up: Vec<(u64, u64, Arc<str>)> =
            self.acd.offers().map(|(offer, call, agent)| (offer, call, Arc::clone(agent))).collect();
        let ours: Vec<(u64, u64, Arc<str>)> =
            self.offers.iter().map(|(offer, (call, agent, ..))| (*offer, *call, Arc::clone(agent))).collect();
        assert_eq!(up, ours, "seed {}", self.seed);
    }

    fn staffed(&self, queue: usize) -> usize {
        self.plan.queues[queue].members.iter().filter(|member| self.people[&member.agent].staffed()).count()
    }

    fn is_member(&self, queue: usize, agent: &Arc<str>) -> bool {
        self.plan.queues[queue].members.iter().any(|member| member.agent == *agent)
    }

    fn skilled(&self, caller: &Waiting, agent: &Arc<str>) -> bool {
        let agent = self.plan.agents.iter().find(|one| one.name == *agent).expect("an agent of ours");
        rules::skilled(self.now, caller, &self.plan.queues[caller.queue], agent)
    }

    /// Whether a member of its queue may be offered a caller, if it is free.
    fn able(&self, caller: &Waiting, member: &Member) -> bool {
        if let Some(held) = caller.held_for(self.now) {
            return *held == member.agent;
        }
        let plan = &self.plan.queues[caller.queue];
        self.skilled(caller, &member.agent)
            && rules::open(self.now, caller, plan, member, |agent| self.people[agent].manned())
            && !rules::never_drawn(plan, member)
    }

    fn needs_an_agent(&self, call: u64, caller: &Waiting) -> bool {
        let plan = &self.plan.queues[caller.queue];
        let rung = self.offers.values().any(|(of, ..)| *of == call);
        let all = rules::wants_all(plan) && !caller.callback && caller.held_for(self.now).is_none();
        caller.rests_until <= self.now && (!rung || all)
    }

    fn check_nobody_waits_beside_an_idle_agent(&self, views: &BTreeMap<Arc<str>, AgentView>) {
        for (call, caller) in self.waiting.iter().filter(|(call, caller)| self.needs_an_agent(**call, caller))
        {
            for member in &self.plan.queues[caller.queue].members {
                let view = &views[&member.agent];
                let idle = view.state == AgentState::Ready && view.retry.is_none();
                let why = || self.acd.why_call(self.now, *call).map(|why| why.to_string());
                assert!(
                    !idle || !self.able(caller, member),
                    "seed {}: {call} waits beside {}: {:?}",
                    self.seed,
                    member.agent,
                    why()
                );
            }
        }
        for view in self.acd.queues(self.now) {
            let queue =
                self.plan.queues.iter().position(|plan| plan.name == view.queue).expect("a queue of ours");
            let mut line: Vec<_> = self.waiting.iter().filter(|(_, caller)| caller.queue == queue).collect();
            line.sort_by_key(|(call, caller)| {
                rules::rank(self.now, **call, caller, &self.plan.queues[queue])
            });
            let line: Vec<u64> = line.into_iter().map(|(call, _)| *call).collect();
            let seen: Vec<u64> = view.waiting.iter().map(|one| one.call).collect();
            assert_eq!(line, seen, "seed {}: the order of {}", self.seed, view.queue);
        }
    }

    /// Nobody who goes before a caller, and could have had the agent, is left without one.
    fn check_order(&self, call: u64, agent: &Arc<str>, why: &Choice, kept: &BTreeSet<u64>) {
        let Some(caller) = self.waiting.get(&call).filter(|_| !kept.contains(&call)) else {
            return;
        };
        let rank = rules::rank(self.now, call, caller, &self.plan.queues[caller.queue]);
        for (other, before) in
            self.waiting.iter().filter(|(call, caller)| self.needs_an_agent(**call, caller))
        {
            let plan = &self.plan.queues[before.queue];
            let member = plan.members.iter().find(|member| member.agent == *agent);
            let could = member.is_some_and(|member| self.able(before, member));
            let first = rules::rank(self.now, *other, before, plan) < rank;
            assert!(!could || !first, "seed {}: {other} goes before {call}: {why}", self.seed);
        }
    }

    /// The agent chosen is the one whose turn it is, of those recorded as able.
    fn check_choice(&mut self, call: u64, why: &Choice) {
        let plan = self.plan_of(call).clone();
        let rank = |score: &Score| (score.tier, Reverse(score.preferred));
        let able = |one: &acd::Candidate| match one.verdict {
            Verdict::Able(score) => Some(score),
            Verdict::Skipped(_) => None,
        };
        let rivals: Vec<Score> = why.others.iter().filter_map(able).collect();
        let kept = self.waiting[&call].held_for(self.now).is_some();
        self.tally.count(if kept { "held" } else { "free" });
        if !rivals.is_empty() {
            self.tally.count("rivals");
        }
        let better = |one: &Score| {
            let key = |score: &Score| match plan.strategy {
                Strategy::LongestIdle => (0, Reverse(score.idle)),
                Strategy::FewestCalls => (u128::from(score.handled), Reverse(score.idle)),
                Strategy::LeastTalk => (score.talked.as_micros(), Reverse(score.idle)),
                Strategy::Linear | Strategy::RingAll | Strategy::RingProgressive { .. } => {
                    (u128::from(score.place), Reverse(Duration::ZERO))
                }
                _ => (0, Reverse(Duration::ZERO)),
            };
            (rank(one), key(one)) < (rank(&why.score), key(&why.score))
        };
        assert!(kept || !rivals.iter().any(better), "seed {}: {why}", self.seed);
        let place_of = |agent: &Arc<str>| plan.members.iter().position(|member| member.agent == *agent);
        let last = self.last.get(&(Arc::clone(&why.queue), why.score.tier)).and_then(place_of);
        if let (Strategy::RoundRobin, Some(last), false) = (plan.strategy, last, kept) {
            let turn =
                |score: &Score| (score.place as usize + plan.members.len() - last - 1) % plan.members.len();
            let earlier = |one: &Score| rank(one) == rank(&why.score) && turn(one) < turn(&why.score);
            assert!(!rivals.iter().any(earlier), "seed {}: after {last}: {why}", self.seed);
        }
    }

    fn check_estimate(&mut self, call: u64, position: u32, estimate: Option<Duration>) {
        let Some(estimate) = estimate else {
            return;
        };
        self.tally.count("estimate");
        let staffed = self.staffed(self.waiting[&call].queue);
        if let Some((before, place, agents)) = self.told.insert(call, (estimate, position, staffed)) {
            let cause = position > place || staffed < agents;
            assert!(
                estimate <= before || cause,
                "seed {}: {call} was told {before:?}, then {estimate:?}",
                self.seed
            );
        }
    }
}
