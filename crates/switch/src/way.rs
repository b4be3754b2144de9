//! Which way an address is reached.

use crate::core::{Core, Listener};
use sip::{Flow, Transport};
use std::net::SocketAddr;

impl Core {
    /// The flow to an address: from the first listener of its transport and family.
    pub(crate) fn flow_to(&self, transport: Transport, peer: SocketAddr) -> Option<Flow> {
        let reaches = |listener: &&Listener| {
            listener.transport == transport && listener.address.is_ipv4() == peer.is_ipv4()
        };
        let listener = self.listeners.iter().find(reaches)?;
        Some(Flow { transport, local: listener.address, peer, connection: 0 })
    }
}
