//! Fax by T.38 (RFC 3362, ITU-T T.38 annex D): what one party of a bridge asks for the other is asked for, and the answer
//! of the one is that of the other. G.711 goes on until both have it, and where one will not.

use super::{Contact, Phase};
use crate::core::{Core, Timer};
use crate::leg::{Leg, State};
use crate::protection::media_of;
use clock::{Duration, Time};
use dialplan::Fax;
use events::{Kind, LegId};
use sdp::T38;
use sip::{Message, Method, RequestId};

/// How long a party waits for the other one's answer, a glare among it: fax machines that train begin anew after that.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long after its refusal to go back to audio a party is asked again, at first; then twice as long each time.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What goes on between audio and fax.
#[derive(Default)]
pub(super) struct Faxing {
    offer: Option<Box<FaxOffer>>,
    /// Legs that would not go back to audio.
    refusals: Vec<Refusal>,
}

/// A leg with fax has refused audio: that may have been a passing trouble.
struct Refusal {
    leg: LegId,
    /// When it is asked again.
    until: Time,
    pause: Duration,
}

/// A party's offer of fax, which is answered when the other party has answered it.
struct FaxOffer {
    asker: LegId,
    request: RequestId,
    sdp: Box<[u8]>,
    t38: T38,
    asked: LegId,
    /// Whether the other party has been sent it.
    sent: bool,
}

impl Contact {
    /// Takes an offer of fax, if the other party can be asked for it; one that may not wait for that is refused. Whether
    /// the request has been dealt with.
    pub(super) fn take_fax_offer(
        &mut self,
        core: &mut Core,
        asker: LegId,
        (request, message): (RequestId, &Message),
        sdp: &[u8],
    ) -> bool {
        let Some(t38) = self.find(asker).and_then(|leg| leg.fax_asked(sdp)) else { return false };
        let Some(asked) = self.fax_partner(asker) else { return false };
        if *message.method() != Method::Invite {
            // RFC 3311 section 5.2: somebody has to be asked, so it has to be an INVITE.
            core.endpoint.respond(core.now, request, 504, &[], None, &mut core.sip);
            return true;
        }
        let offer = Box::new(FaxOffer { asker, request, sdp: sdp.into(), t38, asked, sent: false });
        match self.faxing.offer.take() {
            // Both have asked for it, and so both have it.
            Some(other) if other.asker == asked => {
                core.timers.cancel(Timer::Fax(self.id));
                self.accept_fax(core, &offer, other.t38.clone());
                self.accept_fax(core, &other, offer.t38);
            }
            _ => {
                core.timers.set(Timer::Fax(self.id), core.now + PATIENCE);
                self.faxing.offer = Some(offer);
            }
        }
        true
    }

    /// Sees to it that both parties of a bridge have fax, or neither.
    pub(super) fn follow_fax(&mut self, core: &mut Core) {
        if let Some(offer) = self.faxing.offer.take() {
            self.faxing.offer = self.pursue_fax(core, offer);
            if self.faxing.offer.is_none() {
                core.timers.cancel(Timer::Fax(self.id));
            }
        }
        let mut refusals = std::mem::take(&mut self.faxing.refusals);
        refusals.retain(|refusal| self.find(refusal.leg).is_some_and(|leg| leg.t38().is_some()));
        self.faxing.refusals = refusals;
        let is_due = |leg: &LegId| self.is_lonely(*leg) && !self.rests(core, *leg);
        let lonely: Vec<LegId> = self.legs().map(|leg| leg.id).filter(is_due).collect();
        for leg in lonely {
            self.go_back_to_audio(core, leg);
        }
        let again =
            self.faxing.refusals.iter().map(|refusal| refusal.until).filter(|until| *until > core.now);
        match again.min() {
            Some(at) => core.timers.set(Timer::Audio(self.id), at),
            None => {
                core.timers.cancel(Timer::Audio(self.id));
            }
        }
    }

    /// Whether a leg has refused to go back to audio too short a time ago to be asked again.
    fn rests(&self, core: &Core, leg: LegId) -> bool {
        self.faxing.refusals.iter().any(|refusal| refusal.leg == leg && refusal.until > core.now)
    }

    /// A leg has refused to go back to audio: it is asked again later.
    fn let_it_rest(&mut self, core: &Core, leg: LegId) {
        let known = self.faxing.refusals.extract_if(.., |refusal| refusal.leg == leg).next();
        let pause = known.map_or(PAUSE, |known| (known.pause * 2).min(LONGEST_PAUSE));
        self.faxing.refusals.push(Refusal { leg, until: core.now + pause, pause });
    }

    /// The other party has said nothing yet.
    pub(crate) fn on_fax_timeout(&mut self, core: &mut Core) {
        if let Some(asked) = self.faxing.offer.as_ref().map(|offer| offer.asked) {
            self.refuse_fax(core, asked, 408);
        }
    }

    /// A leg has refused our re-INVITE with `status`, or accepted it without what it asked for.
    pub(super) fn refuse_fax(&mut self, core: &mut Core, asked: LegId, status: u16) {
        if self.is_lonely(asked) {
            self.let_it_rest(core, asked);
        }
        let Some(offer) = self.faxing.offer.take_if(|offer| offer.asked == asked) else { return };
        core.timers.cancel(Timer::Fax(self.id));
        self.withdraw_offer(core, asked);
        core.log(Some(self.id), Kind::FaxRefused { leg: asked, status });
        self.decline_fax(core, &offer, if status == 491 { 491 } else { 488 });
    }

    /// Our re-INVITE that was refused by 491 and is to come again gives way to what the party offers by itself.
    pub(super) fn withdraw_offer(&mut self, core: &mut Core, leg: LegId) {
        let Some(found) = self.leg_mut(leg) else { return };
        let Some(invite) = found.invite.filter(|_| found.is_offering()) else { return };
        if !core.endpoint.withdraw_reinvite(invite) {
            return;
        }
        found.rollback();
        if let Some(offer) = self.faxing.offer.as_mut().filter(|offer| offer.asked == leg) {
            offer.sent = false;
        }
    }

    /// Goes on with an offer; `None` once it is answered.
    fn pursue_fax(&mut self, core: &mut Core, mut offer: Box<FaxOffer>) -> Option<Box<FaxOffer>> {
        if !core.endpoint.is_waiting(offer.request) {
            // Cancelled, or its call is over. What the other party may still accept is taken back.
            return None;
        }
        if self.fax_partner(offer.asker) != Some(offer.asked) {
            self.decline_fax(core, &offer, 488);
            return None;
        }
        let asked = self.leg_mut(offer.asked)?;
        if let Some(theirs) = asked.t38().cloned() {
            self.accept_fax(core, &offer, theirs);
            return None;
        }
        if let Some(invite) = asked.invite.filter(|it| !offer.sent && core.endpoint.may_reinvite(*it))
            && let Some(body) = asked.offer_fax(offer.t38.clone())
        {
            offer.sent = core.endpoint.reinvite(core.now, invite, Some(body), &mut core.sip);
        }
        Some(offer)
    }

    /// Answers an offer of fax with what the other party says of it.
    fn accept_fax(&mut self, core: &mut Core, offer: &FaxOffer, theirs: T38) {
        let Some(asker) = self.leg_mut(offer.asker) else { return };
        match asker.answer_fax(core, &offer.sdp, theirs) {
            Some(body) => {
                core.endpoint.respond(core.now, offer.request, 200, &[], Some(body), &mut core.sip);
            }
            None => core.endpoint.respond(core.now, offer.request, 488, &[], None, &mut core.sip),
        }
        self.follow_session(core, offer.asker);
    }

    /// Refuses an offer of fax; where audio is offered beside it, that is taken.
    fn decline_fax(&mut self, core: &mut Core, offer: &FaxOffer, status: u16) {
        let asker = self.leg_mut(offer.asker).filter(|_| core.endpoint.is_waiting(offer.request));
        let audio = asker.and_then(|leg| leg.answer_again(core, &offer.sdp).ok().flatten());
        let status = if audio.is_some() { 200 } else { status };
        core.endpoint.respond(core.now, offer.request, status, &[], audio, &mut core.sip);
        // The audio beside it may have begun or ended a hold.
        self.follow_session(core, offer.asker);
    }

    fn go_back_to_audio(&mut self, core: &mut Core, leg: LegId) {
        let Some(found) = self.leg_mut(leg) else { return };
        if let Some(invite) = found.invite.filter(|invite| core.endpoint.may_reinvite(*invite))
            && let Some(body) = found.offer_audio()
        {
            core.endpoint.reinvite(core.now, invite, Some(body), &mut core.sip);
        }
    }

    /// Whether a leg has fax and whom it hears has none.
    fn is_lonely(&self, leg: LegId) -> bool {
        let has_fax = |leg: LegId| self.find(leg).is_some_and(|leg| leg.t38().is_some());
        let is_up = |leg: &Leg| matches!(leg.state, State::Answered { .. });
        self.find(leg).is_some_and(is_up) && has_fax(leg) && !self.partner(leg).is_some_and(has_fax)
    }

    /// Who has to have fax, too, if a leg is to have it; `None` if nobody can.
    fn fax_partner(&self, leg: LegId) -> Option<LegId> {
        let partner = self.partner(leg)?;
        let can_fax = |leg: LegId| {
            self.find(leg).is_some_and(|leg| {
                let media = media_of(&self.plan, &self.client, &leg.party);
                matches!(leg.state, State::Answered { .. }) && media.fax == Fax::T38 && leg.can_fax()
            })
        };
        (can_fax(leg) && can_fax(partner)).then_some(partner)
    }

    /// The leg that another one is bridged with.
    fn partner(&self, leg: LegId) -> Option<LegId> {
        match self.phase {
            Phase::Bridged { callee } if self.is_caller(leg) => Some(callee),
            Phase::Bridged { callee } if callee == leg => Some(self.caller.id),
            _ => None,
        }
    }

    fn find(&self, id: LegId) -> Option<&Leg> {
        self.legs().find(|leg| leg.id == id)
    }
}
