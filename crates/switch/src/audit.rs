//! What must always hold. The simulator asks after every step; a line is a bug.

use crate::contact::Contact;
use crate::leg::State;
use crate::{Snapshot, Switch};
use events::{ContactId, Party};
use std::collections::{BTreeSet, HashSet};

impl Switch {
    /// Counts of what is alive.
    pub fn snapshot(&self) -> Snapshot {
        let alive = self.core.endpoint.alive();
        Snapshot {
            contacts: self.contacts.len(),
            legs: self.core.invites.len(),
            streams: self.core.streams.len(),
            recordings: self.core.recordings.len(),
            occupied_users: self.core.users.len(),
            registrations: self.core.registrar.len(),
            subscriptions: self.core.watches.len(),
            timers: self.core.timers.len(),
            requests: self.core.web.len(),
            usages: alive.usages,
            transactions: alive.transactions,
            ports_ready: self.core.ports.ready(),
            plan_version: self.plan_version,
            former_plans: self.contacts.values().filter(|contact| !contact.goes_by(&self.plan)).count(),
            draining: self.is_draining(),
            bans: self.core.guard.banned(self.core.now),
            dropped: self.core.guard.dropped(),
            shed: self.core.overload.shed(),
        }
    }

    /// Contradictions between the switch's parts; empty unless there is a bug.
    pub fn audit(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.audit_directories(&mut found);
        for contact in self.contacts.values() {
            audit_contact(contact, &mut found);
        }
        let mut owned = HashSet::new();
        for (contact, leg) in self.contacts.values().flat_map(|it| it.legs().map(move |leg| (it.id, leg.id)))
        {
            if !owned.insert(leg) {
                found.push(format!("leg {} of contact {} is another contact's too", leg.0, contact.0));
            }
        }
        self.audit_rooms(&mut found);
        self.audit_queues(&mut found);
        let (watches, subscriptions) = (self.core.watches.len(), self.core.endpoint.alive().subscriptions);
        if watches != subscriptions {
            found.push(format!("{subscriptions} subscriptions are up, but {watches} are known"));
        }
        let channels = self
            .contacts
            .values()
            .flat_map(|contact| contact.legs())
            .filter(|leg| leg.state != State::Over && leg.party != Party::Uri)
            .count();
        let counted = self.core.channels.count();
        if channels != counted {
            found.push(format!("{counted} channels are counted, but {channels} legs hold one"));
        }
        let bills = self
            .contacts
            .values()
            .flat_map(|contact| contact.legs())
            .filter_map(|leg| Some(leg.bill.as_ref()?.state()));
        let up =
            bills.fold((0, 0), |(abroad, talking), it| (abroad + u32::from(it.0), talking + u32::from(it.1)));
        if up != self.core.accounts.up() {
            found.push(format!(
                "{:?} calls abroad and talked on are counted, bills say {up:?}",
                self.core.accounts.up()
            ));
        }
        let taken = self.contacts.values().map(|contact| contact.ports_taken()).sum::<usize>();
        if taken != self.core.ports.in_use() {
            found.push(format!("{} ports are in use, but legs have {taken}", self.core.ports.in_use()));
        }
        found
    }

    fn audit_rooms(&self, found: &mut Vec<String>) {
        let known: HashSet<_> = self.core.rooms.members().collect();
        let there = self.contacts.values().filter_map(|contact| Some((contact.id, contact.in_room()?)));
        let there: HashSet<_> = there.collect();
        if known != there {
            found.push(format!("rooms have {known:?}, but {there:?} are in one"));
        }
    }

    fn audit_queues(&self, found: &mut Vec<String>) {
        let known: BTreeSet<_> = self.core.queues.acd.calls().map(ContactId).collect();
        let there = self.contacts.values().filter(|contact| contact.is_queued()).map(|contact| contact.id);
        let there: BTreeSet<_> = there.chain(self.core.callbacks.pending()).collect();
        if known != there {
            found.push(format!("queues have {known:?}, but {there:?} wait"));
        }
        let rung = self.contacts.values().flat_map(|contact| contact.offers());
        let rung: BTreeSet<_> = rung.chain(self.core.callbacks.offers()).collect();
        let offered: BTreeSet<_> =
            self.core.queues.acd.offers().map(|(offer, call, _)| (offer, call)).collect();
        if rung != offered {
            found.push(format!("queues offer {offered:?}, but {rung:?} are rung for"));
        }
        for (agent, call) in self.core.queues.acd.talking() {
            let phone = self.core.queues.phone_of(agent);
            if !phone.is_some_and(|phone| self.core.users.contacts_of(phone).contains(&ContactId(call))) {
                found.push(format!("agent {agent} talks in contact {call}, which has no leg of its phone"));
            }
        }
    }

    fn audit_directories(&self, found: &mut Vec<String>) {
        for (invite, (id, leg)) in &self.core.invites {
            let known = self.contacts.get(id).is_some_and(|contact| {
                contact.legs().any(|candidate| candidate.id == *leg && candidate.invite == Some(*invite))
            });
            if !known {
                found.push(format!(
                    "usage {} belongs to leg {} of contact {}, which has it not",
                    invite.0, leg.0, id.0
                ));
            }
        }
        for (stream, id) in &self.core.streams {
            let owner = self.contacts.get(id);
            if !owner.is_some_and(|contact| contact.legs().any(|leg| leg.stream() == *stream)) {
                found.push(format!("stream {} belongs to contact {}, which has it not", stream.0, id.0));
            }
        }
        for (user, id) in self.core.users.iter() {
            let live = self.contacts.get(&id).is_some_and(|contact| {
                contact.legs().any(|leg| leg.user() == Some(user) && leg.state != State::Over)
            });
            if !live {
                found.push(format!("user {user} is held by contact {}, which has no leg to it", id.0));
            }
        }
    }
}

fn audit_contact(contact: &Contact, found: &mut Vec<String>) {
    for leg in contact.legs() {
        if leg.state != State::Over && leg.invite.is_none() {
            found.push(format!("leg {} of contact {} is alive without a usage", leg.id.0, contact.id.0));
        }
        if matches!(leg.state, State::Answered { .. }) != leg.is_open()
            && matches!(leg.state, State::Over | State::Answered { .. })
        {
            found.push(format!("leg {} of contact {}: answered and media disagree", leg.id.0, contact.id.0));
        }
    }
    if contact.caller.state == State::Over && contact.legs().any(|leg| leg.state != State::Over) {
        found.push(format!("contact {}: a callee outlives its caller", contact.id.0));
    }
}
