//! Where names lead: the shell asks the DNS, and what it says is kept here for as long as it holds.
//!
//! A place that was found once is never waited for again: it is looked up anew behind the calls, and what was known
//! serves until then, also if the DNS fails (as RFC 8767 has it).

use crate::Output;
use crate::core::Core;
use clock::{Duration, Time, Timers};
use events::Kind;
use sip::{Answer, Question, Search, Servers, SipUri, Uri};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// When to stop waiting for the shell's answers.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// How long nobody is asked again after that.
const SILENCE_HOLDS: Duration = Duration::from_secs(10);

/// The places that were looked for.
#[derive(Default)]
pub(crate) struct Locator {
    places: BTreeMap<u64, Place>,
    by_uri: HashMap<Arc<str>, u64>,
    /// When to give up on open questions.
    timers: Timers<u64>,
    last: u64,
    /// Whether a place was found that somebody may wait for.
    news: bool,
}

struct Place {
    uri: Arc<str>,
    /// `None` until the first search has ended.
    servers: Option<Servers>,
    holds_until: Time,
    /// What the search under way knows, and what it has asked.
    answers: HashMap<Question, Answer>,
    open: BTreeSet<Question>,
}

impl Locator {
    /// When [`Core::give_up_questions`] has something to do.
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Whether places were found since the last call.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Forgets all places but those of these URIs, and those that are being looked for.
    pub(crate) fn keep(&mut self, uris: &[Arc<str>]) {
        let kept: Vec<_> = uris.iter().filter_map(|uri| with_sip(uri, key)).collect();
        self.places.retain(|_, place| !place.open.is_empty() || kept.contains(&place.uri));
        self.by_uri.retain(|_, number| self.places.contains_key(number));
    }

    fn place(&mut self, uri: &Arc<str>) -> (u64, &mut Place) {
        let last = &mut self.last;
        let number = *self.by_uri.entry(Arc::clone(uri)).or_insert_with(|| {
            *last += 1;
            *last
        });
        let place = self.places.entry(number).or_insert_with(|| Place {
            uri: Arc::clone(uri),
            servers: None,
            holds_until: Time::ZERO,
            answers: HashMap::new(),
            open: BTreeSet::new(),
        });
        (number, place)
    }
}

impl Core {
    /// The servers of a SIP URI; `None` as long as the DNS is being asked for the first time. Without a server there is
    /// no way.
    pub(crate) fn locate(&mut self, uri: &Arc<str>) -> Option<Servers> {
        let Some(fixed) = with_sip(uri, |uri| sip::locate(uri, &self.means, &HashMap::new())) else {
            return Some(Servers::default());
        };
        if let Search::Found { servers, .. } = fixed {
            return Some(servers);
        }
        let now = self.now;
        let Some(key) = with_sip(uri, key) else { return Some(Servers::default()) };
        let (number, place) = self.locator.place(&key);
        if place.open.is_empty() && (place.servers.is_none() || place.holds_until <= now) {
            self.search(number);
        }
        self.locator.places.get(&number).and_then(|place| place.servers.clone())
    }

    /// Takes an answer of the DNS.
    pub(crate) fn answered(&mut self, question: &Question, answer: &Answer) {
        let places = self.locator.places.iter_mut();
        let waiting: Vec<u64> = places
            .filter_map(|(number, place)| {
                let waits = place.open.remove(question);
                if waits {
                    place.answers.insert(question.clone(), answer.clone());
                }
                (waits && place.open.is_empty()).then_some(*number)
            })
            .collect();
        for number in waiting {
            self.search(number);
        }
    }

    /// Goes on without the answers that are overdue.
    pub(crate) fn give_up_questions(&mut self) {
        while let Some(number) = self.locator.timers.pop_due(self.now) {
            let Some(place) = self.locator.places.get_mut(&number) else { continue };
            let silence = Answer { records: Vec::new(), ttl: SILENCE_HOLDS, failed: true };
            let open = std::mem::take(&mut place.open);
            place.answers.extend(open.into_iter().map(|question| (question, silence.clone())));
            self.search(number);
        }
    }

    /// Goes as far as the answers lead.
    fn search(&mut self, number: u64) {
        let Some(place) = self.locator.places.get_mut(&number) else { return };
        let found = with_sip(&place.uri, |uri| sip::locate(uri, &self.means, &place.answers));
        match found {
            Some(Search::Ask(questions)) => {
                for question in &questions {
                    self.out.push(Output::Dns(question.clone()));
                }
                place.open.extend(questions);
                self.locator.timers.set(number, self.now + ANSWER_LIMIT);
            }
            Some(Search::Found { servers, ttl, failed }) => {
                self.locator.timers.cancel(number);
                place.answers.clear();
                place.holds_until = self.now + ttl.unwrap_or(SILENCE_HOLDS);
                let had = place.servers.as_ref().map(|known| !known.is_empty());
                let lost = servers.is_empty() && had != Some(false);
                let uri = Arc::clone(&place.uri);
                if !(failed && servers.is_empty() && had == Some(true)) {
                    place.servers = Some(servers);
                }
                self.locator.news = true;
                if lost {
                    let text =
                        format!("the DNS has no server for {uri}: is the name right, and its zone up?");
                    self.log(None, Kind::Alarm { text });
                }
            }
            None => {}
        }
    }
}

/// What of a URI decides where it leads (RFC 3263 section 4): as many as hosts are kept, not as many as users.
fn key(uri: &SipUri<'_>) -> Arc<str> {
    let mut key = format!("{}:{}", if uri.secure { "sips" } else { "sip" }, uri.host);
    if let Some(port) = uri.port {
        key += &format!(":{port}");
    }
    for name in ["transport", "maddr"] {
        if let Some(value) = uri.params.get(name) {
            key += &format!(";{name}={value}");
        }
    }
    key.into()
}

fn with_sip<T>(text: &str, work: impl FnOnce(&SipUri<'_>) -> T) -> Option<T> {
    Uri::parse(text).ok().as_ref().and_then(Uri::as_sip).map(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, Switch, testing};
    use sip::{Record, RecordKind};

    const NODE: &str = "
node: {name: test}
sip: {listen: [\"udp:10.0.0.1:5060\"]}
rtp: {ports: 30000-30999, address: 10.0.0.1}
trunks: {carrier: {to: \"sip:carrier.example:5080\"}}
clients: [acme]
";

    fn switch() -> Switch {
        testing::switch(NODE, "flows: {main: [hangup]}\n")
    }

    /// The questions that an input leads to.
    fn asked(switch: &mut Switch, seconds: u64, input: Input) -> Vec<Question> {
        let mut out = Vec::new();
        switch.handle(Time::from_secs(seconds), input, &mut out);
        let questions = out.into_iter().filter_map(|output| match output {
            Output::Dns(question) => Some(question),
            _ => None,
        });
        questions.collect()
    }

    fn answer(records: &[[u8; 4]], failed: bool) -> Input {
        let question = Question { name: "carrier.example".into(), kind: RecordKind::A };
        let records = records.iter().map(|ip| Record::Address((*ip).into())).collect();
        Input::Dns { question, answer: Answer { records, ttl: Duration::from_secs(60), failed } }
    }

    fn place(switch: &mut Switch) -> Option<Vec<String>> {
        let servers = switch.core.locate(&"sip:carrier.example:5080".into())?;
        Some(servers.in_order(|| 0).into_iter().map(|(_, address)| address.to_string()).collect())
    }

    #[test]
    fn a_trunks_name_is_looked_up_before_the_first_call() {
        let mut switch = switch();
        let questions = asked(&mut switch, 1, Input::Timeout);
        assert_eq!(questions, [Question { name: "carrier.example".into(), kind: RecordKind::A }]);
        assert_eq!(place(&mut switch), None);
        asked(&mut switch, 2, answer(&[[192, 0, 2, 1]], false));
        assert_eq!(place(&mut switch), Some(vec!["192.0.2.1:5080".into()]));
    }

    #[test]
    fn rfc8767_what_was_known_serves_while_and_when_the_dns_fails() {
        let mut switch = switch();
        asked(&mut switch, 1, Input::Timeout);
        asked(&mut switch, 2, answer(&[[192, 0, 2, 1]], false));
        switch.core.now = Time::from_secs(62);
        let known = Some(vec!["192.0.2.1:5080".to_owned()]);
        assert_eq!(place(&mut switch), known);
        // It has asked anew; no server answers, and then one has forgotten the name.
        asked(&mut switch, 63, answer(&[], true));
        assert_eq!(place(&mut switch), known);
        switch.core.now = Time::from_secs(124);
        assert_eq!(place(&mut switch), known);
        asked(&mut switch, 125, answer(&[], false));
        assert_eq!(place(&mut switch), Some(Vec::new()));
    }

    #[test]
    fn a_shell_that_does_not_answer_is_not_waited_for_for_ever() {
        let mut switch = switch();
        asked(&mut switch, 1, Input::Timeout);
        assert_eq!(switch.next_timeout(), Some(Time::from_secs(11)));
        asked(&mut switch, 11, Input::Timeout);
        assert_eq!(place(&mut switch), Some(Vec::new()));
    }
}
