mod effect;

pub use effect::{CallInfo, DialMode, DialResult, Effect, MachineInput, Target};

use crate::{ClientIndex, Config, FlowIndex};
use clock::Time;
use std::sync::Arc;

/// One call's way through its flow.
#[derive(Debug)]
pub struct Machine {
    config: Arc<Config>,
    client: ClientIndex,
    flow: FlowIndex,
    call: CallInfo,
    over: bool,
}

impl Machine {
    /// A call at the first step of a flow. Nothing happens before [`MachineInput::Start`].
    pub fn new(config: Arc<Config>, client: ClientIndex, flow: FlowIndex, call: CallInfo) -> Self {
        Self { config, client, flow, call, over: false }
    }

    /// Takes what happened, and appends what is to be done, in order.
    pub fn handle(&mut self, now: Time, input: MachineInput, out: &mut Vec<Effect>) {
        let _ = (now, input, &self.call, self.config.client(self.client).flow(self.flow));
        self.over = true;
        out.push(Effect::Hangup);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn next_timeout(&self) -> Option<Time> {
        None
    }

    /// Takes the passing of time.
    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Effect>) {
        let _ = (now, out);
    }

    /// Whether the flow has ended: it asked for a hang-up or a rejection, or the caller has gone. It has
    /// nothing more to say then, whatever is handed to it.
    pub fn is_over(&self) -> bool {
        self.over
    }
}
