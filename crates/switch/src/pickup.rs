//! A phone takes the place of another one's leg: INVITE with Replaces (RFC 3891), and the pickup code.

use crate::Switch;
use crate::inbound::{Call, Refusal, offer_of};
use crate::leg::{Leg, NewLeg};
use dialplan::{Destination, Feature, User};
use events::{ContactId, Direction, Kind, LegId, Party};
use sip::Replaces;

impl Switch {
    /// The leg whose place a call is to take, if that is what it asks for; why it may not.
    ///
    /// Users may take over calls of users of their client: rung ones, and those that are talked on. To others such calls are
    /// not there.
    pub(crate) fn replaced_by(&self, call: &Call<'_>) -> Result<Option<(ContactId, LegId)>, Refusal> {
        let replaces = Replaces::of(call.message).map_err(|status| Refusal::of(status, "a bad Replaces"))?;
        let user = match &call.source.party {
            Party::User(user) => self.plan.user(user),
            Party::Trunk(_) | Party::Uri => None,
        };
        match (replaces, user) {
            (None, None) => Ok(None),
            (None, Some(user)) => self.picked_up(&user, &call.to),
            (Some(_), None) => Err(Refusal::of(403, "only users take over calls")),
            (Some(replaces), Some(user)) => self.named_by(&user, &replaces).map(Some),
        }
    }

    fn named_by(&self, user: &User, replaces: &Replaces) -> Result<(ContactId, LegId), Refusal> {
        let unknown = || Refusal::of(481, "no such call is up");
        let usage = self.core.endpoint.replaced(replaces).ok_or_else(unknown)?;
        let &(id, leg) = self.core.invites.get(&usage).ok_or_else(unknown)?;
        let contact = self.contacts.get(&id).ok_or_else(unknown)?;
        let found = contact.legs().find(|it| it.id == leg).ok_or_else(unknown)?;
        let is_foreign = contact.client != self.plan.client(user.client).id || found.user().is_none();
        // RFC 3891 section 3: an early dialog is replaced where it was begun, which is here if we ring.
        if is_foreign || found.is_early() && found.direction() == Direction::Inbound {
            return Err(unknown());
        }
        if replaces.early_only && !found.is_early() {
            return Err(Refusal::of(486, "answered already"));
        }
        contact.may_be_replaced(leg).map(|()| (id, leg)).map_err(|status| Refusal::of(status, "not now"))
    }

    /// The leg that rings a user whose name follows the pickup code.
    fn picked_up(&self, user: &User, dialled: &str) -> Result<Option<(ContactId, LegId)>, Refusal> {
        let client = self.plan.client(user.client);
        let code = client.features.code(Feature::Pickup);
        let Some(name) = code.and_then(|code| dialled.strip_prefix(code)) else { return Ok(None) };
        let Some(Destination::User(rung)) = self.plan.destination(&client.id, name) else {
            return Err(Refusal::not_found());
        };
        let mut contacts = self.core.users.contacts_of(&rung).iter();
        let found = contacts.find_map(|id| {
            let contact = self.contacts.get(id)?;
            let mut legs = contact.legs().filter(|leg| leg.user() == Some(&rung));
            let leg = legs.find(|leg| leg.is_early() && leg.direction() == Direction::Outbound)?;
            contact.may_be_replaced(leg.id).is_ok().then_some((*id, leg.id))
        });
        found.map(Some).ok_or_else(|| Refusal::of(480, "nobody calls there"))
    }

    /// The call gets the place of a leg.
    pub(crate) fn replace(
        &mut self,
        call: &Call<'_>,
        (id, replaced): (ContactId, LegId),
    ) -> Result<(), Refusal> {
        if self.is_draining() {
            return Err(Refusal::no_room("the node drains"));
        }
        let contact = self.contacts.get(&id).ok_or_else(Refusal::not_found)?;
        let (thread, dials_codes) = (contact.thread(), contact.dials_codes(&call.source.party));
        let core = &mut self.core;
        let port = thread.and_then(|thread| core.ports.take(thread)).ok_or_else(Refusal::no_port)?;
        let leg = core.new_leg();
        let (party, direction) = (call.source.party.clone(), Direction::Inbound);
        let new = NewLeg { flow: call.flow, direction, party, uri: call.uri(), dials_codes };
        let mut taker = Leg::new(core, leg, new, port, None);
        if let Err(error) = offer_of(call.message, &mut taker) {
            taker.discard(core);
            return Err(Refusal::of_offer(error.status()));
        }
        taker.invite = Some(call.id);
        core.invites.insert(call.id, (id, leg));
        self.log_leg_start(id, leg, call);
        self.core.log_early_wires(call.id);
        self.core.log(Some(id), Kind::LegReplaced { leg: replaced, by: leg });
        self.with_contact(id, |contact, core| contact.replace(core, replaced, taker));
        Ok(())
    }
}
