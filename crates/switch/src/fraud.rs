//! What clients and their users spend on calls by trunks, held against the limits of the plan.

use clock::{Duration, Time};
use dialplan::{Config, Fraud, Spending};
use std::collections::HashMap;
use std::sync::Arc;

const MINUTE: Duration = Duration::from_secs(60);
const MINUTES: u64 = 60;
/// How often the same client or user is an alarm.
const REMINDER: Duration = Duration::from_secs(3_600);

/// Who pays for a leg.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Payer {
    Client(Arc<str>),
    User(Arc<str>),
}

/// A leg by a trunk that somebody pays for.
#[derive(Debug)]
pub(crate) struct Bill {
    payers: Vec<Payer>,
    abroad: bool,
    talking: bool,
}

/// Why a call is not placed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Blocked {
    /// `the user alice has its 60 calls an hour`
    pub(crate) reason: String,
    /// Whether it is time for an alarm.
    pub(crate) is_news: bool,
}

/// What a client, or one of its users, has used of its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The client.
    pub client: Arc<str>,
    /// One of its users; `None` for all its calls together.
    pub user: Option<Arc<str>>,
    /// Calls begun within the last hour.
    pub calls: u64,
    /// Whole minutes talked within the last hour.
    pub minutes: u64,
    /// Calls to other countries that are up.
    pub international: u32,
    /// What may be used.
    pub limits: Spending,
}

/// Everybody's use of the last hour.
#[derive(Default)]
pub(crate) struct Accounts(HashMap<Payer, Account>);

#[derive(Clone, Default)]
struct Account {
    calls: Hour,
    /// Milliseconds talked, up to `settled`.
    talk: Hour,
    settled: Time,
    talking: u32,
    abroad: u32,
    alarmed: Option<Time>,
}

/// Sums of the last sixty minutes, a minute each.
#[derive(Clone)]
struct Hour {
    minutes: [u64; MINUTES as usize],
    /// The newest of them, counted from time zero.
    newest: u64,
}

impl Default for Hour {
    fn default() -> Self {
        Self { minutes: [0; MINUTES as usize], newest: 0 }
    }
}

impl Hour {
    fn add(&mut self, now: Time, amount: u64) {
        let minute = now.micros() / MINUTE.as_micros() as u64;
        for passed in self.newest + 1..=minute.min(self.newest + MINUTES) {
            self.minutes[(passed % MINUTES) as usize] = 0;
        }
        self.newest = self.newest.max(minute);
        self.minutes[(self.newest % MINUTES) as usize] += amount;
    }

    fn total(&mut self, now: Time) -> u64 {
        self.add(now, 0);
        self.minutes.iter().sum()
    }
}

impl Account {
    /// Counts what has been talked since the last time, minute by minute.
    fn settle(&mut self, now: Time) {
        while self.talking > 0 && self.settled < now {
            let until = now.min(self.settled + MINUTE);
            let millis = (until - self.settled).as_millis() as u64 * u64::from(self.talking);
            self.talk.add(until, millis);
            self.settled = until;
        }
        self.settled = now;
    }

    fn spent(
        mut self,
        now: Time,
        (client, user): (&Arc<str>, Option<&Arc<str>>),
        limits: &Spending,
    ) -> Spent {
        self.settle(now);
        Spent {
            client: Arc::clone(client),
            user: user.cloned(),
            calls: self.calls.total(now),
            minutes: self.talk.total(now) / 60_000,
            international: self.abroad,
            limits: *limits,
        }
    }

    /// The limit of an hour that keeps a call out.
    fn exceeded(&mut self, now: Time, limits: &Spending) -> Option<String> {
        self.settle(now);
        if let Some(limit) = reaches(self.calls.total(now), limits.calls_per_hour) {
            return Some(format!("{} an hour", counted(limit, "call")));
        }
        if let Some(limit) = reaches(self.talk.total(now) / 60_000, limits.minutes_per_hour) {
            return Some(format!("{} an hour", counted(limit, "minute")));
        }
        None
    }
}

/// The limit, if it is reached.
fn reaches(used: u64, limit: Option<u32>) -> Option<u32> {
    limit.filter(|limit| used >= u64::from(*limit))
}

/// `1 call`, `3 calls`.
fn counted(limit: u32, what: &str) -> String {
    format!("{limit} {what}{}", if limit == 1 { "" } else { "s" })
}

impl Accounts {
    /// Whether a number may be called now by a user of a client, or by a flow; the call counts from now on.
    pub(crate) fn admit(
        &mut self,
        now: Time,
        fraud: &Fraud,
        payers: &[Payer],
        number: &str,
    ) -> Result<(), Blocked> {
        let Some(first) = payers.first() else { return Ok(()) };
        if !fraud.permits(number) {
            return Err(self.blocked(now, first, format!("{number} is no destination of {first}")));
        }
        for payer in payers {
            let limits = payer.limits(fraud);
            let exceeded = self.0.entry(payer.clone()).or_default().exceeded(now, limits);
            if let Some(limit) = exceeded {
                return Err(self.blocked(now, payer, format!("{payer} has its {limit}")));
            }
        }
        for payer in payers {
            self.0.entry(payer.clone()).or_default().calls.add(now, 1);
        }
        Ok(())
    }

    fn blocked(&mut self, now: Time, payer: &Payer, reason: String) -> Blocked {
        let account = self.0.entry(payer.clone()).or_default();
        let is_news = account.alarmed.is_none_or(|at| now - at >= REMINDER);
        if is_news {
            account.alarmed = Some(now);
        }
        Blocked { reason, is_news }
    }

    /// A leg of a call that was admitted is placed, unless too many to other countries are up: the DNS may have been
    /// waited for since.
    pub(crate) fn begin(
        &mut self,
        now: Time,
        fraud: &Fraud,
        payers: Vec<Payer>,
        number: &str,
    ) -> Result<Bill, Blocked> {
        let abroad = fraud.is_abroad(number);
        for payer in payers.iter().filter(|_| abroad) {
            let up = self.0.get(payer).map_or(0, |account| account.abroad);
            if let Some(limit) = reaches(up.into(), payer.limits(fraud).international) {
                let reason = format!("{payer} has its {} at once", counted(limit, "international call"));
                return Err(self.blocked(now, payer, reason));
            }
        }
        for payer in &payers {
            self.0.entry(payer.clone()).or_default().abroad += u32::from(abroad);
        }
        Ok(Bill { payers, abroad, talking: false })
    }

    /// It is answered.
    pub(crate) fn talk(&mut self, now: Time, bill: &mut Bill) {
        if std::mem::replace(&mut bill.talking, true) {
            return;
        }
        for payer in &bill.payers {
            let account = self.0.entry(payer.clone()).or_default();
            account.settle(now);
            account.talking += 1;
        }
    }

    /// It is over.
    pub(crate) fn end(&mut self, now: Time, bill: &Bill) {
        for payer in &bill.payers {
            let Some(account) = self.0.get_mut(payer) else { continue };
            account.settle(now);
            account.abroad -= u32::from(bill.abroad);
            account.talking -= u32::from(bill.talking);
        }
    }

    /// Forgets who is no longer in the plan and has no call up.
    pub(crate) fn retain(&mut self, is_planned: impl Fn(&Payer) -> bool) {
        self.0.retain(|payer, account| account.talking > 0 || account.abroad > 0 || is_planned(payer));
    }

    /// What clients with limits have used, and those of their users that have used anything: by client, its users after it.
    pub(crate) fn spent(&self, now: Time, plan: &Config) -> Vec<Spent> {
        let clients = plan.clients.iter().filter_map(|client| {
            let limits = &client.fraud.as_ref()?.client;
            let account = self.0.get(&Payer::Client(Arc::clone(&client.id)));
            Some(account.cloned().unwrap_or_default().spent(now, (&client.id, None), limits))
        });
        let users = self.0.iter().filter_map(|(payer, account)| {
            let Payer::User(name) = payer else { return None };
            let client = plan.client(plan.user(name)?.client);
            let limits = &client.fraud.as_ref()?.user;
            let spent = account.clone().spent(now, (&client.id, Some(name)), limits);
            (spent.calls > 0 || spent.minutes > 0 || spent.international > 0).then_some(spent)
        });
        let mut spent: Vec<_> = clients.chain(users).collect();
        spent.sort_by(|a, b| (&a.client, &a.user).cmp(&(&b.client, &b.user)));
        spent
    }

    /// Calls abroad that clients have up, and those that are talked on.
    pub(crate) fn up(&self) -> (u32, u32) {
        let clients = self.0.iter().filter(|(payer, _)| matches!(payer, Payer::Client(_)));
        clients.fold((0, 0), |(abroad, talking), (_, it)| (abroad + it.abroad, talking + it.talking))
    }
}

impl Payer {
    const fn limits<'f>(&self, fraud: &'f Fraud) -> &'f Spending {
        match self {
            Self::Client(_) => &fraud.client,
            Self::User(_) => &fraud.user,
        }
    }
}

impl Bill {
    /// Whether it is for a call abroad, and whether it is talked on.
    pub(crate) const fn state(&self) -> (bool, bool) {
        (self.abroad, self.talking)
    }
}

impl std::fmt::Display for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Client(name) => write!(f, "the client {name}"),
            Self::User(name) => write!(f, "the user {name}"),
        }
    }
}

#[cfg(test)]
mod tests;
