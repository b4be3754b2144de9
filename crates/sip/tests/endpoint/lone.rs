//! One endpoint alone, whose peer is the test.

use crate::world::{CALLEE, CALLER, World, address, config};
use bytes::Bytes;
use clock::Time;
use sip::{Endpoint, Event, Flow, InviteId, Message, NewInvite, Output, Transport};

/// One endpoint whose peer is the test.
pub(crate) struct Lone {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Time,
    pub(crate) flow: Flow,
    pub(crate) sent: Vec<(Flow, Message)>,
    pub(crate) events: Vec<Event>,
}

impl Lone {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: sip::EndpointConfig) -> Self {
        Self {
            endpoint: Endpoint::new(config, [3; 32]),
            now: Time::ZERO,
            flow: Flow::udp(address(CALLER), address(CALLEE)),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn act<R>(&mut self, act: impl FnOnce(&mut Endpoint, Time, &mut Vec<Output>) -> R) -> R {
        let mut out = Vec::new();
        let result = act(&mut self.endpoint, self.now, &mut out);
        for output in out {
            match output {
                Output::Send { flow, bytes } => self.sent.push((flow, Message::parse(bytes).unwrap())),
                Output::Event(event) => self.events.push(event),
                Output::Wire(_) => {}
            }
        }
        result
    }

    pub(crate) fn receive(&mut self, text: impl Into<Bytes>) {
        let (flow, bytes) = (self.flow, text.into());
        self.act(|endpoint, now, out| endpoint.receive(now, flow, bytes, out));
    }

    pub(crate) fn invite(&mut self, change: impl FnOnce(&mut NewInvite)) -> InviteId {
        let mut invite = World::new(Transport::Udp).new_invite(CALLER);
        change(&mut invite);
        self.act(|endpoint, now, out| endpoint.invite(now, invite, out))
    }

    /// What was sent since the last call, first lines only.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        self.sent.drain(..).map(|(_, message)| message.start_line().to_owned()).collect()
    }

    pub(crate) fn drain(&mut self) {
        while let Some(at) = self.endpoint.next_timeout() {
            self.now = at;
            self.act(|endpoint, now, out| endpoint.handle_timeout(now, out));
        }
        assert_eq!(self.endpoint.alive(), sip::Alive::default());
    }
}
