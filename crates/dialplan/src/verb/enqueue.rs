//! `enqueue`: the caller waits in a queue of its client until an agent has it.

use super::codes::{self, Typed};
use super::{Step, Verb};
use crate::agents::is_skill;
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type, Value as Found};
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{Effect, Enqueue as Order, Event, Next, QueueResult, Turn, Wait};
use crate::program::Pc;
use crate::yaml::{Node, Value};
use acd::{Need, Wants};
use clock::Duration;
use std::sync::Arc;

/// How long the agent of before is waited for where nothing else is said.
const LAST_AGENT_WAIT: Duration = Duration::from_secs(20);
const HIGHEST_LEVEL: u8 = 10;

#[derive(Debug)]
pub(crate) struct Enqueue {
    /// Its name within the client.
    queue: Arc<str>,
    priority: Option<Expression>,
    wants: Wants,
    last_agent: Option<Expression>,
    last_agent_wait: Duration,
    keys: Vec<(String, Pc)>,
    full: Pc,
    no_agents: Pc,
    timeout: Pc,
    /// Behind a talk with an agent who has hung up; without a branch the call ends.
    done: Option<Pc>,
}

impl Enqueue {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        const KNOWN: [&str; 11] = [
            "queue",
            "priority",
            "skills",
            "prefer",
            "last_agent",
            "last_agent_wait",
            "keys",
            "full",
            "no_agents",
            "timeout",
            "done",
        ];
        let argument = step.argument(compiler)?;
        if let Value::Scalar { .. } = argument.value {
            let queue = compiler.queue(argument)?;
            let target = queue.to_string();
            return Some((Verb::Enqueue(Box::new(Self::plain(queue, next))), target));
        }
        let fields = Fields::of(argument, step.at, "`enqueue`", &KNOWN, compiler.faults)?;
        let named = fields.require("queue", compiler.faults)?;
        let queue = compiler.queue(named)?;
        let target = queue.to_string();
        let faults = &mut *compiler.faults;
        let priority = fields.get("priority").and_then(|it| Expression::parse(it, "`priority`", faults));
        let last_agent =
            fields.get("last_agent").and_then(|it| Expression::parse(it, "`last_agent`", faults));
        let wait = fields.get("last_agent_wait");
        let wait = wait.and_then(|it| it.duration("`last_agent_wait`", compiler.faults));
        let required = fields.get("skills").map_or_else(Vec::new, |it| required(it, compiler.faults));
        let preferred = fields.get("prefer").map_or_else(Vec::new, |it| preferred(it, compiler.faults));
        let keys = codes::read(fields.get("keys"), next, compiler);
        codes::clashes("a queue", None, None, &keys, step, compiler);
        let enqueue = Self {
            priority,
            wants: Wants { required, preferred },
            last_agent,
            last_agent_wait: wait.unwrap_or(LAST_AGENT_WAIT),
            keys,
            full: compiler.branch(fields.get("full"), next).unwrap_or(next),
            no_agents: compiler.branch(fields.get("no_agents"), next).unwrap_or(next),
            timeout: compiler.branch(fields.get("timeout"), next).unwrap_or(next),
            done: compiler.branch(fields.get("done"), next),
            ..Self::plain(queue, next)
        };
        Some((Verb::Enqueue(Box::new(enqueue)), target))
    }

    fn plain(queue: Arc<str>, next: Pc) -> Self {
        Self {
            queue,
            priority: None,
            wants: Wants::default(),
            last_agent: None,
            last_agent_wait: LAST_AGENT_WAIT,
            keys: Vec::new(),
            full: next,
            no_agents: next,
            timeout: next,
            done: None,
        }
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        let typed = [("priority", &self.priority, Type::Int), ("last_agent", &self.last_agent, Type::Text)];
        for (name, expression, wanted) in typed {
            let Some(expression) = expression else { continue };
            let found = expression.check(scope, faults);
            if let Some(found) = found.filter(|found| *found != wanted) {
                faults.error(expression.span(), format!("`{name}` is {found}, and has to be {wanted}"));
            }
        }
    }

    /// The queue's name within the client.
    pub(crate) fn queue(&self) -> &str {
        &self.queue
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        let ends = [Some(self.timeout), Some(self.full), Some(self.no_agents), self.done];
        ends.into_iter().flatten().chain(self.keys.iter().map(|(_, pc)| *pc)).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        // What is pressed from here on is meant for the queue.
        turn.call.typed_ahead.clear();
        let value = |expression: &Option<Expression>| turn.value(expression.as_ref()?).ok();
        let priority = match value(&self.priority) {
            Some(Found::Int(points)) => i32::try_from(points).unwrap_or(i32::MAX),
            _ => 0,
        };
        let last_agent = match value(&self.last_agent) {
            Some(Found::Text(agent)) if !agent.is_empty() => Some((agent, self.last_agent_wait)),
            _ => None,
        };
        turn.out.push(Effect::Enqueue(Box::new(Order {
            queue: Arc::clone(&self.queue),
            priority,
            wants: self.wants.clone(),
            last_agent,
            language: turn.language(),
        })));
        Next::Wait(Wait::Queue(Typed::default()))
    }

    pub(super) fn resume(&self, typed: Typed, event: Event, turn: &mut Turn<'_>) -> Next {
        let (branch, to) = match event {
            Event::Digit(digit) => return self.press(typed, digit, turn),
            Event::QueueEnded(QueueResult::Full) => ("full", self.full),
            Event::QueueEnded(QueueResult::NoAgents) => ("no_agents", self.no_agents),
            Event::QueueEnded(QueueResult::TimedOut) => ("timeout", self.timeout),
            Event::Timeout => return Next::Wait(Wait::Queue(Typed::default())),
            _ => return Next::Wait(Wait::Queue(typed)),
        };
        turn.branch("enqueue", branch);
        Next::Go(to)
    }

    /// The agent has hung up.
    pub(super) fn served(&self, turn: &mut Turn<'_>) -> Next {
        turn.branch("enqueue", "done");
        self.done.map_or_else(|| turn.hang_up(), Next::Go)
    }

    fn press(&self, typed: Typed, digit: char, turn: &mut Turn<'_>) -> Next {
        let code = match typed.press(digit, turn.now, self.keys.iter().map(|(code, _)| code.as_str())) {
            Ok(code) => code,
            Err(wait) => return Next::Wait(Wait::Queue(wait)),
        };
        let branch = self.keys.iter().find(|(key, _)| *key == code).map_or(self.timeout, |(_, pc)| *pc);
        turn.branch("enqueue", &code);
        turn.out.push(Effect::LeaveQueue);
        Next::Go(branch)
    }
}

/// All of these; of a list within the list any one: `[fr, [billing, sales>=3]]`.
fn required(node: &Node, faults: &mut Faults<'_>) -> Vec<Vec<Need>> {
    node.items()
        .iter()
        .map(|item| item.items().iter().filter_map(|it| need(it, faults)).collect::<Vec<_>>())
        .filter(|any| !any.is_empty())
        .collect()
}

/// `fr`, or `fr>=3`.
fn need(node: &Node, faults: &mut Faults<'_>) -> Option<Need> {
    let text = node.text("a skill", faults)?;
    let (skill, level) = match text.split_once(">=") {
        None => (text, Some(1)),
        Some((skill, level)) => {
            let level = level.trim().parse::<u8>().ok();
            (skill.trim_end(), level.filter(|level| (1..=HIGHEST_LEVEL).contains(level)))
        }
    };
    let Some(level) = level else {
        let hint = "write a skill, or a skill and its least level from 1 to 10: fr>=3";
        faults.hinted(node.span, format!("`{text}` asks for no skill"), hint);
        return None;
    };
    is_skill(skill, node.span, faults).then(|| Need { skill: skill.into(), level })
}

fn preferred(node: &Node, faults: &mut Faults<'_>) -> Vec<Arc<str>> {
    let mut skills = Vec::new();
    for item in node.items() {
        if let Some(name) = item.text("a skill", faults)
            && is_skill(name, item.span, faults)
        {
            skills.push(name.into());
        }
    }
    skills
}
