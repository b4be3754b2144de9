//! A phone takes the place of another one's leg, that rings or is talked on.

use super::{Contact, Phase};
use crate::core::Core;
use crate::leg::{Leg, State};
use events::{EndedBy, Kind, LegId};

impl Contact {
    /// Whether a leg's place may be taken; the status of the refusal if not.
    pub(crate) fn may_be_replaced(&self, leg: LegId) -> Result<(), u16> {
        let is_early = self.legs().any(|it| it.id == leg && it.is_early());
        match self.phase {
            _ if self.is_supervisor(leg) => Err(603),
            Phase::Dialing(_) if is_early => Ok(()),
            Phase::Bridged { callee }
                if self.transfer.is_none() && (callee == leg || self.is_caller(leg)) =>
            {
                Ok(())
            }
            Phase::Bridged { .. } | Phase::Choosing(_) | Phase::Releasing | Phase::Briefing(_) => Err(491),
            Phase::Dialing(_) | Phase::Conference(_) | Phase::Flow | Phase::Test | Phase::CallingBack => {
                Err(603)
            }
        }
    }

    /// Gives a leg's place to another one, which is answered with it.
    pub(crate) fn replace(&mut self, core: &mut Core, replaced: LegId, taker: Leg) {
        let taken_by = taker.id;
        if let Some(user) = taker.user() {
            core.users.occupy(user, self.id);
        }
        self.callees.push(taker);
        self.answer_taker(core, taken_by);
        match self.phase {
            Phase::Dialing(_) => self.win(core, taken_by, "picked up"),
            Phase::Bridged { .. } => self.take_place(core, replaced, taken_by),
            Phase::Flow
            | Phase::Test
            | Phase::CallingBack
            | Phase::Briefing(_)
            | Phase::Choosing(_)
            | Phase::Releasing
            | Phase::Conference(_) => {}
        }
    }

    /// An answered leg takes another one's place in a bridge.
    pub(super) fn take_place(&mut self, core: &mut Core, replaced: LegId, taken_by: LegId) {
        let Phase::Bridged { callee } = self.phase else { return };
        self.unbridge(core, callee);
        self.stand_in(core, callee, (replaced, taken_by), "replaced");
    }

    /// The same once the bridge with `callee` is parted: who had the place is let go.
    pub(super) fn stand_in(
        &mut self,
        core: &mut Core,
        callee: LegId,
        (replaced, taken_by): (LegId, LegId),
        why: &str,
    ) {
        self.phase = Phase::Flow;
        self.serve_on(replaced, taken_by);
        let stays = if callee == replaced { taken_by } else { callee };
        if callee != replaced {
            self.turn(taken_by);
            self.record_on(core);
        }
        self.hang_up_callee(core, replaced, EndedBy::Switch, 200, why);
        self.connect(core, stays);
    }

    /// 200 for who has taken a leg's place.
    fn answer_taker(&mut self, core: &mut Core, leg: LegId) {
        let id = self.id;
        let Some(taker) = self.leg_mut(leg) else { return };
        let Some(invite) = taker.invite else { return };
        let body = taker.answer(core, id);
        let contact = core.contact_uri(&taker.flow);
        core.endpoint.accept(core.now, invite, &contact, body, &mut core.sip);
        taker.state = State::ANSWERED;
        let codec = taker.codec().map(|codec| codec.name().into());
        let party = taker.party.clone();
        core.log_leg(id, &party, Kind::LegAnswered { leg, codec });
        self.follow_session(core, leg);
    }
}
