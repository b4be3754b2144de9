//! The DNS of the world: a small zone, and a resolver that is slow, fails, and at times says nothing.

use super::{Delivery, World};
use crate::dice::Dice;
use clock::Duration;
use rand_chacha::ChaCha12Rng;
use sip::{Answer, Question, Record, RecordKind};

/// How the resolver of a seed is.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    slowest: Duration,
    /// Chance that no server could tell, in thousandths.
    fails: u32,
    /// Chance that the shell never answers, in thousandths.
    silent: u32,
}

impl Resolver {
    pub(super) fn draw(rng: &mut ChaCha12Rng) -> Self {
        Self {
            slowest: rng.pick(&[Duration::from_millis(20), Duration::from_secs(3)]),
            fails: rng.pick(&[0, 0, 300]),
            silent: rng.pick(&[0, 0, 0, 100]),
        }
    }
}

impl World {
    /// Answers a question of the switch, some day.
    pub(super) fn look_up(&mut self, question: Question) {
        if self.rng.chance(self.resolver.silent) {
            return;
        }
        let failed = self.rng.chance(self.resolver.fails);
        let records = if failed { Vec::new() } else { zone(&question) };
        let ttl = Duration::from_secs(self.rng.pick(&[1, 10, 60]));
        let delay = self.rng.within(self.resolver.slowest);
        self.send(delay, Delivery::Dns(question, Answer { records, ttl, failed }));
    }
}

/// `uplink.test` is a service of one server; of the two that `desk.test` has the first is nobody.
fn zone(question: &Question) -> Vec<Record> {
    let srv = |priority, target: &str| Record::Srv { priority, weight: 1, port: 5060, target: target.into() };
    let address = |ip: [u8; 4]| Record::Address(ip.into());
    match (&*question.name, question.kind) {
        ("uplink.test", RecordKind::Naptr) => vec![Record::Naptr {
            order: 1,
            preference: 1,
            flags: "s".into(),
            service: "SIP+D2U".into(),
            replacement: "_sip._udp.uplink.test.".into(),
        }],
        ("_sip._udp.uplink.test", RecordKind::Srv) => vec![srv(1, "a.uplink.test")],
        ("a.uplink.test", RecordKind::A) => vec![address([10, 0, 1, 3])],
        ("_sip._udp.desk.test", RecordKind::Srv) => vec![srv(1, "a.desk.test"), srv(2, "b.desk.test")],
        ("a.desk.test", RecordKind::A) => vec![address([10, 0, 3, 99])],
        ("b.desk.test", RecordKind::A) => vec![address([10, 0, 3, 1])],
        _ => Vec::new(),
    }
}
