//! TCP and WebSocket between the switch and the phones that use it: reliable and in order until a connection is cut.

use clock::{Duration, Time};
use sip::Flow;
use std::collections::BTreeMap;

/// When a connection that nobody answers is given up.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What becomes of a connection to a trunk, which calls by UDP itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ByTcp {
    Taken,
    Refused,
    /// Nothing comes back, as from a firewall.
    Swallowed,
}

/// The connections that are up.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    last: u64,
    up: BTreeMap<u64, Connection>,
}

/// One connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Which phone is at its other end.
    pub(crate) phone: usize,
    /// As the switch sees it.
    pub(crate) flow: Flow,
    /// The switch opened it, and may have sent on it before it knew its number.
    pub(crate) opened: bool,
    /// When the last message each way arrives.
    to_switch: Time,
    to_phone: Time,
}

impl Streams {
    /// The newest connection of a phone, or one that it opens.
    pub(crate) fn of_phone(&mut self, phone: usize, from: Flow) -> Flow {
        let newest = self.up.values().rev().find(|connection| connection.phone == phone);
        if let Some(connection) = newest {
            return connection.flow;
        }
        let port = 40_000 + u16::try_from(self.last % 20_000).unwrap_or(0);
        self.open(phone, Flow { peer: (from.peer.ip(), port).into(), ..from }, false)
    }

    /// The connection that the switch's flow names, or one to the phone that listens at its peer.
    pub(crate) fn of_switch(&mut self, flow: Flow, listening: Option<usize>) -> Option<Flow> {
        if flow.connection != 0 {
            return self.up.get(&flow.connection).map(|connection| connection.flow);
        }
        let known = self.up.values().find(|connection| connection.flow.peer == flow.peer);
        if let Some(connection) = known {
            return Some(connection.flow);
        }
        // A page listens nowhere.
        let phone = listening.filter(|_| !flow.transport.is_websocket())?;
        Some(self.open(phone, flow, true))
    }

    /// Whether a connection is up, and whose it is.
    pub(crate) fn phone_of(&self, connection: u64) -> Option<usize> {
        self.up.get(&connection).map(|found| found.phone)
    }

    /// When a message to the switch arrives that would by itself at `at`: not before the one ahead of it.
    pub(crate) fn arrives_at_switch(&mut self, connection: u64, at: Time) -> Time {
        self.up.get_mut(&connection).map_or(at, |found| {
            found.to_switch = found.to_switch.max(at);
            found.to_switch
        })
    }

    /// Likewise for a message to the phone.
    pub(crate) fn arrives_at_phone(&mut self, connection: u64, at: Time) -> Time {
        self.up.get_mut(&connection).map_or(at, |found| {
            found.to_phone = found.to_phone.max(at);
            found.to_phone
        })
    }

    /// Ends the `nth` connection, if there are so many.
    pub(crate) fn cut(&mut self, nth: usize) -> Option<Connection> {
        let number = *self.up.keys().nth(nth)?;
        self.up.remove(&number)
    }

    fn open(&mut self, phone: usize, flow: Flow, opened: bool) -> Flow {
        self.last += 1;
        let flow = Flow { connection: self.last, ..flow };
        let connection = Connection { phone, flow, opened, to_switch: Time::ZERO, to_phone: Time::ZERO };
        self.up.insert(self.last, connection);
        flow
    }
}
