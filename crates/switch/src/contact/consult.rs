//! A transfer with a word before it: the transferor speaks with the target first, and the party that is to be handed on
//! waits and hears music.
//!
//! Meanwhile the transferor stands in the caller's place, so that ringing, early media and hold are those of any call;
//! who waits stands among the callees.

use super::dial::Order;
use super::{Contact, Phase, Wish};
use crate::core::Core;
use crate::leg::State;
use events::{DialOutcome, EndedBy, LegId, TransferOutcome};

impl Contact {
    /// Lets the transferor call the target before it hands the other party of the bridge on.
    pub(super) fn begin_consultation(&mut self, core: &mut Core, wish: Wish, order: Order) {
        let transferor = wish.leg;
        self.let_go(core, wish);
        let waits = self.caller.id;
        self.turn(transferor);
        self.set_waiting(Some(waits));
        self.start_dial(core, order);
    }

    /// Whether the transferor speaks with the target, or rings it, before it has handed anybody on.
    pub(super) fn is_consulting(&self) -> bool {
        self.waiting().is_some()
    }

    /// The transferor hands the other party on: at once to a target that has answered, and else when it answers.
    /// False if no transfer is under way.
    pub(crate) fn complete_transfer(&mut self, core: &mut Core) -> bool {
        if self.is_consulting() {
            let target = self.target();
            self.end_consultation(core);
            if let Some(target) = target {
                self.connect(core, target);
                self.hand_over(core);
            }
            return true;
        }
        self.transfer.is_some()
    }

    /// The transferor takes the other party back. False if no transfer is under way.
    pub(crate) fn cancel_transfer(&mut self, core: &mut Core) -> bool {
        if self.transfer.is_none() {
            return false;
        }
        let target = self.target();
        self.end_consultation(core);
        if let Some(target) = target {
            self.hang_up_callee(core, target, EndedBy::Switch, 200, "the transfer was taken back");
        }
        self.stop_ringing(core, EndedBy::Switch, DialOutcome::CallerGone);
        self.take_back(core, TransferOutcome::Cancelled, 487);
        true
    }

    /// A party of a consultation is gone: true if that was dealt with here.
    pub(super) fn leave_consultation(
        &mut self,
        core: &mut Core,
        leg: LegId,
        by: EndedBy,
        status: Option<u16>,
        why: &str,
    ) -> bool {
        let Some(waits) = self.waiting() else { return false };
        let target = self.target();
        if self.is_caller(leg) {
            // The transferor has said what it had to say.
            self.end_consultation(core);
            self.end_leg(core, leg, by, status, why);
            if let Some(target) = target {
                self.connect(core, target);
                self.hand_over(core);
            }
        } else if leg == waits {
            self.abandon_consultation(core, by);
            self.caller_gone(core, by, status, why);
        } else if target == Some(leg) {
            self.end_consultation(core);
            self.end_leg(core, leg, by, status, why);
            self.hand_back(core, 480);
        } else {
            return false;
        }
        true
    }

    /// Nobody is to be handed on any more, since the call ends or its flow goes on: who waits is the caller again.
    pub(super) fn abandon_consultation(&mut self, core: &mut Core, by: EndedBy) {
        if !self.is_consulting() {
            return;
        }
        let target = self.target();
        self.end_consultation(core);
        if let Some(target) = target {
            self.hang_up_callee(core, target, by, 200, "the consultation was ended");
        }
    }

    /// The target, once it has answered.
    fn target(&self) -> Option<LegId> {
        match self.phase {
            Phase::Bridged { callee } if self.is_consulting() => Some(callee),
            _ => None,
        }
    }

    /// Parts transferor and target, and puts who waits in the caller's place again. A target that rings rings on.
    fn end_consultation(&mut self, core: &mut Core) {
        let Some(waits) = self.waiting() else { return };
        if let Some(target) = self.target() {
            self.phase = Phase::Flow;
            self.unbridge(core, target);
        }
        self.turn(waits);
        self.set_waiting(None);
    }

    /// Whether its transfer is one that a user has begun.
    pub(crate) fn is_transferred_by(&self, leg: LegId) -> bool {
        self.transferor() == Some(leg)
    }

    /// The leg of a user that is answered.
    pub(crate) fn answered_leg_of(&self, user: &str) -> Option<LegId> {
        let is_up = |state: State| matches!(state, State::Answered { .. });
        self.legs()
            .find(|leg| is_up(leg.state) && leg.user().is_some_and(|it| **it == *user))
            .map(|leg| leg.id)
    }
}
