//! The switch amid its network, phones and engine, in virtual time; after every step the checkers look.

mod agents;
mod cast;
mod dns;
mod flood;
mod verify;
mod web;

use crate::Tally;
use crate::UNIX_SECONDS_AT_ZERO;
use crate::check::{Consequence, Descriptions, History, Turns, Watches};
use crate::dice::Dice;
use crate::media::{Due, FakeMedia};
use crate::network::Network;
use crate::phone::{Out, Phone};
use crate::plan;
use crate::streams::{ByTcp, CONNECT_TIMEOUT, Connection, Streams};
use crate::vouch;
use crate::wire::{self, Read};
use bytes::Bytes;
use cast::SWITCH;
use clock::{Duration, Time};
use events::{ContactId, Event, Kind, SuperviseMode};
use flood::Attack;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use rtp::{Fingerprint, Hash};
use sip::Flow;
use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use switch::{
    HttpAnswer, Input, MessageOrder, Output, RecordOrder, RoomOrder, SuperviseOrder, Switch, SwitchConfig,
    TransferOrder,
};

/// By now every phone has hung up, those of customers that were called back late too: what still lives has lost its caller, and the operator ends it.
const CLEARANCE: Time = Time::from_secs(320);
/// By now nothing may be left.
const END: Time = Time::from_secs(480);
/// More steps than any seed needs: a loop that stands still in time ends here.
const MAX_STEPS: u32 = 100_000;

/// The whole plan and the reduced one, each with and without music of the switch's own.
static PLANS: LazyLock<[Arc<dialplan::Config>; 4]> = LazyLock::new(|| {
    [(true, false), (false, false), (true, true), (false, true)]
        .map(|(music, reduced)| plan::load(music, reduced))
});

/// Everything that one seed decides.
pub struct World {
    now: Time,
    rng: ChaCha12Rng,
    network: Network,
    streams: Streams,
    trunks_by_tcp: ByTcp,
    switch: Switch,
    media: FakeMedia,
    phones: Vec<Phone>,
    in_flight: BTreeMap<(Time, u64), Delivery>,
    sent: u64,
    /// Whether every plan that calls may have has music for waiting and held parties.
    has_music: bool,
    web: web::Web,
    /// Requests that flows have made, by their numbers.
    asked: HashSet<u64>,
    /// Whether a datagram to nobody comes back as an ICMP error.
    icmp: bool,
    resolver: dns::Resolver,
    history: History,
    turns: Turns,
    descriptions: Descriptions,
    watches: Watches,
    /// Messages with SDP that the switch has sent: repeated ones may outlive their stream.
    offered: HashSet<Bytes>,
    journal: Vec<Event>,
    trace: bool,
}

/// Something on its way.
#[derive(Clone, Debug)]
enum Delivery {
    ToSwitch {
        flow: Flow,
        bytes: Bytes,
    },
    ToPhone {
        to: usize,
        connection: u64,
        bytes: Bytes,
    },
    /// Some TCP connection ends.
    Cut,
    Unreachable(Flow),
    Media(rtp::control::Event),
    Dns(sip::Question, sip::Answer),
    Certificate(Arc<str>, Result<Bytes, String>),
    Http(u64, HttpAnswer),
    /// The files that the plan names.
    Credentials,
    Operator(Operator),
    Attack(Attack),
}

/// What an operator does at odd times.
#[derive(Clone, Copy, Debug)]
enum Operator {
    Reload,
    Drain,
    Shutdown,
    /// The shell falls behind, or has caught up.
    Overload(bool),
    /// Ends the oldest contact.
    Hangup,
    /// Transfers the call of a user, or goes on with its transfer.
    Transfer(&'static str),
    /// Does something with whoever is in a room.
    Room,
    /// Does something with an agent.
    Agent,
    /// Does something with a caller that waits.
    Caller,
    /// Has somebody supervise a call, or lets it speak to others, or go.
    Supervise,
    /// Does something with the recording of a call.
    Record,
    /// Has the switch call a number by a trunk.
    TestCall,
    /// Does something with a message.
    Message,
    /// Ends whatever is left, which must have a dead caller.
    Clear,
}

/// What a seed came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The event log.
    pub journal: Vec<Event>,
    /// How often things happened.
    pub tally: Tally,
}

impl World {
    /// The world of a seed; with `trace` it prints every message and event.
    pub fn new(seed: u64, trace: bool) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let network = Network::draw(&mut rng);
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let config = SwitchConfig {
            plan_version: 1,
            seed: secret,
            unix_micros_at_zero: UNIX_SECONDS_AT_ZERO * 1_000_000,
            first_seq: 1,
            first_contact: 1,
            recordings: PathBuf::from("recordings"),
            version: "sim",
            fingerprint: Some(Fingerprint { hash: Hash::Sha256, digest: vec![0xAB; 32].into() }),
        };
        let has_music = rng.chance(500);
        let plan = Arc::clone(&PLANS[usize::from(!has_music)]);
        let mut due = Due::new();
        let media = FakeMedia::draw(cast::fork(&mut rng), &mut due);
        let mut world = Self {
            now: Time::ZERO,
            network,
            streams: Streams::default(),
            switch: Switch::new(config, plan),
            media,
            phones: cast::phones(&mut rng),
            in_flight: BTreeMap::new(),
            sent: 0,
            has_music,
            icmp: rng.chance(300),
            trunks_by_tcp: rng.pick(&[ByTcp::Taken, ByTcp::Refused, ByTcp::Swallowed]),
            resolver: dns::Resolver::draw(&mut rng),
            web: web::Web::draw(&mut rng),
            asked: HashSet::new(),
            history: History::new(),
            turns: Turns::default(),
            descriptions: Descriptions::default(),
            watches: Watches::default(),
            offered: HashSet::new(),
            journal: Vec::new(),
            trace,
            rng,
        };
        world.send(Duration::ZERO, Delivery::Credentials);
        world.deliver_media(due);
        world.draw_operator();
        world.draw_attacks();
        world
    }

    /// Lets everything happen.
    ///
    /// # Errors
    /// The first thing that must not be, with its time.
    pub fn run(mut self) -> Result<Outcome, String> {
        for _ in 0..MAX_STEPS {
            match self.step() {
                Ok(true) => {}
                Ok(false) => {
                    self.check_drained().map_err(|error| format!("at the end: {error}"))?;
                    self.history.check_figures()?;
                    let mut tally = self.history.tally();
                    self.watches.count(&mut tally);
                    return Ok(Outcome { journal: self.journal, tally });
                }
                Err(error) => return Err(format!("{}: {error}", self.now)),
            }
        }
        Err(format!("{}: {MAX_STEPS} steps and no end", self.now))
    }

    /// Others learn of the dialogs that lamps show, and would take their place, too: users of another client, and trunks.
    fn overhear(&mut self, read: &wire::Read) {
        if read.method.as_deref() != Some("NOTIFY") || !self.rng.chance(100) {
            return;
        }
        let curious = self.rng.pick(&["dave", "carrier"]);
        let Some(to) = self.phones.iter().position(|phone| phone.name == curious) else { return };
        let mut out = Vec::new();
        self.phones[to].pick_up(self.now, read, &mut out);
        self.take_from_phone(to, out);
    }

    /// Goes to the next thing that happens; false if nothing happens any more.
    fn step(&mut self) -> Result<bool, String> {
        let packet = self.in_flight.first_key_value().map(|((at, _), _)| *at);
        let phone = self.phones.iter().filter_map(Phone::next_timeout).min();
        let switch = self.switch.next_timeout();
        let Some(next) = [packet, phone, switch].into_iter().flatten().min() else { return Ok(false) };
        if next > END {
            return Ok(false);
        }
        self.now = self.now.max(next);
        if packet == Some(next) {
            if let Some((_, delivery)) = self.in_flight.pop_first() {
                self.deliver(delivery)?;
            }
        } else if phone == Some(next) {
            self.phones_act();
        } else {
            self.turn(Input::Timeout, None)?;
        }
        Ok(true)
    }

    fn deliver(&mut self, delivery: Delivery) -> Result<(), String> {
        match delivery {
            Delivery::ToSwitch { flow, .. } if self.is_cut(flow.connection) => Ok(()),
            Delivery::ToSwitch { flow, bytes } => {
                let read = wire::read(&bytes);
                self.print(|| format!("{} -> switch  {}", flow.peer, line(&bytes)));
                self.turn(Input::Sip { flow, bytes }, read.map(|read| (flow.peer, read)))
            }
            Delivery::ToPhone { connection, .. } if self.is_cut(connection) => Ok(()),
            Delivery::ToPhone { to, bytes, .. } => {
                let read = wire::read(&bytes).ok_or_else(|| unreadable(&bytes))?;
                let mut out = Vec::new();
                self.phones[to].receive(self.now, &read, &mut out);
                self.take_from_phone(to, out);
                self.overhear(&read);
                Ok(())
            }
            Delivery::Cut => self.cut(),
            Delivery::Unreachable(flow) => self.turn(Input::FlowFailed(flow), None),
            Delivery::Media(event) => {
                if self.media.is_stale(&event) {
                    return Ok(());
                }
                self.media.told(&event);
                self.history.heard(self.now, &event);
                self.turn(Input::Media(event), None)
            }
            Delivery::Dns(question, answer) => self.turn(Input::Dns { question, answer }, None),
            Delivery::Certificate(url, found) => self.turn(Input::Certificate { url, found }, None),
            Delivery::Http(id, answer) => self.turn(Input::Http { id, answer }, None),
            Delivery::Credentials => self.turn(Input::Credentials(vouch::credentials()), None),
            Delivery::Operator(operator) => self.operate(operator),
            Delivery::Attack(attack) => {
                self.attack(attack);
                Ok(())
            }
        }
    }

    fn operate(&mut self, operator: Operator) -> Result<(), String> {
        match operator {
            Operator::Reload => {
                let music = self.rng.chance(500);
                self.has_music &= music;
                let reduced = self.rng.chance(500);
                let plan = Arc::clone(&PLANS[usize::from(!music) + 2 * usize::from(reduced)]);
                self.turn(Input::Credentials(vouch::credentials()), None)?;
                let version = self.switch.snapshot().plan_version + 1;
                self.turn(Input::Apply(switch::Applied { plan, version, by: None, why: None }), None)?;
                if reduced { self.watches.check_gone(Some("carol")) } else { Ok(()) }
            }
            Operator::Overload(is_on) => {
                self.turns.is_overloaded = is_on;
                self.turn(Input::Overload(is_on), None)
            }
            Operator::Drain => self.turn(Input::Drain, None),
            Operator::Shutdown => self.shutdown(),
            Operator::Hangup => {
                let oldest = self.history.live().next().map(|(id, _)| id);
                oldest.map_or(Ok(()), |id| self.turn(Input::Hangup(id), None))
            }
            Operator::Transfer(user) => self.transfer(user),
            Operator::Room => self.direct_room(),
            Operator::Agent => self.direct_agent(),
            Operator::Caller => self.direct_caller(),
            Operator::Record => self.record(),
            Operator::Supervise => self.supervise(),
            Operator::TestCall => self.test_call(),
            Operator::Message => self.direct_message(),
            Operator::Clear => {
                // Session timers have found the parties that died, and those that took a spoiled BYE's refusal
                // for the end.
                if let Some((id, _)) = self.history.live().next() {
                    return Err(format!("contact {} lives on although its caller is gone", id.0));
                }
                self.shutdown()
            }
        }
    }

    fn direct_message(&mut self) -> Result<(), String> {
        let messages = self.switch.messages();
        let newest = messages.last().map(|it| it.message);
        let order =
            self.rng.pick(&[MessageOrder::Hear(true), MessageOrder::Hear(false), MessageOrder::Delete]);
        let message = newest.filter(|_| self.rng.chance(900)).unwrap_or(1);
        let mut out = Vec::new();
        let done = self.switch.direct_message(self.now, message, (order, &"boss".into()), &mut out);
        self.print(|| format!("operator: {order:?} of message {message}: {done:?}"));
        if done.is_ok() != messages.iter().any(|it| it.message == message) {
            return Err(format!("{order:?} of message {message}: {done:?}"));
        }
        self.take(out, None, Vec::new())
    }

    fn shutdown(&mut self) -> Result<(), String> {
        self.turn(Input::Shutdown, None)?;
        self.watches.check_gone(None)
    }

    fn transfer(&mut self, user: &str) -> Result<(), String> {
        let order = match self.rng.below(10) {
            0 => TransferOrder::Cancel,
            1 => TransferOrder::Complete,
            n => {
                let to = self
                    .rng
                    .pick(&[
                        "alice",
                        "bob",
                        "carol",
                        "alice",
                        "bob",
                        "team",
                        "menu",
                        "x",
                        plan::OUTSIDE,
                        plan::OUTSIDE,
                        "+494712",
                    ])
                    .into();
                TransferOrder::Begin { to, consult: n < 8 }
            }
        };
        let mut out = Vec::new();
        let done = self.switch.transfer(self.now, user, &order, &mut out);
        self.print(|| format!("operator: {user} {order:?}: {done:?}"));
        if done.is_err() && !out.is_empty() {
            return Err(format!("a transfer that was refused ({done:?}) has changed something: {out:?}"));
        }
        self.take(out, None, Vec::new())
    }

    fn direct_room(&mut self) -> Result<(), String> {
        let rooms = self.switch.rooms(self.now);
        let members: Vec<_> = rooms.iter().flat_map(|room| &room.members).map(|it| it.contact).collect();
        let contact = if members.is_empty() { ContactId(1) } else { self.rng.pick(&members) };
        let order =
            self.rng.pick(&[RoomOrder::Mute, RoomOrder::Unmute, RoomOrder::Kick, RoomOrder::Gain(-6)]);
        let mut out = Vec::new();
        let done = self.switch.direct_room(self.now, contact, order, &mut out);
        self.print(|| format!("operator: {order:?} of contact {}: {done:?}", contact.0));
        if done.is_ok() == members.is_empty() {
            return Err(format!("{order:?} in rooms of {members:?}: {done:?}"));
        }
        self.take(out, None, Vec::new())
    }

    fn record(&mut self) -> Result<(), String> {
        let live: Vec<_> = self.history.live().map(|(id, _)| id).collect();
        let contact = if live.is_empty() { ContactId(1) } else { self.rng.pick(&live) };
        let order = self.rng.pick(&[
            RecordOrder::Start,
            RecordOrder::Start,
            RecordOrder::Stop,
            RecordOrder::Pause,
            RecordOrder::Mask,
            RecordOrder::Resume,
        ]);
        let mut out = Vec::new();
        let done = self.switch.record(self.now, contact, order, &mut out);
        self.print(|| format!("operator: {order:?} the recording of contact {}: {done:?}", contact.0));
        if done.is_err() && !out.is_empty() {
            return Err(format!("an order that was refused ({done:?}) has changed something: {out:?}"));
        }
        self.take(out, None, Vec::new())
    }

    fn supervise(&mut self) -> Result<(), String> {
        let live: Vec<_> = self.history.live().map(|(id, _)| id).collect();
        // Mostly of those that can be supervised.
        let talks: Vec<_> = live.iter().copied().filter(|id| self.history.bridged(*id).is_some()).collect();
        let among = if talks.is_empty() || self.rng.chance(100) { live } else { talks };
        let contact = if among.is_empty() { ContactId(1) } else { self.rng.pick(&among) };
        let mode = self.rng.pick(&[
            SuperviseMode::Listen,
            SuperviseMode::Whisper,
            SuperviseMode::Barge,
            SuperviseMode::TakeOver,
        ]);
        let order = match self.rng.below(8) {
            0 => SuperviseOrder::End,
            1..4 => SuperviseOrder::Change(mode),
            _ => SuperviseOrder::Begin { user: self.rng.pick(&["alice", "bob", "carol", "x"]).into(), mode },
        };
        let mut out = Vec::new();
        let done = self.switch.supervise(self.now, contact, &order, &mut out);
        self.print(|| format!("operator: {order:?} of contact {}: {done:?}", contact.0));
        if done.is_err() && !out.is_empty() {
            return Err(format!("a supervision that was refused ({done:?}) has changed something: {out:?}"));
        }
        self.take(out, None, Vec::new())
    }

    fn test_call(&mut self) -> Result<(), String> {
        let trunk = self.rng.pick(&["carrier", "pbx", "uplink", "uplink", "desk"]);
        let number = self.rng.pick(plan::NUMBERS);
        let mut out = Vec::new();
        let done = self.switch.test_call(self.now, trunk, number, &mut out);
        self.print(|| format!("operator: calls {number} by {trunk}: {done:?}"));
        // Whoever has to be found is looked for.
        if done.is_err() && out.iter().any(|it| !matches!(it, Output::Dns(_))) {
            return Err(format!("a test call that was refused ({done:?}) has changed something: {out:?}"));
        }
        self.take(out, None, Vec::new())
    }

    fn phones_act(&mut self) {
        for index in 0..self.phones.len() {
            if self.phones[index].next_timeout().is_some_and(|at| at <= self.now) {
                let mut out = Vec::new();
                self.phones[index].on_timeout(self.now, &mut out);
                self.take_from_phone(index, out);
            }
        }
    }

    fn take_from_phone(&mut self, index: usize, out: Vec<Out>) {
        let from = self.phones[index].address;
        for out in out {
            match out {
                Out::Send(bytes) if self.phones[index].is_on_stream() => {
                    let flow = self.streams.of_phone(index, self.phones[index].way());
                    let at = self.now + self.network.delay(&mut self.rng);
                    let at = self.streams.arrives_at_switch(flow.connection, at);
                    self.send(at - self.now, Delivery::ToSwitch { flow, bytes });
                }
                Out::Send(bytes) => {
                    let flow = Flow::udp(SWITCH, from);
                    let copies = self.network.carry(self.now, &mut self.rng);
                    if copies.is_empty() {
                        self.print(|| format!("{from} -> lost    {}", line(&bytes)));
                    }
                    for delay in copies {
                        let bytes = self.network.spoil(&mut self.rng, &bytes);
                        self.send(delay, Delivery::ToSwitch { flow, bytes });
                    }
                }
                Out::Key(port, key) => {
                    let mut due = Due::new();
                    self.media.key(self.now, port, key, &mut due);
                    self.deliver_media(due);
                }
            }
        }
    }

    /// Gives the switch one input, carries what comes out, and lets the checkers look.
    fn turn(&mut self, input: Input, came: Option<(SocketAddr, Read)>) -> Result<(), String> {
        let read = came.as_ref().map(|(_, read)| read);
        let expected = read.map(|read| Consequence::after(&self.history, &self.turns, read));
        let expected = expected.unwrap_or_default();
        let dropped = self.switch.snapshot().dropped;
        let is_protected = came.as_ref().is_some_and(|(from, _)| self.protected().contains(&from.ip()));
        if let Input::FlowFailed(_) = input {
            self.watches.flow_failed();
        }
        let mut out = Vec::new();
        self.switch.handle(self.now, input, &mut out);
        // What is dropped unread has no consequences; but whom no attack may harm is read always.
        let was_read = self.switch.snapshot().dropped == dropped;
        if is_protected && !was_read {
            return Err("a message of a trunk or of a registered phone was dropped unread".into());
        }
        let (came, expected) = if was_read { (came, expected) } else { (None, Vec::new()) };
        self.take(out, came, expected)
    }

    /// Carries what came out of the switch, and lets the checkers look.
    fn take(
        &mut self,
        out: Vec<Output>,
        came: Option<(SocketAddr, Read)>,
        expected: Vec<Consequence>,
    ) -> Result<(), String> {
        let mut due = Due::new();
        let mut went = Vec::new();
        for output in out {
            match output {
                Output::Send { flow, bytes }
                    if (self.network.spoils() || came.is_none() && is_bad_request(&bytes))
                        && wire::read(&bytes).is_none() =>
                {
                    self.print(|| format!("switch -> {}  {}", flow.peer, line(&bytes)));
                }
                Output::Send { flow, bytes } => went.push(self.send_to_phone(flow, &bytes)?),
                Output::Media(command) => {
                    self.print(|| format!("media: {command:?}"));
                    self.media.obey(self.now, command, &mut due)?;
                }
                Output::Dns(question) => self.look_up(question),
                Output::Certificate(url) => self.fetch(url),
                Output::Http { id, request, .. } => self.answer(id, &request)?,
                Output::CancelHttp(id) => self.cancel(id)?,
                Output::RemoveFile(path) => self.history.remove_file(&path)?,
                Output::Event(event) => {
                    self.print(|| format!("    {} {:?}", event.contact.map_or(0, |id| id.0), event.kind));
                    self.history.apply(&event)?;
                    if self.turns.is_overloaded
                        && matches!(event.kind, Kind::ContactStarted { .. } | Kind::Registered { .. })
                    {
                        return Err(format!("taken in overload: {:?}", event.kind));
                    }
                    self.journal.push(event);
                }
            }
        }
        self.deliver_media(due);
        if self.network.spoils() {
            return self.check_step();
        }
        self.turns.check(self.now, came.as_ref().map(|(from, read)| (*from, read)), &went)?;
        self.watches.check(
            self.now,
            came.as_ref().map(|(from, read)| (*from, read)),
            &went,
            &self.history,
        )?;
        self.descriptions.check(came.as_ref().map(|(_, read)| read), &went)?;
        for consequence in expected {
            consequence.check(&self.history, &self.turns, &went)?;
        }
        self.check_step()
    }

    fn send_to_phone(&mut self, flow: Flow, bytes: &Bytes) -> Result<(SocketAddr, Read), String> {
        let read = wire::read(bytes).ok_or_else(|| unreadable(bytes))?;
        self.print(|| format!("switch -> {} {} {}", flow.peer, flow.transport.uri_token(), line(bytes)));
        if let Some(port) = wire::audio_port(&read.body)
            && self.offered.insert(bytes.clone())
            && self.media.is_free(port)
        {
            return Err(format!("SDP names port {port}, which has no stream: {}", line(bytes)));
        }
        let found = self.phones.iter().position(|phone| phone.address == flow.peer && !phone.is_dead());
        if flow.transport.is_reliable() {
            self.stream_to_phone(flow, found, bytes);
            return Ok((flow.peer, read));
        }
        for delay in self.network.carry(self.now, &mut self.rng) {
            match found {
                Some(to) => {
                    self.send(delay, Delivery::ToPhone { to, connection: 0, bytes: bytes.clone() });
                }
                None if self.icmp => self.send(delay, Delivery::Unreachable(flow)),
                None => {}
            }
        }
        Ok((flow.peer, read))
    }

    fn stream_to_phone(&mut self, flow: Flow, listening: Option<usize>, bytes: &Bytes) {
        let delay = self.network.delay(&mut self.rng);
        // Trunks are called by TCP for the size of a request alone.
        let is_trunk = listening.is_some_and(|to| !self.phones[to].is_on_stream());
        match self.trunks_by_tcp {
            ByTcp::Refused if is_trunk => return self.send(delay, Delivery::Unreachable(flow)),
            ByTcp::Swallowed if is_trunk => return self.send(CONNECT_TIMEOUT, Delivery::Unreachable(flow)),
            ByTcp::Taken | ByTcp::Refused | ByTcp::Swallowed => {}
        }
        let Some(Flow { connection, .. }) = self.streams.of_switch(flow, listening) else {
            return self.send(delay, Delivery::Unreachable(flow));
        };
        let at = self.streams.arrives_at_phone(connection, self.now + delay);
        if let Some(to) = self.streams.phone_of(connection) {
            self.send(at - self.now, Delivery::ToPhone { to, connection, bytes: bytes.clone() });
        }
    }

    fn is_cut(&self, connection: u64) -> bool {
        connection != 0 && self.streams.phone_of(connection).is_none()
    }

    /// Both ends of a connection learn that it is gone; what was under way on it is lost.
    fn cut(&mut self) -> Result<(), String> {
        let nth = self.rng.below(4) as usize;
        let Some(Connection { phone, flow, opened, .. }) = self.streams.cut(nth) else { return Ok(()) };
        self.print(|| format!("cut: {flow:?}"));
        self.turn(Input::FlowFailed(flow), None)?;
        if opened {
            self.turn(Input::FlowFailed(Flow { connection: 0, ..flow }), None)?;
        }
        let mut out = Vec::new();
        self.phones[phone].reconnect(self.now, &mut out);
        self.take_from_phone(phone, out);
        Ok(())
    }

    fn send(&mut self, delay: Duration, delivery: Delivery) {
        self.sent += 1;
        self.in_flight.insert((self.now + delay, self.sent), delivery);
    }

    fn deliver_media(&mut self, due: Due) {
        for (at, event) in due {
            self.send(at - self.now, Delivery::Media(event));
        }
    }

    /// An operator who does something in some seeds, and clears up in all.
    fn draw_operator(&mut self) {
        for (chance, operator) in [
            (300, Operator::Reload),
            (300, Operator::Reload),
            (200, Operator::Hangup),
            (200, Operator::Hangup),
            (500, Operator::Room),
            (500, Operator::Room),
            (700, Operator::Caller),
            (700, Operator::Caller),
            (700, Operator::Caller),
            (50, Operator::Drain),
            (50, Operator::Shutdown),
        ] {
            if self.rng.chance(chance) {
                let at = Duration::from_secs(10) + self.rng.within(Duration::from_secs(70));
                self.send(at, Delivery::Operator(operator));
            }
        }
        if self.rng.chance(400) {
            for _ in 0..200 {
                let at = Duration::from_secs(6) + self.rng.within(Duration::from_secs(80));
                let user = self.rng.pick(&["alice", "bob", "carol"]);
                self.send(at, Delivery::Operator(Operator::Transfer(user)));
            }
        }
        for _ in 0..self.rng.below(8) {
            let at = Duration::from_secs(1) + self.rng.within(Duration::from_secs(90));
            self.send(at, Delivery::Operator(Operator::Agent));
        }
        if self.rng.chance(400) {
            for _ in 0..150 {
                let at = Duration::from_secs(6) + self.rng.within(Duration::from_secs(80));
                self.send(at, Delivery::Operator(Operator::Supervise));
                self.send(at + Duration::from_secs(1), Delivery::Operator(Operator::Record));
            }
        }
        for _ in 0..self.rng.below(5) {
            let at = Duration::from_secs(1) + self.rng.within(Duration::from_secs(90));
            self.send(at, Delivery::Operator(Operator::TestCall));
        }
        if self.rng.chance(150) {
            let at = Duration::from_secs(3) + self.rng.within(Duration::from_secs(70));
            self.send(at, Delivery::Operator(Operator::Overload(true)));
            let length = self.rng.within(Duration::from_secs(8));
            self.send(at + length, Delivery::Operator(Operator::Overload(false)));
        }
        for _ in 0..self.rng.below(6) {
            let at = Duration::from_secs(20) + self.rng.within(Duration::from_secs(100));
            self.send(at, Delivery::Operator(Operator::Message));
        }
        for _ in 0..self.rng.below(4) {
            let at = self.rng.within(Duration::from_secs(120));
            self.send(at, Delivery::Cut);
        }
        self.send(CLEARANCE - Time::ZERO, Delivery::Operator(Operator::Clear));
    }

    fn print(&self, text: impl FnOnce() -> String) {
        if self.trace {
            println!("{:>12}  {}", self.now.to_string(), text());
        }
    }
}

fn unreadable(bytes: &[u8]) -> String {
    format!("rsip cannot read what the switch sent: {}", String::from_utf8_lossy(bytes))
}

/// Whether this answers something that is hardly SIP; rsip need not read it.
fn is_bad_request(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SIP/2.0 4")
}

/// A message in a line: its first line, its Call-ID and its CSeq.
fn line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or("");
    let more = lines.filter(|line| line.starts_with("Call-ID") || line.starts_with("CSeq"));
    std::iter::once(first).chain(more).collect::<Vec<_>>().join("  ")
}
