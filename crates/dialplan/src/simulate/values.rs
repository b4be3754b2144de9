//! What flows remember in a simulated call: what the script says that they do, and what the call itself keeps.

use crate::machine::{KvOrder, KvResult};
use clock::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

/// By key, each with when it is over.
pub(super) struct Values(BTreeMap<Arc<str>, (Arc<str>, Option<Time>)>);

impl Values {
    pub(super) fn new(kept: BTreeMap<String, String>) -> Self {
        Self(kept.into_iter().map(|(key, value)| (key.into(), (value.into(), None))).collect())
    }

    pub(super) fn obey(&mut self, order: &KvOrder, now: Time) -> KvResult {
        let found = self.0.get(order.key()).filter(|(_, until)| until.is_none_or(|until| now < until));
        let found = found.map(|(value, _)| Arc::clone(value));
        let (value, keep, is_sum) = match order {
            KvOrder::Get { .. } => return KvResult::Value(found),
            KvOrder::Delete { key } => {
                self.0.remove(key);
                return KvResult::Done;
            }
            KvOrder::Set { value, keep, .. } => (Arc::clone(value), keep, false),
            KvOrder::Add { by, keep, .. } => {
                let before = found.map_or(Ok(0), |value| value.parse::<i64>());
                let Some(sum) = before.ok().and_then(|it| it.checked_add(*by)) else {
                    return KvResult::Failed;
                };
                (sum.to_string().into(), keep, true)
            }
        };
        self.0.insert(Arc::clone(order.key()), (Arc::clone(&value), keep.map(|keep| now + keep)));
        if is_sum { KvResult::Value(Some(value)) } else { KvResult::Done }
    }
}
