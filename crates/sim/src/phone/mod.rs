//! Scripted parties: they speak SIP through `rsip`, with transactions of their own.

mod callee;
mod caller;
mod fax;
mod keys;
mod office;
mod prank;
mod refer;
mod register;
mod reliable;
mod script;
mod session;
mod timer;
mod transaction;
mod watch;

pub(crate) use script::CallScript;

use crate::dice::Dice;
use crate::wire::{self, Read};
use bytes::Bytes;
use clock::{Duration, Time, Timers};
use office::Office;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng as _;
use register::{Challenge, Registration};
use session::{Call, ignored_dialog};
use sip::{Flow, Transport};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use timer::Habit;
use transaction::{Client, Final};
use watch::Watch;

pub(crate) const T1: Duration = Duration::from_millis(500);
pub(crate) const T2: Duration = Duration::from_secs(4);
/// Where the switch has its listener for pages.
const PAGES: u16 = 8060;
/// 64*T1.
pub(crate) const PATIENCE: Duration = Duration::from_secs(32);

/// A trunk or a phone, with everything that it will do.
pub(crate) struct Phone {
    /// Its user name, or the trunk's caller.
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    switch: SocketAddr,
    transport: Transport,
    rng: ChaCha12Rng,
    password: Option<&'static str>,
    registration: Option<Registration>,
    challenge: Option<Challenge>,
    /// What it keeps as a registrar.
    office: Option<Office>,
    /// Calls to place, the next first.
    scripts: VecDeque<CallScript>,
    calls: BTreeMap<u64, Call>,
    /// Subscriptions that it has or wants.
    watches: BTreeMap<u64, Watch>,
    clients: BTreeMap<u64, Client>,
    /// 200s and refusals that wait for their ACK, by call.
    finals: BTreeMap<u64, Final>,
    /// Responses by branch and method: retransmitted requests get them again.
    responses: BTreeMap<(String, String), Bytes>,
    /// ACKs by Call-ID and CSeq: retransmitted final responses get them again.
    acks: BTreeMap<(String, u32), Bytes>,
    /// Calls and dialogs that it ignores.
    deaf_to: BTreeSet<String>,
    timers: Timers<(u64, Act)>,
    next: u64,
    habit: Habit,
    /// Whether it has SRTP, by SDES or DTLS.
    encrypts: bool,
    /// Its key, or its credentials of ICE, once it has told them.
    key: String,
    /// How many more copies of each packet it sends, in thousandths of packets.
    echo: u32,
    /// Whether it transfers every call that it has.
    storms: bool,
    dead: bool,
    /// From when to when it neither hears nor says anything.
    asleep: Option<(Time, Time)>,
}

/// What a phone does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    /// Places its next scripted call.
    Dial,
    /// Sends REGISTER.
    Register,
    /// Sends SUBSCRIBE.
    Subscribe,
    /// A client transaction repeats its request or gives up.
    Repeat,
    /// A 2xx or refusal is repeated until the ACK.
    RepeatFinal,
    /// The provisional response is due.
    Progress,
    /// A reliable one is repeated until its PRACK.
    RepeatProgress,
    /// The final response is due.
    Final,
    /// CANCEL is due.
    Cancel,
    /// The final response to a cancelled INVITE is overdue.
    GiveUp,
    /// BYE is due.
    HangUp,
    /// re-INVITE that holds.
    Hold,
    /// re-INVITE that takes up again, or goes back from fax to audio.
    Resume,
    /// re-INVITE that asks for fax.
    Fax,
    /// The session's timer wants a refresh.
    Refresh,
    /// Falls silent.
    Die,
    /// The next key is due.
    Key,
    /// REFER is due.
    Refer,
    /// A call beside the one that is up.
    Consult,
    /// What became of a REFER of the switch is to be told.
    Tell,
    /// Sends something that nobody asked for.
    Prank,
}

/// All that a call may have set.
const CALL_ACTS: [Act; 16] = [
    Act::RepeatFinal,
    Act::Progress,
    Act::RepeatProgress,
    Act::Final,
    Act::Cancel,
    Act::GiveUp,
    Act::HangUp,
    Act::Hold,
    Act::Resume,
    Act::Fax,
    Act::Refresh,
    Act::Die,
    Act::Key,
    Act::Refer,
    Act::Consult,
    Act::Tell,
];

/// What comes out of a phone.
#[derive(Clone, Debug)]
pub(crate) enum Out {
    /// A datagram to the switch.
    Send(Bytes),
    /// A key pressed towards an RTP port of the switch.
    Key(u16, char),
}

impl Phone {
    /// A party that knows nothing yet.
    pub(crate) fn new(
        name: &'static str,
        password: Option<&'static str>,
        address: SocketAddr,
        switch: SocketAddr,
        transport: Transport,
        mut rng: ChaCha12Rng,
    ) -> Self {
        let echo = if rng.chance(100) { 500 } else { 0 };
        let habit = Habit::draw(&mut rng);
        let encrypts = rng.chance(400);
        Self {
            name,
            address,
            switch,
            transport,
            rng,
            password,
            registration: None,
            challenge: None,
            office: None,
            scripts: VecDeque::new(),
            calls: BTreeMap::new(),
            watches: BTreeMap::new(),
            clients: BTreeMap::new(),
            finals: BTreeMap::new(),
            responses: BTreeMap::new(),
            acks: BTreeMap::new(),
            deaf_to: BTreeSet::new(),
            timers: Timers::new(),
            next: 1,
            habit,
            encrypts,
            key: String::new(),
            echo,
            storms: false,
            dead: false,
            asleep: None,
        }
    }

    /// Gives it calls to place.
    pub(crate) fn will_call(&mut self, mut scripts: Vec<CallScript>) {
        scripts.sort_by_key(|script| script.at);
        self.scripts = scripts.into();
        self.set_dial_timer();
    }

    /// Lets it transfer every call that it has.
    pub(crate) fn will_storm(&mut self) {
        self.storms = true;
    }

    /// Lets it die amid its calls, and come back with all that it knew.
    pub(crate) fn will_sleep(&mut self, from: Time, length: Duration) {
        self.asleep = Some((from, from + length));
    }

    fn is_asleep(&self, now: Time) -> bool {
        self.asleep.is_some_and(|(from, until)| (from..until).contains(&now))
    }

    /// When it wants to act.
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        let next = self.timers.next()?;
        Some(self.asleep.filter(|_| self.is_asleep(next)).map_or(next, |(_, until)| until))
    }

    /// Acts on what is due.
    pub(crate) fn on_timeout(&mut self, now: Time, out: &mut Vec<Out>) {
        let mut sent = Vec::new();
        while let Some((number, act)) = self.timers.pop_due(now) {
            self.act(now, number, act, &mut sent);
        }
        self.emit(sent, out);
    }

    /// Takes a datagram of the switch.
    pub(crate) fn receive(&mut self, now: Time, read: &Read, out: &mut Vec<Out>) {
        if self.dead || self.is_asleep(now) {
            return;
        }
        let mut sent = Vec::new();
        match read.status {
            Some(status) => self.on_response(now, read, status, &mut sent),
            None => self.on_request(now, read, &mut sent),
        }
        self.emit(sent, out);
    }

    /// Whether it speaks TCP, and so repeats nothing.
    pub(crate) fn is_on_stream(&self) -> bool {
        self.transport.is_reliable()
    }

    /// How it reaches the switch, but for the connection.
    pub(crate) fn way(&self) -> Flow {
        let port = if self.transport.is_websocket() { PAGES } else { self.switch.port() };
        let local = SocketAddr::new(self.switch.ip(), port);
        Flow { transport: self.transport, local, peer: self.address, connection: 0, domain: 0 }
    }

    /// Its connection is gone: what waits for a response goes out again, on another one. A page registers again, since nobody
    /// can call it now.
    pub(crate) fn reconnect(&mut self, now: Time, out: &mut Vec<Out>) {
        if self.transport.is_websocket() && self.registration.is_some() {
            self.timers.set((0, Act::Register), now + T1);
        }
        let pending = self.clients.values().map(|client| Out::Send(client.bytes.clone())).collect();
        self.emit(pending, out);
    }

    /// Whether it has fallen silent.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead
    }

    /// Calls that it takes for alive, by Call-ID.
    pub(crate) fn live_calls(&self) -> Vec<&str> {
        self.calls.values().map(|call| call.call_id.as_str()).collect()
    }

    fn emit(&mut self, sent: Vec<Out>, out: &mut Vec<Out>) {
        if self.dead {
            return;
        }
        for item in sent {
            if self.rng.chance(self.echo) {
                out.push(item.clone());
            }
            out.push(item);
        }
    }

    fn set_dial_timer(&mut self) {
        if let Some(script) = self.scripts.front() {
            self.timers.set((0, Act::Dial), script.at);
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn token(&mut self) -> String {
        format!("{:016x}", self.rng.next_u64())
    }

    fn via(&mut self) -> (String, String) {
        let branch = format!("z9hG4bK{}", self.token());
        (self.via_of(&branch), branch)
    }

    fn via_of(&self, branch: &str) -> String {
        format!("SIP/2.0/{} {};branch={branch};rport", self.transport.via_token(), self.address)
    }

    /// Where calls to this phone go.
    fn contact_uri(&self) -> String {
        let uri = format!("sip:{}@{}", self.name, self.address);
        match self.transport {
            Transport::Udp => uri,
            other => uri + ";transport=" + other.uri_token(),
        }
    }

    fn contact(&self) -> Option<String> {
        Some(format!("<{}>", self.contact_uri()))
    }

    fn offer(&mut self, direction: &str) -> String {
        self.sdp(direction, true)
    }

    fn sdp_answer(&mut self) -> String {
        self.sdp("sendrecv", false)
    }

    fn sdp(&mut self, direction: &str, offers: bool) -> String {
        let (profile, keys) = self.keys(offers);
        let codecs = self.rng.pick(&["0 8", "0 8", "8 0", "8", "0", "9 8 0"]);
        let (ip, port) = (self.address.ip(), 20_000 + 2 * self.rng.below(5_000));
        let ip = if direction == "blackhole" { "0.0.0.0".to_owned() } else { ip.to_string() };
        // What a browser has there means nothing.
        let unheld = if profile.starts_with("UDP/TLS") { "sendonly" } else { "sendrecv" };
        let direction = if direction == "blackhole" { unheld } else { direction };
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} {profile} {codecs} 101\r\n\
             a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n{keys}"
        )
    }

    fn act(&mut self, now: Time, number: u64, act: Act, sent: &mut Vec<Out>) {
        match act {
            Act::Dial => self.dial(now, sent),
            Act::Register => self.send_register(now, sent),
            Act::Subscribe => self.send_subscribe(now, number, sent),
            Act::Repeat => self.repeat_request(now, number, sent),
            Act::RepeatFinal => self.repeat_final(now, number, sent),
            Act::Progress => self.send_progress(now, number, sent),
            Act::RepeatProgress => self.repeat_progress(now, number, sent),
            Act::Final => self.send_final(now, number, sent),
            Act::Cancel => self.send_cancel(now, number, sent),
            Act::GiveUp => self.give_up(number),
            Act::HangUp => self.send_bye(now, number, sent),
            Act::Hold => self.hold(now, number, sent),
            Act::Fax => self.ask_for_fax(now, number, sent),
            Act::Refresh => self.refresh(now, number, sent),
            Act::Resume => self.send_reinvite(now, number, "sendrecv", sent),
            Act::Die => {
                self.dead = true;
                self.timers = Timers::new();
            }
            Act::Key => self.press_key(now, number, sent),
            Act::Refer => self.send_refer(now, number, sent),
            Act::Consult => self.consult(now, sent),
            Act::Tell => self.tell(now, number, sent),
            Act::Prank => self.play_prank(now, sent),
        }
    }

    fn on_request(&mut self, now: Time, read: &Read, sent: &mut Vec<Out>) {
        let method = read.method.clone().unwrap_or_default();
        let branch = read.vias.first().map_or("", |via| wire::branch_of(via)).to_owned();
        if self.deaf_to.contains(&read.call_id) || self.deaf_to.contains(&ignored_dialog(read)) {
            return;
        }
        if let Some(response) = self.responses.get(&(branch, method.clone())) {
            sent.push(Out::Send(response.clone()));
            return;
        }
        match (method.as_str(), self.call_of(read)) {
            ("ACK", Some(number)) => self.on_ack(now, number, read),
            ("ACK", None) => {}
            ("INVITE", None) if wire::tag_of(&read.to).is_none() => self.on_invite(now, read, sent),
            ("INVITE", Some(number)) => self.on_reinvite(now, number, read, sent),
            ("PRACK", Some(number)) => self.on_prack(number, read, sent),
            ("UPDATE", Some(number)) => self.on_update(now, number, read, sent),
            ("CANCEL", _) => self.on_cancel(now, read, sent),
            ("BYE", Some(number)) => self.on_bye(number, read, sent),
            ("REFER", Some(number)) => self.on_refer(now, number, read, sent),
            ("NOTIFY", Some(number)) => self.on_notify(now, number, read, sent),
            ("NOTIFY", None) => self.on_lamp(now, read, sent),
            ("REGISTER", None) => self.on_register(now, read, sent),
            ("OPTIONS" | "MESSAGE", Some(_)) => self.respond(read, 200, sent),
            ("OPTIONS", None) if wire::tag_of(&read.to).is_none() => self.respond(read, 200, sent),
            ("MESSAGE", None) if wire::tag_of(&read.to).is_none() => {
                let status = self.rng.pick(&[200, 200, 486, 503]);
                self.respond(read, status, sent);
            }
            _ => self.respond(read, 481, sent),
        }
    }

    /// Answers a request that is no INVITE, once and for all.
    fn respond(&mut self, read: &Read, status: u16, sent: &mut Vec<Out>) {
        let response = wire::response(read, status, "stray", None, None);
        self.remember(read, &response);
        sent.push(Out::Send(response));
    }

    fn remember(&mut self, read: &Read, response: &Bytes) {
        let branch = read.vias.first().map_or("", |via| wire::branch_of(via)).to_owned();
        self.responses.insert((branch, read.method.clone().unwrap_or_default()), response.clone());
    }

    /// The call that a request of the switch belongs to: forks share the Call-ID and differ in our tag.
    fn call_of(&self, read: &Read) -> Option<u64> {
        let tag = wire::tag_of(&read.to)?;
        let fits = |call: &Call| call.call_id == read.call_id && call.tag == tag;
        self.calls.iter().find(|(_, call)| fits(call)).map(|(number, _)| *number)
    }

    /// The call is over for this phone.
    fn drop_call(&mut self, number: u64) {
        self.calls.remove(&number);
        self.finals.remove(&number);
        for act in CALL_ACTS {
            self.timers.cancel((number, act));
        }
    }

    fn on_response(&mut self, now: Time, read: &Read, status: u16, sent: &mut Vec<Out>) {
        if read.cseq_method == "INVITE"
            && status >= 200
            && let Some(ack) = self.acks.get(&(read.call_id.clone(), read.cseq))
        {
            sent.push(Out::Send(ack.clone()));
            return;
        }
        let Some(number) = self.client_of(read) else { return };
        if status < 200 {
            self.on_provisional(now, number, read, sent);
            return;
        }
        let Some(client) = self.end_client(number) else { return };
        self.on_final(now, client, read, status, sent);
    }
}
