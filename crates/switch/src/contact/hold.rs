//! re-INVITE and UPDATE: the party holds and takes up again, or moves its media (RFC 3264 8).

use super::Contact;
use crate::core::Core;
use crate::leg::{State, is_held};
use events::{Kind, LegId};
use sip::{Message, RequestId};

impl Contact {
    /// Media is anchored here, so an offer is answered here and never passed to the other party.
    pub(crate) fn on_reinvite(&mut self, core: &mut Core, leg: LegId, request: RequestId, message: &Message) {
        let Some(found) = self.leg_mut(leg) else { return };
        let is_early = found.is_early();
        let body = match message.sdp() {
            Some(offer) => found.answer_again(core, &offer),
            None => Ok(found.offer_again()),
        };
        let body = match body {
            Ok(Some(body)) => body,
            Ok(None) => return refuse_offer(core, request, is_early),
            Err(error) => {
                return core.endpoint.respond(core.now, request, error.status(), &[], None, &mut core.sip);
            }
        };
        core.endpoint.respond(core.now, request, 200, &[], Some(body), &mut core.sip);
        self.follow_hold(core, leg);
    }

    /// The session timer wants a re-INVITE: it says what is agreed already.
    pub(crate) fn on_refresh_due(&mut self, core: &mut Core, leg: LegId) {
        let Some(found) = self.leg_mut(leg) else { return };
        let (Some(invite), Some(body)) = (found.invite, found.offer_again()) else { return };
        if !core.endpoint.reinvite(core.now, invite, Some(body), &mut core.sip) {
            found.rollback();
        }
    }

    /// The party has answered our re-INVITE.
    pub(crate) fn on_reinvite_answered(&mut self, core: &mut Core, leg: LegId, message: &Message) {
        let Some(found) = self.leg_mut(leg) else { return };
        if found.receive_answer(core, &message.sdp().unwrap_or_default()).is_err() {
            // It has accepted what it cannot describe: what was agreed before stands.
            found.rollback();
        }
        self.follow_hold(core, leg);
    }

    /// The party has refused our re-INVITE: what was agreed before it stands (RFC 3261 section 14.1).
    pub(crate) fn on_reinvite_failed(&mut self, _core: &mut Core, leg: LegId) {
        if let Some(found) = self.leg_mut(leg) {
            found.rollback();
        }
    }

    /// Tells the log when a party begins or ends to hold.
    pub(super) fn follow_hold(&mut self, core: &mut Core, leg: LegId) {
        let id = self.id;
        let Some(found) = self.leg_mut(leg) else { return };
        let holds = found.agreed().is_some_and(is_held);
        if let State::Answered { held } = found.state
            && held != holds
        {
            found.state = State::Answered { held: holds };
            core.log(Some(id), if holds { Kind::Held { leg } } else { Kind::Resumed { leg } });
            if self.in_room() == Some(leg) {
                self.speak_in_room(core);
            }
        }
    }
}

/// An offer that cannot be answered: while that of the INVITE waits for its answer, it may come again later (RFC 3311
/// section 5.2).
fn refuse_offer(core: &mut Core, request: RequestId, is_early: bool) {
    let seconds = (core.random.next() % 11).to_string();
    let later: &[(&str, &str)] = &[("Retry-After", &seconds)];
    let (status, headers) = if is_early { (500, later) } else { (481, &[][..]) };
    core.endpoint.respond(core.now, request, status, headers, None, &mut core.sip);
}
