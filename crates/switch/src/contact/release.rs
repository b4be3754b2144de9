//! A party that a trunk is asked to call elsewhere itself: REFER out (RFC 3515, 5589), so that the call leaves the node.

use super::dial::Order;
use super::{Contact, Phase, Wish};
use crate::core::{Core, Timer};
use clock::Duration;
use dialplan::{Target, Trunk};
use events::{EndedBy, Kind, LegId, Party};
use sip::{Message, Method, ReferState, RequestId};
use std::sync::Arc;

/// How long a trunk may take to say what has become of a REFER: longer than any ringing.
const RELEASE_TIME: Duration = Duration::from_secs(90);

impl Contact {
    /// Asks the trunk of the party that is handed on to call the target itself, if it is one that does so and the target is
    /// a number by way of it; the wish comes back if not.
    pub(super) fn release(&mut self, core: &mut Core, wish: Wish, order: Option<Order>) -> Option<Wish> {
        let Some((number, refer_to)) = order.and_then(|order| self.release_to(wish.leg, &order)) else {
            return Some(wish);
        };
        self.let_go(core, wish);
        if let Err(status) = self.may_be_released(core, &number) {
            self.hand_back(core, status);
            return None;
        }
        let leg = self.caller.id;
        self.caller.was_referred = true;
        let headers = [("Refer-To", &*refer_to)];
        let sent = self.caller.invite.and_then(|invite| {
            core.endpoint.request_within(core.now, invite, &Method::Refer, &headers, None, &mut core.sip)
        });
        let Some(sent) = sent else {
            self.hand_back(core, 500);
            return None;
        };
        core.referrals.insert(sent, leg);
        core.log(Some(self.id), Kind::Released { leg, to: number });
        self.phase = Phase::Releasing;
        core.timers.set(Timer::Ring(self.id), core.now + RELEASE_TIME);
        None
    }

    /// The number that a party may be released to, and the Refer-To.
    fn release_to(&self, transferor: LegId, order: &Order) -> Option<(Arc<str>, String)> {
        let callee = self.callee_of_bridge()?;
        let party =
            if transferor == callee { &self.caller } else { self.legs().find(|leg| leg.id == callee)? };
        // What the trunk still says of a REFER before this one could not be told apart (RFC 3515 section 2.4.6).
        let Party::Trunk(name) = &party.party else { return None };
        if party.was_referred {
            return None;
        }
        let trunk = self.plan.trunk(name).filter(|trunk| trunk.releases)?;
        let [Target::Number { number, trunks }] = &*order.targets else { return None };
        let refer_to = refer_to(trunk, number).filter(|_| trunks.contains(name))?;
        Some((Arc::clone(number), refer_to))
    }

    /// Holds the call that the trunk will place against what may be spent. It is not up here, so that it counts among the calls
    /// of an hour, and not among those at once.
    fn may_be_released(&self, core: &mut Core, number: &str) -> Result<(), u16> {
        self.may_spend(core, number)?;
        if let Some(bill) = self.bill(core, Some(number))? {
            core.accounts.end(core.now, &bill);
        }
        Ok(())
    }

    /// The final response to our REFER, or none.
    pub(crate) fn on_referred(&mut self, core: &mut Core, leg: LegId, status: u16) {
        if status >= 300 && self.is_releasing(leg) {
            self.end_release(core, status);
        }
    }

    /// NOTIFY: how far the trunk is with it (RFC 3515 section 2.4.4).
    pub(crate) fn on_notified(&mut self, core: &mut Core, leg: LegId, request: RequestId, message: &Message) {
        // Nobody has subscribed to anything else (RFC 6665 section 4.1.3).
        let state = if self.is_releasing(leg) { ReferState::read(message) } else { Err(481) };
        let status = state.as_ref().err().copied().unwrap_or(200);
        core.endpoint.respond(core.now, request, status, &[], None, &mut core.sip);
        let Ok(state) = state else { return };
        match state.status {
            Some(status) if status >= 200 => self.end_release(core, status),
            // It tells no more: nobody knows.
            _ if state.is_over => self.end_release(core, 500),
            Some(status) => self.tell_transferor(core, status),
            None => {}
        }
    }

    fn is_releasing(&self, leg: LegId) -> bool {
        matches!(self.phase, Phase::Releasing) && self.is_caller(leg)
    }

    /// What the trunk says later is no longer waited for.
    pub(super) fn abandon_release(&self, core: &mut Core) {
        if let Phase::Releasing = self.phase {
            core.timers.cancel(Timer::Ring(self.id));
        }
    }

    /// The trunk has called the target, and our legs end; or it has not, and the party goes back to the transferor.
    pub(super) fn end_release(&mut self, core: &mut Core, status: u16) {
        self.abandon_release(core);
        self.phase = Phase::Flow;
        if status < 300 {
            self.hand_over(core);
            self.hang_up_caller(core, EndedBy::Switch, "transferred");
        } else {
            self.hand_back(core, status);
        }
    }
}

/// Where a trunk is to call: the number at its first target.
fn refer_to(trunk: &Trunk, number: &str) -> Option<String> {
    let host = trunk.to.first()?;
    let host = host.strip_prefix("sip:").unwrap_or(host);
    Some(format!("<sip:{}@{host}>", trunk.called(number)))
}
