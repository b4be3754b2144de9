//! A trunk whose server has no room for a while is tried after those that have.

use clock::{Duration, Time};
use events::ContactId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The trunk that has a single server, and the number that the plan calls by it and then by another.
const TRUNK: &str = "pbx";
const NUMBER: &str = "4711";

/// What the log has told of it.
#[derive(Debug, Default)]
pub(super) struct Rests {
    until: Time,
    /// Until when the other one rests: then nobody is tried before it.
    other_until: Time,
    /// Contacts that call the number, and whether they have tried the trunk although it rests.
    dials: BTreeMap<ContactId, bool>,
}

impl Rests {
    pub(super) fn begin(&mut self, at: Time, trunk: &str, seconds: u32) {
        let until = if trunk == TRUNK { &mut self.until } else { &mut self.other_until };
        *until = at + Duration::from_secs(seconds.into());
    }

    pub(super) fn dial(&mut self, contact: ContactId, targets: &[Arc<str>]) {
        if targets.iter().any(|target| target.contains(NUMBER)) {
            self.dials.insert(contact, false);
        }
    }

    pub(super) fn end_dial(&mut self, contact: ContactId) {
        self.dials.remove(&contact);
    }

    /// A contact tries a trunk; whether it is the second one because the first rests.
    ///
    /// # Errors
    /// The first was tried before, while it rested.
    pub(super) fn tried(&mut self, at: Time, contact: ContactId, trunk: &str) -> Result<bool, String> {
        let rests = at < self.until;
        let Some(hopeless) = self.dials.get_mut(&contact) else { return Ok(false) };
        if trunk == TRUNK {
            *hopeless |= rests && at >= self.other_until;
            return Ok(false);
        }
        if *hopeless {
            return Err(format!("contact {} tries {TRUNK}, which rests, before {trunk}", contact.0));
        }
        Ok(rests)
    }
}
