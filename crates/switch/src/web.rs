//! What flows ask by HTTP: attempts, deadlines, and servers that are let alone for a while because they fail.
//!
//! Requests go out by [`Output::Http`] and come back as [`Input::Http`](crate::Input::Http), or not at all.

mod breaker;
#[cfg(test)]
mod tests;

use crate::core::{Core, Timer};
use crate::{Output, Switch};
use breaker::{Breaker, Verdict};
use clock::{Duration, Time};
use dialplan::{HttpRequest, HttpResult, MachineInput, Site};
use events::{ContactId, Kind};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Requests that may be under way, of all clients.
const MOST: usize = 1_024;
/// And to one server of one client: one that hangs does not take the place of all others.
const MOST_OF_ONE: usize = 128;
/// Before the second attempt; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(200);

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpAnswer {
    /// The server has answered.
    Answered {
        /// 200–599.
        status: u16,
        /// What came with it; at most 64 KiB.
        body: Arc<str>,
    },
    /// Not in time.
    TimedOut,
    /// It could not be asked, or what it said cannot be read; why, without anything of the request but the server.
    Failed(String),
}

/// Requests under way, and servers that fail.
#[derive(Default)]
pub(crate) struct Web {
    pending: BTreeMap<u64, Pending>,
    /// Those that have failed of late.
    breakers: HashMap<Server, Breaker>,
    /// Requests that have ended, and nobody was told yet.
    ended: Vec<Ended>,
}

type Server = (Arc<str>, Site);

struct Pending {
    contact: ContactId,
    /// By which the flow knows it; `None` where it does not wait.
    number: Option<u32>,
    server: Server,
    request: Arc<HttpRequest>,
    begun: Time,
    until: Time,
    attempts: u32,
    /// Whether the shell has it; if not, the next attempt waits.
    is_out: bool,
    /// Whether it is to show that the server answers again.
    is_trial: bool,
}

struct Ended {
    contact: ContactId,
    number: Option<u32>,
    result: HttpResult,
    kind: Kind,
}

impl Web {
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// What one contact's flow waits for, another one's does from now on.
    pub(crate) fn hand_on(&mut self, from: ContactId, to: ContactId) {
        let pending = self.pending.values_mut().map(|it| (&mut it.contact, it.number));
        let ended = self.ended.iter_mut().map(|it| (&mut it.contact, it.number));
        for (contact, _) in
            pending.chain(ended).filter(|(contact, number)| **contact == from && number.is_some())
        {
            *contact = to;
        }
    }

    /// Forgets what is known of servers of clients that are gone.
    pub(crate) fn retain(&mut self, is_there: impl Fn(&Arc<str>) -> bool) {
        self.breakers.retain(|(client, _), _| is_there(client));
    }

    fn may_ask(&mut self, now: Time, server: &Server) -> Result<bool, String> {
        let of_server = self.pending.values().filter(|it| it.server == *server).count();
        if self.pending.len() >= MOST || of_server >= MOST_OF_ONE {
            return Err("too many others are asked".to_owned());
        }
        match self.breakers.get_mut(server).map_or(Verdict::Ask, |breaker| breaker.admit(now)) {
            Verdict::Ask => Ok(false),
            Verdict::Try => Ok(true),
            Verdict::Refuse(left) => {
                Err(format!("it has failed too often, and is asked again in {} s", left.as_secs().max(1)))
            }
        }
    }
}

impl Core {
    /// Sends a request of a contact's flow, which is told of its end by `number` if it waits for it.
    pub(crate) fn ask(
        &mut self,
        (contact, client): (ContactId, &Arc<str>),
        number: Option<u32>,
        request: Arc<HttpRequest>,
    ) {
        let server = (Arc::clone(client), request.site.clone());
        let (begun, until) = (self.now, self.now + request.within);
        let mut pending = Pending {
            contact,
            number,
            server,
            request,
            begun,
            until,
            attempts: 0,
            is_out: false,
            is_trial: false,
        };
        match self.web.may_ask(self.now, &pending.server) {
            Ok(is_trial) => {
                pending.is_trial = is_trial;
                let id = self.new_request();
                self.web.pending.insert(id, pending);
                self.send_request(id);
            }
            Err(why) => self.end_request(pending, HttpAnswer::Failed(why)),
        }
    }

    /// A contact's flow waits for a request no more.
    pub(crate) fn cancel_request(&mut self, contact: ContactId, number: u32) {
        let is_it = |it: &Pending| it.contact == contact && it.number == Some(number);
        let found = self.web.pending.iter().find(|(_, it)| is_it(it)).map(|(id, _)| *id);
        let Some(pending) = found.and_then(|id| self.take_request(id)) else {
            // It has ended in this very turn: that is logged, and nobody is told.
            let ended = self.web.ended.iter_mut();
            return ended
                .filter(|it| it.contact == contact && it.number == Some(number))
                .for_each(|it| it.number = None);
        };
        if pending.is_trial
            && let Some(breaker) = self.web.breakers.get_mut(&pending.server)
        {
            breaker.forget_trial(self.now);
        }
        let kind = pending.log(self.now, None, Some("nobody waits any more".to_owned()));
        self.log(Some(contact), kind);
    }

    /// The shell has an answer, which may be late.
    pub(crate) fn http_answered(&mut self, id: u64, answer: HttpAnswer) {
        let now = self.now;
        let Some(pending) = self.web.pending.get_mut(&id).filter(|pending| pending.is_out) else { return };
        pending.is_out = false;
        let may_help = match &answer {
            HttpAnswer::Answered { status, .. } => matches!(status, 502..=504),
            HttpAnswer::TimedOut | HttpAnswer::Failed(_) => true,
        };
        let again = now + PAUSE * (1 << (pending.attempts - 1).min(4));
        let has_more = pending.attempts <= u32::from(pending.request.retries) && again < pending.until;
        let (is_trial, server) = (pending.is_trial, pending.server.clone());
        let is_open = self.judge_server(&server, &answer);
        if may_help && has_more && !is_trial && !is_open {
            return self.timers.set(Timer::Http(id), again);
        }
        if let Some(pending) = self.take_request(id) {
            self.end_request(pending, answer);
        }
    }

    /// It is time for the next attempt, or too late.
    pub(crate) fn on_request_timeout(&mut self, id: u64) {
        let Some(pending) = self.web.pending.get(&id) else { return };
        if !pending.is_out && self.now < pending.until {
            return self.send_request(id);
        }
        if let Some(pending) = self.take_request(id) {
            self.judge_server(&pending.server, &HttpAnswer::TimedOut);
            self.end_request(pending, HttpAnswer::TimedOut);
        }
    }

    fn send_request(&mut self, id: u64) {
        let Some(pending) = self.web.pending.get_mut(&id) else { return };
        pending.attempts += 1;
        pending.is_out = true;
        let (client, request) = (Arc::clone(&pending.server.0), Arc::clone(&pending.request));
        let (until, within) = (pending.until, pending.until - self.now);
        self.timers.set(Timer::Http(id), until);
        self.out.push(Output::Http { id, client, request, within });
    }

    /// Nothing more is to be heard of a request.
    fn take_request(&mut self, id: u64) -> Option<Pending> {
        let pending = self.web.pending.remove(&id)?;
        self.timers.cancel(Timer::Http(id));
        if pending.is_out {
            self.out.push(Output::CancelHttp(id));
        }
        Some(pending)
    }

    /// What an answer says of its server; whether that is let alone from now on.
    fn judge_server(&mut self, server: &Server, answer: &HttpAnswer) -> bool {
        let is_well = matches!(answer, HttpAnswer::Answered { status, .. } if *status < 500);
        if is_well {
            if self.web.breakers.remove(server).is_some_and(|it| it.is_open()) {
                let text = format!("{} of client {} answers again", server.1, server.0);
                self.log(None, Kind::Alarm { text });
            }
            return false;
        }
        let breaker = self.web.breakers.entry(server.clone()).or_default();
        let was_open = breaker.is_open();
        breaker.fail(self.now);
        let is_open = breaker.is_open();
        if is_open && !was_open {
            let text = format!("{} of client {} fails again and again: it is let alone", server.1, server.0);
            self.log(None, Kind::Alarm { text });
        }
        is_open
    }

    fn end_request(&mut self, pending: Pending, answer: HttpAnswer) {
        let (status, error, result) = match answer {
            HttpAnswer::Answered { status, body } => {
                (Some(status), None, HttpResult::Answered { status, body })
            }
            HttpAnswer::TimedOut => (None, Some("no answer in time".to_owned()), HttpResult::TimedOut),
            HttpAnswer::Failed(why) => (None, Some(why), HttpResult::Failed),
        };
        let kind = pending.log(self.now, status, error);
        let Pending { contact, number, .. } = pending;
        self.web.ended.push(Ended { contact, number, result, kind });
    }
}

impl Pending {
    fn log(&self, now: Time, status: Option<u16>, error: Option<String>) -> Kind {
        Kind::HttpEnded {
            method: self.request.method.name().into(),
            server: self.request.site.to_string().into(),
            status,
            attempts: self.attempts,
            millis: u64::try_from((now - self.begun).as_millis()).unwrap_or(u64::MAX),
            error,
        }
    }
}

impl Switch {
    /// Tells flows what has become of their requests; whether there was something to tell.
    pub(crate) fn tell_answered(&mut self) -> bool {
        let ended = std::mem::take(&mut self.core.web.ended);
        let is_news = !ended.is_empty();
        for Ended { contact, number, result, kind } in ended {
            // What was only told may outlive its contact.
            if !self.contacts.contains_key(&contact) {
                self.core.log(None, kind);
                continue;
            }
            self.with_contact(contact, |contact, core| {
                core.log(Some(contact.id), kind);
                if let Some(number) = number {
                    contact.tell(MachineInput::HttpEnded { number, result });
                }
            });
        }
        is_news
    }
}
