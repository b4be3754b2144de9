//! An attended transfer: what one contact's caller has reached goes to another contact's caller.

use super::conference::Seat;
use super::dial::Dial;
use super::media::Playing;
use super::{Contact, Phase, Wish};
use crate::core::{Core, Timer};
use crate::leg::{Leg, State};
use clock::Time;
use dialplan::{Enqueue, Machine, MachineInput, NewMessage};
use events::{ContactId, DialOutcome, EndedBy, Kind, LegId, QueueOutcome};
use std::collections::VecDeque;
use std::sync::Arc;

/// All of a contact but its caller: the legs that it has placed, and the flow.
pub(crate) struct FarSide {
    from: ContactId,
    legs: Vec<Leg>,
    reached: Reached,
    machine: Machine,
    inbox: VecDeque<MachineInput>,
    /// The queue that they were reached by.
    queue: Option<Arc<str>>,
}

enum Reached {
    Flow(Option<Playing>, Option<NewMessage>),
    Dialing(Box<Dial>, Option<Time>),
    Bridged(LegId),
    Conference(Seat),
    Queue(Enqueue, Time),
}

impl Contact {
    /// Whether its caller may give away what it has reached; the status of the refusal if not.
    pub(crate) fn may_give(&self, caller: LegId) -> Result<(), u16> {
        match self.caller.state {
            _ if self.transfer.is_some() || matches!(self.phase, Phase::Choosing(_)) => Err(491),
            State::Early { .. } | State::Answered { .. } if self.is_caller(caller) => Ok(()),
            _ => Err(481),
        }
    }

    /// Parts with all but the caller, who is hung up on.
    pub(crate) fn give(&mut self, core: &mut Core, to: ContactId) -> FarSide {
        core.timers.cancel(Timer::Flow(self.id));
        self.cut_briefing(core);
        self.ring_no_more(core);
        let seat = self.leave_room(core, false);
        let place = self.leave_queue(core, EndedBy::Switch, QueueOutcome::Moved);
        let reached = match std::mem::replace(&mut self.phase, Phase::Flow) {
            // Who transfers does not give: see `may_give`.
            Phase::Flow
            | Phase::Test
            | Phase::CallingBack
            | Phase::Briefing(_)
            | Phase::Choosing(_)
            | Phase::Releasing
            | Phase::Conference(_) => Reached::Flow(self.take_playing(core), self.give_message(core)),
            Phase::Dialing(dial) => {
                let until = core.timers.get(Timer::Ring(self.id));
                core.timers.cancel(Timer::Ring(self.id));
                core.log(Some(self.id), Kind::DialEnded { outcome: DialOutcome::CallerGone });
                Reached::Dialing(dial, until)
            }
            Phase::Bridged { callee } => {
                self.unbridge(core, callee);
                Reached::Bridged(callee)
            }
        };
        let reached = seat.map_or(reached, Reached::Conference);
        let reached = place.map_or(reached, |(order, entered)| Reached::Queue(order, entered));
        self.follow_early_media(core);
        self.tune(core);
        let legs: Vec<Leg> = self.callees.extract_if(.., |leg| leg.state != State::Over).collect();
        for leg in &legs {
            core.log_leg(self.id, &leg.party, Kind::LegLeft { leg: leg.id, to });
            if let Some(user) = leg.user().filter(|user| self.caller.user() != Some(user)) {
                core.users.vacate(user, self.id);
            }
        }
        core.web.hand_on(self.id, to);
        let (machine, inbox) = (self.machine.take(), std::mem::take(&mut self.inbox));
        let queue = self.tapes.queue().cloned();
        FarSide { from: self.id, legs, reached, machine, inbox, queue }
    }

    /// Hands the other party of a bridge on to what another contact has given.
    pub(crate) fn receive(&mut self, core: &mut Core, wish: Wish, far: FarSide) {
        self.let_go(core, wish);
        let FarSide { from, legs, reached, machine, inbox, queue } = far;
        if let Some(queue) = queue {
            self.tapes.served_from(&queue);
        }
        let names = legs.iter().map(|leg| leg.uri.clone()).collect();
        for leg in legs {
            self.adopt(core, leg, from);
        }
        match reached {
            Reached::Bridged(callee) => {
                self.connect(core, callee);
                self.hand_over(core);
            }
            Reached::Dialing(dial, until) => {
                core.log(Some(self.id), Kind::DialStarted { targets: names });
                self.enter(machine, inbox);
                self.phase = Phase::Dialing(dial);
                if let Some(until) = until {
                    core.timers.set(Timer::Ring(self.id), until);
                }
            }
            Reached::Conference(seat) => {
                self.enter(machine, inbox);
                self.enter_room(core, seat);
            }
            Reached::Queue(order, entered) => {
                self.enter(machine, inbox);
                self.enqueue_at(core, order, entered);
            }
            Reached::Flow(playing, message) => {
                self.enter(machine, inbox);
                if let Some(playing) = playing {
                    self.play_again(core, playing);
                }
                if let Some(message) = message {
                    self.take_message(core, message);
                }
            }
        }
    }

    /// A leg of another contact is ours from now on.
    fn adopt(&mut self, core: &mut Core, leg: Leg, from: ContactId) {
        if let Some(invite) = leg.invite {
            core.invites.insert(invite, (self.id, leg.id));
        }
        if leg.is_open() {
            core.streams.insert(leg.stream(), self.id);
        }
        if let Some(user) = leg.user() {
            core.users.occupy(user, self.id);
            core.queues.talk_moved(user, from.0, self.id.0);
        }
        let call_id = leg.invite.and_then(|invite| core.endpoint.call_id(invite)).unwrap_or_default().into();
        core.log_leg(
            self.id,
            &leg.party,
            Kind::LegJoined {
                leg: leg.id,
                from,
                direction: leg.direction(),
                party: leg.party.clone(),
                uri: leg.uri.clone(),
                call_id,
                answered: matches!(leg.state, State::Answered { .. }),
            },
        );
        self.callees.push(leg);
    }

    /// The caller has given away what it reached.
    pub(crate) fn end_given(&mut self, core: &mut Core) {
        self.hang_up_caller(core, EndedBy::Switch, "transferred");
    }
}
