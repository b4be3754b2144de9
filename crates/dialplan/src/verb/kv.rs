//! `kv`: what is remembered beyond a call, by name and by what the name is of.

use super::{Step, Verb};
use crate::compile::Compiler;
use crate::expression::{Expression, Scope, Type, Value};
use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::machine::{Effect, Event, KvOrder, KvResult, Next, Turn, Wait};
use crate::program::Pc;
use crate::types::{Source, Write};
use crate::yaml::Node;
use clock::Duration;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Kv {
    order: Order,
    name: String,
    /// Whose value it is: a number, an account.
    of: Option<Expression>,
    into: Option<(String, Span, Type)>,
    default: Option<Value>,
    next: Pc,
    missing: Option<Pc>,
    failed: Option<Pc>,
}

#[derive(Debug)]
enum Order {
    Get,
    Set { to: Expression, keep: Option<Duration> },
    Add { by: Option<Expression>, keep: Option<Duration> },
    Delete,
}

const ORDERS: [&str; 4] = ["get", "set", "add", "delete"];
const KNOWN: [&str; 13] =
    ["get", "set", "add", "delete", "of", "to", "by", "keep", "into", "type", "default", "missing", "failed"];
/// A key is a name, a stroke, and what the name is of.
const LONGEST_KEY: usize = 200;
const LONGEST_VALUE: usize = 1_000;

impl Kv {
    pub(super) fn parse(
        step: &Step<'_>,
        next: Pc,
        compiler: &mut Compiler<'_, '_>,
    ) -> Option<(Verb, String)> {
        let argument = step.argument(compiler)?;
        let fields = Fields::of(argument, step.at, "`kv`", &KNOWN, compiler.faults)?;
        let orders: Vec<&str> = ORDERS.into_iter().filter(|word| fields.get(word).is_some()).collect();
        let [word] = orders.as_slice() else {
            let hint = "write kv: {get: visits, of: call.from, into: visits}, or `set`, `add` or `delete`";
            compiler.faults.hinted(step.at, "`kv` does one thing", hint);
            return None;
        };
        misplaced(&fields, word, compiler);
        let name = fields.get(word).and_then(|node| name(node, compiler));
        let mut expression = |name: &str| {
            fields.get(name).and_then(|it| Expression::parse(it, &format!("`{name}`"), compiler.faults))
        };
        let (of, to, by) = (expression("of"), expression("to"), expression("by"));
        let keep = fields.get("keep").and_then(|node| node.long_duration("`keep`", compiler.faults));
        let (into, default) = into(&fields, word, compiler);
        let missing = compiler.branch(fields.get("missing"), next);
        let failed = compiler.branch(fields.get("failed"), next);
        let order = match *word {
            "get" => Order::Get,
            "set" => {
                fields.require("to", compiler.faults)?;
                Order::Set { to: to?, keep }
            }
            "add" => Order::Add { by, keep },
            _ => Order::Delete,
        };
        let name = name?;
        let target = format!("{word} {name}");
        Some((Verb::Kv(Box::new(Self { order, name, of, into, default, next, missing, failed })), target))
    }

    pub(super) fn writes(&self) -> Vec<Write<'_>> {
        let into = self.into.iter();
        into.map(|(name, at, kind)| Write { name, at: *at, source: Source::Typed(*kind) }).collect()
    }

    pub(super) fn check(&self, scope: &Scope, faults: &mut Faults<'_>) {
        if let Some(of) = &self.of {
            let found = of.check(scope, faults);
            if let Some(found) = found.filter(|found| matches!(found, Type::Bool | Type::Decimal)) {
                faults.error(of.span(), format!("`of` is {found}, and has to be a text or a whole number"));
            }
        }
        match &self.order {
            Order::Set { to, .. } => {
                to.check(scope, faults);
            }
            Order::Add { by: Some(by), .. } => {
                if let Some(found) = by.check(scope, faults).filter(|found| *found != Type::Int) {
                    faults.error(by.span(), format!("`by` is {found}, and has to be {}", Type::Int));
                }
            }
            Order::Get | Order::Add { by: None, .. } | Order::Delete => {}
        }
    }

    /// Whether there may be nothing, or it may not be done, without a branch for that.
    pub(super) fn may_fail(&self) -> bool {
        self.failed.is_none()
            || (matches!(self.order, Order::Get) && self.default.is_none() && self.missing.is_none())
    }

    pub(super) fn exits(&self) -> Vec<Pc> {
        std::iter::once(self.next).chain(self.missing).chain(self.failed).collect()
    }

    pub(super) fn begin(&self, turn: &mut Turn<'_>) -> Next {
        match self.order(turn) {
            Some(order) => {
                turn.out.push(Effect::Kv(order));
                Next::Wait(Wait::Kv)
            }
            None => self.fail(turn),
        }
    }

    pub(super) fn resume(&self, event: Event, turn: &mut Turn<'_>) -> Next {
        let Event::KvDone(result) = event else { return Next::Wait(Wait::Kv) };
        let value = match result {
            KvResult::Failed => return self.fail(turn),
            KvResult::Done => return Next::Go(self.next),
            KvResult::Value(value) => value,
        };
        let Some((name, _, kind)) = &self.into else { return Next::Go(self.next) };
        let found = value.and_then(|text| typed(&text, *kind));
        match found.or_else(|| self.default.clone()) {
            Some(value) => {
                turn.set(name, value);
                if matches!(self.order, Order::Get) {
                    turn.branch("kv", "found");
                }
                Next::Go(self.next)
            }
            None => {
                turn.clear(name);
                turn.branch("kv", "missing");
                turn.failed(self.missing, self.next)
            }
        }
    }

    fn order(&self, turn: &Turn<'_>) -> Option<KvOrder> {
        let key: Arc<str> = match &self.of {
            None => self.name.as_str().into(),
            Some(of) => format!("{}/{}", self.name, turn.value(of).ok()?).into(),
        };
        if key.len() > LONGEST_KEY {
            return None;
        }
        Some(match &self.order {
            Order::Get => KvOrder::Get { key },
            Order::Delete => KvOrder::Delete { key },
            Order::Set { to, keep } => {
                let value: Arc<str> = turn.value(to).ok()?.to_string().into();
                (value.len() <= LONGEST_VALUE).then_some(())?;
                KvOrder::Set { key, value, keep: *keep }
            }
            Order::Add { by, keep } => {
                let by = match by.as_ref().map(|by| turn.value(by)) {
                    None => 1,
                    Some(Ok(Value::Int(by))) => by,
                    Some(_) => return None,
                };
                KvOrder::Add { key, by, keep: *keep }
            }
        })
    }

    fn fail(&self, turn: &mut Turn<'_>) -> Next {
        if let Some((name, ..)) = &self.into {
            match &self.default {
                Some(value) => turn.set(name, value.clone()),
                None => turn.clear(name),
            }
        }
        turn.branch("kv", "failed");
        turn.failed(self.failed, self.next)
    }
}

/// Notes fields that belong to another order.
fn misplaced(fields: &Fields<'_>, order: &str, compiler: &mut Compiler<'_, '_>) {
    const OF_ORDERS: [(&str, &[&str]); 7] = [
        ("to", &["set"]),
        ("by", &["add"]),
        ("keep", &["set", "add"]),
        ("into", &["get", "add"]),
        ("type", &["get"]),
        ("default", &["get"]),
        ("missing", &["get"]),
    ];
    for (name, orders) in OF_ORDERS.iter().filter(|(_, orders)| !orders.contains(&order)) {
        if let Some((key, _)) = fields.entry(name) {
            let hint = format!("it belongs to `{}`", orders.join("` and `"));
            compiler.faults.hinted(key.span, format!("`{name}` says nothing of `{order}`"), hint);
        }
    }
}

fn name(node: &Node, compiler: &mut Compiler<'_, '_>) -> Option<String> {
    let text = node.text("a name", compiler.faults)?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if text.len() > 64 || !text.bytes().all(fits) {
        let hint =
            "names are made of letters, digits, `-` and `_`, at most 64 of them; `of` takes an expression";
        compiler.faults.hinted(node.span, format!("`{text}` cannot be the name of a value"), hint);
        return None;
    }
    Some(text.to_owned())
}

type Into = (Option<(String, Span, Type)>, Option<Value>);

/// The variable that gets the value, and what that is where there is none.
fn into(fields: &Fields<'_>, order: &str, compiler: &mut Compiler<'_, '_>) -> Into {
    let kind = match fields.get("type") {
        None if order == "add" => Type::Int,
        None => Type::Text,
        Some(node) => {
            let word = node.text("`type`", compiler.faults).unwrap_or_default();
            Type::named(word).unwrap_or_else(|| {
                compiler.faults.unknown(node.span, "unknown type {}", word, Type::NAMES.into_iter());
                Type::Text
            })
        }
    };
    let node = match order {
        "get" => fields.require("into", compiler.faults),
        "add" => fields.get("into"),
        _ => None,
    };
    let into = node.and_then(|node| {
        let name = node.text("`into`", compiler.faults)?;
        Some((compiler.variable(name, node.span)?, node.span, kind))
    });
    let default = fields.get("default").and_then(|node| {
        let value = node.text("`default`", compiler.faults).and_then(|text| typed(text, kind));
        if value.is_none() {
            compiler
                .faults
                .error(node.span, format!("the default is {}, and has to be {kind}", node.describe()));
        }
        value
    });
    (into, default)
}

/// A value as it is kept, as one of that type.
fn typed(text: &str, kind: Type) -> Option<Value> {
    match kind {
        Type::Text => Some(Value::Text(text.into())),
        Type::Int => text.parse().ok().map(Value::Int),
        Type::Decimal => text.parse().ok().map(Value::Decimal),
        Type::Bool => text.parse().ok().map(Value::Bool),
    }
}
