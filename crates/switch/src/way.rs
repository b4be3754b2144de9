//! Which way a URI leads out.

use crate::core::{Core, Listener};
use sip::{Flow, Host, Transport, Uri};
use std::net::{IpAddr, SocketAddr};

impl Core {
    /// The way to a SIP URI, or the status that says why there is none; names need DNS, which the switch does not ask
    /// yet.
    pub(crate) fn way_to(&self, uri: &str) -> Result<Flow, u16> {
        let uri = Uri::parse(uri).map_err(|_| 404_u16)?;
        let uri = uri.as_sip().ok_or(404_u16)?;
        let transport = match uri.params.get("transport") {
            Some(_) => uri.transport().ok_or(502_u16)?,
            None => Transport::Udp,
        };
        let ip: IpAddr = match uri.host {
            Host::V4(ip) => ip.into(),
            Host::V6(ip) => ip.into(),
            Host::Name(_) => return Err(502),
        };
        let peer = SocketAddr::new(ip, uri.port.unwrap_or(transport.default_port()));
        self.flow_to(transport, peer).ok_or(502)
    }

    /// The flow to an address: from the first listener of its transport and family.
    fn flow_to(&self, transport: Transport, peer: SocketAddr) -> Option<Flow> {
        let reaches = |listener: &&Listener| {
            listener.transport == transport && listener.address.is_ipv4() == peer.is_ipv4()
        };
        let listener = self.listeners.iter().find(reaches)?;
        Some(Flow { transport, local: listener.address, peer, connection: 0 })
    }
}
