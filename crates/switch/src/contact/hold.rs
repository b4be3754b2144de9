//! re-INVITE and UPDATE: the party holds and takes up again, moves its media (RFC 3264 8), or asks for fax.

use super::Contact;
use crate::core::Core;
use crate::leg::{State, is_held};
use events::{Kind, LegId};
use sdp::SdpError;
use sip::{Message, RequestId};

impl Contact {
    /// Media is anchored here, so an offer is answered here and not passed to the other party, unless it is fax.
    pub(crate) fn on_reinvite(&mut self, core: &mut Core, leg: LegId, request: RequestId, message: &Message) {
        self.withdraw_offer(core, leg);
        let offer = message.sdp();
        if let Some(offer) = &offer
            && self.take_fax_offer(core, leg, (request, message), offer)
        {
            return;
        }
        let Some(found) = self.leg_mut(leg) else { return };
        let is_early = found.is_early();
        let body = match offer {
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
        self.follow_session(core, leg);
    }

    /// The session timer wants a re-INVITE: it says what is agreed already.
    pub(crate) fn on_refresh_due(&mut self, core: &mut Core, leg: LegId) {
        let Some(found) = self.leg_mut(leg) else { return };
        // One that waits to be sent again refreshes the session, too.
        let Some(invite) = found.invite.filter(|invite| core.endpoint.may_reinvite(*invite)) else { return };
        let Some(body) = found.offer_again() else { return };
        core.endpoint.reinvite(core.now, invite, Some(body), &mut core.sip);
    }

    /// The party has answered our re-INVITE.
    pub(crate) fn on_reinvite_answered(&mut self, core: &mut Core, leg: LegId, message: &Message) {
        let Some(found) = self.leg_mut(leg) else { return };
        if let Err(error) = found.receive_answer(core, &message.sdp().unwrap_or_default()) {
            // It has accepted what it cannot describe: what was agreed before stands.
            found.rollback();
            let has_audio = found.t38().is_none();
            // Whatever was wrong with it, asking again at once would get the same answer.
            self.refuse_fax(core, leg, 488);
            if error == SdpError::NoFax && has_audio {
                // It has switched its media off with its answer.
                self.on_refresh_due(core, leg);
            }
        }
        self.follow_session(core, leg);
    }

    /// The party has refused our re-INVITE: what was agreed before it stands (RFC 3261 section 14.1).
    pub(crate) fn on_reinvite_failed(&mut self, core: &mut Core, leg: LegId, status: u16) {
        if let Some(found) = self.leg_mut(leg) {
            found.rollback();
        }
        self.refuse_fax(core, leg, status);
    }

    /// Tells the log when a party begins or ends to hold, or to have fax.
    pub(super) fn follow_session(&mut self, core: &mut Core, leg: LegId) {
        let id = self.id;
        let Some(found) = self.leg_mut(leg) else { return };
        let (holds, faxes) = (found.agreed().is_some_and(is_held), found.t38().is_some());
        let State::Answered { held, fax } = found.state else { return };
        found.state = State::Answered { held: holds, fax: faxes };
        if held != holds {
            core.log(Some(id), if holds { Kind::Held { leg } } else { Kind::Resumed { leg } });
            if self.in_room() == Some(leg) {
                self.speak_in_room(core);
            }
        }
        if fax != faxes {
            core.log(Some(id), if faxes { Kind::FaxStarted { leg } } else { Kind::FaxEnded { leg } });
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
