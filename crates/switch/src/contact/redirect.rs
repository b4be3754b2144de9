//! 3xx: a destination sends the call elsewhere (RFC 3261 section 8.1.3.4).

use super::{Contact, Phase};
use crate::core::Core;
use dialplan::{Destination, Target};
use events::{Kind, LegId, Party};
use sip::{Message, NameAddr, Uri};
use std::cmp::Reverse;
use std::sync::Arc;

impl Contact {
    /// Follows the redirect of a leg that rang; false if it leads nowhere that its party may send a call to.
    ///
    /// A user's phone may name users of its client. What a trunk or a plain address names goes by the same trunk or
    /// to the same address: otherwise a stranger would choose whom the switch calls, and who pays for it.
    pub(super) fn follow_redirect(
        &mut self,
        core: &mut Core,
        leg: LegId,
        status: u16,
        message: &Message,
    ) -> bool {
        let Some(leg) = self.legs().find(|it| it.id == leg) else { return false };
        let (id, party, uri) = (leg.id, leg.party.clone(), Arc::clone(&leg.uri));
        let mut contacts: Vec<_> = message.contacts().flatten().collect();
        contacts.sort_by_key(|contact| Reverse(contact.preference()));
        let targets: Vec<_> =
            contacts.iter().filter_map(|contact| self.redirect_target(&party, &uri, contact)).collect();
        let Phase::Dialing(dial) = &mut self.phase else { return false };
        if !dial.redirect(&targets) {
            return false;
        }
        for target in &targets {
            core.log(Some(self.id), Kind::Redirected { leg: id, status, to: target.to_string().into() });
        }
        true
    }

    fn redirect_target(&self, party: &Party, called: &str, contact: &NameAddr<'_>) -> Option<Target> {
        let uri = contact.uri().ok()?;
        let user: Arc<str> = uri.user()?.as_ref().into();
        match party {
            Party::User(_) => match self.plan.destination(&self.client, &user)? {
                Destination::User(user) => Some(Target::User(user)),
                // A flow is no phone: it cannot be rung beside others.
                Destination::Flow(..) => None,
            },
            Party::Trunk(name) => {
                let number = self.trunk(party)?.inbound(&user).into();
                let trunks = vec![Arc::clone(name)];
                is_at_same_place(&uri, called).then_some(Target::Number { number, trunks })
            }
            Party::Uri => is_at_same_place(&uri, called).then(|| Target::Uri(uri.to_string().into())),
        }
    }
}

/// Whether two SIP URIs have the same host and port.
fn is_at_same_place(uri: &Uri<'_>, called: &str) -> bool {
    let place = |uri: &Uri<'_>| uri.as_sip().map(|sip| (sip.host.to_string(), sip.port.unwrap_or(5060)));
    let called = Uri::parse(called).ok();
    let called = called.as_ref().and_then(place);
    called.is_some() && place(uri) == called
}
