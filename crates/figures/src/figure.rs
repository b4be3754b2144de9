//! Figures by name: what each is made of, and the visits behind it.

use crate::tally::share;
use crate::{AgentTime, Formula, Tally};

/// In what a figure is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// A time in seconds.
    Seconds,
    /// 0 to 1.
    Share,
}

/// One figure. It is absent where its base is nothing: a share of no calls is neither 0 nor 1.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Its name in JSON, CSV and commands.
    pub name: &'static str,
    /// Above a column of a table.
    pub head: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Whether it is of visits, which can be listed; else it is of agents' time.
    pub is_of_visits: bool,
    /// What it is of a tally.
    pub value: fn(&Tally) -> Option<f64>,
    /// Whether the tally of a single visit says that this visit stands behind it.
    behind: fn(&Tally) -> bool,
}

impl Figure {
    /// Whether a visit of which this tally is stands behind the figure: for a count that it is counted, for a mean or a
    /// share that it is in its numerator.
    pub fn is_behind(&self, single: &Tally) -> bool {
        self.is_of_visits && (self.behind)(single)
    }
}

/// That of a name.
pub fn figure(name: &str) -> Option<&'static Figure> {
    FIGURES.iter().find(|figure| figure.name == name)
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

fn seconds(millis: u64) -> f64 {
    number(millis) / 1_000.0
}

/// A mean time in seconds.
fn mean(millis: u64, of: u64) -> Option<f64> {
    share(millis, of).map(|millis| millis / 1_000.0)
}

macro_rules! figures {
    ($($name:literal $head:literal $unit:ident $visits:literal $formula:literal, $value:expr, $behind:expr;)+) => {
        /// All of them, in the order of tables.
        pub const FIGURES: &[Figure] = &[$(Figure {
            name: $name,
            head: $head,
            formula: $formula,
            unit: Unit::$unit,
            is_of_visits: $visits,
            value: $value,
            behind: $behind,
        }),+];
    };
}

/// A count of visits.
macro_rules! count {
    ($($field:tt)+) => {
        |tally| Some(number(tally.$($field)+))
    };
}

macro_rules! any {
    ($($field:tt)+) => {
        |tally| tally.$($field)+ > 0
    };
}

/// Of agents' time.
macro_rules! time {
    ($it:ident => $value:expr) => {
        |tally| {
            let $it: &AgentTime = tally.time.as_ref()?;
            $value
        }
    };
}

const NONE: fn(&Tally) -> bool = |_| false;

figures! {
    "contacts" "CONTACTS" Count true
        "contacts that began here: by a trunk, or into a queue; without callbacks",
        count!(contacts), any!(contacts);
    "offered" "OFFERED" Count true
        "visits of queues: A + B + S + F + interrupted + waiting; callers alone: callbacks are apart; a caller that a transfer moves is counted where it goes on",
        count!(offered), any!(offered);
    "answered" "ANSWERED" Count true
        "A: visits that an agent has taken, or another user has picked up",
        count!(answered), any!(answered);
    "picked_up" "PICKED UP" Count true
        "of A, those that a user has picked up who was not offered them",
        count!(picked_up), any!(picked_up);
    "abandoned" "ABANDONED" Count true
        "B: callers who hung up while they waited, without short abandons",
        count!(abandoned), any!(abandoned);
    "short_abandoned" "SHORT" Count true
        "S: callers who hung up sooner than the queue's short_abandon",
        count!(short_abandoned), any!(short_abandoned);
    "key" "KEY" Count true
        "visits that the flow has ended, by a key mostly; in F",
        count!(key), any!(key);
    "full" "FULL" Count true
        "visits that found the queue full; in F",
        count!(full), any!(full);
    "no_agents" "NO AGENTS" Count true
        "visits that ended because no agent was there; in F",
        count!(no_agents), any!(no_agents);
    "timed_out" "TIMED OUT" Count true
        "visits that lasted as long as the queue allows; in F",
        count!(timed_out), any!(timed_out);
    "flow_out" "FLOW-OUT" Count true
        "F: key + full + no_agents + timed_out",
        |tally| Some(number(tally.flow_out())), |tally| tally.flow_out() > 0;
    "interrupted" "INTERRUPTED" Count true
        "visits that the end of the node has cut off",
        count!(interrupted), any!(interrupted);
    "waiting" "WAITING" Count true
        "callers who wait now",
        count!(waiting), any!(waiting);
    "sl_answered" "SL ANSWERED" Share true
        "A_t / A; A_t: answered within the queue's time",
        |tally| Formula::Answered.value(tally), any!(answered_within);
    "sl_strict" "SL STRICT" Share true
        "A_t / (A + B)",
        |tally| Formula::Strict.value(tally), any!(answered_within);
    "sl_neutral" "SL NEUTRAL" Share true
        "A_t / (A + B - B_t); B_t: abandoned within the queue's time",
        |tally| Formula::Neutral.value(tally), any!(answered_within);
    "sl_credit" "SL CREDIT" Share true
        "(A_t + B_t) / (A + B)",
        |tally| Formula::Credit.value(tally), |tally| tally.answered_within + tally.abandoned_within > 0;
    "sl_genesys" "SL GENESYS" Share true
        "A_t / (A + B + S); as a queue's formula also with +f: F is added, -s: S is left out, -b: B and S are",
        |tally| Formula::Genesys { flow_out: false, without_short: false, without_abandoned: false }.value(tally),
        any!(answered_within);
    "sl_legal_es" "SL LEGAL-ES" Share true
        "answered in less than 180 s / (offered - waiting) (Spain, Ley 10/2025)",
        |tally| Formula::LegalEs.value(tally), any!(answered_in_180s);
    "asa" "ASA" Seconds true
        "average speed of answer: waiting times of A, added / A; a kept place counts from its beginning",
        |tally| mean(tally.wait_answered, tally.answered), any!(answered);
    "abandon_wait" "AB.WAIT" Seconds true
        "waiting times of B, added / B",
        |tally| mean(tally.wait_abandoned, tally.abandoned), any!(abandoned);
    "longest_wait" "LONGEST" Seconds true
        "the longest waiting time of offered",
        |tally| tally.longest_wait.map(seconds), any!(offered);
    "abandonment" "ABANDONMENT" Share true
        "B / (offered - S - waiting)",
        |tally| share(tally.abandoned, tally.offered - tally.short_abandoned - tally.waiting), any!(abandoned);
    "handled" "HANDLED" Count true
        "of A and of callbacks_done, those whose agent is done with them, wrap-up included",
        count!(handled), any!(handled);
    "aht" "AHT" Seconds true
        "average handle time: (talk + hold + wrap-up) / handled",
        |tally| mean(tally.handling(), tally.handled), any!(handled);
    "talk" "TALK" Seconds true
        "talk of handled, without hold, added / handled",
        |tally| mean(tally.talk, tally.handled), any!(handled);
    "hold" "HOLD" Seconds true
        "what agents held of handled, added / handled",
        |tally| mean(tally.hold, tally.handled), any!(hold);
    "wrap_up" "WRAP-UP" Seconds true
        "wrap-up after handled, added / handled",
        |tally| mean(tally.wrap_up, tally.handled), any!(wrap_up);
    "transferred" "TRANSFERRED" Count true
        "of A and of callbacks_done, those that their agent has handed on",
        count!(transferred), any!(transferred);
    "offers" "OFFERS" Count true
        "calls offered to agents, each time counted",
        |tally| Some(number(tally.offers.all())), |tally| tally.offers.all() > 0;
    "accepted" "ACCEPTED" Count true
        "offers that the agent has taken",
        count!(offers.accepted), any!(offers.accepted);
    "missed" "MISSED" Count true
        "offers that the agent could have taken and has not: no answer, busy, declined, unreachable",
        |tally| Some(number(tally.offers.missed())), |tally| tally.offers.missed() > 0;
    "non_response" "NON-RESP." Share true
        "missed / (accepted + missed); where the caller hung up or another agent was faster, it is neither",
        |tally| share(tally.offers.missed(), tally.offers.accepted + tally.offers.missed()),
        |tally| tally.offers.missed() > 0;
    "ring" "RING" Seconds true
        "ringing times of accepted, added / accepted",
        |tally| mean(tally.offers.rang_accepted, tally.offers.accepted), any!(offers.accepted);
    "callbacks_asked" "CALLBACKS" Count true
        "callers who asked to be called back: reached + given up + called again + open; each is also in F (key) where it left",
        count!(callbacks.asked), any!(callbacks.asked);
    "callbacks_reached" "REACHED" Count true
        "of callbacks_asked, those whose customer took the call",
        count!(callbacks.reached), any!(callbacks.reached);
    "callbacks_done" "CB DONE" Count true
        "customers who were called back and spoke with an agent; counted when that was, and not in A",
        count!(callbacks.done), any!(callbacks.done);
    "callbacks_lost" "CB LOST" Count true
        "customers who took the call and hung up before their agent had it",
        count!(callbacks.lost), any!(callbacks.lost);
    "callbacks_given_up" "CB GIVEN UP" Count true
        "of callbacks_asked, those called as often as the queue calls, or that the queue takes no more",
        count!(callbacks.given_up), any!(callbacks.given_up);
    "callbacks_called_again" "CB CALLED AGAIN" Count true
        "of callbacks_asked, those whose customer called again itself",
        count!(callbacks.called_again), any!(callbacks.called_again);
    "callbacks_open" "CB OPEN" Count true
        "of callbacks_asked, those that are still to be called",
        count!(callbacks.open), any!(callbacks.open);
    "callbacks_tried" "CB TRIED" Count true
        "how often an agent was kept for one of callbacks_asked, to call it",
        count!(callbacks.tries), any!(callbacks.tries);
    "callbacks_failed" "CB FAILED" Count true
        "of callbacks_tried, those that came to nothing",
        count!(callbacks.failed), any!(callbacks.failed);
    "callback_wait" "CB WAIT" Seconds true
        "from coming into the queue until the customer took the call, added / callbacks_reached",
        |tally| mean(tally.callbacks.wait_reached, tally.callbacks.reached), any!(callbacks.reached);
    "unqueued" "NO QUEUE" Count true
        "contacts by trunks that came to no queue",
        |tally| Some(number(tally.unqueued.all())), |tally| tally.unqueued.all() > 0;
    "self_service" "SELF" Count true
        "of those, served by the flow alone, or left a message",
        count!(unqueued.self_service), any!(unqueued.self_service);
    "unqueued_answered" "DIALLED" Count true
        "of those, bridged with somebody that the flow dialled, or in a room with others",
        count!(unqueued.answered), any!(unqueued.answered);
    "unqueued_abandoned" "LEFT" Count true
        "of those, hung up in the flow, or while it rang somebody",
        count!(unqueued.abandoned), any!(unqueued.abandoned);
    "unqueued_failed" "FAILED" Count true
        "of those, refused, or nobody was reached",
        count!(unqueued.failed), any!(unqueued.failed);
    "logged_in" "LOGGED IN" Seconds false
        "time of agents in every state but logged out; cut at the borders of intervals, as all that follows",
        time!(it => Some(seconds(it.logged_in()))), NONE;
    "ready" "READY" Seconds false
        "time in which an agent could be offered a call",
        time!(it => Some(seconds(it.ready))), NONE;
    "paused" "PAUSED" Seconds false
        "time in pauses; the reasons are apart in JSON",
        time!(it => Some(seconds(it.paused_in_all()))), NONE;
    "ringing" "RINGING" Seconds false
        "time in which the agent was rung for a queue",
        time!(it => Some(seconds(it.ringing))), NONE;
    "talking" "TALKING" Seconds false
        "time in calls of queues, without holds",
        time!(it => Some(seconds(it.talking))), NONE;
    "holding" "HOLDING" Seconds false
        "time in which the agent held a call of a queue",
        time!(it => Some(seconds(it.holding))), NONE;
    "wrapping_up" "WRAPPING UP" Seconds false
        "time in wrap-up",
        time!(it => Some(seconds(it.wrap_up))), NONE;
    "busy" "BUSY" Seconds false
        "time in calls of no queue",
        time!(it => Some(seconds(it.busy))), NONE;
    "unreachable" "UNREACHABLE" Seconds false
        "time in which the agent's phone was not registered",
        time!(it => Some(seconds(it.unreachable))), NONE;
    "occupancy" "OCCUPANCY" Share false
        "(talking + holding + wrapping up) / (logged in - paused)",
        time!(it => share(it.handling(), it.logged_in() - it.paused_in_all())), NONE;
}
