//! Calls by trunks, held against what the client and its user may spend.

use super::{Contact, Phase};
use crate::core::Core;
use crate::fraud::{Bill, Blocked, Payer};
use dialplan::Fraud;
use events::Kind;
use std::sync::Arc;

impl Contact {
    /// Whether a number may be called now; the call counts if it may.
    pub(super) fn may_spend(&self, core: &mut Core, number: &str) -> Result<(), u16> {
        let Some(fraud) = self.fraud() else { return Ok(()) };
        let admitted = core.accounts.admit(core.now, fraud, &self.payers(), number);
        admitted.map_err(|blocked| self.tell_blocked(core, number, blocked))
    }

    /// The bill of a leg by a trunk, if there is one and it may be placed.
    pub(super) fn bill(&self, core: &mut Core, number: Option<&str>) -> Result<Option<Bill>, u16> {
        let (Some(fraud), Some(number)) = (self.fraud(), number) else { return Ok(None) };
        let bill = core.accounts.begin(core.now, fraud, self.payers(), number);
        bill.map(Some).map_err(|blocked| self.tell_blocked(core, number, blocked))
    }

    fn tell_blocked(&self, core: &mut Core, number: &str, blocked: Blocked) -> u16 {
        if blocked.is_news {
            let text = format!("a call of {} is blocked: {}", self.client, blocked.reason);
            core.log(None, Kind::Alarm { text });
        }
        core.log(Some(self.id), Kind::CallBlocked { number: number.into(), reason: blocked.reason });
        403
    }

    fn fraud(&self) -> Option<&Fraud> {
        self.plan.client_named(&self.client)?.fraud.as_ref()
    }

    /// The client, and the user whose phone sends this call elsewhere, who has handed the caller on to where its flow is
    /// now, or who calls.
    fn payers(&self) -> Vec<Payer> {
        let sent_by = self.redirecting_user().or(self.sent_on_by.as_ref()).or_else(|| self.caller.user());
        let user = sent_by.map(|user| Payer::User(Arc::clone(user)));
        std::iter::once(Payer::Client(Arc::clone(&self.client))).chain(user).collect()
    }

    fn redirecting_user(&self) -> Option<&Arc<str>> {
        let Phase::Dialing(dial) = &self.phase else { return None };
        dial.redirected_by()
    }
}
