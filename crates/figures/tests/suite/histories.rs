//! Random histories: what the log gives is what a model counts that adds up each millisecond as it passes.

use crate::world::{BEGAN, Log};
use events::{AgentActivity, EndedBy, OfferOutcome, QueueOutcome, TransferOutcome};
use figures::{AgentTime, Axis, Counter, Every, Grid, Levels, Report, Selection, Tally, Visit};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::collections::BTreeMap;

const AGENTS: [&str; 3] = ["alice", "bob", "carol"];
const QUEUES: [&str; 2] = ["sales", "support"];

/// What may happen next, if it can.
#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Calls { queue: usize },
    Offer { agent: usize },
    Ends { agent: usize, outcome: OfferOutcome },
    Answers { agent: usize },
    Leaves(QueueOutcome),
    Hold { agent: usize },
    HangsUp { agent: usize, wraps_up: bool },
    HandsOn { agent: usize, outcome: TransferOutcome },
    WrapUpEnds { agent: usize },
    Pauses { agent: usize },
    Ready { agent: usize },
    LogsOut { agent: usize },
    Crash { down: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    LoggedOut,
    Ready,
    Paused,
    Rings(u64),
    Talks { contact: u64, holds: bool },
    WrapsUp(u64),
}

#[derive(Clone, Debug, Default)]
struct Caller {
    queue: usize,
    waits: bool,
    waited: u64,
    answered: bool,
    over: bool,
    handed_on: bool,
    talk: u64,
    hold: u64,
    wrap_up: u64,
    outcome: Option<QueueOutcome>,
}

struct Model {
    log: Log,
    agents: [Doing; 3],
    time: [AgentTime; 3],
    callers: BTreeMap<u64, Caller>,
    missed: u64,
    next: u64,
}

impl Model {
    fn new() -> Self {
        let mut log = Log::new();
        AGENTS.iter().for_each(|agent| log.agent(agent, AgentActivity::Ready));
        Self {
            log,
            agents: [Doing::Ready; 3],
            time: Default::default(),
            callers: BTreeMap::new(),
            missed: 0,
            next: 1,
        }
    }

    fn pass(&mut self, millis: u64) {
        self.log.pass(millis);
        for (doing, time) in self.agents.iter().zip(&mut self.time) {
            match doing {
                Doing::LoggedOut => {}
                Doing::Ready => time.ready += millis,
                Doing::Paused => *time.paused.entry("lunch".into()).or_default() += millis,
                Doing::Rings(_) => time.ringing += millis,
                Doing::Talks { holds: false, contact } => {
                    time.talking += millis;
                    self.callers.get_mut(contact).expect("a caller").talk += millis;
                }
                Doing::Talks { holds: true, contact } => {
                    time.holding += millis;
                    self.callers.get_mut(contact).expect("a caller").hold += millis;
                }
                Doing::WrapsUp(contact) => {
                    time.wrap_up += millis;
                    self.callers.get_mut(contact).expect("a caller").wrap_up += millis;
                }
            }
        }
        self.callers.values_mut().filter(|caller| caller.waits).for_each(|caller| caller.waited += millis);
    }

    /// The first who waits and is rung for by nobody.
    fn first(&self) -> Option<(u64, usize)> {
        let rung = |contact: u64| self.agents.contains(&Doing::Rings(contact));
        let mut waiting = self.callers.iter().filter(|(contact, caller)| caller.waits && !rung(**contact));
        waiting.next().map(|(contact, caller)| (*contact, caller.queue))
    }

    fn does(&mut self, agent: usize, doing: Doing, said: AgentActivity) {
        self.agents[agent] = doing;
        self.log.agent(AGENTS[agent], said);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Pass(millis) => self.pass(millis),
            Step::Calls { queue } => {
                let contact = self.next;
                self.next += 1;
                self.log.contact(contact);
                self.log.enters(contact, QUEUES[queue]);
                self.callers.insert(contact, Caller { queue, waits: true, ..Caller::default() });
            }
            Step::Offer { agent } => {
                let Some((contact, queue)) = self.first().filter(|_| self.agents[agent] == Doing::Ready)
                else {
                    return;
                };
                self.agents[agent] = Doing::Rings(contact);
                self.log.offered(contact, QUEUES[queue], AGENTS[agent]);
            }
            Step::Ends { agent, outcome } => {
                let Doing::Rings(contact) = self.agents[agent] else { return };
                self.missed += u64::from(outcome != OfferOutcome::CallerGone);
                self.log.offer_ended(contact, AGENTS[agent], outcome);
                self.does(agent, Doing::Ready, AgentActivity::Ready);
            }
            Step::Answers { agent } => {
                let Doing::Rings(contact) = self.agents[agent] else { return };
                let caller = self.callers.get_mut(&contact).expect("a caller");
                (caller.waits, caller.answered) = (false, true);
                self.agents[agent] = Doing::Talks { contact, holds: false };
                self.log.answered(contact, QUEUES[caller.queue], AGENTS[agent]);
            }
            Step::Leaves(outcome) => {
                let Some((contact, queue)) = self.first() else { return };
                self.log.left(contact, QUEUES[queue], outcome.clone());
                self.log.ended(contact);
                let caller = self.callers.get_mut(&contact).expect("a caller");
                (caller.waits, caller.over, caller.outcome) = (false, true, Some(outcome));
            }
            Step::Hold { agent } => {
                let Doing::Talks { contact, holds } = self.agents[agent] else { return };
                self.log.held(contact, !holds);
                self.agents[agent] = Doing::Talks { contact, holds: !holds };
            }
            Step::HandsOn { agent, outcome } => {
                let Doing::Talks { contact, .. } = self.agents[agent] else { return };
                self.log.hands_on(contact, outcome);
                self.callers.get_mut(&contact).expect("a caller").handed_on |=
                    outcome == TransferOutcome::Done;
            }
            Step::HangsUp { agent, wraps_up } => {
                let Doing::Talks { contact, .. } = self.agents[agent] else { return };
                self.log.leg_ended(contact, EndedBy::Caller);
                match wraps_up {
                    true => self.does(agent, Doing::WrapsUp(contact), AgentActivity::WrapUp),
                    false => self.is_done(agent, contact, Doing::Ready, AgentActivity::Ready),
                }
                self.log.ended(contact);
            }
            Step::WrapUpEnds { agent } => {
                let Doing::WrapsUp(contact) = self.agents[agent] else { return };
                self.is_done(agent, contact, Doing::Ready, AgentActivity::Ready);
            }
            Step::Pauses { agent } if self.agents[agent] == Doing::Ready => {
                self.does(agent, Doing::Paused, AgentActivity::Paused("lunch".into()));
            }
            Step::Ready { agent } if [Doing::Paused, Doing::LoggedOut].contains(&self.agents[agent]) => {
                self.does(agent, Doing::Ready, AgentActivity::Ready);
            }
            Step::LogsOut { agent } => match self.agents[agent] {
                Doing::Ready | Doing::Paused => self.does(agent, Doing::LoggedOut, AgentActivity::LoggedOut),
                Doing::WrapsUp(contact) => {
                    self.is_done(agent, contact, Doing::LoggedOut, AgentActivity::LoggedOut);
                }
                _ => {}
            },
            Step::Pauses { .. } | Step::Ready { .. } => {}
            Step::Crash { down } => self.crash(down),
        }
    }

    fn is_done(&mut self, agent: usize, contact: u64, doing: Doing, said: AgentActivity) {
        self.callers.get_mut(&contact).expect("a caller").over = true;
        self.does(agent, doing, said);
    }

    fn crash(&mut self, down: u64) {
        // What passed since the last event is lost with the process.
        self.log.tell(None, events::Kind::Alarm { text: "the last thing that was written".into() });
        let logged_in: Vec<_> = AGENTS
            .iter()
            .zip(&self.agents)
            .filter(|(_, doing)| **doing != Doing::LoggedOut)
            .map(|(agent, _)| *agent)
            .collect();
        self.log.crashes(&logged_in);
        self.log.pass(down);
        self.agents = [Doing::LoggedOut; 3];
        for caller in self.callers.values_mut().filter(|caller| !caller.over) {
            (caller.waits, caller.over) = (false, true);
        }
        self.log.starts();
    }

    /// What the callers of a queue come to.
    fn tally(&self, queue: usize) -> Tally {
        let mut tally = Tally::default();
        for caller in self.callers.values().filter(|caller| caller.queue == queue) {
            tally.offered += 1;
            match (&caller.outcome, caller.answered) {
                (_, true) => {
                    tally.answered += 1;
                    tally.wait_answered += caller.waited;
                    tally.transferred += u64::from(caller.handed_on);
                    if caller.over {
                        tally.handled += 1;
                        tally.talk += caller.talk;
                        tally.hold += caller.hold;
                        tally.wrap_up += caller.wrap_up;
                    }
                }
                (Some(QueueOutcome::Abandoned), _) => tally.abandoned += 1,
                (Some(QueueOutcome::TimedOut), _) => tally.timed_out += 1,
                (Some(_), _) => tally.key += 1,
                (None, _) if caller.waits => tally.waiting += 1,
                (None, _) => tally.interrupted += 1,
            }
        }
        tally
    }

    fn report(&self, axis: Axis, every: Option<Every>) -> Report {
        let now = self.log.unix();
        let grid = Grid { zone: TimeZone::get("Europe/Madrid").expect("a zone"), every };
        let from = BEGAN / 1_000;
        let selection = Selection { axis, name: None, client: None, from, to: now + 1, now, grid };
        let levels = Levels::default();
        let mut counter = Counter::new(&selection, &levels);
        self.log.visits.values().for_each(|visit| counter.visit(visit));
        self.log.timelines.iter().for_each(|(agent, timeline)| counter.timeline(agent, timeline));
        counter.report()
    }
}

/// Without gap and overlap: who waits, then is talked with, then is written up.
fn is_seamless(visit: &Visit) -> bool {
    let Some(left) = visit.left else { return visit.stages.is_empty() };
    let begins = visit.stages.first().is_none_or(|(_, at)| *at == left);
    let total: u64 = visit.stages.windows(2).map(|pair| pair[1].1 - pair[0].1).sum();
    let ends = visit.stages.last().map_or(left, |(_, at)| *at);
    begins && left + total == ends && visit.stages.windows(2).all(|pair| pair[0].1 <= pair[1].1)
}

fn step() -> impl Strategy<Value = Step> {
    let agent = 0..3_usize;
    let outcomes =
        [OfferOutcome::NoAnswer, OfferOutcome::Busy, OfferOutcome::Declined, OfferOutcome::CallerGone];
    let leaves = [QueueOutcome::Abandoned, QueueOutcome::TimedOut, QueueOutcome::Flow];
    prop_oneof![
        8 => (1..400_000_u64).prop_map(Step::Pass),
        4 => (0..2_usize).prop_map(|queue| Step::Calls { queue }),
        5 => agent.clone().prop_map(|agent| Step::Offer { agent }),
        1 => (agent.clone(), prop::sample::select(outcomes.to_vec()))
            .prop_map(|(agent, outcome)| Step::Ends { agent, outcome }),
        4 => agent.clone().prop_map(|agent| Step::Answers { agent }),
        1 => prop::sample::select(leaves.to_vec()).prop_map(Step::Leaves),
        2 => agent.clone().prop_map(|agent| Step::Hold { agent }),
        3 => (agent.clone(), any::<bool>()).prop_map(|(agent, wraps_up)| Step::HangsUp { agent, wraps_up }),
        1 => (agent.clone(), prop::sample::select(vec![TransferOutcome::Done, TransferOutcome::Cancelled]))
            .prop_map(|(agent, outcome)| Step::HandsOn { agent, outcome }),
        2 => agent.clone().prop_map(|agent| Step::WrapUpEnds { agent }),
        1 => agent.clone().prop_map(|agent| Step::Pauses { agent }),
        2 => agent.clone().prop_map(|agent| Step::Ready { agent }),
        1 => agent.prop_map(|agent| Step::LogsOut { agent }),
        1 => (1..9_000_000_u64).prop_map(|down| Step::Crash { down }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn figures_of_the_log_are_what_the_model_has_counted(steps in prop::collection::vec(step(), 1..400)) {
        let mut model = Model::new();
        steps.into_iter().for_each(|step| model.step(step));
        let queues = model.report(Axis::Queues, None);
        for (queue, name) in QUEUES.iter().enumerate() {
            let counted = queues.rows.iter().find(|row| row.name.ends_with(name)).map(|row| row.tally.clone());
            let counted = counted.unwrap_or_default();
            let expected = model.tally(queue);
            // Those that only the log knows of.
            let Tally { contacts, answered_within, abandoned_within, answered_in_180s, wait_abandoned, .. } = counted;
            let Tally { longest_wait, offers, .. } = counted;
            prop_assert_eq!(contacts, expected.offered);
            prop_assert_eq!(counted, Tally {
                contacts, answered_within, abandoned_within, answered_in_180s, wait_abandoned, longest_wait, offers,
                ..expected
            });
        }
        prop_assert_eq!(queues.total().offers.missed(), model.missed);
        let agents = model.report(Axis::Agents, None);
        for (agent, time) in AGENTS.iter().zip(&model.time) {
            let row = agents.rows.iter().find(|row| *row.name == **agent);
            let counted = row.and_then(|row| row.tally.time.clone()).unwrap_or_default();
            prop_assert_eq!(&counted, time, "{}", agent);
        }
        // Cut into intervals, all is as it was.
        for (axis, whole) in [(Axis::Queues, &queues), (Axis::Agents, &agents)] {
            prop_assert_eq!(model.report(axis, Some(Every::Minutes15)).total(), whole.total());
            prop_assert_eq!(model.report(axis, Some(Every::Day)).total(), whole.total());
        }
        prop_assert!(model.log.visits.values().all(is_seamless));
    }
}
