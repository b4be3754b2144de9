//! 3xx: a destination sends the call elsewhere (RFC 3261 section 8.1.3.4).

use super::dial::Order;
use super::{Contact, Phase};
use crate::core::Core;
use dialplan::{Destination, Target};
use events::{Kind, LegId, Party};
use sip::{Message, NameAddr, Uri};
use std::cmp::Reverse;
use std::sync::Arc;

/// Destinations that one redirect may name: each may be a call by a trunk.
const MOST_TARGETS: usize = 5;

impl Contact {
    /// Follows the redirect of a leg that rang; false if it leads nowhere that its party may send a call to.
    ///
    /// A user's phone may name users and numbers of its client. What a trunk or a plain address names goes by the same trunk or
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
        let targets = contacts.iter().flat_map(|contact| self.redirect_targets(core, &party, &uri, contact));
        let targets: Vec<_> = targets.take(MOST_TARGETS).collect();
        let Phase::Dialing(dial) = &mut self.phase else { return false };
        if !dial.redirect(&party, &targets) {
            return false;
        }
        for target in &targets {
            core.log(Some(self.id), Kind::Redirected { leg: id, status, to: target.to_string().into() });
        }
        true
    }

    fn redirect_targets(
        &self,
        core: &Core,
        party: &Party,
        called: &str,
        contact: &NameAddr<'_>,
    ) -> Vec<Target> {
        let Ok(uri) = contact.uri() else { return Vec::new() };
        let Some(user) = uri.user().map(|user| Arc::<str>::from(&*user)) else { return Vec::new() };
        let target = match party {
            Party::User(name) => return self.of_client(core, name, &user),
            Party::Trunk(name) => self.trunk(party).map(|trunk| {
                let (number, trunks) = (trunk.inbound(&user).into(), vec![Arc::clone(name)]);
                Target::Number { number, trunks }
            }),
            Party::Uri => Some(Target::Uri(uri.to_string().into())),
        };
        target.filter(|_| is_at_same_place(&uri, called)).into_iter().collect()
    }

    /// Whom a user may send its call to. A flow is no phone, but those that it dials at once can be rung beside others.
    fn of_client(&self, core: &Core, from: &str, dialled: &Arc<str>) -> Vec<Target> {
        match self.plan.destination(&self.client, dialled) {
            None => Vec::new(),
            Some(Destination::User(user)) => vec![Target::User(user)],
            Some(Destination::Flow(client, flow)) => {
                let machine = self.machine_for(core, dialled, from, (client, flow));
                Order::of_flow(core.now, machine).map_or_else(Vec::new, |order| order.targets)
            }
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
