//! re-INVITE: the party holds and takes up again, or moves its media (RFC 3264 8).

use super::{Contact, Phase};
use crate::core::Core;
use crate::leg::{State, is_held};
use events::{Kind, LegId};
use sip::{Message, RequestId};

impl Contact {
    /// Media is anchored here, so an offer is answered here and never passed to the other party.
    pub(crate) fn on_reinvite(&mut self, core: &mut Core, leg: LegId, request: RequestId, message: &Message) {
        let id = self.id;
        let Some(found) = self.leg_mut(leg) else { return };
        let body = if message.body().is_empty() {
            Ok(found.offer_again())
        } else {
            found.answer_again(core, message.body())
        };
        let body = match body {
            Ok(Some(body)) => body,
            Ok(None) => return core.endpoint.respond(core.now, request, 481, &[], None, &mut core.sip),
            Err(error) => {
                return core.endpoint.respond(core.now, request, error.status(), &[], None, &mut core.sip);
            }
        };
        core.endpoint.respond(core.now, request, 200, &[], Some(body), &mut core.sip);
        let holds = found.agreed().is_some_and(is_held);
        if let State::Answered { held } = found.state
            && held != holds
        {
            found.state = State::Answered { held: holds };
            core.log(Some(id), if holds { Kind::Held { leg } } else { Kind::Resumed { leg } });
            self.hold_changed(core, leg, holds);
        }
    }

    /// The party that is held hears music until it is taken up again.
    fn hold_changed(&mut self, core: &mut Core, holder: LegId, holds: bool) {
        let Phase::Bridged { callee } = self.phase else { return };
        if holds {
            let other = if self.is_caller(holder) { callee } else { self.caller.id };
            self.start_music(core, other, "hold");
        } else {
            self.stop_music(core);
        }
    }
}
