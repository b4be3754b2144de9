//! The UDP listeners: many datagrams a wake-up, answers sent straight from the signalling thread.

use super::error::ServeError;
use super::icmp;
use bytes::Bytes;
use mio::event::Event;
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use nix::sys::socket::{setsockopt, sockopt};
use sip::Flow;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// Socket buffers: a burst of 4,000 messages while the thread is busy elsewhere.
const SOCKET_BUFFER: usize = 4 << 20;
/// How often a datagram is offered to the system before an error is believed to be its own.
const SEND_ATTEMPTS: usize = 3;
/// The largest UDP payload.
const DATAGRAM: usize = 65_535;

/// Every UDP listener of the node.
pub(super) struct Datagrams {
    listeners: Vec<Listener>,
    buffer: Box<[u8]>,
}

struct Listener {
    socket: UdpSocket,
    local: SocketAddr,
    /// mio tells of each arrival once: until a read would block there may be more.
    readable: bool,
    /// The network has returned something that was sent.
    failed: bool,
}

impl Datagrams {
    /// Binds a socket for each address.
    ///
    /// # Errors
    /// [`ServeError::Bind`] names the address that cannot be bound.
    pub(super) fn bind(addresses: impl IntoIterator<Item = SocketAddr>) -> Result<Self, ServeError> {
        let listeners = addresses.into_iter().map(Listener::bind).collect::<Result<_, _>>()?;
        Ok(Self { listeners, buffer: vec![0; DATAGRAM].into_boxed_slice() })
    }

    /// Asks for wake-ups; a listener's token is its place in the list of addresses.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        for (index, listener) in self.listeners.iter_mut().enumerate() {
            registry.register(&mut listener.socket, Token(index), Interest::READABLE)?;
        }
        Ok(())
    }

    /// Notes that a token of [`Datagrams::register`] woke the thread.
    pub(super) fn woken(&mut self, event: &Event) {
        if let Some(listener) = self.listeners.get_mut(event.token().0) {
            listener.readable = true;
            listener.failed |= event.is_error();
        }
    }

    /// Whether a listener may hold more datagrams than were read.
    pub(super) fn is_readable(&self) -> bool {
        self.listeners.iter().any(|listener| listener.readable)
    }

    /// Reads up to `limit` datagrams from each listener that has any.
    pub(super) fn receive(&mut self, limit: usize, mut each: impl FnMut(Arrival)) {
        for listener in self.listeners.iter_mut().filter(|listener| listener.readable) {
            listener.receive(limit, &mut self.buffer, &mut each);
        }
    }

    /// Sends one datagram from the listener that `flow` names.
    ///
    /// A full socket buffer loses it, as the network might; SIP's timers repair both.
    ///
    /// # Errors
    /// What the operating system says at once: no route, not permitted, no such listener.
    pub(super) fn send(&self, flow: &Flow, bytes: &[u8]) -> io::Result<()> {
        let listener = self.listeners.iter().find(|listener| listener.local == flow.local);
        let Some(listener) = listener else {
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, "no such listener"));
        };
        let mut attempts = 1;
        loop {
            match listener.socket.send_to(bytes, flow.peer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // What is reported here may be the fate of an earlier datagram to somebody else, whom the
                // error queue names: then this one has not been sent.
                Err(_) if attempts < SEND_ATTEMPTS => attempts += 1,
                sent => return sent.map(drop),
            }
        }
    }
}

/// What a listener gives.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A datagram.
    Datagram(Flow, Bytes),
    /// The network returned one that was sent: nobody listens there, or no way leads there.
    Unreachable(Flow),
}

impl Listener {
    fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        let bound =
            bind(address).map_err(|error| ServeError::Bind { what: "SIP over UDP", address, error })?;
        let local =
            bound.local_addr().map_err(|error| ServeError::Bind { what: "SIP over UDP", address, error })?;
        Ok(Self { socket: bound, local, readable: true, failed: false })
    }

    fn receive(&mut self, limit: usize, buffer: &mut [u8], each: &mut impl FnMut(Arrival)) {
        if std::mem::take(&mut self.failed) {
            self.returned(limit, each);
        }
        for _ in 0..limit {
            match self.socket.recv_from(buffer) {
                Ok((length, peer)) => {
                    each(Arrival::Datagram(self.flow(peer), Bytes::copy_from_slice(&buffer[..length])));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = false;
                    return;
                }
                Err(_) => self.returned(limit, each),
            }
        }
    }

    /// Reads what the network returned.
    fn returned(&self, limit: usize, each: &mut impl FnMut(Arrival)) {
        for _ in 0..limit {
            match icmp::next_unreachable(&self.socket) {
                Some(peer) => each(Arrival::Unreachable(self.flow(peer))),
                None => return,
            }
        }
    }

    fn flow(&self, peer: SocketAddr) -> Flow {
        Flow::udp(self.local, peer)
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    grow_buffers(&socket)?;
    socket.set_nonblocking(true)?;
    icmp::report_errors(&socket, address)?;
    socket.bind(&address.into())?;
    Ok(UdpSocket::from_std(socket.into()))
}

/// Beyond the system's limit where the process may, up to it where not.
fn grow_buffers(socket: &Socket) -> io::Result<()> {
    if setsockopt(socket, sockopt::RcvBufForce, &SOCKET_BUFFER).is_err() {
        socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    }
    if setsockopt(socket, sockopt::SndBufForce, &SOCKET_BUFFER).is_err() {
        socket.set_send_buffer_size(SOCKET_BUFFER)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn next(datagrams: &mut Datagrams, poll: &mut mio::Poll) -> Arrival {
        let mut events = mio::Events::with_capacity(4);
        let mut arrivals = Vec::new();
        for _ in 0..20 {
            datagrams.receive(8, |arrival| arrivals.push(arrival));
            if let Some(arrival) = arrivals.pop() {
                return arrival;
            }
            poll.poll(&mut events, Some(Duration::from_secs(1))).expect("poll");
            events.iter().for_each(|event| datagrams.woken(event));
        }
        panic!("nothing arrived");
    }

    fn listener(address: &str) -> (Datagrams, mio::Poll, SocketAddr) {
        let mut datagrams = Datagrams::bind([address.parse().expect("an address")]).expect("bind");
        let poll = mio::Poll::new().expect("poll");
        datagrams.register(poll.registry()).expect("register");
        let local = datagrams.listeners[0].local;
        (datagrams, poll, local)
    }

    #[test]
    fn a_datagram_comes_with_the_listener_and_the_peer() {
        let (mut datagrams, mut poll, local) = listener("127.0.0.1:0");
        let phone = std::net::UdpSocket::bind("127.0.0.1:0").expect("bind");
        phone.send_to(b"hello", local).expect("send");
        let Arrival::Datagram(flow, bytes) = next(&mut datagrams, &mut poll) else {
            panic!("no datagram");
        };
        assert_eq!((flow.local, flow.peer), (local, phone.local_addr().expect("bound")));
        assert_eq!(&bytes[..], b"hello");
        datagrams.send(&flow, b"answer").expect("send");
        let mut answer = [0; 16];
        phone.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
        assert_eq!(phone.recv(&mut answer).expect("the answer"), 6);
    }

    #[test]
    fn rfc3261_18_4_a_phone_that_is_gone_is_told_and_others_still_hear() {
        for loopback in ["127.0.0.1:0", "[::1]:0"] {
            let (mut datagrams, mut poll, local) = listener(loopback);
            let gone = std::net::UdpSocket::bind(loopback).expect("bind").local_addr().expect("bound");
            let flow = Flow::udp(local, gone);
            for _ in 0..3 {
                datagrams.send(&flow, b"to nobody").expect("the kernel takes it");
            }
            let Arrival::Unreachable(failed) = next(&mut datagrams, &mut poll) else {
                panic!("no report");
            };
            assert_eq!(failed, flow);
            let phone = std::net::UdpSocket::bind(loopback).expect("bind");
            let alive = Flow { peer: phone.local_addr().expect("bound"), ..flow };
            datagrams.send(&alive, b"to somebody").expect("send");
            phone.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
            assert_eq!(phone.recv(&mut [0; 16]).expect("heard"), 11);
        }
    }

    #[test]
    fn a_port_in_use_is_named() {
        let taken = std::net::UdpSocket::bind("127.0.0.1:0").expect("bind");
        let address = taken.local_addr().expect("bound");
        let Err(error) = Datagrams::bind([address]) else { panic!("bound twice") };
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
}
