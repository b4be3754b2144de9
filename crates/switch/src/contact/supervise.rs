//! A supervisor with a call: it listens, whispers to the agent, barges in, or takes the call over.
//!
//! Its leg stands beside caller and callees, so that nothing of dials and transfers knows of it. While caller and callee are
//! bridged the three are in a room of the engine instead of the bridge; whenever they part, it hears music until they speak
//! again, or is let go if nobody does.

use super::dial::ELSEWHERE;
use super::transfer::RING_TIME;
use super::{Contact, Phase};
use crate::SuperviseRefused;
use crate::core::{Core, Timer};
use crate::leg::{Leg, State, stream_of};
use dialplan::Destination;
use events::{EndedBy, Kind, LegId, SuperviseMode};
use rtp::control::{Audience, Command, RoomId, Voice};
use sip::Message;
use std::sync::Arc;

/// A supervisor that is rung, or that is with the call.
pub(super) struct Supervision {
    user: Arc<str>,
    mode: SuperviseMode,
    /// Its leg, once it has answered.
    leg: Option<LegId>,
    /// Where it hears the call.
    company: Option<Company>,
}

/// Caller, callee and supervisor, and how each speaks.
struct Company {
    room: RoomId,
    voices: [(LegId, Voice); 3],
}

impl Contact {
    /// Rings a user of the client that is to be with the call.
    pub(crate) fn begin_supervision(
        &mut self,
        core: &mut Core,
        user: &str,
        mode: SuperviseMode,
    ) -> Result<(), SuperviseRefused> {
        if self.supervision.is_some() {
            return Err(SuperviseRefused::UnderWay);
        }
        let Phase::Bridged { .. } = self.phase else { return Err(SuperviseRefused::NoCall) };
        self.may_be(mode)?;
        let Some(Destination::User(user)) = self.plan.destination(&self.client, user) else {
            return Err(SuperviseRefused::UnknownUser);
        };
        let phones = self.phones_of(core, &user).map_err(|_| SuperviseRefused::Unreachable)?;
        if !core.users.is_free(&user) {
            return Err(SuperviseRefused::Busy);
        }
        let placed: Vec<Leg> = phones.into_iter().filter_map(|to| self.call(core, to).ok()).collect();
        if placed.is_empty() {
            return Err(SuperviseRefused::Unreachable);
        }
        self.supervisors.extend(placed);
        core.users.occupy(&user, self.id);
        core.timers.set(Timer::Supervise(self.id), core.now + RING_TIME);
        core.log(Some(self.id), Kind::SupervisionStarted { user: Arc::clone(&user), mode });
        self.supervision = Some(Box::new(Supervision { user, mode, leg: None, company: None }));
        Ok(())
    }

    /// The supervisor speaks to others from now on.
    pub(crate) fn change_supervision(
        &mut self,
        core: &mut Core,
        mode: SuperviseMode,
    ) -> Result<(), SuperviseRefused> {
        let before = self.supervision.as_ref().ok_or(SuperviseRefused::NothingUnderWay)?.mode;
        self.may_be(mode)?;
        if let Some(supervision) = self.supervision.as_mut().filter(|_| before != mode) {
            supervision.mode = mode;
            let user = Arc::clone(&supervision.user);
            core.log(Some(self.id), Kind::SupervisionChanged { user, mode });
        }
        Ok(())
    }

    /// Whether there is an agent, where one is needed.
    fn may_be(&self, mode: SuperviseMode) -> Result<(), SuperviseRefused> {
        let needs_agent = matches!(mode, SuperviseMode::Whisper | SuperviseMode::TakeOver);
        let is_bridged = matches!(self.phase, Phase::Bridged { .. });
        if needs_agent && is_bridged && self.agent().is_none() {
            Err(SuperviseRefused::NoAgent)
        } else {
            Ok(())
        }
    }

    /// Lets the supervisor go; false if there is none.
    pub(crate) fn end_supervision(&mut self, core: &mut Core, by: EndedBy, why: &str) -> bool {
        let Some(Supervision { user, .. }) = self.supervision.as_deref() else { return false };
        let user = Arc::clone(user);
        self.part_company(core);
        self.supervision = None;
        core.timers.cancel(Timer::Supervise(self.id));
        let up: Vec<LegId> =
            self.supervisors.iter().filter(|leg| leg.state != State::Over).map(|leg| leg.id).collect();
        for leg in up {
            self.let_supervisor_go(core, leg, by, None, why);
        }
        core.log(Some(self.id), Kind::SupervisionEnded { user, reason: why.into() });
        true
    }

    /// The phones have rung for long enough.
    pub(crate) fn on_supervise_timeout(&mut self, core: &mut Core) {
        if self.supervision.as_ref().is_some_and(|supervision| supervision.leg.is_none()) {
            self.end_supervision(core, EndedBy::Switch, "no answer");
        }
    }

    /// Whether a leg is that of a supervisor.
    pub(super) fn is_supervisor(&self, leg: LegId) -> bool {
        self.supervisors.iter().any(|it| it.id == leg)
    }

    /// A phone of the supervisor has answered: the others stop ringing.
    pub(super) fn supervisor_answered(&mut self, core: &mut Core, leg: LegId, message: &Message) {
        let id = self.id;
        let Some(found) = self.supervisors.iter_mut().find(|it| it.id == leg) else { return };
        let waits = self.supervision.as_ref().is_some_and(|supervision| supervision.leg.is_none());
        if !waits || !found.is_early() {
            return self.let_supervisor_go(core, leg, EndedBy::Switch, Some(200), "answered too late");
        }
        found.state = State::ANSWERED;
        if !found.agree(core, message) {
            self.let_supervisor_go(core, leg, EndedBy::Switch, Some(488), "no usable SDP answer");
            return self.supervisor_lost(core, "no usable SDP answer");
        }
        let codec = found.codec().map(|codec| codec.name().into());
        let party = found.party.clone();
        core.log_leg(id, &party, Kind::LegAnswered { leg, codec });
        core.timers.cancel(Timer::Supervise(id));
        if let Some(supervision) = &mut self.supervision {
            supervision.leg = Some(leg);
        }
        let others: Vec<LegId> = self.supervisors.iter().filter(|it| it.is_early()).map(|it| it.id).collect();
        for other in others {
            self.let_supervisor_go(core, other, EndedBy::Switch, None, "answered elsewhere");
        }
    }

    /// A leg of the supervisor is over.
    pub(super) fn supervisor_gone(
        &mut self,
        core: &mut Core,
        leg: LegId,
        by: EndedBy,
        status: Option<u16>,
        why: &str,
    ) {
        if self.supervision.as_ref().is_some_and(|supervision| supervision.leg == Some(leg)) {
            self.part_company(core);
        }
        self.end_leg(core, leg, by, status, why);
        self.supervisor_lost(core, why);
    }

    /// Ends the supervision if no leg of the supervisor is left.
    fn supervisor_lost(&mut self, core: &mut Core, why: &str) {
        if self.supervisors.iter().all(|leg| leg.state == State::Over) {
            self.end_supervision(core, EndedBy::Callee, why);
        }
    }

    /// BYE or CANCEL for a leg of a supervisor.
    fn let_supervisor_go(
        &mut self,
        core: &mut Core,
        leg: LegId,
        by: EndedBy,
        status: Option<u16>,
        why: &str,
    ) {
        if let Some((invite, rings)) = self.leg_mut(leg).and_then(|leg| Some((leg.invite?, leg.is_early()))) {
            core.endpoint.cancel(core.now, invite, rings.then_some(ELSEWHERE), &mut core.sip);
        }
        self.end_leg(core, leg, by, status, why);
    }

    /// Brings the supervisor to caller and callee whenever these speak, and lets it go when they do so no more.
    pub(super) fn follow_supervision(&mut self, core: &mut Core) {
        let Some(supervision) = &self.supervision else { return };
        let goes_on =
            matches!(self.phase, Phase::Bridged { .. } | Phase::Choosing(_)) || self.transfer.is_some();
        if !goes_on {
            self.end_supervision(core, EndedBy::Switch, "the call is over");
            return;
        }
        if supervision.mode == SuperviseMode::TakeOver
            && self.transfer.is_none()
            && self.supervises().is_some()
        {
            return self.take_call_over(core);
        }
        let Some(voices) = self.voices() else { return self.part_company(core) };
        let Some(supervision) = &mut self.supervision else { return };
        let (room, before) = match &supervision.company {
            Some(company) => (company.room, &company.voices[..]),
            None => {
                // Whoever comes into a room has left its bridge.
                core.media(Command::Unbridge { stream: stream_of(voices[0].0) });
                (core.new_room(), &[][..])
            }
        };
        for (leg, voice) in voices.iter().filter(|voice| !before.contains(voice)) {
            core.media(Command::Join { room, stream: stream_of(*leg), voice: *voice });
        }
        supervision.company = Some(Company { room, voices });
    }

    /// The supervisor, if it has answered and there is a call of speech that it can hear now.
    pub(super) fn supervises(&self) -> Option<LegId> {
        let Phase::Bridged { callee } = self.phase else { return None };
        let has_fax = |leg: &Leg| matches!(leg.state, State::Answered { fax: true, .. });
        let speaks = |leg: &Leg| leg.id == self.caller.id || leg.id == callee;
        let faxes = self.legs().any(|leg| speaks(leg) && has_fax(leg));
        self.supervisor().filter(|_| !faxes)
    }

    /// Whether caller and callee are in a room with the supervisor.
    pub(super) fn is_in_company(&self) -> bool {
        self.supervision.as_ref().is_some_and(|supervision| supervision.company.is_some())
    }

    /// The supervisor, if it has answered.
    pub(super) fn supervisor(&self) -> Option<LegId> {
        self.supervision.as_ref()?.leg
    }

    /// How each speaks while the supervisor is with the call: who holds is not heard, nor is the music of its phone.
    fn voices(&self) -> Option<[(LegId, Voice); 3]> {
        let Phase::Bridged { callee } = self.phase else { return None };
        let (supervisor, mode) = (self.supervises()?, self.supervision.as_ref()?.mode);
        let says = match mode {
            SuperviseMode::Listen | SuperviseMode::TakeOver => Audience::Nobody,
            // Without an agent there is nobody that it could whisper to.
            SuperviseMode::Whisper => {
                self.agent().map_or(Audience::Nobody, |it| Audience::Only(stream_of(it)))
            }
            SuperviseMode::Barge => Audience::All,
        };
        let voice = |id: LegId, says: Audience| {
            let holds = self
                .legs()
                .any(|leg| leg.id == id && matches!(leg.state, State::Answered { held: true, .. }));
            (id, Voice { to: if holds { Audience::Nobody } else { says }, gain: 0 })
        };
        Some([voice(self.caller.id, Audience::All), voice(callee, Audience::All), voice(supervisor, says)])
    }

    /// Who of a bridge is the client's: its user, the callee first; while one user consults another, who consults.
    fn agent(&self) -> Option<LegId> {
        let Phase::Bridged { callee } = self.phase else { return None };
        let is_user = |id: &LegId| self.legs().any(|leg| leg.id == *id && leg.user().is_some());
        let first = if self.is_consulting() { self.caller.id } else { callee };
        [first, callee, self.caller.id].into_iter().find(is_user)
    }

    /// Caller, callee and supervisor part; the two are bridged again.
    fn part_company(&mut self, core: &mut Core) {
        if self.dissolve(core)
            && let Phase::Bridged { callee } = self.phase
        {
            core.media(Command::Bridge { a: self.caller.stream(), b: stream_of(callee) });
        }
    }

    /// Takes all out of the room where the supervisor hears the call; whether there was one.
    pub(super) fn dissolve(&mut self, core: &mut Core) -> bool {
        let company = self.supervision.as_mut().and_then(|supervision| supervision.company.take());
        let Some(Company { voices, .. }) = company else { return false };
        for (leg, _) in voices {
            core.media(Command::Leave { stream: stream_of(leg) });
        }
        true
    }

    /// The supervisor stands where the agent did, who is let go.
    fn take_call_over(&mut self, core: &mut Core) {
        let Phase::Bridged { callee } = self.phase else { return };
        let (Some(supervisor), Some(agent)) = (self.supervises(), self.agent()) else {
            self.end_supervision(core, EndedBy::Switch, "there is no agent to take the call from");
            return;
        };
        let Some(place) = self.supervisors.iter().position(|leg| leg.id == supervisor) else { return };
        self.unbridge(core, callee);
        let Some(Supervision { user, .. }) = self.supervision.take().map(|it| *it) else { return };
        let leg = self.supervisors.remove(place);
        self.callees.push(leg);
        core.log(Some(self.id), Kind::TakenOver { leg: agent, by: supervisor });
        core.log(Some(self.id), Kind::SupervisionEnded { user, reason: "it has taken the call over".into() });
        self.stand_in(core, callee, (agent, supervisor), "taken over");
    }
}
