//! What the flows of a call hold: all flows without inputs one set of variables, each call of a sub-flow its own.

use crate::expression::{Type, Value};
use crate::program::{Pc, Program, SHARED};
use std::collections::BTreeMap;

/// Sub-flows that call each other deeper than that do so for ever.
const DEEPEST: usize = 16;

/// The frames of a call, that of the flow under way last.
#[derive(Debug)]
pub(crate) struct Frames {
    /// That of all flows without inputs.
    shared: Frame,
    called: Vec<Called>,
}

/// A call of a sub-flow that has not come back.
#[derive(Debug)]
struct Called {
    frame: Frame,
    /// The step that called it.
    by: Pc,
}

#[derive(Debug)]
pub(crate) struct Frame {
    scope: usize,
    /// By the place of the variable in its scope.
    values: Vec<Value>,
    /// Failed attempts of the questions under way.
    pub(crate) attempts: BTreeMap<Pc, u32>,
}

impl Frames {
    pub(crate) fn new(program: &Program) -> Self {
        Self { shared: Frame::new(program, SHARED), called: Vec::new() }
    }

    /// That of all flows without inputs.
    pub(crate) fn shared(&self) -> &Frame {
        &self.shared
    }

    /// That of the flow under way.
    pub(crate) fn top(&self) -> &Frame {
        self.called.last().map_or(&self.shared, |called| &called.frame)
    }

    pub(crate) fn top_mut(&mut self) -> &mut Frame {
        self.called.last_mut().map_or(&mut self.shared, |called| &mut called.frame)
    }

    /// Calls a sub-flow; false if it is too deep for that.
    pub(crate) fn push(&mut self, program: &Program, scope: usize, by: Pc) -> bool {
        let may = self.called.len() < DEEPEST;
        if may {
            self.called.push(Called { frame: Frame::new(program, scope), by });
        }
        may
    }

    /// Comes back from a sub-flow, and gives the step that called it.
    pub(crate) fn pop(&mut self) -> Option<Pc> {
        self.called.pop().map(|called| called.by)
    }

    /// Leaves all sub-flows for good.
    pub(crate) fn unwind(&mut self) {
        self.called.clear();
    }
}

impl Frame {
    fn new(program: &Program, scope: usize) -> Self {
        let values = program.scopes[scope].iter().map(|(_, kind)| empty(*kind)).collect();
        Self { scope, values, attempts: BTreeMap::new() }
    }

    pub(crate) fn get(&self, program: &Program, name: &str) -> Option<&Value> {
        program.variable(self.scope, name).map(|place| &self.values[place])
    }

    pub(crate) fn set(&mut self, program: &Program, name: &str, value: Value) {
        if let Some(place) = program.variable(self.scope, name) {
            self.values[place] = value;
        }
    }

    /// Makes a variable as if no step had set it yet.
    pub(crate) fn clear(&mut self, program: &Program, name: &str) {
        if let Some(place) = program.variable(self.scope, name) {
            self.values[place] = empty(program.scopes[self.scope][place].1);
        }
    }
}

/// What a variable holds before it is set.
fn empty(kind: Type) -> Value {
    match kind {
        Type::Bool => Value::Bool(false),
        Type::Int => Value::Int(0),
        Type::Decimal => Value::Decimal(0.0),
        Type::Text => Value::Text("".into()),
    }
}
