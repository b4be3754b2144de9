//! The event log, folded: everything that begins ends exactly once, in order, and nobody is rung twice.

use super::contact::{Contact, Leg};
use super::figures::Figures;
use super::queues::{self, Queues};
use super::rests::Rests;
use super::values::Values;
use super::voicemail::{self, Voicemail};
use super::{Stage, Tally};
use crate::UNIX_SECONDS_AT_ZERO;
use crate::plan;
use clock::Time;
use events::cdr::CdrFold;
use events::{ContactId, Direction, Event, Kind, LegId, Party, TransferBy, TransferOutcome, WallClock};
use rtp::control::{Audience, Event as Told, StreamId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// In the contacts of phones that know no password.
const STRANGERS: &str = "@10.0.9.";

/// What the log has told so far.
#[derive(Debug)]
pub(crate) struct History {
    queues: Queues,
    figures: Figures,
    values: Values,
    voicemail: Voicemail,
    next_seq: u64,
    contacts: BTreeMap<ContactId, Contact>,
    ended: BTreeSet<ContactId>,
    /// Every leg that there ever was.
    seen_legs: BTreeSet<LegId>,
    cdrs: CdrFold,
    /// Contacts that have a CDR.
    recorded: BTreeSet<ContactId>,
    /// Legs that have left a contact and not joined another.
    leaving: BTreeMap<LegId, Leg>,
    /// User and contact.
    registrations: BTreeSet<(String, String)>,
    /// Trunks whose registrar has our contact.
    registered_trunks: BTreeSet<Arc<str>>,
    /// Targets of trunks that are tried last.
    down: BTreeSet<(Arc<str>, Arc<str>)>,
    rests: Rests,
    tally: Tally,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            next_seq: 1,
            contacts: BTreeMap::new(),
            ended: BTreeSet::new(),
            seen_legs: BTreeSet::new(),
            queues: Queues::default(),
            figures: Figures::default(),
            values: Values::default(),
            voicemail: Voicemail::default(),
            cdrs: CdrFold::new(WallClock::new(0)),
            recorded: BTreeSet::new(),
            leaving: BTreeMap::new(),
            registrations: BTreeSet::new(),
            registered_trunks: BTreeSet::new(),
            down: BTreeSet::new(),
            rests: Rests::default(),
            tally: Tally::default(),
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// # Errors
    /// Figures do not add up to what the log says.
    pub(crate) fn check_figures(&self) -> Result<(), String> {
        self.figures.check(&self.tally)
    }

    /// Contacts that have not ended, with the Call-IDs of each one's legs.
    pub(crate) fn live(&self) -> impl Iterator<Item = (ContactId, Vec<&str>)> {
        self.contacts.iter().map(|(id, contact)| (*id, contact.call_ids()))
    }

    /// A party that nobody speaks to: it is answered, but neither bridged nor alone with a flow, and no destination
    /// rings for it.
    ///
    /// # Errors
    /// There is one, or a leg that belongs to no contact.
    pub(crate) fn check_company(&self) -> Result<(), String> {
        if let Some(leg) = self.leaving.keys().next() {
            return Err(format!("leg {} has left its contact and is nowhere", leg.0));
        }
        let stray = self.contacts.iter().find(|(_, contact)| {
            let answered = contact.legs.values().filter(|leg| leg.answered).count();
            // So does a supervisor while nobody speaks.
            let answered = answered - usize::from(contact.supervisor().is_some());
            let bridged = if contact.bridge.is_some() { 2 } else { 0 };
            // Who waits for a consultation to end hears music, which is checked beside this.
            let chooses = usize::from(contact.chooses.is_some() || contact.releasing);
            let served =
                usize::from(bridged == 0 || contact.transfer) + chooses + usize::from(contact.briefed);
            contact.dialing.is_none() && answered > bridged + served
        });
        stray.map_or(Ok(()), |(id, _)| Err(format!("a party of contact {} is left in silence", id.0)))
    }

    /// The engine tells something.
    pub(crate) fn heard(&mut self, at: Time, told: &Told) {
        let choices = self.contacts.values_mut().filter_map(|contact| contact.chooses.as_mut());
        choices.for_each(|choice| choice.heard(at, told));
    }

    /// # Errors
    /// Somebody waits for longer than a user may take to dial the target of a transfer.
    pub(crate) fn check_choices(&self, now: Time) -> Result<(), String> {
        let is_overdue = |contact: &Contact| contact.chooses.as_ref().is_some_and(|it| it.is_overdue(now));
        let overdue = self.contacts.iter().find(|(_, contact)| is_overdue(contact));
        overdue.map_or(Ok(()), |(id, _)| Err(format!("a user of contact {} still dials a target", id.0)))
    }

    /// Legs that must have a stream: those that we place, and callers that are answered or have early media.
    pub(crate) fn media_legs(&self) -> impl Iterator<Item = StreamId> {
        let legs = self.contacts.values().flat_map(|contact| &contact.legs);
        legs.filter(|(_, leg)| leg.direction == Direction::Outbound || leg.answered || leg.early)
            .map(|(id, _)| StreamId(id.0))
    }

    /// Pairs that hear each other, the lower number first.
    pub(crate) fn bridges(&self) -> BTreeSet<(StreamId, StreamId)> {
        let alone = self.contacts.values().filter(|contact| contact.company().is_none());
        let pairs = alone.filter_map(|contact| contact.bridge.or(contact.early));
        pairs.map(|(a, b)| (StreamId(a.0.min(b.0)), StreamId(a.0.max(b.0)))).collect()
    }

    /// Those who meet: in conferences, and with supervisors.
    pub(crate) fn rooms(&self) -> BTreeSet<BTreeSet<StreamId>> {
        let supervised = self.contacts.values().filter_map(Contact::company);
        let supervised = supervised.map(|company| company.map(|leg| StreamId(leg.0)).into_iter().collect());
        self.conferences().into_iter().chain(supervised).collect()
    }

    /// To whom those speak who are with a supervisor.
    pub(crate) fn audiences(&self) -> impl Iterator<Item = (StreamId, Audience)> {
        self.contacts.values().filter_map(Contact::audiences).flatten()
    }

    /// Those who meet in conferences. All rooms of the plan are one client's.
    fn conferences(&self) -> BTreeSet<BTreeSet<StreamId>> {
        let mut rooms: BTreeMap<&str, BTreeSet<StreamId>> = BTreeMap::new();
        for (room, leg) in self.contacts.values().filter_map(|contact| contact.room.as_ref()) {
            rooms.entry(room).or_default().insert(StreamId(leg.0));
        }
        rooms.into_values().collect()
    }

    /// Streams of dials, bridges and rooms, and whether each must hear music.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = (StreamId, bool)> {
        let legs = self.contacts.values().flat_map(Contact::listeners);
        let legs = legs.map(|(leg, music)| (StreamId(leg.0), music));
        let met = self.conferences().into_iter().flat_map(|room| {
            let is_alone = room.len() == 1;
            room.into_iter().map(move |stream| (stream, is_alone))
        });
        legs.chain(met)
    }

    /// Whether a party's contact waits in a queue.
    pub(crate) fn is_queued(&self, stream: StreamId) -> bool {
        let owner = self.contacts.iter().find(|(_, contact)| contact.legs.contains_key(&LegId(stream.0)));
        owner.is_some_and(|(id, _)| self.queues.has(*id))
    }

    /// The leg of that Call-ID, if we placed it and it may still be the first to answer.
    pub(crate) fn ringing(&self, call_id: &str) -> Option<(ContactId, LegId)> {
        let dialing = self.contacts.iter().filter(|(_, contact)| contact.dialing.is_some());
        let mut legs = dialing.flat_map(|(id, contact)| contact.legs.iter().map(move |leg| (*id, leg)));
        legs.find_map(|(id, (number, leg))| {
            let fits = leg.direction == Direction::Outbound && !leg.answered && &*leg.call_id == call_id;
            let fits = fits && !self.contacts[&id].is_supervisor(*number);
            fits.then_some((id, *number))
        })
    }

    /// The Call-ID of a contact's caller who is not answered.
    pub(crate) fn unanswered(&self, contact: ContactId) -> Option<&str> {
        let mut legs = self.contacts.get(&contact)?.legs.values();
        legs.find(|leg| leg.direction == Direction::Inbound && !leg.answered).map(|leg| &*leg.call_id)
    }

    /// The Call-ID of a caller who is not answered and has heard no ringing.
    pub(crate) fn awaits_ringing(&self, contact: ContactId) -> Option<&str> {
        let found = self.contacts.get(&contact).filter(|found| !found.rang)?;
        let caller = found.legs.values().find(|leg| leg.direction == Direction::Inbound)?;
        (!caller.answered).then_some(&*caller.call_id)
    }

    /// The leg that a contact's caller is bridged with.
    pub(crate) fn bridged(&self, contact: ContactId) -> Option<LegId> {
        self.contacts.get(&contact)?.bridge.map(|(_, callee)| callee)
    }

    /// Whether an agent has answered a contact, and is told whose call it gets.
    pub(crate) fn is_briefed(&self, contact: ContactId) -> bool {
        self.contacts.get(&contact).is_some_and(|contact| contact.briefed)
    }

    /// How many messages wait for a user: new and old.
    pub(crate) fn messages_of(&self, user: &str) -> (usize, usize) {
        self.voicemail.waiting_for(user)
    }

    /// # Errors
    /// That file is to stay.
    pub(crate) fn remove_file(&mut self, path: &PathBuf) -> Result<(), String> {
        self.voicemail.remove_file(path)
    }

    /// # Errors
    /// A file is left that should have been removed.
    pub(crate) fn check_files(&self) -> Result<(), String> {
        self.voicemail.check_files()
    }

    /// Bindings of registered phones.
    pub(crate) fn registrations(&self) -> usize {
        self.registrations.len()
    }

    /// Whether a phone at that address is registered.
    pub(crate) fn is_registered_at(&self, ip: IpAddr) -> bool {
        let host = format!("@{ip}:");
        self.registrations.iter().any(|(_, contact)| contact.contains(&host))
    }

    /// Legs to other countries.
    pub(crate) fn legs_abroad(&self) -> usize {
        self.contacts.values().flat_map(|contact| contact.legs.values()).filter(|leg| leg.abroad).count()
    }

    /// Legs that a trunk has, in both directions.
    pub(crate) fn legs_of_trunk(&self, trunk: &str) -> usize {
        let legs = self.contacts.values().flat_map(|contact| contact.legs.values());
        legs.filter(|leg| matches!(&leg.party, Party::Trunk(name) if &**name == trunk)).count()
    }

    /// The calls of a user that are not over.
    pub(crate) fn calls_of(&self, user: &str) -> Vec<(Stage, LegId)> {
        let legs = self.contacts.values().flat_map(|contact| &contact.legs);
        let theirs = legs.filter(|(_, leg)| matches!(&leg.party, Party::User(name) if &**name == user));
        let stage = |leg: &Leg| match (leg.answered, leg.direction) {
            (true, _) => Stage::Confirmed,
            (false, Direction::Inbound) => Stage::Placed,
            (false, Direction::Outbound) if leg.ringing => Stage::Early,
            (false, Direction::Outbound) => Stage::Trying,
        };
        theirs.map(|(id, leg)| (stage(leg), *id)).collect()
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// It contradicts those before it.
    pub(crate) fn apply(&mut self, event: &Event) -> Result<(), String> {
        if event.seq != self.next_seq {
            return Err(format!("event {} where {} was due", event.seq, self.next_seq));
        }
        self.next_seq += 1;
        self.queues.observe(event)?;
        let elapsed = i64::try_from(event.at.micros()).unwrap_or(i64::MAX);
        self.values.observe(event, UNIX_SECONDS_AT_ZERO * 1_000_000 + elapsed)?;
        self.voicemail.observe(event)?;
        queues::count(&event.kind, &mut self.tally);
        let cdr = self.cdrs.apply(event);
        self.figures.observe(event, cdr.as_ref());
        if let Some(cdr) = &cdr
            && !self.recorded.insert(cdr.contact)
        {
            return Err(format!("a second CDR of contact {}", cdr.contact.0));
        }
        let Some(id) = event.contact else {
            return self.apply_to_node(&event.kind);
        };
        // A callback is told of under the contact that asked for it, which has ended mostly; so are messages.
        let outlives = queues::is_of_callback(&event.kind) || voicemail::is_of_message(&event.kind);
        if outlives && self.ended.contains(&id) {
            self.count(&event.kind);
            return Ok(());
        }
        if self.ended.contains(&id) {
            return Err(format!("contact {} is over, but: {:?}", id.0, event.kind));
        }
        match &event.kind {
            Kind::ContactStarted { source, .. } => {
                self.tally.contacts += 1;
                self.tally.test_calls += u64::from(&**source == "test");
                self.tally.by_registration += u64::from(&**source == "uplink");
                if self.contacts.insert(id, Contact::new(source, event.at)).is_some() {
                    return Err(format!("contact {} began twice", id.0));
                }
                Ok(())
            }
            Kind::LegStarted { leg, direction, party, uri, call_id } => {
                if matches!(party, Party::Trunk(_))
                    && *direction == Direction::Outbound
                    && self.contact(id)?.decided
                {
                    return Err(format!(
                        "contact {} tries a trunk more although the callee has decided",
                        id.0
                    ));
                }
                self.check_offer(id, *direction, party)?;
                if let (Party::Trunk(trunk), Direction::Outbound) = (party, direction) {
                    self.tally.spared += u64::from(self.rests.tried(event.at, id, trunk)?);
                }
                let new = Leg {
                    direction: *direction,
                    party: party.clone(),
                    abroad: uri.contains(plan::ABROAD),
                    call_id: Arc::clone(call_id),
                    answered: false,
                    early: false,
                    ringing: false,
                    held: false,
                    lost: None,
                    fax: false,
                    missing: Vec::new(),
                };
                self.tally.legs += 1;
                if !self.seen_legs.insert(*leg) {
                    return Err(format!("leg {} began twice", leg.0));
                }
                self.contact(id)?.legs.insert(*leg, new);
                Ok(())
            }
            Kind::LegLeft { leg, .. } => {
                let left = self.contact(id)?.leave(*leg)?;
                self.leaving.insert(*leg, left);
                Ok(())
            }
            Kind::LegJoined { leg, .. } => {
                self.tally.joined += 1;
                let joins = self.leaving.remove(leg).ok_or_else(|| format!("leg {} joins unborn", leg.0))?;
                self.contact(id)?.legs.insert(*leg, joins);
                Ok(())
            }
            Kind::ContactEnded { .. } => {
                let contact =
                    self.contacts.remove(&id).ok_or_else(|| format!("contact {} ended unborn", id.0))?;
                self.ended.insert(id);
                let cdr = cdr.ok_or_else(|| format!("contact {} ended without a CDR", id.0))?;
                contact.check_end(&cdr).map_err(|error| format!("contact {}: {error}", id.0))
            }
            kind => {
                self.count(kind);
                match kind {
                    Kind::TrunkTargetRests { trunk, seconds, .. } => {
                        self.rests.begin(event.at, trunk, *seconds);
                    }
                    Kind::DialStarted { targets } => self.rests.dial(id, targets),
                    Kind::DialEnded { .. } => self.rests.end_dial(id),
                    _ => {}
                }
                let consults = matches!(kind, Kind::Bridged { .. }) && self.contact(id)?.transfer;
                self.tally.consulted += u64::from(consults);
                let contact = self.contact(id)?;
                contact.apply(event.at, kind).map_err(|error| format!("contact {}: {error}", id.0))
            }
        }
    }

    fn apply_to_node(&mut self, kind: &Kind) -> Result<(), String> {
        self.count(kind);
        let broken = match kind {
            Kind::Registered { user, contact, .. } => {
                self.registrations.insert((user.clone(), contact.clone()));
                contact.contains(STRANGERS).then_some("knows no password")
            }
            Kind::Unregistered { user, contact } => {
                (!self.registrations.remove(&(user.clone(), contact.clone()))).then_some("is not registered")
            }
            Kind::TrunkRegistered { trunk, .. } => {
                (!self.registered_trunks.insert(Arc::clone(trunk))).then_some("is registered already")
            }
            Kind::TrunkUnregistered { trunk, .. } => {
                (!self.registered_trunks.remove(trunk)).then_some("is not registered")
            }
            Kind::TrunkTargetDown { trunk, target, .. } => {
                (!self.down.insert((Arc::clone(trunk), Arc::clone(target)))).then_some("is down already")
            }
            Kind::TrunkTargetUp { trunk, target } => {
                (!self.down.remove(&(Arc::clone(trunk), Arc::clone(target)))).then_some("is not down")
            }
            Kind::NodeStopped => (!self.registered_trunks.is_empty()).then_some("a trunk has our contact"),
            _ => None,
        };
        broken.map_or(Ok(()), |rule| Err(format!("{rule}: {kind:?}")))
    }

    fn count(&mut self, kind: &Kind) {
        match kind {
            Kind::LegAnswered { .. } => self.tally.answered += 1,
            Kind::Bridged { .. } => self.tally.bridged += 1,
            Kind::BridgedEarly { .. } => self.tally.early += 1,
            Kind::Redirected { .. } => self.tally.redirected += 1,
            Kind::CallerVerified { verstat, .. } if &**verstat == "passed" => self.tally.vouched += 1,
            Kind::CallerVerified { reason, .. } => {
                self.tally.unvouched += 1;
                self.tally.given_up +=
                    u64::from(reason.as_deref().is_some_and(|why| why.contains("does not answer")));
            }
            Kind::Held { .. } => self.tally.held += 1,
            Kind::FaxStarted { .. } => self.tally.faxed += 1,
            Kind::FaxRefused { .. } => self.tally.fax_refused += 1,
            Kind::MediaOneWay { .. } => self.tally.one_way += 1,
            Kind::TransferStarted { by, .. } => {
                self.tally.transfers += 1;
                self.tally.by_keys += u64::from(*by == TransferBy::Keys);
            }
            Kind::CodeDialled { .. } => self.tally.codes += 1,
            Kind::LegReplaced { .. } => self.tally.replaced += 1,
            Kind::LegEnded { cause, .. } => {
                self.tally.pages_given_up += u64::from(&*cause.reason == "the page did not come back");
            }
            Kind::LegLost { .. } => self.tally.lost += 1,
            Kind::LegBack { .. } => self.tally.back += 1,
            Kind::Released { .. } => self.tally.released += 1,
            Kind::TransferEnded { outcome: TransferOutcome::Done } => self.tally.handed_over += 1,
            Kind::TransferEnded { outcome: TransferOutcome::Cancelled } => self.tally.taken_back += 1,
            Kind::VoicemailLeft { .. } => self.tally.messages += 1,
            Kind::VoicemailDropped { .. } => self.tally.too_short += 1,
            Kind::VoicemailHeard { .. } => self.tally.listened += 1,
            Kind::VoicemailDeleted { .. } => self.tally.deleted += 1,
            Kind::RecordingStarted { .. } => self.tally.recordings += 1,
            Kind::ValueChanged { value, .. } => {
                self.tally.counted += 1;
                self.tally.again_counted += u64::from(value.as_deref().is_some_and(|value| value != "1"));
            }
            Kind::HttpEnded { attempts, error, .. } => {
                self.tally.requests += 1;
                self.tally.again += u64::from(*attempts > 1);
                self.tally.refused += u64::from(*attempts == 0);
                self.tally.cancelled += u64::from(error.as_deref() == Some("nobody waits any more"));
            }
            Kind::RoomEntered { parties, .. } => {
                self.tally.rooms += 1;
                self.tally.met += u64::from(*parties > 1);
            }
            Kind::RoomMuted { .. } => self.tally.muted += 1,
            Kind::RecordingWithheld { .. } => self.tally.withheld += 1,
            Kind::RecordingHushed { .. } => self.tally.hushed += 1,
            Kind::SupervisionStarted { .. } => self.tally.supervised += 1,
            Kind::SupervisionChanged { .. } => self.tally.resupervised += 1,
            Kind::TakenOver { .. } => self.tally.taken_over += 1,
            Kind::RoomLeft { removed: true, .. } => self.tally.kicked += 1,
            Kind::Registered { .. } => self.tally.registered += 1,
            Kind::TrunkTargetDown { .. } => self.tally.targets_down += 1,
            Kind::TrunkTargetUp { .. } => self.tally.targets_up += 1,
            Kind::TrunkTargetRests { .. } => self.tally.targets_rested += 1,
            Kind::TrunkRegistered { .. } => self.tally.trunks_registered += 1,
            Kind::TrunkRegistrationFailed { .. } => self.tally.trunks_refused += 1,
            Kind::Alarm { .. } => self.tally.alarms += 1,
            _ => {}
        }
    }

    fn contact(&mut self, id: ContactId) -> Result<&mut Contact, String> {
        self.contacts.get_mut(&id).ok_or_else(|| format!("contact {} has not begun", id.0))
    }

    /// A user is offered a call by one contact at a time, and by none while it is in another.
    fn check_offer(&self, id: ContactId, direction: Direction, party: &Party) -> Result<(), String> {
        let Party::User(user) = party else { return Ok(()) };
        if direction == Direction::Inbound {
            return Ok(());
        }
        let others = self.contacts.iter().filter(|(other, _)| **other != id);
        for (other, contact) in others {
            if contact.legs.values().any(|leg| leg.party == *party) {
                return Err(format!("contact {} rings {user}, whom contact {} has", id.0, other.0));
            }
        }
        Ok(())
    }
}
