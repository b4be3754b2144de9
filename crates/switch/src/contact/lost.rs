//! A page is gone in the middle of a call, or its network: the other party hears music until it is back, or its call is rung
//! anew at where its user has registered since.
//!
//! A browser cannot be called back by the way that it came: once its connection has closed, or nothing comes of it any more,
//! only a registration by another one says where it is. What is answered there takes the place of the leg that was lost.

use super::{Contact, Destination, Phase};
use crate::core::{Core, Timer};
use crate::leg::{Leg, State};
use clock::{Duration, Time};
use dialplan::{Enqueue, MachineInput};
use events::{EndedBy, Kind, LegId};
use sip::Message;

/// How long the call of a page that is lost waits for it.
const RETURN_TIME: Duration = Duration::from_secs(30);

/// The agent of a queue who serves the caller since then, and the place that the caller has had.
pub(super) struct Served {
    leg: LegId,
    order: Enqueue,
    entered: Time,
    since: Time,
}

impl Contact {
    /// The caller has this agent of a queue.
    pub(super) fn served_by(&mut self, now: Time, leg: LegId, order: &Enqueue, entered: Time) {
        self.served = Some(Box::new(Served { leg, order: order.clone(), entered, since: now }));
    }

    /// Another leg of who serves the caller goes on.
    pub(super) fn serve_on(&mut self, replaced: LegId, by: LegId) {
        if let Some(served) = self.served.as_mut().filter(|served| served.leg == replaced) {
            served.leg = by;
        }
    }

    /// Nothing comes of a browser any more.
    pub(crate) fn on_lost(&mut self, core: &mut Core, leg: LegId) {
        let id = self.id;
        let Some(found) = self.leg_mut(leg) else { return };
        if !matches!(found.state, State::Answered { .. }) || found.user().is_none() || found.is_lost {
            return;
        }
        found.is_lost = true;
        core.timers.set(Timer::Lost(leg), core.now + RETURN_TIME);
        core.log(Some(id), Kind::LegLost { leg });
        self.ring_again(core, leg);
    }

    /// Something comes of it again.
    pub(crate) fn on_back(&mut self, core: &mut Core, leg: LegId) {
        let id = self.id;
        if let Some(found) = self.leg_mut(leg)
            && std::mem::take(&mut found.is_lost)
        {
            core.timers.cancel(Timer::Lost(leg));
            core.log(Some(id), Kind::LegBack { leg });
        }
    }

    /// The connection has closed by which a leg of the user was reached.
    pub(crate) fn on_cut(&mut self, connection: u64, user: &str) {
        for leg in std::iter::once(&mut self.caller).chain(&mut self.callees) {
            leg.is_cut |= leg.flow.connection == connection && leg.user().is_some_and(|it| **it == *user);
        }
    }

    /// Its user has registered: a page that was lost may be there.
    pub(crate) fn on_registered(&mut self, core: &mut Core, user: &str) {
        let is_up = |state: State| matches!(state, State::Answered { .. });
        let legs = std::iter::once(&self.caller).chain(&self.callees);
        let legs = legs.filter(|leg| is_up(leg.state) && leg.user().is_some_and(|it| **it == *user));
        for leg in legs.map(|leg| leg.id).collect::<Vec<_>>() {
            self.ring_again(core, leg);
        }
    }

    /// Rings the page of a leg's user that has come by another connection, if that of the leg is lost: the same page, by the name
    /// that it has, or where the leg's connection has closed, one that has come since. A page elsewhere that was there before is not
    /// asked.
    fn ring_again(&mut self, core: &mut Core, leg: LegId) {
        if self.may_be_replaced(leg).is_err() {
            return;
        }
        let Some(found) = self.leg_mut(leg).filter(|leg| leg.flow.transport.is_websocket()) else { return };
        let (connection, uri, is_cut) = (found.flow.connection, found.uri.clone(), found.is_cut);
        let Some(user) = found.user().cloned() else { return };
        // Who has another call, by another phone, is not to be taken from it.
        if core.users.contacts_of(&user) != [self.id] {
            return;
        }
        let Ok(pages) = self.phones_of(core, &user) else { return };
        let is_same = |page: &Destination| *page.request_uri == *uri;
        // Connections are numbered in order.
        let pages = pages.into_iter().filter(|page| {
            page.flow.transport.is_websocket()
                && page.flow.connection > connection
                && (is_cut || is_same(page))
        });
        let Some(mut page) = pages.max_by_key(|page| (is_same(page), page.flow.connection)) else { return };
        let rings = |it: &&Leg| it.is_early() && it.resumes == Some(leg);
        if let Some(ringing) = self.callees.iter().find(rings) {
            if ringing.flow.connection == page.flow.connection {
                return;
            }
            // The page has changed its connection once more.
            let late = vec![(ringing.id, ringing.invite)];
            self.cancel_legs(core, late, None, EndedBy::Switch, "the page is elsewhere");
        }
        page.resumes = Some(leg);
        // If there is no room for it now, there may be when it registers again.
        let _placed = self.place(core, page);
    }

    /// Nobody is rung any more to take the place of a leg that is over, or in no call of two.
    pub(super) fn follow_lost(&mut self, core: &mut Core) {
        let is_idle = |leg: &Leg| {
            let lost = leg.resumes.filter(|_| leg.is_early())?;
            let is_lost = self.legs().any(|it| it.id == lost && it.state != State::Over);
            (!is_lost || self.may_be_replaced(lost).is_err()).then_some((leg.id, leg.invite))
        };
        let idle: Vec<_> = self.callees.iter().filter_map(is_idle).collect();
        if !idle.is_empty() {
            self.cancel_legs(core, idle, None, EndedBy::Switch, "its call is over");
        }
    }

    /// Nobody is rung any more to take a leg's place.
    pub(super) fn ring_no_more(&mut self, core: &mut Core) {
        let ringing = self.callees.iter().filter(|leg| leg.is_early() && leg.resumes.is_some());
        let ringing: Vec<_> = ringing.map(|leg| (leg.id, leg.invite)).collect();
        self.cancel_legs(core, ringing, None, EndedBy::Switch, "its call is over");
    }

    /// Whether a leg is rung to take the place of a lost one; false once it is answered.
    pub(super) fn is_rung_again(&self, leg: LegId) -> bool {
        self.callees.iter().any(|it| it.id == leg && it.is_early() && it.resumes.is_some())
    }

    /// The page has answered: its leg takes the place of the lost one.
    pub(super) fn answered_again(&mut self, core: &mut Core, leg: LegId, message: &Message) {
        let id = self.id;
        let Some(page) = self.leg_mut(leg) else { return };
        page.state = State::ANSWERED;
        let agrees = page.agree(core, message);
        let (lost, codec, party) =
            (page.resumes.take(), page.codec().map(|codec| codec.name().into()), page.party.clone());
        let lost = lost.filter(|lost| self.is_answered(*lost) && self.may_be_replaced(*lost).is_ok());
        match lost {
            _ if !agrees => self.hang_up_callee(core, leg, EndedBy::Switch, 488, "no usable SDP answer"),
            None => self.hang_up_callee(core, leg, EndedBy::Switch, 200, "answered too late"),
            Some(lost) => {
                core.log(Some(id), Kind::LegReplaced { leg: lost, by: leg });
                core.log_leg(id, &party, Kind::LegAnswered { leg, codec });
                self.take_place(core, lost, leg);
                self.follow_session(core, leg);
            }
        }
    }

    /// A lost page has not come back: its leg is over. A caller that it served for a queue waits again, with the time that it
    /// had waited.
    pub(crate) fn on_lost_timeout(&mut self, core: &mut Core, leg: LegId) {
        let (by, why) = (EndedBy::Switch, "the page did not come back");
        let Some(invite) = self.leg_mut(leg).filter(|leg| leg.is_lost).map(|leg| leg.invite) else { return };
        if let Some(invite) = invite {
            core.endpoint.bye(core.now, invite, None, &mut core.sip);
        }
        if self.is_supervisor(leg) {
            return self.supervisor_gone(core, leg, by, Some(200), why);
        }
        if self.leave_consultation(core, leg, by, Some(200), why) {
            return;
        }
        if self.is_caller(leg) {
            return self.caller_gone(core, by, Some(200), why);
        }
        let is_served = matches!(self.phase, Phase::Bridged { callee } if callee == leg);
        match self.served.take_if(|served| is_served && served.leg == leg) {
            Some(served) => {
                self.unbridge(core, leg);
                self.phase = Phase::Flow;
                self.end_leg(core, leg, by, Some(200), why);
                self.inbox.push_back(MachineInput::WaitsAgain);
                self.enqueue_at(core, served.order, served.entered + (core.now - served.since));
            }
            None => self.callee_gone(core, leg, by, Some(200), why),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{AgentOrder, Input, Output, Switch, testing};
    use bytes::Bytes;
    use clock::{Duration, Time};
    use events::{Event, Kind, Reach, Registration};
    use rtp::control::{Event as Media, LocalPort, StreamId};
    use sip::Flow;
    use std::net::SocketAddr;

    const NODE: &str = "
node: {name: test}
sip: {listen: [\"udp:10.0.0.1:5060\"]}
rtp: {ports: 30000-30999, address: 10.0.0.1}
trunks: {inbound: {from: [192.0.2.0/24]}}
clients: [acme]
";
    const CLIENT: &str = "users: {alice: {password: secret-of-alice}}
agents: {alice: {}}
queues: {line: {agents: [alice]}}
numbers: {100: in}
flows: {in: [answer, {enqueue: line}]}
";
    const SDP: &str =
        "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 1.1.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

    /// A caller of a queue, its agent, and all that is told of them.
    struct Talk {
        switch: Switch,
        now: Time,
        told: Vec<Event>,
        sent: Vec<(Flow, Bytes)>,
    }

    impl Talk {
        fn turn(&mut self, input: Input) {
            let mut out = Vec::new();
            self.switch.handle(self.now, input, &mut out);
            self.keep(out);
        }

        fn keep(&mut self, out: Vec<Output>) {
            for output in out {
                match output {
                    Output::Event(event) => self.told.push(event),
                    Output::Send { flow, bytes } => self.sent.push((flow, bytes)),
                    _ => {}
                }
            }
        }

        /// Lets time pass, and everything happen that is due.
        fn pass(&mut self, length: Duration) {
            let end = self.now + length;
            while let Some(next) = self.switch.next_timeout().filter(|next| *next <= end) {
                self.now = next.max(self.now);
                self.turn(Input::Timeout);
            }
            self.now = end;
        }

        /// What was told since then of one kind.
        fn all<T>(&self, of: impl Fn(&Kind) -> Option<T>) -> Vec<T> {
            self.told.iter().filter_map(|event| of(&event.kind)).collect()
        }

        /// A talk that the caller has waited three seconds for, which has lasted for ten.
        fn begun() -> Self {
            let ours = SocketAddr::from(([10, 0, 0, 1], 5060));
            let mut talk = Self {
                switch: testing::switch(NODE, CLIENT),
                now: Time::from_secs(1),
                told: Vec::new(),
                sent: Vec::new(),
            };
            let ports = (0..8).map(|port| LocalPort { thread: 0, port: 30_000 + 2 * port }).collect();
            talk.turn(Input::Media(Media::Ready(ports)));
            let invite = format!(
                "INVITE sip:100@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n\
                 From: <sip:1@192.0.2.7>;tag=1\r\nTo: <sip:100@10.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
                 Contact: <sip:1@192.0.2.7>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n\
                 Content-Length: {}\r\n\r\n{SDP}",
                SDP.len()
            );
            talk.turn(Input::Sip {
                flow: Flow::udp(ours, ([192, 0, 2, 7], 5060).into()),
                bytes: invite.into(),
            });
            talk.acknowledge();
            talk.pass(Duration::from_secs(3));
            let (transport, peer) = ("UDP".into(), ([10, 0, 2, 1], 5060).into());
            let reach = Some(Reach { transport, local: ours, peer, q: 1_000, path: Vec::new() });
            talk.turn(Input::Registrations(vec![Registration {
                user: "alice@acme".into(),
                contact: "sip:alice@10.0.2.1:5060".into(),
                expires_at: Time::from_secs(3_600),
                reach,
            }]));
            let mut out = Vec::new();
            let order = (AgentOrder::LogIn { phone: None }, &"boss".into());
            talk.switch.direct_agent(talk.now, "alice", order, &mut out).expect("alice may");
            talk.keep(out);
            talk.answer();
            talk.pass(Duration::from_secs(10));
            talk
        }

        /// The caller's ACK.
        fn acknowledge(&mut self) {
            let is_ok = |sent: &&(Flow, Bytes)| sent.1.starts_with(b"SIP/2.0 200 ");
            let (flow, bytes) = self.sent.iter().rfind(is_ok).expect("the caller is answered").clone();
            let text = String::from_utf8(bytes.to_vec()).expect("text");
            let to = text.lines().find(|line| line.starts_with("To:")).expect("a To");
            let ack = format!(
                "ACK sip:100@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK2\r\n\
                 From: <sip:1@192.0.2.7>;tag=1\r\n{to}\r\nCall-ID: 1\r\nCSeq: 1 ACK\r\n\
                 Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            );
            self.turn(Input::Sip { flow, bytes: ack.into() });
        }

        /// Whether both are still in the call.
        fn is_up(&self) -> bool {
            !self.told.iter().any(|event| matches!(event.kind, Kind::LegEnded { .. }))
        }

        /// The agent's phone answers the INVITE that it has got.
        fn answer(&mut self) {
            let is_invite = |sent: &&(Flow, Bytes)| sent.1.starts_with(b"INVITE ");
            let (flow, bytes) = self.sent.iter().rfind(is_invite).expect("the phone rings").clone();
            let text = String::from_utf8(bytes.to_vec()).expect("text");
            let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
            let lines = text.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
            let lines: Vec<_> = lines
                .map(|line| if line.starts_with("To:") { format!("{line};tag=a") } else { line.to_owned() })
                .collect();
            let answer = format!(
                "SIP/2.0 200 OK\r\n{}\r\nContact: <sip:alice@10.0.2.1:5060>\r\nContent-Type: application/sdp\r\n\
                 Content-Length: {}\r\n\r\n{SDP}",
                lines.join("\r\n"),
                SDP.len()
            );
            self.turn(Input::Sip { flow, bytes: answer.into() });
        }
    }

    fn bridged(kind: &Kind) -> Option<StreamId> {
        match kind {
            Kind::Bridged { b, .. } => Some(StreamId(b.0)),
            _ => None,
        }
    }

    fn entered(kind: &Kind) -> Option<u64> {
        match kind {
            Kind::QueueEntered { waited_millis, .. } => Some(*waited_millis),
            _ => None,
        }
    }

    #[test]
    fn a_caller_whose_agent_does_not_come_back_waits_again_with_the_time_that_it_had_waited() {
        let mut talk = Talk::begun();
        let stream = talk.all(bridged)[0];
        talk.turn(Input::Media(Media::Lost { stream }));
        talk.pass(Duration::from_millis(29_999));
        assert_eq!(talk.all(entered), [0], "it is waited for");
        talk.pass(Duration::from_millis(1));
        assert_eq!(talk.all(entered), [0, 3_000]);
        assert!(talk.switch.next_timeout().is_some(), "it waits in its queue");
        // It is served as before.
        talk.pass(Duration::from_secs(30));
        talk.answer();
        assert_eq!(talk.all(bridged).len(), 2);
    }

    #[test]
    fn an_agent_who_is_back_in_time_goes_on() {
        let mut talk = Talk::begun();
        let stream = talk.all(bridged)[0];
        talk.turn(Input::Media(Media::Lost { stream }));
        talk.pass(Duration::from_secs(29));
        talk.turn(Input::Media(Media::Back { stream }));
        talk.pass(Duration::from_secs(60));
        assert_eq!((talk.all(entered), talk.all(bridged).len(), talk.is_up()), (vec![0], 1, true));
    }
}
