//! Which way an address is reached.

use crate::core::{Core, Listener};
use sip::{Flow, Transport, Uri};
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
        let reaches = |listener: &&Listener| {
            listener.transport == transport && listener.address.is_ipv4() == peer.is_ipv4()
        };
        let local = self.listeners.iter().find(reaches)?.address;
        let domain = match transport {
            Transport::Tls => self.tls_peers.number(TlsPeer { host: host_of(uri)?, trunk: trunk.cloned() }),
            Transport::Udp | Transport::Tcp | Transport::Ws | Transport::Wss => 0,
        };
        Some(Flow { transport, local, peer, connection: 0, domain })
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
