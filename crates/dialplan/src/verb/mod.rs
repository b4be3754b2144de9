//! The verbs of a flow, one file each: what it takes, what it checks, what it does.

mod agent;
mod answer;
mod ask;
mod call;
mod callback;
mod codes;
mod conference;
mod confirm;
mod dial;
mod enqueue;
mod gather;
mod goto;
mod hangup;
mod hours;
mod http;
mod if_else;
mod kv;
mod label;
mod lookup;
mod mailbox;
mod menu;
mod pause;
mod percent;
mod pin;
mod play;
mod record;
mod reject;
mod repeat;
mod return_to;
mod ring;
mod say;
mod set;
mod switch;
mod voicemail;

pub(crate) use ask::Ask;
pub(crate) use codes::Typed;
pub(crate) use http::Asked;
pub(crate) use mailbox::Listening;
pub(crate) use return_to::Return;
pub(crate) use voicemail::Leaving;

use crate::compile::Compiler;
use crate::expression::Scope;
use crate::faults::{Faults, Span};
use crate::machine::{Event, Next, Turn, Wait};
use crate::program::Pc;
use crate::types::Write;
use crate::yaml::{Node, Value};

/// What a step does.
#[derive(Debug)]
pub(crate) enum Verb {
    Answer(answer::Answer),
    Play(play::Play),
    Menu(menu::Menu),
    Gather(gather::Gather),
    Dial(dial::Dial),
    Record(record::Record),
    Conference(conference::Conference),
    Enqueue(Box<enqueue::Enqueue>),
    Callback(callback::Callback),
    Agent(agent::Agent),
    Voicemail(voicemail::Voicemail),
    Mailbox(Box<mailbox::Mailbox>),
    Http(Box<http::Http>),
    Lookup(lookup::Lookup),
    Kv(Box<kv::Kv>),
    Goto(goto::Goto),
    Label(label::Label),
    Set(set::Set),
    If(if_else::If),
    Switch(switch::Switch),
    Hours(hours::HoursStep),
    Call(call::Call),
    Return(Return),
    Loop(repeat::Loop),
    Percent(percent::Percent),
    Pause(pause::Pause),
    Tone(pause::Pause),
    Beep(play::Play),
    Confirm(confirm::Confirm),
    Pin(pin::Pin),
    Ring(ring::Ring),
    EarlyMedia(ring::EarlyMedia),
    Hangup,
    Reject(reject::Reject),
    Say(say::Say),
    /// Behind a `no_input` or `invalid` branch: ask the menu or gather again, attempts counting on.
    Again(Pc),
    /// Behind the last step.
    End,
    /// Stands for a step that could not be read, so that the steps around it can still be checked.
    Faulty(Vec<Pc>),
}

/// A step as written: `- menu: {…}`, or `- answer`.
pub(crate) struct Step<'n> {
    pub(crate) verb: &'n str,
    /// The verb's word.
    pub(crate) at: Span,
    /// What stands behind it, if anything.
    pub(crate) argument: Option<&'n Node>,
}

impl<'n> Step<'n> {
    /// What stands behind the verb, which must be something.
    fn argument(&self, compiler: &mut Compiler<'_, '_>) -> Option<&'n Node> {
        let found = self.argument.filter(|node| !matches!(node.value, Value::Null));
        if found.is_none() {
            let example = match self.verb {
                "play" => "- play: welcome",
                "say" => "- say: {number: 12}",
                "menu" => "- menu: {prompt: choose, keys: {\"1\": …}}",
                "gather" => "- gather: {into: account, prompt: enter-account}",
                "dial" => "- dial: [alice, bob]",
                "conference" => "- conference: board",
                "enqueue" => "- enqueue: support",
                "callback" => "- callback: support",
                "agent" => "- agent: login",
                "voicemail" => "- voicemail: support",
                "mailbox" => "- mailbox: support",
                "http" => "- http: {url: https://api.example.com/orders}",
                "lookup" => "- lookup: {table: prices, key: item, into: {price: price}}",
                "kv" => "- kv: {add: visits, of: call.from, into: visits}",
                "goto" => "- goto: other-flow",
                "label" => "- label: again",
                "set" => "- set: {vip: account == '1234'}",
                "if" => "- if: {when: vip, then: …}",
                "switch" => "- switch: {on: account, cases: {\"1234\": …}}",
                "call" => "- call: check-account",
                "loop" => "- loop: {times: 3, do: […]}",
                "percent" => "- percent: {20: …, 80: …}",
                "pause" => "- pause: 2s",
                "tone" => "- tone: busy",
                "confirm" => "- confirm: {prompt: choose, no: …}",
                "pin" => "- pin: {prompt: enter-pin, is: \"'4711'\"}",
                "early_media" => "- early_media: welcome",
                "hours" => "- hours: {calendar: office, closed: …}",
                _ => "- reject: busy",
            };
            let message = format!("`{}` needs to be told more", self.verb);
            compiler.faults.hinted(self.at, message, format!("write `{example}`"));
        }
        found
    }

    /// Notes anything that stands behind a verb that takes nothing.
    fn no_argument(&self, compiler: &mut Compiler<'_, '_>) {
        if let Some(node) = self.argument.filter(|node| !matches!(node.value, Value::Null)) {
            let hint = format!("write only `- {}`", self.verb);
            compiler.faults.hinted(node.place_or(self.at), format!("`{}` takes nothing", self.verb), hint);
        }
    }
}

/// Names of all verbs, for hints.
pub(crate) const VERBS: [&str; 35] = [
    "answer",
    "play",
    "say",
    "menu",
    "gather",
    "dial",
    "record",
    "conference",
    "enqueue",
    "callback",
    "agent",
    "voicemail",
    "mailbox",
    "http",
    "lookup",
    "kv",
    "goto",
    "label",
    "set",
    "if",
    "switch",
    "hours",
    "call",
    "return",
    "loop",
    "percent",
    "pause",
    "tone",
    "beep",
    "confirm",
    "pin",
    "ring",
    "early_media",
    "hangup",
    "reject",
];

impl Verb {
    /// Whether it asks for keys that nobody may know.
    pub(crate) fn is_secret(&self) -> bool {
        match self {
            Self::Gather(gather) => gather.is_secret(),
            Self::Pin(_) => true,
            _ => false,
        }
    }

    /// Whether what the caller hears tells a value.
    pub(crate) fn says_value(&self) -> bool {
        match self {
            Self::Say(_) => true,
            Self::Confirm(confirm) => confirm.reads(),
            _ => false,
        }
    }

    /// Reads a step that goes on at `next`, and gives the verb with the text of its target.
    pub(crate) fn parse(
        step: &Step<'_>,
        own: Pc,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> (Self, String) {
        let read = match step.verb {
            "answer" => answer::Answer::parse(step, next, compiler),
            "play" => {
                play::Play::parse(step, "`play`", next, compiler).map(|(it, text)| (Self::Play(it), text))
            }
            "say" => say::Say::parse(step, next, compiler),
            "menu" => menu::Menu::parse(step, own, next, compiler),
            "gather" => gather::Gather::parse(step, own, next, compiler),
            "dial" => dial::Dial::parse(step, next, compiler),
            "record" => record::Record::parse(step, next, compiler),
            "conference" => conference::Conference::parse(step, next, compiler),
            "enqueue" => enqueue::Enqueue::parse(step, next, compiler),
            "callback" => callback::Callback::parse(step, next, compiler),
            "agent" => agent::Agent::parse(step, next, compiler),
            "voicemail" => voicemail::Voicemail::parse(step, next, compiler),
            "mailbox" => mailbox::Mailbox::parse(step, next, compiler),
            "http" => http::Http::parse(step, next, compiler),
            "lookup" => lookup::Lookup::parse(step, next, compiler),
            "kv" => kv::Kv::parse(step, next, compiler),
            "goto" => goto::Goto::parse(step, own, compiler),
            "label" => label::Label::parse(step, own, next, compiler),
            "set" => set::Set::parse(step, next, compiler),
            "if" => if_else::If::parse(step, next, compiler),
            "switch" => switch::Switch::parse(step, next, compiler),
            "hours" => hours::HoursStep::parse(step, next, compiler),
            "call" => call::Call::parse(step, next, compiler),
            "return" => Return::parse(step, compiler),
            "loop" => repeat::Loop::parse(step, own, next, compiler),
            "percent" => percent::Percent::parse(step, next, compiler),
            "pause" => pause::Pause::parse(step, next, compiler),
            "tone" => pause::Pause::parse_tone(step, next, compiler),
            "beep" => play::Play::parse_beep(step, next, compiler),
            "confirm" => confirm::Confirm::parse(step, own, next, compiler),
            "pin" => pin::Pin::parse(step, own, next, compiler),
            "ring" => ring::Ring::parse(step, next, compiler),
            "early_media" => play::Play::parse(step, "`early_media`", next, compiler)
                .map(|(it, text)| (Self::EarlyMedia(ring::EarlyMedia(it)), text)),
            "hangup" => hangup::parse(step, compiler),
            "reject" => reject::Reject::parse(step, compiler),
            unknown => {
                compiler.faults.unknown(step.at, "unknown verb {}", unknown, VERBS.into_iter());
                None
            }
        };
        read.unwrap_or_else(|| (Self::Faulty(vec![next]), String::new()))
    }

    /// A jump whose target is known.
    pub(crate) fn goto(to: Pc, leaves: bool) -> Self {
        Self::Goto(goto::Goto { to, leaves })
    }

    /// The verb's word; empty for what no administrator wrote.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Answer(_) => "answer",
            Self::Play(_) => "play",
            Self::Say(_) => "say",
            Self::Menu(_) => "menu",
            Self::Gather(_) => "gather",
            Self::Dial(_) => "dial",
            Self::Record(_) => "record",
            Self::Conference(_) => "conference",
            Self::Enqueue(_) => "enqueue",
            Self::Callback(_) => "callback",
            Self::Agent(_) => "agent",
            Self::Voicemail(_) => "voicemail",
            Self::Mailbox(_) => "mailbox",
            Self::Http(_) => "http",
            Self::Lookup(_) => "lookup",
            Self::Kv(_) => "kv",
            Self::Goto(_) => "goto",
            Self::Label(_) => "label",
            Self::Set(_) => "set",
            Self::If(_) => "if",
            Self::Switch(_) => "switch",
            Self::Hours(_) => "hours",
            Self::Call(_) => "call",
            Self::Return(_) => "return",
            Self::Loop(_) => "loop",
            Self::Percent(_) => "percent",
            Self::Pause(_) => "pause",
            Self::Tone(_) => "tone",
            Self::Beep(_) => "beep",
            Self::Confirm(_) => "confirm",
            Self::Pin(_) => "pin",
            Self::Ring(_) => "ring",
            Self::EarlyMedia(_) => "early_media",
            Self::Hangup => "hangup",
            Self::Reject(_) => "reject",
            Self::Again(_) | Self::End | Self::Faulty(_) => "",
        }
    }

    /// Where the call can go from here.
    pub(crate) fn exits(&self) -> Vec<Pc> {
        match self {
            Self::Answer(answer) => answer.exits(),
            Self::Play(play) => play.exits(),
            Self::Say(say) => say.exits(),
            Self::Menu(menu) => menu.exits(),
            Self::Gather(gather) => gather.exits(),
            Self::Dial(dial) => dial.exits(),
            Self::Record(record) => record.exits(),
            Self::Conference(conference) => conference.exits(),
            Self::Enqueue(enqueue) => enqueue.exits(),
            Self::Callback(callback) => callback.exits(),
            Self::Agent(agent) => agent.exits(),
            Self::Voicemail(voicemail) => voicemail.exits(),
            Self::Mailbox(mailbox) => mailbox.exits(),
            Self::Http(http) => http.exits(),
            Self::Lookup(lookup) => lookup.exits(),
            Self::Kv(kv) => kv.exits(),
            Self::Goto(goto) => goto.exits(),
            Self::Label(label) => label.exits(),
            Self::Set(set) => set.exits(),
            Self::If(condition) => condition.exits(),
            Self::Switch(switch) => switch.exits(),
            Self::Hours(hours) => hours.exits(),
            Self::Call(call) => call.exits(),
            Self::Loop(step) => step.exits(),
            Self::Percent(percent) => percent.exits(),
            Self::Pause(pause) | Self::Tone(pause) => pause.exits(),
            Self::Beep(play) | Self::EarlyMedia(ring::EarlyMedia(play)) => play.exits(),
            Self::Confirm(confirm) => confirm.exits(),
            Self::Pin(pin) => pin.exits(),
            Self::Ring(ring) => ring.exits(),
            Self::Again(ask) => vec![*ask],
            Self::Faulty(exits) => exits.clone(),
            Self::Return(_) | Self::Hangup | Self::Reject(_) | Self::End => Vec::new(),
        }
    }

    /// Whether time may pass in this step each time, so that a loop through it is no endless one. A second
    /// `answer` goes on at once.
    pub(crate) fn waits(&self) -> bool {
        if let Self::Http(http) = self {
            return http.waits();
        }
        matches!(
            self,
            Self::Play(_)
                | Self::Say(_)
                | Self::Menu(_)
                | Self::Gather(_)
                | Self::Dial(_)
                | Self::Conference(_)
                | Self::Enqueue(_)
                | Self::Voicemail(_)
                | Self::Mailbox(_)
                | Self::Pause(_)
                | Self::Tone(_)
                | Self::Beep(_)
                | Self::Confirm(_)
                | Self::Pin(_)
                | Self::EarlyMedia(_)
                | Self::Faulty(_)
        )
    }

    /// Whether something may fail in it for which it has no branch.
    pub(crate) fn may_fail(&self) -> bool {
        match self {
            Self::Play(play) | Self::Beep(play) | Self::EarlyMedia(ring::EarlyMedia(play)) => play.may_fail(),
            Self::Say(say) => say.may_fail(),
            Self::Menu(menu) => menu.may_fail(),
            Self::Gather(gather) => gather.may_fail(),
            Self::Pin(pin) => pin.may_fail(),
            Self::Confirm(confirm) => confirm.may_fail(),
            Self::Dial(dial) => dial.may_fail(),
            Self::Conference(conference) => conference.may_fail(),
            Self::Callback(callback) => callback.may_fail(),
            Self::Voicemail(voicemail) => voicemail.may_fail(),
            Self::Mailbox(mailbox) => mailbox.may_fail(),
            Self::Call(call) => call.may_fail(),
            Self::Http(http) => http.may_fail(),
            Self::Lookup(lookup) => lookup.may_fail(),
            Self::Kv(kv) => kv.may_fail(),
            Self::Set(_) => true,
            _ => false,
        }
    }

    /// Whether the step can do nothing any more once the caller has gone.
    pub(crate) fn needs_caller(&self) -> bool {
        let is_known = !matches!(self, Self::Faulty(_));
        let speaks = self.needs_answer() || matches!(self, Self::Answer(_) | Self::Ring(_) | Self::Reject(_));
        is_known && (speaks || self.waits())
    }

    /// Whether the step needs a call that is answered.
    pub(crate) fn needs_answer(&self) -> bool {
        matches!(
            self,
            Self::Play(_)
                | Self::Say(_)
                | Self::Menu(_)
                | Self::Gather(_)
                | Self::Record(_)
                | Self::Conference(_)
                | Self::Enqueue(_)
                | Self::Voicemail(_)
                | Self::Mailbox(_)
                | Self::Tone(_)
                | Self::Beep(_)
                | Self::Confirm(_)
                | Self::Pin(_)
        )
    }

    /// The variables that it sets.
    pub(crate) fn writes(&self) -> Vec<Write<'_>> {
        match self {
            Self::Set(set) => set.writes(),
            Self::Gather(gather) => gather.writes(),
            Self::Call(call) => call.writes(),
            Self::Http(http) => http.writes(),
            Self::Lookup(lookup) => lookup.writes(),
            Self::Kv(kv) => kv.writes(),
            _ => Vec::new(),
        }
    }

    /// Notes what is wrong with names and types in expressions.
    pub(crate) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        match self {
            Self::Say(say) => say.check(scope, faults),
            Self::Set(set) => set.check(scope, faults),
            Self::If(condition) => condition.check(scope, faults),
            Self::Switch(switch) => switch.check(scope, faults),
            Self::Conference(conference) => conference.check(scope, faults),
            Self::Enqueue(enqueue) => enqueue.check(scope, faults),
            Self::Callback(callback) => callback.check(scope, faults),
            Self::Agent(agent) => agent.check(scope, faults),
            Self::Mailbox(mailbox) => mailbox.check(scope, faults),
            Self::Http(http) => http.check(scope, faults),
            Self::Lookup(lookup) => lookup.check(scope, faults),
            Self::Kv(kv) => kv.check(scope, faults),
            Self::Call(call) => call.check(scope, faults),
            Self::Pin(pin) => pin.check(scope, faults),
            Self::Confirm(confirm) => confirm.check(scope, faults),
            _ => {}
        }
    }

    /// Takes the step up.
    pub(crate) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        match self {
            Self::Answer(answer) => answer.begin(turn),
            Self::Play(play) => play.begin(turn),
            Self::Say(say) => say.begin(turn),
            Self::Menu(menu) => menu.begin(turn),
            Self::Gather(gather) => gather.begin(turn),
            Self::Dial(dial) => dial.begin(turn),
            Self::Record(record) => record.begin(turn),
            Self::Conference(conference) => conference.begin(turn),
            Self::Enqueue(enqueue) => enqueue.begin(turn),
            Self::Callback(callback) => callback.begin(turn),
            Self::Agent(agent) => agent.begin(turn),
            Self::Voicemail(voicemail) => voicemail.begin(turn),
            Self::Mailbox(mailbox) => mailbox.begin(turn),
            Self::Http(http) => http.begin(turn),
            Self::Lookup(lookup) => lookup.begin(turn),
            Self::Kv(kv) => kv.begin(turn),
            Self::Goto(goto) => goto.begin(turn),
            Self::Label(label) => label.begin(),
            Self::Set(set) => set.begin(turn),
            Self::If(condition) => condition.begin(turn),
            Self::Switch(switch) => switch.begin(turn),
            Self::Hours(hours) => hours.begin(turn),
            Self::Call(call) => call.begin(turn),
            Self::Return(step) => step.begin(turn),
            Self::Loop(step) => step.begin(turn),
            Self::Percent(percent) => percent.begin(turn),
            Self::Pause(pause) | Self::Tone(pause) => pause.begin(turn),
            Self::Beep(play) => play.begin(turn),
            Self::Confirm(confirm) => confirm.begin(turn),
            Self::Pin(pin) => pin.begin(turn),
            Self::Ring(ring) => ring.begin(turn),
            Self::EarlyMedia(early) => early.begin(turn),
            Self::Hangup => turn.hang_up(),
            Self::Reject(reject) => reject.begin(turn),
            Self::Again(ask) => Next::Again(*ask),
            Self::End | Self::Faulty(_) => turn.hang_up(),
        }
    }

    /// Goes on after what the step waits for; an event that it does not wait for changes nothing.
    pub(crate) fn resume(&self, wait: Wait, event: Event, turn: &mut Turn<'_>) -> Next {
        match (self, wait, event) {
            (Self::Answer(answer), Wait::Answer { .. }, event) => answer.resume(event, turn),
            (
                Self::Play(play) | Self::Beep(play) | Self::EarlyMedia(ring::EarlyMedia(play)),
                Wait::Play { .. },
                event,
            ) => play.resume(self.name(), event, turn),
            (Self::Pause(pause) | Self::Tone(pause), Wait::Pause { until, play }, event) => {
                pause.resume(until, play, event, turn)
            }
            (Self::Confirm(confirm), Wait::Ask(ask), event) => confirm.resume(ask, event, turn),
            (Self::Pin(pin), Wait::Ask(ask), event) => pin.resume(ask, event, turn),
            (Self::Say(say), Wait::Play { .. }, event) => say.resume(event, turn),
            (Self::Menu(menu), Wait::Ask(ask), event) => menu.resume(ask, event, turn),
            (Self::Gather(gather), Wait::Ask(ask), event) => gather.resume(ask, event, turn),
            (Self::Dial(dial), Wait::Dial, Event::DialEnded(result)) => dial.resume(result, turn),
            (Self::Conference(conference), Wait::Conference(typed), event) => {
                conference.resume(typed, event, turn)
            }
            (Self::Enqueue(enqueue), Wait::Queue(typed), event) => enqueue.resume(typed, event, turn),
            (Self::Enqueue(enqueue), Wait::Dial, Event::DialEnded(_)) => enqueue.served(turn),
            (Self::Http(http), Wait::Http(asked), event) => http.resume(asked, event, turn),
            (Self::Callback(callback), Wait::Callback, event) => callback.resume(event, turn),
            (Self::Kv(kv), Wait::Kv, event) => kv.resume(event, turn),
            (Self::Agent(agent), Wait::Agent, event) => agent.resume(event, turn),
            (Self::Voicemail(voicemail), Wait::Voicemail(leaving), event) => {
                voicemail.resume(leaving, event, turn)
            }
            (Self::Mailbox(mailbox), Wait::Mailbox(listening), event) => {
                mailbox.resume(listening, event, turn)
            }
            (_, wait, _) => Next::Wait(wait),
        }
    }
}
