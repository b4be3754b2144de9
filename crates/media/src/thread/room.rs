//! Rooms: conferences, and a supervisor with a call. Each member is decoded once a beat, and hears all that speak to
//! it but itself.

use super::leg::Leg;
use super::pace::Due;
use super::{MediaThread, Surroundings};
use audio::mix::{Mix, Speaker, amplify, level};
use audio::{MAX_SAMPLES, Rate};
use clock::{Duration, Time};
use rtp::control::{Audience, Event, RoomId, StreamId, Voice};

/// The beat of all rooms.
const MILLIS: u8 = 20;

/// The samples of one beat at the higher rate.
const FRAME: usize = MILLIS as usize * Rate::Wide.per_milli();

/// Those who hear each other.
#[derive(Debug)]
pub(super) struct Room {
    rate: Rate,
    members: Vec<Member>,
    /// What each member says in this beat, one frame after the other.
    said: Vec<i16>,
    mix: Mix,
    speaker: Speaker<StreamId>,
}

#[derive(Debug)]
struct Member {
    stream: StreamId,
    slot: usize,
    voice: Voice,
    level: f32,
}

impl Room {
    fn new() -> Self {
        Self {
            rate: Rate::Narrow,
            members: Vec::new(),
            said: Vec::new(),
            mix: Mix::new(FRAME),
            speaker: Speaker::new(),
        }
    }

    /// The rate at which its members are decoded.
    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    /// What the member with that index says in this beat.
    fn said_by(&self, index: usize) -> &[i16] {
        let frame = usize::from(MILLIS) * self.rate.per_milli();
        &self.said[index * FRAME..index * FRAME + frame]
    }

    /// What the member with that index hears in this beat; `with_whispers` or without what is for it alone.
    fn heard_by(&self, index: usize, with_whispers: bool, out: &mut [i16]) {
        let own = (self.members[index].voice.to == Audience::All).then(|| self.said_by(index));
        let whispers = self.whisperers(index).filter(|_| with_whispers).map(|other| self.said_by(other));
        self.mix.without(own, whispers, out);
    }

    /// Who speaks to the member with that index alone.
    fn whisperers(&self, index: usize) -> impl Iterator<Item = usize> {
        let listener = Audience::Only(self.members[index].stream);
        let all = self.members.iter().enumerate();
        all.filter(move |(_, speaker)| speaker.voice.to == listener).map(|(other, _)| other)
    }
}

impl MediaThread {
    /// Brings a stream into a room, or changes how it speaks there.
    pub(super) fn join(&mut self, now: Time, room: RoomId, stream: StreamId, voice: Voice) {
        let Some(slot) = self.legs.find(stream) else { return };
        let place = self.legs.get_mut(slot).and_then(|leg| leg.room);
        if place != Some(room) {
            self.leave(stream);
            self.unbridge(stream);
        }
        let is_new = !self.rooms.contains_key(&room);
        let found = self.rooms.entry(room).or_insert_with(Room::new);
        match found.members.iter_mut().find(|member| member.stream == stream) {
            Some(member) => member.voice = voice,
            None => {
                found.members.push(Member { stream, slot, voice, level: 0.0 });
                found.said.resize(found.members.len() * FRAME, 0);
            }
        }
        if let Some(leg) = self.legs.get_mut(slot) {
            leg.room = Some(room);
        }
        self.tune(room);
        if is_new {
            self.pacer.set(now, Due::Room(room));
            self.pacer.reserve(self.legs.len() + self.rooms.len());
        }
    }

    /// Takes a stream out of its room. Who is left alone there hears silence.
    pub(super) fn leave(&mut self, stream: StreamId) {
        let Some(leg) = self.legs.by_id(stream) else { return };
        let Some(room) = leg.leave_room() else { return };
        let Some(found) = self.rooms.get_mut(&room) else { return };
        found.members.retain(|member| member.stream != stream);
        self.tune(room);
    }

    /// The rate of a room is that of its best codec.
    pub(super) fn tune(&mut self, room: RoomId) {
        let Some(found) = self.rooms.get_mut(&room) else { return };
        let rates = found.members.iter().filter_map(|member| Some(self.legs.get(member.slot)?.rate()));
        found.rate = rates.max().unwrap_or(Rate::Narrow);
        found.mix = Mix::new(usize::from(MILLIS) * found.rate.per_milli());
    }

    /// One beat of a room; when the next is due, if it still exists.
    pub(super) fn beat_room(&mut self, now: Time, id: RoomId) -> Option<Duration> {
        let room = self.rooms.get_mut(&id)?;
        if room.members.is_empty() {
            self.rooms.remove(&id);
            return None;
        }
        let frame = usize::from(MILLIS) * room.rate.per_milli();
        room.mix.clear();
        for (member, said) in room.members.iter_mut().zip(room.said.chunks_exact_mut(FRAME)) {
            let said = &mut said[..frame];
            match self.legs.get_mut(member.slot) {
                Some(leg) => leg.transcoder.pull(now, room.rate, said),
                None => said.fill(0),
            }
            amplify(said, member.voice.gain);
            member.level = level(member.level, said);
            if member.voice.to == Audience::All {
                room.mix.add(said);
            }
        }
        for index in 0..room.members.len() {
            let Some(leg) = self.legs.get_mut(room.members[index].slot) else { continue };
            let (mut heard, mut recorded) = ([0; MAX_SAMPLES], [0; MAX_SAMPLES]);
            let (heard, recorded) = (&mut heard[..frame], &mut recorded[..frame]);
            room.heard_by(index, true, heard);
            let has_whispers = leg.is_recorded() && room.whisperers(index).next().is_some();
            if has_whispers {
                room.heard_by(index, false, recorded);
            }
            let recorded = has_whispers.then_some(&*recorded);
            leg.hear_room(now, (heard, recorded), room.rate, &mut self.around);
        }
        let audible = room.members.iter().filter(|member| member.voice.to == Audience::All);
        if let Some(stream) = room.speaker.frame(audible.map(|member| (member.stream, member.level))) {
            self.around.tell(Event::Speaker { room: id, stream });
        }
        Some(Duration::from_millis(MILLIS.into()))
    }
}

impl Leg {
    /// Leaves its room; which that was.
    pub(super) fn leave_room(&mut self) -> Option<RoomId> {
        let room = self.room.take()?;
        self.stop_transcoding();
        Some(room)
    }

    /// Sends what a room says in a beat, unless the party hears something of its own. A recording has `recorded` in its
    /// place: what was whispered to the party is for nobody else.
    fn hear_room(
        &mut self,
        now: Time,
        (heard, recorded): (&[i16], Option<&[i16]>),
        rate: Rate,
        around: &mut Surroundings,
    ) {
        match recorded {
            _ if self.is_busy() => {}
            None => self.say(now, heard, rate, MILLIS, around),
            Some(recorded) => self.say_aside(now, (heard, recorded), rate, MILLIS, around),
        }
    }
}
