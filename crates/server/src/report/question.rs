//! What is asked, in words, and what is meant by it.

use clap::Args;
use dialplan::Config;
use figures::{Axis, Every, Grid, Level, Levels, Millis, Selection};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::IntoParams;

/// What is asked besides by what is counted: the options of the command, and the query of HTTP.
#[derive(Clone, Debug, Default, Args, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Question {
    /// Only contacts of this client
    #[arg(long, value_name = "CLIENT")]
    pub(crate) client: Option<String>,
    /// From this moment on, `YYYY-MM-DD`, also with ` HH:MM`; today if it is not given
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Before this moment; now if it is not given
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// By intervals of 15m, 30m, 1h or 1d
    #[arg(long, value_name = "TIME")]
    pub(crate) every: Option<String>,
    /// The service level in the place of the queues' own: so many percent within so many seconds, 80/20
    #[arg(long, value_name = "PERCENT/SECONDS")]
    pub(crate) sl: Option<String>,
    /// Its formula in the place of the queues' own: answered, strict, neutral, credit, genesys, legal-es
    #[arg(long, value_name = "NAME")]
    pub(crate) formula: Option<String>,
    /// Who hangs up within so many seconds is a short abandon, in the place of the queues' own
    #[arg(long, value_name = "SECONDS")]
    pub(crate) short_abandon: Option<u64>,
    /// The time zone, Europe/Madrid; the client's, or that of all clients, if it is not given
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
}

/// What a configuration says of reports.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) levels: Levels,
    zones: HashMap<Arc<str>, TimeZone>,
}

/// A question that is understood.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) selection: Selection,
    pub(crate) levels: Levels,
}

impl Settings {
    /// Those of a plan.
    pub(crate) fn of(plan: &Config) -> Self {
        let mut settings = Self::default();
        for client in &plan.clients {
            settings.zones.insert(Arc::clone(&client.id), client.zone.clone());
        }
        for queue in &plan.queues {
            let client = Arc::clone(&plan.client(queue.client).id);
            settings.levels.insert(client, Arc::clone(&queue.name), queue.level);
        }
        settings
    }

    /// The zone of a client; of all of them, if it is one.
    fn zone(&self, client: Option<&str>) -> TimeZone {
        if let Some(client) = client {
            return self.zones.get(client).cloned().unwrap_or(TimeZone::UTC);
        }
        let mut zones = self.zones.values();
        let first = zones.next().cloned().unwrap_or(TimeZone::UTC);
        if zones.all(|zone| *zone == first) { first } else { TimeZone::UTC }
    }
}

impl Question {
    /// What is meant, at the moment `now`: what is open lasts until then.
    ///
    /// # Errors
    /// What cannot be understood.
    pub(crate) fn understand(
        &self,
        (axis, name): (Axis, Option<String>),
        settings: &Settings,
        now: Millis,
    ) -> Result<Asked, String> {
        let zone = match &self.zone {
            Some(zone) => TimeZone::get(zone).map_err(|_| format!("unknown time zone `{zone}`"))?,
            None => settings.zone(self.client.as_deref()),
        };
        let today = || {
            let utc = Timestamp::from_millisecond(now).unwrap_or(Timestamp::UNIX_EPOCH);
            let midnight = utc.to_zoned_datetime(zone.clone()).start_of_day();
            midnight.map_or(now, |midnight| midnight.timestamp().as_millisecond())
        };
        let from = self.from.as_deref().map(|text| moment(text, &zone)).transpose()?.unwrap_or_else(today);
        let to = self.to.as_deref().map(|text| moment(text, &zone)).transpose()?.unwrap_or(now + 1);
        if to <= from {
            return Err("the report ends before it begins".to_owned());
        }
        let every = self.every.as_deref().map(str::parse::<Every>).transpose()?;
        let client = self.client.clone();
        let grid = Grid { zone, every };
        Ok(Asked {
            selection: Selection { axis, name, client, from, to, now, grid },
            levels: self.levels(settings)?,
        })
    }

    fn levels(&self, settings: &Settings) -> Result<Levels, String> {
        let mut levels = settings.levels.clone();
        if let Some(sl) = &self.sl {
            let parts = sl.split_once('/').and_then(|(target, within)| {
                Some((target.parse::<f64>().ok()? / 100.0, within.parse::<f64>().ok()? * 1_000.0))
            });
            let fits =
                |(target, within): &(f64, f64)| (0.0..=1.0).contains(target) && (0.0..1e9).contains(within);
            let (target, within) =
                parts.filter(fits).ok_or_else(|| format!("`{sl}` is no service level such as 80/20"))?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1e9")]
            let within = within as u64;
            levels.change(|level| (level.target, level.within) = (target, within));
        }
        if let Some(formula) = &self.formula {
            let formula = formula.parse()?;
            levels.change(|level| level.formula = formula);
        }
        if let Some(seconds) = self.short_abandon {
            levels.change(|level| level.short_abandon = seconds * 1_000);
        }
        Ok(levels)
    }
}

impl Asked {
    /// The service level that a name of the report is held against. Of queues that do not agree each visit is held against
    /// the time of its own, and the usual formula counts.
    pub(crate) fn level_of(&self, name: &str) -> &Level {
        match (self.selection.axis, name.split_once('/')) {
            (Axis::Queues, Some((client, queue))) => self.levels.of_queue(client, queue),
            (Axis::Clients, _) => self.levels.common(Some(name)),
            _ => self.levels.common(self.selection.client.as_deref()),
        }
    }
}

/// A date, or a date and a time, of a zone; or a time stamp with its own offset.
fn moment(text: &str, zone: &TimeZone) -> Result<Millis, String> {
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(stamp.as_millisecond());
    }
    let local = text.parse::<DateTime>().ok().and_then(|local| zone.to_timestamp(local).ok());
    local
        .map(Timestamp::as_millisecond)
        .ok_or_else(|| format!("`{text}` is no time such as `2026-11-23 08:00`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understand(question: &Question) -> Result<Asked, String> {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().expect("a time");
        question.understand((Axis::Queues, None), &Settings::default(), now.as_millisecond())
    }

    #[test]
    fn a_report_is_of_today_by_the_clock_of_its_zone() {
        let zone = Some("Asia/Tokyo".to_owned());
        let asked = understand(&Question { zone, ..Question::default() }).expect("understood");
        let utc = |millis| Timestamp::from_millisecond(millis).expect("a time").to_string();
        assert_eq!(utc(asked.selection.from), "2026-11-29T15:00:00Z");
        let from = Some("2026-10-25 01:00".to_owned());
        let asked = understand(&Question { from, zone: Some("Europe/Madrid".into()), ..Question::default() });
        assert_eq!(utc(asked.expect("understood").selection.from), "2026-10-24T23:00:00Z");
    }

    #[test]
    fn what_is_said_goes_before_what_queues_have() {
        let sl = Some("95/30".to_owned());
        let formula = Some("strict".to_owned());
        let question = Question { sl, formula, short_abandon: Some(5), ..Question::default() };
        let level = *understand(&question).expect("understood").level_of("acme/support");
        assert_eq!((level.target, level.within, level.short_abandon), (0.95, 30_000, 5_000));
        for wrong in ["80", "180/20", "x/20", "80/-1"] {
            assert!(
                understand(&Question { sl: Some(wrong.into()), ..Question::default() }).is_err(),
                "{wrong}"
            );
        }
    }
}
