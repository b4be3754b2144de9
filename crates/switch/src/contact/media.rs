//! Prompts, music and recordings of a contact.

use super::Contact;
use crate::core::Core;
use crate::leg::{State, stream_of};
use dialplan::MachineInput;
use events::{Kind, LegId};
use rtp::control::{Command, PlayEnd, PlayId, RecordingId, StreamStats};
use std::path::Path;
use std::sync::Arc;

/// A playback that the flow asked for.
#[derive(Clone, Copy)]
pub(super) struct Playing {
    id: PlayId,
    /// The machine's own number for it.
    number: u32,
}

/// What a party hears while nobody speaks to it: ringback, or music on hold.
#[derive(Clone, Copy)]
pub(super) struct Music {
    id: PlayId,
    leg: LegId,
}

impl Contact {
    pub(super) fn play(&mut self, core: &mut Core, number: u32, files: Vec<Arc<str>>, times: Option<u32>) {
        if !matches!(self.caller.state, State::Answered { .. }) {
            let failed = Some("the call is not answered".to_owned());
            self.inbox.push_back(MachineInput::PlayEnded { play: number, failed });
            return;
        }
        let id = core.new_play();
        self.playing = Some(Playing { id, number });
        core.media(Command::Play { stream: self.caller.stream(), play: id, files, times });
    }

    pub(super) fn stop_play(&mut self, core: &mut Core, number: u32) {
        if let Some(playing) = self.playing
            && playing.number == number
        {
            self.playing = None;
            core.media(Command::StopPlay { stream: self.caller.stream(), play: playing.id });
        }
    }

    pub(crate) fn on_play_ended(&mut self, core: &mut Core, play: PlayId, end: PlayEnd) {
        let failed = match end {
            PlayEnd::Finished | PlayEnd::Stopped => None,
            PlayEnd::Failed(error) => {
                core.log(Some(self.id), Kind::PlayFailed { error: error.clone() });
                Some(error)
            }
        };
        if let Some(playing) = self.playing.take_if(|playing| playing.id == play) {
            self.inbox.push_back(MachineInput::PlayEnded { play: playing.number, failed });
        }
    }

    /// Plays a system prompt for ever to a party; without such a prompt the party hears silence.
    pub(super) fn start_music(&mut self, core: &mut Core, leg: LegId, prompt: &str) {
        self.stop_music(core, leg);
        let Some(file) = self.plan.system_prompt(prompt) else { return };
        let id = core.new_play();
        core.media(Command::Play { stream: stream_of(leg), play: id, files: vec![file], times: None });
        self.music.push(Music { id, leg });
    }

    pub(super) fn stop_music(&mut self, core: &mut Core, leg: LegId) {
        for music in self.music.extract_if(.., |music| music.leg == leg) {
            core.media(Command::StopPlay { stream: stream_of(leg), play: music.id });
        }
    }

    /// Whether a party hears music.
    pub(super) fn has_music(&self, leg: LegId) -> bool {
        self.music.iter().any(|music| music.leg == leg)
    }

    pub(super) fn start_recording(&mut self, core: &mut Core) {
        if !matches!(self.caller.state, State::Answered { .. }) {
            self.inbox.push_back(MachineInput::RecordFailed("the call is not answered".to_owned()));
            return;
        }
        self.recordings_begun += 1;
        let name = match self.recordings_begun {
            1 => format!("{}.wav", self.id.0),
            n => format!("{}-{n}.wav", self.id.0),
        };
        let path = core.config.recordings.join(&*self.client).join(name);
        let recording = core.new_recording();
        self.recordings.push(recording);
        core.recordings.insert(recording, self.id);
        core.log(
            Some(self.id),
            Kind::RecordingStarted { leg: self.caller.id, path: path.display().to_string() },
        );
        core.media(Command::Record { stream: self.caller.stream(), recording, path });
    }

    pub(super) fn stop_recording(&mut self, core: &mut Core) {
        if let Some(&recording) = self.recordings.last() {
            core.media(Command::StopRecording { recording });
        }
    }

    pub(crate) fn on_recording_ended(
        &mut self,
        core: &mut Core,
        recording: RecordingId,
        path: &Path,
        millis: u64,
        error: Option<String>,
    ) {
        self.recordings.retain(|known| *known != recording);
        let path = path.display().to_string();
        core.log(Some(self.id), Kind::RecordingEnded { path, millis, error: error.clone() });
        if let Some(error) = error {
            self.inbox.push_back(MachineInput::RecordFailed(error));
        }
    }

    pub(crate) fn on_stream_closed(&mut self, core: &mut Core, leg: LegId, stats: &StreamStats) {
        let id = self.id;
        if let Some(leg) = self.leg_mut(leg) {
            leg.on_stream_closed(core, id, stats);
        }
    }
}
