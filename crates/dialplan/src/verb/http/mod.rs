//! `http`: asks a server, and goes on by what it answers.

mod extract;
mod filler;
mod request;

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::Scope;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::machine::{Effect, Event, HttpResult, Next, Turn, Wait};
use crate::program::Pc;
use crate::types::{Source, Write};
use crate::yaml::{Node, Value};
use extract::Extract;
use filler::Filler;
use request::Request;
use std::sync::Arc;

pub(crate) use filler::Asked;

#[derive(Debug)]
pub(crate) struct Http {
    /// `None` when it could not be read: what is extracted has its type all the same.
    request: Option<Request>,
    /// Whether the call waits for the answer.
    waits: bool,
    filler: Filler,
    extract: Vec<Extract>,
    /// Branches of answers, in the order in which they are written.
    status: Vec<(Status, String, Pc)>,
    timeout: Option<Pc>,
    invalid: Option<Pc>,
    /// What all take that have no branch.
    failed: Option<Pc>,
    next: Pc,
}

/// Which answers take a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// `404`.
    One(u16),
    /// `4xx`.
    Class(u16),
}

const KNOWN: [&str; 16] = [
    "url",
    "method",
    "headers",
    "json",
    "form",
    "within",
    "connect",
    "retries",
    "idempotent",
    "wait",
    "filler",
    "extract",
    "status",
    "timeout",
    "invalid",
    "failed",
];
/// What the answer of a request has, that nobody waits for.
const OF_ANSWERS: [&str; 6] = ["filler", "extract", "status", "timeout", "invalid", "failed"];

impl Http {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let fields = Fields::of(argument, step.at, "`http`", &KNOWN, compiler.faults)?;
        let waits = fields.get("wait").and_then(|node| node.flag("`wait`", compiler.faults)).unwrap_or(true);
        for name in OF_ANSWERS.iter().filter(|_| !waits) {
            if let Some((key, _)) = fields.entry(name) {
                let hint = "leave it out, or leave out `wait: false`";
                let message = format!("nobody waits for the answer: `{name}` says nothing");
                compiler.faults.hinted(key.span, message, hint);
            }
        }
        let request = Request::parse(step, &fields, compiler);
        let http = Self {
            waits,
            filler: Filler::parse(fields.entry("filler"), compiler),
            extract: extract::read(fields.get("extract"), compiler),
            status: statuses(fields.get("status"), next, compiler),
            timeout: compiler.branch(fields.get("timeout"), next),
            invalid: compiler.branch(fields.get("invalid"), next),
            failed: compiler.branch(fields.get("failed"), next),
            next,
            request,
        };
        let target = http.request.as_ref().map_or_else(String::new, Request::shown);
        Some((Verb::Http(Box::new(http)), target))
    }

    pub(super) fn writes(&self) -> Vec<Write<'_>> {
        let extracts = self.extract.iter();
        extracts.map(|it| Write { name: &it.name, at: it.at, source: Source::Typed(it.kind) }).collect()
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        if let Some(request) = &self.request {
            request.check(scope, faults);
        }
    }

    /// Whether the call waits for the answer.
    pub(crate) fn waits(&self) -> bool {
        self.waits
    }

    pub(super) fn may_fail(&self) -> bool {
        self.waits && self.failed.is_none()
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        let branches = [self.timeout, self.invalid, self.failed].into_iter().flatten();
        let status = self.status.iter().map(|(_, _, pc)| *pc);
        std::iter::once(self.next).chain(branches).chain(status).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        let Some(request) = self.request.as_ref().and_then(|request| request.write(turn)) else {
            return self.lead(("failed", None), turn);
        };
        let number = turn.ask();
        turn.out.push(Effect::Http { number, request: Arc::new(request), waits: self.waits });
        if !self.waits {
            return Next::Go(self.next);
        }
        Next::Wait(Wait::Http(self.filler.wait(number, turn)))
    }

    pub(super) fn resume(&self, asked: Asked, event: Event, turn: &mut Turn<'_>) -> Next {
        let result = match event {
            Event::HttpEnded(result) => result,
            Event::Timeout | Event::PlayEnded { .. } => {
                return Next::Wait(Wait::Http(self.filler.go_on(asked, &event, turn)));
            }
            _ => return Next::Wait(Wait::Http(asked)),
        };
        turn.out.extend(asked.playing().map(|play| Effect::StopPlay { play }));
        match result {
            HttpResult::TimedOut => self.lead(("timeout", self.timeout), turn),
            HttpResult::Failed => self.lead(("failed", None), turn),
            HttpResult::Answered { status, body } => self.answered(status, &body, turn),
        }
    }

    fn answered(&self, status: u16, body: &str, turn: &mut Turn<'_>) -> Next {
        let fits = |it: &Status| match it {
            Status::One(one) => *one == status,
            Status::Class(hundreds) => *hundreds == status / 100,
        };
        // What names one status counts before what names its class.
        let mut branches: Vec<_> = self.status.iter().filter(|(it, ..)| fits(it)).collect();
        branches.sort_by_key(|(it, ..)| matches!(it, Status::Class(_)));
        if let Some((_, name, branch)) = branches.first() {
            return self.lead((name, Some(*branch)), turn);
        }
        if status / 100 != 2 {
            return self.lead(("failed", None), turn);
        }
        match extract::values(&self.extract, body) {
            Some(values) => {
                values.into_iter().for_each(|(name, value)| turn.set(name, value));
                turn.branch("http", "ok");
                Next::Go(self.next)
            }
            None => self.lead(("invalid", self.invalid), turn),
        }
    }

    /// Goes by a branch, or by that of all that fails. What was to be had of the answer is not left from another one.
    fn lead(&self, (name, branch): (&str, Option<Pc>), turn: &mut Turn<'_>) -> Next {
        for extract in &self.extract {
            match &extract.default {
                Some(value) => turn.set(&extract.name, value.clone()),
                None => turn.clear(&extract.name),
            }
        }
        turn.branch("http", if branch.is_some() { name } else { "failed" });
        turn.failed(branch.or(self.failed), self.next)
    }
}

fn statuses(node: Option<&Node>, next: Pc, compiler: &mut Compiler<'_, '_>) -> Vec<(Status, String, Pc)> {
    let mut found = Vec::new();
    for (key, branch) in node.map_or(&[][..], |node| node.entries("`status`", compiler.faults)) {
        let read = match key.text.strip_suffix("xx") {
            Some(hundreds) => hundreds.parse().ok().filter(|it| (3..6).contains(it)).map(Status::Class),
            None => key.text.parse().ok().filter(|it| (200..600).contains(it)).map(Status::One),
        };
        let Some(status) = read else {
            let hint = "write one from 200 to 599, or 3xx, 4xx or 5xx for all of a kind";
            compiler.faults.hinted(key.span, format!("`{}` is no status of HTTP", key.text), hint);
            continue;
        };
        if matches!(branch.value, Value::Null) {
            compiler.branch(Some(branch), next);
            found.push((status, key.text.clone(), next));
        } else if let Some(pc) = compiler.branch(Some(branch), next) {
            found.push((status, key.text.clone(), pc));
        }
    }
    found
}
