//! A call that the node places itself, to see whether a trunk carries it: nobody is on it but the node, which plays.
//!
//! Its one leg stands in the caller's place, and its flow never begins.

use super::dial::{Destination, failure_reason};
use super::{Contact, Phase};
use crate::core::{Core, Timer};
use crate::fraud::Bill;
use crate::leg::State;
use clock::Duration;
use events::{EndedBy, Kind, LegId};
use sip::Message;

/// How long it may take until somebody answers.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);
/// How long it lasts then: sound can go both ways meanwhile.
const LASTS: Duration = Duration::from_secs(4);

impl Contact {
    /// Places the leg, which has a port and no usage yet.
    pub(crate) fn place_test(&mut self, core: &mut Core, to: Destination, bill: Option<Bill>) {
        self.phase = Phase::Test;
        self.place_caller(core, to, bill);
        core.timers.set(Timer::Ring(self.id), core.now + ANSWERED_WITHIN);
    }

    /// Calls whoever stands in the caller's place.
    pub(super) fn place_caller(&mut self, core: &mut Core, to: Destination, bill: Option<Bill>) {
        self.inbox.clear();
        let body = self.caller.open(core, self.id);
        let invite = self.send_invite(core, to, body);
        self.log_new_leg(core, &self.caller, invite);
        self.caller.bill = bill;
        self.caller.invite = Some(invite);
        core.invites.insert(invite, (self.id, self.caller.id));
    }

    /// Whether a leg is that of a test, which is not over.
    pub(super) fn is_test(&self, leg: LegId) -> bool {
        self.is_caller(leg) && matches!(self.phase, Phase::Test)
    }

    /// An answer that crosses our CANCEL is the endpoint's affair.
    pub(super) fn test_answered(&mut self, core: &mut Core, message: &Message) {
        if self.caller_answered(core, message) {
            core.timers.set(Timer::Ring(self.id), core.now + LASTS);
        }
    }

    /// Whoever was called in the caller's place has answered; false if nothing can be said to it.
    pub(super) fn caller_answered(&mut self, core: &mut Core, message: &Message) -> bool {
        self.caller.state = State::ANSWERED;
        if let Some(bill) = &mut self.caller.bill {
            core.accounts.talk(core.now, bill);
        }
        if !self.caller.agree(core, message) {
            self.hang_up_caller(core, EndedBy::Switch, "no usable SDP answer");
            return false;
        }
        let codec = self.caller.codec().map(|codec| codec.name().into());
        core.log_leg(self.id, &self.caller.party, Kind::LegAnswered { leg: self.caller.id, codec });
        true
    }

    /// A failure without a response is ours: a timer, or the transport.
    pub(super) fn test_failed(&mut self, core: &mut Core, status: u16, response: Option<&Message>) {
        if let Some(asked) = response.filter(|_| status == 503).and_then(Message::retry_after) {
            self.let_rest(core, self.caller.id, asked);
        }
        let by = if response.is_some() { EndedBy::Callee } else { EndedBy::Switch };
        self.caller_gone(core, by, Some(status), failure_reason(status));
    }

    /// It has lasted long enough, or nobody has answered.
    pub(super) fn end_test(&mut self, core: &mut Core) {
        if self.caller.is_early() {
            self.hang_up_caller(core, EndedBy::Switch, "no answer");
        } else {
            self.hang_up_caller(core, EndedBy::Flow, "the test is over");
        }
    }
}
