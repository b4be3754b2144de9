//! An agent that has answered is told whose call it gets, before the caller is connected.

use super::{Contact, Phase};
use crate::core::Core;
use crate::leg::stream_of;
use clock::Time;
use dialplan::{Enqueue, MachineInput, Told};
use events::LegId;
use rtp::control::{Command, PlayId};
use std::sync::Arc;

/// What an agent is to be told, and the place that its caller has until then.
pub(super) struct Whisper {
    pub(super) files: Vec<Arc<str>>,
    pub(super) order: Enqueue,
    pub(super) entered: Time,
}

/// An agent that is being told, while the caller hears the music of its queue.
pub(super) struct Briefing {
    pub(super) callee: LegId,
    play: PlayId,
    /// The place that the caller has again if the agent hangs up.
    pub(super) order: Enqueue,
    entered: Time,
}

impl Contact {
    /// What an agent of a queue is told before a caller that has waited since then.
    pub(super) fn whisper(&self, core: &Core, order: &Enqueue, entered: Time) -> Vec<Arc<str>> {
        let queue = self.plan.queue(&self.client, &order.queue);
        let whisper = queue.and_then(|queue| queue.to_agent.whisper.as_ref());
        let told = Told { position: None, wait: Some(core.now - entered) };
        whisper.map(|whisper| whisper.announcement(told)).unwrap_or_default()
    }

    /// Tells an agent, and connects it then.
    pub(super) fn brief(&mut self, core: &mut Core, callee: LegId, whisper: Whisper) {
        let Whisper { files, order, entered } = whisper;
        let play = core.new_play();
        self.phase = Phase::Briefing(Box::new(Briefing { callee, play, order, entered }));
        core.media(Command::Play { stream: stream_of(callee), play, files, times: Some(1) });
    }

    /// What was played to an agent is over, or broken: the caller is connected.
    pub(super) fn end_whisper(&mut self, core: &mut Core, play: PlayId) {
        if matches!(&self.phase, Phase::Briefing(briefing) if briefing.play == play) {
            self.connect_briefed(core);
        }
    }

    /// Connects the agent at once, if it is being told something.
    pub(super) fn cut_briefing(&mut self, core: &mut Core) {
        if let Phase::Briefing(briefing) = &self.phase {
            core.media(Command::StopPlay { stream: stream_of(briefing.callee), play: briefing.play });
            self.connect_briefed(core);
        }
    }

    fn connect_briefed(&mut self, core: &mut Core) {
        let Phase::Briefing(briefing) = &self.phase else { return };
        let callee = briefing.callee;
        self.inbox.push_back(MachineInput::Served);
        self.connect(core, callee);
    }

    /// The agent that was being told something is gone: the caller waits on at its place.
    pub(super) fn briefed_agent_gone(&mut self, core: &mut Core, leg: LegId) {
        if !matches!(&self.phase, Phase::Briefing(briefing) if briefing.callee == leg) {
            return;
        }
        if let Phase::Briefing(briefing) = std::mem::replace(&mut self.phase, Phase::Flow) {
            self.enqueue_at(core, briefing.order, briefing.entered);
        }
    }
}
