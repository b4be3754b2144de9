//! An office in which one thing happens after the other.

use acd::{
    Acd, AgentChange, AgentPlan, AgentState, Entry, Exit, Input, Member, Outcome, Output, Plan, QueuePlan,
    Skills, Wants,
};
use clock::{Duration, Time};
use std::sync::Arc;

pub(crate) const SUPPORT: &str = "acme/support";

pub(crate) fn at(seconds: u64) -> Time {
    Time::from_secs(seconds)
}

pub(crate) struct Office {
    pub(crate) acd: Acd,
    pub(crate) plan: Plan,
}

impl Office {
    /// A queue with these agents, each in the tier that follows its name as `bob/2`, logged in at second 0 in their order.
    pub(crate) fn new(agents: &[&str], change: impl FnOnce(&mut QueuePlan)) -> Self {
        let mut queue = QueuePlan::new(SUPPORT);
        let mut planned = Vec::new();
        for agent in agents {
            let (name, tier) = agent.split_once('/').unwrap_or((agent, "1"));
            let name: Arc<str> = name.into();
            planned.push(AgentPlan { name: Arc::clone(&name), skills: Skills::new() });
            queue.members.push(Member { agent: name, tier: tier.parse().expect("a tier"), weight: 1 });
        }
        change(&mut queue);
        let mut office = Self { acd: Acd::new([7; 32]), plan: Plan { queues: vec![queue], agents: planned } };
        office.configure(Time::ZERO);
        let names: Vec<Arc<str>> = office.plan.agents.iter().map(|agent| Arc::clone(&agent.name)).collect();
        for (micros, name) in (0..).zip(names) {
            office.change(Time::from_micros(micros), &name, AgentChange::LogIn);
        }
        office
    }

    pub(crate) fn configure(&mut self, now: Time) -> Vec<Output> {
        let mut out = Vec::new();
        self.acd.configure(now, self.plan.clone(), &mut out);
        out
    }

    pub(crate) fn does(&mut self, now: Time, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.acd.handle(now, input, &mut out);
        out
    }

    /// A caller comes in.
    pub(crate) fn enters(&mut self, now: Time, call: u64) -> Vec<Output> {
        self.enters_as(now, call, |_| {})
    }

    pub(crate) fn enters_as(&mut self, now: Time, call: u64, change: impl FnOnce(&mut Entry)) -> Vec<Output> {
        let mut entry = Entry {
            call,
            queue: SUPPORT.into(),
            entered: now,
            priority: 0,
            wants: Wants::default(),
            last_agent: None,
            number: None,
            callback: false,
        };
        change(&mut entry);
        self.does(now, Input::Enter(entry))
    }

    pub(crate) fn change(&mut self, now: Time, agent: &str, change: AgentChange) -> Vec<Output> {
        self.does(now, Input::Agent { agent: agent.into(), change })
    }

    pub(crate) fn ends(&mut self, now: Time, offer: u64, outcome: Outcome) -> Vec<Output> {
        self.does(now, Input::OfferEnded { offer, outcome })
    }

    pub(crate) fn talk_ends(&mut self, now: Time, agent: &str) -> Vec<Output> {
        self.does(now, Input::TalkEnded { agent: agent.into() })
    }

    /// All that is due until then happens.
    pub(crate) fn until(&mut self, time: Time) -> Vec<Output> {
        let mut out = Vec::new();
        while let Some(due) = self.acd.next_timeout().filter(|due| *due <= time) {
            self.acd.handle(due, Input::Timeout, &mut out);
        }
        out
    }

    pub(crate) fn state(&self, agent: &str) -> AgentState {
        let mut all = self.acd.agents(Time::ZERO).into_iter();
        all.find(|view| &*view.agent == agent).expect("there is such an agent").state
    }

    /// Who waits, in order.
    pub(crate) fn line(&self, now: Time) -> Vec<u64> {
        self.acd.queues(now).iter().flat_map(|queue| &queue.waiting).map(|one| one.call).collect()
    }

    /// It is written out, and read back.
    pub(crate) fn restarts(&mut self) {
        let written = serde_json::to_string(&self.acd).expect("it is written");
        self.acd = serde_json::from_str(&written).expect("it is read");
    }
}

/// Offers and callbacks that were made: number, call and agent.
pub(crate) fn offers(out: &[Output]) -> Vec<(u64, u64, &str)> {
    let offer = |output: &Output| match output {
        Output::Offer { offer, call, .. } | Output::CallBack { offer, call, .. } => Some((*offer, *call)),
        _ => None,
    };
    let agent = |output| match output {
        &Output::Offer { ref agent, .. } | &Output::CallBack { ref agent, .. } => Some(&**agent),
        _ => None,
    };
    let all = out.iter().filter_map(|output| Some((offer(output)?, agent(output)?)));
    all.map(|((offer, call), agent)| (offer, call, agent)).collect()
}

/// Who left, and why.
pub(crate) fn exits(out: &[Output]) -> Vec<(u64, Exit)> {
    let exit = |output: &Output| match output {
        Output::Exit { call, why } => Some((*call, *why)),
        _ => None,
    };
    out.iter().filter_map(exit).collect()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
