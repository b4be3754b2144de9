//! A SIP phone on a thread of its own: registers, calls, answers, speaks, presses keys, and keeps what it
//! hears. It has real sockets and shares no state with the node that it calls.

mod audio;
mod line;
mod registration;
mod voice;

pub use audio::Heard;
pub use voice::{find, level, read_wav};

use line::Line;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Who a phone is, and where.
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// The user part of its address.
    pub user: String,
    /// Its digest password; a trunk has none.
    pub password: Option<String>,
    /// The local address of its sockets.
    pub address: IpAddr,
    /// The switch.
    pub server: SocketAddr,
}

/// What happens on a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneEvent {
    /// The registrar has accepted its REGISTER.
    Registered,
    /// The registrar has not: its answer, if there was one.
    NotRegistered(Option<u16>),
    /// It rings.
    Incoming {
        /// The caller as From shows it.
        from: String,
    },
    /// The caller, or the switch, has taken an incoming call back.
    Cancelled {
        /// The Reason header field (RFC 3326).
        reason: Option<String>,
    },
    /// Its call makes progress, 180 for ringing.
    Progress(u16),
    /// Its call, or the one that it answered, is up.
    Up,
    /// Its call has failed.
    Failed(u16),
    /// The other end has hung up.
    HungUp,
    /// It has hung up, and the other end knows.
    Ended,
}

/// What a phone is to do.
#[derive(Clone, Debug)]
enum Order {
    Register { expires: u32 },
    Call(String),
    Answer,
    Speak(Arc<[i16]>),
    Press(char),
    HangUp,
    Stop,
}

/// The handle of a running phone. Dropping it stops the phone at once, without a BYE.
pub struct Phone {
    orders: mpsc::Sender<Order>,
    waker: Arc<mio::Waker>,
    events: mpsc::Receiver<PhoneEvent>,
    heard: Heard,
    thread: Option<JoinHandle<()>>,
}

impl Phone {
    /// Opens the phone's sockets on ports that the system chooses.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn start(config: PhoneConfig) -> io::Result<Self> {
        let (orders, ordered) = mpsc::channel();
        let (told, events) = mpsc::channel();
        let heard = Heard::default();
        let name = config.user.clone();
        let (line, waker) = Line::open(config, ordered, told, heard.clone())?;
        let thread = std::thread::Builder::new().name(name).spawn(move || line.run())?;
        Ok(Self { orders, waker: Arc::new(waker), events, heard, thread: Some(thread) })
    }

    /// Registers for so many seconds; 0 takes the registration back. [`PhoneEvent::Registered`] or
    /// [`PhoneEvent::NotRegistered`] follows.
    pub fn register(&self, expires: u32) {
        self.order(Order::Register { expires });
    }

    /// Calls a user or number at the switch.
    pub fn call(&self, number: &str) {
        self.order(Order::Call(number.to_owned()));
    }

    /// Answers the call that rings.
    pub fn answer(&self) {
        self.order(Order::Answer);
    }

    /// Says samples of 8 kHz, once, from now on.
    pub fn speak(&self, speech: Arc<[i16]>) {
        self.order(Order::Speak(speech));
    }

    /// Presses a key for a tenth of a second (RFC 4733).
    pub fn press(&self, digit: char) {
        self.order(Order::Press(digit));
    }

    /// Ends or refuses the call.
    pub fn hang_up(&self) {
        self.order(Order::HangUp);
    }

    /// Everything that this phone has heard in its calls' audio.
    pub fn heard(&self) -> &Heard {
        &self.heard
    }

    /// The next event, waiting until `deadline` for it.
    pub fn next_event(&self, deadline: Instant) -> Option<PhoneEvent> {
        self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
    }

    fn order(&self, order: Order) {
        // A phone whose thread has ended tells nothing more, which is what its owner waits for.
        let _ = self.orders.send(order);
        if let Err(error) = self.waker.wake() {
            tracing::error!("a phone cannot be woken: {error}");
        }
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.order(Order::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a phone's thread has panicked");
        }
    }
}

/// How long a phone sleeps at most: its clock's resolution is the sockets'.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
