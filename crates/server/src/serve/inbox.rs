//! What reaches the signalling thread from other threads, and how it is woken.
//!
//! Two bounded queues: the media threads never wait, so theirs is deep and refuses when it is full;
//! streams and HTTP wait for room, so that a flood slows its sender down and nobody else.

use super::control::Request;
use super::stream::StreamEvent;
use crate::load::Files;
use bytes::Bytes;
use clock::Time;
use events::{ContactId, Kind, StoredMessage};
use rtp::control::Event as MediaEvent;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc as threads;
use std::time::{Duration, Instant};
use switch::{
    AgentOrder, AgentRefused, AgentStatus, Applied, Ban, CallerOrder, CallerRefused, HttpAnswer,
    MessageOrder, MessageRefused, QueueStatus, RecordOrder, RecordRefused, RoomOrder, RoomRefused, RoomState,
    Snapshot, Spent, SuperviseOrder, SuperviseRefused, TestCallRefused, TransferOrder, TransferRefused,
    TrunkState,
};
use tokio::sync::{mpsc, oneshot};

/// Media events that may wait: two a call at 30,000 calls all at once.
const MEDIA_QUEUE: usize = 65_536;
/// Stream messages and commands that may wait before their senders do.
const SHELL_QUEUE: usize = 1_024;

/// A message from the shell's tasks to the signalling thread.
#[derive(Debug)]
pub(super) enum Message {
    /// Something happened on a TCP stream.
    Stream(StreamEvent),
    /// What the DNS says to a question of the switch.
    Dns(sip::Question, sip::Answer),
    /// What was found where the switch asked for a certificate.
    Certificate(Arc<str>, Result<Bytes, String>),
    /// What became of a flow's request.
    Http(u64, HttpAnswer),
    /// Apply a configuration that has been checked, with its files; the answer is how many calls go on with one before it.
    Apply(Applied, Files, oneshot::Sender<usize>),
    /// Put this into the log.
    Alarm(String),
    /// Count what is there.
    Snapshot(oneshot::Sender<Snapshot>),
    /// Say who is banned.
    Bans(oneshot::Sender<Vec<Ban>>),
    /// Say how the trunks are.
    Trunks(oneshot::Sender<Vec<TrunkState>>),
    /// Say what has been used of fraud limits.
    Fraud(oneshot::Sender<Vec<Spent>>),
    /// Lift the ban of an address; the answer is whether there was one.
    LiftBan(IpAddr, oneshot::Sender<bool>),
    /// The rooms that somebody is in.
    Rooms(oneshot::Sender<Vec<RoomState>>),
    /// Whose contact that is, if it is up.
    ClientOf(ContactId, oneshot::Sender<Option<Arc<str>>>),
    /// The user whose phone rings for an agent.
    PhoneOf(Arc<str>, oneshot::Sender<Option<Arc<str>>>),
    /// Put a request that has changed something into the log, with its HTTP status.
    Requested(Request, u16),
    /// What became of a recording of that contact.
    Recorded(ContactId, Kind),
    /// Put what an agent has noted of a contact into the log: the contact, its client, what, and who.
    Disposition(ContactId, [Arc<str>; 3]),
    /// End a contact; the answer is whether it was up.
    Hangup(ContactId, oneshot::Sender<bool>),
    /// All agents.
    Agents(oneshot::Sender<(Vec<AgentStatus>, Time)>),
    /// All queues, with those who wait.
    Queues(oneshot::Sender<Vec<QueueStatus>>),
    /// Do something with an agent, as somebody wants.
    DirectAgent(Arc<str>, (AgentOrder, Arc<str>), oneshot::Sender<Result<(), AgentRefused>>),
    /// Do something with a caller that waits, as somebody wants.
    DirectCaller(ContactId, (CallerOrder, Arc<str>), oneshot::Sender<Result<(), CallerRefused>>),
    /// Why a contact waits.
    WhyWaiting(ContactId, oneshot::Sender<Option<String>>),
    /// Why an agent is offered nothing.
    WhyIdle(Arc<str>, oneshot::Sender<Option<String>>),
    /// Do something with the caller of a contact in its room.
    DirectRoom(ContactId, RoomOrder, oneshot::Sender<Result<(), RoomRefused>>),
    /// The messages of callers.
    Voicemail(oneshot::Sender<Vec<StoredMessage>>),
    /// Do something with a message, as somebody wants.
    DirectVoicemail(u64, (MessageOrder, Arc<str>), oneshot::Sender<Result<(), MessageRefused>>),
    /// Do something with the recording of a contact.
    Record(ContactId, RecordOrder, oneshot::Sender<Result<(), RecordRefused>>),
    /// Let a user supervise a call, or change or end that.
    Supervise(ContactId, SuperviseOrder, oneshot::Sender<Result<(), SuperviseRefused>>),
    /// Transfer the call of a user; the answer is the contact.
    Transfer(String, TransferOrder, oneshot::Sender<Result<ContactId, TransferRefused>>),
    /// Call a number by a trunk; the answer is the contact.
    TestCall(TestCall, oneshot::Sender<Result<ContactId, TestCallRefused>>),
    /// End every call and then the thread.
    Shutdown,
}

/// A call that is asked for, to test a trunk.
#[derive(Debug)]
pub(super) struct TestCall {
    pub(super) trunk: String,
    pub(super) number: String,
}

/// The signalling thread's end.
pub(super) struct Inbox {
    media: threads::Receiver<MediaEvent>,
    shell: mpsc::Receiver<Message>,
    bell: Arc<Bell>,
}

/// Everybody else's end of the shell's queue.
#[derive(Clone)]
pub(super) struct Sender {
    queue: mpsc::Sender<Message>,
    bell: Arc<Bell>,
}

/// The media threads' end.
#[derive(Clone)]
pub(super) struct MediaSender {
    queue: threads::SyncSender<MediaEvent>,
    bell: Arc<Bell>,
}

/// The signalling thread has ended.
#[derive(Debug, thiserror::Error)]
#[error("the switch is shutting down")]
pub struct Gone;

/// The queues of a signalling thread that `waker` wakes.
pub(super) fn inbox(waker: mio::Waker) -> (Inbox, Sender, MediaSender) {
    let bell = Arc::new(Bell { waker, rung: AtomicBool::new(false), lost: AtomicU64::new(0) });
    let (media_sender, media) = threads::sync_channel(MEDIA_QUEUE);
    let (shell_sender, shell) = mpsc::channel(SHELL_QUEUE);
    (
        Inbox { media, shell, bell: bell.clone() },
        Sender { queue: shell_sender, bell: bell.clone() },
        MediaSender { queue: media_sender, bell },
    )
}

impl Inbox {
    /// Says that what is queued from now on needs a new wake-up. To be called before the queues are read.
    pub(super) fn answer_bell(&self) {
        self.bell.rung.swap(false, Ordering::SeqCst);
    }

    /// The next media event, without waiting.
    pub(super) fn next_media(&mut self) -> Option<MediaEvent> {
        self.media.try_recv().ok()
    }

    /// Waits for the first RTP ports, and gives all that the engine has said until then.
    ///
    /// # Errors
    /// The engine's alarm, or that nothing came before `limit`.
    pub(super) fn wait_for_ports(&mut self, limit: Duration) -> Result<Vec<MediaEvent>, String> {
        let deadline = Instant::now() + limit;
        let mut said = Vec::new();
        loop {
            match self.media.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(MediaEvent::Alarm(text)) => return Err(text),
                Ok(event @ MediaEvent::Ready(_)) => {
                    said.push(event);
                    return Ok(said);
                }
                Ok(event) => said.push(event),
                Err(_) => return Err(format!("no RTP port was ready within {} s", limit.as_secs())),
            }
        }
    }

    /// The next message, without waiting.
    pub(super) fn next_message(&mut self) -> Option<Message> {
        self.shell.try_recv().ok()
    }

    /// How many media events found the queue full since the last call.
    pub(super) fn take_lost(&self) -> u64 {
        self.bell.lost.swap(0, Ordering::Relaxed)
    }
}

impl Sender {
    /// Queues a message, waiting for room.
    ///
    /// # Errors
    /// [`Gone`] once the signalling thread has ended.
    pub(super) async fn send(&self, message: Message) -> Result<(), Gone> {
        self.queue.send(message).await.map_err(|_| Gone)?;
        self.bell.ring();
        Ok(())
    }
}

impl MediaSender {
    /// Queues an event without ever waiting; one that finds the queue full is counted and dropped.
    pub(super) fn send(&self, event: MediaEvent) {
        if let Err(threads::TrySendError::Full(_)) = self.queue.try_send(event) {
            self.bell.lost.fetch_add(1, Ordering::Relaxed);
        }
        self.bell.ring();
    }
}

/// Wakes the signalling thread once per batch instead of once per message.
struct Bell {
    waker: mio::Waker,
    rung: AtomicBool,
    lost: AtomicU64,
}

impl Bell {
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            self.report(&error);
        }
    }

    fn report(&self, error: &io::Error) {
        self.rung.store(false, Ordering::SeqCst);
        tracing::error!("the signalling thread cannot be woken: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAKE: mio::Token = mio::Token(0);

    fn queues() -> (mio::Poll, Inbox, Sender, MediaSender) {
        let poll = mio::Poll::new().expect("poll");
        let (inbox, sender, media) = inbox(mio::Waker::new(poll.registry(), WAKE).expect("waker"));
        (poll, inbox, sender, media)
    }

    fn wakes(poll: &mut mio::Poll) -> usize {
        let mut events = mio::Events::with_capacity(4);
        poll.poll(&mut events, Some(Duration::ZERO)).expect("poll");
        events.iter().count()
    }

    #[test]
    fn many_events_wake_the_thread_once_until_it_answers() {
        let (mut poll, mut inbox, _sender, media) = queues();
        for _ in 0..3 {
            media.send(MediaEvent::Alarm("x".into()));
        }
        assert_eq!(wakes(&mut poll), 1);
        inbox.answer_bell();
        assert_eq!(std::iter::from_fn(|| inbox.next_media()).count(), 3);
        media.send(MediaEvent::Alarm("y".into()));
        assert_eq!(wakes(&mut poll), 1);
    }

    #[test]
    fn a_full_media_queue_counts_what_it_drops() {
        let (_poll, inbox, _sender, media) = queues();
        for _ in 0..MEDIA_QUEUE + 5 {
            media.send(MediaEvent::Ready(Vec::new()));
        }
        assert_eq!(inbox.take_lost(), 5);
        assert_eq!(inbox.take_lost(), 0);
    }

    #[test]
    fn a_node_waits_for_its_first_ports_or_for_the_reason_why_there_are_none() {
        let (_poll, mut inbox, _sender, media) = queues();
        media.send(MediaEvent::Ready(Vec::new()));
        assert_eq!(inbox.wait_for_ports(Duration::ZERO), Ok(vec![MediaEvent::Ready(Vec::new())]));
        media.send(MediaEvent::Alarm("all in use".into()));
        assert_eq!(inbox.wait_for_ports(Duration::ZERO), Err("all in use".into()));
        assert!(inbox.wait_for_ports(Duration::ZERO).is_err());
    }

    #[tokio::test]
    async fn a_sender_learns_that_the_thread_has_ended() {
        let (_poll, inbox, sender, _media) = queues();
        sender.send(Message::Shutdown).await.expect("there is room");
        drop(inbox);
        assert!(sender.send(Message::Shutdown).await.is_err());
    }
}
