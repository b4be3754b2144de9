use crate::clock::Clock;
use crate::mailbox::{Inbox, Input, Mailbox, mailbox, passage};
use crate::ports::{self, PortPool};
use crate::recorder::{Recorder, Writer};
use crate::thread::{MediaThread, Surroundings};
use crate::{MediaError, prompts, recorder};
use rtp::control::{Command, Event, RecordingId, RoomId, StreamId};
use secure::Identity;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The most threads, far beyond the cores of a machine.
const MAX_THREADS: usize = 1_024;

/// How the engine runs.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// How many media threads; one a core is usual.
    pub threads: usize,
    /// The local address that RTP sockets are bound to. Peers must be of its family.
    pub address: IpAddr,
    /// Local ports; the even ones carry RTP. They are shared out evenly among the threads.
    pub ports: RangeInclusive<u16>,
    /// After how long without a packet [`Event::Silent`] is told; 30 s is usual.
    pub silence: Duration,
    /// After how long a party that has said nothing while it is sent media is told as [`Event::OneWay`], and how
    /// often; 5 s is usual.
    pub one_way: Duration,
    /// How many bound sockets each thread keeps ahead of the streams to come; 128 is usual.
    pub ready: usize,
    /// Our certificate in DTLS; without one no browser can be served.
    pub identity: Option<Identity>,
}

/// Where the engine's events go.
pub(crate) type Events = Arc<dyn Fn(Event) + Send + Sync>;

/// The running engine: the handle of the one thread that commands it. Dropping it shuts it down.
pub struct Engine {
    mailboxes: Vec<Mailbox>,
    threads: Vec<JoinHandle<()>>,
    events: Events,
    /// Which thread owns a stream, and which of its recordings may be going on.
    streams: HashMap<StreamId, Home>,
    recordings: HashMap<RecordingId, StreamId>,
    rooms: HashMap<RoomId, Hall>,
}

#[derive(Debug)]
struct Home {
    thread: usize,
    /// The thread that its port is one of.
    lender: usize,
    recordings: Vec<RecordingId>,
    room: Option<RoomId>,
}

/// Where a room is, as long as it has members.
#[derive(Debug)]
struct Hall {
    thread: usize,
    members: usize,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("threads", &self.threads.len())
            .field("streams", &self.streams)
            .finish()
    }
}

impl Engine {
    /// Starts the threads. The first [`Event::Ready`] follows at once.
    ///
    /// `events` is called on the engine's threads: it must be cheap and must never wait for the thread
    /// that calls [`Engine::send`], which may be waiting for the engine.
    ///
    /// # Errors
    /// [`MediaError`]; nothing is left running then.
    pub fn start(
        config: EngineConfig,
        events: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Self, MediaError> {
        let shares = share_ports(&config)?;
        ports::bind(config.address, 0)
            .map_err(|source| MediaError::Address { address: config.address, source })?;
        let mut engine = Self {
            mailboxes: Vec::new(),
            threads: Vec::new(),
            events: Arc::new(events),
            streams: HashMap::new(),
            recordings: HashMap::new(),
            rooms: HashMap::new(),
        };
        engine.spawn_all(&config, &shares)?;
        Ok(engine)
    }

    /// Hands a command to the thread that owns its stream. A command for a stream that is gone is ignored.
    /// Waits while that thread's queue is full, which lasts a millisecond at most while it is well.
    pub fn send(&mut self, command: Command) {
        self.gather(&command);
        if let Some(thread) = self.route(&command) {
            self.deliver(thread, Input::Command(command));
        }
    }

    fn deliver(&self, thread: usize, input: Input) {
        let Some(mailbox) = self.mailboxes.get(thread) else { return };
        if !mailbox.deliver(input) {
            (self.events)(Event::Alarm(format!(
                "media thread {thread} has stopped and with it its calls; restart the server and report its log"
            )));
        }
    }

    /// Brings those who are to hear each other to one thread, and who ends to the thread that lent its port.
    fn gather(&mut self, command: &Command) {
        match command {
            Command::Bridge { a, b } => {
                if let Some(thread) = self.streams.get(a).map(|home| home.thread)
                    && self.streams.contains_key(b)
                {
                    self.exit(*a);
                    self.exit(*b);
                    self.move_to(*b, thread);
                }
            }
            Command::Join { room, stream, .. } => {
                if let Some(thread) = self.enter(*room, *stream) {
                    self.move_to(*stream, thread);
                }
            }
            Command::Close { stream } => {
                self.exit(*stream);
                if let Some(lender) = self.streams.get(stream).map(|home| home.lender) {
                    self.move_to(*stream, lender);
                }
            }
            _ => {}
        }
    }

    /// Lets a stream live on that thread from now on. What it is told afterwards waits there until it has come.
    fn move_to(&mut self, stream: StreamId, thread: usize) {
        let Some(home) = self.streams.get_mut(&stream).filter(|home| home.thread != thread) else { return };
        let from = std::mem::replace(&mut home.thread, thread);
        let Some(mailbox) = self.mailboxes.get(thread) else { return };
        let (passage, arrival) = passage(mailbox.clone());
        self.deliver(from, Input::Depart { stream, passage });
        self.deliver(thread, Input::Await(arrival));
    }

    /// Closes every stream (with its [`Event::Closed`]), finishes the recordings and joins the threads.
    pub fn shutdown(self) {
        drop(self);
    }

    fn spawn_all(&mut self, config: &EngineConfig, shares: &[Vec<u16>]) -> Result<(), MediaError> {
        let clock = Clock::start();
        let dropped = Arc::new(AtomicU64::new(0));
        let (frames, frames_queue) = sync_channel(recorder::QUEUE);
        let (requests, requests_queue) = sync_channel(prompts::QUEUE);
        let writer = Writer::new(frames_queue, Arc::clone(&self.events), clock, Arc::clone(&dropped));
        let mut inboxes = Vec::new();
        for _ in shares {
            let (mailbox, inbox) = mailbox()?;
            self.mailboxes.push(mailbox);
            inboxes.push(inbox);
        }
        let mailboxes = self.mailboxes.clone();
        self.spawn("media-writer", move || writer.run())?;
        self.spawn("media-files", move || prompts::run(&requests_queue, &mailboxes))?;
        for (index, (inbox, share)) in inboxes.into_iter().zip(shares).enumerate() {
            let surroundings = Surroundings {
                index,
                clock,
                events: Arc::clone(&self.events),
                requests: SyncSender::clone(&requests),
                recorder: Recorder::new(SyncSender::clone(&frames), Arc::clone(&dropped)),
                silence: config.silence,
                identity: config.identity.clone(),
                one_way: config.one_way,
            };
            self.spawn_media(surroundings, inbox, config, share)?;
        }
        Ok(())
    }

    fn spawn_media(
        &mut self,
        surroundings: Surroundings,
        inbox: Inbox,
        config: &EngineConfig,
        share: &[u16],
    ) -> Result<(), MediaError> {
        let index = surroundings.index;
        let pool = PortPool::new(index as u16, config.address, share, config.ready);
        let thread = MediaThread::new(surroundings, inbox, pool)?;
        self.spawn(&format!("media-{index}"), move || thread.run())?;
        Ok(())
    }

    fn spawn(&mut self, name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(std::thread::Builder::new().name(name.to_owned()).spawn(body)?);
        Ok(())
    }

    /// Keeps book of a stream that comes into a room; the thread of the room, which is that of its first member.
    fn enter(&mut self, room: RoomId, stream: StreamId) -> Option<usize> {
        let home = self.streams.get(&stream)?;
        let thread = home.thread;
        if home.room != Some(room) {
            self.exit(stream);
            self.rooms.entry(room).or_insert(Hall { thread, members: 0 }).members += 1;
            self.streams.get_mut(&stream)?.room = Some(room);
        }
        self.rooms.get(&room).map(|hall| hall.thread)
    }

    /// Keeps book of a stream that is in no room from now on.
    fn exit(&mut self, stream: StreamId) {
        let Some(room) = self.streams.get_mut(&stream).and_then(|home| home.room.take()) else { return };
        let Some(hall) = self.rooms.get_mut(&room) else { return };
        hall.members -= 1;
        if hall.members == 0 {
            self.rooms.remove(&room);
        }
    }

    /// The thread of the command's stream, and the books kept of streams and recordings.
    fn route(&mut self, command: &Command) -> Option<usize> {
        let stream = match command {
            Command::Open { stream, local } => {
                let thread = usize::from(local.thread);
                self.streams
                    .insert(*stream, Home { thread, lender: thread, recordings: Vec::new(), room: None });
                *stream
            }
            Command::Record { stream, recording, .. } | Command::RecordMessage { stream, recording, .. } => {
                self.streams.get_mut(stream)?.recordings.push(*recording);
                self.recordings.insert(*recording, *stream);
                *stream
            }
            Command::HushRecording { recording, .. } | Command::ResumeRecording { recording } => {
                *self.recordings.get(recording)?
            }
            Command::StopRecording { recording } => self.recordings.remove(recording)?,
            Command::Close { stream } => {
                let home = self.streams.remove(stream)?;
                for recording in home.recordings {
                    self.recordings.remove(&recording);
                }
                return Some(home.thread);
            }
            Command::Leave { stream } => {
                self.exit(*stream);
                *stream
            }
            Command::Bridge { a: stream, .. }
            | Command::Setup { stream, .. }
            | Command::Play { stream, .. }
            | Command::StopPlay { stream, .. }
            | Command::SendDigits { stream, .. }
            | Command::KeepKeys { stream }
            | Command::Join { stream, .. }
            | Command::Unbridge { stream } => *stream,
        };
        self.streams.get(&stream).map(|home| home.thread)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for mailbox in self.mailboxes.drain(..) {
            // A thread that has ended needs no word.
            let _gone = mailbox.deliver(Input::Shutdown);
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                (self.events)(Event::Alarm(
                    "a media thread had stopped before its time; report the server's log".into(),
                ));
            }
        }
    }
}

/// Each thread's even ports, dealt out in turn.
fn share_ports(config: &EngineConfig) -> Result<Vec<Vec<u16>>, MediaError> {
    if !(1..=MAX_THREADS).contains(&config.threads) {
        return Err(MediaError::Threads(config.threads));
    }
    let even: Vec<u16> = config.ports.clone().filter(|port| *port != 0 && port % 2 == 0).collect();
    if even.len() < config.threads {
        return Err(MediaError::PortRange {
            first: *config.ports.start(),
            last: *config.ports.end(),
            even: even.len(),
            threads: config.threads,
        });
    }
    let mut shares = vec![Vec::new(); config.threads];
    for (index, port) in even.into_iter().enumerate() {
        shares[index % config.threads].push(port);
    }
    Ok(shares)
}
