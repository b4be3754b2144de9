//! The caller meets others in a room of its client.

use super::{Contact, Phase};
use crate::core::Core;
use crate::leg::State;
use crate::rooms::Newcomer;
use dialplan::{ConferenceResult, MachineInput};
use events::{Kind, LegId, RoomBy};
use rtp::control::Command;
use std::sync::Arc;

/// What the flow asks of a room, and what has been made of it since.
pub(super) struct Seat {
    pub(super) room: Arc<str>,
    pub(super) max: u32,
    pub(super) muted: bool,
    /// How much louder the caller is made, in decibels.
    pub(super) gain: i8,
    /// What the caller hears while it is alone.
    pub(super) music: Option<Arc<str>>,
    /// What the others hear when it comes.
    pub(super) enter: Option<Arc<str>>,
    /// What they hear when it goes.
    pub(super) leave: Option<Arc<str>>,
}

impl Contact {
    /// Brings the caller into a room; the flow is told if there is no place for it.
    pub(super) fn enter_room(&mut self, core: &mut Core, seat: Seat) {
        if !matches!(self.caller.state, State::Answered { .. }) {
            return self.inbox.push_back(MachineInput::ConferenceEnded(ConferenceResult::Ended));
        }
        let place = (Arc::clone(&self.client), Arc::clone(&seat.room));
        let (leg, muted, gain) = (self.caller.id, seat.muted, seat.gain);
        let name = self.caller.user().unwrap_or(&self.identity.number);
        let new = Newcomer { contact: self.id, leg, name: Arc::clone(name), muted, gain };
        let id = core.new_room();
        let Some(parties) = core.rooms.enter(core.now, &place, new, seat.max, id) else {
            return self.inbox.push_back(MachineInput::ConferenceEnded(ConferenceResult::Full));
        };
        core.log(Some(self.id), Kind::RoomEntered { leg, room: Arc::clone(&seat.room), parties });
        self.announce(core, seat.enter.as_ref(), 1);
        self.phase = Phase::Conference(Box::new(seat));
        self.speak_in_room(core);
        if !self.is_consulting() {
            self.hand_over(core);
        }
    }

    /// Takes the caller out of its room, if it is in one; what it wanted of that.
    pub(super) fn leave_room(&mut self, core: &mut Core, removed: bool) -> Option<Seat> {
        let Phase::Conference(_) = &self.phase else { return None };
        let Phase::Conference(mut seat) = std::mem::replace(&mut self.phase, Phase::Flow) else {
            return None;
        };
        // Who is left alone hears music.
        self.announce(core, seat.leave.as_ref(), 2);
        core.media(Command::Leave { stream: self.caller.stream() });
        let member = core.rooms.leave(self.id);
        if let Some(member) = &member {
            // Whoever comes in its place is heard as it was.
            (seat.muted, seat.gain) = (member.muted, member.gain);
        }
        let met = member.is_some_and(|member| member.met);
        let room = Arc::clone(&seat.room);
        core.log(Some(self.id), Kind::RoomLeft { leg: self.caller.id, room, removed, met });
        Some(*seat)
    }

    /// Plays something to the others in the room, if there are so many.
    fn announce(&self, core: &mut Core, file: Option<&Arc<str>>, at_least: usize) {
        let Some(file) = file else { return };
        let others = core.rooms.others(self.id);
        if others.len() < at_least {
            return;
        }
        for stream in others {
            let (play, files) = (core.new_play(), vec![Arc::clone(file)]);
            core.media(Command::Play { stream, play, files, times: Some(1) });
        }
    }

    /// An operator takes the caller out of its room: its flow goes on.
    pub(crate) fn be_removed(&mut self, core: &mut Core) {
        if self.leave_room(core, true).is_some() {
            self.inbox.push_back(MachineInput::ConferenceEnded(ConferenceResult::Ended));
        }
    }

    /// Nobody hears the caller in its room, or all do again.
    pub(crate) fn mute(&mut self, core: &mut Core, muted: bool, by: RoomBy) {
        let Some(member) = core.rooms.member(self.id) else { return };
        if std::mem::replace(&mut member.muted, muted) != muted {
            core.log(Some(self.id), Kind::RoomMuted { leg: self.caller.id, muted, by });
            self.speak_in_room(core);
        }
    }

    /// By a code of its own: one beep says that it is mute, two that it is heard.
    pub(super) fn toggle_mute(&mut self, core: &mut Core) {
        let Some(member) = core.rooms.member(self.id) else { return };
        let muted = !member.muted;
        self.mute(core, muted, RoomBy::Keys);
        // Who is alone hears music already, which a beep would end.
        if let Some(beep) = self.plan.system_prompt("beep").filter(|_| !core.rooms.is_alone(self.id)) {
            let files = vec![beep; if muted { 1 } else { 2 }];
            let (stream, play) = (self.caller.stream(), core.new_play());
            core.media(Command::Play { stream, play, files, times: Some(1) });
        }
    }

    /// Makes the caller louder or quieter in its room.
    pub(crate) fn amplify(&mut self, core: &mut Core, gain: i8) {
        let Some(member) = core.rooms.member(self.id) else { return };
        if std::mem::replace(&mut member.gain, gain) != gain {
            core.log(Some(self.id), Kind::RoomGain { leg: self.caller.id, gain });
            self.speak_in_room(core);
        }
    }

    /// Tells the engine how the caller speaks in its room.
    pub(super) fn speak_in_room(&mut self, core: &mut Core) {
        let holds = matches!(self.caller.state, State::Answered { held: true, .. });
        let Some(room) = core.rooms.id_of(self.id) else { return };
        let Some(voice) = core.rooms.member(self.id).map(|member| member.voice(holds)) else { return };
        core.media(Command::Join { room, stream: self.caller.stream(), voice });
    }

    /// The leg that is in a room.
    pub(crate) fn in_room(&self) -> Option<LegId> {
        matches!(self.phase, Phase::Conference(_)).then_some(self.caller.id)
    }
}
