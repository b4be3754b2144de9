//! From the YAML of a client's flows to its program.
//!
//! Steps are compiled from the last to the first, so that each knows its successor; only `goto` looks
//! forward, and is joined to its target at the end.

use crate::FlowIndex;
use crate::caller_id::CallerId;
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::flow::{Head, Input, is_variable};
use crate::hours::Calendar;
use crate::machine::{Site, Target};
use crate::mailboxes::{self, Mailbox};
use crate::names::Names;
use crate::program::{Branch, Flow, Handlers, Instruction, Pc, Program, SHARED};
use crate::prompts::Prompts;
use crate::table::Table;
use crate::types;
use crate::verb::{Return, Step, VERBS, Verb};
use crate::web;
use crate::words::Words;
use crate::yaml::{Key, Node, Value};
use jiff::tz::TimeZone;
use spoken::Kind;
use std::collections::HashMap;
use std::sync::Arc;

/// Compiles the flows of one client.
pub(crate) struct Compiler<'c, 'f> {
    pub(crate) faults: &'c mut Faults<'f>,
    names: &'c Names<'c>,
    heads: &'c [Head<'c>],
    code: Vec<Instruction>,
    flows: Vec<Flow>,
    flow: FlowIndex,
    /// By flow and name.
    labels: HashMap<(FlowIndex, String), (Pc, Span)>,
    jumps: Vec<Jump>,
    /// See [`Program::translations`].
    translations: HashMap<Arc<str>, Vec<Arc<str>>>,
    /// Steps of one list that follow each other.
    followers: Vec<(Pc, Pc)>,
    branches: Vec<Branch>,
    /// The steps that are being read, the innermost last: what stands behind the keys of each.
    open: Vec<(Pc, Keys)>,
}

/// The keys of a step by the values that they have, down to those of `keys` and `cases`: what its branches are called.
type Keys = HashMap<*const Node, Key>;

struct Jump {
    from: Pc,
    flow: FlowIndex,
    target: String,
    at: Span,
}

/// What came of the flows, before it is known whether all is well.
pub(crate) struct Compiled {
    pub(crate) program: Program,
    pub(crate) followers: Vec<(Pc, Pc)>,
}

/// Compiles flows: their names are unique, and every one is compiled whatever is wrong with another.
pub(crate) fn compile(
    flows: &[(Key, Node)],
    calendars: Vec<Calendar>,
    names: &Names<'_>,
    faults: &mut Faults<'_>,
) -> Compiled {
    let heads: Vec<Head<'_>> = flows.iter().map(|(key, node)| Head::read(key, node, faults)).collect();
    let mut compiler = Compiler {
        faults,
        names,
        heads: &heads,
        code: Vec::new(),
        flows: Vec::new(),
        flow: FlowIndex(0),
        labels: HashMap::new(),
        jumps: Vec::new(),
        translations: HashMap::new(),
        followers: Vec::new(),
        branches: Vec::new(),
        open: Vec::new(),
    };
    let mut scopes = SHARED..;
    let shared = scopes.next().unwrap_or(SHARED);
    for (index, head) in heads.iter().enumerate() {
        if index == 0 {
            compiler.emit(Verb::End, head.key.span, String::new());
        }
        let scope = if head.inputs.is_some() { scopes.next().unwrap_or(SHARED) } else { shared };
        compiler.flow = FlowIndex(index);
        compiler.compile(head, scope);
    }
    compiler.join();
    let Compiler { code, flows, translations, followers, branches, faults, .. } = compiler;
    let scopes = types::check(&code, &flows, names.complete, faults);
    let (handlers, languages) = (Handlers::default(), names.prompts.languages.clone());
    Compiled {
        program: Program { code, flows, calendars, branches, handlers, scopes, languages, translations },
        followers,
    }
}

impl Compiler<'_, '_> {
    fn compile(&mut self, head: &Head<'_>, scope: usize) {
        let Head { key, steps, inputs, on_error, on_hangup } = head;
        self.name(&key.text, "flow", key.span);
        if steps.is_some_and(|steps| steps.items().is_empty()) {
            let last = if inputs.is_some() { "return" } else { "hangup" };
            self.faults.hinted(key.span, "a flow without steps", format!("write at least `- {last}`"));
        }
        let end = match inputs {
            Some(_) => self.emit(Verb::Return(Return::END), key.span, String::new()),
            None => Pc::END,
        };
        let entry = steps.map_or(end, |steps| self.block(steps, end));
        // Behind the last step of what is done after the end, nothing of the flow goes on.
        let handlers =
            Handlers { on_error: self.branch(*on_error, end), on_hangup: self.branch(*on_hangup, Pc::END) };
        let name = key.text.as_str().into();
        self.flows.push(Flow { name, entry, scope, inputs: inputs.clone(), handlers });
    }

    /// Whether the steps being read are those of a sub-flow.
    pub(crate) fn in_sub_flow(&self) -> bool {
        self.heads[self.flow.0].inputs.is_some()
    }

    /// A flow that can be called, and what it takes.
    pub(crate) fn sub_flow(&mut self, name: &str, at: Span) -> Option<(FlowIndex, Vec<Input>)> {
        let Some(index) = self.heads.iter().position(|head| head.key.text == name) else {
            if self.names.complete {
                let callable = self.heads.iter().filter(|head| head.inputs.is_some());
                let known = callable.map(|head| head.key.text.as_str());
                self.faults.unknown(at, "unknown sub-flow {}", name, known);
            }
            return None;
        };
        let inputs = self.heads[index].inputs.clone();
        if inputs.is_none() {
            let message = format!("the flow `{name}` cannot be called: it does not come back");
            let hint = format!("write {name}: {{inputs: {{}}, steps: […]}}, or `- goto: {name}`");
            self.faults.hinted(at, message, hint);
        }
        Some((FlowIndex(index), inputs?))
    }

    /// Compiles a branch; `None` where there is none, so that a verb can have its own default.
    pub(crate) fn branch(&mut self, node: Option<&Node>, next: Pc) -> Option<Pc> {
        let node = node?;
        let to = self.block(node, next);
        if let Some((step, key)) =
            self.open.last().and_then(|(step, keys)| Some((*step, keys.get(&std::ptr::from_ref(node))?)))
        {
            let (name, line) = (key.text.as_str().into(), self.faults.line(key.span));
            self.branches.push(Branch { step, name, line, to });
        }
        Some(to)
    }

    /// Adds an instruction. One without a step text leaves no trace in the event log.
    pub(crate) fn emit(&mut self, verb: Verb, at: Span, step: String) -> Pc {
        let pc = Pc(self.code.len());
        self.code.push(Instruction {
            verb,
            flow: self.flow,
            step: step.into(),
            file: self.faults.path(at.file).into(),
            line: self.faults.line(at),
            at,
        });
        pc
    }

    /// Notes where a `goto` leads.
    pub(crate) fn jump(&mut self, from: Pc, target: &str, at: Span) {
        self.jumps.push(Jump { from, flow: self.flow, target: target.to_owned(), at });
    }

    /// Notes a label of the flow.
    pub(crate) fn label(&mut self, name: &str, pc: Pc, at: Span) {
        self.name(name, "label", at);
        if let Some((_, first)) = self.labels.insert((self.flow, name.to_owned()), (pc, at)) {
            self.faults.twice(first, at, &format!("the label `{name}`"));
        }
    }

    /// The prompts that there are.
    pub(crate) fn prompt_sets(&self) -> &Prompts {
        &self.names.prompts
    }

    /// The files of one prompt or a list of prompts in the client's language, and their names. What is played is that of the
    /// call's language: [`Turn::translated`](crate::machine::Turn::translated).
    pub(crate) fn prompts(&mut self, node: &Node) -> (Vec<Arc<str>>, String) {
        if node.items().is_empty() {
            self.faults.error(node.span, "no prompt is named");
        }
        let (mut files, mut names) = (Vec::new(), Vec::new());
        for item in node.items() {
            let Some(name) = item.text("a prompt", self.faults) else { continue };
            names.push(name);
            files.extend(self.prompt(name, item.span));
        }
        (files, names.join(","))
    }

    /// The file of a prompt in the client's language.
    pub(crate) fn prompt(&mut self, name: &str, at: Span) -> Option<Arc<str>> {
        let files = self.names.prompts.named(name, at, self.faults)?;
        self.translate(files)
    }

    /// Notes what a prompt is in each language, and gives its file in the first.
    fn translate(&mut self, files: Vec<Arc<str>>) -> Option<Arc<str>> {
        let first = files.first().cloned()?;
        self.translations.insert(Arc::clone(&first), files);
        Some(first)
    }

    /// The music of holds, where the system has some.
    pub(crate) fn music(&self) -> Option<Arc<str>> {
        self.names.prompts.first("hold").cloned()
    }

    /// A secret of this client.
    pub(crate) fn secret(&mut self, name: &str, at: Span) -> Option<Arc<str>> {
        let found = self.names.secrets.iter().find(|secret| *secret.name == *name);
        if found.is_none() && self.names.complete {
            let known = self.names.secrets.iter().map(|secret| &*secret.name);
            self.faults.unknown(at, "unknown secret {}", name, known);
        }
        found.map(|secret| Arc::clone(&secret.name))
    }

    /// A server that this client's flows may ask, as a URL names it.
    pub(crate) fn site(&mut self, authority: &str, is_secure: bool, at: Span) -> Option<Site> {
        let hosts = self.names.web.map_or(&[][..], |web| &web.hosts);
        let hosts = Some(hosts).filter(|_| self.names.complete);
        web::site((authority, is_secure), hosts, at, self.faults)
    }

    /// The words that a kind may need in a language.
    pub(crate) fn words(&mut self, code: &str, kind: Kind, at: Span) -> Option<Words> {
        Words::read(code, kind, at, &self.names.prompts, self.faults)
    }

    /// A calendar's place.
    pub(crate) fn calendar(&mut self, name: &str, at: Span) -> Option<usize> {
        let found = self.names.calendars.get(name).copied();
        if found.is_none() && self.names.complete {
            let known = self.names.calendars.keys().map(String::as_str);
            self.faults.unknown(at, "unknown calendar {}", name, known);
        }
        found
    }

    /// A table of this client.
    pub(crate) fn table(&mut self, node: &Node) -> Option<Arc<Table>> {
        let name = node.text("`table`", self.faults)?;
        let found = self.names.tables.get(name);
        if found.is_none() && self.names.complete {
            let known = self.names.tables.keys().map(String::as_str);
            self.faults.unknown(node.span, "unknown table {}", name, known);
        }
        found.cloned().flatten()
    }

    /// A queue of this client.
    pub(crate) fn queue(&mut self, node: &Node) -> Option<Arc<str>> {
        let name = node.text("`queue`", self.faults)?;
        let is_known = self.names.queues.iter().any(|known| known == name);
        if !is_known && self.names.complete {
            self.faults.unknown(
                node.span,
                "unknown queue {}",
                name,
                self.names.queues.iter().map(String::as_str),
            );
        }
        is_known.then(|| name.into())
    }

    /// A queue of this client that calls back.
    pub(crate) fn callback_queue(&mut self, node: &Node) -> Option<Arc<str>> {
        let queue = self.queue(node)?;
        if !self.names.callbacks.iter().any(|known| **known == *queue) {
            let hint = format!("write callback: {{trunk: …, flow: …}} under queues.{queue}");
            self.faults.hinted(node.span, format!("the queue `{queue}` calls nobody back"), hint);
        }
        Some(queue)
    }

    /// A mailbox of this client.
    pub(crate) fn mailbox(&mut self, node: &Node) -> Option<Mailbox> {
        let name = node.text("`mailbox`", self.faults)?;
        let found = self.names.mailboxes.iter().find(|mailbox| *mailbox.name == *name).cloned();
        match &found {
            Some(mailbox) => {
                for files in mailbox.greeting.clone() {
                    self.translate(files);
                }
            }
            None if self.names.complete => {
                let known = self.names.mailboxes.iter().map(|mailbox| &*mailbox.name);
                self.faults.unknown(node.span, "unknown mailbox {}", name, known);
            }
            None => {}
        }
        found
    }

    /// What callers of a mailbox hear first, in the client's own language.
    pub(crate) fn greeting(&mut self, node: &Node) -> Vec<Arc<str>> {
        let files = mailboxes::greeting(node, self.names, self.faults);
        files.into_iter().filter_map(|files| self.translate(files)).collect()
    }

    /// Where the client's clocks are.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.names.zone
    }

    /// A variable's name.
    pub(crate) fn variable(&mut self, name: &str, at: Span) -> Option<String> {
        is_variable(name, at, self.faults).then(|| name.to_owned())
    }

    /// Whom to dial.
    pub(crate) fn target(&mut self, node: &Node) -> Option<Target> {
        if let Value::Map(_) = node.value {
            let fields = Fields::of(node, node.span, "a target", &["number", "trunk"], self.faults)?;
            let number = fields.require("number", self.faults)?.text("`number`", self.faults)?;
            let named = fields.require("trunk", self.faults)?;
            let trunks = self.names.trunks(named, node.span, self.faults);
            return Some(match number {
                "dialled" => Target::Dialled { trunks },
                number => Target::Number { number: number.into(), trunks },
            });
        }
        let text = node.text("a target", self.faults)?;
        if let Some((scheme, rest)) = text.split_once(':') {
            let host = rest.rsplit('@').next().unwrap_or(rest);
            let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b));
            if scheme.eq_ignore_ascii_case("sip") && !host.is_empty() && is_plain {
                return Some(Target::Uri(text.into()));
            }
            let hint = "write it like sip:user@host:5060";
            self.faults.hinted(node.span, format!("`{text}` is not a SIP URI"), hint);
            return None;
        }
        self.names.user(text, node.span, self.faults).map(Target::User)
    }

    /// What a dial shows: a number of the client, or `withheld`.
    pub(crate) fn caller_id(&mut self, node: &Node) -> Option<CallerId> {
        match &node.value {
            Value::Scalar { text, .. } if text == "withheld" => Some(CallerId::Withheld),
            _ => self.names.owned.number(node, self.faults).map(CallerId::Number),
        }
    }

    /// Compiles steps that go on at `next`, and gives where they begin.
    fn block(&mut self, node: &Node, next: Pc) -> Pc {
        let mut next = next;
        let mut follower = None;
        for item in node.items().iter().rev() {
            let Some(step) = self.step(item) else { continue };
            // The place is taken before the verb is read: a question's branches lead back to it.
            let own = self.emit(Verb::End, step.at, String::new());
            self.open.push((own, step.argument.map_or_else(Keys::new, keys_of)));
            let (verb, target) = Verb::parse(&step, own, next, self);
            self.open.pop();
            let separator = if target.is_empty() { "" } else { " " };
            let instruction = &mut self.code[own.0];
            instruction.step = format!("{}{separator}{target}", verb.name()).into();
            instruction.verb = verb;
            if let Some(follower) = follower {
                self.followers.push((own, follower));
            }
            (next, follower) = (own, Some(own));
        }
        next
    }

    fn step<'n>(&mut self, node: &'n Node) -> Option<Step<'n>> {
        match &node.value {
            Value::Scalar { text, .. } => Some(Step { verb: text, at: node.span, argument: None }),
            Value::Map(entries) => {
                let Some((key, argument)) = entries.first() else {
                    self.faults.error(node.span, "an empty step");
                    return None;
                };
                for (extra, _) in &entries[1..] {
                    let hint = if VERBS.contains(&extra.text.as_str()) {
                        format!("begin a new step: `- {}: …`", extra.text)
                    } else {
                        format!("if it belongs to `{}`, write it deeper than that", key.text)
                    };
                    let message = format!("a step has one verb, and `{}` is a second one", extra.text);
                    self.faults.hinted(extra.span, message, hint);
                }
                Some(Step { verb: &key.text, at: key.span, argument: Some(argument) })
            }
            Value::Null => {
                self.faults.error(node.span, "an empty step");
                None
            }
            Value::List(_) => {
                self.faults.error(node.span, "a step is a verb, and this is a list");
                None
            }
        }
    }

    fn name(&mut self, name: &str, what: &str, at: Span) {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if name.is_empty() || !name.bytes().all(fits) {
            let message = format!("`{name}` cannot be the name of a {what}");
            self.faults.hinted(at, message, "names are made of letters, digits, `-` and `_`");
        }
    }

    /// Joins every `goto` to its target.
    fn join(&mut self) {
        for jump in std::mem::take(&mut self.jumps) {
            // Without a target the rest of the flow can still be checked: the jump leads to the end.
            let target = self.resolve(&jump).filter(|(flow, _)| self.may_go(&jump, *flow));
            self.code[jump.from.0].verb = match target {
                Some((flow, to)) => Verb::goto(to, flow != jump.flow),
                None => Verb::Faulty(vec![Pc::END]),
            };
        }
    }

    /// Where `flow`, `flow.label` or `.label` is.
    fn resolve(&mut self, jump: &Jump) -> Option<(FlowIndex, Pc)> {
        let (flow_name, label) = match jump.target.split_once('.') {
            Some((flow, label)) => (flow, Some(label)),
            None => (jump.target.as_str(), None),
        };
        let flow = if flow_name.is_empty() {
            Some(jump.flow)
        } else {
            self.flows.iter().position(|flow| flow.name.as_ref() == flow_name).map(FlowIndex)
        };
        let Some(flow) = flow else {
            if self.names.complete {
                self.unknown_flow(flow_name, jump);
            }
            return None;
        };
        let Some(label) = label else { return Some((flow, self.flows[flow.0].entry)) };
        let found = self.labels.get(&(flow, label.to_owned())).map(|(pc, _)| *pc);
        if found.is_none() {
            let known = self.labels.keys().filter(|(of, _)| *of == flow).map(|(_, name)| name.as_str());
            let message = format!("the flow `{}` has no label {{}}", self.flows[flow.0].name);
            self.faults.unknown(jump.at, &message, label, known);
        }
        Some((flow, found?))
    }

    /// Whether a `goto` may lead there: nobody has handed a sub-flow its inputs.
    fn may_go(&mut self, jump: &Jump, flow: FlowIndex) -> bool {
        let may = flow == jump.flow || self.flows[flow.0].inputs.is_none();
        if !may {
            let name = &self.flows[flow.0].name;
            let message = format!("the flow `{name}` has inputs, which a `goto` does not give");
            self.faults.hinted(jump.at, message, format!("write `- call: {name}`"));
        }
        may
    }

    fn unknown_flow(&mut self, name: &str, jump: &Jump) {
        if self.labels.contains_key(&(jump.flow, name.to_owned())) {
            let hint = format!("the label of this flow is `.{name}`");
            self.faults.hinted(jump.at, format!("unknown flow `{name}`"), hint);
            return;
        }
        let own = self.labels.keys().filter(|(of, _)| *of == jump.flow);
        let own: Vec<String> = own.map(|(_, label)| format!(".{label}")).collect();
        let flows = self.flows.iter().map(|flow| flow.name.as_ref());
        self.faults.unknown(jump.at, "unknown flow {}", name, flows.chain(own.iter().map(String::as_str)));
    }
}

fn keys_of(argument: &Node) -> Keys {
    let mut keys = Keys::new();
    let Value::Map(entries) = &argument.value else { return keys };
    for (key, node) in entries {
        keys.insert(std::ptr::from_ref(node), key.clone());
        if let Value::Map(inner) = &node.value {
            keys.extend(inner.iter().map(|(key, node)| (std::ptr::from_ref(node), key.clone())));
        }
    }
    keys
}
