//! Two endpoints back to back over a network that a seed makes bad, under a virtual clock.

use bytes::Bytes;
use clock::{Duration, Time};
use sip::{
    Address, Body, Endpoint, EndpointConfig, Event, Flow, InviteId, Message, NewInvite, Output, TimerValues,
    Transport, Wire,
};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

/// The endpoint that calls in most tests, and the one that is called.
pub(crate) const CALLER: usize = 0;
pub(crate) const CALLEE: usize = 1;

/// One way through the network.
pub(crate) const DELAY: Duration = Duration::from_millis(10);

/// Whose packet with which first line arrives after how long; twice or never, if so many delays are returned.
pub(crate) type Fate = Box<dyn FnMut(usize, &str) -> Vec<Duration>>;

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) sides: [Endpoint; 2],
    pub(crate) transport: Transport,
    /// Every event that no test has looked at yet, with the side that it happened on.
    pub(crate) events: Vec<(usize, Event)>,
    /// Every ladder line of both sides.
    pub(crate) wires: Vec<(usize, Time, Wire)>,
    /// Every message that went out, lost or not.
    pub(crate) sent: Vec<(usize, Message)>,
    /// Their bytes.
    pub(crate) raw: Vec<Bytes>,
    /// Decides each packet's fate.
    pub(crate) fate: Fate,
    in_flight: BTreeMap<(Time, u64), (usize, Flow, Bytes)>,
    packets: u64,
}

pub(crate) fn address(side: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1 + u8::try_from(side).unwrap()], 5060))
}

pub(crate) fn config() -> EndpointConfig {
    EndpointConfig {
        user_agent: "test".into(),
        allow: "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK",
        shown: HashMap::new(),
        shown_to: HashMap::new(),
        max_usages: 20_000,
        max_transactions: 100_000,
        timers: TimerValues::default(),
        session_timers: sip::SessionTimers::default(),
        events: sip::Events { allow: "dialog, refer", max: 10, ..sip::Events::default() },
    }
}

pub(crate) fn offer() -> Option<Body> {
    Some(Body::sdp("v=0\r\n"))
}

pub(crate) fn contact(side: usize) -> String {
    format!("<sip:{}>", address(side))
}

/// The first line of a packet.
pub(crate) fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == b'\r').next().unwrap()).into_owned()
}

impl World {
    pub(crate) fn new(transport: Transport) -> Self {
        let sides = [Endpoint::new(config(), [1; 32]), Endpoint::new(config(), [2; 32])];
        Self {
            now: Time::ZERO,
            sides,
            transport,
            events: Vec::new(),
            wires: Vec::new(),
            fate: Box::new(|_, _| vec![DELAY]),
            in_flight: BTreeMap::new(),
            sent: Vec::new(),
            raw: Vec::new(),
            packets: 0,
        }
    }

    pub(crate) fn flow(&self, side: usize) -> Flow {
        let connection = u64::from(self.transport.is_reliable());
        Flow {
            transport: self.transport,
            local: address(side),
            peer: address(1 - side),
            connection,
            domain: 0,
        }
    }

    /// An INVITE from one side to the other.
    pub(crate) fn new_invite(&self, side: usize) -> NewInvite {
        NewInvite {
            flow: self.flow(side),
            is_server: true,
            request_uri: format!("sip:callee@{}", address(1 - side)),
            route: Vec::new(),
            from: Address { display: Some("A \"quoted\" name".into()), uri: "sip:caller@example.net".into() },
            to: Address { display: None, uri: "sip:callee@example.net".into() },
            contact: contact(side),
            headers: vec![("X-Ringdown".into(), "1".into())],
            body: offer(),
            login: None,
            max_forwards: 70,
        }
    }

    /// Lets one side do something and sends what comes of it.
    pub(crate) fn act<R>(
        &mut self,
        side: usize,
        act: impl FnOnce(&mut Endpoint, Time, &mut Vec<Output>) -> R,
    ) -> R {
        let mut out = Vec::new();
        let result = act(&mut self.sides[side], self.now, &mut out);
        self.take(side, out);
        result
    }

    pub(crate) fn invite(&mut self, side: usize) -> InviteId {
        let invite = self.new_invite(side);
        self.act(side, |endpoint, now, out| endpoint.invite(now, invite, out))
    }

    /// Hands a message to a side as if the other had sent it.
    pub(crate) fn inject(&mut self, side: usize, text: impl Into<Bytes>) {
        let flow = self.flow(side);
        let bytes = text.into();
        self.act(side, |endpoint, now, out| endpoint.receive(now, flow, bytes, out));
    }

    fn take(&mut self, side: usize, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Event(event) => self.events.push((side, event)),
                Output::Wire(wire) => self.wires.push((side, self.now, wire)),
                Output::Send { flow, bytes } => {
                    assert_eq!(flow.local, address(side));
                    // A 400 repeats the CSeq that it complains about, and may not be readable itself.
                    if let Ok(message) = Message::parse(bytes.clone()) {
                        self.sent.push((side, message));
                        self.raw.push(bytes.clone());
                    }
                    if flow.peer != address(1 - side) {
                        continue;
                    }
                    let seen = Flow { local: flow.peer, peer: flow.local, ..flow };
                    for delay in (self.fate)(side, &line(&bytes)) {
                        self.packets += 1;
                        self.in_flight
                            .insert((self.now + delay, self.packets), (1 - side, seen, bytes.clone()));
                    }
                }
            }
        }
    }

    /// Goes to the next thing that happens, not beyond `limit`; false if nothing happens until then.
    pub(crate) fn step(&mut self, limit: Time) -> bool {
        let packet = self.in_flight.first_key_value().map(|((at, _), _)| *at);
        let timers = self.sides.iter().map(Endpoint::next_timeout);
        let Some(next) = timers.chain([packet]).flatten().min().filter(|at| *at <= limit) else {
            self.now = limit.max(self.now);
            return false;
        };
        self.now = next.max(self.now);
        if packet == Some(next) {
            let (_, (side, flow, bytes)) = self.in_flight.pop_first().unwrap();
            self.act(side, |endpoint, now, out| endpoint.receive(now, flow, bytes, out));
        } else {
            for side in [CALLER, CALLEE] {
                self.act(side, |endpoint, now, out| endpoint.handle_timeout(now, out));
            }
        }
        true
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let limit = self.now + time;
        while self.step(limit) {}
    }

    /// The next event, which must be of that side; time passes as needed.
    pub(crate) fn event(&mut self, side: usize) -> Event {
        let limit = self.now + Duration::from_secs(600);
        while self.events.is_empty() {
            assert!(self.step(limit), "nothing happens any more");
        }
        let (of, event) = self.events.remove(0);
        assert_eq!(of, side, "{event:?}");
        event
    }

    /// Ends the test: no event is left, and after all timers nothing is alive.
    pub(crate) fn assert_drained(&mut self) {
        self.run(Duration::from_secs(600));
        assert!(self.events.is_empty(), "{:?}", self.events);
        for endpoint in &self.sides {
            assert_eq!(endpoint.alive(), sip::Alive::default());
            assert_eq!(endpoint.next_timeout(), None);
        }
    }

    /// What a side has sent since the last call, as `time line`, retransmissions marked by `*`.
    pub(crate) fn sent_by(&self, side: usize) -> Vec<String> {
        let lines = self.wires.iter().filter(|(of, _, wire)| *of == side && wire.sent);
        lines
            .map(|(_, at, wire)| {
                format!("{:.2} {}{}", at.micros() as f64 / 1e6, wire.line, if wire.again { "*" } else { "" })
            })
            .collect()
    }

    /// The last message that a side has sent.
    pub(crate) fn last_sent(&self, side: usize) -> &Message {
        let of_side = self.sent.iter().rev().find(|(of, _)| *of == side);
        &of_side.expect("something was sent").1
    }

    /// Sets up a call and answers it; the usage's names on both sides.
    pub(crate) fn call(&mut self) -> (InviteId, InviteId) {
        let caller = self.invite(CALLER);
        let Event::Invite { id: callee, .. } = self.event(CALLEE) else { panic!("an INVITE") };
        self.act(CALLEE, |endpoint, now, out| {
            endpoint.accept(now, callee, &contact(CALLEE), offer(), out);
        });
        let Event::Answered { id, .. } = self.event(CALLER) else { panic!("an answer") };
        assert_eq!(id, caller);
        let Event::Acked { id, .. } = self.event(CALLEE) else { panic!("an ACK") };
        assert_eq!(id, callee);
        (caller, callee)
    }

    /// Hangs up on one side, and checks what both hear.
    pub(crate) fn hang_up(&mut self, side: usize, id: InviteId) {
        self.act(side, |endpoint, now, out| endpoint.bye(now, id, None, out));
        assert!(matches!(self.event(1 - side), Event::Bye { .. }));
        let Event::Ended { id: ended, status: Some(200), why: sip::Why::ByeAnswered } = self.event(side)
        else {
            panic!("an end");
        };
        assert_eq!(ended, id);
    }
}

/// The header field of a message that must be there.
pub(crate) fn header(message: &Message, name: sip::Name) -> &str {
    message.header(name).unwrap()
}
