//! Conditions and values of a flow: CEL, with the types told when the file is read.
//!
//! Engines answer `account == 14` with false where `account` is a text, and nobody finds out why a branch is
//! never taken. Here it is an error with its column. Macros are refused: nested ones run for seconds.

mod types;

pub(crate) use types::{Scope, Type, never};

/// The language of the call, the one field of it that `set` changes.
pub(crate) const CALL_LANGUAGE: &str = "call.language";

use crate::faults::{Faults, Span};
use crate::yaml::{Node, Value as NodeValue};
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::{Context, Env, Program};
use std::fmt;
use std::sync::{Arc, LazyLock};

/// A parsed expression and the text that it was written in.
pub(crate) struct Expression {
    program: Program,
    at: Span,
    /// Where the expression's own text begins in the file; `None` when escapes or folding moved its columns.
    origin: Option<usize>,
}

/// What an expression gives, and what a variable holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Int(i64),
    Decimal(f64),
    Text(Arc<str>),
}

/// Longer is not read by anybody.
const LONGEST: usize = 1_000;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

impl Expression {
    /// Reads an expression; its names and types are checked later, when all variables are known.
    pub(crate) fn parse(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<Self> {
        let text = match &node.value {
            NodeValue::Scalar { text, .. } => text,
            NodeValue::Null => {
                faults.error(node.span, format!("{what} is empty"));
                return None;
            }
            _ => {
                faults.hinted(
                    node.span,
                    format!("{what} is an expression, and this is {}", node.describe()),
                    "put the whole expression between quotes",
                );
                return None;
            }
        };
        let origin = Self::origin_of(node, text, faults);
        Self::read(text, node.span, origin, faults)
    }

    /// Reads a text that is an expression, which stands at a place and begins in the file at `origin`.
    pub(crate) fn read(text: &str, at: Span, origin: Option<usize>, faults: &mut Faults<'_>) -> Option<Self> {
        if text.len() > LONGEST {
            faults.error(at, format!("an expression has at most {LONGEST} characters"));
            return None;
        }
        match ENV.compile(text) {
            Ok(program) => Some(Self { program, at, origin }),
            Err(errors) => {
                syntax(at, origin, text, &errors, faults);
                None
            }
        }
    }

    /// Where the text of a node begins in its file, if it stands there letter by letter.
    pub(crate) fn origin_of(node: &Node, text: &str, faults: &Faults<'_>) -> Option<usize> {
        origin(faults.text(node.span), text).map(|skip| node.span.start + skip)
    }

    /// The place of the whole expression.
    pub(crate) fn span(&self) -> Span {
        self.at
    }

    /// The value in a scope of variables.
    ///
    /// # Errors
    /// What types cannot tell beforehand: a division by zero, an overflow, a text that is no number.
    pub(crate) fn value(&self, variables: &dyn Variables) -> Result<Value, String> {
        let resolver = Resolver(variables);
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(&resolver);
        match self.program.execute(&context) {
            Ok(cel::Value::Bool(value)) => Ok(Value::Bool(value)),
            Ok(cel::Value::Int(value)) => Ok(Value::Int(value)),
            Ok(cel::Value::Float(value)) => Ok(Value::Decimal(value)),
            Ok(cel::Value::String(value)) => Ok(Value::Text(value.as_str().into())),
            Ok(other) => Err(format!("gives a {}", other.type_of())),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The place of a part. CEL places a call at its bracket and a field at its dot: `name` beside it is
    /// what to show.
    fn part(&self, id: u64, name: Option<&str>) -> Span {
        let source = self.program.source_info();
        let Some((origin, (first, last))) = self.origin.zip(source.offset_for(id)) else {
            return self.at;
        };
        let (first, last) = (first as usize, last as usize);
        let text = source.source.as_str();
        let beside = name.and_then(|name| {
            let (before, after) = (text.get(..first)?, text.get(first + 1..)?);
            let start = if before.ends_with(name) {
                first - name.len()
            } else {
                after.starts_with(name).then_some(first + 1)?
            };
            Some((start, name.len()))
        });
        let (start, len) = beside.unwrap_or((first, last.saturating_sub(first) + 1));
        Span { start: origin + start, len, ..self.at }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.program.source_info().source).finish()
    }
}

/// Where the values of names come from.
pub(crate) trait Variables: Send + Sync {
    /// The value of a name, `account`; `call.from` is asked for as `call`.
    fn variable(&self, name: &str) -> Option<cel::Value>;
}

impl From<&Value> for cel::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Decimal(value) => Self::Float(*value),
            Value::Text(value) => Self::String(Arc::new(value.as_ref().to_owned())),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Decimal(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

struct Resolver<'a>(&'a dyn Variables);

impl VariableResolver for Resolver<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        self.0.variable(variable)?.try_into().ok().map(CowVal::Owned)
    }
}

/// How far into its source a scalar's text begins, if it stands there letter by letter.
fn origin(source: &str, text: &str) -> Option<usize> {
    if source == text {
        return Some(0);
    }
    let inner = source.get(1..source.len().checked_sub(1)?)?;
    (inner == text).then_some(1)
}

fn syntax(at: Span, origin: Option<usize>, text: &str, errors: &cel::ParseErrors, faults: &mut Faults<'_>) {
    let Some(error) = errors.errors.first() else {
        faults.error(at, "this is not an expression");
        return;
    };
    let skip = usize::try_from(error.pos.1 - 1).unwrap_or(0);
    let byte = text.char_indices().nth(skip).map_or(text.len(), |(i, _)| i);
    let at = match origin {
        Some(start) if error.pos.0 == 1 => Span { start: start + byte, len: 0, ..at },
        _ => at,
    };
    let word = error.msg.split('\'').nth(1).unwrap_or_default();
    let rest = &text[byte..];
    if word == "<EOF>" || rest.is_empty() {
        faults.error(at, "the expression ends too early");
    } else if rest.starts_with('=') && !rest.starts_with("==") {
        faults.hinted(at, "`=` is not an operator", "compare with `==`");
    } else if rest.starts_with('\'') || rest.starts_with('"') {
        faults.hinted(at, "a text has no end", "close it with the same quote that it began with");
    } else {
        let word = rest.split_whitespace().next().unwrap_or(rest);
        faults.hinted(
            at,
            format!("`{word}` is not expected here"),
            "an expression is written like `account == '1234' && call.from.startsWith('+34')`",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_quoted_scalar_begins_behind_its_quote() {
        assert_eq!(origin("vip", "vip"), Some(0));
        assert_eq!(origin("'vip'", "vip"), Some(1));
        assert_eq!(origin(r#""a\tb""#, "a\tb"), None);
        assert_eq!(origin("é", "x"), None);
    }
}
