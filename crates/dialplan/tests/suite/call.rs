//! A caller on a virtual clock, and what the machine did for it as text.

use crate::support::{NODE, input};
use clock::{Duration, Time};
use dialplan::{
    CallInfo, CallerId, DialMode, DialResult, Effect, Input, Machine, MachineInput, Ringback, load,
};
use std::sync::Arc;

/// A call to number 100, with the effects so far not looked at yet.
pub(crate) struct Call {
    machine: Machine,
    now: Time,
    out: Vec<Effect>,
}

impl Call {
    /// A call to number 100 of a client, at 2026-11-23 16:00 UTC, a Monday; its flow has begun.
    pub(crate) fn new(client: &str) -> Self {
        // date -u -d '2026-11-23 16:00' +%s
        Self::at(client, 1_795_449_600)
    }

    /// A call that draws its lots by a seed.
    pub(crate) fn seeded(client: &str, seed: u64) -> Self {
        Self::begun(client, 1_795_449_600, seed)
    }

    /// A call at another moment, in seconds since 1970.
    pub(crate) fn at(client: &str, unix: i64) -> Self {
        Self::begun(client, unix, 7)
    }

    fn begun(client: &str, unix: i64, seed: u64) -> Self {
        Self::of(&input(NODE, client), unix, seed)
    }

    /// A call to a node with these files.
    pub(crate) fn of(input: &Input, unix: i64, seed: u64) -> Self {
        let config = load(input).unwrap_or_else(|report| panic!("{report}"));
        let (client, flow) = config.number(None, "100").expect("number 100");
        let info = CallInfo {
            from: "+34600111222".into(),
            to: "100".into(),
            source: "carrier".into(),
            diverted_by: "+34933".into(),
            verstat: dialplan::Verstat::Passed,
            attestation: Some(dialplan::Attestation::B),
            unix_micros_at_zero: unix * 1_000_000,
            seed,
        };
        let machine = Machine::new(Arc::new(config), client, flow, info);
        let mut call = Self { machine, now: Time::ZERO, out: Vec::new() };
        call.input(MachineInput::Start);
        call
    }

    /// A call to a flow `main` of these steps, which is answered.
    pub(crate) fn answered(steps: &str) -> Self {
        let mut call = Self::new(&flow(&format!("- answer\n{steps}")));
        assert_eq!(call.next(), "3 answer | answered");
        call.input(MachineInput::Answered);
        call
    }

    pub(crate) fn input(&mut self, input: MachineInput) {
        self.machine.handle(self.now, input, &mut self.out);
        let wait_is_bounded = self.machine.is_over() || self.machine.next_timeout() != Some(Time::ZERO);
        assert!(wait_is_bounded, "a deadline in the past");
    }

    pub(crate) fn keys(&mut self, keys: &str) {
        for key in keys.chars() {
            self.input(MachineInput::Digit(key));
        }
    }

    /// The play of that number ends by itself.
    pub(crate) fn played(&mut self, play: u32) {
        self.input(MachineInput::PlayEnded { play, failed: None });
    }

    pub(crate) fn dial_ended(&mut self, result: DialResult) {
        self.input(MachineInput::DialEnded(result));
    }

    /// Time passes, and every deadline within it is met.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.machine.next_timeout().filter(|due| *due <= end) {
            self.now = due;
            self.machine.handle_timeout(due, &mut self.out);
        }
        self.now = end;
    }

    /// Whether the keys that are asked for are secret, and whether what is heard tells a value.
    pub(crate) fn secrets(&self) -> (bool, bool) {
        (self.machine.is_secret(), self.machine.says_value())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.machine.is_over()
    }

    /// What was done since it was last asked, `line step | effect | …`.
    pub(crate) fn next(&mut self) -> String {
        self.out.drain(..).map(|effect| text(&effect)).collect::<Vec<_>>().join(" | ")
    }
}

/// A client with number 100, user alice and bob, and one flow.
pub(crate) fn flow(steps: &str) -> String {
    let steps: String = steps.lines().map(|line| format!("    {line}\n")).collect();
    let rest = "numbers: {100: main}\nusers: {alice: {password: a}, bob: {password: b}}\n";
    format!("flows:\n  main:\n{steps}{rest}")
}

fn text(effect: &Effect) -> String {
    match effect {
        Effect::Answer => "answered".into(),
        Effect::Ring => "ringing".into(),
        Effect::EarlyMedia => "early media".into(),
        Effect::Reject { status, reason } => format!("reject {status} {reason}"),
        Effect::Hangup => "hang up".into(),
        Effect::Play { play, files, times } => {
            let names: Vec<&str> = files.iter().map(|file| name(file)).collect();
            let times = match times {
                Some(1) => String::new(),
                Some(times) => format!(" {times} times"),
                None => " forever".into(),
            };
            format!("play#{play} {}{times}", names.join(","))
        }
        Effect::StopPlay { play } => format!("stop#{play}"),
        Effect::Dial { targets, mode, timeout, ringback, caller_id } => {
            let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
            let mode = match mode {
                DialMode::Parallel => "at once",
                DialMode::Sequential => "in turn",
            };
            let heard = match ringback {
                Ringback::Far => String::new(),
                Ringback::Tone => " with a tone".into(),
                Ringback::Prompt(file) => format!(" with {}", name(file)),
            };
            let shown = match caller_id {
                None => String::new(),
                Some(CallerId::Withheld) => " withheld".into(),
                Some(CallerId::Number(number)) => format!(" as {number}"),
            };
            format!("ring {} {mode} {timeout:?}{heard}{shown}", targets.join(","))
        }
        Effect::CancelDial => "stop ringing".into(),
        Effect::Mailbox(order) => format!("{order:?}"),
        Effect::TakeMessage(message) => format!("take a message for {}", message.mailbox),
        Effect::EndMessage => "end the message".into(),
        Effect::Conference { room, max, muted, music, enter, leave } => {
            let prompt =
                |file: &Option<Arc<str>>| file.as_ref().map_or("-".to_owned(), |it| name(it).to_owned());
            let prompts = [music, enter, leave].map(prompt).join("/");
            format!("conference {room} of {max}{} {prompts}", if *muted { " muted" } else { "" })
        }
        Effect::Enqueue(order) => {
            let wants: Vec<String> = order
                .wants
                .required
                .iter()
                .map(|any| {
                    let any: Vec<_> = any.iter().map(|it| format!("{}>={}", it.skill, it.level)).collect();
                    any.join("|")
                })
                .collect();
            let last =
                order.last_agent.as_ref().map_or(String::new(), |(agent, wait)| format!(" {agent} {wait:?}"));
            format!("queue {} {} [{}]{last}", order.queue, order.priority, wants.join(" "))
        }
        Effect::LeaveQueue => "leave the queue".into(),
        Effect::CallBack { queue, number, language } => {
            format!("call back {number} from {queue} in {language}")
        }
        Effect::Agent { action, agent, pin } => format!("agent {agent:?} {pin:?} {action:?}"),
        Effect::Http { number, request, waits } => {
            let headers = request.headers.iter().map(|(name, words)| format!(" {name}: {words:?}"));
            let headers = headers.collect::<String>().replace("\"", "").replace("Text(", "(");
            let retries =
                if request.retries > 0 { format!(" {} more", request.retries) } else { String::new() };
            format!("{}#{number} {request}{retries}{headers}", if *waits { "ask" } else { "tell" })
        }
        Effect::Kv(order) => format!("{order:?}").replace('"', ""),
        Effect::CancelHttp { number } => format!("nobody asks#{number}"),
        Effect::ToggleMute => "mute".into(),
        Effect::LeaveConference => "leave".into(),
        Effect::Record => "recording".into(),
        Effect::StopRecording => "recording stopped".into(),
        Effect::Step { step, line, .. } => format!("{line} {step}"),
        Effect::Branch { verb, branch, .. } => format!("{verb}:{branch}"),
        Effect::RecordConsent { given } => format!("consent {given}"),
        Effect::HushRecording { how } => format!("hush {how:?}"),
        Effect::Digit { digit } => format!("key {digit}"),
    }
}

fn name(path: &str) -> &str {
    path.trim_start_matches("acme/prompts/").trim_end_matches(".wav")
}
