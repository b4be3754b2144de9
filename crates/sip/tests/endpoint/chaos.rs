//! Whatever the network and the users do, everything drains to nothing, and each usage ends once.

use crate::world::{World, config, contact, offer};
use clock::{Duration, Time};
use proptest::prelude::*;
use sip::{Endpoint, EndpointConfig, Event, InviteId, Method, SentId, SessionTimers, Transport};
use std::collections::{BTreeMap, BTreeSet};

/// A small generator: xorshift, so that a failing seed says all.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What a user may do with a usage, at a moment.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Ring,
    EarlyMedia,
    Accept,
    Reject,
    Cancel,
    HangUp,
    Reinvite,
    Inform,
}

struct Chaos {
    world: World,
    dice: Dice,
    /// What each side is going to do, in order.
    plans: BTreeMap<(Time, u64), (usize, InviteId, Deed)>,
    planned: u64,
    open: [BTreeSet<InviteId>; 2],
    /// Requests within dialogs that have no final response.
    sent: [BTreeSet<SentId>; 2],
    answered: usize,
}

impl Chaos {
    fn new(seed: u64, loss: u64, transport: Transport) -> Self {
        let mut world = World::new(transport);
        let timers = SessionTimers { expires: 90, min: 90 };
        world.sides =
            [1, 2].map(|n| Endpoint::new(EndpointConfig { session_timers: timers, ..config() }, [n; 32]));
        let mut dice = Dice(seed | 1);
        let mut network = Dice(seed.rotate_left(17) | 1);
        world.fate = Box::new(move |_, _| {
            if transport.is_reliable() {
                return vec![Duration::from_millis(10)];
            }
            let copies = if network.roll(20) == 0 { 2 } else { 1 };
            let arrive =
                |_| (network.roll(100) >= loss).then(|| Duration::from_millis(1 + network.roll(400)));
            (0..copies).filter_map(arrive).collect()
        });
        dice.roll(1);
        Self {
            world,
            dice,
            plans: BTreeMap::new(),
            planned: 0,
            open: [BTreeSet::new(), BTreeSet::new()],
            sent: [BTreeSet::new(), BTreeSet::new()],
            answered: 0,
        }
    }

    fn plan(&mut self, side: usize, id: InviteId, deed: Deed, within_ms: u64) {
        let at = self.world.now + Duration::from_millis(self.dice.roll(within_ms));
        self.planned += 1;
        self.plans.insert((at, self.planned), (side, id, deed));
    }

    fn call(&mut self) {
        let from = usize::from(self.dice.roll(4) == 0);
        let id = self.world.invite(from);
        self.open[from].insert(id);
        if self.dice.roll(3) == 0 {
            self.plan(from, id, Deed::Cancel, 3_000);
        }
        self.plan(from, id, Deed::HangUp, 120_000);
    }

    fn perform(&mut self, side: usize, id: InviteId, deed: Deed) {
        let contact = contact(side);
        let sent = &mut self.sent[side];
        self.world.act(side, |endpoint, now, out| match deed {
            Deed::Ring => endpoint.progress(now, id, 180, &contact, None, out),
            Deed::EarlyMedia => endpoint.progress(now, id, 183, &contact, offer(), out),
            Deed::Accept => endpoint.accept(now, id, &contact, offer(), out),
            Deed::Reject => endpoint.reject(now, id, 486, &[], out),
            Deed::Cancel => endpoint.cancel(now, id, None, out),
            Deed::HangUp => endpoint.bye(now, id, None, out),
            Deed::Reinvite => {
                endpoint.reinvite(now, id, offer(), out);
            }
            Deed::Inform => sent.extend(endpoint.request_within(now, id, &Method::Info, &[], None, out)),
        });
    }

    fn hear(&mut self, side: usize, event: Event) {
        let named = match &event {
            Event::Invite { id, .. } => {
                assert!(self.open[side].insert(*id), "a new usage");
                *id
            }
            Event::Response { id, .. } => {
                assert!(self.sent[side].remove(id), "one response to each request");
                return;
            }
            Event::Request { invite, .. } => invite.expect("a dialog's"),
            Event::Cancelled { id, .. }
            | Event::Failed { id, .. }
            | Event::Bye { id, .. }
            | Event::Ended { id, .. } => {
                assert!(self.open[side].remove(id), "{event:?} names a usage that is over");
                return;
            }
            Event::Progress { id, .. }
            | Event::Answered { id, .. }
            | Event::Acked { id, .. }
            | Event::Reinvite { id, .. }
            | Event::ReinviteAnswered { id, .. }
            | Event::ReinviteFailed { id, .. }
            | Event::RefreshDue { id } => *id,
            Event::NotifyDue { .. } | Event::Unsubscribed { .. } => unreachable!("nobody subscribes"),
        };
        assert!(self.open[side].contains(&named), "{event:?} names a usage that is over");
        match event {
            Event::Invite { id, .. } => {
                self.plan(side, id, Deed::Ring, 500);
                if self.dice.roll(2) == 0 {
                    self.plan(side, id, Deed::EarlyMedia, 3_000);
                }
                let deed = if self.dice.roll(4) == 0 { Deed::Reject } else { Deed::Accept };
                self.plan(side, id, deed, 4_000);
                self.plan(side, id, Deed::HangUp, 120_000);
            }
            Event::Answered { id, .. } | Event::Acked { id, .. } => {
                self.answered += usize::from(matches!(event, Event::Answered { .. }));
                if self.dice.roll(3) == 0 {
                    self.plan(side, id, Deed::Reinvite, 2_000);
                    self.plan(side, id, Deed::Inform, 4_000);
                }
            }
            Event::Request { request, .. } => {
                self.world.act(side, |endpoint, now, out| {
                    endpoint.respond(now, request, 200, &[], None, out);
                });
            }
            Event::RefreshDue { id } => self.perform(side, id, Deed::Reinvite),
            Event::Reinvite { request, .. } => {
                let status = if self.dice.roll(4) == 0 { 488 } else { 200 };
                self.world.act(side, |endpoint, now, out| {
                    endpoint.respond(now, request, status, &[], offer(), out);
                });
            }
            _ => {}
        }
    }

    fn run(&mut self) {
        let end = self.world.now + Duration::from_secs(3_600);
        loop {
            let next_deed = self.plans.first_key_value().map(|((at, _), _)| *at);
            let happened = self.world.step(next_deed.unwrap_or(end));
            for (side, event) in std::mem::take(&mut self.world.events) {
                self.hear(side, event);
            }
            if happened {
                continue;
            }
            match self.plans.pop_first() {
                Some((_, (side, id, deed))) => self.perform(side, id, deed),
                None => break,
            }
        }
        assert_eq!(self.open, [BTreeSet::new(), BTreeSet::new()], "each usage has ended");
        assert_eq!(self.sent, [BTreeSet::new(), BTreeSet::new()], "each request has its response");
        self.world.assert_drained();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_usage_ends_once_and_nothing_is_left(seed in any::<u64>(), loss in 0_u64..95, tcp in prop::bool::weighted(0.1)) {
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let mut chaos = Chaos::new(seed, loss, transport);
        for _ in 0..4 {
            chaos.call();
        }
        chaos.run();
    }
}

/// One of the ways in which a message can be broken.
fn spoil(message: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = message.to_vec();
    let length = bytes.len() as u64;
    for _ in 0..=dice.roll(4) {
        let at = usize::try_from(dice.roll(length)).unwrap().min(bytes.len().saturating_sub(1));
        match dice.roll(4) {
            0 => bytes.truncate(at.max(1)),
            1 => bytes[at] = u8::try_from(dice.roll(256)).unwrap(),
            2 => {
                bytes.remove(at);
                bytes.push(b'\r');
            }
            _ => bytes.insert(at, b"\r\n;,<>\":@"[usize::try_from(dice.roll(9)).unwrap()]),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spoiled_messages_neither_panic_nor_leave_anything_behind(seed in any::<u64>()) {
        let mut dice = Dice(seed | 1);
        let mut world = World::new(Transport::Udp);
        let (caller, callee) = world.call();
        for _ in 0..100 {
            let nth = usize::try_from(dice.roll(world.sent.len() as u64)).unwrap();
            let side = 1 - world.sent[nth].0;
            let bytes = spoil(&world.raw[nth].clone(), &mut dice);
            world.inject(side, bytes);
            for (side, event) in std::mem::take(&mut world.events) {
                world.act(side, |endpoint, now, out| match event {
                    Event::Invite { id, .. } => endpoint.reject(now, id, 480, &[], out),
                    Event::Reinvite { request, .. } | Event::Request { request, .. } => {
                        endpoint.respond(now, request, 488, &[], None, out);
                    }
                    _ => {}
                });
            }
        }
        for (side, id) in [(0, caller), (1, callee)] {
            world.act(side, |endpoint, now, out| endpoint.bye(now, id, None, out));
        }
        world.run(Duration::from_secs(200));
        world.events.clear();
        world.assert_drained();
    }
}

#[test]
fn ten_thousand_calls_leave_nothing_behind() {
    let mut chaos = Chaos::new(1, 2, Transport::Udp);
    for _ in 0..100 {
        for _ in 0..100 {
            chaos.call();
        }
        chaos.run();
        chaos.world.sent.clear();
        chaos.world.raw.clear();
        chaos.world.wires.clear();
    }
    assert!(chaos.answered > 3_000, "{} calls were answered", chaos.answered);
}
