//! A user has dialled the code of a transfer, and dials its target: the other party hears music meanwhile.

use super::{Contact, Phase, Wish};
use crate::core::{Core, Timer};
use clock::Duration;
use events::{LegId, Party, TransferBy};
use rtp::control::Command;

/// How long the first key of the target is waited for.
const FIRST_KEY: Duration = Duration::from_secs(8);
/// After so long without a further key the target is complete, as by `#`.
const NEXT_KEY: Duration = Duration::from_secs(3);
/// No number is longer.
const MOST_KEYS: usize = 32;

/// A user that dials a target.
#[derive(Clone)]
pub(super) struct Choice {
    /// Its leg.
    pub(super) by: LegId,
    /// The callee of the bridge that was; it may be the user.
    pub(super) callee: LegId,
    consult: bool,
    dialled: String,
}

impl Choice {
    /// Whether the dial tone is still to be heard.
    pub(super) fn is_empty(&self) -> bool {
        self.dialled.is_empty()
    }
}

impl Contact {
    /// Parts a user from the party that it speaks with, and takes the keys of its target.
    pub(super) fn begin_choice(&mut self, core: &mut Core, by: LegId, consult: bool) {
        let Phase::Bridged { callee } = self.phase else { return };
        self.unbridge(core, callee);
        self.phase = Phase::Choosing(Choice { by, callee, consult, dialled: String::new() });
        core.timers.set(Timer::Keys(by), core.now + FIRST_KEY);
    }

    pub(super) fn is_choosing(&self, leg: LegId) -> bool {
        matches!(&self.phase, Phase::Choosing(choice) if choice.by == leg)
    }

    pub(super) fn choose_key(&mut self, core: &mut Core, key: char) {
        let Phase::Choosing(choice) = &mut self.phase else { return };
        if key != '#' {
            choice.dialled.push(key);
            if choice.dialled.len() < MOST_KEYS {
                return core.timers.set(Timer::Keys(choice.by), core.now + NEXT_KEY);
            }
        }
        core.timers.cancel(Timer::Keys(choice.by));
        self.end_choice(core);
    }

    /// The target is complete: the transfer begins, or the user is back with the party and hears that it was wrong.
    pub(super) fn end_choice(&mut self, core: &mut Core) {
        let Phase::Choosing(choice) = &self.phase else { return };
        let Choice { by: leg, callee, consult, dialled } = choice.clone();
        let to = dialled.into();
        let wish = Wish { leg, by: TransferBy::Keys, consult, to, told: None, referred_by: None };
        if self.try_transfer(core, wish).is_err() {
            self.connect(core, callee);
            self.alert(core, leg);
        }
    }

    /// Whether the keys of a party may be feature codes.
    pub(crate) fn dials_codes(&self, party: &Party) -> bool {
        let client = self.plan.client_named(&self.client);
        matches!(party, Party::User(_)) && client.is_some_and(|client| !client.features.is_empty())
    }

    /// Lets a party hear once that what it asked for could not be done.
    pub(super) fn alert(&self, core: &mut Core, leg: LegId) {
        let open = self.legs().find(|it| it.id == leg && it.is_open());
        if let (Some(leg), Some(file)) = (open, self.plan.system_prompt("error-tone")) {
            let play = core.new_play();
            core.media(Command::Play { stream: leg.stream(), play, files: vec![file], times: Some(1) });
        }
    }
}
