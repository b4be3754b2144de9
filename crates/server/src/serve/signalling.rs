//! The signalling thread: owns the switch and the UDP sockets, and carries out what the switch asks.

use super::backlog::Backlog;
use super::control::Request;
use super::dns::Resolver;
use super::fetch::Fetcher;
use super::inbox::{Inbox, Message, TestCall};
use super::journal::Journal;
use super::requests::Requests;
use super::stream::{StreamEvent, Streams};
use super::udp::{Arrival, Datagrams};
use super::voicemail;
use crate::axis::Axis;
use crate::load::Files;
use crate::stir::Material;
use bytes::Bytes;
use clock::{Duration, Time};
use events::ContactId;
use mio::{Events, Poll};
use sip::{Flow, Transport};
use switch::{Input, Output, Switch};

/// Datagrams read from a listener before the others have their turn.
const DATAGRAM_BATCH: usize = 64;
/// Media events and messages handled before the sockets have their turn.
const MESSAGE_BATCH: usize = 256;
/// When to stop waiting for the answers to our BYEs and un-REGISTERs at shutdown.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(3);

/// What the thread owns.
pub(super) struct Signalling {
    /// Every call.
    pub switch: Switch,
    /// The log's time axis.
    pub axis: Axis,
    /// Where the datagrams and the inbox are registered.
    pub poll: Poll,
    /// What other threads say.
    pub inbox: Inbox,
    /// UDP.
    pub datagrams: Datagrams,
    /// TCP.
    pub streams: Streams,
    /// Names.
    pub resolver: Resolver,
    /// Certificates of those who sign calls.
    pub fetcher: Fetcher,
    /// What flows ask by HTTP.
    pub requests: Requests,
    /// Media.
    pub engine: media::Engine,
    /// Where what may wait for the disk is done.
    pub tasks: tokio::runtime::Handle,
    /// The event log.
    pub journal: Journal,
    /// What the switch is told first: what the engine has said before the thread began is among it.
    pub backlog: Vec<Input>,
}

impl Signalling {
    /// Serves until [`Message::Shutdown`]; gives back the journal, to be closed.
    pub(super) fn run(mut self) -> Journal {
        let backlog = std::mem::take(&mut self.backlog);
        let mut running = Running {
            thread: self,
            outputs: Vec::new(),
            sends: Vec::new(),
            arrivals: Vec::new(),
            failed: Vec::new(),
            more: false,
            behind: Backlog::default(),
            ending: None,
        };
        for input in backlog {
            running.handle(input);
        }
        let mut events = Events::with_capacity(256);
        while !running.is_over() {
            running.wait(&mut events);
            running.receive_datagrams();
            running.receive_media();
            running.receive_messages();
            running.measure();
            running.fire();
        }
        running.end()
    }
}

struct Running {
    thread: Signalling,
    outputs: Vec<Output>,
    sends: Vec<(Flow, Bytes)>,
    arrivals: Vec<Arrival>,
    failed: Vec<Flow>,
    /// A queue was left before it was empty.
    more: bool,
    behind: Backlog,
    /// Set by shutdown: when to stop waiting.
    ending: Option<Time>,
}

impl Running {
    fn wait(&mut self, events: &mut Events) {
        let thread = &mut self.thread;
        let deadline = [thread.switch.next_timeout(), self.ending].into_iter().flatten().min();
        let busy =
            thread.datagrams.is_readable() || !self.failed.is_empty() || std::mem::take(&mut self.more);
        let longest = if busy { Some(Duration::ZERO) } else { deadline.map(|at| thread.axis.until(at)) };
        if let Err(error) = thread.poll.poll(events, longest)
            && error.kind() != std::io::ErrorKind::Interrupted
        {
            tracing::error!("the signalling thread cannot wait for its sockets: {error}");
        }
        for event in events.iter() {
            thread.datagrams.woken(event);
        }
        thread.inbox.answer_bell();
    }

    fn receive_datagrams(&mut self) {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        self.thread.datagrams.receive(DATAGRAM_BATCH, |arrival| arrivals.push(arrival));
        for arrival in arrivals.drain(..) {
            match arrival {
                Arrival::Datagram(flow, bytes) => self.handle(Input::Sip { flow, bytes }),
                Arrival::Unreachable(flow) => self.handle(Input::FlowFailed(flow)),
            }
        }
        self.arrivals = arrivals;
    }

    fn receive_media(&mut self) {
        let mut taken = 0;
        while taken < MESSAGE_BATCH
            && let Some(event) = self.thread.inbox.next_media()
        {
            self.handle(Input::Media(event));
            taken += 1;
        }
        if taken == MESSAGE_BATCH {
            self.more = true;
            return;
        }
        // Told once the queue is empty again: one line for a burst.
        let lost = self.thread.inbox.take_lost();
        if lost > 0 {
            self.alarm(format!("{lost} media events were lost: the signalling thread is overloaded"));
        }
    }

    fn receive_messages(&mut self) {
        let mut taken = 0;
        while taken < MESSAGE_BATCH
            && let Some(message) = self.thread.inbox.next_message()
        {
            self.on_message(message);
            taken += 1;
        }
        self.more |= taken == MESSAGE_BATCH;
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Stream(StreamEvent::Accepted(flow, queue)) => self.thread.streams.accepted(flow, queue),
            Message::Stream(StreamEvent::Received(flow, bytes)) => self.handle(Input::Sip { flow, bytes }),
            Message::Stream(StreamEvent::Closed(flow)) => {
                self.failed.extend(self.thread.streams.closed(flow));
            }
            Message::Stream(StreamEvent::Distrusted(flow, why)) => {
                self.failed.extend(self.thread.streams.closed(flow));
                let peer = self.thread.switch.tls_peer(flow.domain);
                let host = peer.map_or_else(|| flow.peer.to_string(), |peer| peer.host.to_string());
                if self.thread.streams.is_news(flow, &why) {
                    self.alarm(format!("no TLS with {host} at {}: {why}", flow.peer));
                }
            }
            Message::Dns(question, answer) => self.handle(Input::Dns { question, answer }),
            Message::Certificate(url, found) => self.handle(Input::Certificate { url, found }),
            Message::Http(id, answer) => {
                self.thread.requests.ended(id);
                self.handle(Input::Http { id, answer });
            }
            Message::Apply(applied, Files { stir, outbound, web }, answer) => {
                let Material { credentials, fetch } = stir;
                self.thread.streams.apply(outbound);
                self.thread.fetcher.apply(fetch);
                self.thread.requests.apply(web);
                self.handle(Input::Credentials(credentials));
                self.handle(Input::Apply(applied));
                // Whoever asked may have gone meanwhile; the plan is applied all the same.
                let _ = answer.send(self.thread.switch.snapshot().former_plans);
            }
            Message::Alarm(text) => self.alarm(text),
            Message::Snapshot(answer) => {
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(self.thread.switch.snapshot());
            }
            Message::Bans(answer) => {
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(self.thread.switch.bans(self.thread.axis.now()));
            }
            Message::Trunks(answer) => {
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(self.thread.switch.trunks(self.thread.axis.now()));
            }
            Message::Fraud(answer) => {
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(self.thread.switch.spent(self.thread.axis.now()));
            }
            Message::LiftBan(address, answer) => {
                let before = self.thread.switch.snapshot().bans;
                self.handle(Input::LiftBan(address));
                // Whoever asked may have gone meanwhile; the ban is lifted all the same.
                let _ = answer.send(self.thread.switch.snapshot().bans < before);
            }
            Message::Rooms(answer) => {
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(self.thread.switch.rooms(self.thread.axis.now()));
            }
            Message::Agents(answer) => {
                let now = self.thread.axis.now();
                // Whoever asked may have gone meanwhile; likewise below.
                let _ = answer.send((self.thread.switch.agents(now), now));
            }
            Message::ClientOf(contact, answer) => {
                let _ = answer.send(self.thread.switch.client_of(contact));
            }
            Message::PhoneOf(agent, answer) => {
                let _ = answer.send(self.thread.switch.phone_of(&agent));
            }
            Message::Requested(Request { by, method, path, contact }, status) => {
                let (method, path, contact) = (method.into(), path.into(), contact.map(ContactId));
                self.handle(Input::Requested { contact, by, method, path, status });
            }
            Message::Recorded(contact, kind) => self.handle(Input::Recorded { contact, kind }),
            Message::Disposition(contact, [client, disposition, by]) => {
                self.handle(Input::Disposition { contact, client, disposition, by });
            }
            Message::Hangup(contact, answer) => {
                let was_up = self.thread.switch.client_of(contact).is_some();
                self.handle(Input::Hangup(contact));
                let _ = answer.send(was_up);
            }
            Message::Queues(answer) => {
                let _ = answer.send(self.thread.switch.queues(self.thread.axis.now()));
            }
            Message::WhyWaiting(contact, answer) => {
                let _ = answer.send(self.thread.switch.why_waiting(self.thread.axis.now(), contact));
            }
            Message::WhyIdle(agent, answer) => {
                let _ = answer.send(self.thread.switch.why_idle(self.thread.axis.now(), &agent));
            }
            Message::DirectCaller(contact, (order, by), answer) => {
                let now = self.thread.axis.now();
                let switch = &mut self.thread.switch;
                let done = switch.direct_caller(now, contact, (&order, &by), &mut self.outputs);
                self.carry_out();
                let _ = answer.send(done);
            }
            Message::DirectAgent(agent, (order, by), answer) => {
                let now = self.thread.axis.now();
                let done = self.thread.switch.direct_agent(now, &agent, (order, &by), &mut self.outputs);
                self.carry_out();
                let _ = answer.send(done);
            }
            Message::DirectRoom(contact, order, answer) => {
                let now = self.thread.axis.now();
                let done = self.thread.switch.direct_room(now, contact, order, &mut self.outputs);
                self.carry_out();
                let _ = answer.send(done);
            }
            Message::Voicemail(answer) => {
                let _ = answer.send(self.thread.switch.messages());
            }
            Message::DirectVoicemail(message, (order, by), answer) => {
                let now = self.thread.axis.now();
                let done = self.thread.switch.direct_message(now, message, (order, &by), &mut self.outputs);
                self.carry_out();
                let _ = answer.send(done);
            }
            Message::Record(contact, order, answer) => {
                let now = self.thread.axis.now();
                let done = self.thread.switch.record(now, contact, order, &mut self.outputs);
                self.carry_out();
                let _ = answer.send(done);
            }
            Message::Supervise(contact, order, answer) => {
                let now = self.thread.axis.now();
                let done = self.thread.switch.supervise(now, contact, &order, &mut self.outputs);
                self.carry_out();
                let _ = answer.send(done);
            }
            Message::Transfer(user, order, answer) => {
                let now = self.thread.axis.now();
                let done = self.thread.switch.transfer(now, &user, &order, &mut self.outputs);
                self.carry_out();
                let _ = answer.send(done);
            }
            Message::TestCall(TestCall { trunk, number }, answer) => {
                let now = self.thread.axis.now();
                let placed = self.thread.switch.test_call(now, &trunk, &number, &mut self.outputs);
                self.carry_out();
                let _ = answer.send(placed);
            }
            Message::Shutdown => {
                self.ending = Some(self.thread.axis.now() + SHUTDOWN_LIMIT);
                self.handle(Input::Shutdown);
            }
        }
    }

    /// Tells the switch when it is behind with what comes, and when it no longer is.
    fn measure(&mut self) {
        let waits = self.more || self.thread.datagrams.is_readable();
        if let Some(is_behind) = self.behind.observe(self.thread.axis.now(), waits) {
            self.handle(Input::Overload(is_behind));
        }
    }

    /// Tells the switch of failed flows and of the time.
    fn fire(&mut self) {
        for flow in std::mem::take(&mut self.failed) {
            self.handle(Input::FlowFailed(flow));
        }
        let now = self.thread.axis.now();
        if self.thread.switch.next_timeout().is_some_and(|at| at <= now) {
            self.handle(Input::Timeout);
        }
    }

    fn alarm(&mut self, text: String) {
        self.handle(Input::Media(rtp::control::Event::Alarm(text)));
    }

    fn handle(&mut self, input: Input) {
        let now = self.thread.axis.now();
        self.thread.switch.handle(now, input, &mut self.outputs);
        self.carry_out();
    }

    /// Does what the switch has asked for.
    fn carry_out(&mut self) {
        let mut outputs = std::mem::take(&mut self.outputs);
        // What goes to the network goes last: a media thread that sleeps is woken once for all commands, and
        // its ports are open before a peer hears of them.
        for output in outputs.drain(..) {
            match output {
                Output::Send { flow, bytes } => self.sends.push((flow, bytes)),
                Output::Media(command) => self.thread.engine.send(command),
                Output::Dns(question) => self.thread.resolver.ask(question),
                Output::Certificate(url) => self.thread.fetcher.fetch(url),
                Output::Http { id, client, request, within } => {
                    self.thread.requests.send(id, &client, request, within);
                }
                Output::CancelHttp(id) => self.thread.requests.cancel(id),
                Output::RemoveFile(path) => {
                    self.thread.tasks.spawn_blocking(move || voicemail::remove_file(&path));
                }
                Output::Event(event) => self.thread.journal.append(event),
            }
        }
        let mut sends = std::mem::take(&mut self.sends);
        for (flow, bytes) in sends.drain(..) {
            self.send(flow, bytes);
        }
        self.sends = sends;
        self.outputs = outputs;
    }

    fn send(&mut self, flow: Flow, bytes: Bytes) {
        let sent = match flow.transport {
            Transport::Udp => self.thread.datagrams.send(&flow, &bytes).is_ok(),
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                let peer = self.thread.switch.tls_peer(flow.domain);
                self.thread.streams.send(&flow, bytes, peer).is_ok()
            }
        };
        if !sent {
            self.failed.push(flow);
        }
    }

    fn is_over(&self) -> bool {
        self.ending.is_some_and(|limit| self.thread.switch.is_stopped() || limit <= self.thread.axis.now())
    }

    /// Ends media, takes what it still says into the log, and gives the journal back.
    fn end(self) -> Journal {
        let Signalling { mut switch, axis, mut inbox, engine, mut journal, .. } = self.thread;
        engine.shutdown();
        let mut outputs = self.outputs;
        while let Some(event) = inbox.next_media() {
            switch.handle(axis.now(), Input::Media(event), &mut outputs);
        }
        for output in outputs {
            match output {
                Output::Event(event) => journal.append(event),
                Output::RemoveFile(path) => voicemail::remove_file(&path),
                _ => {}
            }
        }
        journal
    }
}
