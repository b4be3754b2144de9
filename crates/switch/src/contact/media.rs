//! Prompts, music and recordings of a contact.

use super::{Contact, Phase};
use crate::core::Core;
use crate::leg::{Leg, State, stream_of};
use dialplan::{MachineInput, Ringback};
use events::{Kind, LegId, Missing};
use rtp::control::{Command, PlayEnd, PlayId, StreamStats};
use std::sync::Arc;

/// A playback that the flow asked for.
pub(super) struct Playing {
    id: PlayId,
    /// The machine's own number for it.
    number: u32,
    files: Vec<Arc<str>>,
    times: Option<u32>,
}

/// What a party hears while nobody speaks to it: ringback, or music on hold.
#[derive(Clone)]
pub(super) struct Music {
    id: PlayId,
    leg: LegId,
    tune: Tune,
}

#[derive(Clone, PartialEq, Eq)]
enum Tune {
    /// A prompt of the system by name.
    System(&'static str),
    File(Arc<str>),
}

/// A word that is not played: its file would tell a part of what is said, which may be a secret of the caller.
const UNPLAYABLE_WORD: &str = "a recorded word cannot be played: `ringdown check` tells which of a client's";

impl Contact {
    pub(super) fn play(&mut self, core: &mut Core, number: u32, files: Vec<Arc<str>>, times: Option<u32>) {
        let hears = match self.caller.state {
            State::Answered { .. } => true,
            State::Early { .. } => self.caller.is_open(),
            State::Over => false,
        };
        if !hears {
            let failed = Some("the call is not answered".to_owned());
            self.inbox.push_back(MachineInput::PlayEnded { play: number, failed });
            return;
        }
        let id = core.new_play();
        self.playing = Some(Playing { id, number, files: files.clone(), times });
        core.media(Command::Play { stream: self.caller.stream(), play: id, files, times });
    }

    pub(super) fn stop_play(&mut self, core: &mut Core, number: u32) {
        if let Some(playing) = self.playing.take_if(|playing| playing.number == number) {
            core.media(Command::StopPlay { stream: self.caller.stream(), play: playing.id });
        }
    }

    pub(crate) fn on_play_ended(&mut self, core: &mut Core, play: PlayId, end: PlayEnd) {
        let failed = match end {
            PlayEnd::Finished | PlayEnd::Stopped => None,
            PlayEnd::Failed(error) => {
                let error = if self.machine.says_value() { UNPLAYABLE_WORD.to_owned() } else { error };
                core.log(Some(self.id), Kind::PlayFailed { error: error.clone() });
                Some(error)
            }
        };
        self.end_announcement(play);
        self.end_whisper(core, play);
        if let Some(playing) = self.playing.take_if(|playing| playing.id == play) {
            self.inbox.push_back(MachineInput::PlayEnded { play: playing.number, failed });
        }
    }

    /// What the flow plays goes on for another caller, from its beginning.
    pub(super) fn play_again(&mut self, core: &mut Core, playing: Playing) {
        self.play(core, playing.number, playing.files, playing.times);
    }

    /// Takes what the flow plays from the caller.
    pub(super) fn take_playing(&mut self, core: &mut Core) -> Option<Playing> {
        let playing = self.playing.take()?;
        core.media(Command::StopPlay { stream: self.caller.stream(), play: playing.id });
        Some(playing)
    }

    /// Lets each party hear the music that it is to hear, and none that it is not.
    pub(super) fn tune(&mut self, core: &mut Core) {
        let wanted = self.wanted_music(core);
        let is_wanted = |music: &Music| wanted.contains(&Some((music.leg, music.tune.clone())));
        let mut silenced = Vec::new();
        self.music.retain(|music| {
            is_wanted(music) || {
                silenced.push(music.clone());
                false
            }
        });
        for music in silenced {
            if self.leg_mut(music.leg).is_some_and(|leg| leg.is_open()) {
                core.media(Command::StopPlay { stream: stream_of(music.leg), play: music.id });
            }
        }
        for (leg, tune) in wanted.into_iter().flatten() {
            if !self.music.iter().any(|music| music.leg == leg) {
                self.start_music(core, leg, tune);
            }
        }
    }

    /// Who is to hear what: whoever waits for an answer, whom the other party holds or whose other party is lost, who is alone in a room, and who
    /// takes a test call.
    fn wanted_music(&self, core: &Core) -> [Option<(LegId, Tune)>; 4] {
        let is_up = |leg: &&Leg| matches!(leg.state, State::Answered { .. });
        let caller = Some(&self.caller).filter(is_up);
        let callee = |id: LegId| self.callees.iter().find(|leg| leg.id == id).filter(is_up);
        let waits = self.waiting().and_then(callee).map(|leg| (leg.id, Tune::System("hold")));
        // A supervisor waits while nobody speaks that it could hear.
        let supervisor = self.supervisor().filter(|_| self.supervises().is_none());
        let supervisor = supervisor.map(|leg| (leg, Tune::System("hold")));
        let [a, b] = match &self.phase {
            Phase::Flow if self.leaves_message() => {
                [caller.map(|leg| (leg.id, Tune::System("silence"))), None]
            }
            Phase::Flow | Phase::CallingBack => [None, None],
            Phase::Briefing(briefing) => {
                let music = self.queue_music(&briefing.order).map_or(Tune::System("hold"), Tune::File);
                [caller.map(|leg| (leg.id, music)), None]
            }
            Phase::Conference(seat) => {
                let tune = seat.music.clone().map_or(Tune::System("hold"), Tune::File);
                [caller.filter(|_| core.rooms.is_alone(self.id)).map(|leg| (leg.id, tune)), None]
            }
            Phase::Test => [caller.map(|leg| (leg.id, Tune::System("hold"))), None],
            Phase::Releasing => {
                let transferor = self.transfer.as_ref().and_then(|transfer| callee(transfer.transferor));
                [
                    caller.map(|leg| (leg.id, Tune::System("hold"))),
                    transferor.map(|leg| (leg.id, Tune::System("ringback"))),
                ]
            }
            Phase::Choosing(choice) => {
                let (chooser, other) = if choice.by == choice.callee {
                    (callee(choice.by), caller)
                } else {
                    (caller, callee(choice.callee))
                };
                let chooser = chooser.filter(|_| choice.is_empty());
                [
                    chooser.map(|leg| (leg.id, Tune::System("dial-tone"))),
                    other.map(|leg| (leg.id, Tune::System("hold"))),
                ]
            }
            Phase::Dialing(dial) => {
                let transferor = self.transfer.as_ref().and_then(|transfer| callee(transfer.transferor));
                let listens = Some(&self.caller)
                    .filter(|leg| leg.is_open() && self.early_far_end().is_none() && !self.is_told());
                let tune = match dial.ringback() {
                    Ringback::Far | Ringback::Tone => Tune::System("ringback"),
                    Ringback::Prompt(file) => Tune::File(Arc::clone(file)),
                };
                [listens.map(|leg| (leg.id, tune)), transferor.map(|leg| (leg.id, Tune::System("ringback")))]
            }
            Phase::Bridged { callee: id } => {
                let (a, b) = (caller, callee(*id));
                let is_away =
                    |leg: &Leg| leg.is_lost || matches!(leg.state, State::Answered { held: true, .. });
                let holds = |leg: Option<&Leg>| leg.is_some_and(is_away);
                let hears = |listener: Option<&Leg>, holder| {
                    listener.filter(|_| holds(holder)).map(|leg| (leg.id, Tune::System("hold")))
                };
                [hears(a, b), hears(b, a)]
            }
        };
        [a, b, waits, supervisor]
    }

    /// Plays for ever to a party; without such a prompt the party hears silence.
    fn start_music(&mut self, core: &mut Core, leg: LegId, tune: Tune) {
        let file = match &tune {
            Tune::System(prompt) => self.plan.system_prompt(prompt),
            Tune::File(file) => Some(Arc::clone(file)),
        };
        let Some(file) = file else { return };
        let id = core.new_play();
        core.media(Command::Play { stream: stream_of(leg), play: id, files: vec![file], times: None });
        self.music.push(Music { id, leg, tune });
    }

    pub(crate) fn on_one_way(&mut self, core: &mut Core, leg: LegId, missing: Missing) {
        let id = self.id;
        if let Some(leg) = self.leg_mut(leg) {
            leg.on_one_way(core, id, missing);
        }
    }

    pub(crate) fn on_stream_closed(&mut self, core: &mut Core, leg: LegId, stats: &StreamStats) {
        let id = self.id;
        if let Some(leg) = self.leg_mut(leg) {
            leg.on_stream_closed(core, id, stats);
        }
    }
}
