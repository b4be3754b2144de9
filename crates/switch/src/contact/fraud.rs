//! Calls by trunks, held against what the client and its user may spend.

use super::Contact;
use crate::core::Core;
use crate::fraud::{Bill, Payer};
use dialplan::Fraud;
use events::Kind;
use std::sync::Arc;

impl Contact {
    /// Whether a number may be called now; the call counts if it may.
    pub(super) fn may_spend(&self, core: &mut Core, number: &str) -> Result<(), u16> {
        let Some(fraud) = self.fraud() else { return Ok(()) };
        let Err(blocked) = core.accounts.admit(core.now, fraud, &self.payers(), number) else {
            return Ok(());
        };
        if blocked.is_news {
            let text = format!("a call of {} is blocked: {}", self.client, blocked.reason);
            core.log(None, Kind::Alarm { text });
        }
        core.log(Some(self.id), Kind::CallBlocked { number: number.into(), reason: blocked.reason });
        Err(403)
    }

    /// The bill of a leg by a trunk.
    pub(super) fn bill(&self, core: &mut Core, number: &str) -> Option<Bill> {
        let fraud = self.fraud()?;
        Some(core.accounts.begin(self.payers(), fraud.is_abroad(number)))
    }

    fn fraud(&self) -> Option<&Fraud> {
        self.plan.client_named(&self.client)?.fraud.as_ref()
    }

    /// The client, and the user if one calls.
    fn payers(&self) -> Vec<Payer> {
        let user = self.caller.user().map(|user| Payer::User(Arc::clone(user)));
        std::iter::once(Payer::Client(Arc::clone(&self.client))).chain(user).collect()
    }
}
