//! What a client is to pay.

use crate::faults::{Faults, Span};
use crate::fields::Fields;
use crate::levels::{formula, percent};
use crate::number;
use crate::yaml::{Key, Node, Value};
use billing::{Calls, Currency, Deduction, Each, Money, Penalty, Rate, Rates, Tariff};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Increments of calls are an hour at most.
const LONGEST: u32 = 3_600;
/// More prices than that no client has in one place.
const MOST: usize = 10_000;

/// What a tariff names; `None` where not every file could be read.
pub(crate) struct Known<'a> {
    pub(crate) numbers: Option<&'a [(Key, Node)]>,
    pub(crate) queues: Option<&'a [(Key, Node)]>,
}

/// Reads `billing` of a client.
pub(crate) fn read(key: &Key, node: &Node, known: &Known<'_>, faults: &mut Faults<'_>) -> Option<Tariff> {
    const KNOWN: [&str; 7] = ["currency", "inbound", "outbound", "handled", "hours", "sales", "penalties"];
    let fields = Fields::of(node, key.span, "`billing`", &KNOWN, faults)?;
    let currency = fields.require("currency", faults).and_then(|node| currency(node, faults));
    let inbound = fields.entry("inbound").map(|(key, node)| inbound(key, node, known, faults));
    let outbound = fields.entry("outbound").map(|(key, node)| outbound(key, node, faults));
    let mut handled = BTreeMap::new();
    for (key, node) in fields.get("handled").map_or(&[][..], |node| node.entries("`handled`", faults)) {
        if is_queue(&key.text, key.span, known, faults) {
            handled.extend(each(key.span, node, faults).map(|each| (Arc::from(key.text.as_str()), each)));
        }
    }
    let hour = fields.entry("hours").and_then(|(key, node)| each(key.span, node, faults));
    let mut sales = BTreeMap::new();
    for (key, node) in fields.get("sales").map_or(&[][..], |node| node.entries("`sales`", faults)) {
        sales.extend(each(key.span, node, faults).map(|each| (Arc::from(key.text.as_str()), each)));
    }
    let nodes = fields.entry("penalties");
    let penalties = nodes.map_or(&[][..], |(_, node)| node.items()).iter();
    let penalties = penalties.filter_map(|node| penalty(key.span, node, known, faults)).collect();
    Some(Tariff { currency: currency?, inbound, outbound, handled, hour, sales, penalties })
}

fn currency(node: &Node, faults: &mut Faults<'_>) -> Option<Currency> {
    let code = node.text("`currency`", faults)?;
    let found = Currency::named(code);
    if found.is_none() {
        let all: Vec<_> = Currency::names().collect();
        let message = format!("`{code}` is no currency in which invoices can be");
        faults.hinted(node.span, message, format!("known: {}", all.join(" ")));
    }
    found
}

fn inbound(key: &Key, node: &Node, known: &Known<'_>, faults: &mut Faults<'_>) -> Calls {
    let Some(fields) = Fields::of(node, key.span, "`inbound`", &["price", "cost", "numbers"], faults) else {
        return Calls::default();
    };
    let own = |text: &str| {
        let all = known.numbers?;
        Some(all.iter().any(|(key, _)| number::key(&key.text) == number::key(text)))
    };
    let mut of = BTreeMap::new();
    for (key, node) in entries(&fields, "numbers", faults) {
        if own(&key.text) == Some(false) {
            let message = format!("`{}` is no number of this client", key.text);
            faults.hinted(key.span, message, "it has to stand under `numbers` of the client");
        }
        add(&mut of, key, number::normalized(&key.text), node, faults);
    }
    Calls { usual: usual(&fields, key.span, faults), of }
}

fn outbound(key: &Key, node: &Node, faults: &mut Faults<'_>) -> Calls {
    let Some(fields) = Fields::of(node, key.span, "`outbound`", &["price", "cost", "prefixes"], faults)
    else {
        return Calls::default();
    };
    let mut of = BTreeMap::new();
    for (key, node) in entries(&fields, "prefixes", faults) {
        match number::prefix(&key.text).filter(|prefix| prefix.len() > 1 && prefix.starts_with('+')) {
            Some(prefix) => add(&mut of, key, prefix, node, faults),
            None => faults.hinted(
                key.span,
                format!("`{}` is not the beginning of an international number", key.text),
                "write it with its country code: \"+34\" or \"+34 803\"",
            ),
        }
    }
    Calls { usual: usual(&fields, key.span, faults), of }
}

fn entries<'n>(fields: &Fields<'n>, name: &str, faults: &mut Faults<'_>) -> &'n [(Key, Node)] {
    let entries = fields.get(name).map_or(&[][..], |node| node.entries(&format!("`{name}`"), faults));
    if let Some((key, _)) = entries.get(MOST) {
        faults.error(key.span, format!("`{name}` has {MOST} prices at most"));
    }
    entries
}

fn add(of: &mut BTreeMap<Arc<str>, Rates>, key: &Key, name: String, node: &Node, faults: &mut Faults<'_>) {
    let Some(fields) = Fields::of(node, key.span, "a price of calls", &["price", "cost"], faults) else {
        return;
    };
    let rates = rates(&fields, key.span, faults);
    if of.insert(name.into(), rates).is_some() {
        faults.error(key.span, format!("`{}` has a price already", key.text));
    }
}

/// What stands beside numbers or prefixes is of all others.
fn usual(fields: &Fields<'_>, at: Span, faults: &mut Faults<'_>) -> Option<Rates> {
    let is_said = fields.get("price").is_some() || fields.get("cost").is_some();
    is_said.then(|| rates(fields, at, faults))
}

fn rates(fields: &Fields<'_>, at: Span, faults: &mut Faults<'_>) -> Rates {
    let price = fields.require("price", faults).map(|node| rate(node, at, "`price`", faults));
    let cost = fields.get("cost").map(|node| rate(node, at, "`cost`", faults));
    Rates { price: price.unwrap_or_default(), cost: cost.unwrap_or_default() }
}

/// `0.02` a minute by the second, or a map.
fn rate(node: &Node, at: Span, what: &'static str, faults: &mut Faults<'_>) -> Rate {
    if let Value::Scalar { .. } = node.value {
        return Rate { minute: money(node, what, faults).unwrap_or_default(), ..Rate::default() };
    }
    const KNOWN: [&str; 4] = ["minute", "connect", "minimum", "increment"];
    let Some(fields) = Fields::of(node, at, what, &KNOWN, faults) else { return Rate::default() };
    let mut amount = |name: &str| {
        let node = fields.get(name);
        node.and_then(|node| money(node, &format!("`{name}`"), faults)).unwrap_or_default()
    };
    let (minute, connect, minimum) = (amount("minute"), amount("connect"), amount("minimum"));
    let increment = fields.get("increment").and_then(|node| increment(node, faults));
    let (first, next) = increment.unwrap_or((1, 1));
    Rate { minute, connect, minimum, first, next }
}

/// `60/60`, `30/6`: the seconds that count at least, and those in which it goes on.
fn increment(node: &Node, faults: &mut Faults<'_>) -> Option<(u32, u32)> {
    let text = node.text("`increment`", faults)?;
    let seconds = |part: &str| part.trim().parse().ok().filter(|seconds| (1..=LONGEST).contains(seconds));
    let found = text.split_once('/').and_then(|(first, next)| Some((seconds(first)?, seconds(next)?)));
    if found.is_none() {
        faults.hinted(
            node.span,
            format!("`{text}` is no increment"),
            "write the seconds that count at least and those in which it goes on: 60/60, 30/6 or 1/1",
        );
    }
    found
}

/// `1.20`, or `{price: 1.20, cost: 0.40}`.
fn each(at: Span, node: &Node, faults: &mut Faults<'_>) -> Option<Each> {
    if let Value::Scalar { .. } = node.value {
        return Some(Each { price: money(node, "a price", faults)?, cost: Money::ZERO });
    }
    let fields = Fields::of(node, at, "a price", &["price", "cost"], faults)?;
    let price = fields.require("price", faults).and_then(|node| money(node, "`price`", faults));
    let cost = fields.get("cost").and_then(|node| money(node, "`cost`", faults));
    Some(Each { price: price?, cost: cost.unwrap_or_default() })
}

fn money(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<Money> {
    let text = node.text(what, faults)?;
    let money = text.parse();
    if let Err(hint) = money {
        faults.hinted(node.span, format!("{what} is no amount of money: `{text}`"), hint);
    }
    money.ok()
}

fn penalty(at: Span, node: &Node, known: &Known<'_>, faults: &mut Faults<'_>) -> Option<Penalty> {
    const KNOWN: [&str; 6] = ["queue", "formula", "within", "target", "percent", "amount"];
    let fields = Fields::of(node, node.place_or(at), "a penalty", &KNOWN, faults)?;
    let queue = fields.require("queue", faults)?;
    let name = queue.text("`queue`", faults)?;
    let is_known = is_queue(name, queue.span, known, faults);
    let formula = fields.get("formula").and_then(|node| formula(node, faults));
    let within = fields.get("within").and_then(|node| node.duration("`within`", faults));
    let target = fields.get("target").and_then(|node| percent(node, "`target`", faults));
    let deduction = match (fields.get("percent"), fields.get("amount")) {
        (Some(node), None) => parts(node, faults).map(Deduction::Share),
        (None, Some(node)) => money(node, "`amount`", faults).map(Deduction::Amount),
        (_, _) => {
            let hint = "write percent: 5% of what the month comes to, or amount: 200";
            faults.hinted(node.place_or(at), "a penalty needs either `percent` or `amount`", hint);
            None
        }
    };
    let within = within.map(|within| u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
    Some(Penalty { queue: name.into(), formula, within, target, deduction: deduction.filter(|_| is_known)? })
}

/// `5%`, `2.25%` in ten-thousandths.
fn parts(node: &Node, faults: &mut Faults<'_>) -> Option<u32> {
    let text = node.text("`percent`", faults)?;
    let number = text.strip_suffix('%').map(str::trim);
    let (whole, rest) = number.map_or(("", ""), |number| number.split_once('.').unwrap_or((number, "0")));
    let is_short = (1..=2).contains(&rest.len()) && whole.len() <= 3;
    let parts = digits(whole).zip(digits(rest)).filter(|_| is_short).and_then(|(whole, rest)| {
        Some(whole.parse::<u32>().ok()? * 100 + format!("{rest:0<2}").parse::<u32>().ok()?)
    });
    let parts = parts.filter(|parts| *parts <= 10_000);
    if parts.is_none() {
        let message = format!("`{text}` is no share of what a month comes to");
        faults.hinted(node.span, message, "write it like 5% or 2.25%");
    }
    parts
}

fn digits(text: &str) -> Option<&str> {
    Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_queue(name: &str, at: Span, known: &Known<'_>, faults: &mut Faults<'_>) -> bool {
    let Some(queues) = known.queues else { return true };
    let is_known = queues.iter().any(|(key, _)| key.text == name);
    if !is_known {
        faults.unknown(at, "unknown queue {}", name, queues.iter().map(|(key, _)| key.text.as_str()));
    }
    is_known
}
