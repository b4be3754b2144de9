//! A call that the running node places by a trunk to a number of its own: whether it comes back in, and whether sound goes
//! both ways. What became of it is read from the event log.

use super::super::client;
use super::super::trunks::seconds;
use super::report::Finding;
use events::cdr::{Cdr, LegRecord};
use events::{ContactId, Direction, Event, Kind, Moment, Party, SipDirection};
use jiff::Timestamp;
use std::path::Path;
use std::time::Duration;
use store::{Filter, Reader, Store, StoreError};
use tokio::time::{Instant, sleep};

/// When to give up on all of it: the node ends the call by itself before.
const LIMIT: Duration = Duration::from_secs(30);
/// How long the call that has come back may take to be over after the other one.
const BACK_WITHIN: Duration = Duration::from_secs(4);
/// How long the name of a trunk may be looked up.
const LOCATED_WITHIN: Duration = Duration::from_secs(5);
/// How often the log is looked at, which is written ten times a second.
const LOOK: Duration = Duration::from_millis(100);
/// Calls that may come in meanwhile.
const MOST_CALLS: u32 = 10_000;
const AREA: &str = "call";

/// Places the call and tells how it went.
pub(super) async fn place(state: &Path, trunk: &str, number: &str) -> Vec<Finding> {
    let begun = (Timestamp::now(), Instant::now());
    let contact = match begin(state, trunk, number).await {
        Ok(contact) => contact,
        Err(why) => {
            let advice = "a trunk with `to`, a number of a client, and `http` in the node's file are needed";
            return vec![Finding::fault(AREA, format!("{trunk}: no call to {number}: {why}"), advice)];
        }
    };
    match follow(state, contact, number, begun).await {
        Ok(Some(call)) => call.findings(trunk, number),
        Ok(None) => {
            let what = format!("{trunk}: call {} has not ended within {} s", contact.0, LIMIT.as_secs());
            vec![Finding::fault(AREA, what, "see the node's log: it ends such calls by itself")]
        }
        Err(error) => vec![Finding::fault(AREA, error.to_string(), "is --state the node's?")],
    }
}

/// Asks the node, again while it looks the trunk's name up.
async fn begin(state: &Path, trunk: &str, number: &str) -> Result<ContactId, String> {
    let until = Instant::now() + LOCATED_WITHIN;
    loop {
        match client::test_call(state, trunk, number) {
            Ok(Some(contact)) => return Ok(ContactId(contact)),
            Ok(None) if Instant::now() < until => sleep(LOOK).await,
            Ok(None) => return Err("the trunk's name is being looked up, or the node ends".to_owned()),
            Err(why) => return Err(why),
        }
    }
}

/// How it went.
struct Call {
    out: Cdr,
    /// What the trunk has answered to the INVITE.
    answers: Vec<String>,
    /// The call that came in by a trunk to the number meanwhile, the test's own rather than another.
    back: Option<Cdr>,
    /// One to another number that was refused.
    astray: Option<Cdr>,
}

/// Waits until the call is over, and the one that it has become too.
async fn follow(
    state: &Path,
    contact: ContactId,
    number: &str,
    (since, begun): (Timestamp, Instant),
) -> Result<Option<Call>, StoreError> {
    let reader = Store::open_read(state).await?;
    let out = loop {
        if let Some(cdr) = reader.call(contact).await? {
            break cdr;
        }
        if begun.elapsed() >= LIMIT {
            return Ok(None);
        }
        sleep(LOOK).await;
    };
    let answers = answers(&reader.events_of(contact).await?);
    let until = (Instant::now() + BACK_WITHIN).min(begun + LIMIT);
    loop {
        let came = came_in(&reader, since).await?;
        let back = came_back(&came, &out, number).cloned();
        let is_own = back.as_ref().is_some_and(|back| shows_the_same(back, &out));
        if is_own || Instant::now() >= until {
            let astray = came.into_iter().find(|cdr| cdr.cause.status == Some(404));
            return Ok(Some(Call { out, answers, back, astray }));
        }
        sleep(LOOK).await;
    }
}

/// Calls from trunks that have begun since then and are over, the first one first.
async fn came_in(reader: &Reader, since: Timestamp) -> Result<Vec<Cdr>, StoreError> {
    let calls = reader.calls(MOST_CALLS, &Filter { since: Some(since), ..Filter::default() }).await?;
    let is_in = |cdr: &Cdr| {
        let first = cdr.legs.first();
        first.is_some_and(|leg| leg.direction == Direction::Inbound && matches!(leg.party, Party::Trunk(_)))
    };
    Ok(calls.into_iter().rev().filter(is_in).collect())
}

/// The call to the number that shows the same caller as the test's does, or else the first one: a carrier may show another.
fn came_back<'a>(came: &'a [Cdr], out: &Cdr, number: &str) -> Option<&'a Cdr> {
    let to_number = |cdr: &&Cdr| dialplan::normalized(&cdr.to) == dialplan::normalized(number);
    let own = came.iter().filter(to_number).find(|cdr| shows_the_same(cdr, out));
    own.or_else(|| came.iter().find(to_number))
}

/// Whether two calls are from the same number.
fn shows_the_same(call: &Cdr, other: &Cdr) -> bool {
    dialplan::normalized(&call.from) == dialplan::normalized(&other.from)
}

/// `100 Trying`, `180 Ringing`, `200 OK`: what was answered to the INVITE, up to the final response.
fn answers(events: &[Event]) -> Vec<String> {
    let mut answers = Vec::new();
    for event in events {
        let Kind::Sip { direction: SipDirection::Received, line, again: false, .. } = &event.kind else {
            continue;
        };
        let Some(status) = line.get(..3).and_then(|status| status.parse::<u16>().ok()) else { continue };
        answers.push(line.to_string());
        if status >= 200 && !matches!(status, 401 | 407) {
            break;
        }
    }
    answers
}

impl Call {
    fn findings(&self, trunk: &str, number: &str) -> Vec<Finding> {
        let Some(out) = self.out.legs.first() else { return Vec::new() };
        let mut found = vec![self.way_out(trunk, out)];
        found.push(self.way_back(number));
        if out.answered.is_some() {
            found.push(self.sound(out));
        }
        found
    }

    fn way_out(&self, trunk: &str, out: &LegRecord) -> Finding {
        let answers = if self.answers.is_empty() { "nothing".to_owned() } else { self.answers.join(", ") };
        let what = format!("{trunk}: call {} got {answers}", self.out.contact.0);
        let millis = |to: Moment| u64::try_from(to.at.since(out.started.at).as_millis()).unwrap_or(u64::MAX);
        let after = |moment: &Option<Moment>| moment.map(|it| format!("{} s", seconds(millis(it))));
        let delay = after(&out.ringing.or(out.answered));
        let what = delay.map_or(what.clone(), |delay| format!("{what}; post-dial delay {delay}"));
        match after(&out.answered) {
            Some(after) => Finding::ok(AREA, format!("{what}, answered after {after}")),
            None => {
                Finding::fault(AREA, format!("{what}; not answered: {}", out.cause.reason), self.advice(out))
            }
        }
    }

    /// What to do about a call that nobody answered.
    fn advice(&self, out: &LegRecord) -> &'static str {
        if self.answers.is_empty() {
            return "nothing came from the carrier: does it know this address, is a firewall between?";
        }
        match out.cause.status {
            Some(401 | 403 | 407) => {
                "the carrier does not admit the call: address, `register` or the caller's number"
            }
            Some(404 | 484 | 604) => "the carrier does not know the number so: see `numbers` of the trunk",
            Some(415 | 488 | 606) => "the carrier wants other codecs than G.711",
            Some(503) => "the carrier has no room, or no route: ask it",
            _ if self.back.is_some() => "see what the number's flow has done, below",
            _ => "does the number lead here, at the carrier?",
        }
    }

    fn way_back(&self, number: &str) -> Finding {
        match (&self.back, &self.astray) {
            (Some(back), _) => {
                let answered = back.answered.is_some();
                let Cdr { contact, source, client, flow, .. } = back;
                let what = format!("it came back in by {source} as call {}", contact.0);
                if !shows_the_same(back, &self.out) {
                    let what = format!(
                        "a call came in by {source} as call {}, but from {} instead of {}",
                        contact.0, back.from, self.out.from
                    );
                    let advice =
                        "it may be somebody else's: try again, unless the carrier shows another number";
                    Finding::warning(AREA, what, advice)
                } else if answered {
                    Finding::ok(AREA, format!("{what}; flow {flow} of {client} answered"))
                } else {
                    let why = &back.cause.reason;
                    let advice = format!("`ringdown trace {}` shows the flow", contact.0);
                    Finding::warning(AREA, format!("{what}, and was not answered: {why}"), advice)
                }
            }
            (None, Some(astray)) => Finding::fault(
                AREA,
                format!("it did not come back to {number}; one to {} was refused by 404", astray.to),
                "see `numbers` and `client` of the trunk that it came by",
            ),
            (None, None) => Finding::fault(
                AREA,
                format!("it did not come back in to {number}"),
                "does the carrier lead the number to this address and port, and is its address in `from`?",
            ),
        }
    }

    fn sound(&self, out: &LegRecord) -> Finding {
        let received =
            |leg: Option<&LegRecord>| leg.and_then(|leg| leg.media).map_or(0, |media| media.received);
        let back = self.back.as_ref();
        let (to_caller, to_called) = (received(Some(out)), received(back.and_then(|back| back.legs.first())));
        let what = format!("packets of sound: {to_called} arrived at the number, {to_caller} came back");
        if back.is_none() {
            let what = format!("packets of sound: {to_caller} came back");
            return Finding::warning(AREA, what, "nothing can be said of the way out");
        }
        if back.is_some_and(|back| !shows_the_same(back, &self.out)) {
            return Finding::warning(AREA, what, "those at the number may be of somebody else's call");
        }
        match (to_called > 0, to_caller > 0) {
            (true, true) => Finding::ok(AREA, what),
            (true, false) => {
                let advice =
                    "does the flow play something at once? If so: `advertise` of `rtp`, and the firewall";
                Finding::fault(AREA, what, advice)
            }
            (false, _) => {
                let advice =
                    "is `advertise` of `rtp` the address that the carrier reaches, and the RTP range open?";
                Finding::fault(AREA, what, advice)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;
    use clock::Time;
    use events::cdr::{Disposition, LegMedia};
    use events::{Cause, EndedBy, LegId, Quality, WallClock};

    const NUMBER: &str = "+34911000100";

    /// A call with one leg that was answered and has heard something.
    fn call(contact: u64, from: &str, to: &str, direction: Direction) -> Cdr {
        let moment = WallClock::new(0).moment(Time::ZERO);
        let cause = Cause { by: EndedBy::Caller, status: None, reason: "".into() };
        let media = LegMedia {
            received: 200,
            sent: 0,
            lost: 0,
            jitter_micros: None,
            quality: Quality::default(),
            fax: None,
        };
        let leg = LegRecord {
            leg: LegId(contact),
            direction,
            party: Party::Trunk("carrier".into()),
            uri: "".into(),
            call_id: "".into(),
            started: moment,
            ringing: None,
            answered: Some(moment),
            ended: moment,
            cause: cause.clone(),
            codec: None,
            hold_millis: 0,
            media: Some(media),
        };
        Cdr {
            contact: ContactId(contact),
            source: "carrier".into(),
            client: "acme".into(),
            from: from.into(),
            to: to.into(),
            flow: "main".into(),
            verstat: None,
            attestation: None,
            started: moment,
            answered: Some(moment),
            bridged: None,
            ended: moment,
            ring_millis: 0,
            wait_millis: 0,
            talk_millis: 0,
            billable_millis: 0,
            disposition: Disposition::SelfService,
            cause,
            legs: vec![leg],
            recordings: Vec::new(),
            rooms: Vec::new(),
            queues: Vec::new(),
            callbacks: Vec::new(),
            messages: Vec::new(),
            transfers: Vec::new(),
        }
    }

    /// What is told of the way back and of the sound when these calls came in meanwhile.
    fn told(came: &[Cdr]) -> [(Level, String); 2] {
        let out = call(1, NUMBER, NUMBER, Direction::Outbound);
        let back = came_back(came, &out, NUMBER).cloned();
        let call = Call { out, answers: vec!["200 OK".to_owned()], back, astray: None };
        let [_, back, sound] = call.findings("carrier", NUMBER).try_into().expect("three findings");
        [back, sound].map(|finding: Finding| (finding.level, finding.what))
    }

    #[test]
    fn the_call_that_shows_the_tests_own_number_is_it_and_any_other_is_doubted() {
        let other = call(2, "+442012345678", "0034911000100", Direction::Inbound);
        let own = call(3, "0034 911 000 100", NUMBER, Direction::Inbound);
        let elsewhere = call(4, NUMBER, "+34911000101", Direction::Inbound);
        let [back, sound] = told(&[elsewhere.clone(), other.clone(), own]);
        assert_eq!((back.0, sound.0), (Level::Ok, Level::Ok));
        assert!(back.1.contains("as call 3"), "{}", back.1);
        let [back, sound] = told(&[elsewhere, other]);
        assert_eq!((back.0, sound.0), (Level::Warning, Level::Warning));
        assert!(back.1.contains("call 2, but from +442012345678 instead of +34911000100"), "{}", back.1);
    }

    #[test]
    fn what_a_trunk_has_answered_ends_with_the_final_response_that_is_no_challenge() {
        let sip = |direction, line: &str, again| Event {
            seq: 1,
            at: Time::ZERO,
            contact: Some(ContactId(1)),
            kind: Kind::Sip { leg: LegId(1), direction, line: line.into(), cseq: 1, sdp: false, again },
        };
        let (received, sent) = (SipDirection::Received, SipDirection::Sent);
        let events = [
            sip(sent, "INVITE", false),
            sip(received, "407 Proxy Authentication Required", false),
            sip(sent, "ACK", false),
            sip(received, "183 Session Progress", false),
            sip(received, "183 Session Progress", true),
            sip(received, "200 OK", false),
            sip(received, "BYE", false),
            sip(received, "200 OK", false),
        ];
        let expected = ["407 Proxy Authentication Required", "183 Session Progress", "200 OK"];
        assert_eq!(answers(&events), expected);
    }
}
