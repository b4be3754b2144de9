//! Events of ordinary calls, numbered as a switch would.

use clock::Time;
use events::{
    Cause, ContactId, DialOutcome, Direction, EndedBy, Event, Kind, LegId, Party, Quality, SipDirection,
    WallClock,
};
use store::Origin;

/// Numbers events and keeps their time.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) next_seq: u64,
    pub(crate) at: Time,
}

impl Log {
    pub(crate) fn from(origin: &Origin) -> Self {
        Self { next_seq: origin.first_seq, at: origin.now }
    }

    /// The next event, a millisecond after the last.
    pub(crate) fn event(&mut self, contact: Option<u64>, kind: Kind) -> Event {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.at += clock::Duration::from_millis(1);
        Event { seq, at: self.at, contact: contact.map(ContactId), kind }
    }

    pub(crate) fn node_started(&mut self, wall: WallClock) -> Event {
        let at = self.at + clock::Duration::from_millis(1);
        let unix_micros = wall.moment(at).utc.as_microsecond();
        self.event(None, Kind::NodeStarted { unix_micros, version: "0.1.0".into() })
    }

    /// A whole call: 25 events, caller and agent bridged.
    pub(crate) fn call(&mut self, contact: u64) -> Vec<Event> {
        let mut events = self.call_up(contact);
        let (caller, agent) = (LegId(2 * contact), LegId(2 * contact + 1));
        for kind in [
            sip(caller, SipDirection::Received, "BYE", 2),
            sip(caller, SipDirection::Sent, "200 OK", 2),
            Kind::Unbridged { a: caller, b: agent },
            Kind::LegEnded { leg: caller, cause: cause(EndedBy::Caller) },
            sip(agent, SipDirection::Sent, "BYE", 2),
            sip(agent, SipDirection::Received, "200 OK", 2),
            Kind::MediaEnded {
                leg: agent,
                received: 400,
                sent: 398,
                lost: 2,
                jitter_micros: Some(210),
                quality: Quality { mos_hundredths: Some(427), ..Quality::default() },
                fax: None,
            },
            Kind::LegEnded { leg: agent, cause: cause(EndedBy::Caller) },
            Kind::ContactEnded { cause: cause(EndedBy::Caller) },
        ] {
            events.push(self.event(Some(contact), kind));
        }
        events
    }

    /// The first 16 events of the same call: it is up and bridged.
    pub(crate) fn call_up(&mut self, contact: u64) -> Vec<Event> {
        let (caller, agent) = (LegId(2 * contact), LegId(2 * contact + 1));
        [
            Kind::ContactStarted {
                source: "carrier".into(),
                client: "acme".into(),
                from: format!("+33140{contact:06}").into(),
                to: "+33800123456".into(),
                flow: "main".into(),
            },
            leg_started(caller, Direction::Inbound, Party::Trunk("carrier".into())),
            sip(caller, SipDirection::Received, "INVITE", 1),
            sip(caller, SipDirection::Sent, "100 Trying", 1),
            Kind::FlowStep {
                flow: "main".into(),
                step: "answer".into(),
                file: "dialplans/acme/main.yaml".into(),
                line: 4,
            },
            sip(caller, SipDirection::Sent, "200 OK", 1),
            Kind::LegAnswered { leg: caller, codec: Some("PCMA".into()) },
            sip(caller, SipDirection::Received, "ACK", 1),
            Kind::DialStarted { targets: vec!["alice".into()] },
            leg_started(agent, Direction::Outbound, Party::User("alice".into())),
            sip(agent, SipDirection::Sent, "INVITE", 1),
            sip(agent, SipDirection::Received, "200 OK", 1),
            Kind::LegAnswered { leg: agent, codec: Some("PCMA".into()) },
            sip(agent, SipDirection::Sent, "ACK", 1),
            Kind::DialEnded { outcome: DialOutcome::Answered(agent) },
            Kind::Bridged { a: caller, b: agent },
        ]
        .into_iter()
        .map(|kind| self.event(Some(contact), kind))
        .collect()
    }
}

pub(crate) fn cause(by: EndedBy) -> Cause {
    Cause { by, status: None, reason: "normal".into() }
}

pub(crate) fn leg_started(leg: LegId, direction: Direction, party: Party) -> Kind {
    let uri = format!("sip:{}@127.0.0.1:5060", leg.0).into();
    Kind::LegStarted { leg, direction, party, uri, call_id: format!("{:016x}@127.0.0.1", leg.0).into() }
}

fn sip(leg: LegId, direction: SipDirection, line: &str, cseq: u32) -> Kind {
    Kind::Sip { leg, direction, line: line.into(), cseq, sdp: line == "INVITE", again: false }
}
