//! The flow's effects: what the dialplan machine asks for, done.

use super::Contact;
use super::conference::Seat;
use super::dial::{Order, Purpose};
use crate::core::{Core, Timer};
use crate::leg::{Leg, State};
use dialplan::{Effect, MachineInput};
use events::{EndedBy, Kind, LegId, RecordBy};

impl Contact {
    /// Steps the machine until it waits for something from outside.
    pub(super) fn run_flow(&mut self, core: &mut Core) {
        if self.inbox.is_empty() {
            return;
        }
        let mut effects = Vec::new();
        while let Some(input) = self.inbox.pop_front() {
            self.machine.handle(core.now, input, &mut effects);
            self.apply(core, &mut effects);
        }
        self.set_flow_timer(core);
    }

    pub(crate) fn on_flow_timeout(&mut self, core: &mut Core) {
        let mut effects = Vec::new();
        self.machine.handle_timeout(core.now, &mut effects);
        self.apply(core, &mut effects);
        self.set_flow_timer(core);
    }

    fn set_flow_timer(&mut self, core: &mut Core) {
        match self.machine.next_timeout() {
            Some(at) => core.timers.set(Timer::Flow(self.id), at),
            None => {
                core.timers.cancel(Timer::Flow(self.id));
            }
        }
    }

    fn apply(&mut self, core: &mut Core, effects: &mut Vec<Effect>) {
        for effect in effects.drain(..) {
            self.apply_one(core, effect);
        }
    }

    fn apply_one(&mut self, core: &mut Core, effect: Effect) {
        match effect {
            Effect::Answer => {
                self.answer_caller(core);
            }
            Effect::Ring => self.progress_caller(core, 180, None),
            Effect::EarlyMedia => self.open_to_prompts(core),
            Effect::Reject { status, reason } => self.reject_caller(core, status, &reason),
            // A flow that hangs up before anybody has the call has failed its transfer.
            Effect::Hangup if self.transfer.is_some() => {
                let status = self.failed_status.unwrap_or(480);
                self.hand_back(core, status);
            }
            Effect::Hangup => self.hang_up_caller(core, EndedBy::Flow, "the flow hung up"),
            Effect::Play { play, files, times } => self.play(core, play, files, times),
            Effect::StopPlay { play } => self.stop_play(core, play),
            Effect::Dial { targets, mode, timeout, ringback, caller_id } => {
                let (ring_time, purpose) = (timeout, Purpose::Step);
                let order = Order { targets, mode, ring_time, ringback, caller_id, purpose };
                self.start_dial(core, order);
            }
            Effect::CancelDial => self.cancel_dial(core),
            Effect::Conference { room, max, muted, music, enter, leave } => {
                self.enter_room(core, Seat { room, max, muted, gain: 0, music, enter, leave });
            }
            Effect::ToggleMute => self.toggle_mute(core),
            Effect::LeaveConference => {
                self.leave_room(core, false);
            }
            Effect::Enqueue(order) => self.enqueue(core, *order),
            Effect::LeaveQueue => self.cancel_dial(core),
            Effect::CallBack { queue, number, language } => {
                self.keep_callback(core, queue, &number, language);
            }
            Effect::Agent { action, agent, pin } => {
                let (plan, user) = (std::sync::Arc::clone(&self.plan), self.caller.user().cloned());
                let done = core.agent_calls(&plan, user.as_ref(), (agent.as_deref(), pin.as_deref()), action);
                self.inbox.push_back(MachineInput::AgentDone(done));
            }
            Effect::Http { number, request, waits } => {
                let (whose, number) = ((self.id, &self.client), waits.then_some(number));
                core.ask(whose, number, request);
            }
            Effect::Kv(order) => {
                let result = core.keep((self.id, &self.client), &order);
                self.inbox.push_back(MachineInput::KvDone(result));
            }
            Effect::Mailbox(order) => self.ask_mailbox(core, order),
            Effect::TakeMessage(order) => self.take_message(core, order),
            Effect::EndMessage => self.end_message(core),
            Effect::CancelHttp { number } => core.cancel_request(self.id, number),
            Effect::Record => self.begin_recording(core, RecordBy::Flow),
            Effect::RecordConsent { given } => self.take_consent(core, given),
            Effect::HushRecording { how } => self.hush(core, how, RecordBy::Flow),
            Effect::StopRecording => self.stop_recording(core),
            Effect::Step { flow, step, file, line, .. } => {
                core.log(Some(self.id), Kind::FlowStep { flow, step, file, line });
            }
            Effect::Branch { verb, branch, .. } => core.log(Some(self.id), Kind::FlowBranch { verb, branch }),
            Effect::Digit { digit } => core.log(Some(self.id), Kind::Digit { leg: self.caller.id, digit }),
        }
    }

    /// Sends the 200 with our SDP, unless the caller is answered already or gone.
    pub(super) fn answer_caller(&mut self, core: &mut Core) {
        let State::Early { .. } = self.caller.state else { return };
        let Some(invite) = self.caller.invite else { return };
        let body = self.caller.answer(core, self.id);
        let contact = core.contact_uri(&self.caller.flow);
        core.endpoint.accept(core.now, invite, &contact, body, &mut core.sip);
        self.caller.state = State::ANSWERED;
        let codec = self.caller.codec().map(|codec| codec.name().into());
        core.log_leg(self.id, &self.caller.party, Kind::LegAnswered { leg: self.caller.id, codec });
        self.inbox.push_back(MachineInput::Answered);
    }

    fn reject_caller(&mut self, core: &mut Core, status: u16, reason: &str) {
        if let (State::Early { .. }, Some(invite)) = (self.caller.state, self.caller.invite) {
            core.endpoint.reject(core.now, invite, status, &[], &mut core.sip);
            self.caller_gone(core, EndedBy::Flow, Some(status), reason);
        } else {
            self.hang_up_caller(core, EndedBy::Flow, reason);
        }
    }

    /// Before the caller is answered: with the codec of whom it is to hear, if it has that too.
    pub(super) fn prefer_codec_of(&mut self, far: LegId) {
        if let Some(codec) = self.callees.iter().find(|leg| leg.id == far).and_then(Leg::codec) {
            self.caller.prefer(codec);
        }
    }
}
