//! Who is not listened to, until when.

use super::{Offence, Source};
use clock::{Duration, Time, Timers};
use std::collections::HashMap;

/// Sources that are remembered. Beyond it, those whose ban and parole end first are forgotten first: who has
/// been banned often stays longest, however many addresses others bring.
const MOST: usize = 16_384;

/// The bans that run, and those that have ended but are remembered: the next one is longer.
#[derive(Debug, Default)]
pub(super) struct Bans {
    sentences: HashMap<Source, Sentence>,
    /// When each is forgotten.
    ends: Timers<Source>,
}

#[derive(Debug)]
struct Sentence {
    offence: Offence,
    /// Whether the source is sure to be who offended: then streams are banned too, and the next ban is longer.
    proven: bool,
    times: u32,
    until: Time,
    dropped: u64,
}

/// A ban as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// The address, or an IPv6 network of 64 bits.
    pub address: String,
    /// What it was banned for at last.
    pub reason: &'static str,
    /// How often in a row.
    pub times: u32,
    /// How long it still lasts.
    pub left: Duration,
    /// Messages that were dropped so far.
    pub dropped: u64,
}

impl Bans {
    /// Whether a message of the source is dropped; it is counted then.
    pub(super) fn drops(&mut self, now: Time, source: Source, is_stream: bool) -> bool {
        let Some(sentence) = self.sentences.get_mut(&source) else { return false };
        let drops = sentence.until > now && (sentence.proven || !is_stream);
        sentence.dropped += u64::from(drops);
        drops
    }

    /// Bans a source. What is proven lasts twice as long each time, from `first` to `longest`; what may be
    /// forged never lasts longer than `first`.
    pub(super) fn add(
        &mut self,
        now: Time,
        source: Source,
        (offence, proven): (Offence, bool),
        (first, longest): (Duration, Duration),
    ) -> Ban {
        while self.ends.pop_due(now).is_some_and(|source| self.sentences.remove(&source).is_some()) {}
        if self.sentences.len() >= MOST
            && let Some(soonest) = self.ends.next().and_then(|at| self.ends.pop_due(at))
        {
            self.sentences.remove(&soonest);
        }
        let before = self.sentences.get(&source);
        let times = before.map_or(0, |sentence| sentence.times) + 1;
        let doubled = first.checked_mul(1 << (times - 1).min(16)).unwrap_or(longest);
        let length = if proven { doubled.min(longest) } else { first };
        let dropped = before.map_or(0, |sentence| sentence.dropped);
        let sentence = Sentence { offence, proven, times, until: now + length, dropped };
        let ban = sentence.shown(now, source);
        self.sentences.insert(source, sentence);
        self.ends.set(source, now + length + longest);
        ban
    }

    /// The bans that run.
    pub(super) fn running(&self, now: Time) -> impl Iterator<Item = (Source, Ban)> {
        let running = self.sentences.iter().filter(move |(_, sentence)| sentence.until > now);
        running.map(move |(source, sentence)| (*source, sentence.shown(now, *source)))
    }

    /// Forgets a source; whether it was banned.
    pub(super) fn lift(&mut self, now: Time, source: Source) -> bool {
        self.ends.cancel(source);
        self.sentences.remove(&source).is_some_and(|sentence| sentence.until > now)
    }

    /// Forgets all of a kind.
    pub(super) fn lift_if(&mut self, lifted: impl Fn(Source) -> bool) {
        let ends = &mut self.ends;
        for (source, _) in self.sentences.extract_if(|source, _| lifted(*source)) {
            ends.cancel(source);
        }
    }
}

impl Sentence {
    fn shown(&self, now: Time, source: Source) -> Ban {
        Ban {
            address: source.to_string(),
            reason: self.offence.as_str(),
            times: self.times,
            left: self.until - now,
            dropped: self.dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(600));

    fn source(number: u32) -> Source {
        Source::V4(number)
    }

    #[test]
    fn a_proven_ban_doubles_up_to_the_longest_and_is_forgotten_in_the_end() {
        let (mut bans, mut now) = (Bans::default(), Time::from_secs(1));
        for seconds in [60, 120, 240, 480, 600, 600] {
            let ban = bans.add(now, source(1), (Offence::WrongDigest, true), LENGTHS);
            assert_eq!(ban.left.as_secs(), seconds);
            assert!(bans.drops(now, source(1), true) && !bans.drops(now, source(2), false));
            now += ban.left;
            assert!(!bans.drops(now, source(1), false));
        }
        now += Duration::from_secs(600);
        assert_eq!(bans.add(now, source(1), (Offence::WrongDigest, true), LENGTHS).times, 1);
    }

    #[test]
    fn a_ban_that_may_rest_on_forged_datagrams_stays_short_and_leaves_streams_alone() {
        let (mut bans, mut now) = (Bans::default(), Time::from_secs(1));
        for _ in 0..5 {
            let ban = bans.add(now, source(1), (Offence::Scanner, false), LENGTHS);
            assert_eq!(ban.left.as_secs(), 60);
            assert!(bans.drops(now, source(1), false) && !bans.drops(now, source(1), true));
            now += ban.left;
        }
    }

    #[test]
    fn many_addresses_do_not_make_an_old_offender_forgotten() {
        let (mut bans, now) = (Bans::default(), Time::from_secs(1));
        for _ in 0..4 {
            bans.add(now, source(0), (Offence::WrongDigest, true), LENGTHS);
        }
        for number in 1..=20_000 {
            bans.add(now, source(number), (Offence::Scanner, false), LENGTHS);
        }
        assert_eq!(bans.running(now).count(), MOST);
        assert!(bans.drops(now, source(0), false));
    }

    #[test]
    fn a_ban_can_be_lifted() {
        let (mut bans, now) = (Bans::default(), Time::from_secs(1));
        bans.add(now, source(1), (Offence::Scanner, true), LENGTHS);
        assert!(bans.lift(now, source(1)) && !bans.lift(now, source(1)));
        bans.add(now, source(2), (Offence::Scanner, true), LENGTHS);
        bans.lift_if(|source| source == Source::V4(2));
        assert_eq!(bans.running(now).count(), 0);
        assert!(bans.ends.is_empty());
    }
}
