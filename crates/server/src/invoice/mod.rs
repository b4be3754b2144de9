//! Drafts of invoices: a client's month out of the event log, and how that is shown.

mod csv;
mod table;

pub(crate) use csv::csv;
pub(crate) use table::table;

use crate::report::Settings;
use billing::{Biller, Draft, Heading, Ledger, Month, Shares, Tariff};
use dialplan::{Client, Config};
use events::ContactId;
use figures::{Millis, State, Timeline};
use jiff::Timestamp;
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Filter, Reader, StoreError};

/// Calls that are read at a time.
const PAGE: u32 = 1_000;

/// What is billed.
pub(crate) struct Bill<'a> {
    plan: &'a Config,
    pub(crate) client: &'a Client,
    tariff: &'a Tariff,
    month: Month,
    /// The moment as of which it is: what is open lasts until then.
    now: Millis,
}

impl<'a> Bill<'a> {
    /// A client's month; the one that `now` is in without a name.
    ///
    /// # Errors
    /// There is no such client or month, or nothing is agreed with it.
    pub(crate) fn of(
        plan: &'a Config,
        client: &str,
        month: Option<&str>,
        now: Millis,
    ) -> Result<Self, String> {
        let client = plan.client_named(client).ok_or_else(|| format!("there is no client `{client}`"))?;
        let tariff = client.tariff.as_ref();
        let tariff = tariff
            .ok_or_else(|| format!("nothing is agreed with `{}`: its files have no `billing`", client.id))?;
        let month = match month {
            Some(month) => month.parse().map_err(|hint| format!("`{month}` is no month: {hint}"))?,
            None => Month::of(now, &client.zone).ok_or("there is no such month")?,
        };
        Ok(Self { plan, client, tariff, month, now })
    }

    /// What it comes to.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn draft(&self, reader: &Reader) -> Result<Draft, StoreError> {
        let Self { plan, client, tariff, month, .. } = self;
        let levels = Settings::of(plan).levels;
        let mut biller = Biller::new(&client.id, tariff, (*month, &client.zone), &levels);
        if tariff.inbound.is_some() || tariff.outbound.is_some() {
            self.calls(reader, &mut biller).await?;
        }
        // An agent's hours are shared by what it has handled of all clients.
        let whose = tariff.hour.is_none().then_some(&*client.id);
        let mut shares = Shares::default();
        let each = |visit: &_| {
            shares.visit(visit);
            biller.visit(visit);
        };
        reader.visits(month.bounds(&client.zone), whose, each).await?;
        if !tariff.sales.is_empty() {
            for noted in reader.dispositions(&client.id, biller.period()).await? {
                biller.sale(noted.contact, noted.at, &noted.disposition, &noted.by);
            }
        }
        if tariff.hour.is_some() {
            self.hours(reader, &shares, &mut biller).await?;
        }
        Ok(biller.draft())
    }

    /// What stands above it.
    pub(crate) fn heading(&self) -> Heading<'_> {
        Heading { name: &self.client.name, zone: &self.client.zone, as_of: self.now }
    }

    async fn calls(&self, reader: &Reader, biller: &mut Biller<'_>) -> Result<(), StoreError> {
        let (from, to) = biller.period();
        let stamp = |at| Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX);
        let mut filter = Filter {
            since: Some(stamp(from)),
            number: None,
            clients: vec![self.client.id.to_string()],
            before: Some((stamp(to), ContactId(0))),
        };
        let number = |trunk: &str, user: &str| {
            self.plan.trunk(trunk).map_or_else(|| user.to_owned(), |trunk| trunk.sent(user).into_owned())
        };
        let mut calls = Ledger::default();
        loop {
            let page = reader.calls(PAGE, &filter).await?;
            page.iter().for_each(|cdr| calls.add(cdr, number));
            match page.last() {
                Some(last) if page.len() == PAGE as usize => {
                    filter.before = Some((last.started.utc, last.contact));
                }
                _ => break,
            }
        }
        calls.into_sorted().iter().for_each(|call| biller.call(call));
        Ok(())
    }

    async fn hours(
        &self,
        reader: &Reader,
        shares: &Shares,
        biller: &mut Biller<'_>,
    ) -> Result<(), StoreError> {
        let (from, to) = biller.period();
        let serves = self.serves();
        for (agent, timeline) in reader.timelines((from, to)).await? {
            let logged_in = logged_in(&timeline, (from, to.min(self.now)));
            let serves = serves.get(&agent).map_or(&[][..], Vec::as_slice);
            biller.hours(&agent, shares.of(&agent, &self.client.id, logged_in, serves));
        }
        Ok(())
    }

    /// The clients in whose queues each agent is.
    fn serves(&self) -> BTreeMap<Arc<str>, Vec<Arc<str>>> {
        let mut serves: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
        for queue in &self.plan.queues {
            let client = &self.plan.client(queue.client).id;
            for member in &queue.plan.members {
                let clients = serves.entry(Arc::clone(&member.agent)).or_default();
                if !clients.contains(client) {
                    clients.push(Arc::clone(client));
                }
            }
        }
        serves
    }
}

/// In any state but logged out, in milliseconds.
fn logged_in(timeline: &Timeline, (from, to): (Millis, Millis)) -> u64 {
    let spans = timeline.spans(from, to).filter(|(_, _, state)| **state != State::LoggedOut);
    spans.map(|(begins, ends, _)| u64::try_from(ends - begins).unwrap_or(0)).sum()
}

/// A draft as one JSON object.
pub(crate) fn json(draft: &Draft, heading: &Heading<'_>) -> Value {
    let mut object = value!(draft);
    object["name"] = value!(heading.name);
    object["zone"] = value!(heading.zone.iana_name());
    let (from, to) = draft.month.bounds(heading.zone);
    for (key, at) in [("from", from), ("to", to), ("as_of", heading.as_of)] {
        object[key] = value!(crate::report::stamp(heading.zone, at));
    }
    if let Some(margin) = draft.margin() {
        object["margin"] = value!(margin);
    }
    object
}
