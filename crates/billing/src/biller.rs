//! From what happened in a month to a draft.

use crate::call::{Call, Way};
use crate::draft::{Draft, Item, Kind, Line};
use crate::tariff::{Deduction, Each, Penalty, Tariff};
use crate::{Money, Month};
use events::ContactId;
use figures::{Levels, Millis, Tally, Visit};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Adds up one client's month. It is shown what happened in any order, and more than that month: it takes what is its own.
#[derive(Clone, Debug)]
pub struct Biller<'a> {
    client: &'a str,
    tariff: &'a Tariff,
    month: Month,
    period: (Millis, Millis),
    /// With what one of it comes to.
    lines: BTreeMap<(Kind, Arc<str>), (String, Vec<Item>)>,
    unpriced: Vec<ContactId>,
    /// The service level of each penalty's queue, and the visits that have lowered it.
    held: Vec<(&'a Penalty, figures::Level, Tally, Vec<Item>)>,
}

impl<'a> Biller<'a> {
    /// Nothing has happened yet. `levels` has what was agreed of queues.
    pub fn new(
        client: &'a str,
        tariff: &'a Tariff,
        (month, zone): (Month, &TimeZone),
        levels: &Levels,
    ) -> Self {
        let held = |penalty: &'a Penalty| {
            let level = penalty.level(levels.of_queue(client, &penalty.queue));
            (penalty, level, Tally::default(), Vec::new())
        };
        Self {
            client,
            tariff,
            month,
            period: month.bounds(zone),
            lines: BTreeMap::new(),
            unpriced: Vec::new(),
            held: tariff.penalties.iter().map(held).collect(),
        }
    }

    /// The month's first moment and the first after it, in milliseconds since 1970.
    pub fn period(&self) -> (Millis, Millis) {
        self.period
    }

    /// Takes a call of the client.
    pub fn call(&mut self, call: &Call) {
        let (kind, calls) = match call.way {
            Way::Inbound => (Kind::Inbound, &self.tariff.inbound),
            Way::Outbound => (Kind::Outbound, &self.tariff.outbound),
        };
        let Some(calls) = calls.as_ref().filter(|_| self.is_of_month(call.at)) else { return };
        let found = match call.way {
            Way::Inbound => calls.of_number(&call.number),
            Way::Outbound => calls.of_prefix(&call.number),
        };
        let Some((under, rates)) = found else { return self.unpriced.push(call.contact) };
        let item = Item {
            contact: Some(call.contact),
            at: call.at,
            who: Arc::clone(&call.number),
            quantity: rates.price.seconds(call.millis),
            amount: rates.price.amount(call.millis),
            cost: Some(rates.cost.amount(call.millis)),
        };
        let (under, price) = (under.into(), rates.price);
        self.add(kind, under, || price.to_string(), item);
    }

    /// Takes a visit: it is billed in the month in which it came into its queue.
    pub fn visit(&mut self, visit: &Visit) {
        let Some(queue) = &visit.queue else { return };
        if *visit.client != *self.client || !self.is_of_month(visit.arrived) {
            return;
        }
        self.hold(visit, queue);
        let (Some(each), Some(_)) = (self.tariff.handled.get(queue), visit.handling()) else { return };
        let agent = visit.agent().map_or_else(Arc::default, Arc::clone);
        let item = piece(Some(visit.contact), visit.arrived, agent, each);
        self.add(Kind::Handled, Arc::clone(queue), || format!("{each} each"), item);
    }

    /// Takes the time that an agent was logged in for the client within the month, in milliseconds.
    pub fn hours(&mut self, agent: &Arc<str>, millis: u64) {
        const HOUR: u64 = 3_600_000;
        let Some(each) = self.tariff.hour.as_ref().filter(|_| millis > 0) else { return };
        let item = Item {
            contact: None,
            at: self.period.0,
            who: Arc::clone(agent),
            quantity: millis,
            amount: each.price.times(millis, HOUR),
            cost: Some(each.cost.times(millis, HOUR)),
        };
        self.add(Kind::Hours, "agents logged in".into(), || format!("{each} an hour"), item);
    }

    /// Takes a result that an agent has noted of a contact of the client.
    pub fn sale(&mut self, contact: ContactId, at: Millis, result: &str, agent: &Arc<str>) {
        let Some((result, each)) = self.tariff.sales.get_key_value(result) else { return };
        if self.is_of_month(at) {
            let item = piece(Some(contact), at, Arc::clone(agent), each);
            self.add(Kind::Sales, Arc::clone(result), || format!("{each} each"), item);
        }
    }

    /// What it all comes to.
    pub fn draft(self) -> Draft {
        let Self { client, tariff, month, lines, held, mut unpriced, .. } = self;
        let digits = tariff.currency.digits;
        let mut lines: Vec<Line> =
            lines.into_iter().map(|((kind, of), behind)| line(kind, of, behind, digits)).collect();
        let sum: Money = lines.iter().map(|line| line.amount).sum();
        lines.extend(held.into_iter().filter_map(|held| penalty(held, sum, digits)));
        unpriced.sort();
        unpriced.dedup();
        Draft {
            client: client.into(),
            month,
            currency: tariff.currency,
            total: lines.iter().map(|line| line.amount).sum(),
            cost: Some(lines.iter().filter_map(|line| line.cost).sum()),
            lines,
            unpriced,
        }
    }

    fn add(&mut self, kind: Kind, of: Arc<str>, price: impl FnOnce() -> String, item: Item) {
        self.lines.entry((kind, of)).or_insert_with(|| (price(), Vec::new())).1.push(item);
    }

    fn is_of_month(&self, at: Millis) -> bool {
        (self.period.0..self.period.1).contains(&at)
    }

    /// Counts a visit as the service level of its queue does.
    fn hold(&mut self, visit: &Visit, queue: &Arc<str>) {
        for (penalty, level, tally, lowered) in &mut self.held {
            if penalty.queue != *queue {
                continue;
            }
            let mut single = Tally::default();
            single.count(visit, level, visit.arrived);
            tally.merge(&single);
            // What counts and is not in time lowers it.
            if level.formula.value(&single).is_some_and(|share| share < 1.0) {
                lowered.push(piece(
                    Some(visit.contact),
                    visit.arrived,
                    Arc::clone(&visit.caller),
                    &Each::default(),
                ));
            }
        }
    }
}

fn piece(contact: Option<ContactId>, at: Millis, who: Arc<str>, each: &Each) -> Item {
    Item { contact, at, who, quantity: 1, amount: each.price, cost: Some(each.cost) }
}

fn line(kind: Kind, of: Arc<str>, (price, mut items): (String, Vec<Item>), digits: usize) -> Line {
    items.sort_by(|a, b| (a.at, a.contact, &a.who).cmp(&(b.at, b.contact, &b.who)));
    let amount: Money = items.iter().map(|item| item.amount).sum();
    let cost: Money = items.iter().filter_map(|item| item.cost).sum();
    let quantity = items.iter().map(|item| item.quantity).sum();
    let (amount, cost) = (amount.rounded(digits), Some(cost.rounded(digits)));
    Line { kind, of, price, count: items.len(), quantity, amount, cost, why: None, items }
}

/// `None` if the queue has kept what was agreed, or had no calls.
fn penalty(
    (penalty, level, tally, items): (&Penalty, figures::Level, Tally, Vec<Item>),
    sum: Money,
    digits: usize,
) -> Option<Line> {
    let reached = level.formula.value(&tally).filter(|reached| *reached < level.target)?;
    let (amount, price) = match penalty.deduction {
        Deduction::Share(parts) => {
            let share = format!("{}.{:02} % of {}", parts / 100, parts % 100, sum.text(digits));
            (sum.times(parts.into(), 10_000), share)
        }
        Deduction::Amount(amount) => (amount, "as agreed".to_owned()),
    };
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let why = format!(
        "{} answered within {} s ({}: {}), {} agreed",
        percent(reached),
        level.within / 1_000,
        level.formula,
        level.formula.text(),
        percent(level.target)
    );
    let line = line(Kind::Penalty, Arc::clone(&penalty.queue), (price, items), digits);
    Some(Line { amount: -amount.rounded(digits), why: Some(why), ..line })
}
