//! Service levels: how soon a call is to be answered, and which calls count.

use crate::{Figure, Tally, Visit, figure};
use serde::{Serialize, Serializer};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What is agreed of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Level {
    /// Within so many milliseconds.
    pub within: u64,
    /// So large a share, 0 to 1.
    pub target: f64,
    /// Of what.
    pub formula: Formula,
    /// Who hangs up within so many milliseconds has not abandoned, but come to the wrong place.
    pub short_abandon: u64,
}

/// The levels of queues by client and name, and of all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels {
    /// Of queues that say nothing.
    pub usual: Level,
    /// By client.
    queues: HashMap<Arc<str>, HashMap<Arc<str>, Level>>,
}

/// How a service level is computed. A is answered, A_t within the time; B abandoned, B_t within the time, both without
/// short ones; S short abandons; F flow-out: left by key, full, without agents, or timed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Formula {
    /// A_t / A.
    Answered,
    /// A_t / (A + B).
    Strict,
    /// A_t / (A + B − B_t).
    #[default]
    Neutral,
    /// (A_t + B_t) / (A + B).
    Credit,
    /// A_t / (A + B + S), with F, without S, without B and S.
    Genesys {
        /// `+f`
        flow_out: bool,
        /// `-s`
        without_short: bool,
        /// `-b`
        without_abandoned: bool,
    },
    /// Answered in less than 180 s / all that wait no longer (Spain, Ley 10/2025).
    LegalEs,
}

/// The time of [`Formula::LegalEs`], in milliseconds.
pub(crate) const LEGAL_ES: u64 = 180_000;

impl Default for Level {
    /// 80 % within 20 s.
    fn default() -> Self {
        Self { within: 20_000, target: 0.8, formula: Formula::Neutral, short_abandon: 0 }
    }
}

impl Level {
    /// Whether who hung up after so long has abandoned only shortly.
    pub fn is_short(&self, waited: u64) -> bool {
        waited < self.short_abandon
    }
}

impl Levels {
    /// Says what is agreed of a queue.
    pub fn insert(&mut self, client: Arc<str>, queue: Arc<str>, level: Level) {
        self.queues.entry(client).or_default().insert(queue, level);
    }

    /// That of a queue.
    pub fn of_queue(&self, client: &str, queue: &str) -> &Level {
        self.queues.get(client).and_then(|queues| queues.get(queue)).unwrap_or(&self.usual)
    }

    /// That of the queue of a visit.
    pub fn of(&self, visit: &Visit) -> &Level {
        visit.queue.as_ref().map_or(&self.usual, |queue| self.of_queue(&visit.client, queue))
    }

    /// That of all queues, of one client or of all, if they agree; else the usual one.
    pub fn common(&self, client: Option<&str>) -> &Level {
        let of_client = |(name, _): &(&Arc<str>, _)| client.is_none_or(|client| *client == ***name);
        let mut levels = self.queues.iter().filter(of_client).flat_map(|(_, queues)| queues.values());
        match levels.next() {
            Some(first) if levels.all(|level| level == first) => first,
            _ => &self.usual,
        }
    }

    /// Changes all of them.
    pub fn change(&mut self, change: impl Fn(&mut Level)) {
        change(&mut self.usual);
        self.queues.values_mut().flat_map(HashMap::values_mut).for_each(change);
    }
}

impl Formula {
    /// Those without switches, by which others are found too.
    pub const NAMES: [&str; 6] = ["answered", "strict", "neutral", "credit", "genesys", "legal-es"];

    /// In symbols.
    pub fn text(self) -> String {
        let plain = match self {
            Self::Answered => "A_t / A",
            Self::Strict => "A_t / (A + B)",
            Self::Neutral => "A_t / (A + B - B_t)",
            Self::Credit => "(A_t + B_t) / (A + B)",
            Self::LegalEs => "answered in less than 180 s / (offered - waiting)",
            Self::Genesys { flow_out, without_short, without_abandoned } => {
                let mut sum = String::from("A");
                if !without_abandoned {
                    sum += if without_short { " + B" } else { " + B + S" };
                }
                if flow_out {
                    sum += " + F";
                }
                return format!("A_t / ({sum})");
            }
        };
        plain.to_owned()
    }

    /// 0 to 1; `None` if nothing counts.
    pub fn value(self, tally: &Tally) -> Option<f64> {
        let Tally { answered, abandoned, answered_within, abandoned_within, .. } = *tally;
        let (part, whole) = match self {
            Self::Answered => (answered_within, answered),
            Self::Strict => (answered_within, answered + abandoned),
            Self::Neutral => (answered_within, answered + abandoned - abandoned_within),
            Self::Credit => (answered_within + abandoned_within, answered + abandoned),
            Self::LegalEs => (tally.answered_in_180s, tally.offered - tally.waiting),
            Self::Genesys { flow_out, without_short, without_abandoned } => {
                let abandoned = if without_abandoned { 0 } else { abandoned };
                let short = if without_short || without_abandoned { 0 } else { tally.short_abandoned };
                let flow_out = if flow_out { tally.flow_out() } else { 0 };
                (answered_within, answered + abandoned + short + flow_out)
            }
        };
        crate::tally::share(part, whole)
    }

    /// The figure of the same formula, without switches.
    pub fn figure(self) -> &'static Figure {
        let name = match self {
            Self::Answered => "sl_answered",
            Self::Strict => "sl_strict",
            Self::Neutral => "sl_neutral",
            Self::Credit => "sl_credit",
            Self::Genesys { .. } => "sl_genesys",
            Self::LegalEs => "sl_legal_es",
        };
        figure(name).expect("each formula has a figure")
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Answered => "answered",
            Self::Strict => "strict",
            Self::Neutral => "neutral",
            Self::Credit => "credit",
            Self::LegalEs => "legal-es",
            Self::Genesys { flow_out, without_short, without_abandoned } => {
                let switch = |is: bool, text: &'static str| if is { text } else { "" };
                let switches =
                    [switch(*flow_out, "+f"), switch(*without_short, "-s"), switch(*without_abandoned, "-b")];
                return write!(f, "genesys{}", switches.concat());
            }
        };
        f.write_str(name)
    }
}

impl FromStr for Formula {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown =
            || format!("`{text}` is no formula: {}, with genesys also +f, -s and -b", Self::NAMES.join(", "));
        Ok(match text {
            "answered" => Self::Answered,
            "strict" => Self::Strict,
            "neutral" => Self::Neutral,
            "credit" => Self::Credit,
            "legal-es" => Self::LegalEs,
            _ => {
                let mut rest = text.strip_prefix("genesys").ok_or_else(unknown)?;
                let mut switch = |name: &str| {
                    let found = rest.strip_prefix(name);
                    rest = found.unwrap_or(rest);
                    found.is_some()
                };
                let (flow_out, without_short, without_abandoned) = (switch("+f"), switch("-s"), switch("-b"));
                if !rest.is_empty() {
                    return Err(unknown());
                }
                Self::Genesys { flow_out, without_short, without_abandoned }
            }
        })
    }
}

impl Serialize for Formula {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten answered, six of them in time; five abandoned, two of them in time; three short abandons; four flowed out; one waits.
    fn tally() -> Tally {
        Tally {
            offered: 23,
            answered: 10,
            answered_within: 6,
            answered_in_180s: 9,
            abandoned: 5,
            abandoned_within: 2,
            short_abandoned: 3,
            key: 1,
            full: 1,
            timed_out: 2,
            waiting: 1,
            ..Tally::default()
        }
    }

    #[test]
    fn each_formula_is_what_its_text_says() {
        let by_hand = [
            ("answered", 6.0 / 10.0, "A_t / A"),
            ("strict", 6.0 / 15.0, "A_t / (A + B)"),
            ("neutral", 6.0 / 13.0, "A_t / (A + B - B_t)"),
            ("credit", 8.0 / 15.0, "(A_t + B_t) / (A + B)"),
            ("genesys", 6.0 / 18.0, "A_t / (A + B + S)"),
            ("genesys+f", 6.0 / 22.0, "A_t / (A + B + S + F)"),
            ("genesys-s", 6.0 / 15.0, "A_t / (A + B)"),
            ("genesys+f-s", 6.0 / 19.0, "A_t / (A + B + F)"),
            ("genesys-b", 6.0 / 10.0, "A_t / (A)"),
            ("genesys+f-s-b", 6.0 / 14.0, "A_t / (A + F)"),
            ("legal-es", 9.0 / 22.0, "answered in less than 180 s / (offered - waiting)"),
        ];
        for (name, share, text) in by_hand {
            let formula: Formula = name.parse().expect(name);
            assert_eq!(formula.value(&tally()), Some(share), "{name}");
            assert_eq!((formula.to_string().as_str(), formula.text().as_str()), (name, text));
            assert_eq!(formula.value(&Tally::default()), None, "{name} of nothing");
            let plain =
                name.split(['+']).next().expect("a name").trim_end_matches("-s").trim_end_matches("-b");
            if plain == name {
                assert_eq!((formula.figure().value)(&tally()), Some(share), "{name}");
            }
        }
        assert!("genesys-x".parse::<Formula>().is_err() && "nice".parse::<Formula>().is_err());
    }
}
