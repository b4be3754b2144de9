use super::queue::QueueDraft;
use super::{
    CallbackRecord, Cdr, Disposition, LegMedia, LegRecord, MessageRecord, Recording, RoomStay, Transfer,
};
use crate::{
    Cause, ContactId, DialOutcome, Direction, EndedBy, Kind, LegId, Party, TransferBy, TransferOutcome,
    WallClock,
};
use clock::{Duration, Time};
use std::sync::Arc;

/// A contact that has not ended.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    started: Time,
    /// Source, client, from, to and flow.
    names: [Arc<str>; 5],
    verstat: Option<Arc<str>>,
    attestation: Option<Arc<str>>,
    legs: Vec<LegDraft>,
    bridges: Vec<(LegId, LegId)>,
    bridged: Option<Time>,
    talk: Stopwatch,
    dial: Dial,
    ring: Stopwatch,
    recordings: Vec<Recording>,
    messages: Vec<MessageRecord>,
    rooms: Vec<StayDraft>,
    queues: Vec<QueueDraft>,
    callbacks: Vec<CallbackRecord>,
    transfers: Vec<TransferDraft>,
}

#[derive(Clone, Debug)]
struct LegDraft {
    leg: LegId,
    direction: Direction,
    party: Party,
    uri: Arc<str>,
    call_id: Arc<str>,
    started: Time,
    ringing: Option<Time>,
    answered: Option<Time>,
    ended: Option<(Time, Cause)>,
    codec: Option<Arc<str>>,
    hold: Stopwatch,
    /// Once its stream has closed.
    media: Option<Box<LegMedia>>,
}

#[derive(Clone, Debug)]
struct StayDraft {
    room: Arc<str>,
    entered: Time,
    left: Option<Time>,
    /// Whether anybody else was there at any time.
    met: bool,
}

#[derive(Clone, Debug)]
struct TransferDraft {
    started: Time,
    leg: LegId,
    by: TransferBy,
    consult: bool,
    to: Arc<str>,
    outcome: Option<TransferOutcome>,
}

/// How far the flow's dialling came.
#[derive(Clone, Debug)]
enum Dial {
    Never,
    Ringing,
    Ended(DialOutcome),
}

impl Draft {
    pub(super) fn new(started: Time, names: [Arc<str>; 5]) -> Self {
        Self {
            started,
            names,
            verstat: None,
            attestation: None,
            // A caller and a callee.
            legs: Vec::with_capacity(2),
            bridges: Vec::new(),
            bridged: None,
            talk: Stopwatch::default(),
            dial: Dial::Never,
            ring: Stopwatch::default(),
            recordings: Vec::new(),
            messages: Vec::new(),
            rooms: Vec::new(),
            queues: Vec::new(),
            callbacks: Vec::new(),
            transfers: Vec::new(),
        }
    }

    pub(super) fn apply(&mut self, at: Time, kind: &Kind) {
        match kind {
            Kind::CallerVerified { verstat, attestation, .. } => {
                self.verstat = Some(Arc::clone(verstat));
                self.attestation.clone_from(attestation);
            }
            Kind::LegStarted { leg, direction, party, uri, call_id } if self.leg(*leg).is_none() => {
                self.legs.push(LegDraft::new(*leg, at, *direction, party, [uri, call_id]));
            }
            Kind::LegJoined { leg, direction, party, uri, call_id, answered, .. }
                if self.leg(*leg).is_none() =>
            {
                let mut draft = LegDraft::new(*leg, at, *direction, party, [uri, call_id]);
                draft.answered = answered.then_some(at);
                self.legs.push(draft);
            }
            Kind::LegLeft { leg, to } => {
                let reason = format!("went to contact {}", to.0).into();
                let cause = Cause { by: EndedBy::Switch, status: None, reason };
                self.end_leg(at, &Kind::LegEnded { leg: *leg, cause }, *leg);
            }
            Kind::TransferStarted { leg, by, consult, to } => {
                let (leg, by, consult, to) = (*leg, *by, *consult, Arc::clone(to));
                self.transfers.push(TransferDraft { started: at, leg, by, consult, to, outcome: None });
            }
            Kind::TransferEnded { outcome } => {
                if let Some(transfer) = self.transfers.last_mut() {
                    transfer.outcome.get_or_insert(*outcome);
                }
            }
            Kind::DialStarted { .. } if self.is_live() => {
                self.dial = Dial::Ringing;
                self.ring.start(at);
            }
            Kind::DialEnded { outcome } => {
                self.dial = Dial::Ended(outcome.clone());
                self.ring.stop(at);
            }
            Kind::Bridged { a, b } if self.is_live() => {
                self.bridged.get_or_insert(at);
                self.bridges.push((*a, *b));
                self.talk.start(at);
            }
            Kind::Unbridged { a, b } => {
                self.unbridge(at, |x, y| (x, y) == (*a, *b) || (y, x) == (*a, *b));
            }
            Kind::RoomEntered { room, parties, .. } => {
                let (room, met) = (Arc::clone(room), *parties > 1);
                self.rooms.push(StayDraft { room, entered: at, left: None, met });
            }
            Kind::RoomLeft { met, .. } => {
                if let Some(stay) = self.rooms.last_mut() {
                    stay.left.get_or_insert(at);
                    stay.met |= met;
                }
            }
            Kind::QueueEntered { .. } | Kind::QueueOffered { .. } | Kind::QueueLeft { .. } => {
                QueueDraft::apply(&mut self.queues, at, kind);
            }
            Kind::CallbackKept { order } => {
                let (queue, number) = (Arc::clone(&order.queue), Arc::clone(&order.number));
                self.callbacks.push(CallbackRecord::Asked { queue, number });
            }
            Kind::CallsBack { asked, queue } => {
                self.callbacks.push(CallbackRecord::Made { asked: *asked, queue: Arc::clone(queue) });
            }
            Kind::RecordingStarted { leg, path, .. } => {
                let recording = Recording { leg: *leg, path: path.clone(), millis: None, error: None };
                self.recordings.push(recording);
            }
            Kind::RecordingEnded { path, millis, error } => {
                // The name may have been taken: then the file has another than was asked for.
                let named = self.recordings.iter().position(|r| r.path == *path);
                let index = named.or_else(|| self.recordings.iter().position(|r| r.millis.is_none()));
                if let Some(recording) = index.and_then(|index| self.recordings.get_mut(index)) {
                    recording.path.clone_from(path);
                    recording.millis = Some(*millis);
                    recording.error.clone_from(error);
                }
            }
            Kind::VoicemailStarted { message, mailbox, .. } => {
                let (message, mailbox) = (*message, Arc::clone(mailbox));
                self.messages.push(MessageRecord { message, mailbox, millis: None });
            }
            Kind::VoicemailLeft { message, millis, .. } => {
                let found = self.messages.iter_mut().find(|it| it.message == *message);
                found.into_iter().for_each(|it| it.millis = Some(*millis));
            }
            Kind::VoicemailDropped { message, .. } => self.messages.retain(|it| it.message != *message),
            Kind::LegEnded { leg, .. } => self.end_leg(at, kind, *leg),
            Kind::LegRinging { leg }
            | Kind::LegAnswered { leg, .. }
            | Kind::Held { leg }
            | Kind::Resumed { leg }
            | Kind::MediaEnded { leg, .. } => self.leg_event(at, kind, *leg),
            _ => {}
        }
    }

    /// The record of a contact that was declared ended at `at`: once the endpoint had done with its last
    /// transaction, which may be half a minute after the parties have gone.
    pub(super) fn finish(mut self, contact: ContactId, at: Time, cause: Cause, wall: WallClock) -> Cdr {
        self.unbridge(at, |_, _| true);
        self.ring.stop(at);
        let caller = self.legs.first();
        let answered = caller.and_then(|caller| caller.answered);
        let caller_ended = caller.map_or(at, |caller| caller.ended_by(at));
        let ended = self.legs.iter().map(|leg| leg.ended_by(at)).max().unwrap_or(at);
        let disposition = self.disposition(answered, &cause);
        let [source, client, from, to, flow] = self.names;
        Cdr {
            contact,
            source,
            client,
            from,
            to,
            flow,
            verstat: self.verstat,
            attestation: self.attestation,
            started: wall.moment(self.started),
            answered: answered.map(|at| wall.moment(at)),
            bridged: self.bridged.map(|at| wall.moment(at)),
            ended: wall.moment(ended),
            ring_millis: self.ring.millis(),
            wait_millis: millis(self.bridged.unwrap_or(caller_ended) - self.started),
            talk_millis: self.talk.millis(),
            billable_millis: answered.map_or(0, |answered| millis(caller_ended - answered)),
            disposition,
            legs: self.legs.into_iter().map(|leg| leg.finish(at, &cause, wall)).collect(),
            cause,
            recordings: self.recordings,
            messages: self.messages,
            queues: self.queues.into_iter().map(|stay| stay.finish(at, wall)).collect(),
            callbacks: self.callbacks,
            rooms: self.rooms.into_iter().map(|stay| stay.finish(at, wall)).collect(),
            transfers: self.transfers.into_iter().map(|transfer| transfer.finish(wall)).collect(),
        }
    }

    fn is_live(&self) -> bool {
        self.legs.iter().any(|leg| leg.ended.is_none())
    }

    fn leg(&mut self, leg: LegId) -> Option<&mut LegDraft> {
        self.legs.iter_mut().find(|draft| draft.leg == leg)
    }

    fn leg_event(&mut self, at: Time, kind: &Kind, leg: LegId) {
        if let Some(draft) = self.leg(leg) {
            draft.apply(at, kind);
        }
    }

    fn end_leg(&mut self, at: Time, kind: &Kind, leg: LegId) {
        self.leg_event(at, kind, leg);
        self.unbridge(at, |x, y| x == leg || y == leg);
        if !self.is_live() {
            self.unbridge(at, |_, _| true);
            self.ring.stop(at);
        }
    }

    fn unbridge(&mut self, at: Time, which: impl Fn(LegId, LegId) -> bool) {
        self.bridges.retain(|(a, b)| !which(*a, *b));
        if self.bridges.is_empty() {
            self.talk.stop(at);
        }
    }

    fn disposition(&self, answered: Option<Time>, cause: &Cause) -> Disposition {
        if self.bridged.is_some() || self.rooms.iter().any(|stay| stay.met) {
            return Disposition::Answered;
        }
        if self.messages.iter().any(|it| it.millis.is_some()) {
            return Disposition::Voicemail;
        }
        let waited = self.queues.last();
        if waited.is_some_and(QueueDraft::was_abandoned) {
            return Disposition::AbandonedInQueue;
        }
        if waited.is_some_and(QueueDraft::was_unserved) && matches!(self.dial, Dial::Never) {
            return Disposition::NoAnswer;
        }
        let refused = answered.is_none() && cause.status.is_some_and(|status| (300..500).contains(&status));
        match (&self.dial, cause.by) {
            (Dial::Never, EndedBy::Flow) if answered.is_none() => Disposition::Rejected,
            (Dial::Never, EndedBy::Flow) => Disposition::SelfService,
            (Dial::Never, EndedBy::Caller) if answered.is_none() => Disposition::Abandoned,
            (Dial::Never, EndedBy::Caller) => Disposition::AbandonedInFlow,
            (Dial::Never, EndedBy::Switch) if refused => Disposition::Rejected,
            (Dial::Ringing | Dial::Ended(DialOutcome::CallerGone), EndedBy::Caller) => {
                Disposition::AbandonedRinging
            }
            (Dial::Ended(DialOutcome::CallerGone), _) => Disposition::AbandonedRinging,
            (Dial::Ended(DialOutcome::Busy), _) => Disposition::Busy,
            (Dial::Ended(DialOutcome::NoAnswer), _) => Disposition::NoAnswer,
            (Dial::Ended(DialOutcome::Failed(_) | DialOutcome::Answered(_)), _)
            | (Dial::Ringing | Dial::Never, _) => Disposition::Failed,
        }
    }
}

impl StayDraft {
    fn finish(self, ended: Time, wall: WallClock) -> RoomStay {
        let Self { room, entered, left, .. } = self;
        RoomStay { room, entered: wall.moment(entered), millis: millis(left.unwrap_or(ended) - entered) }
    }
}

impl TransferDraft {
    fn finish(self, wall: WallClock) -> Transfer {
        let Self { started, leg, by, consult, to, outcome } = self;
        Transfer { started: wall.moment(started), leg, by, consult, to, outcome }
    }
}

impl LegDraft {
    fn new(leg: LegId, at: Time, direction: Direction, party: &Party, names: [&Arc<str>; 2]) -> Self {
        let [uri, call_id] = names.map(Clone::clone);
        Self {
            leg,
            direction,
            party: party.clone(),
            uri,
            call_id,
            started: at,
            ringing: None,
            answered: None,
            ended: None,
            codec: None,
            hold: Stopwatch::default(),
            media: None,
        }
    }

    fn apply(&mut self, at: Time, kind: &Kind) {
        match kind {
            Kind::LegRinging { .. } => {
                self.ringing.get_or_insert(at);
            }
            Kind::LegAnswered { codec, .. } => {
                self.answered.get_or_insert(at);
                self.codec.clone_from(codec);
            }
            Kind::Held { .. } => self.hold.start(at),
            Kind::Resumed { .. } => self.hold.stop(at),
            &Kind::MediaEnded { received, sent, lost, jitter_micros, quality, fax, .. } => {
                self.media = Some(Box::new(LegMedia { received, sent, lost, jitter_micros, quality, fax }));
            }
            Kind::LegEnded { cause, .. } => {
                self.hold.stop(at);
                self.ended.get_or_insert_with(|| (at, cause.clone()));
            }
            _ => {}
        }
    }

    /// When it ended; a leg whose end was never told ended with its contact.
    fn ended_by(&self, contact_ended: Time) -> Time {
        self.ended.as_ref().map_or(contact_ended, |(at, _)| *at)
    }

    fn finish(mut self, at: Time, cause: &Cause, wall: WallClock) -> LegRecord {
        let ended = self.ended_by(at);
        self.hold.stop(ended);
        let cause = self.ended.map_or_else(|| cause.clone(), |(_, cause)| cause);
        LegRecord {
            leg: self.leg,
            direction: self.direction,
            party: self.party,
            uri: self.uri,
            call_id: self.call_id,
            started: wall.moment(self.started),
            ringing: self.ringing.map(|at| wall.moment(at)),
            answered: self.answered.map(|at| wall.moment(at)),
            ended: wall.moment(ended),
            cause,
            codec: self.codec,
            hold_millis: self.hold.millis(),
            media: self.media.map(|media| *media),
        }
    }
}

/// Adds up the spans between `start` and `stop`.
#[derive(Clone, Copy, Debug, Default)]
struct Stopwatch {
    total: Duration,
    since: Option<Time>,
}

impl Stopwatch {
    fn start(&mut self, at: Time) {
        self.since.get_or_insert(at);
    }

    fn stop(&mut self, at: Time) {
        if let Some(since) = self.since.take() {
            self.total = self.total.saturating_add(at - since);
        }
    }

    fn millis(&self) -> u64 {
        millis(self.total)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
