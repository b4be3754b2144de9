use super::QueueStay;
use crate::{Kind, QueueOutcome, WallClock};
use clock::Time;
use std::sync::Arc;

/// A stay in a queue that may not have ended.
#[derive(Clone, Debug)]
pub(super) struct QueueDraft {
    queue: Arc<str>,
    entered: Time,
    offers: u32,
    left: Option<(Time, QueueOutcome)>,
}

impl QueueDraft {
    pub(super) fn apply(stays: &mut Vec<Self>, at: Time, kind: &Kind) {
        match kind {
            Kind::QueueEntered { queue, .. } => {
                stays.push(Self { queue: Arc::clone(queue), entered: at, offers: 0, left: None });
            }
            Kind::QueueOffered { .. } => {
                if let Some(stay) = stays.last_mut() {
                    stay.offers += 1;
                }
            }
            Kind::QueueLeft { outcome, .. } => {
                if let Some(stay) = stays.last_mut() {
                    stay.left.get_or_insert((at, outcome.clone()));
                }
            }
            _ => {}
        }
    }

    /// Whether the caller hung up in it.
    pub(super) fn was_abandoned(&self) -> bool {
        matches!(self.left, Some((_, QueueOutcome::Abandoned)))
    }

    /// Whether no agent was to be had.
    pub(super) fn was_unserved(&self) -> bool {
        let why = self.left.as_ref().map(|(_, outcome)| outcome);
        matches!(why, Some(QueueOutcome::Full | QueueOutcome::NoAgents | QueueOutcome::TimedOut))
    }

    pub(super) fn finish(self, ended: Time, wall: WallClock) -> QueueStay {
        let Self { queue, entered, offers, left } = self;
        let (left, outcome) = left.map_or((ended, None), |(at, outcome)| (at, Some(outcome)));
        let millis = u64::try_from((left - entered).as_millis()).unwrap_or(u64::MAX);
        QueueStay { queue, entered: wall.moment(entered), millis, offers, outcome }
    }
}
