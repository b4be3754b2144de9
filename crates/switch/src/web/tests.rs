//! Attempts, deadlines and servers that fail, on the switch's own clock.

use super::*;
use crate::testing::switch;
use crate::{Input, Output};
use dialplan::HttpMethod;

const NODE: &str =
    "sip: {listen: [\"udp:10.0.0.1:5060\"]}\nrtp: {ports: 30000-30999, address: 10.0.0.1}\nclients: [acme]\n";

/// A switch whose flows ask, and what it wants of the shell.
struct Asking {
    switch: Switch,
    now: Time,
}

impl Asking {
    fn new() -> Self {
        let mut asking = Self { switch: switch(NODE, "flows: {main: [hangup]}\n"), now: Time::ZERO };
        asking.turn(|switch, now, out| switch.handle(now, Input::Timeout, out));
        asking
    }

    fn turn(&mut self, work: impl FnOnce(&mut Switch, Time, &mut Vec<Output>)) -> Vec<String> {
        let mut out = Vec::new();
        work(&mut self.switch, self.now, &mut out);
        out.iter().filter_map(text).collect()
    }

    /// The flow of a contact asks; with a number it waits.
    fn ask(&mut self, contact: u64, number: Option<u32>, retries: u8) -> Vec<String> {
        let site = Site { is_secure: true, host: "api.test".into(), port: 443 };
        let (connect, within) = (Duration::from_secs(1), Duration::from_secs(10));
        let (path, headers, method) = ("/".into(), Vec::new(), HttpMethod::Get);
        let request =
            Arc::new(HttpRequest { method, site, path, headers, body: None, connect, within, retries });
        self.turn(|switch, now, out| {
            switch.within_turn(now, out, |switch| {
                switch.core.ask((ContactId(contact), &"acme".into()), number, request);
            });
        })
    }

    fn answer(&mut self, id: u64, answer: HttpAnswer) -> Vec<String> {
        self.turn(|switch, now, out| switch.handle(now, Input::Http { id, answer }, out))
    }

    fn cancel(&mut self, contact: u64, number: u32) -> Vec<String> {
        self.turn(|switch, now, out| {
            switch.within_turn(now, out, |switch| switch.core.cancel_request(ContactId(contact), number));
        })
    }

    /// Time passes to the next deadline, which is so many milliseconds away.
    fn wait(&mut self, millis: u64) -> Vec<String> {
        self.now += Duration::from_millis(millis);
        assert_eq!(self.switch.next_timeout(), Some(self.now));
        self.turn(|switch, now, out| switch.handle(now, Input::Timeout, out))
    }
}

fn text(output: &Output) -> Option<String> {
    match output {
        Output::Http { id, client, within, .. } => Some(format!("{client} sends {id} within {within:?}")),
        Output::CancelHttp(id) => Some(format!("cancels {id}")),
        Output::Event(event) => match &event.kind {
            Kind::HttpEnded { status: Some(status), attempts, .. } => Some(format!("{status} by {attempts}")),
            Kind::HttpEnded { error, attempts, .. } => {
                Some(format!("{} by {attempts}", error.as_deref().unwrap_or_default()))
            }
            Kind::Alarm { text } => Some(format!("alarm: {text}")),
            _ => None,
        },
        _ => None,
    }
}

fn ok(status: u16) -> HttpAnswer {
    HttpAnswer::Answered { status, body: "".into() }
}

fn refused() -> HttpAnswer {
    HttpAnswer::Failed("refused".to_owned())
}

#[test]
fn what_fails_is_sent_again_after_a_pause_that_doubles_and_within_the_time_that_is_left() {
    let mut asking = Asking::new();
    assert_eq!(asking.ask(1, None, 2), ["acme sends 1 within 10s"]);
    assert!(asking.answer(1, refused()).is_empty());
    assert!(asking.answer(1, ok(200)).is_empty(), "the attempt has ended");
    assert_eq!(asking.wait(200), ["acme sends 1 within 9.8s"]);
    assert!(asking.answer(1, ok(503)).is_empty());
    assert_eq!(asking.wait(400), ["acme sends 1 within 9.4s"]);
    assert_eq!(asking.answer(1, HttpAnswer::TimedOut), ["no answer in time by 3"]);
    assert!(asking.answer(1, ok(200)).is_empty(), "a late answer");
    assert_eq!(asking.switch.snapshot().requests, 0);
}

#[test]
fn an_answer_of_the_server_is_taken_as_it_is() {
    let mut asking = Asking::new();
    for (id, status) in [(1, 200), (2, 302), (3, 404), (4, 500), (5, 501)] {
        asking.ask(1, None, 3);
        assert_eq!(asking.answer(id, ok(status)), [format!("{status} by 1")]);
    }
}

#[test]
fn a_shell_that_never_answers_is_given_up() {
    let mut asking = Asking::new();
    asking.ask(1, None, 3);
    assert_eq!(asking.wait(10_000), ["cancels 1", "no answer in time by 1"]);
    assert!(asking.answer(1, ok(200)).is_empty());
}

#[test]
fn what_nobody_waits_for_any_more_is_cancelled_once() {
    let mut asking = Asking::new();
    asking.ask(1, Some(7), 3);
    asking.ask(2, Some(7), 3);
    assert_eq!(asking.cancel(1, 7), ["cancels 1", "nobody waits any more by 1"]);
    assert!(asking.cancel(1, 7).is_empty());
    // While it waits for its next attempt the shell has nothing to cancel.
    asking.answer(2, refused());
    assert_eq!(asking.cancel(2, 7), ["nobody waits any more by 1"]);
    assert_eq!(asking.switch.next_timeout(), None);
}

#[test]
fn what_a_flow_waits_for_goes_with_it_to_another_contact() {
    let mut asking = Asking::new();
    asking.ask(1, Some(0), 0);
    asking.ask(1, None, 0);
    asking.switch.core.web.hand_on(ContactId(1), ContactId(2));
    let contacts: Vec<_> = asking.switch.core.web.pending.values().map(|it| it.contact.0).collect();
    assert_eq!(contacts, [2, 1]);
    assert!(asking.cancel(1, 0).is_empty());
    assert_eq!(asking.cancel(2, 0), ["cancels 1", "nobody waits any more by 1"]);
}

#[test]
fn a_server_that_fails_five_times_is_let_alone_until_one_request_has_tried_it() {
    const ALONE: &str = "alarm: https://api.test of client acme fails again and again: it is let alone";
    let mut asking = Asking::new();
    for id in 1..5 {
        asking.ask(1, None, 0);
        assert_eq!(asking.answer(id, ok(500)), ["500 by 1"]);
    }
    asking.ask(1, None, 3);
    assert_eq!(asking.answer(5, refused()), [ALONE, "refused by 1"], "nothing is sent again to it");
    assert_eq!(asking.ask(1, None, 3), ["it has failed too often, and is asked again in 30 s by 0"]);
    asking.now += Duration::from_secs(30);
    assert_eq!(asking.ask(1, Some(1), 3), ["acme sends 6 within 10s"]);
    assert_eq!(asking.ask(1, None, 3), ["it has failed too often, and is asked again in 1 s by 0"]);
    // The one that tries it is called off: the next one does.
    asking.cancel(1, 1);
    assert_eq!(asking.ask(1, None, 3), ["acme sends 7 within 10s"]);
    assert_eq!(
        asking.answer(7, ok(404)),
        ["alarm: https://api.test of client acme answers again", "404 by 1"]
    );
    assert_eq!(asking.ask(1, None, 3), ["acme sends 8 within 10s"]);
}

#[test]
fn one_server_has_no_more_than_its_share() {
    let mut asking = Asking::new();
    for _ in 0..MOST_OF_ONE {
        asking.ask(1, None, 0);
    }
    assert_eq!(asking.ask(1, None, 0), ["too many others are asked by 0"]);
    asking.answer(1, ok(200));
    assert_eq!(asking.ask(1, None, 0).len(), 1);
    assert!(asking.switch.core.web.len() == MOST_OF_ONE);
}
