//! A client's flows as flat code: instructions that name their successors.

use crate::FlowIndex;
use crate::expression::Type;
use crate::faults::Span;
use crate::flow::Input;
use crate::hours::Calendar;
use crate::machine::{Effect, StepIndex};
use crate::verb::Verb;
use std::collections::HashMap;
use std::sync::Arc;

/// An instruction's place in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pc(pub(crate) usize);

impl Pc {
    /// What every flow runs into behind its last step.
    pub(crate) const END: Self = Self(0);
}

/// All flows of a client.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) code: Vec<Instruction>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) calendars: Vec<Calendar>,
    /// Those that somebody wrote.
    pub(crate) branches: Vec<Branch>,
    /// What those flows have that have none of their own.
    pub(crate) handlers: Handlers,
    /// [`SHARED`] first, then one for each sub-flow.
    pub(crate) scopes: Vec<Variables>,
    /// Those that a call may be in, the client's first.
    pub(crate) languages: Vec<Arc<str>>,
    /// The file of a prompt in the first language: its files in each.
    pub(crate) translations: HashMap<Arc<str>, Vec<Arc<str>>>,
}

/// The variables of a scope, sorted by name.
pub(crate) type Variables = Vec<(Arc<str>, Type)>;

/// The scope of all flows that are no sub-flows.
pub(crate) const SHARED: usize = 0;

/// A flow's name and beginning.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) name: Arc<str>,
    pub(crate) entry: Pc,
    pub(crate) scope: usize,
    /// What a `call` hands to it; `None` for a flow that is no sub-flow.
    pub(crate) inputs: Option<Vec<Input>>,
    pub(crate) handlers: Handlers,
}

/// What is done at the end of all branches.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Handlers {
    /// About a failure that has no branch of its own.
    pub(crate) on_error: Option<Pc>,
    /// Once the caller has gone.
    pub(crate) on_hangup: Option<Pc>,
}

/// A branch as written: the value of a key of its step, which is its name in the event log too.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) step: Pc,
    pub(crate) name: Arc<str>,
    /// Of its key.
    pub(crate) line: u32,
    pub(crate) to: Pc,
}

/// One step, and where it was written.
#[derive(Debug)]
pub(crate) struct Instruction {
    pub(crate) verb: Verb,
    pub(crate) flow: FlowIndex,
    /// The verb with its target, `menu choose`.
    pub(crate) step: Arc<str>,
    pub(crate) file: Arc<str>,
    pub(crate) line: u32,
    pub(crate) at: Span,
}

impl Instruction {
    /// What the event log says of it; nothing for what no administrator wrote.
    pub(crate) fn announce(&self, at: Pc, program: &Program) -> Option<Effect> {
        (!self.step.is_empty()).then(|| Effect::Step {
            flow: Arc::clone(&program.flows[self.flow.0].name),
            step: Arc::clone(&self.step),
            file: Arc::clone(&self.file),
            line: self.line,
            place: StepIndex(at.0),
        })
    }
}

impl Program {
    pub(crate) fn instruction(&self, pc: Pc) -> &Instruction {
        &self.code[pc.0]
    }

    /// A variable's place among the values of its scope.
    pub(crate) fn variable(&self, scope: usize, name: &str) -> Option<usize> {
        self.scopes[scope].binary_search_by(|(known, _)| known.as_ref().cmp(name)).ok()
    }
}
