//! The phone's thread: its sockets, its SIP endpoint and its one call.

use super::audio::{Audio, FRAME_DURATION};
use super::registration::{Account, Registration, Step};
use super::{Heard, LONGEST_SLEEP, Order, PhoneConfig, PhoneEvent};
use crate::axis::Axis;
use crate::hex::hex;
use crate::random;
use bytes::Bytes;
use clock::Time;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use rtp::Codec;
use sdp::{Capability, Direction, Negotiation};
use sip::{
    Address, Body, Endpoint, EndpointConfig, Event, Flow, InviteId, Login, Message, Method, Name, NewInvite,
    Output, RequestId, TimerValues,
};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;

const SIP: Token = Token(0);
const RTP: Token = Token(1);
const WAKE: Token = Token(2);
/// The codecs in the order of [`capabilities`].
const CODECS: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];
/// The one call, those that are refused beside it, and those that are over but still answer.
const MAX_USAGES: usize = 16;
/// Server transactions at a time.
const MAX_TRANSACTIONS: usize = 256;
/// What the phone serves.
const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK";
/// When the thread was away for longer, the audio of that time is not made up for.
const MAX_BEHIND: u32 = 50;

pub(super) struct Line {
    config: PhoneConfig,
    axis: Axis,
    poll: Poll,
    sip: UdpSocket,
    rtp: UdpSocket,
    local: SocketAddr,
    seed: [u8; 32],
    endpoint: Endpoint,
    outputs: Vec<Output>,
    registration: Option<Registration>,
    /// Of the REGISTER that was answered last.
    last_cseq: u32,
    call: Call,
    orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<PhoneEvent>,
    heard: Heard,
}

/// A phone has one call at a time.
enum Call {
    None,
    /// Ours, not answered yet.
    Calling(InviteId, Negotiation),
    /// Theirs, not answered yet, with its offer.
    Ringing(InviteId, Message),
    /// Answered: the next audio packet is due at the given time.
    Up(InviteId, Negotiation, Box<Audio>, Time),
    /// We have hung up; the answer to our BYE or CANCEL is awaited.
    Ending(InviteId),
}

impl Call {
    fn id(&self) -> Option<InviteId> {
        match self {
            Self::None => None,
            Self::Calling(id, _) | Self::Ringing(id, _) | Self::Up(id, ..) | Self::Ending(id) => Some(*id),
        }
    }
}

impl Line {
    /// The line with its sockets open, and what wakes its thread.
    pub(super) fn open(
        config: PhoneConfig,
        orders: mpsc::Receiver<Order>,
        events: mpsc::Sender<PhoneEvent>,
        heard: Heard,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let mut sip = UdpSocket::bind(SocketAddr::new(config.address, 0))?;
        let mut rtp = UdpSocket::bind(SocketAddr::new(config.address, 0))?;
        poll.registry().register(&mut sip, SIP, Interest::READABLE)?;
        poll.registry().register(&mut rtp, RTP, Interest::READABLE)?;
        let local = sip.local_addr()?;
        let seed = random::seed()?;
        let user_agent = concat!("Ringdown-phone/", env!("CARGO_PKG_VERSION")).to_owned();
        let endpoint = Endpoint::new(
            EndpointConfig {
                user_agent,
                allow: ALLOW,
                shown: HashMap::new(),
                shown_to: HashMap::new(),
                max_usages: MAX_USAGES,
                max_transactions: MAX_TRANSACTIONS,
                session_timers: sip::SessionTimers::default(),
                timers: TimerValues::default(),
                events: sip::Events::default(),
            },
            seed,
        );
        let line = Self {
            config,
            axis: Axis::starting_at(Time::ZERO),
            poll,
            sip,
            rtp,
            local,
            seed,
            endpoint,
            outputs: Vec::new(),
            registration: None,
            last_cseq: 0,
            call: Call::None,
            orders,
            events,
            heard,
        };
        Ok((line, waker))
    }

    /// Runs until it is told to stop or its owner has gone.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(16);
        loop {
            let sleep =
                self.next_timeout().map_or(LONGEST_SLEEP, |at| self.axis.until(at).min(LONGEST_SLEEP));
            if let Err(error) = self.poll.poll(&mut events, Some(sleep))
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!("a phone cannot wait for its sockets: {error}");
                return;
            }
            self.receive_sip();
            self.receive_rtp();
            loop {
                match self.orders.try_recv() {
                    Ok(Order::Stop) | Err(mpsc::TryRecvError::Disconnected) => return,
                    Ok(order) => self.obey(order),
                    Err(mpsc::TryRecvError::Empty) => break,
                }
            }
            self.fire();
        }
    }

    fn next_timeout(&self) -> Option<Time> {
        let audio = match &self.call {
            Call::Up(_, _, _, at) => Some(*at),
            _ => None,
        };
        let registration = self.registration.as_ref().map(Registration::next_timeout);
        [self.endpoint.next_timeout(), registration, audio].into_iter().flatten().min()
    }

    fn fire(&mut self) {
        let now = self.axis.now();
        if let Some(step) = self.registration.as_mut().and_then(|it| it.handle_timeout(now)) {
            self.register_step(step);
        }
        if self.endpoint.next_timeout().is_some_and(|at| at <= now) {
            self.endpoint.handle_timeout(now, &mut self.outputs);
            self.settle();
        }
        let Call::Up(_, _, audio, at) = &mut self.call else { return };
        if *at + FRAME_DURATION * MAX_BEHIND < now {
            *at = now;
        }
        while *at <= now {
            let packet = audio.next_packet();
            if let Some(remote) = audio.remote() {
                // A lost packet is lost: the next one is 20 ms away.
                let _ = self.rtp.send_to(&packet, remote);
            }
            *at += FRAME_DURATION;
        }
    }

    fn receive_sip(&mut self) {
        let mut buffer = [0; 65_535];
        while let Ok((length, peer)) = self.sip.recv_from(&mut buffer) {
            let bytes = Bytes::copy_from_slice(&buffer[..length]);
            let now = self.axis.now();
            if let Ok(message) = Message::parse(bytes.clone())
                && !message.is_request()
                && *message.method() == Method::Register
            {
                if let Some(step) = self.registration.as_mut().and_then(|it| it.receive(now, &message)) {
                    self.register_step(step);
                }
                continue;
            }
            self.endpoint.receive(now, Flow::udp(self.local, peer), bytes, &mut self.outputs);
            self.settle();
        }
    }

    fn receive_rtp(&mut self) {
        let mut buffer = [0; 2_048];
        while let Ok((length, _)) = self.rtp.recv_from(&mut buffer) {
            if let Call::Up(_, _, audio, _) = &mut self.call {
                audio.receive(&buffer[..length]);
            }
        }
    }

    fn register_step(&mut self, step: Step) {
        match step {
            Step::Send(bytes) => return self.transmit(&bytes, self.config.server),
            Step::Registered => self.tell(PhoneEvent::Registered),
            Step::Failed(status) => self.tell(PhoneEvent::NotRegistered(status)),
        }
        if let Some(over) = self.registration.take() {
            self.last_cseq = over.last_cseq();
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Register { expires } => self.register(expires),
            Order::Call(number) => self.invite(&number),
            Order::Answer => self.accept(),
            Order::HangUp => self.hang_up(),
            Order::Speak(speech) => {
                if let Call::Up(_, _, audio, _) = &mut self.call {
                    audio.speak(speech);
                }
            }
            Order::Press(digit) => {
                if let Call::Up(_, _, audio, _) = &mut self.call
                    && !audio.press(digit)
                {
                    tracing::warn!("the key {digit} could not be pressed: no telephone-event was agreed");
                }
            }
            Order::Stop => {}
        }
        self.settle();
    }

    fn register(&mut self, expires: u32) {
        if let Some(unanswered) = self.registration.take() {
            self.last_cseq = unanswered.last_cseq();
        }
        let account = Account {
            user: self.config.user.clone(),
            password: self.config.password.clone().unwrap_or_default(),
            domain: self.config.server.to_string(),
            contact: self.contact(),
            local: self.local,
            expires,
        };
        let (registration, request) =
            Registration::begin(self.axis.now(), account, self.token(), self.last_cseq);
        self.registration = Some(registration);
        self.transmit(&request, self.config.server);
    }

    fn invite(&mut self, number: &str) {
        if self.call.id().is_some() {
            return;
        }
        let mut negotiation = self.negotiation();
        let offer = negotiation.offer(Direction::SendRecv);
        let server = self.config.server;
        let login = self.config.password.clone().map(|password| Login {
            username: self.config.user.clone(),
            password,
            realm: None,
        });
        let uri = format!("sip:{number}@{server}");
        let invite = NewInvite {
            flow: Flow::udp(self.local, server),
            is_server: false,
            request_uri: uri.clone(),
            route: Vec::new(),
            from: Address { display: None, uri: format!("sip:{}@{server}", self.config.user) },
            to: Address { display: None, uri },
            contact: self.contact(),
            headers: Vec::new(),
            body: Some(Body::sdp(offer)),
            login,
            max_forwards: 70,
        };
        let id = self.endpoint.invite(self.axis.now(), invite, &mut self.outputs);
        self.call = Call::Calling(id, negotiation);
    }

    fn accept(&mut self) {
        let Call::Ringing(id, message) = &self.call else { return };
        let (id, offer) = (*id, message.sdp().unwrap_or_default());
        let mut negotiation = self.negotiation();
        let now = self.axis.now();
        match negotiation.answer(&offer, Direction::SendRecv) {
            Ok((answer, _)) => {
                let body = Some(Body::sdp(answer));
                self.endpoint.accept(now, id, &self.contact(), body, &mut self.outputs);
                self.up(id, negotiation);
            }
            Err(error) => {
                tracing::warn!("the offer cannot be answered: {error}");
                self.endpoint.reject(now, id, 488, &[], &mut self.outputs);
                self.call = Call::None;
            }
        }
    }

    fn hang_up(&mut self) {
        let now = self.axis.now();
        self.call = match std::mem::replace(&mut self.call, Call::None) {
            Call::Calling(id, _) => {
                self.endpoint.cancel(now, id, None, &mut self.outputs);
                Call::Ending(id)
            }
            Call::Ringing(id, _) => {
                self.endpoint.reject(now, id, 603, &[], &mut self.outputs);
                Call::Ending(id)
            }
            Call::Up(id, ..) => {
                self.endpoint.bye(now, id, None, &mut self.outputs);
                Call::Ending(id)
            }
            other => other,
        };
    }

    /// Carries out what the endpoint asks, until it asks nothing more.
    fn settle(&mut self) {
        while !self.outputs.is_empty() {
            for output in std::mem::take(&mut self.outputs) {
                match output {
                    Output::Send { flow, bytes } => self.transmit(&bytes, flow.peer),
                    Output::Event(event) => self.on_event(event),
                    Output::Wire(_) => {}
                }
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        let now = self.axis.now();
        match event {
            Event::Invite { id, message, .. } => self.on_invite(id, message),
            Event::Cancelled { id, reason } => self.over(id, PhoneEvent::Cancelled { reason }),
            Event::Progress { message, .. } => {
                self.tell(PhoneEvent::Progress(message.status().unwrap_or_default()));
            }
            Event::Answered { id, message } => self.on_answered(id, &message),
            Event::Failed { id, status, .. } => self.over(id, PhoneEvent::Failed(status)),
            Event::Reinvite { request, message, .. } => self.on_reinvite(request, &message),
            Event::Bye { id, .. } => self.over(id, PhoneEvent::HungUp),
            Event::Ended { id, .. } => self.over(id, PhoneEvent::Ended),
            Event::Request { request, message, .. } => {
                let status = if *message.method() == Method::Options { 200 } else { 405 };
                let headers = [("Allow", ALLOW)];
                self.endpoint.respond(now, request, status, &headers, None, &mut self.outputs);
            }
            Event::Acked { .. }
            | Event::ReinviteAnswered { .. }
            | Event::ReinviteFailed { .. }
            | Event::RefreshDue { .. }
            | Event::NotifyDue { .. }
            | Event::Unsubscribed { .. }
            | Event::Response { .. } => {}
        }
    }

    fn on_invite(&mut self, id: InviteId, message: Message) {
        let now = self.axis.now();
        if self.call.id().is_some() {
            return self.endpoint.reject(now, id, 486, &[], &mut self.outputs);
        }
        self.endpoint.progress(now, id, 180, &self.contact(), None, &mut self.outputs);
        let from = message.header(Name::From).unwrap_or_default().to_owned();
        self.call = Call::Ringing(id, message);
        self.tell(PhoneEvent::Incoming { from });
    }

    fn on_answered(&mut self, id: InviteId, message: &Message) {
        match std::mem::replace(&mut self.call, Call::None) {
            Call::Calling(ours, mut negotiation) if ours == id => {
                match negotiation.receive_answer(&message.sdp().unwrap_or_default()) {
                    Ok(_) => self.up(id, negotiation),
                    Err(error) => {
                        tracing::warn!("the answer cannot be used: {error}");
                        self.endpoint.bye(self.axis.now(), id, None, &mut self.outputs);
                        self.call = Call::Ending(id);
                    }
                }
            }
            other => self.call = other,
        }
    }

    fn on_reinvite(&mut self, request: RequestId, message: &Message) {
        let now = self.axis.now();
        let Call::Up(_, negotiation, audio, _) = &mut self.call else {
            return self.endpoint.respond(now, request, 481, &[], None, &mut self.outputs);
        };
        match negotiation.answer(&message.sdp().unwrap_or_default(), Direction::SendRecv) {
            Ok((answer, agreed)) => {
                audio.change(&agreed);
                let body = Some(Body::sdp(answer));
                self.endpoint.respond(now, request, 200, &[], body, &mut self.outputs);
            }
            Err(_) => self.endpoint.respond(now, request, 488, &[], None, &mut self.outputs),
        }
    }

    fn up(&mut self, id: InviteId, negotiation: Negotiation) {
        let ssrc = u32::from_be_bytes([self.seed[0], self.seed[1], self.seed[2], self.seed[3]]);
        let audio = negotiation.agreed().and_then(|it| Audio::new(it, &CODECS, ssrc, self.heard.clone()));
        if let Some(audio) = audio {
            self.call = Call::Up(id, negotiation, Box::new(audio), self.axis.now());
            self.tell(PhoneEvent::Up);
        }
    }

    fn over(&mut self, id: InviteId, event: PhoneEvent) {
        if self.call.id() == Some(id) {
            self.call = Call::None;
            self.tell(event);
        }
    }

    fn negotiation(&self) -> Negotiation {
        let capabilities = [Capability::PCMU, Capability::PCMA, Capability::TELEPHONE_EVENT];
        let port = self.rtp.local_addr().map_or(0, |address| address.port());
        Negotiation::new(capabilities.into(), self.config.address, port, self.axis.now().micros())
    }

    fn contact(&self) -> String {
        format!("<sip:{}@{}>", self.config.user, self.local)
    }

    /// A token that nobody else uses.
    fn token(&self) -> String {
        hex(&self.seed[16..])
    }

    fn transmit(&self, bytes: &[u8], peer: SocketAddr) {
        // What is lost here is sent again by SIP's timers, as if the network had lost it.
        let _ = self.sip.send_to(bytes, peer);
    }

    fn tell(&self, event: PhoneEvent) {
        // Nobody listens any more when the phone is being stopped.
        let _ = self.events.send(event);
    }
}
