//! A call on a virtual clock: the [`Machine`] that a node runs, with a script in the place of callers and phones.
//!
//! Prompts take the time that they last, keys are pressed once a prompt is over, and whoever is rung does what the script
//! says. Nothing is decided here that a flow decides.

mod moment;
mod path;
mod reply;
mod script;
mod texts;
mod values;
mod voicemail;

pub use path::{Ended, Line, Note, Path};
pub use reply::Reply;
pub use script::{Answer, Press, Script};
pub use texts::Texts;

pub(crate) use moment::{MOMENT, moment};
pub(crate) use script::{AGENT, CALLBACK, MAILBOX, VOICEMAIL, name};

use crate::faults::nearest;
use crate::machine::{
    CallbackResult, ConferenceResult, DialResult, HttpRequest, KvResult, MailboxResult, MessageResult,
    QueueResult,
};
use crate::program::{Pc, SHARED};
use crate::verb::Verb;
use crate::{
    Attestation, CallInfo, ClientIndex, Config, Effect, FlowIndex, Machine, MachineInput, StepIndex, Verstat,
    normalized,
};
use clock::{Duration, Time};
use jiff::tz::TimeZone;
use script::{Answers, Waits};
use std::collections::BTreeSet;
use std::sync::Arc;
use values::Values;

/// Who calls whom, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedCall {
    /// What is dialled.
    pub number: String,
    /// The caller's number.
    pub from: String,
    /// The trunk or user that calls; any other word is a trunk that reaches every number.
    pub source: String,
    /// The number that has passed the call on; empty if none did.
    pub diverted_by: String,
    /// Whether somebody answers for the caller.
    pub verstat: Verstat,
    /// How well.
    pub attestation: Option<Attestation>,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// What `percent` draws its lots by.
    pub seed: u64,
}

/// Why a flow waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// It wants keys: [`Simulation::press`].
    Keys,
    /// It is over.
    Over,
}

/// One call on its way.
pub struct Simulation<'s> {
    config: Arc<Config>,
    client: ClientIndex,
    /// Who calls, and when.
    from: Arc<str>,
    at: i64,
    machine: Machine,
    now: Time,
    answers: Answers,
    values: Values,
    replies: Vec<Reply>,
    /// How many of them were given.
    replied: usize,
    broken: BTreeSet<String>,
    recording_breaks: Option<Duration>,
    /// How long a WAV lasts.
    length: &'s dyn Fn(&str) -> Duration,
    agenda: Agenda,
    play: Option<Play>,
    /// What is to be left in a mailbox: how long the caller speaks there, and what becomes of it.
    spoken: Option<(Duration, MessageResult)>,
    /// Whether the caller has made up its mind about the keys that the flow wants now.
    decided: bool,
    /// Who ended the call, once somebody has; a flow may have something to do after that.
    ended: Option<Ended>,
    /// The step whose effects are being carried out.
    current: Option<StepIndex>,
    path: Path,
}

/// Whoever hears the same for ever, or is in a room, hangs up after that time.
const PATIENCE: Duration = Duration::from_secs(60);
/// A call that lasts longer runs in circles: the caller hangs up.
const LONGEST: Duration = Duration::from_secs(3_600);
/// From the end of a prompt to the first key, and from key to key.
const THINKS: Duration = Duration::from_secs(1);
const TYPES: Duration = Duration::from_millis(300);
/// Until a server has answered.
const REPLIES: Duration = Duration::from_millis(200);

/// What happens by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Due {
    Answered,
    Played {
        play: u32,
        failed: bool,
    },
    Digit(char),
    Connected {
        talk: Duration,
    },
    DialEnded(DialResult),
    Served {
        waited: Duration,
        talk: Duration,
    },
    QueueEnded(QueueResult),
    CallbackDone(CallbackResult),
    AgentDone(bool),
    KvDone(KvResult),
    MailboxDone(MailboxResult),
    MessageEnded(MessageResult),
    Replied {
        number: u32,
        reply: Reply,
    },
    RoomEnded(ConferenceResult),
    RecordingBreaks,
    HangsUp,
    /// Of hearing the same for ever, or of a room.
    LosesPatience,
}

/// What happens when; of what is due at once, the first that was noted.
#[derive(Default)]
struct Agenda(Vec<(Time, Due)>);

impl Agenda {
    fn add(&mut self, at: Time, due: Due) {
        self.0.push((at, due));
    }

    fn next(&self) -> Option<Time> {
        self.0.iter().map(|(at, _)| *at).min()
    }

    fn take(&mut self, at: Time) -> Option<Due> {
        let place = self.0.iter().position(|(due, _)| *due == at)?;
        Some(self.0.remove(place).1)
    }

    fn cancel(&mut self, is_it: impl Fn(&Due) -> bool) {
        self.0.retain(|(_, due)| !is_it(due));
    }

    fn has(&self, is_it: impl Fn(&Due) -> bool) -> bool {
        self.0.iter().any(|(_, due)| is_it(due))
    }
}

/// Prompts that are being heard.
struct Play {
    /// Where it is noted, of the path's lines.
    line: usize,
    /// When each begins.
    prompts: Vec<(Time, Arc<str>)>,
}

/// The flow of a number, as a node finds it: for a user among its client's numbers and those of others.
///
/// # Errors
/// Nobody's number; with the nearest that is one.
pub fn called(config: &Config, number: &str, source: &str) -> Result<(ClientIndex, FlowIndex), String> {
    let user = config.user(source);
    let found = match &user {
        Some(user) => config.called_by_user(user.client, number).map(|flow| (user.client, flow)),
        None => config.number(config.trunk(source), number),
    };
    found.ok_or_else(|| {
        let hint = match nearest(&crate::number::key(number), config.numbers.keys().map(String::as_str)) {
            Some(known) => format!("did you mean {known}?"),
            None => {
                let mut known: Vec<_> = config.numbers.keys().map(String::as_str).collect();
                known.sort_unstable();
                format!("there are {}", known.join(", "))
            }
        };
        format!("{number} is no number here; {hint}")
    })
}

/// The moment that a text names, `2026-12-25T10:00`: in the zone of the client's first calendar, or UTC if it has none.
///
/// # Errors
/// It names none; with what to write.
pub fn moment_of(config: &Config, client: ClientIndex, text: &str) -> Result<i64, String> {
    moment(text, &zone(config, client)).ok_or_else(|| format!("`{text}` is no moment: {MOMENT}"))
}

pub(crate) fn zone(config: &Config, client: ClientIndex) -> TimeZone {
    config.client(client).program.calendars.first().map_or(TimeZone::UTC, |calendar| calendar.zone().clone())
}

impl<'s> Simulation<'s> {
    /// A call that has come in, before its first step. `length` is how long a WAV lasts.
    pub fn new(
        config: &Arc<Config>,
        (client, flow): (ClientIndex, FlowIndex),
        call: &SimulatedCall,
        script: Script,
        length: &'s dyn Fn(&str) -> Duration,
    ) -> Self {
        let info = CallInfo {
            from: normalized(&call.from).into(),
            to: normalized(&call.number).into(),
            source: call.source.as_str().into(),
            diverted_by: call.diverted_by.as_str().into(),
            verstat: call.verstat,
            attestation: call.attestation,
            unix_micros_at_zero: call.at,
            seed: call.seed,
        };
        let mut agenda = Agenda::default();
        agenda.add(Time::ZERO + script.hangs_up.unwrap_or(LONGEST), Due::HangsUp);
        let mut simulation = Self {
            config: Arc::clone(config),
            client,
            from: Arc::clone(&info.from),
            at: call.at,
            machine: Machine::new(Arc::clone(config), client, flow, info),
            now: Time::ZERO,
            answers: Answers::new(script.answers),
            values: Values::new(script.values),
            replies: script.replies,
            replied: 0,
            broken: script.broken,
            recording_breaks: script.recording_breaks,
            length,
            agenda,
            play: None,
            spoken: None,
            decided: false,
            ended: None,
            current: None,
            path: Path::default(),
        };
        simulation.input(MachineInput::Start);
        simulation
    }

    /// Takes the call to its end with what a caller does each time that it is asked for keys; then it presses nothing more.
    pub fn run(mut self, presses: &[Press]) -> Path {
        let mut presses = presses.iter();
        while self.advance() == Pause::Keys {
            self.press(presses.next().unwrap_or(&Press::Nothing));
        }
        self.path
    }

    /// Lets time pass until the flow wants keys or is over.
    pub fn advance(&mut self) -> Pause {
        loop {
            if self.machine.is_over() && self.path.ended.is_none() {
                self.finish();
            }
            if self.path.ended.is_some() {
                return Pause::Over;
            }
            let is_busy = self.play.is_some() || self.agenda.has(|due| matches!(due, Due::Digit(_)));
            if self.machine.wants_keys() && !self.decided && !is_busy {
                return Pause::Keys;
            }
            self.step();
        }
    }

    /// Does what a caller does about the keys that the flow wants.
    pub fn press(&mut self, press: &Press) {
        self.decided = true;
        match press {
            Press::Nothing => {}
            Press::HangUp => self.hang_up(),
            Press::Keys(keys) => {
                let mut at = self.now + THINKS;
                for key in keys.chars() {
                    self.agenda.add(at, Due::Digit(key));
                    at += TYPES;
                }
            }
        }
    }

    /// The way so far.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next thing happens: by itself, or because the flow's own time is up.
    fn step(&mut self) {
        // The agenda always has the moment at which the caller hangs up.
        let own = self.agenda.next().unwrap_or(self.now);
        match self.machine.next_timeout() {
            Some(until) if until < own => {
                self.now = self.now.max(until);
                self.handle(|machine, now, out| machine.handle_timeout(now, out));
            }
            _ => {
                self.now = self.now.max(own);
                match self.agenda.take(own) {
                    Some(due) => self.happens(due),
                    None => self.hang_up(),
                }
            }
        }
    }

    fn happens(&mut self, due: Due) {
        match due {
            Due::Answered => self.input(MachineInput::Answered),
            Due::Played { play, failed } => {
                self.heard();
                self.input(MachineInput::PlayEnded { play, failed: failed.then(|| "broken".to_owned()) });
            }
            Due::Digit(key) => self.input(MachineInput::Digit(key)),
            Due::Connected { talk } => {
                self.note(Note::Spoke { seconds: talk.as_secs() });
                self.input(MachineInput::Answered);
            }
            Due::DialEnded(result) => self.input(MachineInput::DialEnded(result)),
            Due::Served { waited, talk } => {
                self.note(Note::Served { seconds: waited.as_secs() });
                self.note(Note::Spoke { seconds: talk.as_secs() });
                self.input(MachineInput::Served);
            }
            Due::QueueEnded(result) => self.input(MachineInput::QueueEnded(result)),
            Due::CallbackDone(result) => self.input(MachineInput::CallbackDone(result)),
            Due::AgentDone(done) => self.input(MachineInput::AgentDone(done)),
            Due::Replied { number, reply } => {
                self.input(MachineInput::HttpEnded { number, result: reply.into() });
            }
            Due::KvDone(result) => self.input(MachineInput::KvDone(result)),
            Due::MailboxDone(result) => self.input(MachineInput::MailboxDone(result)),
            Due::MessageEnded(result) => {
                self.spoken = None;
                self.note_where_it_waits(Note::Leaves { result });
                self.input(MachineInput::MessageEnded(result));
            }
            Due::RoomEnded(result) => self.input(MachineInput::ConferenceEnded(result)),
            Due::RecordingBreaks => self.input(MachineInput::RecordFailed("broken".to_owned())),
            Due::HangsUp | Due::LosesPatience => self.hang_up(),
        }
    }

    fn hang_up(&mut self) {
        self.heard();
        if self.ended.is_some() {
            return self.finish();
        }
        self.ended = Some(Ended::Caller);
        self.note(Note::HangsUp);
        self.input(MachineInput::HungUp);
    }

    /// The flow ends the call, and learns that the caller has gone as it would from whoever carries that out.
    fn dismiss(&mut self, ended: Ended) {
        self.ended = Some(ended);
        self.input(MachineInput::HungUp);
    }

    fn input(&mut self, input: MachineInput) {
        self.handle(|machine, now, out| machine.handle(now, input, out));
    }

    fn handle(&mut self, step: impl FnOnce(&mut Machine, Time, &mut Vec<Effect>)) {
        self.current = self.waits_at();
        let mut effects = Vec::new();
        step(&mut self.machine, self.now, &mut effects);
        for effect in effects {
            self.effect(effect);
        }
    }

    fn waits_at(&self) -> Option<StepIndex> {
        self.machine.place().map(|Pc(place)| StepIndex(place))
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Answer => {
                self.note_where_it_waits(Note::Answered);
                self.agenda.add(self.now, Due::Answered);
            }
            Effect::Ring => self.note(Note::HearsRinging),
            Effect::EarlyMedia => self.note_where_it_waits(Note::HearsUnanswered),
            Effect::Reject { status, reason } => self.dismiss(Ended::Rejected { status, reason }),
            Effect::Hangup => self.dismiss(Ended::Flow),
            Effect::Play { play, files, times } => self.play(play, &files, times),
            Effect::StopPlay { play } => {
                self.heard();
                self.agenda.cancel(|due| matches!(due, Due::Played { play: of, .. } if *of == play));
                self.agenda.cancel(|due| *due == Due::LosesPatience);
            }
            Effect::Dial { targets, mode, timeout, .. } => {
                let rings = self.answers.ring(&targets, mode, timeout);
                for (target, answer) in rings.rung {
                    self.note_where_it_waits(Note::Rings { target, answer });
                }
                if let Some(after) = rings.answered {
                    let talk = rings.over.saturating_sub(after);
                    self.agenda.add(self.now + after, Due::Connected { talk });
                }
                self.agenda.add(self.now + rings.over, Due::DialEnded(rings.result));
            }
            Effect::CancelDial => {
                self.agenda.cancel(|due| matches!(due, Due::Connected { .. } | Due::DialEnded(_)));
            }
            Effect::Enqueue(order) => self.enqueue(&order.queue),
            Effect::LeaveQueue => {
                if self.ended.is_none() {
                    self.note(Note::LeavesQueue);
                }
                self.agenda
                    .cancel(|due| matches!(due, Due::Served { .. } | Due::DialEnded(_) | Due::QueueEnded(_)));
            }
            Effect::CallBack { queue, number, .. } => {
                let result = self.answers.call_back();
                let kept = result == CallbackResult::Kept;
                self.note_where_it_waits(Note::CallsBack { queue, number, kept });
                self.agenda.add(self.now, Due::CallbackDone(result));
            }
            Effect::Agent { action, .. } => {
                let done = self.answers.agent();
                self.note_where_it_waits(Note::Agent { action, done });
                self.agenda.add(self.now, Due::AgentDone(done));
            }
            Effect::Http { number, request, waits } => self.ask(number, &request, waits),
            Effect::Kv(order) => {
                let result = self.values.obey(&order, self.now);
                self.note_where_it_waits(Note::Keeps { order });
                self.agenda.add(self.now, Due::KvDone(result));
            }
            Effect::Mailbox(order) => self.mailbox(order),
            Effect::TakeMessage(message) => {
                let (length, result) = self.spoken.unwrap_or((Duration::ZERO, MessageResult::Failed));
                self.agenda.add(self.now + length + message.silence, Due::MessageEnded(result));
            }
            Effect::EndMessage => {
                self.agenda.cancel(|due| matches!(due, Due::MessageEnded(_)));
                if let Some((_, result)) = self.spoken {
                    self.agenda.add(self.now, Due::MessageEnded(result));
                }
            }
            Effect::CancelHttp { number } => {
                self.agenda.cancel(|due| matches!(due, Due::Replied { number: of, .. } if *of == number));
            }
            Effect::Conference { room, .. } => match self.answers.enter(&room) {
                Some((after, result)) => {
                    self.note_where_it_waits(Note::Room { room });
                    self.agenda.add(self.now + after, Due::RoomEnded(result));
                }
                None => {
                    self.note_where_it_waits(Note::Room { room });
                    self.agenda.add(self.now + PATIENCE, Due::LosesPatience);
                }
            },
            Effect::ToggleMute => self.note(Note::Mutes),
            Effect::LeaveConference => {
                self.note(Note::LeavesRoom);
                self.agenda.cancel(|due| matches!(due, Due::RoomEnded(_) | Due::LosesPatience));
            }
            Effect::Record => {
                self.note(Note::Records);
                if let Some(after) = self.recording_breaks {
                    self.agenda.add(self.now + after, Due::RecordingBreaks);
                }
            }
            Effect::StopRecording => {
                self.note(Note::StopsRecording);
                self.agenda.cancel(|due| *due == Due::RecordingBreaks);
            }
            Effect::RecordConsent { given } => self.note(Note::Consents { given }),
            Effect::HushRecording { how } => self.note(Note::HushesRecording { hushed: how.is_some() }),
            Effect::Step { place, .. } => {
                (self.decided, self.current) = (false, Some(place));
                self.path.taken.push((place, None));
                self.begin_line(place);
            }
            Effect::Branch { branch, place, .. } => {
                self.decided = false;
                if let Some(place) = place {
                    self.current = Some(place);
                    self.path.taken.push((place, Some(Arc::clone(&branch))));
                    self.line_of(place);
                }
                self.note(Note::Branch { branch });
            }
            Effect::Digit { digit } => self.note_at(self.current, Note::Presses { key: digit }),
        }
    }

    /// A server is asked, and answers by the next of the script's replies, the last of which stays.
    fn ask(&mut self, number: u32, request: &HttpRequest, waits: bool) {
        let reply = self.replies.get(self.replied).or(self.replies.last());
        let reply = reply.cloned().unwrap_or_else(|| Reply::plain(200));
        self.replied += 1;
        let note = Note::Asks { request: request.to_string(), reply: reply.word() };
        if waits {
            self.note_where_it_waits(note);
            let after = if reply == Reply::TimedOut { request.within } else { REPLIES };
            self.agenda.add(self.now + after, Due::Replied { number, reply });
        } else {
            self.note(note);
        }
    }

    /// Whether what plays for ever fills the time until a server has answered.
    fn is_filler(&self) -> bool {
        let program = &self.config.client(self.client).program;
        self.machine.place().is_some_and(|pc| matches!(program.instruction(pc).verb, Verb::Http(_)))
    }

    /// The caller waits in a queue until an agent has it, or for nothing.
    fn enqueue(&mut self, queue: &Arc<str>) {
        let client = self.config.client(self.client);
        let plan = self.config.queue(&client.id, queue).map(|queue| &queue.plan);
        let waits = self.answers.wait(queue, plan);
        self.note_where_it_waits(Note::Waits { queue: Arc::clone(queue) });
        match waits {
            Waits::Served { after, talk } => {
                self.agenda.add(self.now + after, Due::Served { waited: after, talk });
                self.agenda.add(self.now + after + talk, Due::DialEnded(DialResult::Done));
            }
            Waits::InVain { after, result } => self.agenda.add(self.now + after, Due::QueueEnded(result)),
        }
    }

    /// Prompts begin: each is heard from when it begins, and the first that is broken ends all.
    fn play(&mut self, number: u32, files: &[Arc<str>], times: Option<u32>) {
        if let Some(place) = self.waits_at() {
            self.line_of(place);
        }
        let mut begins = self.now;
        let mut prompts = Vec::new();
        let mut broken = None;
        let rounds = (0..times.unwrap_or(1)).flat_map(|_| files);
        for file in rounds {
            let prompt = prompt_name(file, &self.config.client(self.client).program.languages);
            if self.broken.contains(&*prompt) {
                broken = Some(prompt);
                break;
            }
            prompts.push((begins, prompt));
            begins += (self.length)(file);
        }
        if let Some(prompt) = &broken {
            self.note_where_it_waits(Note::Broken { prompt: Arc::clone(prompt) });
        }
        if times.is_none() && self.is_filler() {
            prompts.clear();
        } else if times.is_none() && broken.is_none() {
            // A tone for a while ends by itself.
            if self.machine.next_timeout().is_none() {
                self.agenda.add(self.now + PATIENCE, Due::LosesPatience);
            }
        } else {
            self.agenda.add(begins, Due::Played { play: number, failed: broken.is_some() });
        }
        self.play = Some(Play { line: self.path.lines.len().saturating_sub(1), prompts });
    }

    /// What plays is over: what has begun of it was heard.
    fn heard(&mut self) {
        let Some(play) = self.play.take() else { return };
        for (begins, prompt) in play.prompts {
            if let (true, Some(line)) = (begins < self.now, self.path.lines.get_mut(play.line)) {
                line.notes.push(Note::Hears { prompt });
            }
        }
    }

    fn finish(&mut self) {
        let program = &self.config.client(self.client).program;
        let names = program.scopes[SHARED].iter().map(|(name, _)| name);
        let value = |name: &Arc<str>| Some((Arc::clone(name), self.machine.variable(name)?));
        self.path.variables = names.filter_map(value).collect();
        self.path.took = self.now;
        self.path.ended = Some(self.ended.take().unwrap_or(Ended::Caller));
    }

    /// Notes something of the last line.
    fn note(&mut self, note: Note) {
        if let Some(line) = self.path.lines.last_mut() {
            line.notes.push(note);
        }
    }

    /// Notes something of the step that waits for it: the machine is there already when it says what is to be done.
    fn note_where_it_waits(&mut self, note: Note) {
        self.note_at(self.waits_at(), note);
    }

    fn note_at(&mut self, place: Option<StepIndex>, note: Note) {
        if let Some(place) = place {
            self.line_of(place);
        }
        self.note(note);
    }

    /// Makes a step's line the last one.
    fn line_of(&mut self, place: StepIndex) {
        if self.path.lines.last().is_none_or(|line| line.place != place) {
            self.begin_line(place);
        }
    }

    fn begin_line(&mut self, place: StepIndex) {
        let program = &self.config.client(self.client).program;
        let instruction = program.instruction(Pc(place.0));
        if instruction.step.is_empty() {
            return;
        }
        self.path.lines.push(Line {
            at: self.now,
            flow: Arc::clone(&program.flows[instruction.flow.0].name),
            step: Arc::clone(&instruction.step),
            file: Arc::clone(&instruction.file),
            line: instruction.line,
            notes: Vec::new(),
            place,
        });
    }
}

/// A prompt's name, of its WAV's path; with the folder of its language, `de/20`.
fn prompt_name(path: &str, languages: &[Arc<str>]) -> Arc<str> {
    let bare = path.strip_suffix(".wav").unwrap_or(path);
    let (folders, name) = bare.rsplit_once('/').unwrap_or(("", bare));
    let folder = folders.rsplit('/').next().unwrap_or(folders);
    // A step may say something in a language that no call of the client is in.
    let is_language =
        languages.iter().any(|known| **known == *folder) || spoken::Language::of(folder).is_some();
    if is_language { format!("{folder}/{name}").into() } else { name.into() }
}
