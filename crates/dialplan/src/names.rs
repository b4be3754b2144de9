//! What a client's flows may name.

use crate::caller_id::Owned;
use crate::faults::{Faults, Span};
use crate::mailboxes::Mailbox;
use crate::prompts::Prompts;
use crate::table::Table;
use crate::users::Users;
use crate::web::{Secret, Web};
use crate::yaml::Node;
use crate::{ClientIndex, Trunk};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything outside the flows themselves.
pub(crate) struct Names<'c> {
    pub(crate) client: ClientIndex,
    pub(crate) prompts: Prompts,
    pub(crate) calendars: BTreeMap<String, usize>,
    /// `None` for one that could not be read.
    pub(crate) tables: BTreeMap<String, Option<Arc<Table>>>,
    /// The keys under `queues`.
    pub(crate) queues: Vec<String>,
    /// Those of them that call back.
    pub(crate) callbacks: Vec<String>,
    pub(crate) mailboxes: Vec<Mailbox>,
    /// Where the client's clocks are.
    pub(crate) zone: TimeZone,
    pub(crate) users: &'c Users,
    /// `None` when the node file could not be read.
    pub(crate) trunks: Option<&'c [Trunk]>,
    /// Whom its flows may ask by HTTP.
    pub(crate) web: Option<&'c Web>,
    pub(crate) secrets: &'c [Secret],
    /// What its calls may show.
    pub(crate) owned: &'c Owned,
    /// Whether all of the client's files could be read. If not, a name that is missing may well be in the
    /// one that could not, and is not blamed.
    pub(crate) complete: bool,
}

impl Names<'_> {
    /// A user of this client.
    pub(crate) fn user(&self, name: &str, at: Span, faults: &mut Faults<'_>) -> Option<Arc<str>> {
        match self.users.find(name) {
            Some(user) if user.client == self.client => Some(user.name),
            Some(_) => {
                faults.error(at, format!("the user `{name}` is of another client"));
                None
            }
            None => {
                if self.complete {
                    faults.unknown(at, "unknown user {}", name, self.users.names(self.client));
                }
                None
            }
        }
    }

    /// A trunk that this client may call out by.
    pub(crate) fn outbound(&self, name: &str, at: Span, faults: &mut Faults<'_>) -> Option<Arc<str>> {
        let trunks = self.trunks?;
        let Some(trunk) = trunks.iter().find(|trunk| trunk.name.as_ref() == name) else {
            faults.unknown(at, "unknown trunk {}", name, trunks.iter().map(|trunk| trunk.name.as_ref()));
            return None;
        };
        if trunk.to.is_empty() {
            let hint = "give the trunk a `to` in the node file: to: sip:carrier.example";
            faults.hinted(at, format!("the trunk `{name}` takes no calls: it has no `to`"), hint);
        }
        if trunk.client.is_some_and(|client| client != self.client) {
            faults.error(at, format!("the trunk `{name}` is of another client"));
        }
        Some(Arc::clone(&trunk.name))
    }

    /// The trunks that a number may go by, in their order.
    pub(crate) fn trunks(&self, named: &Node, at: Span, faults: &mut Faults<'_>) -> Vec<Arc<str>> {
        let mut trunks = Vec::new();
        for item in named.items() {
            let Some(name) = item.text("`trunk`", faults) else { continue };
            let Some(trunk) = self.outbound(name, item.span, faults) else { continue };
            if trunks.contains(&trunk) {
                faults.error(item.span, format!("the trunk `{name}` is in the list already"));
            }
            trunks.push(trunk);
        }
        if named.items().is_empty() {
            faults.error(named.place_or(at), "`trunk` names nobody");
        }
        trunks
    }
}
