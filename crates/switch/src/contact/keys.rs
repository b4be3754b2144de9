//! Keys that parties press: to the flow, to the party that hears them, or to us, as feature codes.

use super::{Contact, Phase};
use crate::core::{Core, Timer};
use crate::keypad::KeysBy;
use crate::leg::{Leg, State};
use clock::Duration;
use dialplan::{Feature, MachineInput};
use events::{Kind, LegId};
use rtp::control::Command;
use sip::{INFO_BODIES, INFO_PACKAGE, InviteId, Message, RequestId, pressed_key};

/// How long a key that may begin a code waits for the next.
const CODE_KEY: Duration = Duration::from_secs(1);

impl Contact {
    /// The engine has heard a key.
    pub(crate) fn on_digit(&mut self, core: &mut Core, leg: LegId, digit: char) {
        self.press(core, leg, KeysBy::Rtp, digit);
    }

    /// INFO: a key, from a phone that does not send it as RTP; a browser's candidates.
    pub(crate) fn on_info(&mut self, core: &mut Core, leg: LegId, request: RequestId, message: &Message) {
        let (status, headers) = match pressed_key(message) {
            Ok(_) => (200, &[][..]),
            Err(415) => (415, &[("Accept", INFO_BODIES)][..]),
            Err(469) => (469, &[("Recv-Info", INFO_PACKAGE)][..]),
            Err(status) => (status, &[][..]),
        };
        core.endpoint.respond(core.now, request, status, headers, None, &mut core.sip);
        if let Ok(Some(digit)) = pressed_key(message) {
            self.press(core, leg, KeysBy::Info, digit);
        }
    }

    fn press(&mut self, core: &mut Core, leg: LegId, by: KeysBy, digit: char) {
        // What was heard before the end of the leg may be told after it.
        let live = self.leg_mut(leg).filter(|leg| leg.state != State::Over);
        let Some(keypad) = live.map(|leg| &mut leg.keypad) else { return };
        if !keypad.takes(by) {
            return;
        }
        let is_ours = by == KeysBy::Info || keypad.is_kept();
        if self.is_choosing(leg) {
            return self.choose_key(core, digit);
        }
        if !is_ours {
            // The engine passes it on by itself to whoever hears the party, but not in a room.
            if self.listener(leg).is_none() || self.is_in_company() {
                self.pass_on(core, leg, digit.encode_utf8(&mut [0; 4]));
            }
            return;
        }
        let among = self.features_of(leg);
        let features = self.plan.client_named(&self.client).map(|client| client.features.clone());
        let features = features.unwrap_or_default();
        let Some(found) = self.leg_mut(leg) else { return };
        let pressed = found.keypad.press(digit, &features, among);
        if pressed.waits {
            core.timers.set(Timer::Keys(leg), core.now + CODE_KEY);
        } else {
            core.timers.cancel(Timer::Keys(leg));
        }
        self.pass_on(core, leg, &pressed.passed);
        if let Some(feature) = pressed.feature {
            core.log(Some(self.id), Kind::CodeDialled { leg, feature: feature.name().into() });
            self.serve(core, leg, feature);
        }
    }

    /// No further key has come.
    pub(crate) fn on_keys_timeout(&mut self, core: &mut Core, leg: LegId) {
        if self.is_choosing(leg) {
            return self.end_choice(core);
        }
        let held = self.leg_mut(leg).map(|leg| leg.keypad.release());
        self.pass_on(core, leg, &held.unwrap_or_default());
    }

    /// The features that a leg may ask for now: users' alone, since others would have us call at the client's cost.
    fn features_of(&self, leg: LegId) -> &'static [Feature] {
        let is_user = self.legs().any(|it| it.id == leg && it.user().is_some());
        if is_user && self.may_transfer(leg).is_ok() {
            &[Feature::Transfer, Feature::Consult]
        } else if is_user && self.is_transferred_by(leg) {
            &[Feature::Complete, Feature::Cancel]
        } else {
            &[]
        }
    }

    fn serve(&mut self, core: &mut Core, leg: LegId, feature: Feature) {
        match feature {
            Feature::Transfer => self.begin_choice(core, leg, false),
            Feature::Consult => self.begin_choice(core, leg, true),
            Feature::Complete => {
                self.complete_transfer(core);
            }
            Feature::Cancel => {
                self.cancel_transfer(core);
            }
            // That is a call: see `Switch::replaced_by`.
            Feature::Pickup => {}
        }
    }

    /// Gives keys to whoever hears the leg, or to the flow.
    fn pass_on(&mut self, core: &mut Core, leg: LegId, keys: &str) {
        if keys.is_empty() {
            return;
        }
        match self.listener(leg) {
            // A party without telephone-events hears them as sound.
            Some(listener) if !self.are_heard(leg) => {
                if let Some(listener) = self.legs().find(|it| it.id == listener) {
                    core.media(Command::SendDigits { stream: listener.stream(), digits: keys.to_owned() });
                }
            }
            Some(_) => {}
            None => keys.chars().for_each(|key| self.press_for_flow(leg, key)),
        }
    }

    /// Whether the keys of a leg are sound, which whoever it speaks with has heard already.
    fn are_heard(&self, leg: LegId) -> bool {
        let knows_events = |leg: &Leg| leg.agreed().is_some_and(|it| it.telephone_event.is_some());
        let is_sound = |leg: &Leg| leg.keypad.is_by_rtp() && !knows_events(leg);
        self.legs().any(|it| it.id == leg && is_sound(it))
    }

    /// A key of the caller, alone with the flow; of others it is nothing.
    fn press_for_flow(&mut self, leg: LegId, digit: char) {
        if self.is_caller(leg) && !self.is_consulting() {
            self.inbox.push_back(MachineInput::Digit(digit));
        }
    }

    /// Who hears a leg.
    fn listener(&self, leg: LegId) -> Option<LegId> {
        let other = match self.phase {
            Phase::Bridged { callee } => Some(callee),
            Phase::Dialing(_) => self.early_far_end(),
            Phase::Choosing(_)
            | Phase::Conference(_)
            | Phase::Releasing
            | Phase::Flow
            | Phase::Briefing(_)
            | Phase::CallingBack
            | Phase::Test => None,
        }?;
        match leg {
            _ if leg == other => Some(self.caller.id),
            _ if self.is_caller(leg) => Some(other),
            _ => None,
        }
    }

    /// The usage of the party that a leg speaks with, once both are answered.
    pub(crate) fn peer_of(&self, leg: LegId) -> Option<InviteId> {
        let Phase::Bridged { .. } = self.phase else { return None };
        let peer = self.listener(leg)?;
        self.legs().find(|it| it.id == peer)?.invite
    }
}
