//! Requests that are too large for a datagram: RFC 3261 section 18.1.1.

use super::usage::{State, Usage};
use super::{Endpoint, EndpointConfig, InviteId, Output};
use crate::dialog::first_hop_names;
use crate::transaction::Outgoing;
use crate::transaction::client::{ClientKey, NewClient, Streamed};
use crate::{Flow, Message, Transport};
use clock::Time;
use std::net::SocketAddr;

/// The largest request that goes by UDP where the path's MTU is not known.
const MAX_DATAGRAM: usize = 1_300;

impl Endpoint {
    /// Begins a client transaction. A request to a server that is too large for UDP goes by TCP, unless the server is known
    /// to take nothing by it.
    pub(super) fn send(&mut self, now: Time, new: NewClient, out: &mut Vec<Output>) {
        let is_large = new.request.bytes.len() > MAX_DATAGRAM;
        let flow = self.config.stream_to(&new.request.flow).filter(|flow| {
            let usage = new.invite.and_then(|id| self.usages.get(&id));
            is_large && usage.is_some_and(|usage| usage.is_server) && self.clients.may_stream(now, flow.peer)
        });
        // By TCP and by UDP it has the same sent-by, though their listeners may show different ones: else the datagram would be
        // another transaction for a server that has it by TCP (RFC 3261 section 17.2.3), and be answered by 482 (8.2.2.2).
        // UDP's it is. Responses over TCP come by the connection of the request; sent-by has a say only when that has
        // closed (18.2.2), and then nobody waits at a TCP port any more: the transaction has failed, or goes on by UDP.
        // A response to the datagram goes to the port of sent-by from all servers that do not know rport (RFC 3581).
        let sent_by = self.config.sent_by(&new.request.flow);
        let via = |flow: &Flow| new.key.via_with(flow.transport, sent_by);
        let streamed = flow.map(|flow| Streamed(new.request.by(flow, &via(&flow))));
        self.clients.start(now, new, streamed, out);
    }

    /// A request of ours that was refused, to be sent once more the way that it was meant to go.
    pub(super) fn refused(&self, key: ClientKey) -> Option<Outgoing> {
        let request = self.clients.request(key)?.clone();
        Some(Outgoing { flow: self.clients.meant(key).unwrap_or(request.flow), ..request })
    }

    /// The way of the dialog that a response makes: that of the response, unless the request went by TCP for nothing but its
    /// size. Then what follows goes by UDP, if the peer does not name TCP itself.
    pub(super) fn way_of_dialog(&self, key: ClientKey, came_by: Flow, response: &Message) -> Flow {
        let meant = self.clients.meant(key).filter(|_| !first_hop_names(response, came_by.transport));
        meant.unwrap_or(came_by)
    }

    /// Sends an INVITE by UDP that has gone by TCP for its size and has had no response, unless the endpoint has done so by
    /// itself: the time when that was. `None` if it is none.
    pub fn fall_back(&mut self, now: Time, id: InviteId, out: &mut Vec<Output>) -> Option<Time> {
        let Some(Usage { state: State::Calling(calling), .. }) = self.usages.get(&id) else {
            return None;
        };
        self.clients.fall_back(now, calling.key, out)
    }
}

impl EndpointConfig {
    /// The way by TCP to where a flow of UDP leads: from the listener that shows the same address and port, or is at the same
    /// address, or else of the same family.
    fn stream_to(&self, flow: &Flow) -> Option<Flow> {
        if flow.transport != Transport::Udp {
            return None;
        }
        let by_tcp = self.shown.keys().filter(|(transport, _)| *transport == Transport::Tcp);
        let of_family = by_tcp.map(|(_, local)| *local).filter(|it| it.is_ipv4() == flow.peer.is_ipv4());
        let by = |local| Flow { transport: Transport::Tcp, local, ..*flow };
        let sent_by = self.sent_by(flow);
        let unlike = |it: SocketAddr| {
            (self.sent_by(&by(it)) != sent_by, it != flow.local, it.ip() != flow.local.ip(), it)
        };
        of_family.min_by_key(|it| unlike(*it)).map(by)
    }
}
