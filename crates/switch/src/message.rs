//! MESSAGE (RFC 3428): from user to user, and between the parties of a call. What becomes of it is passed back.

use crate::Switch;
use crate::core::Core;
use crate::register::address_of_record;
use dialplan::{Destination, User};
use sip::{Address, Body, InviteId, Message, Method, NewRequest, RequestId};

impl Switch {
    /// A MESSAGE outside of calls: to a user of the same client.
    pub(crate) fn on_page(&mut self, request: RequestId, from: &User, message: &Message) {
        if let Err(status) = self.page(request, from, message) {
            self.core.respond(request, status, &Vec::new());
        }
    }

    fn page(&mut self, request: RequestId, from: &User, message: &Message) -> Result<(), u16> {
        let client = &self.plan.client(from.client).id;
        let named = crate::inbound::user_part(message.request_uri());
        let Some(Destination::User(user)) = self.plan.destination(client, &named) else { return Err(404) };
        let core = &mut self.core;
        let aor = address_of_record(&user, client);
        // The phone that the user prefers: a text on each of them would be read several times.
        let best = core.registrar.lookup(core.now, &aor).max_by_key(|binding| binding.q).ok_or(480_u16)?;
        let flow = core.way_to(best);
        let host = core.shown(&flow);
        let display = from.display_name.as_ref().map(ToString::to_string);
        let page = NewRequest {
            flow,
            method: Method::Message,
            request_uri: best.uri.clone(),
            route: best.path.clone(),
            from: Address { display, uri: format!("sip:{}@{host}", from.name) },
            to: Address { display: None, uri: best.uri.clone() },
            series: None,
            headers: Vec::new(),
            body: body_of(message),
            login: None,
            max_forwards: message.max_forwards().unwrap_or(70).saturating_sub(1),
        };
        let sent = core.endpoint.request(core.now, page, &mut core.sip);
        core.relayed.insert(sent, request);
        Ok(())
    }

    /// A MESSAGE within a call goes to the other party.
    pub(crate) fn on_message_within(&mut self, request: RequestId, invite: InviteId, message: &Message) {
        let place = self.core.invites.get(&invite).copied();
        let peer = place.and_then(|(contact, leg)| self.contacts.get(&contact)?.peer_of(leg));
        let core = &mut self.core;
        let (now, body) = (core.now, body_of(message));
        let sent = peer.and_then(|peer| {
            core.endpoint.request_within(now, peer, &Method::Message, &[], body.as_ref(), &mut core.sip)
        });
        match sent {
            Some(sent) => {
                core.relayed.insert(sent, request);
            }
            // A flow reads no texts.
            None => core.respond(request, 480, &Vec::new()),
        }
    }
}

impl Core {
    /// Passes back what became of a request that was passed on. Of other requests nobody waits for the answer: a phone
    /// that does not hear by NOTIFY how its transfer goes loses nothing else by it.
    pub(crate) fn on_relayed(&mut self, sent: sip::SentId, status: u16) {
        let Some(request) = self.relayed.remove(&sent) else { return };
        let status = match status {
            // Challenges were for us, and 503 would take the whole switch out of the sender's rotation.
            401 | 407 | 503 => 500,
            408 => 480,
            300..=399 => 480,
            other => other,
        };
        self.respond(request, status, &Vec::new());
    }
}

fn body_of(message: &Message) -> Option<Body> {
    let content_type = message.content_type()?.to_owned().into();
    Some(Body { content_type, bytes: message.body().clone() })
}
