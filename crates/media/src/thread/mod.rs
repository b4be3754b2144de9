//! A media thread: its streams, and the loop that moves their packets.

mod browser;
mod commands;
mod fax;
mod feedback;
mod keys;
mod leg;
mod pace;
mod protection;
mod relay;
mod room;
mod slots;
mod transcode;
mod travel;

use crate::clock::Clock;
use crate::engine::Events;
use crate::mailbox::{Inbox, Input};
use crate::ports::PortPool;
use crate::prompts::Request;
use crate::recorder::Recorder;
use clock::{Duration, Time};
use feedback::REPORT;
use pace::Pacer;
use relay::DATAGRAM;
use room::Room;
use rtp::control::{Event, RecordingId, RoomId, StreamId};
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::time::Timespec;
use secure::Identity;
use slots::Slots;
use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc::SyncSender;
pub(crate) use travel::Traveller;

/// The shortest time between two looks at the sockets: waking up for each packet would cost more than
/// the packet.
const TICK: Duration = Duration::from_millis(1);

/// How often silence, unfinished digits and reports are looked after.
const HOUSEKEEPING: Duration = Duration::from_millis(100);

/// Sockets that one system call may report.
const EVENTS: usize = 1_024;

/// How often a tick may ask for packets: enough to catch up after the thread was kept from running.
const ROUNDS: usize = 16;

/// The bell's place among the epoll data; streams have their slot there.
const BELL: u64 = u64::MAX;

/// What a media thread has from the engine.
pub(crate) struct Surroundings {
    /// Its number, from 0.
    pub(crate) index: usize,
    pub(crate) clock: Clock,
    pub(crate) events: Events,
    pub(crate) requests: SyncSender<Request>,
    pub(crate) recorder: Recorder,
    /// Our certificate in DTLS.
    pub(crate) identity: Option<Identity>,
    /// After how long without a packet a stream is silent.
    pub(crate) silence: Duration,
    /// After how long media that flows one way is told.
    pub(crate) one_way: Duration,
}

/// One media thread with all that it owns.
pub(crate) struct MediaThread {
    around: Surroundings,
    inbox: Inbox,
    pool: PortPool,
    epoll: OwnedFd,
    legs: Slots,
    recordings: HashMap<RecordingId, StreamId>,
    rooms: HashMap<RoomId, Room>,
    pacer: Pacer,
    datagram: Box<[u8; DATAGRAM]>,
    report: Vec<u8>,
    next_housekeeping: Time,
}

/// Whether the loop goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Continue,
    Stop,
}

/// Whether packets came or went in a turn of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Quiet,
    Busy,
}

impl Surroundings {
    /// Tells the switch.
    fn tell(&self, event: Event) {
        (self.events)(event);
    }
}

impl MediaThread {
    /// A thread without streams.
    pub(crate) fn new(around: Surroundings, inbox: Inbox, pool: PortPool) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        // Each ring is reported once, so that nobody needs to read the counter.
        let rings = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&epoll, inbox.descriptor(), epoll::EventData::new_u64(BELL), rings)?;
        Ok(Self {
            around,
            inbox,
            pool,
            epoll,
            legs: Slots::default(),
            recordings: HashMap::new(),
            rooms: HashMap::new(),
            pacer: Pacer::default(),
            datagram: Box::new([0; DATAGRAM]),
            report: Vec::with_capacity(REPORT),
            next_housekeeping: Time::ZERO,
        })
    }

    /// Works until it is told to stop.
    pub(crate) fn run(mut self) {
        let mut reported = Vec::with_capacity(EVENTS);
        loop {
            let now = self.around.clock.now();
            while let Some(input) = self.inbox.next() {
                if self.take(now, input) == Flow::Stop {
                    return self.close_all(now);
                }
            }
            self.refill(now);
            let turn = self.receive(now, &mut reported).max(self.send_due(now));
            if now >= self.next_housekeeping {
                self.next_housekeeping = now + HOUSEKEEPING;
                self.keep_house(now);
            }
            if self.rest(now, turn, &mut reported) == Flow::Stop {
                return self.close_all(self.around.clock.now());
            }
        }
    }

    fn take(&mut self, now: Time, input: Input) -> Flow {
        match input {
            Input::Command(command) => self.obey(now, command),
            Input::Loaded { ticket, codec, audio } => self.loaded(now, ticket, codec, audio),
            Input::Depart { stream, passage } => passage.hand_over(self.depart(stream)),
            Input::Arrived(traveller) => self.arrive(now, *traveller),
            // The inbox keeps it to itself.
            Input::Await(_) => {}
            Input::Shutdown => return Flow::Stop,
        }
        Flow::Continue
    }

    fn refill(&mut self, now: Time) {
        let refill = self.pool.refill(now);
        if !refill.ready.is_empty() {
            self.around.tell(Event::Ready(refill.ready));
        }
        if let Some(alarm) = refill.alarm {
            self.around.tell(Event::Alarm(alarm));
        }
    }

    /// Takes what was reported: one packet of each socket a round, so that no stream waits for another's
    /// burst; what remains after the last round is reported again on the next tick.
    fn receive(&mut self, now: Time, reported: &mut Vec<epoll::Event>) -> Turn {
        let mut turn = Turn::Quiet;
        for _ in 0..ROUNDS {
            // Whoever rang has been heard by now: the mailbox is read first.
            reported.retain(|event| event.data.u64() != BELL);
            if reported.is_empty() {
                break;
            }
            turn = Turn::Busy;
            for event in reported.iter() {
                self.receive_reported(now, event.data.u64());
            }
            self.wait(reported, Some(Duration::ZERO));
        }
        turn
    }

    /// Waits until descriptors are reported.
    fn wait(&self, reported: &mut Vec<epoll::Event>, timeout: Option<Duration>) {
        reported.clear();
        let timeout =
            timeout.map(|t| Timespec { tv_sec: t.as_secs() as i64, tv_nsec: t.subsec_nanos().into() });
        // The only failure possible is an interruption by a signal, after which the loop comes again.
        let _interrupted = epoll::wait(&self.epoll, spare_capacity(reported), timeout.as_ref());
    }

    /// Rests out the tick after packets, then sleeps until one comes, somebody rings or something is due.
    /// So under load every tick finds packets to work on together, and a stream that is silent costs
    /// nothing.
    fn rest(&mut self, now: Time, turn: Turn, reported: &mut Vec<epoll::Event>) -> Flow {
        reported.clear();
        if turn == Turn::Busy {
            std::thread::sleep((now + TICK).since(self.around.clock.now()));
        }
        let held = (!self.around.recorder.flush()).then(|| now + TICK);
        let now = self.around.clock.now();
        if let Some(input) = self.inbox.fall_asleep() {
            return self.take(now, input);
        }
        let house = (!self.legs.is_empty()).then_some(self.next_housekeeping);
        let due = [house, held, self.pacer.next(), self.pool.next_refill()].into_iter().flatten().min();
        self.wait(reported, due.map(|due| due.since(now)));
        self.inbox.wake_up();
        Flow::Continue
    }

    /// Looks after what nothing else reminds of.
    fn keep_house(&mut self, now: Time) {
        for slot in 0..self.legs.slots() {
            let Some(leg) = self.legs.due(now, slot) else { continue };
            leg.tell_overdue(now, &self.around);
            leg.tell_one_way(now, &self.around);
            leg.report(now, &mut self.report);
            let next = leg.next_look(self.around.silence);
            self.legs.look_again(slot, next);
        }
    }
}
