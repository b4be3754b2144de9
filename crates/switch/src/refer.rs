//! REFER: a phone asks for a transfer (RFC 3515, 5589). It is carried out here and never passed on.

use crate::Switch;
use crate::contact::{Contact, Wish};
use events::{ContactId, LegId, Party, TransferBy};
use sip::{InviteId, Message, Refer, Replaces, RequestId};

/// The two contacts of an attended transfer: one gives what its caller has reached, the other's party gets it.
struct Joining {
    from: ContactId,
    into: ContactId,
    /// The transferor's leg in the contact that goes on.
    leg: LegId,
}

impl Switch {
    /// A REFER within a call.
    pub(crate) fn on_refer(&mut self, request: RequestId, invite: InviteId, message: &Message) {
        let found = self.core.invites.get(&invite).copied();
        let read = found.ok_or(481).and_then(|place| Ok((place, Refer::read(message)?)));
        let admitted = read.and_then(|((contact, leg), refer)| {
            self.may_refer(contact, leg)?;
            Ok((contact, leg, refer))
        });
        let core = &mut self.core;
        let (contact, leg, refer) = match admitted {
            Ok(admitted) => admitted,
            Err(status) => {
                return core.endpoint.respond(core.now, request, status, &[], None, &mut core.sip);
            }
        };
        let headers: &[(&str, &str)] = if refer.silent { &[("Refer-Sub", "false")] } else { &[] };
        core.endpoint.respond(core.now, request, 202, headers, None, &mut core.sip);
        let number = message.cseq().map_or(0, |(number, _)| number);
        let told = if refer.silent { None } else { core.watch_transfer(invite, number) };
        if let Some(told) = told {
            core.tell_of_transfer(told, 100);
        }
        let Refer { to, replaces, by, .. } = refer;
        let consult = replaces.is_some();
        let (to, by, referred_by) = (to.into(), TransferBy::Refer, by);
        let wish = Wish { leg, by, consult, to, told, referred_by };
        match replaces {
            None => self.with_contact(contact, |contact, core| contact.begin_transfer(core, wish)),
            Some(replaces) => self.attend(contact, wish, &replaces),
        }
    }

    /// Users may transfer whom they speak with; trunks and plain addresses may not: what they transfer to is paid for
    /// by somebody else.
    fn may_refer(&self, contact: ContactId, leg: LegId) -> Result<(), u16> {
        let contact = self.contacts.get(&contact).ok_or(481_u16)?;
        let is_user = contact.legs().any(|it| it.id == leg && matches!(it.party, Party::User(_)));
        if is_user { contact.may_transfer(leg) } else { Err(403) }
    }

    /// The party of one call gets what the transferor has reached by another.
    fn attend(&mut self, contact: ContactId, wish: Wish, replaces: &Replaces) {
        let joining = match self.joining(contact, wish.leg, replaces) {
            Ok(joining) => joining,
            Err(status) => {
                if let Some(told) = wish.told {
                    self.core.tell_of_transfer(told, status);
                }
                return;
            }
        };
        let Joining { from, into, leg } = joining;
        let Some(giver) = self.contacts.get_mut(&from) else { return };
        let far = giver.give(&mut self.core, into);
        self.with_contact(into, |contact, core| contact.receive(core, Wish { leg, ..wish }, far));
        self.with_contact(from, Contact::end_given);
    }

    /// Which contact goes on: the one that called the transferor, or else the one that it sent the REFER in.
    fn joining(&self, contact: ContactId, leg: LegId, replaces: &Replaces) -> Result<Joining, u16> {
        let usage = self.core.endpoint.replaced(replaces).ok_or(481_u16)?;
        let &(other, other_leg) = self.core.invites.get(&usage).ok_or(481_u16)?;
        let first = self.contacts.get(&contact).ok_or(481_u16)?;
        let second = self.contacts.get(&other).ok_or(481_u16)?;
        if contact == other || party(first, leg) != party(second, other_leg) {
            return Err(403);
        }
        let joining = if second.may_give(other_leg).is_ok() {
            Joining { from: other, into: contact, leg }
        } else {
            first.may_give(leg)?;
            second.may_transfer(other_leg)?;
            Joining { from: contact, into: other, leg: other_leg }
        };
        let (giver, taker) = if joining.from == other { (second, first) } else { (first, second) };
        if replaces.early_only && second.is_answered(other_leg) {
            return Err(486);
        }
        (giver.client == taker.client).then_some(joining).ok_or(500)
    }
}

fn party(contact: &Contact, leg: LegId) -> Option<&Party> {
    contact.legs().find(|it| it.id == leg).map(|leg| &leg.party)
}
