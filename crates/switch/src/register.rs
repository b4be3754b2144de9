//! Requests outside calls that the gate has admitted: REGISTER, OPTIONS, and what is not served.

use crate::Switch;
use crate::core::{Core, Listener};
use crate::watch::ALLOW_EVENTS;
use dialplan::{Config, User};
use events::{Kind, Reach, Registration};
use sip::{Binding, Flow, KeptBinding, Message, Method, RequestId, Transport};
use std::sync::Arc;

type Headers = Vec<(&'static str, String)>;

/// The methods that the switch serves; any other gets 405.
pub(crate) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, REFER, UPDATE, PRACK, INFO, MESSAGE, SUBSCRIBE, NOTIFY";

/// A user's address of record, as the registrar and the log know it.
pub(crate) fn address_of_record(user: &str, client: &str) -> String {
    format!("{user}@{client}")
}

impl Core {
    pub(crate) fn respond(&mut self, request: RequestId, status: u16, headers: &Headers) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.endpoint.respond(self.now, request, status, &headers, None, &mut self.sip);
    }
}

impl Core {
    /// Takes back the contacts that were registered when the log ended: phones are called right after a restart, long
    /// before they register again. What cannot be reached any more is told to the log.
    pub(crate) fn restore_registrations(&mut self, plan: &Config, registrations: Vec<Registration>) {
        for registration in registrations {
            if !self.restore_registration(plan, &registration) {
                let Registration { user, contact, .. } = registration;
                self.log(None, Kind::Unregistered { user, contact });
            }
        }
    }

    fn restore_registration(&mut self, plan: &Config, registration: &Registration) -> bool {
        let Registration { user: aor, contact, expires_at, reach } = registration;
        let named = aor.rsplit_once('@').and_then(|(name, client)| {
            plan.user(name).filter(|user| *plan.client(user.client).id == *client)
        });
        let (Some(user), Some(reach)) = (named, reach) else { return false };
        let transport = Transport::from_token(&reach.transport);
        let at =
            self.listeners.iter().find(|it| Some(it.transport) == transport && it.address == reach.local);
        let Some(Listener { transport, address: local, .. }) = at.cloned() else { return false };
        let flow = Flow { transport, local, peer: reach.peer, connection: 0, domain: 0 };
        let (uri, path) = (contact.clone(), reach.path.clone());
        let kept = KeptBinding { uri, flow, expires_at: *expires_at, q: reach.q, path };
        if !self.registrar.restore(self.now, aor, kept) {
            return false;
        }
        self.guard.vouch(reach.peer.ip(), *expires_at);
        self.users.stir(&user.name);
        true
    }
}

impl Switch {
    /// A request outside any dialog, or one within a dialog that is the same wherever it comes.
    pub(crate) fn on_request(
        &mut self,
        request: RequestId,
        flow: Flow,
        message: &Message,
        user: Option<Arc<str>>,
    ) {
        let user = user.and_then(|name| self.plan.user(&name));
        if let (Method::Message, Some(user)) = (message.method(), &user) {
            return self.on_page(request, user, message);
        }
        if *message.method() == Method::Subscribe {
            return self.on_subscribe(request, flow, message, user.as_ref());
        }
        let registering = user.as_ref().map(|user| Arc::clone(&user.name));
        let (status, headers) = match (message.method(), user) {
            (Method::Register, Some(user)) => self.register(&user, flow, message),
            (Method::Options, _) if self.is_draining() => (503, vec![header("Retry-After", "5")]),
            (Method::Options, _) => {
                let accept = header("Accept", sip::ACCEPTED_BODIES);
                (200, vec![header("Allow", ALLOW), accept, header("Allow-Events", ALLOW_EVENTS)])
            }
            // A transfer is of a call (RFC 3515 leaves other uses to the receiver).
            (Method::Refer, _) => (403, Headers::new()),
            _ => (405, vec![header("Allow", ALLOW)]),
        };
        self.core.respond(request, status, &headers);
        if status == 200
            && flow.transport.is_websocket()
            && let (Method::Register, Some(user)) = (message.method(), registering)
        {
            self.with_calls_of(&user, |contact, core| contact.on_registered(core, &user));
        }
    }

    fn register(&mut self, user: &User, flow: Flow, message: &Message) -> (u16, Headers) {
        let named = message.to().ok().and_then(|to| Some(to.uri().ok()?.user()?.into_owned()));
        // A user's password registers that user and nobody else (RFC 3261 10.3 step 4).
        if named.as_deref() != Some(&*user.name) {
            return (403, Headers::new());
        }
        let aor = address_of_record(&user.name, &self.plan.client(user.client).id);
        let core = &mut self.core;
        let before: Vec<_> =
            core.registrar.lookup(core.now, &aor).map(|binding| binding.uri.clone()).collect();
        match core.registrar.register(core.now, &aor, message, flow) {
            Ok(bindings) => {
                if let Some(last) = bindings.iter().map(|binding| binding.expires_at).max() {
                    core.guard.vouch(flow.peer.ip(), last);
                }
                core.users.stir(&user.name);
                log_changes(core, &aor, message, &before, &bindings);
                let contacts = bindings.iter().map(|binding| {
                    let left = (binding.expires_at - core.now).as_secs();
                    ("Contact", format!("<{}>;expires={left}", binding.uri))
                });
                (200, contacts.chain([header("Allow-Events", ALLOW_EVENTS)]).collect())
            }
            Err(reject) => (reject.status, reject.headers),
        }
    }
}

/// Tells the log what a REGISTER changed: the contacts that it removed, and those that it named and are there.
fn log_changes(core: &mut Core, aor: &str, message: &Message, before: &[String], after: &[Binding]) {
    for uri in before.iter().filter(|uri| !after.iter().any(|binding| binding.uri == **uri)) {
        core.log(None, Kind::Unregistered { user: aor.to_owned(), contact: uri.clone() });
    }
    for binding in after {
        let is_named = message
            .contacts()
            .flatten()
            .any(|contact| contact.uri().is_ok_and(|uri| uri.as_str() == binding.uri));
        if is_named {
            let left = (binding.expires_at - core.now).as_secs();
            let expires = u32::try_from(left).unwrap_or(u32::MAX);
            let Flow { transport, local, peer, .. } = binding.flow;
            let (transport, path) = (transport.via_token().into(), binding.path.clone());
            let reach = Some(Box::new(Reach { transport, local, peer, q: binding.q, path }));
            let (user, contact) = (aor.to_owned(), binding.uri.clone());
            core.log(None, Kind::Registered { user, contact, expires, reach });
        }
    }
}

fn header(name: &'static str, value: &str) -> (&'static str, String) {
    (name, value.to_owned())
}
