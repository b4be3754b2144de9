//! The types of all variables, told by what writes them; notes what is wrong in expressions.

use crate::FlowIndex;
use crate::expression::{CALL_LANGUAGE, Expression, Scope, Type};
use crate::faults::{Faults, Span};
use crate::program::{Flow, Instruction, SHARED, Variables};
use crate::verb::Verb;
use std::collections::BTreeMap;

/// A variable that a step writes.
pub(crate) struct Write<'v> {
    pub(crate) name: &'v str,
    pub(crate) at: Span,
    pub(crate) source: Source<'v>,
}

/// Where a step has the value from.
pub(crate) enum Source<'v> {
    /// The caller's keys.
    Keys,
    /// `None` when it could not be read: the name exists, and its type is not known.
    Value(Option<&'v Expression>),
    /// Something from outside, of that type.
    Typed(Type),
    /// What a sub-flow returns.
    Result(FlowIndex),
}

/// The scopes of a client's flows while their variables get their types.
struct Types<'p> {
    code: &'p [Instruction],
    flows: &'p [Flow],
    scopes: Vec<Scope>,
    /// What each flow returns.
    results: Vec<Option<Type>>,
}

/// The variables of each scope.
pub(crate) fn check(
    code: &[Instruction],
    flows: &[Flow],
    complete: bool,
    faults: &mut Faults<'_>,
) -> Vec<Variables> {
    let count = flows.iter().map(|flow| flow.scope).max().unwrap_or(SHARED) + 1;
    let scope = || Scope { variables: BTreeMap::new(), complete };
    let scopes = std::iter::repeat_with(scope).take(count).collect();
    let mut types = Types { code, flows, scopes, results: vec![None; flows.len()] };
    types.declare();
    while types.infer() {}
    let before = faults.len();
    for instruction in code {
        instruction.verb.check(&types.scopes[types.scope_of(instruction)], faults);
    }
    types.check_results(faults);
    if faults.len() == before {
        types.untyped(faults);
    }
    let variables = |scope: Scope| {
        // The call has its language; no flow has one of its own.
        let typed = scope.variables.into_iter().filter(|(name, _)| name != CALL_LANGUAGE);
        typed.filter_map(|(name, kind)| Some((name.into(), kind?))).collect()
    };
    types.scopes.into_iter().map(variables).collect()
}

impl Types<'_> {
    fn scope_of(&self, instruction: &Instruction) -> usize {
        self.flows[instruction.flow.0].scope
    }

    fn declare(&mut self) {
        for flow in self.flows {
            for input in flow.inputs.iter().flatten() {
                self.scopes[flow.scope].variables.insert(input.name.clone(), input.kind);
            }
        }
        for instruction in self.code {
            let scope = self.scope_of(instruction);
            for Write { name, source, .. } in instruction.verb.writes() {
                let known = self.scopes[scope].variables.entry(name.to_owned()).or_default();
                let kind = match source {
                    Source::Keys => Some(Type::Text),
                    Source::Typed(kind) => Some(kind),
                    _ if name == CALL_LANGUAGE => Some(Type::Text),
                    _ => None,
                };
                *known = known.or(kind);
            }
        }
    }

    /// Gives types to variables and results that can be told by now; whether there was one.
    fn infer(&mut self) -> bool {
        let mut found = false;
        // The code is compiled backwards, so that this goes by the order in which it is written.
        for instruction in self.code.iter().rev() {
            let scope = self.scope_of(instruction);
            if let (Verb::Return(step), None) = (&instruction.verb, self.results[instruction.flow.0]) {
                let kind = step.value().and_then(|value| value.type_in(&self.scopes[scope]));
                found |= kind.is_some();
                self.results[instruction.flow.0] = kind;
            }
            for write in instruction.verb.writes() {
                if self.scopes[scope].variables.get(write.name).is_some_and(Option::is_some) {
                    continue;
                }
                let kind = self.of(&write.source, scope);
                found |= kind.is_some();
                self.scopes[scope].variables.insert(write.name.to_owned(), kind);
            }
        }
        found
    }

    fn of(&self, source: &Source<'_>, scope: usize) -> Option<Type> {
        match source {
            Source::Keys => Some(Type::Text),
            Source::Typed(kind) => Some(*kind),
            Source::Value(value) => value.and_then(|value| value.type_in(&self.scopes[scope])),
            Source::Result(flow) => self.results[flow.0],
        }
    }

    /// Notes flows that return now this, now that, and variables that hold something else or get nothing.
    fn check_results(&self, faults: &mut Faults<'_>) {
        for instruction in self.code {
            let scope = &self.scopes[self.scope_of(instruction)];
            if let Verb::Return(step) = &instruction.verb
                && let (Some(value), Some(kind)) = (step.value(), self.results[instruction.flow.0])
                && let Some(found) = value.check(scope, faults).filter(|found| *found != kind)
            {
                let message = format!("the flow returns {kind} elsewhere, and this is {found}");
                faults.hinted(value.span(), message, "a flow keeps one type of result");
            }
            for Write { name, at, source } in instruction.verb.writes() {
                match source {
                    Source::Result(flow) if !self.returns(flow) => {
                        let message = format!("the flow `{}` returns nothing", self.flows[flow.0].name);
                        faults.hinted(at, message, "write `- return: …` in it, or leave out `into`");
                    }
                    Source::Result(_) | Source::Keys | Source::Typed(_) => {
                        let found = self.of(&source, self.scope_of(instruction));
                        let holds = scope.variables.get(name).copied().flatten();
                        if let (Some(found), Some(holds)) = (found, holds)
                            && found != holds
                        {
                            let message = format!("`{name}` is {holds} elsewhere, and this is {found}");
                            faults.hinted(at, message, "a variable keeps one type: use another name");
                        }
                    }
                    Source::Value(_) => {}
                }
            }
        }
    }

    fn returns(&self, flow: FlowIndex) -> bool {
        self.code.iter().any(|instruction| {
            instruction.flow == flow
                && match &instruction.verb {
                    Verb::Return(step) => step.value().is_some(),
                    Verb::Faulty(_) => true,
                    _ => false,
                }
        })
    }

    /// Notes variables that get their type from nothing but themselves.
    fn untyped(&self, faults: &mut Faults<'_>) {
        for instruction in self.code {
            let scope = &self.scopes[self.scope_of(instruction)];
            for Write { name, at, source } in instruction.verb.writes() {
                let is_typed = scope.variables.get(name).is_some_and(Option::is_some);
                if !is_typed && !matches!(source, Source::Value(None)) {
                    let message = format!("it cannot be told what `{name}` is");
                    faults.hinted(at, message, "set it to a first value, 0 or ''");
                }
            }
        }
    }
}
