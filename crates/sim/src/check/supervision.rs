//! A supervisor with a call, as the log tells it.

use super::contact::Contact;
use events::{LegId, Party, SuperviseMode};
use rtp::control::{Audience, StreamId};
use std::sync::Arc;

/// Who supervises, and to whom it is to speak.
#[derive(Debug)]
pub(super) struct Supervision {
    pub(super) user: Arc<str>,
    pub(super) mode: SuperviseMode,
}

impl Contact {
    /// Whether a leg is a phone of the supervisor.
    pub(super) fn is_supervisor(&self, leg: LegId) -> bool {
        let Some(Supervision { user, .. }) = &self.supervision else { return false };
        self.legs.get(&leg).is_some_and(|leg| leg.party == Party::User(Arc::clone(user)))
    }

    /// The supervisor, once it has answered.
    pub(super) fn supervisor(&self) -> Option<LegId> {
        let mut answered = self.legs.iter().filter(|(_, leg)| leg.answered).map(|(id, _)| *id);
        answered.find(|leg| self.is_supervisor(*leg))
    }

    /// The bridge and the supervisor who hears it: not fax.
    pub(super) fn company(&self) -> Option<[LegId; 3]> {
        let ((a, b), supervisor) = (self.bridge?, self.supervisor()?);
        let speaks = |leg: LegId| self.legs.get(&leg).is_some_and(|leg| !leg.fax);
        (speaks(a) && speaks(b)).then_some([a, b, supervisor])
    }

    /// To whom each of them speaks: a whisper goes to the client's user, the callee first, or whoever consults another, and
    /// never to anybody else.
    pub(super) fn audiences(&self) -> Option<[(StreamId, Audience); 3]> {
        let ([a, b, supervisor], mode) = (self.company()?, self.supervision.as_ref()?.mode);
        let is_user = |leg: &LegId| self.legs.get(leg).is_some_and(|leg| matches!(leg.party, Party::User(_)));
        let whispers = || {
            let first = if self.transfer { a } else { b };
            let agent = [first, b, a].into_iter().find(is_user);
            agent.map_or(Audience::Nobody, |agent| Audience::Only(StreamId(agent.0)))
        };
        let says = match mode {
            SuperviseMode::Listen | SuperviseMode::TakeOver => Audience::Nobody,
            SuperviseMode::Whisper => whispers(),
            SuperviseMode::Barge => Audience::All,
        };
        let voice = |leg: LegId, to: Audience| {
            let held = self.legs.get(&leg).is_some_and(|leg| leg.held);
            (StreamId(leg.0), if held { Audience::Nobody } else { to })
        };
        Some([voice(a, Audience::All), voice(b, Audience::All), voice(supervisor, says)])
    }
}
