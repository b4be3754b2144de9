//! What flows of clients remember beyond a call (`kv`). Every change is in the log, and the store makes this of it anew.

use crate::core::Core;
use dialplan::{KvOrder, KvResult};
use events::{ContactId, Kind, StoredValue};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Values of one client; what is more belongs into a database of its own.
const MOST: usize = 10_000;

/// By client and key.
#[derive(Default)]
pub(crate) struct Values(HashMap<Arc<str>, BTreeMap<Arc<str>, Kept>>);

struct Kept {
    value: Arc<str>,
    /// In microseconds since 1970.
    until: Option<i64>,
}

impl Kept {
    fn is_over(&self, unix_micros: i64) -> bool {
        self.until.is_some_and(|until| until <= unix_micros)
    }
}

impl Values {
    /// Takes what was kept when the log ended.
    pub(crate) fn restore(&mut self, values: Vec<StoredValue>) {
        for StoredValue { client, key, value, until } in values {
            self.0.entry(client).or_default().insert(key, Kept { value, until });
        }
    }

    fn get(&self, client: &str, key: &str, unix_micros: i64) -> Option<&Arc<str>> {
        let kept = self.0.get(client)?.get(key).filter(|kept| !kept.is_over(unix_micros))?;
        Some(&kept.value)
    }

    /// Keeps a value; false where the client has too many.
    fn set(&mut self, client: &Arc<str>, key: &Arc<str>, kept: Kept, unix_micros: i64) -> bool {
        let values = self.0.entry(Arc::clone(client)).or_default();
        if values.len() >= MOST && !values.contains_key(key) {
            values.retain(|_, kept| !kept.is_over(unix_micros));
        }
        let has_room = values.len() < MOST || values.contains_key(key);
        if has_room {
            values.insert(Arc::clone(key), kept);
        }
        has_room
    }
}

impl Core {
    /// Does what a contact's flow wants with a value of its client.
    pub(crate) fn keep(&mut self, (contact, client): (ContactId, &Arc<str>), order: &KvOrder) -> KvResult {
        let now = self.unix_micros();
        let (key, value, keep) = match order {
            KvOrder::Get { key } => return KvResult::Value(self.values.get(client, key, now).cloned()),
            KvOrder::Delete { key } => {
                let was_there = self.values.0.get_mut(client).is_some_and(|it| it.remove(key).is_some());
                if was_there {
                    self.log_value(contact, client, key, (None, None));
                }
                return KvResult::Done;
            }
            KvOrder::Set { key, value, keep } => (key, Arc::clone(value), keep),
            KvOrder::Add { key, by, keep } => {
                let before = self.values.get(client, key, now).map_or(Ok(0), |value| value.parse::<i64>());
                let sum = before.ok().and_then(|before| before.checked_add(*by));
                let Some(sum) = sum else { return KvResult::Failed };
                (key, sum.to_string().into(), keep)
            }
        };
        let until = keep.map(|keep| now.saturating_add(i64::try_from(keep.as_micros()).unwrap_or(i64::MAX)));
        if !self.values.set(client, key, Kept { value: Arc::clone(&value), until }, now) {
            return KvResult::Failed;
        }
        self.log_value(contact, client, key, (Some(Arc::clone(&value)), until));
        match order {
            KvOrder::Add { .. } => KvResult::Value(Some(value)),
            _ => KvResult::Done,
        }
    }

    fn log_value(
        &mut self,
        contact: ContactId,
        client: &Arc<str>,
        key: &Arc<str>,
        (value, until): (Option<Arc<str>>, Option<i64>),
    ) {
        let (client, key) = (Arc::clone(client), Arc::clone(key));
        self.log(Some(contact), Kind::ValueChanged { client, key, value, until });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::switch;
    use clock::{Duration, Time};

    const NODE: &str = "sip: {listen: [\"udp:10.0.0.1:5060\"]}\nrtp: {ports: 30000-30999, address: 10.0.0.1}\nclients: [acme]\n";

    #[test]
    fn values_are_a_clients_own_and_end_with_their_time() {
        let mut switch = switch(NODE, "flows: {main: [hangup]}\n");
        let core = &mut switch.core;
        let (acme, other): (Arc<str>, Arc<str>) = ("acme".into(), "other".into());
        let key: Arc<str> = "n".into();
        let add = |by, keep| KvOrder::Add { key: "n".into(), by, keep };
        let get = KvOrder::Get { key: Arc::clone(&key) };
        let told = |value: &str| KvResult::Value(Some(value.into()));
        let contact = ContactId(1);
        assert_eq!(core.keep((contact, &acme), &add(2, None)), told("2"));
        assert_eq!(core.keep((contact, &acme), &add(3, Some(Duration::from_secs(5)))), told("5"));
        assert_eq!(core.keep((contact, &other), &get), KvResult::Value(None));
        core.now = Time::from_secs(4);
        assert_eq!(core.keep((contact, &acme), &get), told("5"));
        core.now = Time::from_secs(5);
        assert_eq!(core.keep((contact, &acme), &get), KvResult::Value(None));
        assert_eq!(core.keep((contact, &acme), &add(1, None)), told("1"), "it begins anew");
        let set = KvOrder::Set { key: Arc::clone(&key), value: "x".into(), keep: None };
        assert_eq!(core.keep((contact, &acme), &set), KvResult::Done);
        assert_eq!(core.keep((contact, &acme), &add(1, None)), KvResult::Failed, "it is no number");
        assert_eq!(core.keep((contact, &acme), &KvOrder::Delete { key }), KvResult::Done);
        assert_eq!(core.keep((contact, &acme), &get), KvResult::Value(None));
    }

    #[test]
    fn a_client_that_keeps_too_much_is_refused_until_something_is_over() {
        let mut switch = switch(NODE, "flows: {main: [hangup]}\n");
        let core = &mut switch.core;
        let acme: Arc<str> = "acme".into();
        let mut set = |key: usize, seconds: u64| {
            let (key, value) = (key.to_string().into(), "x".into());
            let order = KvOrder::Set { key, value, keep: Some(Duration::from_secs(seconds)) };
            core.now = Time::from_secs(seconds - 10);
            core.keep((ContactId(1), &acme), &order)
        };
        (0..MOST).for_each(|key| assert_eq!(set(key, 20), KvResult::Done));
        assert_eq!(set(MOST, 20), KvResult::Failed);
        assert_eq!(set(7, 20), KvResult::Done, "it is there already");
        assert_eq!(set(MOST, 40), KvResult::Done, "the others are over");
    }
}
