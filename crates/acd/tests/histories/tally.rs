//! What a history came across.

use std::collections::BTreeMap;

/// How often what happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(BTreeMap<&'static str, u32>);

impl Tally {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, n) in &other.0 {
            *self.0.entry(what).or_default() += n;
        }
    }

    /// How often what happened least often, of all that should.
    pub(crate) fn least(&self) -> u32 {
        let all = [
            "offer",
            "answered",
            "missed",
            "withdrawn",
            "callback",
            "called back",
            "abandoned",
            "exit",
            "announced",
            "read back",
            "new plan",
            "estimate",
            "talked",
            "moved",
            "rivals",
            "held",
        ];
        all.iter().map(|what| self.0.get(what).copied().unwrap_or(0)).min().unwrap_or(0)
    }
}
