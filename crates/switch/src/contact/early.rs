//! Before the answer: what a caller hears of the ringing, and the media that reaches it then (RFC 3960).

use super::dial::Dial;
use super::{Contact, Phase};
use crate::core::Core;
use crate::leg::{Leg, State};
use dialplan::Ringback;
use events::{Kind, LegId};
use rtp::control::Command;
use sip::{Body, Message};

/// The early dialog is over, which says nothing of ringing (RFC 6228).
const EARLY_DIALOG_TERMINATED: u16 = 199;

/// Two legs that hear each other although the second is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EarlyBridge {
    /// The caller.
    listener: LegId,
    far: LegId,
}

impl EarlyBridge {
    pub(super) fn of(listener: LegId, far: LegId) -> Self {
        Self { listener, far }
    }
}

impl Contact {
    /// 18x: the far end rings, or sends media already.
    pub(crate) fn on_progress(&mut self, core: &mut Core, leg: LegId, message: &Message) {
        let Some(status) = message.status() else { return };
        if status < 180 || status == EARLY_DIALOG_TERMINATED {
            return;
        }
        let id = self.id;
        let Some(found) = self.leg_mut(leg) else { return };
        let State::Early { ringing } = found.state else { return };
        if let Some(answer) = message.sdp() {
            // What cannot be used now may be put right by the 200.
            let _unusable = found.receive_answer(core, &answer);
        }
        if !ringing {
            found.state = State::Early { ringing: true };
            let party = found.party.clone();
            core.log_leg(id, &party, Kind::LegRinging { leg });
            if self.is_supervisor(leg) {
                return;
            }
            self.tell_transferor(core, 180);
        }
        self.ring_back(core);
    }

    /// Tells an unanswered caller of the ringing: by media if there is some that it is to hear, or once by 180.
    fn ring_back(&mut self, core: &mut Core) {
        let Phase::Dialing(dial) = &self.phase else { return };
        let State::Early { ringing } = self.caller.state else { return };
        let hears = match dial.ringback() {
            Ringback::Far => self.far_end(dial).is_some(),
            Ringback::Prompt(_) => true,
            Ringback::Tone => false,
        };
        let far = self.far_end(dial).filter(|_| hears);
        if let Some(far) = far {
            self.prefer_codec_of(far);
        }
        let body = if hears { self.caller.open_early(core, self.id) } else { None };
        if ringing && body.is_none() {
            return;
        }
        let status = if body.is_some() { 183 } else { 180 };
        self.progress_caller(core, status, body);
    }

    /// Lets an unanswered caller hear what the flow plays, if its INVITE has said where to.
    pub(super) fn open_to_prompts(&mut self, core: &mut Core) {
        if let State::Early { .. } = self.caller.state
            && let Some(body) = self.caller.open_early(core, self.id)
        {
            self.progress_caller(core, 183, Some(body));
        }
    }

    /// Tells a caller that waits for an answer how far its call is, with a session description if it is to hear something.
    pub(super) fn progress_caller(&mut self, core: &mut Core, status: u16, body: Option<Body>) {
        let (State::Early { .. }, Some(invite)) = (self.caller.state, self.caller.invite) else { return };
        if body.is_some() {
            core.log(Some(self.id), Kind::EarlyMedia { leg: self.caller.id });
        }
        self.caller.state = State::Early { ringing: true };
        if let Some(user) = self.caller.user() {
            core.watches.stir(user);
        }
        let contact = core.contact_uri(&self.caller.flow);
        core.endpoint.progress(core.now, invite, status, &contact, body, &mut core.sip);
    }

    /// Connects the caller with the ringing leg that it is to hear, and with no other.
    pub(super) fn follow_early_media(&mut self, core: &mut Core) {
        let wanted = match &self.phase {
            Phase::Dialing(dial) if self.caller.is_open() => self.far_end(dial),
            _ => None,
        };
        let wanted = wanted.map(|far| EarlyBridge { listener: self.caller.id, far });
        if wanted == self.early {
            return;
        }
        if let Some(EarlyBridge { listener, far }) = self.early.take()
            && [listener, far].iter().all(|leg| self.legs().any(|it| it.id == *leg && it.is_open()))
        {
            self.part(core, listener, far);
        }
        if let Some(EarlyBridge { listener: a, far: b }) = wanted {
            core.media(Command::Bridge { a: self.caller.stream(), b: crate::leg::stream_of(b) });
            core.log(Some(self.id), Kind::BridgedEarly { a, b });
        }
        self.early = wanted;
    }

    /// The ringing leg whose media the caller is to hear: the first that had some, as long as it rings.
    fn far_end(&self, dial: &Dial) -> Option<LegId> {
        if !matches!(dial.ringback(), Ringback::Far) {
            return None;
        }
        let speaks = |leg: &&Leg| matches!(leg.state, State::Early { .. }) && leg.can_be_heard();
        let before = self.early.map(|early| early.far);
        let speaking = || self.callees.iter().filter(speaks).map(|leg| leg.id);
        speaking().find(|leg| Some(*leg) == before).or_else(|| speaking().next())
    }

    /// The leg that is not answered and that the caller hears.
    pub(super) fn early_far_end(&self) -> Option<LegId> {
        self.early.map(|early| early.far)
    }
}
