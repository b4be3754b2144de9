//! Tallies by queue, agent, client, number or trunk, and by interval.

use crate::grid::Grid;
use crate::{Level, Levels, Millis, Tally, Timeline, Visit};
use std::collections::HashMap;
use std::sync::Arc;

/// By what is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Queues, `client/queue`.
    Queues,
    /// Agents.
    Agents,
    /// Client companies.
    Clients,
    /// Numbers called.
    Numbers,
    /// Trunks that contacts came by.
    Trunks,
}

/// What is counted.
#[derive(Clone, Debug)]
pub struct Selection {
    /// By what.
    pub axis: Axis,
    /// Only that one; a queue also by its name alone.
    pub name: Option<String>,
    /// Only contacts of this client. Agents' time belongs to no client and is absent then.
    pub client: Option<String>,
    /// From this moment on, in milliseconds since 1970.
    pub from: Millis,
    /// Before this one.
    pub to: Millis,
    /// The moment of the report: what is open lasts until then.
    pub now: Millis,
    /// The intervals.
    pub grid: Grid,
}

/// Counts what it is shown.
#[derive(Debug)]
pub struct Counter<'a> {
    selection: &'a Selection,
    levels: &'a Levels,
    /// The interval of the visit before.
    interval: (Millis, Millis),
    tallies: HashMap<Key, Vec<(Millis, Millis, Tally)>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Queue(Arc<str>, Arc<str>),
    Plain(Arc<str>),
}

/// What was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// By name, then by time.
    pub rows: Vec<Row>,
}

/// The tally of one name in one interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Of whom.
    pub name: Arc<str>,
    /// From this moment on, in milliseconds since 1970.
    pub from: Millis,
    /// Before this one.
    pub to: Millis,
    /// What there was.
    pub tally: Tally,
}

impl<'a> Counter<'a> {
    /// Nothing is counted yet.
    pub fn new(selection: &'a Selection, levels: &'a Levels) -> Self {
        Self { selection, levels, interval: (0, 0), tallies: HashMap::new() }
    }

    /// Counts a visit, if it is selected: in the interval in which it arrived, whenever it ended.
    pub fn visit(&mut self, visit: &Visit) {
        let Selection { axis, from, to, now, .. } = self.selection;
        if !self.selection.takes(visit) {
            return;
        }
        let interval = self.selection.interval(self.interval, visit.arrived, (*from, *to));
        self.interval = interval;
        let level = self.levels.of(visit);
        let key = match axis {
            Axis::Queues => match &visit.queue {
                Some(queue) => Key::Queue(Arc::clone(&visit.client), Arc::clone(queue)),
                None => return,
            },
            Axis::Clients => Key::Plain(Arc::clone(&visit.client)),
            Axis::Numbers => Key::Plain(Arc::clone(&visit.number)),
            Axis::Trunks => match &visit.trunk {
                Some(trunk) => Key::Plain(Arc::clone(trunk)),
                None => return,
            },
            Axis::Agents => return self.visit_by_agent(visit, interval),
        };
        tally(&mut self.tallies, key, interval).count(visit, level, *now);
    }

    fn visit_by_agent(&mut self, visit: &Visit, interval: (Millis, Millis)) {
        for (index, offer) in visit.offers.iter().enumerate() {
            let is_again = visit.offers[..index].iter().any(|before| before.agent == offer.agent);
            if !is_again && self.selection.is_named(&offer.agent) {
                let tally = tally(&mut self.tallies, Key::Plain(Arc::clone(&offer.agent)), interval);
                tally.count_agent(&offer.agent, visit, self.levels.of(visit));
            }
        }
    }

    /// Counts an agent's time, cut at the borders of intervals.
    pub fn timeline(&mut self, agent: &Arc<str>, timeline: &Timeline) {
        let Selection { axis, client, from, to, now, .. } = self.selection;
        if *axis != Axis::Agents || client.is_some() || !self.selection.is_named(agent) {
            return;
        }
        let mut interval = (0, 0);
        for (mut begins, ends, state) in timeline.spans(*from, *to.min(now)) {
            while begins < ends {
                interval = self.selection.interval(interval, begins, (*from, *to));
                let cut = ends.min(interval.1);
                let millis = u64::try_from(cut - begins).unwrap_or(0);
                if *state != crate::State::LoggedOut {
                    let tally = tally(&mut self.tallies, Key::Plain(Arc::clone(agent)), interval);
                    tally.time.get_or_insert_default().add(state, millis);
                }
                begins = cut;
            }
        }
    }

    /// What was counted.
    pub fn report(self) -> Report {
        let named = |(key, tallies): (Key, Vec<_>)| {
            let name = key.name();
            tallies.into_iter().map(move |(from, to, tally)| Row { name: Arc::clone(&name), from, to, tally })
        };
        let mut rows: Vec<Row> = self.tallies.into_iter().flat_map(named).collect();
        rows.sort_by(|a, b| (&a.name, a.from).cmp(&(&b.name, b.from)));
        Report { rows }
    }
}

impl Report {
    /// All of it in one tally.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.rows.iter().for_each(|row| total.merge(&row.tally));
        total
    }
}

impl Selection {
    /// Whether a visit is among what is counted.
    pub fn takes(&self, visit: &Visit) -> bool {
        let is_in_time = (self.from..self.to).contains(&visit.arrived);
        let is_of_client = self.client.as_ref().is_none_or(|client| **client == *visit.client);
        is_in_time && is_of_client && self.name.as_ref().is_none_or(|name| self.is_of(visit, name))
    }

    /// What a visit alone comes to: of one agent only what that agent had of it.
    pub fn single(&self, visit: &Visit, level: &Level) -> Tally {
        let mut tally = Tally::default();
        match (self.axis, &self.name) {
            (Axis::Agents, Some(agent)) => tally.count_agent(agent, visit, level),
            _ => tally.count(visit, level, self.now),
        }
        tally
    }

    fn is_of(&self, visit: &Visit, name: &str) -> bool {
        match self.axis {
            Axis::Queues => visit.queue.as_ref().is_some_and(|queue| match name.split_once('/') {
                Some((client, name)) => *client == *visit.client && *name == **queue,
                None => *name == **queue,
            }),
            Axis::Agents => visit.offers.iter().any(|offer| *offer.agent == *name),
            Axis::Clients => *visit.client == *name,
            Axis::Numbers => *visit.number == *name,
            Axis::Trunks => visit.trunk.as_ref().is_some_and(|trunk| **trunk == *name),
        }
    }

    fn is_named(&self, name: &str) -> bool {
        self.name.as_ref().is_none_or(|wanted| *wanted == *name)
    }

    /// The interval of a moment within the period of the report; that of the moment before is looked at first.
    fn interval(&self, before: (Millis, Millis), at: Millis, period: (Millis, Millis)) -> (Millis, Millis) {
        if before.0 <= at && at < before.1 {
            return before;
        }
        self.grid.interval(at).unwrap_or(period)
    }
}

impl Key {
    fn name(self) -> Arc<str> {
        match self {
            Self::Queue(client, queue) => format!("{client}/{queue}").into(),
            Self::Plain(name) => name,
        }
    }
}

/// The tally of a name in an interval. Intervals mostly come in their order.
fn tally(
    tallies: &mut HashMap<Key, Vec<(Millis, Millis, Tally)>>,
    key: Key,
    (from, to): (Millis, Millis),
) -> &mut Tally {
    let of_key = tallies.entry(key).or_default();
    let place = match of_key.last() {
        Some((last, ..)) if *last == from => of_key.len() - 1,
        Some((last, ..)) if *last > from => {
            match of_key.binary_search_by_key(&from, |(begins, ..)| *begins) {
                Ok(place) => place,
                Err(place) => {
                    of_key.insert(place, (from, to, Tally::default()));
                    place
                }
            }
        }
        _ => {
            of_key.push((from, to, Tally::default()));
            of_key.len() - 1
        }
    };
    &mut of_key[place].2
}
