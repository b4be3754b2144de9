//! Visits and agents' changes as a store keeps them: bytes, of which a million are read in a moment.
//!
//! A visit begins with [`VERSION`], and says itself where it ends, so that many can stand one behind the other. Numbers are
//! LEB128: seven bits a byte, the lowest first. Texts have their length before them.

use crate::visit::{Callback, CallbackEnd, Millis, Offer, Outcome, Stage, Visit};
use crate::{State, Transition};
use events::cdr::Disposition;
use events::{ContactId, EndedBy, OfferOutcome};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Of these bytes: it counts up when they change, and a store makes its rows anew then.
pub const VERSION: u8 = 2;

/// A day, in milliseconds.
const DAY: Millis = 86_400_000;

/// Bits of a visit's flags.
const FIRST: u8 = 1;
const TRANSFERRED: u8 = 2;
const CALLS_BACK: u8 = 4;
const QUEUE: u8 = 8;
const TRUNK: u8 = 16;
const LEFT: u8 = 32;

const ENDED_BY: [EndedBy; 4] = [EndedBy::Caller, EndedBy::Callee, EndedBy::Flow, EndedBy::Switch];
const STAGES: [Stage; 4] = [Stage::Talk, Stage::Hold, Stage::WrapUp, Stage::End];
const OFFERS: [OfferOutcome; 8] = [
    OfferOutcome::Answered,
    OfferOutcome::NoAnswer,
    OfferOutcome::Busy,
    OfferOutcome::Declined,
    OfferOutcome::Unreachable,
    OfferOutcome::AnotherAgent,
    OfferOutcome::CallerGone,
    OfferOutcome::AgentGone,
];
const DISPOSITIONS: [Disposition; 11] = [
    Disposition::Answered,
    Disposition::Voicemail,
    Disposition::SelfService,
    Disposition::Abandoned,
    Disposition::AbandonedInFlow,
    Disposition::AbandonedInQueue,
    Disposition::AbandonedRinging,
    Disposition::Busy,
    Disposition::NoAnswer,
    Disposition::Failed,
    Disposition::Rejected,
];
const CALLBACK_ENDS: [CallbackEnd; 4] =
    [CallbackEnd::Reached, CallbackEnd::NotReached, CallbackEnd::CalledAgain, CallbackEnd::Refused];

/// These bytes are no visit and no change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of figures is cut off, or says what it cannot")
    }
}

impl std::error::Error for Damaged {}

/// Writes a visit behind what is there.
pub fn pack(visit: &Visit, out: &mut Vec<u8>) {
    out.push(VERSION);
    let flag = |is: bool, bit: u8| if is { bit } else { 0 };
    out.push(
        flag(visit.is_first, FIRST)
            | flag(visit.is_transferred, TRANSFERRED)
            | flag(visit.is_callback, CALLS_BACK)
            | flag(visit.queue.is_some(), QUEUE)
            | flag(visit.trunk.is_some(), TRUNK)
            | flag(visit.left.is_some(), LEFT),
    );
    number(visit.id, out);
    number(visit.contact.0, out);
    signed(visit.arrived, out);
    text(&visit.client, out);
    visit.queue.iter().for_each(|queue| text(queue, out));
    text(&visit.number, out);
    visit.trunk.iter().for_each(|trunk| text(trunk, out));
    text(&visit.caller, out);
    number(visit.waited_before, out);
    visit.left.iter().for_each(|left| number(*left, out));
    optional(&ENDED_BY, visit.ended_by, out);
    number(visit.offers.len() as u64, out);
    for Offer { agent, at, rang, outcome: ended } in &visit.offers {
        text(agent, out);
        number(*at, out);
        number(*rang, out);
        optional(&OFFERS, *ended, out);
    }
    number(visit.stages.len() as u64, out);
    for (stage, at) in &visit.stages {
        optional(&STAGES, Some(*stage), out);
        number(*at, out);
    }
    outcome(visit, out);
}

/// Whom an agent has taken it from is mostly among the offers: then only the place there is written.
fn outcome(visit: &Visit, out: &mut Vec<u8>) {
    match &visit.outcome {
        Outcome::Waiting => out.push(0),
        Outcome::Answered(agent) => {
            out.push(1);
            match visit.offers.iter().position(|offer| offer.agent == *agent) {
                Some(index) => number(index as u64 + 1, out),
                None => {
                    number(0, out);
                    text(agent, out);
                }
            }
        }
        Outcome::PickedUp => out.push(2),
        Outcome::Abandoned => out.push(3),
        Outcome::Key => out.push(4),
        Outcome::Full => out.push(5),
        Outcome::NoAgents => out.push(6),
        Outcome::TimedOut => out.push(7),
        Outcome::Moved => out.push(8),
        Outcome::Interrupted => out.push(9),
        Outcome::NoQueue(disposition) => {
            out.push(10);
            optional(&DISPOSITIONS, Some(*disposition), out);
        }
        Outcome::Callback(Callback { tries, failed, end }) => {
            out.push(11);
            number(u64::from(*tries), out);
            number(u64::from(*failed), out);
            optional(&CALLBACK_ENDS, *end, out);
        }
    }
}

/// Writes a change of an agent's state behind those of its day before it. Of which agent and day it is, the row says.
pub fn pack_change(change: &Transition, out: &mut Vec<u8>) {
    number(change.at.rem_euclid(DAY).unsigned_abs(), out);
    let plain = match &change.state {
        State::LoggedOut => 0,
        State::Ready => 1,
        State::Ringing => 2,
        State::Talking => 3,
        State::Holding => 4,
        State::WrapUp => 5,
        State::Busy => 6,
        State::Unreachable => 7,
        State::Paused(reason) => {
            out.push(8);
            return text(reason, out);
        }
    };
    out.push(plain);
}

/// Reads visits, one after the other, into one place.
#[derive(Debug, Default)]
pub struct Unpacker {
    names: Names,
    visit: Option<Visit>,
}

impl Unpacker {
    /// The visit with which `bytes` begin; they begin with what follows it then. It is there until the next one is read.
    ///
    /// # Errors
    /// These bytes are no visit of this [`VERSION`].
    pub fn next(&mut self, bytes: &mut &[u8]) -> Result<&Visit, Damaged> {
        let Self { names, visit } = self;
        let (mut offers, mut stages) = match visit.take() {
            Some(before) => (before.offers, before.stages),
            None => (Vec::new(), Vec::new()),
        };
        offers.clear();
        stages.clear();
        let mut from = Bytes(bytes);
        if from.byte()? != VERSION {
            return Err(Damaged);
        }
        let flags = from.byte()?;
        let has = |bit: u8| flags & bit != 0;
        let (id, contact, arrived) = (from.number()?, ContactId(from.number()?), from.signed()?);
        let client = from.name(names)?;
        let queue = if has(QUEUE) { Some(from.name(names)?) } else { None };
        let number = from.name(names)?;
        let trunk = if has(TRUNK) { Some(from.name(names)?) } else { None };
        let caller = from.text()?.into();
        let waited_before = from.number()?;
        let left = if has(LEFT) { Some(from.number()?) } else { None };
        let ended_by = from.optional(&ENDED_BY)?;
        for _ in 0..from.number()? {
            let (agent, at, rang) = (from.name(names)?, from.number()?, from.number()?);
            offers.push(Offer { agent, at, rang, outcome: from.optional(&OFFERS)? });
        }
        for _ in 0..from.number()? {
            let stage = from.optional(&STAGES)?.ok_or(Damaged)?;
            stages.push((stage, from.number()?));
        }
        let outcome = from.outcome(names, &offers)?;
        *bytes = from.0;
        Ok(visit.insert(Visit {
            id,
            contact,
            is_first: has(FIRST),
            is_callback: has(CALLS_BACK),
            client,
            queue,
            number,
            trunk,
            caller,
            arrived,
            waited_before,
            left,
            outcome,
            is_transferred: has(TRANSFERRED),
            ended_by,
            offers,
            stages,
        }))
    }

    /// All changes of an agent on a day, given in days since 1970.
    ///
    /// # Errors
    /// These bytes are no changes.
    pub fn changes(&mut self, day: i64, bytes: &[u8], out: &mut Vec<(Millis, State)>) -> Result<(), Damaged> {
        let mut from = Bytes(bytes);
        while !from.0.is_empty() {
            let at = day * DAY + Millis::try_from(from.number()?).map_err(|_| Damaged)?;
            let state = match from.byte()? {
                0 => State::LoggedOut,
                1 => State::Ready,
                2 => State::Ringing,
                3 => State::Talking,
                4 => State::Holding,
                5 => State::WrapUp,
                6 => State::Busy,
                7 => State::Unreachable,
                8 => State::Paused(from.name(&mut self.names)?),
                _ => return Err(Damaged),
            };
            out.push((at, state));
        }
        Ok(())
    }
}

/// Names that come again and again, each kept once.
#[derive(Debug)]
struct Names {
    all: HashSet<Arc<str>>,
    /// Those that came last, by their bytes: most are found here without being hashed well.
    last: Vec<Option<Arc<str>>>,
}

/// Places of names that came last; a power of two.
const LAST: usize = 1_024;

impl Default for Names {
    fn default() -> Self {
        Self { all: HashSet::new(), last: vec![None; LAST] }
    }
}

impl Names {
    fn get(&mut self, bytes: &[u8]) -> Result<Arc<str>, Damaged> {
        // Fowler, Noll and Vo's hash, FNV-1a.
        let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619);
        let hash = bytes.iter().fold(2_166_136_261, step);
        let place = &mut self.last[(hash ^ (hash >> 16)) as usize % LAST];
        if let Some(known) = place.as_ref().filter(|known| known.as_bytes() == bytes) {
            return Ok(Arc::clone(known));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Damaged)?;
        let name = match self.all.get(text) {
            Some(known) => Arc::clone(known),
            None => {
                let name: Arc<str> = text.into();
                self.all.insert(Arc::clone(&name));
                name
            }
        };
        *place = Some(Arc::clone(&name));
        Ok(name)
    }
}

/// What is still to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> Result<u8, Damaged> {
        let (first, rest) = self.0.split_first().ok_or(Damaged)?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Damaged);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    fn signed(&mut self) -> Result<i64, Damaged> {
        let number = self.number()?;
        let half = (number >> 1).cast_signed();
        Ok(if number & 1 == 0 { half } else { !half })
    }

    fn small(&mut self) -> Result<u32, Damaged> {
        u32::try_from(self.number()?).map_err(|_| Damaged)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Damaged> {
        let length = usize::try_from(self.number()?).map_err(|_| Damaged)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn text(&mut self) -> Result<&'a str, Damaged> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Damaged)
    }

    fn name(&mut self, names: &mut Names) -> Result<Arc<str>, Damaged> {
        names.get(self.bytes()?)
    }

    fn optional<T: Copy>(&mut self, all: &[T]) -> Result<Option<T>, Damaged> {
        match usize::from(self.byte()?) {
            0 => Ok(None),
            index => all.get(index - 1).copied().map(Some).ok_or(Damaged),
        }
    }

    fn outcome(&mut self, names: &mut Names, offers: &[Offer]) -> Result<Outcome, Damaged> {
        Ok(match self.byte()? {
            0 => Outcome::Waiting,
            1 => Outcome::Answered(match usize::try_from(self.number()?).map_err(|_| Damaged)? {
                0 => self.name(names)?,
                index => offers.get(index - 1).map(|offer| Arc::clone(&offer.agent)).ok_or(Damaged)?,
            }),
            2 => Outcome::PickedUp,
            3 => Outcome::Abandoned,
            4 => Outcome::Key,
            5 => Outcome::Full,
            6 => Outcome::NoAgents,
            7 => Outcome::TimedOut,
            8 => Outcome::Moved,
            9 => Outcome::Interrupted,
            10 => Outcome::NoQueue(self.optional(&DISPOSITIONS)?.ok_or(Damaged)?),
            11 => {
                let (tries, failed) = (self.small()?, self.small()?);
                Outcome::Callback(Callback { tries, failed, end: self.optional(&CALLBACK_ENDS)? })
            }
            _ => return Err(Damaged),
        })
    }
}

fn number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

/// Numbers near zero are short, whatever their sign.
fn signed(signed: i64, out: &mut Vec<u8>) {
    number(((signed << 1) ^ (signed >> 63)).cast_unsigned(), out);
}

fn text(text: &str, out: &mut Vec<u8>) {
    number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// One of a list by its place, from 1; 0 is none.
fn optional<T: Copy + PartialEq>(all: &[T], one: Option<T>, out: &mut Vec<u8>) {
    let place = one.map(|one| all.iter().position(|other| *other == one).expect("the list has all of them"));
    out.push(place.map_or(0, |place| u8::try_from(place + 1).expect("the lists are short")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = Arc<str>> {
        prop_oneof!["[a-c]{1,2}", "\\PC{0,40}"].prop_map(Arc::from)
    }

    fn one_of<T: Copy + fmt::Debug>(all: &'static [T]) -> impl Strategy<Value = T> {
        (0..all.len()).prop_map(|index| all[index])
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        let callback = (any::<u32>(), any::<u32>(), prop::option::of(one_of(&CALLBACK_ENDS)));
        prop_oneof![
            Just(Outcome::Waiting),
            name().prop_map(Outcome::Answered),
            Just(Outcome::PickedUp),
            Just(Outcome::Abandoned),
            Just(Outcome::Key),
            Just(Outcome::Full),
            Just(Outcome::NoAgents),
            Just(Outcome::TimedOut),
            Just(Outcome::Moved),
            Just(Outcome::Interrupted),
            one_of(&DISPOSITIONS).prop_map(Outcome::NoQueue),
            callback.prop_map(|(tries, failed, end)| Outcome::Callback(Callback { tries, failed, end })),
        ]
    }

    fn offer() -> impl Strategy<Value = Offer> {
        (name(), any::<u64>(), any::<u64>(), prop::option::of(one_of(&OFFERS)))
            .prop_map(|(agent, at, rang, outcome)| Offer { agent, at, rang, outcome })
    }

    fn visit() -> impl Strategy<Value = Visit> {
        let numbers =
            (any::<u64>(), any::<u64>(), any::<i64>(), any::<u64>(), prop::option::of(any::<u64>()));
        let names = (name(), prop::option::of(name()), name(), prop::option::of(name()), name());
        let flags = (any::<bool>(), any::<bool>(), any::<bool>(), prop::option::of(one_of(&ENDED_BY)));
        let lists = (
            prop::collection::vec(offer(), 0..4),
            prop::collection::vec((one_of(&STAGES), any::<u64>()), 0..6),
        );
        (numbers, names, flags, lists, outcome()).prop_map(|(numbers, names, flags, lists, outcome)| Visit {
            id: numbers.0,
            contact: ContactId(numbers.1),
            is_first: flags.0,
            is_callback: flags.1,
            client: names.0,
            queue: names.1,
            number: names.2,
            trunk: names.3,
            caller: names.4,
            arrived: numbers.2,
            waited_before: numbers.3,
            left: numbers.4,
            outcome,
            is_transferred: flags.2,
            ended_by: flags.3,
            offers: lists.0,
            stages: lists.1,
        })
    }

    fn state() -> impl Strategy<Value = State> {
        let plain = [
            State::LoggedOut,
            State::Ready,
            State::Ringing,
            State::Talking,
            State::Holding,
            State::WrapUp,
            State::Busy,
            State::Unreachable,
        ];
        prop_oneof![4 => prop::sample::select(plain.to_vec()), 1 => name().prop_map(State::Paused)]
    }

    proptest! {
        #[test]
        fn visits_one_behind_the_other_are_what_they_were(visits in prop::collection::vec(visit(), 0..5)) {
            let mut packed = Vec::new();
            visits.iter().for_each(|visit| pack(visit, &mut packed));
            let (mut rest, mut unpacker) = (&packed[..], Unpacker::default());
            for visit in &visits {
                prop_assert_eq!(unpacker.next(&mut rest), Ok(visit));
            }
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn what_is_cut_off_is_damaged(visit in visit(), cut in any::<prop::sample::Index>()) {
            let mut packed = Vec::new();
            pack(&visit, &mut packed);
            let cut = &packed[..cut.index(packed.len())];
            let (mut cut, mut unpacker) = (cut, Unpacker::default());
            prop_assert_eq!(unpacker.next(&mut cut), Err(Damaged));
        }

        #[test]
        fn junk_is_no_reason_to_panic(junk in prop::collection::vec(any::<u8>(), 0..80)) {
            let junk = [&[VERSION][..], &junk].concat();
            let mut rest = &junk[..];
            let mut unpacker = Unpacker::default();
            while unpacker.next(&mut rest).is_ok() {}
            let _ = unpacker.changes(0, &junk, &mut Vec::new());
        }

        #[test]
        fn changes_of_a_day_are_what_they_were(
            day in -40_000i64..40_000,
            changes in prop::collection::vec((0..DAY, state()), 0..20),
        ) {
            let changes: Vec<_> = changes.into_iter().map(|(at, state)| (day * DAY + at, state)).collect();
            let mut packed = Vec::new();
            for (at, state) in &changes {
                pack_change(&Transition { agent: "a".into(), at: *at, state: state.clone() }, &mut packed);
            }
            let mut read = Vec::new();
            prop_assert_eq!(Unpacker::default().changes(day, &packed, &mut read), Ok(()));
            prop_assert_eq!(read, changes);
        }
    }

    #[test]
    fn another_version_is_not_read() {
        assert_eq!(Unpacker::default().next(&mut &[VERSION + 1, 0, 0, 0][..]), Err(Damaged));
    }
}
