//! Stepping one call through a flow.

mod effect;
mod frames;
mod http;
mod kv;
mod turn;
mod voicemail;

pub use effect::{
    AgentAction, CallInfo, CallbackResult, ConferenceResult, DialMode, DialResult, Effect, Enqueue,
    MachineInput, QueueResult, Ringback, StepIndex, Target,
};
pub use http::{BodyKind, HttpBody, HttpMethod, HttpRequest, HttpResult, Site, Word};
pub use kv::{KvOrder, KvResult};
pub(crate) use turn::{Call, Event, Next, Turn, Wait};
pub use voicemail::{LeftMessage, MailboxOrder, MailboxResult, MessageResult, NewMessage};

use crate::program::Pc;
use crate::verb::Typed;
use crate::{Client, ClientIndex, Config, FlowIndex};
use clock::Time;
use shaken::{Attestation, Verstat};
use std::sync::Arc;

/// One call's way through its flow.
///
/// The caller is never left in silence: between two calls of [`handle`](Self::handle) the machine has a
/// play, a dial or a deadline under way, or is over.
#[derive(Debug)]
pub struct Machine {
    config: Arc<Config>,
    client: ClientIndex,
    state: State,
    call: Call,
}

#[derive(Debug)]
enum State {
    /// Before [`MachineInput::Start`].
    New {
        entry: Pc,
    },
    Waiting {
        at: Pc,
        wait: Wait,
    },
    Over,
}

/// More keys than that typed ahead are dropped.
const MOST_TYPED_AHEAD: usize = 64;

impl Machine {
    /// A call at the first step of a flow. Nothing happens before [`MachineInput::Start`].
    pub fn new(config: Arc<Config>, client: ClientIndex, flow: FlowIndex, call: CallInfo) -> Self {
        let program = &config.client(client).program;
        let (entry, call) = (program.flows[flow.0].entry, Call::new(program, call));
        Self { config, client, state: State::New { entry }, call }
    }

    /// Moves the call elsewhere, and leaves a machine behind that is over.
    pub fn take(&mut self) -> Self {
        let call = Call::new(&self.config.client(self.client).program, self.call.info().clone());
        Self {
            config: Arc::clone(&self.config),
            client: self.client,
            state: std::mem::replace(&mut self.state, State::Over),
            call: std::mem::replace(&mut self.call, call),
        }
    }

    /// Has the call in a language of its client before the first step; one that the client has not changes nothing.
    pub fn speak(&mut self, language: &str) {
        let languages = &self.config.client(self.client).program.languages;
        self.call.language =
            languages.iter().position(|known| **known == *language).unwrap_or(self.call.language);
    }

    /// Learns before the first step whether somebody answers for the caller.
    pub fn learn(&mut self, verstat: Verstat, attestation: Option<Attestation>) {
        self.call.learn(verstat, attestation);
    }

    /// Takes what happened, and appends what is to be done, in order.
    pub fn handle(&mut self, now: Time, input: MachineInput, out: &mut Vec<Effect>) {
        match input {
            MachineInput::Start => self.start(now, out),
            MachineInput::Answered => {
                self.call.answered = true;
                if matches!(self.state, State::Waiting { wait: Wait::Answer { .. }, .. }) {
                    self.resume(now, Event::Answered, out);
                }
            }
            MachineInput::Digit(digit) => self.digit(now, digit, out),
            MachineInput::PlayEnded { play, failed } => {
                if self.playing() == Some(play) {
                    self.resume(now, Event::PlayEnded { failed: failed.is_some() }, out);
                }
            }
            MachineInput::DialEnded(result) => {
                if matches!(self.state, State::Waiting { wait: Wait::Dial, .. }) {
                    self.resume(now, Event::DialEnded(result), out);
                }
            }
            MachineInput::ConferenceEnded(result) => {
                if matches!(self.state, State::Waiting { wait: Wait::Conference(_), .. }) {
                    self.resume(now, Event::ConferenceEnded(result), out);
                }
            }
            MachineInput::QueueEnded(result) => {
                if matches!(self.state, State::Waiting { wait: Wait::Queue(_), .. }) {
                    self.resume(now, Event::QueueEnded(result), out);
                }
            }
            MachineInput::Served => {
                if let State::Waiting { wait: wait @ Wait::Queue(_), .. } = &mut self.state {
                    *wait = Wait::Dial;
                }
            }
            MachineInput::WaitsAgain => {
                if let State::Waiting { wait: wait @ Wait::Dial, .. } = &mut self.state {
                    *wait = Wait::Queue(Typed::default());
                }
            }
            MachineInput::CallbackDone(result) => {
                if matches!(self.state, State::Waiting { wait: Wait::Callback, .. }) {
                    self.resume(now, Event::CallbackDone(result), out);
                }
            }
            MachineInput::AgentDone(done) => {
                if matches!(self.state, State::Waiting { wait: Wait::Agent, .. }) {
                    self.resume(now, Event::AgentDone(done), out);
                }
            }
            MachineInput::HttpEnded { number, result } => {
                if self.asked() == Some(number) {
                    self.resume(now, Event::HttpEnded(result), out);
                }
            }
            MachineInput::KvDone(result) => {
                if matches!(self.state, State::Waiting { wait: Wait::Kv, .. }) {
                    self.resume(now, Event::KvDone(result), out);
                }
            }
            MachineInput::MailboxDone(result) => {
                if matches!(self.state, State::Waiting { wait: Wait::Voicemail(_) | Wait::Mailbox(_), .. }) {
                    self.resume(now, Event::MailboxDone(result), out);
                }
            }
            MachineInput::MessageEnded(result) => {
                if matches!(self.state, State::Waiting { wait: Wait::Voicemail(_), .. }) {
                    self.resume(now, Event::MessageEnded(result), out);
                }
            }
            MachineInput::RecordFailed(_) => self.record_failed(now, out),
            MachineInput::HungUp => {
                self.abandon(out);
                self.state = State::Over;
                let config = Arc::clone(&self.config);
                if let Some(handler) = self.call.bury(&config.client(self.client).program) {
                    self.run(now, Next::Go(handler), out);
                }
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn next_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Waiting { wait, .. } => wait.until(),
            State::New { .. } | State::Over => None,
        }
    }

    /// Takes the passing of time.
    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Effect>) {
        if self.next_timeout().is_some_and(|until| until <= now) {
            self.resume(now, Event::Timeout, out);
        }
    }

    /// Whether the flow has ended: it asked for a hang-up or a rejection, or the caller has gone. It has
    /// nothing more to say then, whatever is handed to it, but for `on_hangup` once the caller has gone.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether a question is asked whose keys nobody may know.
    pub fn is_secret(&self) -> bool {
        let State::Waiting { at, wait: Wait::Ask(_) } = &self.state else { return false };
        self.config.client(self.client).program.instruction(*at).verb.is_secret()
    }

    /// The step that waits.
    pub(crate) fn place(&self) -> Option<Pc> {
        match &self.state {
            State::Waiting { at, .. } => Some(*at),
            State::New { .. } | State::Over => None,
        }
    }

    /// Whether the flow waits for keys.
    pub(crate) fn wants_keys(&self) -> bool {
        match &self.state {
            State::Waiting { wait: Wait::Voicemail(leaving), .. } => leaving.is_speaking(),
            State::Waiting { wait: Wait::Mailbox(listening), .. } => listening.takes_keys(),
            State::Waiting { wait, .. } => wait.takes_keys(),
            State::New { .. } | State::Over => false,
        }
    }

    /// What a variable holds that all flows without inputs share.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let program = &self.config.client(self.client).program;
        self.call.frames.shared().get(program, name).map(ToString::to_string)
    }

    /// Whether what is heard tells a value, which may be one that nobody may know: the files of its words tell it too.
    pub fn says_value(&self) -> bool {
        let State::Waiting { at, .. } = &self.state else { return false };
        self.config.client(self.client).program.instruction(*at).verb.says_value()
    }

    fn start(&mut self, now: Time, out: &mut Vec<Effect>) {
        if let State::New { entry } = self.state {
            self.run(now, Next::Go(entry), out);
        }
    }

    fn digit(&mut self, now: Time, digit: char, out: &mut Vec<Effect>) {
        if !self.is_secret() && self.call.is_surplus(now) {
            return out.push(Effect::Digit { digit: '•' });
        }
        match &self.state {
            State::Waiting { wait, .. } if wait.takes_keys() => self.resume(now, Event::Digit(digit), out),
            // Between two parties keys are their own affair.
            State::Waiting { wait: Wait::Dial, .. } | State::Over => {}
            State::Waiting { .. } | State::New { .. } => {
                if self.call.typed_ahead.len() < MOST_TYPED_AHEAD {
                    self.call.typed_ahead.push_back(digit);
                }
            }
        }
    }

    fn record_failed(&mut self, now: Time, out: &mut Vec<Effect>) {
        if self.is_over() {
            return;
        }
        let handler = self.call.recording_failed.take();
        let place = handler.map(|(record, _)| StepIndex(record.0));
        out.push(Effect::Branch { verb: "record".into(), branch: "failed".into(), place });
        if let Some((_, branch)) = handler {
            self.abandon(out);
            self.call.frames.unwind();
            self.run(now, Next::Go(branch), out);
        }
    }

    /// Stops what is under way.
    fn abandon(&self, out: &mut Vec<Effect>) {
        if let Some(play) = self.playing() {
            out.push(Effect::StopPlay { play });
        }
        if matches!(self.state, State::Waiting { wait: Wait::Dial, .. }) {
            out.push(Effect::CancelDial);
        }
        out.extend(self.asked().map(|number| Effect::CancelHttp { number }));
        if matches!(self.state, State::Waiting { wait: Wait::Conference(_), .. }) {
            out.push(Effect::LeaveConference);
        }
        if matches!(self.state, State::Waiting { wait: Wait::Queue(_), .. }) {
            out.push(Effect::LeaveQueue);
        }
        if matches!(&self.state, State::Waiting { wait: Wait::Voicemail(leaving), .. } if leaving.is_speaking())
        {
            out.push(Effect::EndMessage);
        }
    }

    /// The request that is waited for.
    fn asked(&self) -> Option<u32> {
        match &self.state {
            State::Waiting { wait: Wait::Http(asked), .. } => Some(asked.number()),
            _ => None,
        }
    }

    fn playing(&self) -> Option<u32> {
        match &self.state {
            State::Waiting { wait, .. } => wait.playing(),
            State::New { .. } | State::Over => None,
        }
    }

    fn resume(&mut self, now: Time, event: Event, out: &mut Vec<Effect>) {
        let State::Waiting { at, wait } = std::mem::replace(&mut self.state, State::Over) else { return };
        let config = Arc::clone(&self.config);
        let client = config.client(self.client);
        let mut turn = Turn { now, at, program: &client.program, call: &mut self.call, out };
        let next = client.program.instruction(at).verb.resume(wait, event, &mut turn);
        self.run_from(now, at, next, client, out);
    }

    fn run(&mut self, now: Time, next: Next, out: &mut Vec<Effect>) {
        let config = Arc::clone(&self.config);
        self.run_from(now, Pc::END, next, config.client(self.client), out);
    }

    /// Takes steps until one of them waits or ends the call.
    fn run_from(&mut self, now: Time, at: Pc, mut next: Next, client: &Client, out: &mut Vec<Effect>) {
        let program = &client.program;
        let mut at = at;
        loop {
            match next {
                Next::Wait(wait) => {
                    self.state = State::Waiting { at, wait };
                    return;
                }
                Next::Over => {
                    self.state = State::Over;
                    return;
                }
                Next::Go(pc) | Next::Again(pc) => at = pc,
            }
            self.call.last = Some(at);
            let instruction = program.instruction(at);
            if matches!(next, Next::Go(_)) {
                self.call.frames.top_mut().attempts.remove(&at);
                out.extend(instruction.announce(at, program));
            }
            let mut turn = Turn { now, at, program, call: &mut self.call, out };
            next = if turn.call.may_step(now) {
                instruction.verb.begin(&mut turn)
            } else {
                turn.branch("flow", "step_limit");
                turn.give_up()
            };
        }
    }
}
