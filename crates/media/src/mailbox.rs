//! How the other threads reach a media thread: a bounded queue and a descriptor that wakes it.

use crate::prompts::{Audio, Ticket};
use rtp::Codec;
use rtp::control::Command;
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
}

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
    Ok((Mailbox { queue: sender, bell: Arc::clone(&bell) }, Inbox { queue: receiver, bell }))
}

impl Mailbox {
    /// Delivers, waiting while the queue is full; `false` if the thread has ended.
    #[must_use]
    pub(crate) fn deliver(&self, input: Input) -> bool {
        if self.queue.send(input).is_err() {
            return false;
        }
        // Pairs with the fence in `Inbox::fall_asleep`: either we see it asleep or it sees our message.
        fence(Ordering::SeqCst);
        if self.bell.asleep.swap(false, Ordering::SeqCst) {
            // It fails only if the counter is full, and then the thread is awake already.
            let _full = rustix::io::write(&self.bell.descriptor, &1_u64.to_ne_bytes());
        }
        true
    }
}

impl Inbox {
    /// The next message; [`Input::Shutdown`] once nobody can send any more.
    pub(crate) fn next(&self) -> Option<Input> {
        match self.queue.try_recv() {
            Ok(input) => Some(input),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Input::Shutdown),
        }
    }

    /// Announces that the thread is about to wait for its descriptor; returns a message that came
    /// meanwhile, in which case it must not wait.
    pub(crate) fn fall_asleep(&self) -> Option<Input> {
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
