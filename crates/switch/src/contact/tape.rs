//! What is recorded of a call: by wish of its flow or of an operator, and by the rules of those who have to do with it.

use super::{Contact, Phase, Taped};
use crate::core::Core;
use crate::leg::State;
use dialplan::{MachineInput, RecordRule};
use events::{Kind, LegId, RecordBy};
use rtp::control::{Command, RecordingId};
use std::sync::Arc;

/// The recordings of a call.
#[derive(Default)]
pub(super) struct Tapes {
    /// Those that the engine has not reported as ended.
    open: Vec<RecordingId>,
    /// The one that runs, and whose wish it is.
    running: Option<(RecordingId, RecordBy)>,
    begun: u32,
    /// What the caller has said to being recorded.
    consent: Option<bool>,
    /// What the rules came to when they were looked at last.
    ruled: Ruled,
    /// The queue that the caller has been served from.
    queue: Option<Arc<str>>,
    /// What the agents say who speak with the caller, or did before it was put on hold, and between which legs: whoever logs in or
    /// out meanwhile changes nothing about a talk.
    agents: Option<((LegId, LegId), Option<RecordRule>)>,
}

/// What the rules want of the recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ruled {
    /// Nothing.
    #[default]
    Leaves,
    /// There is to be none.
    Forbids,
    /// There is to be one.
    Wants,
}

impl Tapes {
    /// The recording that runs.
    pub(super) fn running(&self) -> Option<RecordingId> {
        self.running.map(|(recording, _)| recording)
    }

    /// Whether nothing is written any more.
    pub(super) fn are_complete(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether the rules want the call recorded.
    pub(super) fn are_ruled(&self) -> bool {
        self.ruled == Ruled::Wants
    }

    /// The queue whose rule counts.
    pub(super) fn queue(&self) -> Option<&Arc<str>> {
        self.queue.as_ref()
    }

    /// The caller is served from that queue.
    pub(super) fn served_from(&mut self, queue: &Arc<str>) {
        self.queue = Some(Arc::clone(queue));
    }

    /// The engine will say nothing more of them.
    pub(super) fn abandon(&mut self, core: &mut Core) {
        for recording in self.open.drain(..) {
            core.recordings.remove(&recording);
        }
    }
}

impl Contact {
    /// Records from here, unless a recording runs or a rule forbids it.
    pub(super) fn start_recording(&mut self, core: &mut Core, by: RecordBy) {
        if !matches!(self.caller.state, State::Answered { .. }) {
            return self.refuse_recording(by, "the call is not answered");
        }
        // One file has the call: a second would have what is passed over in the first.
        if let Some((_, wish)) = &mut self.tapes.running {
            *wish = by;
            return self.apply_hush(core, by);
        }
        if self.is_ruled() && self.look_at_rules(core) == Ruled::Forbids {
            // Whoever asks from outside is answered so.
            if by == RecordBy::Flow {
                core.log(Some(self.id), Kind::RecordingWithheld { by });
            }
            return self.refuse_recording(by, "no calls of this kind are recorded");
        }
        self.tapes.begun += 1;
        let format = self.plan.node.recordings.format.name();
        let name = match self.tapes.begun {
            1 => format!("{}.{format}", self.id.0),
            n => format!("{}-{n}.{format}", self.id.0),
        };
        let path = core.config.recordings.join(&*self.client).join(name);
        let recording = core.new_recording();
        self.tapes.open.push(recording);
        self.tapes.running = Some((recording, by));
        core.recordings.insert(recording, self.id);
        let (leg, file) = (self.caller.id, path.display().to_string());
        core.log(Some(self.id), Kind::RecordingStarted { leg, path: file, by: Some(by) });
        core.media(Command::Record { stream: self.caller.stream(), recording, path });
        self.forget_hush();
        self.apply_hush(core, by);
    }

    /// Only a flow's own wish is told to the flow: it may have a branch for that.
    fn refuse_recording(&mut self, by: RecordBy, why: &str) {
        if by == RecordBy::Flow {
            self.inbox.push_back(MachineInput::RecordFailed(why.to_owned()));
        }
    }

    pub(super) fn stop_recording(&mut self, core: &mut Core) {
        if let Some((recording, _)) = self.tapes.running.take() {
            core.media(Command::StopRecording { recording });
        }
    }

    /// The recording goes on with another party as the caller, in a file of its own.
    pub(super) fn record_on(&mut self, core: &mut Core) {
        if let Some((_, by)) = self.tapes.running {
            self.stop_recording(core);
            self.start_recording(core, by);
        }
    }

    pub(crate) fn on_recording_ended(&mut self, core: &mut Core, recording: RecordingId, taped: Taped<'_>) {
        if self.message_ended(core, recording, &taped) {
            return;
        }
        let Taped { path, millis, error, .. } = taped;
        self.tapes.open.retain(|known| *known != recording);
        if self.tapes.running.take_if(|(running, _)| *running == recording).is_some() {
            self.forget_hush();
        }
        let path = path.display().to_string();
        core.log(Some(self.id), Kind::RecordingEnded { path, millis, error: error.clone() });
        if let Some(error) = error {
            self.inbox.push_back(MachineInput::RecordFailed(error));
        }
    }

    /// The caller has said whether it may be recorded: its word goes before all rules and wishes, until it says otherwise.
    pub(super) fn take_consent(&mut self, core: &mut Core, given: bool) {
        self.tapes.consent = Some(given);
        core.log(Some(self.id), Kind::RecordingConsent { leg: self.caller.id, given });
    }

    /// Whether anybody has a say in what is recorded, beside those who wish it.
    fn is_ruled(&self) -> bool {
        self.plan.has_record_rules() || self.tapes.consent.is_some()
    }

    /// Begins or ends the recording where the rules have come to something else. What runs, was ended or has broken meanwhile
    /// stays so until then.
    pub(super) fn follow_record_rules(&mut self, core: &mut Core) {
        if !self.is_ruled() || !matches!(self.caller.state, State::Answered { .. }) {
            return;
        }
        // Who has gone on with its flow alone is served by nobody any more.
        if matches!(self.phase, Phase::Flow) && self.transfer.is_none() {
            (self.tapes.queue, self.tapes.agents) = (None, None);
        }
        let before = self.tapes.ruled;
        let ruled = self.look_at_rules(core);
        if ruled == before {
            return;
        }
        self.tapes.ruled = ruled;
        let running = self.tapes.running.map(|(_, by)| by);
        match ruled {
            Ruled::Wants if running.is_none() => self.begin_recording(core, RecordBy::Rule),
            Ruled::Forbids if running.is_some() => {
                core.log(Some(self.id), Kind::RecordingWithheld { by: RecordBy::Rule });
                self.stop_recording(core);
            }
            Ruled::Leaves if running == Some(RecordBy::Rule) => self.stop_recording(core),
            Ruled::Wants | Ruled::Forbids | Ruled::Leaves => {}
        }
    }

    /// What the rules come to now. Those of queue and agents count from when they serve the caller to when its flow goes on.
    fn look_at_rules(&mut self, core: &Core) -> Ruled {
        if let Phase::Bridged { callee } = self.phase {
            let talk = (self.caller.id, callee);
            if self.tapes.agents.is_none_or(|(known, _)| known != talk) {
                self.tapes.agents = Some((talk, self.rule_of_agents(core, callee)));
            }
        }
        let Some(client) = self.plan.client_named(&self.client) else { return Ruled::Leaves };
        match self.tapes.consent {
            Some(false) => return Ruled::Forbids,
            None if client.recording.asks => return Ruled::Forbids,
            Some(true) | None => {}
        }
        let queue = self.tapes.queue.as_ref().and_then(|queue| self.plan.queue(&client.id, queue));
        let rule = RecordRule::of([
            client.recording.calls,
            client.record_rule(&self.called),
            queue.and_then(|queue| queue.record),
            self.tapes.agents.and_then(|(_, rule)| rule),
        ]);
        match rule {
            Some(RecordRule::Never) => Ruled::Forbids,
            Some(rule) if rule.takes(dialplan::lot(self.id.0, 0, 100)) => Ruled::Wants,
            _ => Ruled::Leaves,
        }
    }

    fn rule_of_agents(&self, core: &Core, callee: LegId) -> Option<RecordRule> {
        let parties = self.callees.iter().filter(|leg| leg.id == callee).chain([&self.caller]);
        let agents = parties.filter_map(|leg| core.queues.agent_at(leg.user()?));
        RecordRule::of(agents.map(|agent| self.plan.agent(agent)?.record))
    }
}
