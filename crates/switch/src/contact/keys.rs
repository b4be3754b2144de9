//! Keys that parties press: to the flow, or to the party that hears them.

use super::{Contact, Phase};
use crate::core::Core;
use crate::leg::KeysBy;
use dialplan::MachineInput;
use events::LegId;
use rtp::control::Command;
use sip::{INFO_BODIES, InviteId, Message, RequestId, pressed_key};

impl Contact {
    /// The engine has heard a key; it passes it on by itself to whoever hears the party.
    pub(crate) fn on_digit(&mut self, _core: &mut Core, leg: LegId, digit: char) {
        if self.takes_keys(leg, KeysBy::Rtp) && self.presses_for_flow(leg) {
            self.inbox.push_back(MachineInput::Digit(digit));
        }
    }

    /// INFO: a key, from a phone that does not send it as RTP.
    pub(crate) fn on_info(&mut self, core: &mut Core, leg: LegId, request: RequestId, message: &Message) {
        let (status, headers) = match pressed_key(message) {
            Ok(_) => (200, &[][..]),
            Err(415) => (415, &[("Accept", INFO_BODIES)][..]),
            Err(469) => (469, &[("Recv-Info", "")][..]),
            Err(status) => (status, &[][..]),
        };
        core.endpoint.respond(core.now, request, status, headers, None, &mut core.sip);
        let Ok(Some(digit)) = pressed_key(message) else { return };
        if !self.takes_keys(leg, KeysBy::Info) {
            return;
        }
        match self.listener(leg) {
            Some(listener) => {
                let (stream, digits) = (crate::leg::stream_of(listener), digit.to_string());
                core.media(Command::SendDigits { stream, digits });
            }
            None if self.presses_for_flow(leg) => self.inbox.push_back(MachineInput::Digit(digit)),
            None => {}
        }
    }

    /// Whether keys of a leg count that come in this way: that of its first key, since some phones send each twice.
    fn takes_keys(&mut self, leg: LegId, by: KeysBy) -> bool {
        self.leg_mut(leg).is_some_and(|leg| *leg.keys_by.get_or_insert(by) == by)
    }

    /// Whether a leg is the caller's, alone with the flow.
    fn presses_for_flow(&self, leg: LegId) -> bool {
        self.is_caller(leg) && self.listener(leg).is_none() && !self.is_consulting()
    }

    /// Who hears a leg.
    fn listener(&self, leg: LegId) -> Option<LegId> {
        let other = match self.phase {
            Phase::Bridged { callee } => Some(callee),
            Phase::Dialing(_) => self.early_far_end(),
            Phase::Flow | Phase::Test => None,
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
