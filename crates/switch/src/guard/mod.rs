//! Who is listened to: rates and bans by source, decided before a message is parsed.
//!
//! A source is an IPv4 address or an IPv6 network of 64 bits. Trunks and `defence.trusted` are let through
//! always. Whoever has proved to be a user, or was called by us, is *known* and only limited; a stranger is
//! limited narrowly, shares one limit with all strangers, and may be banned.
//!
//! A datagram's source can be forged. So what a datagram alone tells can only ban a stranger, for a short time,
//! and not its streams; a known source is banned for proven offences alone: those that came by a stream, or
//! with a nonce that was sent to the source.

mod bans;
mod sniff;
mod suspicions;

pub use bans::Ban;

use crate::rate::{Bucket, Limit};
use bans::Bans;
use clock::{Duration, Time, Timers};
use dialplan::{Config, Defence};
use sip::Flow;
use sniff::{Head, Kind};
use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use suspicions::Suspicions;

/// What one stranger may send.
const WITHOUT_CREDENTIALS: Limit = Limit { per_second: 20, burst: 100 };
const REGISTERS: Limit = Limit { per_second: 50, burst: 200 };
const INVITES: Limit = Limit { per_second: 20, burst: 50 };
const OTHERS: Limit = Limit { per_second: 100, burst: 200 };
/// What a known source may send more: a whole office may be behind it.
const KNOWN_FACTOR: u32 = 20;
/// Strangers share so many sets of buckets by a keyed hash: no table grows, and nothing is ever forgotten.
const SLOTS: usize = 4_096;
/// Points that ban a stranger, and a known source.
const BANNED_AT: (u32, u32) = (100, 1_000);
/// New bans, so that forged addresses fill neither the table nor the log.
const NEW_BANS: Limit = Limit { per_second: 2, burst: 100 };
/// Sources that are known at once; beyond it, whoever would be forgotten first is.
const MOST_KNOWN: usize = 65_536;

/// Where messages come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    V4(u32),
    /// The first 64 bits: one customer has them all.
    V6(u64),
}

/// What makes a source suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offence {
    /// It calls itself what scanners call themselves.
    Scanner,
    /// A wrong password, or a user that does not exist: the same, lest a ban tells which.
    WrongDigest,
    /// A stranger's INVITE to a number that is not ours.
    UnknownNumber,
    /// No SIP, or broken.
    Malformed,
    /// More than its rate.
    Flood,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is parsed.
    Read,
    /// It is dropped.
    Drop,
    /// It is dropped, and so is all that follows.
    Ban(Ban),
}

/// The table of sources.
pub(crate) struct Guard {
    secret: u64,
    bans: Bans,
    suspicions: Suspicions,
    known: HashMap<Source, Rates>,
    /// Until when each is known.
    known_until: Timers<Source>,
    strangers: Box<[Rates]>,
    all_strangers: Bucket,
    new_bans: Bucket,
    dropped: u64,
}

/// One source's buckets.
#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    without_credentials: Bucket,
    registers: Bucket,
    invites: Bucket,
    others: Bucket,
}

impl Guard {
    /// Nobody is known or banned. The secret keeps strangers from choosing whose buckets they share.
    pub(crate) fn new(secret: u64) -> Self {
        Self {
            secret,
            bans: Bans::default(),
            suspicions: Suspicions::default(),
            known: HashMap::new(),
            known_until: Timers::new(),
            strangers: vec![Rates::default(); SLOTS].into_boxed_slice(),
            all_strangers: Bucket::default(),
            new_bans: Bucket::default(),
            dropped: 0,
        }
    }

    /// Decides from source and bytes alone whether a message is worth parsing.
    pub(crate) fn look(&mut self, now: Time, plan: &Config, flow: &Flow, bytes: &[u8]) -> Look {
        let source = Source::of(flow.peer.ip());
        if self.bans.drops(now, source, flow.transport.is_reliable()) {
            self.dropped += 1;
            return Look::Drop;
        }
        if is_trusted(plan, flow.peer.ip()) {
            return Look::Read;
        }
        let look = if self.is_known(now, source) {
            self.look_at_known(now, source, bytes)
        } else {
            self.look_at_stranger(now, plan, (source, flow), bytes)
        };
        self.dropped += u64::from(look != Look::Read);
        look
    }

    fn look_at_known(&mut self, now: Time, source: Source, bytes: &[u8]) -> Look {
        let rates = self.known.entry(source).or_default();
        if rates.take(now, Kind::of(bytes), true, KNOWN_FACTOR) { Look::Read } else { Look::Drop }
    }

    fn look_at_stranger(
        &mut self,
        now: Time,
        plan: &Config,
        (source, flow): (Source, &Flow),
        bytes: &[u8],
    ) -> Look {
        let Defence { scanners, strangers, .. } = &plan.node.defence;
        let head = Head::of(bytes, scanners.iter().map(|name| name.as_bytes()));
        let rates = &mut self.strangers[slot(self.secret, source)];
        let offence = if head.is_scanner {
            Offence::Scanner
        } else if !rates.take(now, Kind::of(bytes), head.has_credentials, 1) {
            Offence::Flood
        } else {
            let limit = Limit { per_second: *strangers, burst: *strangers };
            return if self.all_strangers.take(now, limit) { Look::Read } else { Look::Drop };
        };
        self.suspect(now, plan, flow, (offence, false)).map_or(Look::Drop, Look::Ban)
    }

    /// Notes an offence, and gives the ban that it leads to. `proven` says that the offender has received what
    /// we sent to that address; by a stream it has anyway.
    pub(crate) fn suspect(
        &mut self,
        now: Time,
        plan: &Config,
        flow: &Flow,
        (offence, proven): (Offence, bool),
    ) -> Option<Ban> {
        let source = Source::of(flow.peer.ip());
        let proven = proven || flow.transport.is_reliable();
        let known = self.is_known(now, source);
        if (known && !proven) || is_near_trusted(plan, source) {
            return None;
        }
        let points = self.suspicions.add(now, (source, proven), offence.points());
        let banned_at = if known { BANNED_AT.1 } else { BANNED_AT.0 };
        if points < banned_at || !self.new_bans.take(now, NEW_BANS) {
            return None;
        }
        self.suspicions.clear(source);
        let Defence { first_ban, longest_ban, .. } = plan.node.defence;
        Some(self.bans.add(now, source, (offence, proven), (first_ban, longest_ban)))
    }

    /// A source has proved to be a user's, or we have called it: it is known until then.
    pub(crate) fn vouch(&mut self, source: IpAddr, until: Time) {
        let source = Source::of(source);
        self.suspicions.clear(source);
        if self.known_until.get(source).is_none_or(|known| known < until) {
            self.known_until.set(source, until);
        }
        if self.known_until.len() > MOST_KNOWN
            && let Some(soonest) = self.known_until.next().and_then(|at| self.known_until.pop_due(at))
        {
            self.known.remove(&soonest);
        }
    }

    /// Whether a source is a user's or was called.
    pub(crate) fn knows(&self, now: Time, source: IpAddr) -> bool {
        self.is_known(now, Source::of(source))
    }

    /// The bans that run, by address.
    pub(crate) fn bans(&self, now: Time) -> Vec<Ban> {
        let mut running: Vec<_> = self.bans.running(now).collect();
        running.sort_unstable_by_key(|(source, _)| *source);
        running.into_iter().map(|(_, ban)| ban).collect()
    }

    /// How many bans run.
    pub(crate) fn banned(&self, now: Time) -> usize {
        self.bans.running(now).count()
    }

    /// Messages that were dropped before they were parsed.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Lifts a ban and forgets what led to it; as people see the source, if it was banned.
    pub(crate) fn lift(&mut self, now: Time, address: IpAddr) -> Option<String> {
        let source = Source::of(address);
        self.suspicions.clear(source);
        self.bans.lift(now, source).then(|| source.to_string())
    }

    /// A new plan: what it trusts is banned no longer.
    pub(crate) fn apply(&mut self, plan: &Config) {
        self.bans.lift_if(|source| is_near_trusted(plan, source));
    }

    fn is_known(&self, now: Time, source: Source) -> bool {
        self.known_until.get(source).is_some_and(|until| until > now)
    }
}

impl Rates {
    fn take(&mut self, now: Time, kind: Kind, has_credentials: bool, factor: u32) -> bool {
        let (bucket, limit) = match kind {
            Kind::Invite => (&mut self.invites, INVITES),
            Kind::Register => (&mut self.registers, REGISTERS),
            Kind::Other => (&mut self.others, OTHERS),
        };
        let is_asking = !has_credentials && kind != Kind::Other;
        bucket.take(now, limit.times(factor))
            && (!is_asking || self.without_credentials.take(now, WITHOUT_CREDENTIALS.times(factor)))
    }
}

impl Source {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.to_bits()),
            IpAddr::V6(v6) => Self::V6((v6.to_bits() >> 64) as u64),
        }
    }

    fn network(self) -> ipnet::IpNet {
        match self {
            Self::V4(bits) => IpAddr::from(Ipv4Addr::from_bits(bits)).into(),
            Self::V6(bits) => {
                let first = Ipv6Addr::from_bits(u128::from(bits) << 64);
                ipnet::Ipv6Net::new_assert(first, 64).into()
            }
        }
    }
}

impl fmt::Display for Source {
    /// `192.0.2.7`, `2001:db8:1:2::/64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(bits) => Ipv4Addr::from_bits(*bits).fmt(f),
            Self::V6(_) => self.network().fmt(f),
        }
    }
}

impl Offence {
    /// What counts to 100, where one point is forgotten a second.
    const fn points(self) -> u32 {
        match self {
            Self::Scanner => 100,
            Self::WrongDigest | Self::UnknownNumber => 10,
            Self::Malformed => 5,
            Self::Flood => 1,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Scanner => "a scanner by its own name",
            Self::WrongDigest => "wrong passwords or users",
            Self::UnknownNumber => "calls to unknown numbers without credentials",
            Self::Malformed => "broken messages",
            Self::Flood => "too many requests",
        }
    }
}

/// Whether an address is a trunk's or trusted: its own settings limit it, nothing else.
pub(crate) fn is_trusted(plan: &Config, address: IpAddr) -> bool {
    let address = address.to_canonical();
    plan.trunk_for(address).is_some() || plan.node.defence.trusted.iter().any(|net| net.contains(&address))
}

/// Whether an address that is trusted lies within the source.
fn is_near_trusted(plan: &Config, source: Source) -> bool {
    let own = source.network();
    let trunks = plan.node.trunks.iter().flat_map(|trunk| &trunk.networks);
    trunks.chain(&plan.node.defence.trusted).any(|net| net.contains(&own) || own.contains(net))
}

/// The buckets of a stranger.
fn slot(secret: u64, source: Source) -> usize {
    let mut hasher = DefaultHasher::new();
    (secret, source).hash(&mut hasher);
    (hasher.finish() % SLOTS as u64) as usize
}

/// How long a source is known that a user has called from, or that we have called: longer than any call.
pub(crate) const VOUCHED: Duration = Duration::from_secs(24 * 3_600);

#[cfg(test)]
mod tests;
