use super::Expression;
use crate::faults::{Faults, nearest};
use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, ListExpr, LiteralValue, SelectExpr, operators as op};
use std::collections::BTreeMap;
use std::fmt;

/// What a value can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    Int,
    Decimal,
    Text,
}

impl Type {
    /// What administrators write where a type is declared.
    pub(crate) const NAMES: [&str; 4] = ["text", "int", "decimal", "bool"];

    /// The type of a word of [`NAMES`](Self::NAMES).
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "text" => Some(Self::Text),
            "int" => Some(Self::Int),
            "decimal" => Some(Self::Decimal),
            "bool" => Some(Self::Bool),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Decimal => "a decimal number",
            Self::Text => "a text",
        })
    }
}

/// The variables of a scope. `None` is a variable whose own assignment is faulty: its uses are not
/// blamed for that.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) variables: BTreeMap<String, Option<Type>>,
    /// Whether all steps could be read; if not, a missing variable may be set by one that could not.
    pub(crate) complete: bool,
}

/// What a flow may ask of its call.
const CALL_FIELDS: [&str; 7] = ["from", "to", "source", "diverted_by", "verstat", "attest", "language"];

/// Those that are one of a few words.
const CALL_WORDS: [(&str, &[&str]); 2] =
    [("verstat", &["none", "passed", "failed"]), ("attest", &["", "A", "B", "C"])];

/// Why a type cannot be told.
enum Fault {
    /// It depends on something that is reported elsewhere.
    Follows,
    At {
        id: u64,
        /// The field or function in question.
        name: Option<String>,
        message: String,
        hint: Option<String>,
    },
}

type Typed = Result<Type, Fault>;

impl Expression {
    /// The type that the expression gives, silently `None` when it cannot be told.
    pub(crate) fn type_in(&self, scope: &Scope) -> Option<Type> {
        scope.of(self.program.expression()).ok()
    }

    /// Notes what is wrong with names and types.
    pub(crate) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) -> Option<Type> {
        match scope.of(self.program.expression()) {
            Ok(found) => Some(found),
            Err(Fault::Follows) => None,
            Err(Fault::At { id, name, message, hint }) => {
                let at = self.part(id, name.as_deref());
                match hint {
                    Some(hint) => faults.hinted(at, message, hint),
                    None => faults.error(at, message),
                }
                None
            }
        }
    }

    /// The text that the expression is, if it is nothing else.
    pub(crate) fn literal(&self) -> Option<&str> {
        match &self.program.expression().expr {
            Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
            _ => None,
        }
    }

    /// The field of the call that the expression is, and the words that this may be.
    pub(crate) fn words(&self) -> Option<(&'static str, &'static [&'static str])> {
        words_of(self.program.expression())
    }
}

impl Scope {
    fn of(&self, expr: &IdedExpr) -> Typed {
        match &expr.expr {
            Expr::Literal(literal) => of_literal(expr.id, literal),
            Expr::Ident(name) => self.of_name(expr.id, name),
            Expr::Select(select) => of_field(expr.id, select),
            Expr::Call(call) => self.of_call(expr.id, call),
            Expr::Comprehension(_) => fault(expr.id, "loops over lists are not allowed in a flow", None),
            _ => fault(
                expr.id,
                "lists and maps are not allowed here",
                Some("a list may stand on the right of `in`: digit in ['1', '2']".into()),
            ),
        }
    }

    fn of_name(&self, id: u64, name: &str) -> Typed {
        match self.variables.get(name) {
            Some(Some(found)) => Ok(*found),
            Some(None) => Err(Fault::Follows),
            None if name == "call" => {
                fault(id, "`call` is not a value", Some("write call.from, call.to or call.source".into()))
            }
            None if !self.complete => Err(Fault::Follows),
            None => {
                let known = self.variables.keys().map(String::as_str);
                let hint = match nearest(name, known) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("`set` or `gather` it first; a text stands in quotes: '{name}'"),
                };
                fault(id, format!("no step sets a variable `{name}`"), Some(hint))
            }
        }
    }

    fn of_call(&self, id: u64, call: &CallExpr) -> Typed {
        let args = &call.args;
        match (call.func_name.as_str(), call.target.as_deref(), args.as_slice()) {
            (op::LOGICAL_AND | op::LOGICAL_OR, None, [left, right]) => {
                self.want(left, Type::Bool)?;
                self.want(right, Type::Bool)?;
                Ok(Type::Bool)
            }
            (op::LOGICAL_NOT, None, [value]) => self.want(value, Type::Bool),
            (op::EQUALS | op::NOT_EQUALS, None, [left, right]) => self.same(id, left, right),
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, None, [left, right]) => {
                self.same(id, left, right)
            }
            (op::IN, None, [value, list]) => self.member(value, list),
            (op::CONDITIONAL, None, [when, then, otherwise]) => {
                self.want(when, Type::Bool)?;
                let found = self.of(then)?;
                self.want(otherwise, found)
            }
            (op::ADD, None, [left, right]) => match self.of(left)? {
                Type::Bool => fault(left.id, "`+` takes numbers or texts", None),
                found => self.want(right, found),
            },
            (op::SUBSTRACT | op::MULTIPLY | op::DIVIDE, None, [left, right]) => {
                let found = self.number(left)?;
                self.want(right, found)
            }
            (op::MODULO, None, [left, right]) => {
                self.want(left, Type::Int)?;
                self.want(right, Type::Int)
            }
            (op::NEGATE, None, [value]) => self.number(value),
            ("startsWith" | "endsWith" | "contains", Some(text), [part]) => {
                self.want(text, Type::Text)?;
                self.want(part, Type::Text)?;
                Ok(Type::Bool)
            }
            ("size", None, [text]) | ("size", Some(text), []) => {
                self.want(text, Type::Text)?;
                Ok(Type::Int)
            }
            ("int", None, [value]) => self.of_conversion(value, Type::Int),
            ("double", None, [value]) => self.of_conversion(value, Type::Decimal),
            ("string", None, [value]) => self.of(value).map(|_| Type::Text),
            (name, ..) => unknown_function(id, name),
        }
    }

    fn of_conversion(&self, value: &IdedExpr, to: Type) -> Typed {
        match self.of(value)? {
            Type::Bool => fault(value.id, format!("true or false cannot be made {to}"), None),
            _ => Ok(to),
        }
    }

    fn want(&self, expr: &IdedExpr, wanted: Type) -> Typed {
        let found = self.of(expr)?;
        if found == wanted {
            return Ok(found);
        }
        fault(expr.id, format!("this is {found}, and {wanted} is needed"), conversion(expr, found, wanted))
    }

    fn number(&self, expr: &IdedExpr) -> Typed {
        match self.of(expr)? {
            found @ (Type::Int | Type::Decimal) => Ok(found),
            found => fault(
                expr.id,
                format!("this is {found}, and a number is needed"),
                conversion(expr, found, Type::Int),
            ),
        }
    }

    fn same(&self, id: u64, left: &IdedExpr, right: &IdedExpr) -> Typed {
        let (a, b) = (self.of(left)?, self.of(right)?);
        if a == b {
            known_word(left, right)?;
            known_word(right, left)?;
            return Ok(Type::Bool);
        }
        let literal = |e: &IdedExpr| matches!(e.expr, Expr::Literal(_));
        let hint = if literal(left) { conversion(left, a, b) } else { conversion(right, b, a) };
        fault(id, format!("{a} is compared with {b}: that is never true"), hint)
    }

    fn member(&self, value: &IdedExpr, list: &IdedExpr) -> Typed {
        let found = self.of(value)?;
        let Expr::List(ListExpr { elements, .. }) = &list.expr else {
            return fault(list.id, "a list is needed after `in`", Some("write it like ['1', '2']".into()));
        };
        for element in elements {
            self.want(element, found)?;
            known_word(value, element)?;
        }
        Ok(Type::Bool)
    }
}

fn of_literal(id: u64, literal: &LiteralValue) -> Typed {
    match literal {
        LiteralValue::Boolean(_) => Ok(Type::Bool),
        LiteralValue::Int(_) => Ok(Type::Int),
        LiteralValue::Double(_) => Ok(Type::Decimal),
        LiteralValue::String(_) => Ok(Type::Text),
        LiteralValue::Bytes(_) | LiteralValue::UInt(_) | LiteralValue::Null => fault(
            id,
            "only texts, numbers, true and false are values",
            Some("a variable that no step has set yet is '', 0 or false".into()),
        ),
    }
}

fn of_field(id: u64, select: &SelectExpr) -> Typed {
    let field = select.field.as_str();
    match &select.operand.expr {
        Expr::Ident(name) if name == "call" && !select.test => {
            if CALL_FIELDS.contains(&field) {
                return Ok(Type::Text);
            }
            let hint = match nearest(field, CALL_FIELDS.into_iter()) {
                Some(known) => format!("did you mean `call.{known}`?"),
                None => format!("known: {}", CALL_FIELDS.map(|field| format!("call.{field}")).join(", ")),
            };
            named(id, field, format!("a call has no `{field}`"), hint)
        }
        _ => fault(id, format!("`.{field}`: only `call` has fields"), None),
    }
}

fn words_of(expr: &IdedExpr) -> Option<(&'static str, &'static [&'static str])> {
    let Expr::Select(select) = &expr.expr else { return None };
    let is_call = matches!(&select.operand.expr, Expr::Ident(name) if name == "call");
    CALL_WORDS.into_iter().find(|(field, _)| is_call && *field == select.field)
}

/// A word that a field of the call never is, is never found there.
fn known_word(field: &IdedExpr, other: &IdedExpr) -> Result<(), Fault> {
    let (Some((name, words)), Expr::Literal(LiteralValue::String(text))) = (words_of(field), &other.expr)
    else {
        return Ok(());
    };
    if words.contains(&text.inner()) {
        return Ok(());
    }
    let (message, hint) = never(name, text.inner(), words);
    fault(other.id, message, Some(hint))
}

/// That a field of the call is never this text, and what to write instead.
pub(crate) fn never(field: &str, text: &str, words: &'static [&'static str]) -> (String, String) {
    let hint = match nearest(text, words.iter().copied()) {
        Some(known) => format!("did you mean '{known}'?"),
        None => format!(
            "it is one of {}",
            words.iter().map(|it| format!("'{it}'")).collect::<Vec<_>>().join(", ")
        ),
    };
    (format!("`call.{field}` is never '{text}'"), hint)
}

fn unknown_function(id: u64, name: &str) -> Typed {
    const KNOWN: [&str; 7] = ["startsWith", "endsWith", "contains", "size", "int", "double", "string"];
    if KNOWN.contains(&name) {
        let hint = match name {
            "startsWith" | "endsWith" | "contains" => format!("write it like call.from.{name}('+34')"),
            _ => format!("write it like {name}(account)"),
        };
        return named(id, name, format!("`{name}` is called in the wrong way"), hint);
    }
    let hint = match nearest(name, KNOWN.into_iter()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("known: {}", KNOWN.join(", ")),
    };
    named(id, name, format!("unknown function `{name}`"), hint)
}

fn conversion(expr: &IdedExpr, found: Type, wanted: Type) -> Option<String> {
    match (found, wanted, &expr.expr) {
        (Type::Int, Type::Text, Expr::Literal(LiteralValue::Int(number))) => {
            Some(format!("write '{}'", number.inner()))
        }
        (Type::Int | Type::Decimal, Type::Text, _) => Some("make it a text: string(…)".into()),
        (Type::Text, Type::Int, Expr::Literal(LiteralValue::String(text))) => {
            text.inner().parse::<i64>().ok().map(|n| format!("write {n}"))
        }
        (Type::Text, Type::Int, _) => Some("make it a number: int(…)".into()),
        (Type::Int, Type::Decimal, _) => Some("make it a decimal number: double(…)".into()),
        (Type::Decimal, Type::Int, _) => Some("make it a whole number: int(…)".into()),
        _ => None,
    }
}

fn fault<T>(id: u64, message: impl Into<String>, hint: Option<String>) -> Result<T, Fault> {
    Err(Fault::At { id, name: None, message: message.into(), hint })
}

/// A fault of a field or function, which is shown by its name.
fn named<T>(id: u64, name: &str, message: String, hint: String) -> Result<T, Fault> {
    Err(Fault::At { id, name: Some(name.to_owned()), message, hint: Some(hint) })
}
