use clock::{Duration, Time};
use rtp::control::LocalPort;
use rustix::net::connect_unspec;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::net::{IpAddr, UdpSocket};

/// How long a port rests after use, so that late packets of the old stream do not reach a new one.
const QUARANTINE: Duration = Duration::from_secs(2);

/// How long it rests while ports are scarce: late packets are rarer than callers who are refused for want of a port.
const SHORT_QUARANTINE: Duration = Duration::from_millis(250);

/// Ports are scarce while fewer than one in so many of the sockets that are to be ready are.
const SCARCE_SHARE: usize = 4;

/// How long a port that could not be bound is left alone.
const RETRY: Duration = Duration::from_secs(10);

/// The most ports that are tried in one turn, to keep the packets of other streams moving.
const TRIES_PER_TURN: usize = 32;

/// How many used sockets are kept for each that is to be ready: using one again costs a third of
/// closing it and binding another.
const KEPT_PER_READY: usize = 4;

/// One thread's share of the port range and the sockets that it has bound ahead.
#[derive(Debug)]
pub(crate) struct PortPool {
    thread: u16,
    address: IpAddr,
    /// How many ports the share holds.
    size: usize,
    /// How many sockets to keep ahead.
    target: usize,
    /// Ports without a socket, by the time from when they may be bound: the longest rested first.
    resting: BinaryHeap<Reverse<(Time, u16)>>,
    /// Used sockets that rest bound, the longest rested first.
    kept: VecDeque<(Time, u16, UdpSocket)>,
    /// Bound sockets that no stream uses.
    ready: Vec<(u16, UdpSocket)>,
    supply: Supply,
}

/// How the switch is served.
#[derive(Debug, PartialEq, Eq)]
enum Supply {
    /// At least half of the sockets are ready; so they are announced many at a time.
    Sufficient,
    Filling,
    /// Filling, and the alarm has been raised: nothing was ready and nothing could be bound. The shortage
    /// lasts until half of the sockets are ready.
    Exhausted,
}

/// What a turn of [`PortPool::refill`] brought.
#[derive(Debug, Default)]
pub(crate) struct Refill {
    /// Ports that have become ready.
    pub(crate) ready: Vec<LocalPort>,
    /// The alarm to raise, once for each shortage.
    pub(crate) alarm: Option<String>,
}

impl PortPool {
    /// A pool over those ports.
    pub(crate) fn new(thread: u16, address: IpAddr, ports: &[u16], target: usize) -> Self {
        let target = target.clamp(1, ports.len());
        Self {
            thread,
            address,
            size: ports.len(),
            target,
            resting: ports.iter().map(|port| Reverse((Time::ZERO, *port))).collect(),
            kept: VecDeque::new(),
            ready: Vec::with_capacity(target),
            supply: Supply::Filling,
        }
    }

    /// Takes the ready socket of that port.
    pub(crate) fn take(&mut self, port: u16) -> Option<UdpSocket> {
        let index = self.ready.iter().position(|(ready, _)| *ready == port)?;
        let (_, socket) = self.ready.swap_remove(index);
        if self.supply == Supply::Sufficient && self.ready.len() <= self.target / 2 {
            self.supply = Supply::Filling;
        }
        Some(socket)
    }

    /// Lets a port rest that is no longer used.
    pub(crate) fn give_back(&mut self, port: u16, socket: UdpSocket, now: Time) {
        let from = now + QUARANTINE;
        if self.kept.len() < KEPT_PER_READY * self.target && connect_unspec(&socket).is_ok() {
            self.kept.push_back((from, port, socket));
        } else {
            self.resting.push(Reverse((from, port)));
        }
    }

    /// When the next port may become ready; `None` while enough are, or if every port is in use.
    pub(crate) fn next_refill(&self) -> Option<Time> {
        if self.supply == Supply::Sufficient {
            return None;
        }
        let kept = self.kept.front().map(|(from, ..)| *from);
        let resting = self.resting.peek().map(|Reverse((from, _))| *from);
        let next = kept.into_iter().chain(resting).min()?;
        Some(Time::ZERO + (next - Time::ZERO).saturating_sub(self.pardon()))
    }

    /// How much of its rest each port is spared.
    fn pardon(&self) -> Duration {
        let scarce = self.ready.len() < self.target.div_ceil(SCARCE_SHARE);
        if scarce { QUARANTINE - SHORT_QUARANTINE } else { Duration::ZERO }
    }

    /// Makes some of the sockets ready that are missing.
    pub(crate) fn refill(&mut self, now: Time) -> Refill {
        let mut refill = Refill::default();
        let mut cause = None;
        for _ in 0..TRIES_PER_TURN {
            if self.next_refill().is_none_or(|from| from > now) {
                break;
            }
            let Some((port, bound)) = self.next_socket(now) else { break };
            match bound {
                Ok(socket) => {
                    self.ready.push((port, socket));
                    refill.ready.push(LocalPort { thread: self.thread, port });
                }
                Err(error) => {
                    self.resting.push(Reverse((now + RETRY, port)));
                    cause = Some(error);
                }
            }
            if self.ready.len() == self.target {
                self.supply = Supply::Sufficient;
            }
        }
        refill.alarm = self.judge(now, cause);
        refill
    }

    /// A kept socket that has rested, else a new one.
    fn next_socket(&mut self, now: Time) -> Option<(u16, io::Result<UdpSocket>)> {
        let rested = now + self.pardon();
        if let Some((_, port, socket)) = self.kept.pop_front_if(|(from, ..)| *from <= rested) {
            return Some((port, Ok(socket)));
        }
        let Reverse((_, port)) = self.resting.pop()?;
        Some((port, bind(self.address, port)))
    }

    /// Raises the alarm when a shortage begins.
    fn judge(&mut self, now: Time, cause: Option<io::Error>) -> Option<String> {
        if self.supply == Supply::Exhausted && self.ready.len() > self.target / 2 {
            self.supply = Supply::Filling;
        }
        let nothing_to_bind = self.next_refill().is_none_or(|from| from > now);
        if !self.ready.is_empty() || !nothing_to_bind || self.supply == Supply::Exhausted {
            return None;
        }
        self.supply = Supply::Exhausted;
        let waiting = self.resting.len() + self.kept.len();
        let cause = cause.map(|error| format!(" (last cause: {error})")).unwrap_or_default();
        Some(format!(
            "media thread {}: none of its {} RTP ports is free: {} carry streams, {waiting} rest after use or \
             cannot be bound{cause}; widen the port range or raise the limit on open files",
            self.thread,
            self.size,
            self.size - waiting,
        ))
    }
}

/// A non-blocking UDP socket on that port; 0 takes any.
pub(crate) fn bind(address: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((address, port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));

    /// Ports that are free right now: bound once and let go.
    fn free_ports(address: IpAddr, count: usize) -> Vec<u16> {
        let sockets: Vec<_> = (0..count).map(|_| bind(address, 0).expect("a free port")).collect();
        sockets.iter().map(|socket| socket.local_addr().expect("an address").port()).collect()
    }

    #[test]
    fn a_port_in_use_is_skipped_and_tried_again_later() {
        let ports = free_ports(HERE, 2);
        let holder = bind(HERE, ports[0]).expect("it was free");
        let mut pool = PortPool::new(0, HERE, &ports, 2);
        let first = pool.refill(Time::ZERO);
        assert_eq!(first.ready, [LocalPort { thread: 0, port: ports[1] }]);
        assert_eq!(first.alarm, None);
        drop(holder);
        assert!(pool.refill(Time::from_secs(9)).ready.is_empty());
        assert_eq!(pool.refill(Time::from_secs(10)).ready, [LocalPort { thread: 0, port: ports[0] }]);
    }

    #[test]
    fn a_used_port_rests_before_it_is_bound_again() {
        let ports = free_ports(HERE, 2);
        let mut pool = PortPool::new(3, HERE, &ports, 1);
        let first = pool.refill(Time::ZERO).ready[0].port;
        let socket = pool.take(first).expect("it is ready");
        pool.give_back(first, socket, Time::from_secs(1));
        let second = pool.refill(Time::from_secs(1)).ready[0].port;
        assert_ne!(first, second);
        assert!(pool.take(first).is_none());
        assert!(pool.refill(Time::from_secs(60)).ready.is_empty(), "there are enough");
        drop(pool.take(second).expect("it is ready"));
        assert_eq!(pool.refill(Time::from_secs(60)).ready[0].port, first);
    }

    #[test]
    fn a_port_rests_for_two_seconds_and_less_while_ports_are_scarce() {
        let mut pool = PortPool::new(0, HERE, &free_ports(HERE, 8), 8);
        let all: Vec<u16> = pool.refill(Time::ZERO).ready.iter().map(|local| local.port).collect();
        let mut used: Vec<_> =
            all.iter().map(|port| (*port, pool.take(*port).expect("it is ready"))).collect();
        for (port, socket) in used.drain(..5) {
            pool.give_back(port, socket, Time::from_secs(1));
        }
        assert!(pool.refill(Time::from_millis(1_249)).ready.is_empty());
        assert_eq!(pool.refill(Time::from_millis(1_250)).ready.len(), 2, "then a quarter is ready");
        assert!(pool.refill(Time::from_millis(2_999)).ready.is_empty());
        assert_eq!(pool.refill(Time::from_secs(3)).ready.len(), 3);
    }

    #[test]
    fn ports_are_announced_many_at_a_time() {
        let mut pool = PortPool::new(0, HERE, &free_ports(HERE, 20), 8);
        let mut known = VecDeque::from(pool.refill(Time::ZERO).ready);
        assert_eq!(known.len(), 8);
        for announced in [0, 0, 0, 4, 0, 0, 0, 4] {
            let local = known.pop_front().expect("it was announced");
            pool.take(local.port).expect("it is ready");
            let more = pool.refill(Time::ZERO).ready;
            assert_eq!(more.len(), announced);
            known.extend(more);
        }
    }

    #[test]
    fn only_so_many_used_sockets_are_kept_and_none_stays_connected() {
        for address in [HERE, IpAddr::V4(Ipv4Addr::UNSPECIFIED)] {
            let mut pool = PortPool::new(0, address, &free_ports(address, 10), 1);
            for used in 1..10 {
                let port = pool.refill(Time::ZERO).ready[0].port;
                let socket = pool.take(port).expect("it is ready");
                socket.connect((HERE, 9)).expect("loopback");
                pool.give_back(port, socket, Time::ZERO);
                assert_eq!(pool.kept.len(), used.min(KEPT_PER_READY));
            }
            let fresh = pool.refill(Time::ZERO).ready[0].port;
            pool.take(fresh).expect("it is ready");
            let port = pool.refill(Time::from_secs(2)).ready[0].port;
            let socket = pool.take(port).expect("it is ready");
            assert!(socket.peer_addr().is_err());
            assert_eq!(
                socket.local_addr().expect("it is bound"),
                std::net::SocketAddr::from((address, port))
            );
        }
    }

    #[test]
    fn an_exhausted_range_raises_one_alarm_for_each_shortage() {
        let ports = free_ports(HERE, 1);
        let mut pool = PortPool::new(0, HERE, &ports, 8);
        assert_eq!(pool.refill(Time::ZERO).ready.len(), 1);
        for shortage in 1..3 {
            let socket = pool.take(ports[0]).expect("it is ready");
            let alarm = pool.refill(Time::from_secs(10 * shortage)).alarm.expect("the range is exhausted");
            assert!(alarm.contains("none of its 1 RTP ports"), "{alarm}");
            assert_eq!(pool.refill(Time::from_secs(10 * shortage)).alarm, None);
            pool.give_back(ports[0], socket, Time::from_secs(10 * shortage));
            assert_eq!(pool.refill(Time::from_secs(10 * shortage + 2)).ready.len(), 1);
        }
    }

    #[test]
    fn a_shortage_is_over_when_half_of_the_supply_is_back() {
        let ports = free_ports(HERE, 8);
        let mut pool = PortPool::new(0, HERE, &ports, 8);
        assert_eq!(pool.refill(Time::ZERO).ready.len(), 8);
        let take = |pool: &mut PortPool, count| -> Vec<UdpSocket> {
            let ready: Vec<u16> = pool.ready.iter().map(|(port, _)| *port).take(count).collect();
            ready.into_iter().map(|port| pool.take(port).expect("it is ready")).collect()
        };
        let mut used = take(&mut pool, 8);
        assert!(pool.refill(Time::ZERO).alarm.is_some());
        for (back, alarms) in [(2, false), (5, true)] {
            for socket in used.drain(..back) {
                let port = socket.local_addr().expect("it is bound").port();
                pool.give_back(port, socket, Time::ZERO);
            }
            assert_eq!(pool.refill(Time::from_secs(2)).ready.len(), back);
            used.extend(take(&mut pool, back));
            assert_eq!(pool.refill(Time::from_secs(2)).alarm.is_some(), alarms, "{back} came back");
        }
    }
}
