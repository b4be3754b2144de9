//! From the YAML of a client's flows to its program.
//!
//! Steps are compiled from the last to the first, so that each knows its successor; only `goto` looks
//! forward, and is joined to its target at the end.

use crate::FlowIndex;
use crate::caller_id::CallerId;
use crate::expression::{Scope, Type};
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::hours::Calendar;
use crate::machine::Target;
use crate::names::Names;
use crate::program::{Branch, Flow, Instruction, Pc, Program};
use crate::verb::{Step, VERBS, Verb};
use crate::yaml::{Key, Node, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Compiles the flows of one client.
pub(crate) struct Compiler<'c, 'f> {
    pub(crate) faults: &'c mut Faults<'f>,
    names: &'c Names<'c>,
    code: Vec<Instruction>,
    flows: Vec<Flow>,
    flow: FlowIndex,
    /// By flow and name.
    labels: HashMap<(FlowIndex, String), (Pc, Span)>,
    jumps: Vec<Jump>,
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
    let mut compiler = Compiler {
        faults,
        names,
        code: Vec::new(),
        flows: Vec::new(),
        flow: FlowIndex(0),
        labels: HashMap::new(),
        jumps: Vec::new(),
        followers: Vec::new(),
        branches: Vec::new(),
        open: Vec::new(),
    };
    for (index, (key, steps)) in flows.iter().enumerate() {
        compiler.flow = FlowIndex(index);
        if index == 0 {
            compiler.emit(Verb::End, key.span, String::new());
        }
        compiler.name(&key.text, "flow", key.span);
        if steps.items().is_empty() {
            compiler.faults.hinted(key.span, "a flow without steps", "write at least `- hangup`");
        }
        let entry = compiler.block(steps, Pc::END);
        compiler.flows.push(Flow { name: key.text.as_str().into(), entry });
    }
    compiler.join();
    let variables = compiler.types();
    let Compiler { code, flows, followers, branches, .. } = compiler;
    Compiled { program: Program { code, flows, calendars, branches, variables }, followers }
}

impl Compiler<'_, '_> {
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

    /// The files of one prompt or a list of prompts, and their names.
    pub(crate) fn prompts(&mut self, node: &Node) -> (Vec<Arc<str>>, String) {
        if node.items().is_empty() {
            self.faults.error(node.span, "no prompt is named");
        }
        let (mut files, mut names) = (Vec::new(), Vec::new());
        for item in node.items() {
            let Some(name) = item.text("a prompt", self.faults) else { continue };
            names.push(name);
            match self.names.prompts.get(name) {
                Some(path) => files.push(Arc::clone(path)),
                None => {
                    let hint = match name.strip_suffix(".wav") {
                        Some(bare) if self.names.prompts.contains_key(bare) => format!("write `{bare}`"),
                        _ => self.names.prompt_hint(name),
                    };
                    self.faults.hinted(item.span, format!("there is no prompt `{name}`"), hint);
                }
            }
        }
        (files, names.join(","))
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

    /// A variable's name.
    pub(crate) fn variable(&mut self, name: &str, at: Span) -> Option<String> {
        /// CEL's own words, and the call.
        const RESERVED: &str = "call true false null in as break const continue else for function if import \
                                let loop package namespace return var";
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let fits = starts && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits || RESERVED.split_whitespace().any(|word| word == name) {
            let hint =
                "a variable is named with letters, digits and `_`, and not like a word of the language";
            self.faults.hinted(at, format!("`{name}` cannot be a variable"), hint);
            return None;
        }
        Some(name.to_owned())
    }

    /// Whom to dial.
    pub(crate) fn target(&mut self, node: &Node) -> Option<Target> {
        if let Value::Map(_) = node.value {
            let fields = Fields::of(node, node.span, "a target", &["number", "trunk"], self.faults)?;
            let number = fields.require("number", self.faults)?.text("`number`", self.faults)?;
            let named = fields.require("trunk", self.faults)?;
            let trunks = self.trunks(named, node.span);
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

    /// The trunks that a number may go by, in their order.
    fn trunks(&mut self, named: &Node, at: Span) -> Vec<Arc<str>> {
        let mut trunks = Vec::new();
        for item in named.items() {
            let Some(name) = item.text("`trunk`", self.faults) else { continue };
            let Some(trunk) = self.names.outbound(name, item.span, self.faults) else { continue };
            if trunks.contains(&trunk) {
                self.faults.error(item.span, format!("the trunk `{name}` is in the list already"));
            }
            trunks.push(trunk);
        }
        if named.items().is_empty() {
            self.faults.error(named.place_or(at), "`trunk` names nobody");
        }
        trunks
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
            let target = self.resolve(&jump);
            self.code[jump.from.0].verb = target.map_or_else(|| Verb::Faulty(vec![Pc::END]), Verb::goto);
        }
    }

    /// Where `flow`, `flow.label` or `.label` is.
    fn resolve(&mut self, jump: &Jump) -> Option<Pc> {
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
        let Some(label) = label else { return Some(self.flows[flow.0].entry) };
        let found = self.labels.get(&(flow, label.to_owned())).map(|(pc, _)| *pc);
        if found.is_none() {
            let known = self.labels.keys().filter(|(of, _)| *of == flow).map(|(_, name)| name.as_str());
            let message = format!("the flow `{}` has no label {{}}", self.flows[flow.0].name);
            self.faults.unknown(jump.at, &message, label, known);
        }
        found
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

    /// The types of all variables, by their assignments; notes what is wrong in expressions.
    fn types(&mut self) -> Vec<(Arc<str>, Type)> {
        let mut scope = Scope { variables: BTreeMap::new(), complete: self.names.complete };
        for instruction in &self.code {
            match &instruction.verb {
                Verb::Gather(gather) => {
                    scope.variables.insert(gather.into().to_owned(), Some(Type::Text));
                }
                Verb::Set(set) => {
                    for assignment in set.assignments() {
                        scope.variables.entry(assignment.name.clone()).or_default();
                    }
                }
                _ => {}
            }
        }
        while self.infer(&mut scope) {}
        let before = self.faults.len();
        for instruction in &self.code {
            instruction.verb.check(&scope, self.faults);
        }
        if self.faults.len() == before {
            self.untyped(&scope);
        }
        scope.variables.into_iter().filter_map(|(name, kind)| Some((name.into(), kind?))).collect()
    }

    /// Notes variables that get their type from nothing but themselves.
    fn untyped(&mut self, scope: &Scope) {
        for instruction in &self.code {
            let Verb::Set(set) = &instruction.verb else { continue };
            for assignment in set.assignments() {
                let is_typed = scope.variables.get(&assignment.name).is_some_and(Option::is_some);
                if assignment.value.is_some() && !is_typed {
                    let message = format!("it cannot be told what `{}` is", assignment.name);
                    self.faults.hinted(assignment.at, message, "set it to a first value, 0 or ''");
                }
            }
        }
    }

    /// Gives types to variables whose assignments can be told by now; whether there was one.
    fn infer(&self, scope: &mut Scope) -> bool {
        let mut found = false;
        // The code is compiled backwards, so that this goes by the order in which it is written.
        for instruction in self.code.iter().rev() {
            let Verb::Set(set) = &instruction.verb else { continue };
            for assignment in set.assignments() {
                if scope.variables.get(&assignment.name).is_some_and(Option::is_some) {
                    continue;
                }
                let kind = assignment.value.as_ref().and_then(|value| value.type_in(scope));
                found |= kind.is_some();
                scope.variables.insert(assignment.name.clone(), kind);
            }
        }
        found
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
