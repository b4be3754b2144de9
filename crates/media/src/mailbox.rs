//! How the other threads reach a media thread: a bounded queue and a descriptor that wakes it; and how a stream goes
//! from one to another.

use crate::prompts::{Audio, Ticket};
use crate::thread::Traveller;
use rtp::Codec;
use rtp::control::{Command, StreamId};
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

/// Messages that may wait: a media thread that is awake reads them each millisecond.
const QUEUE: usize = 4_096;

/// What a media thread is told.
#[derive(Debug)]
pub(crate) enum Input {
    /// By the switch.
    Command(Command),
    /// By the file thread.
    Loaded { ticket: Ticket, codec: Codec, audio: Audio },
    /// A stream goes to another thread.
    Depart { stream: StreamId, passage: Passage },
    /// A stream comes from another thread: nothing behind this is read before it is here. Its [`Depart`](Self::Depart)
    /// was sent first, so that no threads ever wait for each other in a circle.
    Await(Arrival),
    /// What was awaited.
    Arrived(Box<Traveller>),
    /// By the engine's end.
    Shutdown,
}

/// The sending end.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    queue: SyncSender<Input>,
    bell: Arc<Bell>,
}

/// The receiving end, owned by the media thread.
#[derive(Debug)]
pub(crate) struct Inbox {
    queue: Receiver<Input>,
    bell: Arc<Bell>,
    /// The stream that has to be here before the queue is read on.
    awaited: Option<Arrival>,
}

/// Where a stream that departs is handed over.
#[derive(Debug)]
pub(crate) struct Passage {
    hand: SyncSender<Box<Traveller>>,
    to: Mailbox,
}

/// Where it comes in.
#[derive(Debug)]
pub(crate) struct Arrival(Receiver<Box<Traveller>>);

/// Wakes the thread, at the price of a system call only if it sleeps.
#[derive(Debug)]
struct Bell {
    asleep: AtomicBool,
    descriptor: OwnedFd,
}

/// A connected pair.
pub(crate) fn mailbox() -> io::Result<(Mailbox, Inbox)> {
    let descriptor = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
    let bell = Arc::new(Bell { asleep: AtomicBool::new(false), descriptor });
    let (sender, receiver) = sync_channel(QUEUE);
    Ok((Mailbox { queue: sender, bell: Arc::clone(&bell) }, Inbox { queue: receiver, bell, awaited: None }))
}

/// A way for one stream to the thread of that mailbox.
pub(crate) fn passage(to: Mailbox) -> (Passage, Arrival) {
    let (hand, arrival) = sync_channel(1);
    (Passage { hand, to }, Arrival(arrival))
}

impl Passage {
    /// Hands the stream over, or tells that it is gone, and wakes who waits for it.
    pub(crate) fn hand_over(self, traveller: Option<Box<Traveller>>) {
        if let Some(traveller) = traveller {
            // There is room for one, and a thread that has ended needs none.
            let _gone = self.hand.try_send(traveller);
        }
        drop(self.hand);
        self.to.bell.ring();
    }
}

impl Mailbox {
    /// Delivers, waiting while the queue is full; `false` if the thread has ended.
    #[must_use]
    pub(crate) fn deliver(&self, input: Input) -> bool {
        if self.queue.send(input).is_err() {
            return false;
        }
        self.bell.ring();
        true
    }
}

impl Bell {
    /// Wakes the thread for what was left for it.
    fn ring(&self) {
        // Pairs with the fence in `Inbox::fall_asleep`: either we see it asleep or it sees our message.
        fence(Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::SeqCst) {
            // It fails only if the counter is full, and then the thread is awake already.
            let _full = rustix::io::write(&self.descriptor, &1_u64.to_ne_bytes());
        }
    }
}

impl Inbox {
    /// The next message; [`Input::Shutdown`] once nobody can send any more.
    pub(crate) fn next(&mut self) -> Option<Input> {
        loop {
            if let Some(Arrival(arrival)) = &self.awaited {
                let arrived = match arrival.try_recv() {
                    Ok(traveller) => Some(Input::Arrived(traveller)),
                    Err(TryRecvError::Empty) => return None,
                    // The stream was gone.
                    Err(TryRecvError::Disconnected) => None,
                };
                self.awaited = None;
                if arrived.is_some() {
                    return arrived;
                }
            }
            match self.queue.try_recv() {
                Ok(Input::Await(arrival)) => self.awaited = Some(arrival),
                Ok(input) => return Some(input),
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => return Some(Input::Shutdown),
            }
        }
    }

    /// Announces that the thread is about to wait for its descriptor; returns a message that came
    /// meanwhile, in which case it must not wait.
    pub(crate) fn fall_asleep(&mut self) -> Option<Input> {
        self.bell.asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let input = self.next();
        if input.is_some() {
            self.wake_up();
        }
        input
    }

    /// Announces that the thread is awake.
    pub(crate) fn wake_up(&self) {
        self.bell.asleep.store(false, Ordering::SeqCst);
    }

    /// Becomes readable anew with each ring; nobody reads it.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.bell.descriptor.as_fd()
    }
}
