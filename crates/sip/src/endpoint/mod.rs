//! The user agent core: transactions, INVITE usages and their dialogs behind one door.

mod api;

pub use api::{
    Address, Alive, Body, Counters, EndpointConfig, Event, InviteId, Login, NewInvite, Output, RequestId,
    Why, Wire,
};

use crate::Flow;
use bytes::Bytes;
use clock::Time;

/// A SIP user agent without I/O (RFC 3261 sections 8 to 17).
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    counters: Counters,
    next: u64,
}

impl Endpoint {
    /// An endpoint with nothing alive. `seed` is the source of its tags, branches and Call-IDs: it must be
    /// secret and fresh, except in a test.
    pub fn new(config: EndpointConfig, seed: [u8; 32]) -> Self {
        let _ = seed;
        Self { config, counters: Counters::default(), next: 0 }
    }

    /// Takes one datagram or one framed message of a stream.
    pub fn receive(&mut self, now: Time, flow: Flow, bytes: Bytes, out: &mut Vec<Output>) {
        let _ = (now, flow, bytes, out);
    }

    /// The transport could not deliver to `flow`: ICMP, connect refused, or the stream closed.
    pub fn flow_failed(&mut self, now: Time, flow: Flow, out: &mut Vec<Output>) {
        let _ = (now, flow, out);
    }

    /// Fires all timers that are due.
    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Output>) {
        let _ = (now, out);
    }

    /// When `handle_timeout` wants to be called.
    pub fn next_timeout(&self) -> Option<Time> {
        None
    }

    /// Sends an INVITE.
    pub fn invite(&mut self, now: Time, invite: NewInvite, out: &mut Vec<Output>) -> InviteId {
        let _ = (now, invite, out, self.config.max_usages);
        self.next += 1;
        InviteId(self.next)
    }

    /// Cancels our INVITE. `reason` is a Reason header field (RFC 3326),
    /// `SIP;cause=200;text="Call completed elsewhere"`. CANCEL waits for the first provisional response
    /// (9.1); a 2xx that crosses it is acknowledged and ended by BYE. Ends by `Failed` with 487 or what the
    /// peer said.
    pub fn cancel(&mut self, now: Time, id: InviteId, reason: Option<&str>, out: &mut Vec<Output>) {
        let _ = (now, id, reason, out);
    }

    /// Sends the ACK to a 2xx that answered our INVITE or re-INVITE without a body; `body` is the answer.
    pub fn acknowledge(&mut self, now: Time, id: InviteId, body: Option<Body>, out: &mut Vec<Output>) {
        let _ = (now, id, body, out);
    }

    /// Sends a provisional response, 101–199, to the peer's INVITE.
    pub fn progress(
        &mut self,
        now: Time,
        id: InviteId,
        status: u16,
        contact: &str,
        body: Option<Body>,
        out: &mut Vec<Output>,
    ) {
        let _ = (now, id, status, contact, body, out);
    }

    /// Answers the peer's INVITE with 200. It is repeated until the ACK comes; without one for 64*T1 the
    /// usage ends by BYE (13.3.1.4).
    pub fn accept(
        &mut self,
        now: Time,
        id: InviteId,
        contact: &str,
        body: Option<Body>,
        out: &mut Vec<Output>,
    ) {
        let _ = (now, id, contact, body, out);
    }

    /// Refuses the peer's INVITE with 300–699. `Ended` follows when the peer has acknowledged it.
    pub fn reject(
        &mut self,
        now: Time,
        id: InviteId,
        status: u16,
        headers: &[(&str, &str)],
        out: &mut Vec<Output>,
    ) {
        let _ = (now, id, status, headers, out);
    }

    /// Hangs up. `reason` is a Reason header field (RFC 3326). `Ended` follows when the BYE is answered.
    pub fn bye(&mut self, now: Time, id: InviteId, reason: Option<&str>, out: &mut Vec<Output>) {
        let _ = (now, id, reason, out);
    }

    /// Sends a re-INVITE; false while another INVITE is pending in the dialog or there is none.
    pub fn reinvite(&mut self, now: Time, id: InviteId, body: Option<Body>, out: &mut Vec<Output>) -> bool {
        let _ = (now, id, body, out);
        false
    }

    /// Answers an `Event::Request` or `Event::Reinvite`.
    pub fn respond(
        &mut self,
        now: Time,
        request: RequestId,
        status: u16,
        headers: &[(&str, &str)],
        body: Option<Body>,
        out: &mut Vec<Output>,
    ) {
        let _ = (now, request, status, headers, body, out);
    }

    /// The Call-ID of a usage that is not over.
    pub fn call_id(&self, id: InviteId) -> Option<&str> {
        let _ = id;
        None
    }

    /// What was dropped or answered without the user.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// How much is alive.
    pub fn alive(&self) -> Alive {
        Alive::default()
    }
}
