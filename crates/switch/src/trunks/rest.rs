//! Servers of trunks that have no room and say for how long: a 503 to a call with Retry-After (RFC 3261 section 21.5.4).

use super::RestState;
use crate::core::Core;
use clock::{Duration, Time};
use events::{ContactId, Kind};
use sip::Transport;
use std::net::SocketAddr;
use std::sync::Arc;

/// A Retry-After beyond it is cut.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The servers that are let rest.
#[derive(Default)]
pub(crate) struct Rests(Vec<Rest>);

struct Rest {
    trunk: Arc<str>,
    server: (Transport, SocketAddr),
    until: Time,
}

impl Rest {
    fn is_of(&self, trunk: &str, server: (Transport, SocketAddr)) -> bool {
        self.server == server && *self.trunk == *trunk
    }
}

impl Rests {
    /// Lets a server rest for as long as it has asked, or rather for the length that is returned.
    fn begin(
        &mut self,
        now: Time,
        trunk: &Arc<str>,
        server: (Transport, SocketAddr),
        asked: Duration,
    ) -> Duration {
        let length = asked.min(LONGEST);
        self.0.retain(|rest| rest.until > now && !rest.is_of(trunk, server));
        self.0.push(Rest { trunk: Arc::clone(trunk), server, until: now + length });
        length
    }

    pub(super) fn has(&self, now: Time, trunk: &str, server: (Transport, SocketAddr)) -> bool {
        self.0.iter().any(|rest| rest.until > now && rest.is_of(trunk, server))
    }

    pub(super) fn states(&self, trunk: &str, now: Time) -> Vec<RestState> {
        let of_trunk = self.0.iter().filter(|rest| rest.until > now && *rest.trunk == *trunk);
        let state = |rest: &Rest| {
            let (transport, address) = rest.server;
            RestState { transport, address, left: rest.until - now }
        };
        of_trunk.map(state).collect()
    }
}

impl Core {
    /// A server has refused a call of a contact: it is tried last until it wants calls again.
    pub(crate) fn let_rest(
        &mut self,
        contact: ContactId,
        trunk: &Arc<str>,
        server: (Transport, SocketAddr),
        asked: Duration,
    ) {
        let length = self.trunks.rests.begin(self.now, trunk, server, asked);
        let seconds = u32::try_from(length.as_secs()).unwrap_or(u32::MAX);
        let target = format!("{} {}", server.0, server.1).into();
        self.log(Some(contact), Kind::TrunkTargetRests { trunk: Arc::clone(trunk), target, seconds });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3261_20_33_a_server_rests_as_long_as_it_has_asked_last_but_an_hour_at_most() {
        let mut rests = Rests::default();
        let trunk = Arc::from("carrier");
        let server = |host| (Transport::Udp, SocketAddr::from(([192, 0, 2, host], 5060)));
        let seconds = Duration::from_secs;
        assert_eq!(rests.begin(Time::ZERO, &trunk, server(1), seconds(60)), seconds(60));
        assert_eq!(rests.begin(Time::ZERO, &trunk, server(2), seconds(9_999)), seconds(3_600));
        let has = |rests: &Rests, at, trunk, host| rests.has(Time::from_secs(at), trunk, server(host));
        assert!(has(&rests, 59, "carrier", 1) && !has(&rests, 60, "carrier", 1));
        assert!(!has(&rests, 0, "other", 1) && !has(&rests, 0, "carrier", 3));
        // Asked anew, it has less to wait for.
        rests.begin(Time::from_secs(10), &trunk, server(1), seconds(5));
        assert!(has(&rests, 14, "carrier", 1) && !has(&rests, 15, "carrier", 1));
        let states = rests.states("carrier", Time::from_secs(12));
        assert_eq!(states.iter().map(|it| it.left.as_secs()).collect::<Vec<_>>(), [3_588, 3]);
        // What is over is forgotten.
        rests.begin(Time::from_secs(4_000), &trunk, server(3), seconds(1));
        assert_eq!(rests.0.len(), 1);
    }
}
