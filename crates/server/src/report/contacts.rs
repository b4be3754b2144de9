//! The visits behind a figure, and what happened to one contact.

use super::table::aligned;
use super::{Asked, SERVICE_LEVEL, clock_face, on_the_wall};
use figures::{Figure, Millis, Visit, figure};
use jiff::tz::TimeZone;
use store::{Reader, StoreError};

/// The figure whose visits are listed.
pub(crate) enum Contacts {
    /// This one.
    Behind(&'static Figure),
    /// The service level by the formula of each queue.
    ServiceLevel,
}

impl Contacts {
    /// That of a name.
    ///
    /// # Errors
    /// There is none, or it is not of visits.
    pub(crate) fn of(name: &str) -> Result<Self, String> {
        if name == SERVICE_LEVEL {
            return Ok(Self::ServiceLevel);
        }
        match figure(name) {
            Some(figure) if figure.is_of_visits => Ok(Self::Behind(figure)),
            Some(_) => Err(format!("`{name}` is of agents' time: no contact stands behind it")),
            None => Err(format!("there is no figure `{name}`: `ringdown report --explain` lists them")),
        }
    }

    /// The visits behind it, in the order of their arrival.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn list(&self, reader: &Reader, asked: &Asked) -> Result<Vec<Visit>, StoreError> {
        let Asked { selection, levels } = asked;
        let mut visits = Vec::new();
        let client = selection.client.as_deref();
        let each = |visit: &Visit| {
            let level = levels.of(visit);
            let figure = match self {
                Self::Behind(figure) => *figure,
                Self::ServiceLevel => level.formula.figure(),
            };
            if selection.takes(visit) && figure.is_behind(&selection.single(visit, level)) {
                visits.push(visit.clone());
            }
        };
        reader.visits((selection.from, selection.to), client, each).await?;
        Ok(visits)
    }

    /// A line for each.
    pub(crate) fn table(visits: &[Visit], zone: &TimeZone, now: Millis) -> String {
        if visits.is_empty() {
            return "no contact stands behind it\n".to_owned();
        }
        let head = [
            "CONTACT",
            "ARRIVED",
            "QUEUE",
            "CALLER",
            "NUMBER",
            "WAITED",
            "OUTCOME",
            "AGENT",
            "TALK",
            "OFFERED TO",
        ];
        let mut lines = vec![head.map(str::to_owned).to_vec()];
        lines.extend(visits.iter().map(|visit| {
            let queue =
                visit.queue.as_ref().map_or("–".into(), |queue| format!("{}/{queue}", visit.client));
            let talk = visit.handling().map_or("–".into(), |handling| clock_face(handling.talk));
            let offers: Vec<_> = visit.offers.iter().map(|offer| &*offer.agent).collect();
            vec![
                visit.contact.0.to_string(),
                on_the_wall(zone, visit.arrived, "%Y-%m-%d %H:%M:%S"),
                queue,
                visit.caller.to_string(),
                visit.number.to_string(),
                clock_face(visit.waited(now)),
                visit.outcome.name().replace('_', " "),
                visit.agent().map_or("–", |agent| agent).to_owned(),
                talk,
                offers.join(", "),
            ]
        }));
        aligned(&lines)
    }
}

/// What happened to a contact, segment by segment.
pub(crate) fn segments(visits: &[Visit], zone: &TimeZone) -> String {
    let mut lines = vec![["FROM", "TO", "LASTED", "WHAT", "WHO", "ENDED"].map(str::to_owned).to_vec()];
    for segment in visits.iter().flat_map(Visit::segments) {
        let clock = |at| on_the_wall(zone, at, "%H:%M:%S%.3f");
        let lasted = segment.to.map(|to| clock_face(u64::try_from(to - segment.from).unwrap_or(0)));
        lines.push(vec![
            clock(segment.from),
            segment.to.map_or("–".to_owned(), clock),
            lasted.unwrap_or_else(|| "–".to_owned()),
            segment.what.replace('_', " "),
            segment.who.as_deref().unwrap_or("–").to_owned(),
            segment.ended.as_deref().unwrap_or_default().replace('_', " "),
        ]);
    }
    aligned(&lines)
}
