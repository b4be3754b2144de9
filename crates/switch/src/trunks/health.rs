//! Whether the targets of trunks live: each is asked by OPTIONS (RFC 3261 section 11), and one that is down is tried last.

use super::{Purpose, TargetState};
use crate::core::Core;
use crate::guard::VOUCHED;
use clock::{Duration, Time, Timers};
use dialplan::Config;
use events::Kind;
use sip::{Address, Method, NewRequest, SentId, Transport};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// Targets are not asked all at once when the node starts.
const FIRST_WITHIN: Duration = Duration::from_secs(2);

/// All targets that are asked.
#[derive(Default)]
pub(crate) struct Health {
    wanted: Vec<Wanted>,
    targets: BTreeMap<u64, Target>,
    timers: Timers<u64>,
    last: u64,
}

/// One `to` of a trunk.
#[derive(Clone, Debug)]
struct Wanted {
    trunk: Arc<str>,
    uri: Arc<str>,
    settings: dialplan::Health,
    /// How long an answer is waited for.
    patience: Duration,
}

/// One server that a `to` leads to.
struct Target {
    wanted: Wanted,
    server: (Transport, SocketAddr),
    down: bool,
    /// How often in a row it has been otherwise.
    streak: u32,
    last_status: Option<u16>,
    /// What waits for its answer.
    asked: Option<SentId>,
    /// When it is asked next.
    next: Time,
}

impl Target {
    /// Takes the outcome of one request; whether it changes what the target is taken for.
    fn judge(&mut self, status: u16, told: bool) -> bool {
        self.asked = None;
        self.last_status = Some(status);
        let lives = told && !matches!(status, 408 | 503);
        if lives != self.down {
            self.streak = 0;
            return false;
        }
        self.streak += 1;
        let enough = if self.down { self.wanted.settings.up_after } else { self.wanted.settings.down_after };
        let turns = self.streak >= enough;
        if turns {
            (self.down, self.streak) = (!self.down, 0);
        }
        turns
    }

    fn name(&self) -> Arc<str> {
        format!("{} {}", self.server.0, self.server.1).into()
    }
}

impl Health {
    pub(super) fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    pub(super) fn is_down(&self, trunk: &str, server: (Transport, SocketAddr)) -> bool {
        let is_it = |target: &&Target| target.server == server && *target.wanted.trunk == *trunk;
        self.targets.values().find(is_it).is_some_and(|target| target.down)
    }

    pub(super) fn states(&self, trunk: &str, now: Time) -> Vec<TargetState> {
        let of_trunk = self.targets.values().filter(|target| *target.wanted.trunk == *trunk);
        of_trunk
            .map(|target| TargetState {
                uri: Arc::clone(&target.wanted.uri),
                transport: target.server.0,
                address: target.server.1,
                up: !target.down,
                last_status: target.last_status,
                next_try: target.next - now,
            })
            .collect()
    }
}

impl Core {
    /// Follows a new plan.
    pub(super) fn apply_health(&mut self, plan: &Config) {
        let mut wanted = Vec::new();
        for trunk in &plan.node.trunks {
            let Some(settings) = trunk.routing.health else { continue };
            let patience = trunk.routing.respond_within;
            let of = |uri: &Arc<str>| {
                let (trunk, uri) = (Arc::clone(&trunk.name), Arc::clone(uri));
                Wanted { trunk, uri, settings, patience }
            };
            wanted.extend(trunk.to.iter().map(of));
        }
        self.trunks.health.wanted = wanted;
        self.find_targets();
    }

    /// Asks nobody any more.
    pub(super) fn leave_health(&mut self) {
        self.trunks.health = Health::default();
    }

    /// Follows what the DNS says of the trunks' names.
    pub(super) fn find_targets(&mut self) {
        let wanted = self.trunks.health.wanted.clone();
        // One whose name is not known is neither new nor gone.
        let mut there = Vec::new();
        let mut unknown = Vec::new();
        for wanted in wanted {
            match self.locate(&wanted.uri) {
                Some(servers) => there.extend(servers.addresses().map(|server| (wanted.clone(), server))),
                None => unknown.push(wanted.uri),
            }
        }
        let is_same = |target: &Target, (wanted, server): &(Wanted, (Transport, SocketAddr))| {
            target.wanted.trunk == wanted.trunk && target.server == *server
        };
        let health = &mut self.trunks.health;
        health.targets.retain(|number, target| {
            let stays = there.iter().find(|it| is_same(target, it));
            if let Some((wanted, _)) = stays {
                target.wanted = wanted.clone();
            }
            let kept = stays.is_some() || unknown.contains(&target.wanted.uri);
            if !kept {
                health.timers.cancel(*number);
            }
            kept
        });
        for it in there {
            if self.trunks.health.targets.values().any(|target| is_same(target, &it)) {
                continue;
            }
            let next = self.now + self.some_of(FIRST_WITHIN);
            let (wanted, server) = it;
            let target =
                Target { wanted, server, down: false, streak: 0, last_status: None, asked: None, next };
            let health = &mut self.trunks.health;
            health.last += 1;
            health.timers.set(health.last, next);
            health.targets.insert(health.last, target);
        }
    }

    pub(super) fn run_health(&mut self) {
        while let Some(number) = self.trunks.health.timers.pop_due(self.now) {
            let Some(target) = self.trunks.health.targets.get(&number) else { continue };
            match target.asked {
                Some(_) => self.target_answered(number, 408, false),
                None => self.ask_target(number),
            }
        }
    }

    fn ask_target(&mut self, number: u64) {
        let Some(target) = self.trunks.health.targets.get(&number) else { return };
        let (wanted, server) = (target.wanted.clone(), target.server);
        let (_, peer) = server;
        let every = wanted.settings.every;
        // Spread by a tenth, so that nodes which start together do not ask together for ever.
        let next = self.now + every * 9 / 10 + self.some_of(every / 5);
        // What the DNS has said may not hold any more; the answer comes to `find_targets`.
        let _known = self.locate(&wanted.uri);
        let sent = self.flow_to(server, &wanted.uri, Some(&wanted.trunk)).map(|flow| {
            let shown = self.shown(&flow);
            let request = NewRequest {
                flow,
                method: Method::Options,
                request_uri: wanted.uri.to_string(),
                route: Vec::new(),
                from: Address { display: None, uri: format!("sip:ringdown@{shown}") },
                to: Address { display: None, uri: wanted.uri.to_string() },
                series: None,
                headers: vec![
                    ("Contact".into(), self.contact_uri(&flow)),
                    ("Accept".into(), "application/sdp".into()),
                ],
                body: None,
                login: None,
                max_forwards: 70,
            };
            self.guard.vouch(peer.ip(), self.now + VOUCHED);
            self.endpoint.request(self.now, request, &mut self.sip)
        });
        if let Some(sent) = sent {
            self.trunks.sent.insert(sent, Purpose::Health(number));
        }
        let Some(target) = self.trunks.health.targets.get_mut(&number) else { return };
        (target.asked, target.next) = (sent, next);
        let overdue = self.now + wanted.patience.min(every / 2);
        self.trunks.health.timers.set(number, if sent.is_some() { overdue } else { next });
    }

    /// The final response to an OPTIONS, unless it is later than its target was waited for.
    pub(super) fn health_answered(&mut self, id: SentId, number: u64, status: u16, told: bool) {
        let target = self.trunks.health.targets.get(&number);
        if target.is_some_and(|target| target.asked == Some(id)) {
            self.target_answered(number, status, told);
        }
    }

    fn target_answered(&mut self, number: u64, status: u16, told: bool) {
        let health = &mut self.trunks.health;
        let Some(target) = health.targets.get_mut(&number) else { return };
        health.timers.set(number, target.next);
        if !target.judge(status, told) {
            return;
        }
        let (trunk, name) = (Arc::clone(&target.wanted.trunk), target.name());
        let kind = match target.down {
            true => Kind::TrunkTargetDown { trunk, target: name, status },
            false => Kind::TrunkTargetUp { trunk, target: name },
        };
        self.log(None, kind);
    }

    /// Some part of a length of time.
    fn some_of(&mut self, whole: Duration) -> Duration {
        let micros = u64::try_from(whole.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.random.next() % micros.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(down_after: u32, up_after: u32) -> Target {
        let settings = dialplan::Health { every: Duration::from_secs(30), down_after, up_after };
        let patience = Duration::from_secs(4);
        Target {
            wanted: Wanted { trunk: "carrier".into(), uri: "sip:192.0.2.1".into(), settings, patience },
            server: (Transport::Udp, ([192, 0, 2, 1], 5060).into()),
            down: false,
            streak: 0,
            last_status: None,
            asked: None,
            next: Time::ZERO,
        }
    }

    /// What a target is taken for after each outcome.
    fn after(target: &mut Target, outcomes: &[(u16, bool)]) -> Vec<bool> {
        let up = outcomes.iter().map(|(status, told)| {
            target.judge(*status, *told);
            !target.down
        });
        up.collect()
    }

    #[test]
    fn a_target_goes_down_and_comes_up_only_after_so_many_in_a_row() {
        let mut it = target(3, 2);
        let outcomes = [(408, false), (503, true), (200, true), (503, true), (503, false), (408, true)];
        assert_eq!(after(&mut it, &outcomes), [true, true, true, true, true, false]);
        let outcomes = [(200, true), (408, false), (200, true), (404, true)];
        assert_eq!(after(&mut it, &outcomes), [false, false, false, true]);
    }

    #[test]
    fn any_answer_but_503_and_408_is_a_sign_of_life() {
        for status in [200, 401, 403, 404, 405, 481, 500, 501, 603] {
            assert_eq!(after(&mut target(1, 1), &[(status, true)]), [true], "{status}");
        }
    }
}
