//! What a call was offered in queues, told to a person.

use crate::plain::seconds;
use crate::{ContactId, Event, Kind, OfferOutcome, QueueOutcome};
use clock::Time;

/// A line for each thing that a queue did with a call, with its reasons, in the order of the events.
pub fn story(contact: ContactId, events: &[Event]) -> String {
    let mut text = format!("Contact {}\n", contact.0);
    let first = events.first().map_or(Time::ZERO, |event| event.at);
    for event in events {
        let at = u64::try_from((event.at - first).as_millis()).unwrap_or(u64::MAX);
        let Some(line) = line(&event.kind) else { continue };
        let mut lines = line.lines();
        text += &format!("{:>9} s  {}\n", seconds(at), lines.next().unwrap_or_default());
        for further in lines {
            text += &format!("{:>11}    {further}\n", "");
        }
    }
    text
}

fn line(kind: &Kind) -> Option<String> {
    Some(match kind {
        Kind::QueueEntered { queue, priority, .. } => format!("waits in {queue} with priority {priority}"),
        Kind::QueueOffered { agent, why, .. } => format!("is offered to {agent}:\n{}", why.trim_end()),
        Kind::QueueOfferEnded { agent, outcome, .. } => outcome_of(agent, *outcome),
        Kind::QueueLeft { queue, outcome, .. } => left(queue, outcome),
        _ => return None,
    })
}

/// What an agent did with an offer.
pub(crate) fn outcome_of(agent: &str, outcome: OfferOutcome) -> String {
    let how = match outcome {
        OfferOutcome::Answered => "takes the call",
        OfferOutcome::NoAnswer => "does not answer",
        OfferOutcome::Busy => "is busy",
        OfferOutcome::Declined => "declines",
        OfferOutcome::Unreachable => "cannot be reached",
        OfferOutcome::AnotherAgent => "rings no more: another agent was faster",
        OfferOutcome::CallerGone => "rings no more: the caller waits no longer",
        OfferOutcome::AgentGone => "rings no more: it takes no calls now",
    };
    format!("agent {agent} {how}")
}

/// Why a caller waits no longer.
pub(crate) fn left(queue: &str, outcome: &QueueOutcome) -> String {
    match outcome {
        QueueOutcome::Answered(agent) => format!("leaves the queue {queue}: {agent} has it"),
        QueueOutcome::PickedUp => format!("leaves the queue {queue}: it was picked up"),
        QueueOutcome::Abandoned => format!("gives up in the queue {queue}"),
        QueueOutcome::Flow => format!("leaves the queue {queue} by its flow"),
        QueueOutcome::Full => format!("finds the queue {queue} full"),
        QueueOutcome::NoAgents => format!("leaves the queue {queue}: no agent is there"),
        QueueOutcome::TimedOut => format!("leaves the queue {queue}: it has waited too long"),
        QueueOutcome::Moved => format!("waits on in the queue {queue} in another contact"),
    }
}
