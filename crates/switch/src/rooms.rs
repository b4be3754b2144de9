//! Rooms of clients: who is in them, how each speaks there, and who is heard now. What an operator sees and changes.

use crate::contact::Contact;
use crate::core::Core;
use crate::leg::{leg_of, stream_of};
use crate::{Output, Switch};
use clock::{Duration, Time};
use events::{ContactId, LegId, RoomBy};
use rtp::control::{Audience, RoomId, StreamId, Voice};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A client, and the name of one of its rooms.
type Place = (Arc<str>, Arc<str>);

/// How much louder or quieter a party may be made, in decibels.
pub(crate) const GAINS: std::ops::RangeInclusive<i8> = -20..=20;

/// All rooms that somebody is in.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    rooms: BTreeMap<Place, Room>,
    /// Where each contact's caller is.
    places: HashMap<ContactId, Place>,
    /// Whose company has changed: it is alone now, or no longer.
    news: BTreeSet<ContactId>,
}

#[derive(Debug)]
struct Room {
    id: RoomId,
    members: Vec<Member>,
    speaker: Option<LegId>,
}

/// One party of a room.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    contact: ContactId,
    pub(crate) leg: LegId,
    /// Whose call it is: its number, or its user.
    name: Arc<str>,
    since: Time,
    pub(crate) muted: bool,
    pub(crate) gain: i8,
    /// Whether anybody else was there at any time.
    pub(crate) met: bool,
}

/// Who comes in.
pub(crate) struct Newcomer {
    pub(crate) contact: ContactId,
    pub(crate) leg: LegId,
    pub(crate) name: Arc<str>,
    pub(crate) muted: bool,
    pub(crate) gain: i8,
}

impl Rooms {
    /// Brings a party in, unless `max` are there; how many are in the room then. `id` is for a room that begins with it.
    pub(crate) fn enter(
        &mut self,
        now: Time,
        place: &Place,
        new: Newcomer,
        max: u32,
        id: RoomId,
    ) -> Option<u32> {
        let room = self.rooms.entry(place.clone()).or_insert(Room { id, members: Vec::new(), speaker: None });
        let parties = u32::try_from(room.members.len()).unwrap_or(u32::MAX);
        if parties >= max {
            return None;
        }
        let Newcomer { contact, leg, name, muted, gain } = new;
        if let [alone] = room.members.as_mut_slice() {
            self.news.insert(alone.contact);
            alone.met = true;
        }
        room.members.push(Member { contact, leg, name, since: now, muted, gain, met: parties > 0 });
        self.places.insert(contact, place.clone());
        Some(parties + 1)
    }

    /// Takes a party out; as which it was there.
    pub(crate) fn leave(&mut self, contact: ContactId) -> Option<Member> {
        let place = self.places.remove(&contact)?;
        let room = self.rooms.get_mut(&place)?;
        let index = room.members.iter().position(|member| member.contact == contact)?;
        let member = room.members.remove(index);
        room.speaker.take_if(|speaker| *speaker == member.leg);
        match room.members.as_slice() {
            [] => {
                self.rooms.remove(&place);
            }
            [alone] => {
                self.news.insert(alone.contact);
            }
            _ => {}
        }
        Some(member)
    }

    fn room_of(&self, contact: ContactId) -> Option<&Room> {
        self.rooms.get(self.places.get(&contact)?)
    }

    /// How a contact's caller is in its room.
    pub(crate) fn member(&mut self, contact: ContactId) -> Option<&mut Member> {
        let room = self.rooms.get_mut(self.places.get(&contact)?)?;
        room.members.iter_mut().find(|member| member.contact == contact)
    }

    /// The room that a contact's caller is in, as the engine knows it.
    pub(crate) fn id_of(&self, contact: ContactId) -> Option<RoomId> {
        self.room_of(contact).map(|room| room.id)
    }

    /// Who else is in the room of a contact's caller.
    pub(crate) fn others(&self, contact: ContactId) -> Vec<StreamId> {
        let members = self.room_of(contact).map_or(&[][..], |room| &room.members);
        let others = members.iter().filter(|member| member.contact != contact);
        others.map(|member| stream_of(member.leg)).collect()
    }

    /// Whether a contact's caller is in a room by itself.
    pub(crate) fn is_alone(&self, contact: ContactId) -> bool {
        self.room_of(contact).is_some_and(|room| room.members.len() == 1)
    }

    /// Whose company has changed since this was asked last.
    pub(crate) fn take_news(&mut self) -> BTreeSet<ContactId> {
        std::mem::take(&mut self.news)
    }

    /// Who is heard now in a room.
    pub(crate) fn set_speaker(&mut self, id: RoomId, stream: Option<StreamId>) {
        if let Some(room) = self.rooms.values_mut().find(|room| room.id == id) {
            let speaker = stream.map(leg_of);
            room.speaker = speaker.filter(|leg| room.members.iter().any(|member| member.leg == *leg));
        }
    }

    /// Whose callers are in rooms, with their legs.
    pub(crate) fn members(&self) -> impl Iterator<Item = (ContactId, LegId)> {
        self.rooms.values().flat_map(|room| &room.members).map(|member| (member.contact, member.leg))
    }

    fn states(&self, now: Time) -> Vec<RoomState> {
        let state = |(place, room): (&Place, &Room)| RoomState {
            client: Arc::clone(&place.0),
            room: Arc::clone(&place.1),
            members: room.members.iter().map(|member| member.state(now, room.speaker)).collect(),
        };
        self.rooms.iter().map(state).collect()
    }
}

impl Member {
    /// How it speaks; whoever holds is not heard, nor is the music of its phone.
    pub(crate) fn voice(&self, holds: bool) -> Voice {
        let to = if self.muted || holds { Audience::Nobody } else { Audience::All };
        Voice { to, gain: self.gain }
    }

    fn state(&self, now: Time, speaker: Option<LegId>) -> MemberState {
        MemberState {
            contact: self.contact,
            name: Arc::clone(&self.name),
            present_for: now - self.since,
            muted: self.muted,
            gain: self.gain,
            speaks: speaker == Some(self.leg),
        }
    }
}

/// A room that somebody is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomState {
    /// The client.
    pub client: Arc<str>,
    /// Its name.
    pub room: Arc<str>,
    /// Who is in it, in the order in which they came.
    pub members: Vec<MemberState>,
}

/// A party of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberState {
    /// The contact whose caller it is.
    pub contact: ContactId,
    /// Its number, or its user.
    pub name: Arc<str>,
    /// How long it has been there.
    pub present_for: Duration,
    /// Whether it is heard by nobody.
    pub muted: bool,
    /// How much louder it is made, in decibels.
    pub gain: i8,
    /// Whether it was the one who spoke last.
    pub speaks: bool,
}

/// What an operator does with a party of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomOrder {
    /// Nobody hears it any more.
    Mute,
    /// It is heard again.
    Unmute,
    /// It leaves the room; its flow goes on.
    Kick,
    /// Makes it louder or quieter, in decibels from -20 to 20.
    Gain(i8),
}

/// Why nothing was done with a party of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomRefused {
    /// The caller of that contact is in no room.
    #[error("the caller of that contact is in no room")]
    NotThere,
    /// A gain beyond -20 to 20 dB.
    #[error("a gain is from -20 to 20 dB")]
    Gain,
}

impl Switch {
    /// The rooms that somebody is in, by client and name.
    pub fn rooms(&self, now: Time) -> Vec<RoomState> {
        self.core.rooms.states(now)
    }

    /// Does something with the caller of a contact in its room. What follows is appended to `out`.
    ///
    /// # Errors
    /// Why not; nothing is changed then.
    pub fn direct_room(
        &mut self,
        now: Time,
        contact: ContactId,
        order: RoomOrder,
        out: &mut Vec<Output>,
    ) -> Result<(), RoomRefused> {
        self.within_turn(now, out, |switch| {
            if matches!(order, RoomOrder::Gain(gain) if !GAINS.contains(&gain)) {
                return Err(RoomRefused::Gain);
            }
            if switch.core.rooms.id_of(contact).is_none() {
                return Err(RoomRefused::NotThere);
            }
            switch.with_contact(contact, |contact: &mut Contact, core: &mut Core| match order {
                RoomOrder::Mute => contact.mute(core, true, RoomBy::Api),
                RoomOrder::Unmute => contact.mute(core, false, RoomBy::Api),
                RoomOrder::Kick => contact.be_removed(core),
                RoomOrder::Gain(gain) => contact.amplify(core, gain),
            });
            Ok(())
        })
    }

    /// Whoever is alone in a room now, or no longer, hears music or the others; whether there was somebody.
    pub(crate) fn tell_rooms(&mut self) -> bool {
        let news = self.core.rooms.take_news();
        for contact in &news {
            // Settling it is enough.
            self.with_contact(*contact, |_, _| {});
        }
        !news.is_empty()
    }
}
