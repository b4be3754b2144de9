//! Lamps: a phone subscribes to users and to its messages, refreshes, forgets, leaves, and does not always answer.

use super::register::is_stale;
use super::transaction::Purpose;
use super::{Act, Out, Phone};
use crate::dice::Dice;
use crate::wire::{self, Draft, Read};
use clock::{Duration, Time};
use rand_chacha::ChaCha12Rng;
use rsip::Header;
use rsip::headers::untyped::UntypedHeader;

/// Nothing is subscribed to or refreshed after this, so that every seed ends.
const LAST_REFRESH: Time = Time::from_secs(100);

/// What a phone knows of one subscription.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    event: &'static str,
    user: &'static str,
    call_id: String,
    tag: String,
    /// The notifier, with its tag once there is a subscription.
    remote: String,
    target: String,
    cseq: u32,
    expires: u32,
    habit: Habit,
    /// The credentials that the request under way carries were refused: once is enough.
    tried: bool,
}

/// How a phone keeps a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// It refreshes, and subscribes anew when it is told that it has none.
    Keeps,
    /// It never refreshes.
    Lapses,
    /// It asks once.
    Fetches,
    /// It ends it then.
    LeavesAt(Time),
    /// It has lost its memory then, and answers 481.
    ForgetsAt(Time),
    /// It answers nothing from then on.
    FallsSilentAt(Time),
}

impl Habit {
    fn draw(rng: &mut ChaCha12Rng) -> Self {
        let at = Time::from_secs(10) + rng.within(Duration::from_secs(80));
        match rng.below(10) {
            0..=4 => Self::Keeps,
            5 => Self::Lapses,
            6 => Self::Fetches,
            7 => Self::LeavesAt(at),
            8 => Self::ForgetsAt(at),
            _ => Self::FallsSilentAt(at),
        }
    }
}

impl Phone {
    /// Gives it subscriptions to keep up.
    pub(crate) fn will_watch(&mut self) {
        for _ in 0..1 + self.rng.below(3) {
            let (event, user) = match self.rng.below(20) {
                0 => ("presence", "alice"),
                1..=5 => ("message-summary", self.name),
                6 => ("message-summary", "bob"),
                _ => {
                    ("dialog", self.rng.pick(&["alice", "bob", "carol", "alice", "bob", "dave", "team", "x"]))
                }
            };
            let number = self.number();
            let expires = self.rng.pick(&[5, 30, 30, 60, 300]);
            let habit = Habit::draw(&mut self.rng);
            let watch = Watch {
                event,
                user,
                call_id: String::new(),
                tag: String::new(),
                remote: String::new(),
                target: String::new(),
                cseq: 0,
                expires,
                habit,
                tried: false,
            };
            self.watches.insert(number, watch);
            self.begin_watch(number);
            let at = Time::from_secs(2) + self.rng.within(Duration::from_secs(50));
            self.timers.set((number, Act::Subscribe), at);
        }
    }

    /// Forgets the dialog, if there was one: the next SUBSCRIBE is a new one.
    fn begin_watch(&mut self, number: u64) {
        let (call_id, tag) = (format!("{}-watch", self.token()), self.token());
        let Some(watch) = self.watches.get_mut(&number) else { return };
        let target = format!("sip:{}@{}", watch.user, self.switch);
        (watch.call_id, watch.tag, watch.cseq) = (call_id, tag, 0);
        (watch.remote, watch.target) = (format!("<{target}>"), target);
    }

    pub(super) fn send_subscribe(&mut self, now: Time, number: u64, sent: &mut Vec<Out>) {
        if now > LAST_REFRESH {
            return;
        }
        let contact = self.contact();
        let (via, branch) = self.via();
        let Some(mut watch) = self.watches.remove(&number) else { return };
        watch.cseq += 1;
        let leaves = matches!(watch.habit, Habit::LeavesAt(at) if at <= now) || watch.habit == Habit::Fetches;
        let expires = if leaves { 0 } else { watch.expires };
        let mut more: Vec<Header> = vec![
            rsip::headers::Event::new(watch.event).into(),
            rsip::headers::Expires::new(expires.to_string()).into(),
        ];
        if wire::tag_of(&watch.remote).is_none() {
            more.extend(self.credentials("SUBSCRIBE", &watch.target));
        }
        let bytes = Draft {
            method: "SUBSCRIBE",
            uri: &watch.target,
            via,
            from: &format!("<sip:{}@{}>;tag={}", self.name, self.switch.ip(), watch.tag),
            to: &watch.remote,
            call_id: &watch.call_id,
            cseq: watch.cseq,
            contact,
            more,
            sdp: None,
        }
        .write();
        self.watches.insert(number, watch);
        self.begin(now, (Purpose::Subscribe, number, "SUBSCRIBE"), branch, bytes, sent);
    }

    pub(super) fn on_subscribed(
        &mut self,
        now: Time,
        number: u64,
        read: &Read,
        status: u16,
        sent: &mut Vec<Out>,
    ) {
        let Some(watch) = self.watches.get_mut(&number).filter(|watch| watch.call_id == read.call_id) else {
            return;
        };
        match status {
            200 => {
                watch.tried = false;
                watch.remote.clone_from(&read.to);
                watch.target = read.contact.clone().unwrap_or_default();
                let left = read.expires.unwrap_or(0);
                let refresh = now + Duration::from_secs(left.into()) / 2;
                match watch.habit {
                    Habit::Lapses | Habit::Fetches => {}
                    Habit::LeavesAt(at) if at > now => {
                        self.timers.set((number, Act::Subscribe), at.min(refresh));
                    }
                    Habit::LeavesAt(_) => {}
                    _ => self.timers.set((number, Act::Subscribe), refresh),
                }
            }
            401 if !watch.tried || is_stale(read) => {
                watch.tried = true;
                self.learn_challenge(read);
                self.send_subscribe(now, number, sent);
            }
            423 => {
                watch.expires = read.min_expires.unwrap_or(3_600);
                self.send_subscribe(now, number, sent);
            }
            481 => self.watch_again(now, number),
            _ => {}
        }
    }

    pub(super) fn subscription_unanswered(&mut self, now: Time, number: u64) {
        self.watch_again(now, number);
    }

    /// It has no subscription any more, and wants one.
    fn watch_again(&mut self, now: Time, number: u64) {
        let keeps = self.watches.get(&number).is_some_and(|watch| watch.habit == Habit::Keeps);
        self.begin_watch(number);
        if keeps {
            let wait = self.rng.within(Duration::from_secs(4));
            self.timers.set((number, Act::Subscribe), now + wait);
        } else {
            self.timers.cancel((number, Act::Subscribe));
        }
    }

    /// A NOTIFY outside calls. It may come before the response to the SUBSCRIBE.
    pub(super) fn on_lamp(&mut self, now: Time, read: &Read, sent: &mut Vec<Out>) {
        let tag = wire::tag_of(&read.to).unwrap_or("");
        let found = self.watches.iter_mut().find(|(_, it)| it.call_id == read.call_id && it.tag == tag);
        let Some((&number, watch)) = found else { return self.respond(read, 481, sent) };
        match watch.habit {
            Habit::FallsSilentAt(at) if at <= now => return,
            Habit::ForgetsAt(at) if at <= now => return self.respond(read, 481, sent),
            _ => {}
        }
        // Some are slow: the answer is that to a copy.
        if self.transport == sip::Transport::Udp && self.rng.chance(100) {
            return;
        }
        let Some(watch) = self.watches.get_mut(&number) else { return };
        watch.remote.clone_from(&read.from);
        self.respond(read, 200, sent);
        self.pick_up(now, read, sent);
        let state = read.subscription_state.as_deref().unwrap_or("");
        if state.starts_with("terminated") && !state.contains("noresource") && !state.contains("rejected") {
            self.watch_again(now, number);
        }
    }
}
