//! SUBSCRIBE and NOTIFY as the notifier has them (RFC 6665).

use crate::lone::Lone;
use crate::world::{address, config, header};
use clock::{Duration, Time};
use sip::{Body, EndReason, Event, Events, Flow, Message, Method, Name, SubscriptionId, Transport};

/// A phone that subscribes, with the endpoint that is the notifier.
struct Phone {
    lone: Lone,
    cseq: u32,
    /// To of its requests: our tag, once there is a subscription.
    to: String,
}

impl Phone {
    fn new() -> Self {
        Self { lone: Lone::new(), cseq: 0, to: "<sip:bob@h>".into() }
    }

    /// Sends SUBSCRIBE with these header fields, and gives the response.
    fn asks(&mut self, fields: &str) -> Message {
        self.sends("SUBSCRIBE", fields, "")
    }

    fn sends(&mut self, method: &str, fields: &str, body: &str) -> Message {
        self.cseq += 1;
        let Self { cseq, to, .. } = self;
        let text = format!(
            "{method} sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bK{cseq};rport\r\n\
             From: <sip:alice@h>;tag=a\r\nTo: {to}\r\nCall-ID: c\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:alice@127.0.0.2>\r\n{fields}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.lone.receive(text);
        self.accept();
        let at = self.lone.sent.iter().position(|(_, it)| it.status().is_some()).expect("a response");
        self.lone.sent.remove(at).1
    }

    /// What the user does: it accepts a SUBSCRIBE, and sends the state whenever it is due.
    fn accept(&mut self) {
        for event in std::mem::take(&mut self.lone.events) {
            match event {
                Event::Request { request, message, .. } if *message.method() == Method::Options => {
                    self.lone.act(|endpoint, now, out| endpoint.respond(now, request, 200, &[], None, out));
                }
                Event::Request { request, .. } => {
                    let id = self
                        .lone
                        .act(|endpoint, now, out| endpoint.subscribe(now, request, "<sip:127.0.0.1>", out));
                    self.tell(id.expect("a subscription"), "first");
                }
                Event::NotifyDue { id } => {
                    self.tell(id, "due");
                }
                other => self.lone.events.push(other),
            }
        }
    }

    /// The state has changed; whether it could be told at once.
    fn tell(&mut self, id: SubscriptionId, state: &'static str) -> bool {
        let body = Body { content_type: "text/plain".into(), bytes: state.into() };
        self.lone.act(|endpoint, now, out| {
            let may = endpoint.may_notify(id);
            if may {
                endpoint.notify(now, id, &body, out);
            }
            may
        })
    }

    /// Subscribes for so many seconds, and answers the first NOTIFY.
    fn subscribes(&mut self, seconds: u32) -> SubscriptionId {
        let response = self.asks(&format!("Event: dialog\r\nExpires: {seconds}\r\n"));
        assert_eq!((response.status(), header(&response, Name::Expires)), (Some(200), &*seconds.to_string()));
        self.to = header(&response, Name::To).to_owned();
        let notify = self.hears();
        self.answers(&notify, 200);
        SubscriptionId(1)
    }

    /// The one NOTIFY that has come.
    fn hears(&mut self) -> Message {
        let (_, message) = self.lone.sent.pop().expect("a NOTIFY");
        assert_eq!(*message.method(), Method::Notify);
        assert!(self.lone.sent.is_empty(), "{:?}", self.lone.sent);
        message
    }

    fn answers(&mut self, notify: &Message, status: u16) {
        let field = |name: Name| header(notify, name);
        let text = format!(
            "SIP/2.0 {status} Whatever\r\nVia: {}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n\r\n",
            field(Name::Via),
            field(Name::From),
            field(Name::To),
            field(Name::CallId),
            field(Name::CSeq)
        );
        self.lone.receive(text);
        self.accept();
    }

    /// Lets time pass until the next timer fires.
    fn waits(&mut self) {
        self.lone.now = self.lone.endpoint.next_timeout().expect("a timer");
        self.lone.act(|endpoint, now, out| endpoint.handle_timeout(now, out));
        self.accept();
    }

    fn is_unsubscribed(&mut self) -> bool {
        let over = |event: &Event| matches!(event, Event::Unsubscribed { id: SubscriptionId(1) });
        let ended = self.lone.events.iter().filter(|event| over(event)).count();
        let alive = self.lone.endpoint.alive().subscriptions;
        assert_eq!(ended, 1 - alive, "it is told once");
        ended == 1
    }
}

fn state(notify: &Message) -> (&str, &str) {
    (header(notify, Name::SubscriptionState), std::str::from_utf8(notify.body()).unwrap())
}

#[test]
fn rfc6665_4_2_1_a_subscription_is_granted_and_its_state_follows_at_once() {
    let mut phone = Phone::new();
    let response = phone.asks("Event: dialog;id=7\r\nExpires: 90\r\nRecord-Route: <sip:127.0.0.9;lr>\r\n");
    assert_eq!((response.status(), header(&response, Name::Expires)), (Some(200), "90"));
    assert_eq!(header(&response, Name::Contact), "<sip:127.0.0.1>");
    assert_eq!(header(&response, Name::RecordRoute), "<sip:127.0.0.9;lr>");
    let notify = phone.hears();
    assert_eq!(state(&notify), ("active;expires=90", "first"));
    assert_eq!((notify.request_uri(), header(&notify, Name::Event)), ("sip:alice@127.0.0.2", "dialog;id=7"));
    assert_eq!(header(&notify, Name::Route), "<sip:127.0.0.9;lr>");
    assert_eq!(notify.from().unwrap().tag(), response.to().unwrap().tag());
    assert_eq!(notify.to().unwrap().tag(), Some("a"));
}

#[test]
fn rfc6665_4_2_1_1_what_cannot_be_served_is_refused_with_what_could() {
    let mut phone = Phone::new();
    for event in ["", "Event: presence\r\n", "Event: Dialog\r\n"] {
        let response = phone.asks(event);
        assert_eq!((response.status(), header(&response, Name::AllowEvents)), (Some(489), "dialog, refer"));
    }
    let response = phone.asks("Event: dialog\r\nExpires: 59\r\n");
    assert_eq!((response.status(), header(&response, Name::MinExpires)), (Some(423), "60"));
    let response = phone.asks("Event: dialog\r\nRequire: eventlist\r\n");
    assert_eq!((response.status(), header(&response, Name::Unsupported)), (Some(420), "eventlist"));
    let filter = "Event: dialog\r\nContent-Type: application/dialog-info+xml\r\n";
    assert_eq!(phone.sends("SUBSCRIBE", filter, "<a/>").status(), Some(415));
    let optional = format!("{filter}Content-Disposition: render;handling=optional\r\n");
    assert_eq!(phone.sends("SUBSCRIBE", &optional, "<a/>").status(), Some(200));
    let response = Phone::new().asks("Event: dialog\r\nExpires: 99999\r\n");
    assert_eq!(header(&response, Name::Expires), "3600", "cut");
    assert_eq!(header(&Phone::new().asks("Event: dialog\r\n"), Name::Expires), "3600", "the default");
}

#[test]
fn rfc6665_4_4_3_expires_0_fetches_the_state_once() {
    let mut phone = Phone::new();
    let response = phone.asks("Event: dialog\r\nExpires: 0\r\n");
    assert_eq!((response.status(), header(&response, Name::Expires)), (Some(200), "0"));
    let notify = phone.hears();
    assert_eq!(state(&notify), ("terminated;reason=timeout", "first"));
    assert!(phone.is_unsubscribed());
    phone.answers(&notify, 200);
    phone.lone.drain();
}

#[test]
fn rfc6665_4_2_2_one_notify_is_under_way_and_the_next_has_the_newest_state() {
    let mut phone = Phone::new();
    let id = phone.subscribes(600);
    assert!(phone.tell(id, "one"));
    let one = phone.hears();
    assert!(!phone.tell(id, "two") && !phone.tell(id, "three"));
    assert!(phone.lone.sent.is_empty());
    phone.answers(&one, 200);
    let next = phone.hears();
    assert_eq!(state(&next).1, "due", "asked for once");
    assert_eq!(next.cseq().unwrap().0, one.cseq().unwrap().0 + 1);
    phone.answers(&next, 200);
    assert!(phone.lone.sent.is_empty() && !phone.is_unsubscribed());
}

#[test]
fn rfc6665_4_2_1_4_a_refresh_moves_the_end_and_is_told_the_state() {
    let mut phone = Phone::new();
    phone.subscribes(100);
    phone.lone.now = Time::from_secs(80);
    assert_eq!(phone.asks("Event: dialog\r\nExpires: 200\r\n").status(), Some(200));
    let notify = phone.hears();
    assert_eq!(state(&notify), ("active;expires=200", "due"));
    phone.answers(&notify, 200);
    assert_eq!(phone.asks("Event: dialog\r\nExpires: 5\r\n").status(), Some(423), "it goes on as it was");
    assert_eq!(phone.asks("Event: dialog;id=1\r\nExpires: 200\r\n").status(), Some(481), "another one");
    phone.cseq -= 2;
    assert_eq!(phone.asks("Event: dialog\r\nExpires: 300\r\n").status(), Some(500), "out of order");
    phone.cseq += 2;
    assert_eq!(phone.sends("OPTIONS", "", "").status(), Some(200));
    assert_eq!(phone.sends("BYE", "", "").status(), Some(481), "there is no call");
    while phone.lone.sent.is_empty() {
        phone.waits();
    }
    assert_eq!(phone.lone.now, Time::from_secs(280));
    assert_eq!(state(&phone.hears()), ("terminated;reason=timeout", "due"));
    assert!(phone.is_unsubscribed());
    assert_eq!(phone.asks("Event: dialog\r\nExpires: 200\r\n").status(), Some(481));
}

#[test]
fn rfc6665_4_1_2_3_expires_0_in_the_dialog_ends_it_with_a_last_notify() {
    let mut phone = Phone::new();
    let id = phone.subscribes(600);
    assert!(phone.tell(id, "one"));
    let one = phone.hears();
    assert_eq!(phone.asks("Event: dialog\r\nExpires: 0\r\n").status(), Some(200));
    assert!(phone.lone.sent.is_empty(), "one NOTIFY is under way");
    assert_eq!(phone.asks("Event: dialog\r\nExpires: 600\r\n").status(), Some(481), "it has ended it");
    phone.answers(&one, 200);
    let last = phone.hears();
    assert_eq!(state(&last).0, "terminated;reason=timeout");
    assert!(phone.is_unsubscribed());
    phone.answers(&last, 481);
    phone.lone.drain();
}

#[test]
fn rfc6665_4_2_2_a_subscriber_that_refuses_a_notify_or_is_gone_has_no_subscription() {
    for status in [481, 489, 500, 603] {
        let mut phone = Phone::new();
        let id = phone.subscribes(600);
        phone.tell(id, "one");
        let one = phone.hears();
        phone.answers(&one, status);
        assert!(phone.is_unsubscribed() && phone.lone.sent.is_empty(), "{status}");
        phone.lone.drain();
    }
    let mut phone = Phone::new();
    let id = phone.subscribes(600);
    phone.tell(id, "one");
    phone.tell(id, "two");
    while !phone.is_unsubscribed() {
        phone.waits();
    }
    assert_eq!(phone.lone.now, Time::from_secs(32), "Timer F");
    phone.lone.drain();
}

#[test]
fn the_user_ends_a_subscription_with_a_reason() {
    for (reason, said) in [
        (EndReason::Deactivated, "terminated;reason=deactivated"),
        (EndReason::NoResource, "terminated;reason=noresource"),
        (EndReason::Rejected, "terminated;reason=rejected"),
    ] {
        let mut phone = Phone::new();
        let id = phone.subscribes(600);
        phone.lone.endpoint.end_subscription(id, reason);
        assert!(phone.tell(id, "last"));
        assert_eq!(state(&phone.hears()).0, said);
        assert!(phone.is_unsubscribed() && !phone.tell(id, "more"));
    }
}

#[test]
fn a_stream_that_closed_is_opened_anew_and_one_that_the_phone_opens_is_followed() {
    let mut phone = Phone::new();
    let flow =
        |connection| Flow { transport: Transport::Tcp, connection, ..Flow::udp(address(0), address(1)) };
    phone.lone.flow = flow(7);
    let id = phone.subscribes(600);
    phone.lone.act(|endpoint, now, out| endpoint.flow_failed(now, flow(7), out));
    phone.tell(id, "one");
    assert_eq!(phone.lone.sent.last().unwrap().0.connection, 0, "any, or a new one");
    let one = phone.hears();
    phone.answers(&one, 200);
    phone.lone.flow = flow(8);
    assert_eq!(phone.asks("Event: dialog\r\nExpires: 600\r\n").status(), Some(200));
    assert_eq!(phone.lone.sent.last().unwrap().0.connection, 8);
    // What is under way when a stream closes is not answered.
    phone.lone.act(|endpoint, now, out| endpoint.flow_failed(now, flow(8), out));
    assert!(phone.is_unsubscribed());
}

#[test]
fn there_are_no_more_subscriptions_than_may_be() {
    let events = Events { max: 1, ..config().events };
    let mut phone = Phone { lone: Lone::with(sip::EndpointConfig { events, ..config() }), ..Phone::new() };
    phone.subscribes(600);
    let known = std::mem::replace(&mut phone.to, "<sip:bob@h>".into());
    let response = phone.asks("Event: dialog\r\n");
    assert_eq!((response.status(), response.header_text("Retry-After")), (Some(503), Some("5")));
    phone.to = known;
    assert_eq!(phone.asks("Event: dialog\r\nExpires: 0\r\n").status(), Some(200), "what is there goes on");
}

#[test]
fn rfc3515_2_4_4_a_refer_has_a_subscription_in_the_dialog_of_its_call() {
    let mut lone = Lone::new();
    lone.receive(
        "INVITE sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bKi\r\nFrom: <sip:alice@h>;tag=a\r\n\
         To: <sip:bob@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@127.0.0.2>\r\n\r\n",
    );
    let Some(Event::Invite { id: call, .. }) = lone.events.pop() else { panic!("a call") };
    lone.act(|endpoint, now, out| endpoint.accept(now, call, "<sip:127.0.0.1>", None, out));
    let to = header(&lone.sent.pop().unwrap().1, Name::To).to_owned();
    let mut phone = Phone { lone, cseq: 1, to };
    let begun = |phone: &mut Phone, event: &str| {
        let wait = Duration::from_secs(300);
        phone.lone.act(|endpoint, now, _| endpoint.subscribe_in_call(now, call, event, wait)).expect("begun")
    };
    phone.lone.sent.clear();
    let id = begun(&mut phone, "refer;id=93");
    assert!(phone.tell(id, "100"));
    assert_eq!(state(&phone.hears()), ("active;expires=300", "100"));
    // The BYE may be behind it: the last one does not wait for the answer to the first.
    phone.lone.endpoint.end_subscription(id, EndReason::NoResource);
    assert!(phone.tell(id, "200"));
    assert_eq!(state(&phone.hears()), ("terminated;reason=noresource", "200"));
    assert!(phone.is_unsubscribed());

    let id = begun(&mut phone, "refer;id=94");
    assert!(phone.tell(id, "100"));
    let notify = phone.hears();
    phone.answers(&notify, 200);
    assert_eq!(phone.asks("Event: refer;id=93\r\nExpires: 60\r\n").status(), Some(481));
    assert_eq!(phone.asks("Event: refer;id=94\r\nExpires: 0\r\n").status(), Some(200), "it wants no more");
    assert_eq!(state(&phone.hears()).0, "terminated;reason=timeout");

    phone.lone.events.clear();
    begun(&mut phone, "refer;id=95");
    assert_eq!(phone.sends("BYE", "", "").status(), Some(200));
    assert_eq!(phone.lone.endpoint.alive().subscriptions, 0, "it ends with the call");
}
