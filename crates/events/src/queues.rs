//! What a call was offered in queues, told to a person.

use crate::plain::seconds;
use crate::{CallbackOrder, CallbackOutcome, ContactId, Event, Kind, OfferOutcome, QueueOutcome};
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
        Kind::CallbackTried { agent, by, why, .. } => {
            format!("is called back in contact {}, {agent} is kept:\n{}", by.0, why.trim_end())
        }
        Kind::CallerDirected { order, by } => directed(order, by),
        kind => return callback(kind),
    })
}

/// What a supervisor wants of a caller.
pub(crate) fn directed(order: &str, by: &str) -> String {
    format!("{by} wants: {order}")
}

/// What is said of a callback.
pub(crate) fn callback(kind: &Kind) -> Option<String> {
    Some(match kind {
        Kind::CallbackKept { order: CallbackOrder { queue, number, .. } } => {
            format!("is to be called back at {number} from the queue {queue}")
        }
        Kind::CallbackTried { agent, by, .. } => {
            format!("is called back in contact {}, {agent} is kept", by.0)
        }
        Kind::CallbackFailed { reason, .. } => format!("was called back in vain: {reason}"),
        Kind::CallbackEnded { outcome } => match outcome {
            CallbackOutcome::Reached(by) => format!("was reached, and waits in contact {}", by.0),
            CallbackOutcome::NotReached => "is called back no more: it was not reached".to_owned(),
            CallbackOutcome::CalledAgain => "is called back no more: it has called again itself".to_owned(),
            CallbackOutcome::Refused => "is called back no more: its queue takes nobody".to_owned(),
        },
        Kind::CallsBack { asked, queue } => {
            format!("calls back the customer of contact {} from the queue {queue}", asked.0)
        }
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
