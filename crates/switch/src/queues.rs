//! Queues and agents: what [`Acd`] decides is carried out, and it is told what became of it.

use crate::core::Core;
use crate::register::address_of_record;
use crate::{Output, Switch};
use acd::{Acd, AgentChange, AgentState, Entry, Exit, Input, Withdrawn};
use clock::Time;
use dialplan::{AgentAction, Config};
use events::{AgentActivity, AgentSeat, AgentWish, ContactId, Kind, OfferOutcome};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

/// All queues and agents, and where the agents are.
pub(crate) struct Queues {
    pub(crate) acd: Acd,
    /// What is still to be carried out.
    out: Vec<acd::Output>,
    /// At which user's phone an agent is.
    phones: HashMap<Arc<str>, Arc<str>>,
    /// Which agent is at a user's phone.
    agents: HashMap<Arc<str>, Arc<str>>,
    /// Agents that were logged in as the plan wants it: later they log in and out themselves.
    begun: BTreeSet<Arc<str>>,
}

/// What an operator, or an agent by its phone, does with an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentOrder {
    /// It takes calls, at the phone of this user or at its own.
    LogIn {
        /// The user.
        phone: Option<Arc<str>>,
    },
    /// As of a flow.
    Do(AgentAction),
    /// Its wrap-up lasts so much longer.
    ExtendWrapUp(clock::Duration),
}

impl fmt::Display for AgentOrder {
    /// As the log has it: `pause lunch`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogIn { phone: Some(phone) } => write!(f, "login at {phone}"),
            Self::LogIn { phone: None } | Self::Do(AgentAction::LogIn) => f.write_str("login"),
            Self::Do(AgentAction::LogOut) => f.write_str("logout"),
            Self::Do(AgentAction::Pause { reason }) => write!(f, "pause {reason}"),
            Self::Do(AgentAction::Ready) => f.write_str("ready"),
            Self::Do(AgentAction::FinishWrapUp) => f.write_str("finish"),
            Self::ExtendWrapUp(by) => write!(f, "extend by {} s", by.as_secs()),
        }
    }
}

/// Why nothing was done with an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentRefused {
    /// There is no such agent.
    #[error("there is no such agent")]
    Unknown,
    /// It has no phone of its own, and none was named.
    #[error("the agent has no phone of its own: name one")]
    NoPhone,
    /// The phone is none of the agent's client.
    #[error("there is no such user of the agent's client")]
    UnknownPhone,
    /// It is not logged in.
    #[error("the agent is not logged in")]
    LoggedOut,
    /// It, or who is at the phone, rings or talks.
    #[error("the agent, or who is at that phone, is in a call: try again when it is over")]
    InCall,
    /// It does not write up a call.
    #[error("the agent is not in wrap-up")]
    NoWrapUp,
}

/// An agent as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentStatus {
    /// As the queues know it.
    pub view: acd::AgentView,
    /// Where it is rung.
    pub phone: Option<Arc<str>>,
}

/// A queue as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueStatus {
    /// As the queues know it.
    pub view: acd::QueueView,
    /// The numbers of those who wait and are on the line, by contact.
    pub callers: HashMap<u64, Arc<str>>,
}

impl Queues {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            acd: Acd::new(seed),
            out: Vec::new(),
            phones: HashMap::new(),
            agents: HashMap::new(),
            begun: BTreeSet::new(),
        }
    }

    pub(crate) fn handle(&mut self, now: Time, input: Input) {
        self.acd.handle(now, input, &mut self.out);
    }

    /// Lets somebody in that is not on the line; why not, if it may not.
    pub(crate) fn enter_callback(&mut self, now: Time, entry: Entry) -> Option<Exit> {
        let (call, before) = (entry.call, self.out.len());
        self.handle(now, Input::Enter(entry));
        let is_refusal =
            |output: &acd::Output| matches!(output, acd::Output::Exit { call: of, .. } if *of == call);
        let place = before + self.out[before..].iter().position(is_refusal)?;
        match self.out.remove(place) {
            acd::Output::Exit { why, .. } => Some(why),
            _ => None,
        }
    }

    /// A user's leg has gone from one contact to another one.
    pub(crate) fn talk_moved(&mut self, user: &str, from: u64, to: u64) {
        if let Some(agent) = self.agents.get(user) {
            self.acd.talk_moved(agent, from, to);
        }
    }

    /// Whether an agent rings or talks: it stays at its phone until that is over.
    fn is_engaged(&self, agent: &str) -> bool {
        let state = self.acd.state(agent);
        matches!(
            state,
            Some(AgentState::Ringing { .. } | AgentState::Talking { .. } | AgentState::Reserved { .. })
        )
    }

    /// Whether an agent may go to a phone: neither it nor who is there is in a call that would be left behind.
    fn may_sit(&self, agent: &str, phone: &str) -> bool {
        let changes = self.phones.get(agent).is_some_and(|at| **at != *phone);
        let other = self.agents.get(phone).filter(|other| ***other != *agent);
        let leaves = changes && self.is_engaged(agent);
        let takes = other.is_some_and(|other| self.is_engaged(other));
        !leaves && !takes
    }

    /// The agent at a user's phone.
    pub(crate) fn agent_at(&self, user: &str) -> Option<&Arc<str>> {
        self.agents.get(user)
    }

    /// Where an agent is rung.
    pub(crate) fn phone_of(&self, agent: &str) -> Option<&Arc<str>> {
        self.phones.get(agent)
    }

    fn change(&mut self, now: Time, agent: &Arc<str>, change: AgentChange) {
        self.handle(now, Input::Agent { agent: Arc::clone(agent), change });
    }

    /// An agent is at a phone from now on, where whoever was there is no more.
    fn seat(&mut self, now: Time, agent: &Arc<str>, phone: &Arc<str>) {
        if let Some(other) = self.agents.get(phone).filter(|other| *other != agent).cloned() {
            self.phones.remove(&other);
            self.change(now, &other, AgentChange::LogOut);
        }
        if let Some(left) = self.phones.insert(Arc::clone(agent), Arc::clone(phone)) {
            self.agents.remove(&left);
        }
        self.agents.insert(Arc::clone(phone), Arc::clone(agent));
    }
}

impl Core {
    /// Takes the queues and agents of a new plan.
    pub(crate) fn apply_queues(&mut self, plan: &Config) {
        let now = self.now;
        let queues = &mut self.queues;
        // Who is no longer in the plan is logged out, or once its call is over: its phone is its own until then.
        queues.acd.configure(now, plan.acd(), &mut queues.out);
        queues.begun.retain(|agent| plan.agent(agent).is_some());
        for agent in plan.agents.iter().filter(|agent| agent.is_automatic) {
            let Some(phone) = &agent.phone else { continue };
            if self.queues.may_sit(&agent.name, phone) && self.queues.begun.insert(Arc::clone(&agent.name)) {
                self.log_in(plan, &agent.name, phone);
            }
        }
    }

    fn log_in(&mut self, plan: &Config, agent: &Arc<str>, phone: &Arc<str>) {
        self.queues.seat(self.now, agent, phone);
        let reachable = self.is_registered(plan, phone);
        self.queues.change(self.now, agent, AgentChange::Reachable(reachable));
        self.queues.change(self.now, agent, AgentChange::LogIn);
        self.users.stir(phone);
    }

    fn is_registered(&self, plan: &Config, user: &str) -> bool {
        let Some(user) = plan.user(user) else { return false };
        let aor = address_of_record(&user.name, &plan.client(user.client).id);
        self.registrar.lookup(self.now, &aor).next().is_some()
    }

    /// What an agent is told to do.
    pub(crate) fn direct_agent(
        &mut self,
        plan: &Config,
        agent: &str,
        order: AgentOrder,
    ) -> Result<(), AgentRefused> {
        let known = plan.agent(agent).ok_or(AgentRefused::Unknown)?;
        let name = Arc::clone(&known.name);
        let state = self.queues.acd.state(agent).ok_or(AgentRefused::Unknown)?;
        let change = match order {
            AgentOrder::LogIn { phone } => {
                let phone = match (phone, &known.phone) {
                    (Some(phone), _) => {
                        let of_client = plan.user(&phone).filter(|user| user.client == known.client);
                        of_client.ok_or(AgentRefused::UnknownPhone)?
                    }
                    (None, Some(own)) => plan.user(own).ok_or(AgentRefused::UnknownPhone)?,
                    (None, None) => return Err(AgentRefused::NoPhone),
                };
                if !self.queues.may_sit(&name, &phone.name) {
                    return Err(AgentRefused::InCall);
                }
                self.log_in(plan, &name, &phone.name);
                let wish = AgentWish::LogIn(Arc::clone(&phone.name));
                self.log(None, Kind::AgentWishes { agent: name, wish });
                return Ok(());
            }
            _ if state == AgentState::LoggedOut => return Err(AgentRefused::LoggedOut),
            AgentOrder::Do(AgentAction::FinishWrapUp) | AgentOrder::ExtendWrapUp(_)
                if !matches!(state, AgentState::WrapUp { .. }) =>
            {
                return Err(AgentRefused::NoWrapUp);
            }
            AgentOrder::Do(AgentAction::LogOut) => AgentChange::LogOut,
            AgentOrder::Do(AgentAction::Pause { reason }) => AgentChange::Pause { reason },
            AgentOrder::Do(AgentAction::Ready | AgentAction::LogIn) => AgentChange::Ready,
            AgentOrder::Do(AgentAction::FinishWrapUp) => AgentChange::FinishWrapUp,
            AgentOrder::ExtendWrapUp(by) => AgentChange::ExtendWrapUp(by),
        };
        let wish = match &change {
            AgentChange::LogOut => Some(AgentWish::LogOut),
            AgentChange::Pause { reason } => Some(AgentWish::Pause(Arc::clone(reason))),
            AgentChange::Ready => Some(AgentWish::Ready),
            _ => None,
        };
        self.queues.change(self.now, &name, change);
        if let Some(wish) = wish {
            self.log(None, Kind::AgentWishes { agent: name, wish });
        }
        Ok(())
    }

    /// An agent does something by calling from its phone: `None` for the one whose phone it is. Whether it was done.
    pub(crate) fn agent_calls(
        &mut self,
        plan: &Config,
        user: Option<&Arc<str>>,
        (agent, pin): (Option<&str>, Option<&str>),
        action: AgentAction,
    ) -> bool {
        let Some(user) = user else { return false };
        let client = plan.user(user).map(|user| user.client);
        let proven = agent
            .and_then(|agent| plan.agent(agent))
            .filter(|it| pin.is_some() && it.pin.as_deref() == pin && Some(it.client) == client);
        let found = match agent {
            Some(_) => proven,
            None => {
                let at_phone = self.queues.agent_at(user).and_then(|agent| plan.agent(agent));
                let own = plan.agents.iter().filter(|agent| agent.phone.as_ref() == Some(user));
                let own = own.into_iter().next();
                // Whoever has not logged out there does not keep the owner of the phone from it.
                if action == AgentAction::LogIn { own.or(at_phone) } else { at_phone.or(own) }
            }
        };
        let Some(name) = found.map(|agent| Arc::clone(&agent.name)) else { return false };
        let order = match action {
            AgentAction::LogIn => AgentOrder::LogIn { phone: Some(Arc::clone(user)) },
            action => AgentOrder::Do(action),
        };
        self.direct_agent(plan, &name, order).is_ok()
    }

    /// Tells the queues what the phone of an agent does.
    fn follow_phone(&mut self, plan: &Config, user: &Arc<str>) {
        let Some(agent) = self.queues.agent_at(user).cloned() else { return };
        let calls = self.users.contacts_of(user);
        let served = match self.queues.acd.state(&agent) {
            Some(AgentState::Talking { call }) if calls.contains(&ContactId(call)) => Some(call),
            Some(AgentState::Talking { .. }) => {
                self.queues.handle(self.now, Input::TalkEnded { agent: Arc::clone(&agent) });
                None
            }
            Some(AgentState::Ringing { call }) => Some(call),
            _ => None,
        };
        let is_busy = self.users.contacts_of(user).iter().any(|contact| Some(contact.0) != served);
        let is_reachable = self.is_registered(plan, user);
        self.queues.change(self.now, &agent, AgentChange::Busy(is_busy));
        self.queues.change(self.now, &agent, AgentChange::Reachable(is_reachable));
    }
}

impl Switch {
    /// Carries out what the queues decide, until nothing is left; whether there was anything.
    pub(crate) fn tell_queues(&mut self) -> bool {
        let mut was_any = false;
        loop {
            for user in self.core.users.take_news() {
                self.core.follow_phone(&self.plan, &user);
            }
            let batch = std::mem::take(&mut self.core.queues.out);
            if batch.is_empty() {
                return was_any;
            }
            was_any = true;
            for output in batch {
                self.carry_out(output);
            }
        }
    }

    fn carry_out(&mut self, output: acd::Output) {
        match output {
            acd::Output::Offer { offer, call, agent, until, why } => {
                let phone = self.core.queues.phone_of(&agent).cloned();
                let is_there = self.contacts.contains_key(&ContactId(call));
                let Some(phone) = phone.filter(|_| is_there) else {
                    let outcome = acd::Outcome::Unreachable;
                    return self.core.queues.handle(self.core.now, Input::OfferEnded { offer, outcome });
                };
                self.with_contact(ContactId(call), |contact, core| {
                    contact.ring_agent(core, (offer, agent, phone), until, why.to_string());
                });
            }
            acd::Output::Withdraw { offer, call, because, .. } => {
                if self.take_agent_back(offer, ContactId(call), because) {
                    return;
                }
                let outcome = match because {
                    Withdrawn::AnotherAgent => OfferOutcome::AnotherAgent,
                    Withdrawn::CallerGone | Withdrawn::Moved => OfferOutcome::CallerGone,
                    Withdrawn::Lease => OfferOutcome::NoAnswer,
                    Withdrawn::AgentGone => OfferOutcome::AgentGone,
                };
                self.with_contact(ContactId(call), |contact, core| contact.withdraw(core, offer, outcome));
            }
            acd::Output::Exit { call, why } => {
                if self.core.end_callback(ContactId(call), why) {
                    return;
                }
                self.with_contact(ContactId(call), |contact, core| contact.leave_unserved(core, why));
            }
            acd::Output::Announce { call, position, estimate } => {
                self.with_contact(ContactId(call), |contact, core| {
                    contact.tell_waiting(core, position, estimate);
                });
            }
            acd::Output::CallBack { offer, call, agent, why, .. } => {
                self.call_back(offer, ContactId(call), (agent, why.to_string()));
            }
            acd::Output::Agent { agent, state, .. } => {
                let phone = self.core.queues.phone_of(&agent).cloned();
                let state = activity(state);
                // It may have logged in again since, at another phone.
                if self.core.queues.acd.state(&agent) == Some(AgentState::LoggedOut)
                    && let Some(phone) = self.core.queues.phones.remove(&agent)
                {
                    self.core.queues.agents.remove(&phone);
                }
                self.core.log(None, Kind::AgentChanged { agent, state, phone });
            }
        }
    }

    /// Agents go on where they were before a restart. Who has logged out stays so, whatever the plan says.
    pub(crate) fn restore_agents(&mut self, seats: &[AgentSeat]) {
        let plan = Arc::clone(&self.plan);
        for seat in seats {
            let mut orders = Vec::new();
            if seat.is_logged_in {
                orders.push(AgentOrder::LogIn { phone: seat.phone.clone() });
                let reason = seat.paused.clone();
                orders.extend(reason.map(|reason| AgentOrder::Do(AgentAction::Pause { reason })));
            } else {
                orders.push(AgentOrder::Do(AgentAction::LogOut));
            }
            for order in orders {
                // Who is no agent any more, or has no such phone, is not restored.
                let _gone = self.core.direct_agent(&plan, &seat.agent, order);
            }
        }
    }

    /// Does something with an agent; the log says who wanted it. What follows is appended to `out`.
    ///
    /// # Errors
    /// Why not; nothing is changed then.
    pub fn direct_agent(
        &mut self,
        now: Time,
        agent: &str,
        (order, by): (AgentOrder, &Arc<str>),
        out: &mut Vec<Output>,
    ) -> Result<(), AgentRefused> {
        let plan = Arc::clone(&self.plan);
        self.within_turn(now, out, |switch| {
            let core = &mut switch.core;
            let told = order.to_string().into();
            core.direct_agent(&plan, agent, order)?;
            core.log(None, Kind::AgentDirected { agent: agent.into(), order: told, by: Arc::clone(by) });
            Ok(())
        })
    }

    /// All agents, by name.
    pub fn agents(&self, now: Time) -> Vec<AgentStatus> {
        let views = self.core.queues.acd.agents(now).into_iter();
        views
            .map(|view| AgentStatus { phone: self.core.queues.phone_of(&view.agent).cloned(), view })
            .collect()
    }

    /// All queues, by name, with those who wait.
    pub fn queues(&self, now: Time) -> Vec<QueueStatus> {
        let number =
            |call: u64| Some((call, Arc::clone(&self.contacts.get(&ContactId(call))?.identity.number)));
        let views = self.core.queues.acd.queues(now).into_iter();
        views
            .map(|view| {
                let on_the_line = view.waiting.iter().filter(|it| !it.callback);
                QueueStatus { callers: on_the_line.filter_map(|it| number(it.call)).collect(), view }
            })
            .collect()
    }

    /// Why a caller waits, or why an agent has no call: in sentences.
    pub fn why_waiting(&self, now: Time, contact: ContactId) -> Option<String> {
        self.core.queues.acd.why_call(now, contact.0).map(|why| why.to_string())
    }

    /// Why an agent is offered nothing, queue by queue.
    pub fn why_idle(&self, now: Time, agent: &str) -> Option<String> {
        self.core.queues.acd.why_agent(now, agent).map(|why| why.to_string())
    }
}

fn activity(state: AgentState) -> AgentActivity {
    match state {
        AgentState::LoggedOut => AgentActivity::LoggedOut,
        AgentState::Ready => AgentActivity::Ready,
        AgentState::Paused { reason } => AgentActivity::Paused(reason),
        AgentState::Ringing { call } | AgentState::Reserved { call } => {
            AgentActivity::Ringing(ContactId(call))
        }
        AgentState::Talking { call } => AgentActivity::Talking(ContactId(call)),
        AgentState::Busy => AgentActivity::Busy,
        AgentState::WrapUp { .. } => AgentActivity::WrapUp,
        AgentState::Unreachable => AgentActivity::Unreachable,
    }
}

/// What a flow is told of an end without an agent.
pub(crate) fn unserved(why: Exit) -> (events::QueueOutcome, dialplan::QueueResult) {
    use dialplan::QueueResult as Result;
    use events::QueueOutcome as Outcome;
    match why {
        Exit::Full => (Outcome::Full, Result::Full),
        Exit::MaxWait => (Outcome::TimedOut, Result::TimedOut),
        Exit::NoAgents | Exit::UnknownQueue | Exit::Duplicate | Exit::NotReached | Exit::CalledAgain => {
            (Outcome::NoAgents, Result::NoAgents)
        }
    }
}
