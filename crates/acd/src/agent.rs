//! An agent: what it does, and what its phone does.

use crate::bucket::Standing;
use crate::plan::{Absence, Skills};
use crate::queue::Seat;
use crate::words::{AgentChange, AgentState, AgentWhy, Outcome, Output, Withdrawn};
use crate::{Acd, Timer};
use clock::{Duration, Time};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Agent {
    pub(crate) name: Arc<str>,
    pub(crate) skills: Skills,
    pub(crate) logged_in: bool,
    pub(crate) paused: Option<Arc<str>>,
    pub(crate) reachable: bool,
    pub(crate) busy: bool,
    pub(crate) activity: Activity,
    /// After an offer that it did not take: how that ended, and when it is offered again.
    pub(crate) retry: Option<(Outcome, Time)>,
    /// Offers in a row that rang out.
    pub(crate) misses: u32,
    pub(crate) handled: u32,
    pub(crate) talked: Duration,
    /// Since when it has been free; offers that it did not take do not count.
    pub(crate) idle_since: Time,
    /// What was last said of it, and since when that is so.
    pub(crate) shown: AgentState,
    pub(crate) since: Time,
    /// Its queues.
    #[serde(skip)]
    pub(crate) seats: Vec<Seat>,
    /// The number of its skills: those of agents who have the same are one.
    #[serde(skip)]
    pub(crate) profile: usize,
    /// How it is entered in the indexes of its queues.
    #[serde(skip)]
    pub(crate) indexed: Marks,
}

/// What an agent is for its queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// How it stands, if it is free. Nobody is in the queues' counts who has no marks at all.
    pub(crate) idle: Option<Standing>,
    /// In which states it is that may count as absent; `None` is that it is in no count yet.
    pub(crate) absence: Option<Absence>,
    /// Logged in and reachable.
    pub(crate) manned: bool,
    /// And not paused.
    pub(crate) staffed: bool,
}

/// What it does with callers of queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Activity {
    Free,
    Offered { offer: u64, call: u64, callback: bool },
    Talking { call: u64, began: Time, wrap_up: Duration, wrap_up_max: Duration },
    WrapUp { until: Time, latest: Time },
}

impl Agent {
    pub(crate) fn new(now: Time, name: Arc<str>) -> Self {
        Self {
            name,
            skills: Skills::new(),
            logged_in: false,
            paused: None,
            reachable: true,
            busy: false,
            activity: Activity::Free,
            retry: None,
            misses: 0,
            handled: 0,
            talked: Duration::ZERO,
            idle_since: now,
            shown: AgentState::LoggedOut,
            since: now,
            seats: Vec::new(),
            profile: 0,
            indexed: Marks::default(),
        }
    }

    /// What is to be said of it. Whoever talks or rings does, whatever was changed meanwhile.
    pub(crate) fn state(&self) -> AgentState {
        match self.activity {
            Activity::Talking { call, .. } => AgentState::Talking { call },
            _ if !self.logged_in => AgentState::LoggedOut,
            Activity::Offered { call, callback: true, .. } => AgentState::Reserved { call },
            Activity::Offered { call, .. } => AgentState::Ringing { call },
            _ if !self.reachable => AgentState::Unreachable,
            Activity::WrapUp { until, .. } => AgentState::WrapUp { until },
            Activity::Free => match &self.paused {
                Some(reason) => AgentState::Paused { reason: Arc::clone(reason) },
                None if self.busy => AgentState::Busy,
                None => AgentState::Ready,
            },
        }
    }

    /// Whether it may be offered a caller.
    pub(crate) fn is_idle(&self) -> bool {
        self.retry.is_none() && self.staffed() && !self.busy && self.activity == Activity::Free
    }

    /// Whether it is there: logged in, reachable and not paused.
    pub(crate) fn staffed(&self) -> bool {
        self.logged_in && self.reachable && self.paused.is_none()
    }

    /// What it is for its queues now.
    pub(crate) fn marks(&self) -> Marks {
        let mut absence = Absence::NEVER;
        for (is, state) in [
            (!self.logged_in, Absence::LOGGED_OUT),
            (self.paused.is_some(), Absence::PAUSED),
            (!self.reachable, Absence::UNREACHABLE),
            (self.busy || matches!(self.activity, Activity::Talking { .. }), Absence::TALKING),
            (matches!(self.activity, Activity::WrapUp { .. }), Absence::WRAP_UP),
        ] {
            // A call that rings at an agent may yet be answered.
            if is && !matches!(self.activity, Activity::Offered { .. }) {
                absence = absence | state;
            }
        }
        let standing = Standing {
            idle_since: self.idle_since,
            handled: self.handled,
            talked: u64::try_from(self.talked.as_micros()).unwrap_or(u64::MAX),
        };
        Marks {
            idle: self.is_idle().then_some(standing),
            absence: Some(absence),
            manned: self.logged_in && self.reachable,
            staffed: self.staffed(),
        }
    }
}

impl Acd {
    pub(crate) fn change(&mut self, now: Time, index: usize, change: AgentChange, out: &mut Vec<Output>) {
        let agent = &mut self.agents[index];
        match change {
            AgentChange::LogIn if !agent.logged_in => {
                agent.logged_in = true;
                agent.idle_since = now;
                (agent.misses, agent.handled, agent.talked) = (0, 0, Duration::ZERO);
            }
            AgentChange::LogIn => {}
            AgentChange::LogOut => {
                agent.logged_in = false;
                agent.paused = None;
                if matches!(agent.activity, Activity::WrapUp { .. }) {
                    agent.activity = Activity::Free;
                    self.timers.cancel(Timer::WrapUp(index));
                }
                agent.retry = None;
                self.timers.cancel(Timer::Retry(index));
                self.withdraw_from(now, index, out);
            }
            AgentChange::Pause { reason } => agent.paused = Some(reason),
            AgentChange::Ready => {
                if agent.paused.take().is_some() {
                    agent.idle_since = now;
                    agent.misses = 0;
                }
            }
            AgentChange::Reachable(reachable) => {
                agent.reachable = reachable;
                if !reachable {
                    self.withdraw_from(now, index, out);
                }
            }
            AgentChange::Busy(busy) => {
                if agent.busy && !busy {
                    agent.idle_since = now;
                }
                agent.busy = busy;
            }
            AgentChange::ExtendWrapUp(by) => {
                if let Activity::WrapUp { until, latest } = &mut agent.activity {
                    *until = (*until + by).min(*latest).max(*until);
                    self.timers.set(Timer::WrapUp(index), *until);
                }
            }
            AgentChange::FinishWrapUp => return self.wrap_up_ended(now, index, AgentWhy::Change, out),
        }
        self.refresh(now, index, AgentWhy::Change, out);
    }

    /// Takes back the offer that an agent has, which is no longer there for it.
    fn withdraw_from(&mut self, now: Time, index: usize, out: &mut Vec<Output>) {
        if let Activity::Offered { offer, .. } = self.agents[index].activity {
            self.withdraw(now, offer, Withdrawn::AgentGone, out);
        }
    }

    pub(crate) fn talk_ended(&mut self, now: Time, index: usize, out: &mut Vec<Output>) {
        let agent = &mut self.agents[index];
        let Activity::Talking { began, wrap_up, wrap_up_max, .. } = agent.activity else {
            return;
        };
        agent.talked += now - began;
        agent.idle_since = now;
        agent.activity = Activity::Free;
        if agent.logged_in && !wrap_up.is_zero() {
            let until = now + wrap_up;
            agent.activity = Activity::WrapUp { until, latest: until.max(now + wrap_up_max) };
            self.timers.set(Timer::WrapUp(index), until);
        }
        self.refresh(now, index, AgentWhy::TalkEnded, out);
    }

    pub(crate) fn wrap_up_ended(&mut self, now: Time, index: usize, why: AgentWhy, out: &mut Vec<Output>) {
        let agent = &mut self.agents[index];
        if matches!(agent.activity, Activity::WrapUp { .. }) {
            agent.activity = Activity::Free;
            agent.idle_since = now;
            self.timers.cancel(Timer::WrapUp(index));
            self.refresh(now, index, why, out);
        }
    }

    /// Sets the deadlines of an agent.
    pub(crate) fn set_agent_timers(&mut self, index: usize) {
        let agent = &self.agents[index];
        if let Some((_, until)) = agent.retry {
            self.timers.set(Timer::Retry(index), until);
        }
        if let Activity::WrapUp { until, .. } = agent.activity {
            self.timers.set(Timer::WrapUp(index), until);
        }
    }

    /// An agent may be offered callers again after an offer that it did not take.
    pub(crate) fn retry_ended(&mut self, now: Time, index: usize, out: &mut Vec<Output>) {
        self.agents[index].retry = None;
        self.refresh(now, index, AgentWhy::Change, out);
    }
}
