//! Reliable provisional responses and PRACK (RFC 3262).

use crate::lone::Lone;
use crate::world::{CALLEE, CALLER, DELAY, World, contact, header, offer};
use clock::Duration;
use sip::{Body, Event, InviteId, Message, Method, Name, Transport, Why};

const SDP: &str = "v=0\r\n";

/// A stranger's INVITE with these header lines, with an offer or without.
fn invite(lines: &str, offers: bool) -> String {
    let body = if offers { SDP } else { "" };
    let content = if offers { "Content-Type: application/sdp\r\n" } else { "" };
    format!(
        "INVITE sip:callee@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:5060;rport;branch=z9hG4bKfirst\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=theirs\r\nTo: <sip:callee@b>\r\nCall-ID: stranger\r\n\
         CSeq: 7 INVITE\r\nContact: <sip:127.0.0.2>\r\n{lines}{content}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A stranger's request in the early dialog that `response` made.
fn within(response: &Message, method: &str, cseq: u32, lines: &str, body: &str) -> String {
    let content = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:callee@127.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.2:5060;rport;branch=z9hG4bK{cseq}{method}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@b>;tag=theirs\r\nTo: {}\r\nCall-ID: stranger\r\nCSeq: {cseq} {method}\r\n\
         {lines}{content}Content-Length: {}\r\n\r\n{body}",
        header(response, Name::To),
        body.len()
    )
}

/// An endpoint that a stranger calls.
fn called(lines: &str, offers: bool) -> (Lone, InviteId) {
    let mut lone = Lone::new();
    lone.receive(invite(lines, offers));
    let Some(Event::Invite { id, .. }) = lone.events.pop() else { panic!("an INVITE") };
    lone.lines();
    (lone, id)
}

fn progress(lone: &mut Lone, id: InviteId, status: u16, body: Option<Body>) {
    lone.act(|endpoint, now, out| endpoint.progress(now, id, status, &contact(CALLER), body, out));
}

fn accept(lone: &mut Lone, id: InviteId) {
    lone.act(|endpoint, now, out| endpoint.accept(now, id, &contact(CALLER), offer(), out));
}

fn last(lone: &Lone) -> Message {
    lone.sent.last().expect("something was sent").1.clone()
}

/// What a PRACK to a response has to say.
fn rack(response: &Message) -> String {
    format!("RAck: {} {}\r\n", header(response, Name::RSeq), header(response, Name::CSeq))
}

#[test]
fn rfc3262_3_a_response_is_reliable_where_it_must_be_or_where_it_answers_and_may_be() {
    let cases = [
        ("", true, 180, false, Some(false)),
        ("", true, 183, true, Some(false)),
        ("Supported: 100rel\r\n", true, 180, false, Some(false)),
        ("Supported: 100rel\r\n", true, 183, true, Some(true)),
        ("k: timer, 100REL\r\n", true, 183, true, Some(true)),
        ("Require: 100rel\r\n", true, 180, false, Some(true)),
        ("Require: 100rel\r\n", true, 183, true, Some(true)),
        // It would have to make an offer, and is left out (section 5).
        ("Require: 100rel\r\n", false, 180, false, None),
        ("Supported: 100rel\r\n", false, 183, true, Some(false)),
    ];
    for (lines, offers, status, answers, reliable) in cases {
        let (mut lone, id) = called(lines, offers);
        progress(&mut lone, id, status, if answers { offer() } else { None });
        let sent = lone.sent.pop().map(|(_, message)| message);
        let what = format!("{status} to {lines:?}");
        assert_eq!(sent.as_ref().map(|sent| sent.header(Name::RSeq).is_some()), reliable, "{what}");
        let Some(sent) = sent else { continue };
        let required = sent.header_values(Name::Require).any(|it| it == "100rel");
        assert_eq!(Some(required), reliable, "{what}");
        assert_eq!(sent.body().is_empty(), !answers || !offers, "{what}: an offer is not made by the way");
        let first: Option<u32> = sent.header(Name::RSeq).map(|text| text.parse().unwrap());
        assert!(first.is_none_or(|first| (1..1 << 31).contains(&first)), "{what}");
    }
}

#[test]
fn rfc3262_3_100_is_never_reliable_and_needs_no_prack() {
    let mut lone = Lone::new();
    lone.receive(invite("Require: 100rel\r\n", true));
    let trying = last(&lone);
    assert_eq!((trying.status(), trying.header(Name::RSeq)), (Some(100), None));
}

#[test]
fn rfc3262_3_it_is_repeated_after_t1_that_doubles_until_its_prack() {
    let (mut lone, id) = called("Require: 100rel\r\n", true);
    progress(&mut lone, id, 180, None);
    let ringing = last(&lone);
    let mut at = vec![];
    let start = lone.now;
    while at.len() < 4 {
        let before = lone.sent.len();
        lone.now = lone.endpoint.next_timeout().unwrap();
        lone.act(|endpoint, now, out| endpoint.handle_timeout(now, out));
        if lone.sent.len() > before {
            assert_eq!(last(&lone).header(Name::RSeq), ringing.header(Name::RSeq));
            at.push((lone.now - start).as_millis());
        }
    }
    assert_eq!(at, [500, 1_500, 3_500, 7_500]);
    lone.receive(within(&ringing, "PRACK", 8, &rack(&ringing), ""));
    assert_eq!(last(&lone).start_line(), "SIP/2.0 200 OK");
    let said = lone.sent.len();
    lone.now = start + Duration::from_secs(59);
    lone.act(|endpoint, now, out| endpoint.handle_timeout(now, out));
    assert_eq!(lone.sent.len(), said, "nothing is repeated any more");
    // A minute after the response proxies hear of the call again (RFC 3261 section 13.3.1.1): a new one.
    lone.now = start + Duration::from_secs(60);
    lone.act(|endpoint, now, out| endpoint.handle_timeout(now, out));
    let number = |message: &Message| header(message, Name::RSeq).parse::<u32>().unwrap();
    assert_eq!(number(&last(&lone)), number(&ringing) + 1);
}

#[test]
fn rfc3262_3_without_a_prack_for_64_t1_the_invite_is_refused_with_504() {
    let (mut lone, id) = called("Require: 100rel\r\n", true);
    progress(&mut lone, id, 180, None);
    accept(&mut lone, id);
    lone.drain();
    assert!(lone.sent.iter().all(|(_, sent)| sent.status() != Some(200)), "nothing was answered");
    let refusal = lone.sent.iter().find(|(_, sent)| sent.status() == Some(504));
    assert!(refusal.is_some());
    assert!(matches!(
        lone.events[..],
        [Event::Ended { id: ended, status: Some(504), why: Why::Rejected }] if ended == id
    ));
}

#[test]
fn rfc3262_3_a_prack_for_nothing_gets_481_and_changes_nothing() {
    let (mut lone, id) = called("Require: 100rel\r\n", true);
    progress(&mut lone, id, 180, None);
    let ringing = last(&lone);
    let number: u32 = header(&ringing, Name::RSeq).parse().unwrap();
    let wrong = [
        format!("RAck: {} 7 INVITE\r\n", number.wrapping_add(1)),
        format!("RAck: {number} 6 INVITE\r\n"),
        format!("RAck: {number} 7 UPDATE\r\n"),
        format!("RAck: {number} 7\r\n"),
        "RAck: x\r\n".to_owned(),
        String::new(),
    ];
    for (cseq, lines) in (8..).zip(&wrong) {
        let prack = within(&ringing, "PRACK", cseq, lines, "");
        lone.receive(prack.clone());
        assert_eq!(last(&lone).status(), Some(481), "{lines}");
        let said = last(&lone);
        lone.receive(prack);
        assert_eq!(last(&lone).status(), said.status(), "a copy gets the same answer");
    }
    lone.receive(within(&ringing, "PRACK", 20, &rack(&ringing), ""));
    assert_eq!(last(&lone).status(), Some(200));
    lone.receive(within(&ringing, "PRACK", 21, &rack(&ringing), ""));
    assert_eq!(last(&lone).status(), Some(481), "it is acknowledged once");
}

#[test]
fn rfc3262_3_responses_go_out_one_after_the_other_and_only_the_last_of_those_that_wait() {
    let (mut lone, id) = called("Require: 100rel\r\n", true);
    progress(&mut lone, id, 180, None);
    let ringing = last(&lone);
    progress(&mut lone, id, 182, None);
    progress(&mut lone, id, 183, offer());
    assert_eq!(lone.lines(), ["SIP/2.0 180 Ringing"]);
    lone.receive(within(&ringing, "PRACK", 8, &rack(&ringing), ""));
    let session = last(&lone);
    assert_eq!(lone.lines(), ["SIP/2.0 200 OK", "SIP/2.0 183 Session Progress"]);
    let number = |message: &Message| header(message, Name::RSeq).parse::<u32>().unwrap();
    assert_eq!(number(&session), number(&ringing) + 1);
    assert_eq!(session.body(), SDP.as_bytes());
}

#[test]
fn rfc3262_5_the_2xx_waits_for_the_prack_and_does_not_say_the_answer_again() {
    let (mut lone, id) = called("Supported: 100rel\r\n", true);
    progress(&mut lone, id, 183, offer());
    let session = last(&lone);
    lone.lines();
    accept(&mut lone, id);
    progress(&mut lone, id, 180, None);
    assert_eq!(lone.lines(), Vec::<String>::new(), "the answer has not arrived yet");
    lone.receive(within(&session, "PRACK", 8, &rack(&session), ""));
    let answer = last(&lone);
    assert_eq!(lone.lines(), ["SIP/2.0 200 OK", "SIP/2.0 200 OK"]);
    assert_eq!(answer.cseq().unwrap(), (7, Method::Invite));
    assert!(answer.body().is_empty(), "RFC 6337 section 3.1.1: the answer was given");
    lone.receive(within(&answer, "ACK", 7, "", ""));
    assert!(matches!(lone.events[..], [Event::Acked { .. }]));
    lone.receive(within(&answer, "BYE", 9, "", ""));
    lone.drain();
}

#[test]
fn rfc3262_5_an_offer_in_a_prack_is_the_users_to_answer() {
    let (mut lone, id) = called("Supported: 100rel\r\n", true);
    progress(&mut lone, id, 183, offer());
    let session = last(&lone);
    lone.lines();
    lone.receive(within(&session, "PRACK", 8, &rack(&session), SDP));
    let Some(Event::Request { request, invite: Some(of), message, .. }) = lone.events.pop() else {
        panic!("a request")
    };
    assert_eq!((of, message.method()), (id, &Method::Prack));
    lone.act(|endpoint, now, out| endpoint.respond(now, request, 200, &[], offer(), out));
    assert_eq!(last(&lone).body(), SDP.as_bytes());
}

#[test]
fn rfc3262_3_a_cancel_ends_what_waits_for_a_prack() {
    let (mut lone, id) = called("Require: 100rel\r\n", true);
    progress(&mut lone, id, 180, None);
    accept(&mut lone, id);
    lone.receive(invite("", false).replace("INVITE sip", "CANCEL sip").replace("7 INVITE", "7 CANCEL"));
    assert!(matches!(lone.events[..], [Event::Cancelled { .. }]));
    lone.drain();
}

/// A response to a request of ours, from a branch.
fn response(request: &Message, status: &str, tag: &str, more: &str) -> String {
    format!(
        "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag={tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: <sip:{tag}@127.0.0.2>\r\n{more}Content-Length: 0\r\n\r\n",
        header(request, Name::Via),
        header(request, Name::From),
        header(request, Name::To).split(";tag").next().unwrap(),
        request.call_id(),
        header(request, Name::CSeq),
    )
}

fn reliable(rseq: u32) -> String {
    format!("Require: 100rel\r\nRSeq: {rseq}\r\n")
}

/// The PRACKs that were sent since the last call: To tag, RAck, CSeq number.
fn pracks(lone: &mut Lone) -> Vec<(String, String, u32)> {
    let sent = lone.sent.drain(..).map(|(_, message)| message);
    sent.filter(|message| *message.method() == Method::Prack)
        .map(|prack| {
            let tag = prack.to().unwrap().tag().unwrap().to_owned();
            (tag, header(&prack, Name::RAck).to_owned(), prack.cseq().unwrap().0)
        })
        .collect()
}

#[test]
fn rfc3262_4_a_caller_acknowledges_each_response_once_and_in_order_in_each_branch() {
    let mut lone = Lone::new();
    lone.invite(|_| {});
    let invite = lone.sent.remove(0).1;
    assert!(invite.header_values(Name::Supported).any(|it| it == "100rel"));
    let steps = [
        ("a", 5, Some(("5 1 INVITE", 2))),
        ("a", 5, None),
        ("a", 7, None),
        ("a", 6, Some(("6 1 INVITE", 3))),
        ("b", 90, Some(("90 1 INVITE", 2))),
        ("a", 5, None),
        ("a", 7, Some(("7 1 INVITE", 4))),
    ];
    for (tag, rseq, wanted) in steps {
        lone.events.clear();
        lone.receive(response(&invite, "183 Session Progress", tag, &reliable(rseq)));
        let wanted: Vec<_> =
            wanted.map(|(rack, cseq)| (tag.to_owned(), rack.to_owned(), cseq)).into_iter().collect();
        assert_eq!(lone.events.len(), wanted.len(), "what is not acknowledged is not there");
        assert_eq!(pracks(&mut lone), wanted, "{tag} {rseq}");
    }
    // The dialog goes on with the numbers of its branch.
    lone.receive(response(&invite, "200 OK", "a", ""));
    assert_eq!(lone.sent[0].1.cseq().unwrap(), (1, Method::Ack));
    let Some(Event::Answered { id, .. }) = lone.events.pop() else { panic!("an answer") };
    lone.receive(response(&invite, "200 OK", "b", ""));
    let bye = last(&lone);
    assert!(*bye.method() == Method::Bye && bye.cseq().unwrap().0 > 2, "nobody knows b's numbers any more");
    lone.act(|endpoint, now, out| endpoint.bye(now, id, None, out));
    assert_eq!(last(&lone).cseq().unwrap(), (5, Method::Bye));
    lone.drain();
}

#[test]
fn rfc3262_4_an_invite_without_an_offer_does_not_ask_for_one_in_a_provisional_response() {
    let mut lone = Lone::new();
    lone.invite(|invite| invite.body = None);
    assert!(lone.sent[0].1.header_values(Name::Supported).all(|it| it != "100rel"));
}

#[test]
fn rfc3262_a_call_with_early_media_between_two_of_us() {
    let mut world = World::new(Transport::Udp);
    let caller = world.invite(CALLER);
    let Event::Invite { id: callee, .. } = world.event(CALLEE) else { panic!("an INVITE") };
    world.act(CALLEE, |endpoint, now, out| {
        endpoint.progress(now, callee, 183, &contact(CALLEE), offer(), out);
    });
    let Event::Progress { message, .. } = world.event(CALLER) else { panic!("progress") };
    assert_eq!(message.body(), SDP.as_bytes());
    world.act(CALLEE, |endpoint, now, out| endpoint.accept(now, callee, &contact(CALLEE), offer(), out));
    assert!(matches!(world.event(CALLER), Event::Answered { .. }));
    assert!(matches!(world.event(CALLEE), Event::Acked { .. }));
    let lines = world.sent_by(CALLER);
    assert!(lines.iter().any(|line| line.ends_with("PRACK")), "{lines:?}");
    world.run(DELAY);
    world.hang_up(CALLER, caller);
    world.assert_drained();
}
