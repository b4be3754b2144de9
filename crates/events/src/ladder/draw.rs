use super::columns::{Columns, RINGDOWN};
use super::files::{Files, LONG_PATH};
use super::row::{LABEL_FRAME, Row, Stroke, fit, wrap};
use crate::plain::{by, ended_by, plain, seconds};
use crate::queues::{callback, directed, left, outcome_of};
use crate::{DialOutcome, Event, Kind, LegId, Missing, RecordBy, RoomBy, SipDirection, TransferOutcome};
use clock::Time;
use std::collections::HashMap;

/// How far the second line of a note stands right of Ringdown's line.
const NOTE_INDENT: usize = 4;

/// The ladder while it is drawn: which lines of life are there, and what was said on them.
pub(super) struct Ladder<'a> {
    columns: &'a Columns,
    files: &'a Files<'a>,
    started: Time,
    width: usize,
    /// How many legs live in each column.
    alive: Vec<usize>,
    requests: HashMap<RequestKey, Request>,
    last_time: String,
}

/// A leg, who sent the request, and its CSeq number.
type RequestKey = (LegId, bool, u32);

/// What a response to that CSeq number may answer.
enum Request {
    Method(String),
    /// CANCEL has the number of its INVITE (RFC 3261 9.1).
    InviteAndCancel,
}

impl<'a> Ladder<'a> {
    pub(super) fn new(columns: &'a Columns, files: &'a Files<'a>, started: Time, width: usize) -> Self {
        let mut alive = vec![0; columns.names().len()];
        alive[RINGDOWN] = 1;
        Self { columns, files, started, width, alive, requests: HashMap::new(), last_time: String::new() }
    }

    /// The line of names.
    pub(super) fn names(&self) -> String {
        let mut row = Row::new(self.width);
        for (column, name) in self.columns.names().iter().enumerate() {
            let name = fit(name, self.columns.gap() - 2);
            row.write(self.columns.x(column) - name.chars().count() / 2, &name);
        }
        row.finish()
    }

    /// The line of an event, or its lines; `None` for one that others show already.
    pub(super) fn line(&mut self, event: &Event) -> Option<String> {
        if let Kind::LegStarted { leg, .. } | Kind::LegJoined { leg, .. } = &event.kind {
            self.alive[self.columns.column(*leg)] += 1;
        }
        let mut row = self.lives();
        let drawn = self.message(&mut row, &event.kind)
            || self.media(&mut row, &event.kind)
            || self.end(&mut row, &event.kind);
        if drawn {
            self.time(&mut row, event.at);
            return Some(row.finish());
        }
        let (mark, text) = note(&event.kind, self.columns, self.files)?;
        let x = self.columns.x(RINGDOWN);
        let mut lines = wrap(&plain(&text), self.width - x - NOTE_INDENT).into_iter();
        row.put(x, mark);
        row.write(x + 2, &lines.next()?);
        self.time(&mut row, event.at);
        let more = lines.map(|line| {
            let mut row = self.lives();
            row.write(x + NOTE_INDENT, &line);
            row.finish()
        });
        Some(row.finish() + &more.collect::<String>())
    }

    /// A row with the lines of life that are there.
    fn lives(&self) -> Row {
        let mut row = Row::new(self.width);
        for column in (0..self.alive.len()).filter(|column| self.alive[*column] > 0) {
            row.put(self.columns.x(column), '│');
        }
        row
    }

    /// A SIP message as a solid arrow.
    fn message(&mut self, row: &mut Row, kind: &Kind) -> bool {
        let Kind::Sip { leg, direction, line, cseq, sdp, again } = kind else { return false };
        let answers = self.answers(*leg, *direction, line, *cseq, *sdp);
        let again = if *again { " again" } else { "" };
        let label = format!("{}{answers}{again}", plain(line));
        let with_sdp = format!("{}{answers} (SDP){again}", plain(line));
        let label = if *sdp && self.fits(*leg, &with_sdp) { with_sdp } else { label };
        self.arrow(row, *leg, *direction, Stroke::Solid, &label);
        true
    }

    /// Media, digits and bridges as dotted and double lines.
    fn media(&self, row: &mut Row, kind: &Kind) -> bool {
        let received = SipDirection::Received;
        match kind {
            Kind::MediaStarted { leg, peer } => {
                let with_peer = format!("RTP {}", plain(peer));
                let label = if self.fits(*leg, &with_peer) { with_peer } else { "RTP".to_owned() };
                self.arrow(row, *leg, received, Stroke::Dotted, &label);
            }
            Kind::Digit { leg, digit } => {
                self.arrow(row, *leg, received, Stroke::Dotted, &plain(&format!("digit {digit}")));
            }
            Kind::BridgedEarly { a, b } => self.bridge(row, [*a, *b], Stroke::Dotted, "early media"),
            Kind::Bridged { a, b } => self.bridge(row, [*a, *b], Stroke::Double, "bridged"),
            Kind::Unbridged { a, b } => self.bridge(row, [*a, *b], Stroke::Dotted, "no longer bridged"),
            _ => return false,
        }
        true
    }

    /// The end of a line of life.
    fn end(&mut self, row: &mut Row, kind: &Kind) -> bool {
        let (leg, text) = match kind {
            Kind::LegEnded { leg, cause } if &*cause.reason == "normal" => {
                (leg, format!("ended by {}", by(cause.by)))
            }
            Kind::LegEnded { leg, cause } => (leg, format!("{}, by {}", plain(&cause.reason), by(cause.by))),
            Kind::LegLeft { leg, to } => (leg, format!("goes on in contact {}", to.0)),
            _ => return false,
        };
        let column = self.columns.column(*leg);
        let x = self.columns.x(column);
        let text = self.of(*leg, &text);
        let left = self.columns.x(RINGDOWN) + 2;
        if column < RINGDOWN || x < left + text.chars().count() + 1 {
            row.write(x + 2, &text);
        } else {
            row.write(x - 1 - text.chars().count(), &text);
        }
        row.put(x, '✕');
        self.alive[column] = self.alive[column].saturating_sub(1);
        true
    }

    /// An arrow between a leg and Ringdown, its label in the gap beside the leg.
    fn arrow(&self, row: &mut Row, leg: LegId, direction: SipDirection, stroke: Stroke, label: &str) {
        let column = self.columns.column(leg);
        if column == RINGDOWN {
            return;
        }
        let (there, here) = (self.columns.x(column), self.columns.x(RINGDOWN));
        let label = self.of(leg, label);
        let gap = self.columns.gap();
        let near = match column < RINGDOWN {
            _ if label.chars().count() + LABEL_FRAME > gap => here,
            true => there + gap,
            false => there - gap,
        };
        if self.alive[column] == 0 {
            row.put(there, '┆');
        }
        match direction {
            SipDirection::Received => {
                row.line(there, here, stroke);
                row.label(there, near, &label);
            }
            SipDirection::Sent => {
                row.line(here, there, stroke);
                row.label(near, there, &label);
            }
        }
    }

    /// Whether an arrow of this leg has room for a label.
    fn fits(&self, leg: LegId, label: &str) -> bool {
        let ends = [self.columns.column(leg), RINGDOWN].map(|column| self.columns.x(column));
        self.of(leg, label).chars().count() + LABEL_FRAME <= ends[0].abs_diff(ends[1])
    }

    /// A line between two legs with its label in the middle.
    fn bridge(&self, row: &mut Row, legs: [LegId; 2], stroke: Stroke, label: &str) {
        let mut ends = legs.map(|leg| self.columns.x(self.columns.column(leg)));
        ends.sort_unstable();
        let [left, right] = ends;
        if left == right {
            return;
        }
        row.line(left, right, stroke);
        if matches!(stroke, Stroke::Dotted) {
            row.put(right - 1, '┄');
            row.put(right, '┤');
        }
        row.label(left, right, label);
    }

    /// `label`, with the leg's name before it where its column does not say whose it is.
    fn of(&self, leg: LegId, label: &str) -> String {
        if self.columns.is_shared(self.columns.column(leg)) {
            return format!("{}: {label}", self.columns.name(leg));
        }
        label.to_owned()
    }

    /// Remembers a request; for a response ` (METHOD)` unless it answers an INVITE.
    fn answers(&mut self, leg: LegId, direction: SipDirection, line: &str, cseq: u32, sdp: bool) -> String {
        let received = matches!(direction, SipDirection::Received);
        let Some(status) = line.split(' ').next().filter(|word| word.parse::<u16>().is_ok()) else {
            self.remember((leg, received, cseq), line);
            return String::new();
        };
        match self.requests.get(&(leg, !received, cseq)) {
            Some(Request::Method(method)) if method != "INVITE" => format!(" ({})", plain(method)),
            Some(Request::InviteAndCancel) if status == "200" && !sdp => " (CANCEL)".to_owned(),
            _ => String::new(),
        }
    }

    fn remember(&mut self, key: RequestKey, line: &str) {
        let method = line.split(' ').next().unwrap_or(line);
        match method {
            "ACK" => {}
            "CANCEL" => {
                self.requests.insert(key, Request::InviteAndCancel);
            }
            _ => {
                self.requests.entry(key).or_insert_with(|| Request::Method(method.to_owned()));
            }
        }
    }

    /// Writes the time unless the line above has the same.
    fn time(&mut self, row: &mut Row, at: Time) {
        let millis = u64::try_from((at - self.started).as_millis()).unwrap_or(u64::MAX);
        let time = format!("{:>9}", seconds(millis));
        if time != self.last_time {
            row.write(0, &time);
            self.last_time = time;
        }
    }
}

/// What stands beside Ringdown's line, with the mark on it.
fn note(kind: &Kind, columns: &Columns, files: &Files<'_>) -> Option<(char, String)> {
    let name = |leg: &LegId| columns.name(*leg);
    Some(match kind {
        Kind::FlowStep { step, file, line, .. } => ('◆', format!("{}:{line} {step}", files.short(file))),
        Kind::FlowBranch { verb, branch } => ('│', format!("└ {verb}: {branch}")),
        Kind::PlayFailed { error } => ('!', format!("not played: {error}")),
        Kind::LegAnswered { leg, codec } => {
            let codec = codec.as_deref().unwrap_or("no codec");
            ('●', format!("{} answered, {codec}", name(leg)))
        }
        Kind::Held { leg } => ('●', format!("{} holds the call", name(leg))),
        Kind::Resumed { leg } => ('●', format!("{} takes the call up again", name(leg))),
        Kind::FaxStarted { leg } => ('●', format!("{} has fax by T.38", name(leg))),
        Kind::FaxEnded { leg } => ('●', format!("{} has audio again", name(leg))),
        Kind::FaxRefused { leg, status } => {
            ('│', format!("└ {} will have no T.38 ({status}): fax goes as audio", name(leg)))
        }
        Kind::MediaSilent { leg, millis } => {
            ('!', format!("no RTP from {} for {} s", name(leg), seconds(u64::from(*millis))))
        }
        Kind::LegLost { leg } => ('!', format!("nothing comes of {} any more: it is waited for", name(leg))),
        Kind::LegBack { leg } => ('│', format!("{} is back", name(leg))),
        Kind::MediaOneWay { leg, missing: Missing::From } => {
            ('!', format!("no media from {}, which is sent some", name(leg)))
        }
        Kind::MediaOneWay { leg, missing: Missing::To } => {
            ('!', format!("no media to {}: by its reports nothing arrives", name(leg)))
        }
        Kind::MediaEnded { leg, received, sent, lost, jitter_micros, quality, fax } => {
            let figures = quality.line(*lost, *jitter_micros);
            let fax = fax.map_or_else(String::new, |fax| format!("; {}", fax.line()));
            ('●', format!("RTP {}: {received} in, {sent} out, {figures}{fax}", name(leg)))
        }
        Kind::CallerVerified { verstat, attestation, reason, .. } => {
            caller_verified(verstat, attestation.as_deref(), reason.as_deref())
        }
        Kind::CallBlocked { number, reason } => ('!', format!("{number} is not called: {reason}")),
        Kind::TrunkFull { trunk, limit } => ('!', format!("trunk {trunk} is passed over: {limit}")),
        Kind::TrunkTargetRests { trunk, target, seconds } => {
            ('!', format!("trunk {trunk}: {target} wants no call for {seconds} s"))
        }
        Kind::DialStarted { targets } => ('●', format!("dials {}", targets.join(", "))),
        Kind::DialEnded { outcome } => ('●', dial_outcome(outcome, columns)),
        Kind::ValueChanged { key, value: Some(value), .. } => ('●', format!("keeps {key}: {value}")),
        Kind::ValueChanged { key, value: None, .. } => ('●', format!("forgets {key}")),
        Kind::DispositionNoted { disposition, by, .. } => ('●', format!("{by} notes: {disposition}")),
        Kind::HttpEnded { method, server, status, attempts, millis, error } => {
            let how = match (status, error) {
                (Some(status), _) => status.to_string(),
                (None, error) => error.clone().unwrap_or_default(),
            };
            let tries = if *attempts > 1 { format!(", {attempts} attempts") } else { String::new() };
            let mark = if error.is_some() { '!' } else { '●' };
            (mark, format!("{method} {server}: {how} after {millis} ms{tries}"))
        }
        Kind::RoomEntered { leg, room, parties } => {
            ('●', format!("{} comes into the room {room}, {parties} in it", name(leg)))
        }
        Kind::RoomLeft { leg, room, removed: false, .. } => {
            ('●', format!("{} leaves the room {room}", name(leg)))
        }
        Kind::RoomLeft { leg, room, removed: true, .. } => {
            ('●', format!("{} is taken out of the room {room}", name(leg)))
        }
        Kind::RoomMuted { leg, muted, by } => {
            let how = if *muted { "is mute" } else { "is heard again" };
            let whose = match by {
                RoomBy::Keys => "by its keys",
                RoomBy::Api => "by an operator",
            };
            ('●', format!("{} {how}, {whose}", name(leg)))
        }
        Kind::RoomGain { leg, gain } => ('●', format!("{} is heard {gain:+} dB", name(leg))),
        Kind::QueueEntered { leg, queue, priority, waited_millis } => {
            let place = if *waited_millis > 0 {
                format!(", at its place of {} s ago", seconds(*waited_millis))
            } else {
                String::new()
            };
            let points = if *priority == 0 { String::new() } else { format!(" with priority {priority}") };
            ('●', format!("{} waits in the queue {queue}{points}{place}", name(leg)))
        }
        Kind::QueueOffered { agent, queue, .. } => ('●', format!("queue {queue} offers the call to {agent}")),
        Kind::QueueOfferEnded { agent, outcome, .. } => ('●', outcome_of(agent, *outcome)),
        Kind::QueueLeft { queue, outcome, .. } => ('●', left(queue, outcome)),
        Kind::CallerDirected { order, by } => ('●', directed(order, by)),
        Kind::CallbackKept { .. }
        | Kind::CallbackTried { .. }
        | Kind::CallbackFailed { .. }
        | Kind::CallbackEnded { .. }
        | Kind::CallsBack { .. } => ('●', callback(kind).unwrap_or_default()),
        Kind::SupervisionStarted { user, mode } => {
            ('●', format!("{user} is rung to supervise: {}", mode.name()))
        }
        Kind::SupervisionChanged { user, mode } => ('●', format!("{user} supervises: {}", mode.name())),
        Kind::TakenOver { leg, by } => ('●', format!("{} takes the call over from {}", name(by), name(leg))),
        Kind::SupervisionEnded { user, reason } => ('●', format!("{user} supervises no more: {reason}")),
        Kind::RecordingStarted { .. }
        | Kind::RecordingWithheld { .. }
        | Kind::RecordingConsent { .. }
        | Kind::RecordingHushed { .. }
        | Kind::RecordingResumed { .. }
        | Kind::RecordingEnded { .. }
        | Kind::RecordingSealed { .. }
        | Kind::RecordingHeld { .. }
        | Kind::RecordingErased { .. } => recording(kind, columns)?,
        Kind::VoicemailStarted { leg, mailbox, path, .. } => {
            ('●', format!("{} leaves a message for {mailbox} in {}", name(leg), tail(path)))
        }
        Kind::VoicemailLeft { message, millis, .. } => {
            ('●', format!("message {message} is left, {} s", seconds(*millis)))
        }
        Kind::VoicemailDropped { reason, .. } => ('●', format!("no message is kept: {reason}")),
        Kind::VoicemailHeard { message, heard: true, by } => {
            ('●', format!("message {message} is heard, by {by}"))
        }
        Kind::VoicemailHeard { message, heard: false, by } => {
            ('●', format!("message {message} counts as new, by {by}"))
        }
        Kind::VoicemailDeleted { message, by } => ('●', format!("message {message} is deleted, by {by}")),
        Kind::LegReplaced { leg, by } => ('●', format!("{} takes the place of {}", name(by), name(leg))),
        Kind::Released { leg, to } => ('●', format!("{} is asked to call {to} itself", name(leg))),
        Kind::CodeDialled { leg, feature } => ('●', format!("{} dials the code of {feature}", name(leg))),
        Kind::TransferStarted { leg, consult, to, .. } => {
            let how = if *consult { "asks" } else { "transfers to" };
            ('●', format!("{} {how} {to}", name(leg)))
        }
        Kind::TransferEnded { outcome } => ('●', transfer_outcome(*outcome)),
        Kind::LegJoined { leg, from, .. } => ('●', format!("{} joins from contact {}", name(leg), from.0)),
        Kind::Redirected { leg, status, to } => {
            ('●', format!("{} sends the call to {to} ({status})", name(leg)))
        }
        Kind::ContactEnded { cause } => ('■', ended_by(cause)),
        Kind::Requested { by, method, path, status } => ('◆', format!("{by}: {method} {path} → {status}")),
        Kind::Alarm { text } => ('!', text.clone()),
        _ => return None,
    })
}

/// What happened to a recording.
fn recording(kind: &Kind, columns: &Columns) -> Option<(char, String)> {
    Some(match kind {
        Kind::RecordingStarted { leg, path, by } => {
            let by = by.map(|by| format!(", {}", wish(by))).unwrap_or_default();
            ('●', format!("records {} to {}{by}", columns.name(*leg), tail(path)))
        }
        Kind::RecordingWithheld { by: RecordBy::Rule } => {
            ('●', "the recording ends: no calls of this kind are recorded".into())
        }
        Kind::RecordingWithheld { by } => {
            ('●', format!("not recorded, {}: no calls of this kind are", wish(*by)))
        }
        Kind::RecordingConsent { leg, given } => {
            let may = if *given { "may" } else { "may not" };
            ('●', format!("{} {may} be recorded", columns.name(*leg)))
        }
        Kind::RecordingSealed { path, .. } => ('●', format!("the recording is encrypted: {}", tail(path))),
        Kind::RecordingHeld { why: Some(why), by, .. } => {
            ('●', format!("the recording is kept on, by {by}: {why}"))
        }
        Kind::RecordingHeld { why: None, by, .. } => {
            ('●', format!("the recording is kept on no longer, by {by}"))
        }
        Kind::RecordingErased { why, by, .. } => {
            let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            ('●', format!("the recording is erased{by}: {why}"))
        }
        Kind::RecordingHushed { mask, by } => {
            let how = if *mask { "is silent" } else { "pauses" };
            ('●', format!("the recording {how}, {}", wish(*by)))
        }
        Kind::RecordingResumed { by } => ('●', format!("the recording goes on, {}", wish(*by))),
        Kind::RecordingEnded { path, millis, error: None } => {
            ('●', format!("recorded {} s to {}", seconds(*millis), tail(path)))
        }
        Kind::RecordingEnded { path, millis, error: Some(error) } => {
            ('!', format!("recording {} stopped after {} s: {error}", tail(path), seconds(*millis)))
        }
        _ => return None,
    })
}

fn caller_verified(verstat: &str, attestation: Option<&str>, reason: Option<&str>) -> (char, String) {
    let mark = if verstat == "failed" { '!' } else { '●' };
    let attested = attestation.map_or(String::new(), |it| format!(", attestation {it}"));
    let why = reason.map_or(String::new(), |why| format!(": {why}"));
    (mark, format!("caller verification {verstat}{attested}{why}"))
}

/// The end of a long path: its file and the folder that this is in. The CDR has all of it.
fn tail(path: &str) -> String {
    let mut slashes = path.rmatch_indices('/').map(|(at, _)| at);
    match slashes.nth(1) {
        Some(slash) if path.len() > LONG_PATH => format!("…{}", &path[slash..]),
        _ => path.to_owned(),
    }
}

fn transfer_outcome(outcome: TransferOutcome) -> String {
    match outcome {
        TransferOutcome::Done => "transfer: done".to_owned(),
        TransferOutcome::Failed(status) => format!("transfer: failed ({status})"),
        TransferOutcome::Cancelled => "transfer: taken back".to_owned(),
    }
}

fn dial_outcome(outcome: &DialOutcome, columns: &Columns) -> String {
    match outcome {
        DialOutcome::Answered(leg) => format!("dial: answered by {}", columns.name(*leg)),
        DialOutcome::Busy => "dial: busy".to_owned(),
        DialOutcome::NoAnswer => "dial: no answer".to_owned(),
        DialOutcome::Failed(status) => format!("dial: failed ({status})"),
        DialOutcome::CallerGone => "dial: the caller left".to_owned(),
    }
}

fn wish(by: RecordBy) -> &'static str {
    match by {
        RecordBy::Flow => "by the flow",
        RecordBy::Api => "by an operator",
        RecordBy::Secret => "for a secret question",
        RecordBy::Rule => "by rule",
    }
}
