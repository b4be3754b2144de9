//! Which way an address is reached.

use crate::core::{Core, Listener};
use sip::{Binding, Flow, Host, Transport, Uri};
use std::net::SocketAddr;
use std::sync::Arc;

/// Whom a TLS connection of ours has to lead to (RFC 5922 section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsPeer {
    /// The host of the URI that led to it, before any SRV.
    pub host: Arc<str>,
    /// The trunk whose settings hold, if it is one's.
    pub trunk: Option<Arc<str>>,
}

/// The domains of flows by their number, which they keep: there are no more than the plans have named.
#[derive(Default)]
pub(crate) struct TlsPeers(Vec<TlsPeer>);

impl TlsPeers {
    pub(crate) fn get(&self, domain: u32) -> Option<&TlsPeer> {
        self.0.get(domain.checked_sub(1)? as usize)
    }

    fn number(&mut self, peer: TlsPeer) -> u32 {
        let place = self.0.iter().position(|known| *known == peer).unwrap_or_else(|| {
            self.0.push(peer);
            self.0.len() - 1
        });
        u32::try_from(place + 1).unwrap_or(0)
    }
}

impl Core {
    /// The flow to a server that a URI has led to: from the first listener of its transport and family. `trunk`: whose it
    /// is.
    pub(crate) fn flow_to(
        &mut self,
        (transport, peer): (Transport, SocketAddr),
        uri: &str,
        trunk: Option<&Arc<str>>,
    ) -> Option<Flow> {
        let local = self.listener_for(transport, peer)?;
        let domain = match transport {
            Transport::Tls => self.tls_peers.number(TlsPeer { host: host_of(uri)?, trunk: trunk.cloned() }),
            Transport::Udp | Transport::Tcp | Transport::Ws | Transport::Wss => 0,
        };
        if let Some(trunk) = trunk {
            self.show_to_trunk(peer.ip(), trunk);
        }
        Some(Flow { transport, local, peer, connection: 0, domain })
    }

    /// Where a registered phone is called: at the first proxy of its Path, at the Contact that it named (RFC 3261
    /// section 10.3), or, if it is behind a NAT or on a stream, the way that its REGISTER came by. A NAT shows in a Contact
    /// whose address is not the one that the REGISTER came from.
    pub(crate) fn way_to(&self, binding: &Binding) -> Flow {
        let flow = binding.flow;
        if flow.connection != 0 {
            return flow;
        }
        if !binding.path.is_empty() {
            return self.way_by_path(binding).unwrap_or(flow);
        }
        let named = address_in(&binding.uri);
        match named.filter(|named| flow.transport == Transport::Udp && named.ip() == flow.peer.ip()) {
            Some(peer) => Flow { peer, ..flow },
            None => flow,
        }
    }

    fn way_by_path(&self, binding: &Binding) -> Option<Flow> {
        let (transport, peer) = binding.first_hop()?;
        let local = match transport == binding.flow.transport {
            true => binding.flow.local,
            false => self.listener_for(transport, peer)?,
        };
        Some(Flow { transport, local, peer, connection: 0, domain: 0 })
    }

    /// The first listener of a transport and of an address's family.
    fn listener_for(&self, transport: Transport, peer: SocketAddr) -> Option<SocketAddr> {
        let reaches = |listener: &&Listener| {
            listener.transport == transport && listener.address.is_ipv4() == peer.is_ipv4()
        };
        Some(self.listeners.iter().find(reaches)?.address)
    }
}

/// The address in a SIP URI that names no host.
fn address_in(uri: &str) -> Option<SocketAddr> {
    let uri = Uri::parse(uri).ok()?;
    let uri = uri.as_sip()?;
    let port = uri.port.unwrap_or(5060);
    match uri.host {
        Host::V4(ip) => Some(SocketAddr::new(ip.into(), port)),
        Host::V6(ip) => Some(SocketAddr::new(ip.into(), port)),
        Host::Name(_) => None,
    }
}

/// The host of a SIP URI.
pub(crate) fn host_of(uri: &str) -> Option<Arc<str>> {
    Some(Uri::parse(uri).ok()?.as_sip()?.host.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_keeps_its_number_and_one_of_a_trunk_is_another() {
        let mut peers = TlsPeers::default();
        let peer =
            |trunk: Option<&str>| TlsPeer { host: "carrier.example".into(), trunk: trunk.map(Arc::from) };
        let numbers = [None, Some("one"), Some("two"), None].map(|trunk| peers.number(peer(trunk)));
        assert_eq!(numbers, [1, 2, 3, 1]);
        assert_eq!(peers.get(3), Some(&peer(Some("two"))));
        assert_eq!((peers.get(0), peers.get(4)), (None, None));
    }
}
