use super::{CallbackRecord, Cdr, LegRecord, MessageRecord, Recording, Transfer};
use crate::plain::{ended_by, party_name, plain, seconds};
use crate::{Direction, Moment, QueueOutcome, TransferOutcome};
use std::fmt;

impl fmt::Display for Cdr {
    /// A few lines for a person: what became of it, the times, the legs and the recordings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.disposition.name().replace('_', " ");
        writeln!(f, "Contact {}: {outcome}, {}", self.contact.0, ended_by(&self.cause))?;
        writeln!(f, "  from        {} (source {})", plain(&self.from), plain(&self.source))?;
        if let Some(verstat) = &self.verstat {
            let attested =
                self.attestation.as_ref().map_or(String::new(), |it| format!(", attestation {}", plain(it)));
            writeln!(f, "  caller      verification {}{attested}", plain(verstat))?;
        }
        let (client, flow) = (plain(&self.client), plain(&self.flow));
        writeln!(f, "  to          {} (client {client}, flow {flow})", plain(&self.to))?;
        writeln!(f, "  started     {}", self.started)?;
        writeln!(f, "  answered    {}", after(self, self.answered))?;
        writeln!(f, "  bridged     {}", after(self, self.bridged))?;
        writeln!(f, "  ended       {}", after(self, Some(self.ended)))?;
        let [ring, wait, talk, bill] =
            [self.ring_millis, self.wait_millis, self.talk_millis, self.billable_millis].map(seconds);
        writeln!(f, "  times       rang {ring} s, waited {wait} s, talked {talk} s, billable {bill} s")?;
        for leg in &self.legs {
            writeln!(f, "  leg {:<7} {}", leg.leg.0, leg_line(leg))?;
        }
        for recording in &self.recordings {
            writeln!(f, "  recording   {}", recording_line(recording))?;
        }
        for stay in &self.rooms {
            let (room, at) = (plain(&stay.room), after(self, Some(stay.entered)));
            writeln!(f, "  room        {room}, {at}, for {} s", seconds(stay.millis))?;
        }
        for MessageRecord { message, mailbox, millis } in &self.messages {
            let length = millis.map_or("cut off".to_owned(), |millis| format!("{} s", seconds(millis)));
            writeln!(f, "  message     {message} for {}, {length}", plain(mailbox))?;
        }
        for stay in &self.queues {
            let (queue, at, waited) =
                (plain(&stay.queue), after(self, Some(stay.entered)), seconds(stay.millis));
            let outcome = match &stay.outcome {
                Some(QueueOutcome::Answered(agent)) => format!("taken by {}", plain(agent)),
                Some(QueueOutcome::PickedUp) => "picked up".to_owned(),
                Some(QueueOutcome::Abandoned) => "abandoned".to_owned(),
                Some(QueueOutcome::Flow) => "left by its flow".to_owned(),
                Some(QueueOutcome::Full) => "full".to_owned(),
                Some(QueueOutcome::NoAgents) => "no agents".to_owned(),
                Some(QueueOutcome::TimedOut) => "waited too long".to_owned(),
                Some(QueueOutcome::Moved) => "moved with its place".to_owned(),
                None => "the node ended first".to_owned(),
            };
            let offers = stay.offers;
            writeln!(f, "  queue       {queue}, {at}, for {waited} s, {offers} offers, {outcome}")?;
        }
        for callback in &self.callbacks {
            match callback {
                CallbackRecord::Asked { queue, number } => {
                    writeln!(f, "  callback    asked for at {} from {}", plain(number), plain(queue))?;
                }
                CallbackRecord::Made { asked, queue } => {
                    writeln!(f, "  callback    of contact {} from {}", asked.0, plain(queue))?;
                }
            }
        }
        for transfer in &self.transfers {
            writeln!(f, "  transfer    {}", transfer_line(self, transfer))?;
        }
        Ok(())
    }
}

fn transfer_line(cdr: &Cdr, transfer: &Transfer) -> String {
    let legs = cdr.legs.iter().find(|leg| leg.leg == transfer.leg);
    let who = legs.map_or_else(String::new, |leg| party_name(&leg.party, &leg.uri));
    let outcome = match transfer.outcome {
        Some(TransferOutcome::Done) => "done".to_owned(),
        Some(TransferOutcome::Failed(status)) => format!("failed ({status})"),
        Some(TransferOutcome::Cancelled) => "cancelled".to_owned(),
        None => "the call ended first".to_owned(),
    };
    let at = after(cdr, Some(transfer.started));
    format!("{at}, {who} to {}: {outcome}", plain(&transfer.to))
}

fn after(cdr: &Cdr, moment: Option<Moment>) -> String {
    match moment {
        Some(moment) => {
            let millis = u64::try_from((moment.at - cdr.started.at).as_millis()).unwrap_or(u64::MAX);
            format!("after {} s", seconds(millis))
        }
        None => "never".to_owned(),
    }
}

fn leg_line(leg: &LegRecord) -> String {
    let direction = match leg.direction {
        Direction::Inbound => "from",
        Direction::Outbound => "to",
    };
    let codec = match (&leg.codec, leg.answered) {
        (Some(codec), _) => plain(codec),
        (None, Some(_)) => "codec unknown".to_owned(),
        (None, None) => "not answered".to_owned(),
    };
    let media = match &leg.media {
        None => "media not measured".to_owned(),
        Some(media) => {
            let figures = media.quality.line(media.lost, media.jitter_micros);
            let fax = media.fax.map_or_else(String::new, |fax| format!(", {}", fax.line()));
            format!("{} packets received, {} sent, {figures}{fax}", media.received, media.sent)
        }
    };
    let party = party_name(&leg.party, &leg.uri);
    format!("{direction} {party}: {codec}; {media}; {}", ended_by(&leg.cause))
}

fn recording_line(recording: &Recording) -> String {
    let length = recording.millis.map_or("not completed".to_owned(), |millis| seconds(millis) + " s");
    let error = recording.error.as_ref().map_or(String::new(), |error| format!(", {}", plain(error)));
    format!("{} ({length}{error})", plain(&recording.path))
}
